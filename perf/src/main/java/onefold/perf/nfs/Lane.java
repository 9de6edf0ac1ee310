package onefold.perf.nfs;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;

/**
 * One connection and the slots of the session that it uses: as many requests can be in flight over
 * it. One thread uses it, which hears of replies when it waits for them.
 */
final class Lane implements AutoCloseable {
  private static final int LAST_FRAGMENT = 0x8000_0000;
  private static final int MAX_REPLY_BYTES = (1 << 20) + (64 << 10);

  /** What a request with up to this many bytes of arguments takes, what it writes left out. */
  private static final int MAX_ARGUMENT_BYTES = 4096;

  private final SocketChannel channel;
  private final ByteBuffer[] request = {
    ByteBuffer.allocateDirect(MAX_ARGUMENT_BYTES), ByteBuffer.allocate(0)
  };
  private final ByteBuffer input = ByteBuffer.allocateDirect(MAX_REPLY_BYTES);
  private final ArrayDeque<Integer> freeSlots = new ArrayDeque<>();
  private final Map<Integer, Waiting> waiting = new HashMap<>();
  private final int[] sequences;
  private final byte[] sessionId = new byte[16];
  private int number;

  /** Hears of a reply. */
  @FunctionalInterface
  interface Handler {
    /**
     * Takes the results of the operations behind SEQUENCE, from the front.
     *
     * @param results good until it returns
     */
    void reply(Results results) throws IOException;
  }

  private record Waiting(int slot, Handler handler) {}

  Lane(String host, int port) throws IOException {
    channel = SocketChannel.open(new InetSocketAddress(host, port));
    channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
    sequences = new int[Session.MAX_SLOTS];
    input.limit(0);
  }

  /** Gives it slots of a session, from {@code first} on. */
  void use(byte[] session, int first, int count) {
    System.arraycopy(session, 0, sessionId, 0, sessionId.length);
    freeSlots.clear();
    for (int slot = first; slot < first + count; slot++) {
      freeSlots.add(slot);
    }
  }

  /** Whether another request can go out without a reply coming in first. */
  boolean hasRoom() {
    return !freeSlots.isEmpty();
  }

  int inFlight() {
    return waiting.size();
  }

  // ---- requests

  /** Begins a request of so many operations, SEQUENCE left out, and returns where they go. */
  ByteBuffer begin(int operations) throws IOException {
    while (freeSlots.isEmpty()) {
      await();
    }
    ByteBuffer to = beginWithoutSession(operations + 1);
    int slot = freeSlots.element();
    to.putInt(Session.SEQUENCE).put(sessionId);
    to.putInt(sequences[slot] + 1).putInt(slot).putInt(Session.MAX_SLOTS - 1).putInt(0);
    return to;
  }

  /** As {@link #begin}, of the kind that comes before there is a session. */
  ByteBuffer beginWithoutSession(int operations) {
    ByteBuffer to = request[0].clear();
    to.putInt(0).putInt(++number).putInt(0).putInt(2).putInt(100003).putInt(4).putInt(1);
    // AUTH_SYS as root of a machine called "load", without further groups; no verifier.
    to.putInt(1).putInt(24).putInt(0).putInt(4).put(new byte[] {'l', 'o', 'a', 'd'});
    to.putInt(0).putInt(0).putInt(0).putInt(0).putInt(0);
    to.putInt(0).putInt(1).putInt(operations);
    return to;
  }

  /** Sends what was begun. */
  void send(Handler handler) throws IOException {
    send(ByteBuffer.allocate(0), handler);
  }

  /** Sends what was begun and, behind it, bytes whose number is a multiple of four. */
  void send(ByteBuffer data, Handler handler) throws IOException {
    int slot = freeSlots.remove();
    sequences[slot]++;
    sendAs(slot, data, handler);
  }

  void sendWithoutSession(Handler handler) throws IOException {
    sendAs(-1, ByteBuffer.allocate(0), handler);
  }

  private void sendAs(int slot, ByteBuffer data, Handler handler) throws IOException {
    ByteBuffer head = request[0];
    head.putInt(0, LAST_FRAGMENT | (head.position() - 4 + data.remaining()));
    head.flip();
    request[1] = data;
    while (head.hasRemaining() || data.hasRemaining()) {
      channel.write(request);
    }
    waiting.put(number, new Waiting(slot, handler));
  }

  // ---- replies

  /** Waits for one reply and hands it to who sent the request. */
  void await() throws IOException {
    need(4);
    int mark = input.getInt();
    int length = mark & ~LAST_FRAGMENT;
    if ((mark & LAST_FRAGMENT) == 0 || length > MAX_REPLY_BYTES - 4) {
      throw new IOException("a fragment with mark " + Integer.toHexString(mark));
    }
    need(length);
    int end = input.position() + length;
    int xid = input.getInt();
    Waiting request = waiting.remove(xid);
    if (request == null) {
      throw new IOException("a reply to " + xid + ", which was not asked");
    }
    int direction = input.getInt();
    int denied = input.getInt();
    if (direction != 1 || denied != 0) {
      throw new IOException("the call was denied: " + direction + ", " + denied);
    }
    input.getInt();
    int verifier = input.getInt();
    input.position(input.position() + verifier);
    int accepted = input.getInt();
    if (accepted != 0) {
      throw new IOException("the call was not served: " + accepted);
    }
    int limit = input.limit();
    input.limit(end);
    Results results = new Results(input);
    results.skipHead();
    if (request.slot >= 0) {
      results.expect(Session.SEQUENCE);
      results.skip(16 + 5 * 4);
      freeSlots.add(request.slot);
    }
    request.handler.reply(results);
    input.limit(limit);
    input.position(end);
  }

  /** Waits until nothing is in flight. */
  void drain() throws IOException {
    while (!waiting.isEmpty()) {
      await();
    }
  }

  private void need(int bytes) throws IOException {
    if (input.remaining() >= bytes) {
      return;
    }
    input.compact();
    while (input.position() < bytes) {
      if (channel.read(input) < 0) {
        throw new EOFException("the server closed the connection");
      }
    }
    input.flip();
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  /** Results of a compound. */
  static final class Results {
    private final ByteBuffer from;

    private Results(ByteBuffer from) {
      this.from = from;
    }

    private void skipHead() {
      from.getInt();
      skip(u32() + 3 & ~3);
      from.getInt();
    }

    int u32() {
      return from.getInt();
    }

    long u64() {
      return from.getLong();
    }

    byte[] run() {
      byte[] bytes = new byte[u32()];
      from.get(bytes);
      skip(-bytes.length & 3);
      return bytes;
    }

    void skip(int bytes) {
      from.position(from.position() + bytes);
    }

    /** The bytes of an opaque; they stay where they are. */
    ByteBuffer data() {
      int length = u32();
      ByteBuffer bytes = from.slice(from.position(), length);
      skip(length + (-length & 3));
      return bytes;
    }

    void skipBitmap() {
      skip(4 * u32());
    }

    /** Reads an operation's number and its status, which must be OK. */
    void expect(int operation) throws IOException {
      int found = u32();
      int status = u32();
      if (found != operation || status != 0) {
        throw new IOException("operation " + found + " was refused: " + status);
      }
    }
  }
}
