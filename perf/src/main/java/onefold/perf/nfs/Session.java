package onefold.perf.nfs;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A session of NFSv4.1 (RFC 8881) over some connections, and the requests that the load is of. */
final class Session implements AutoCloseable {
  /** Slots that are asked for. */
  static final int MAX_SLOTS = 64;

  static final int SEQUENCE = 53;
  static final int UNSTABLE = 0;
  static final int FILE_SYNC = 2;

  private static final int CLOSE = 4;
  private static final int COMMIT = 5;
  private static final int CREATE = 6;
  private static final int GETATTR = 9;
  private static final int GETFH = 10;
  private static final int LOOKUP = 15;
  private static final int OPEN = 18;
  private static final int PUTFH = 22;
  private static final int PUTROOTFH = 24;
  private static final int READ = 25;
  private static final int WRITE = 38;
  private static final int EXCHANGE_ID = 42;
  private static final int CREATE_SESSION = 43;
  private static final int DESTROY_SESSION = 44;
  private static final int RECLAIM_COMPLETE = 58;
  private static final int READ_AND_WRITE = 3;
  private static final int WITHOUT_DELEGATION = 0x400;
  private static final int CHANNEL_BYTES = (1 << 20) + 8192;

  private final List<Lane> lanes = new ArrayList<>();
  private final byte[] id;
  private final byte[] root;
  private long clientId;

  /** A file that is open, as handle and state. */
  record Open(byte[] handle, byte[] state) {}

  /** Hears of a file that was opened. */
  @FunctionalInterface
  interface Opened {
    void is(Open file) throws IOException;
  }

  /** Hears what was read, and whether the file ends with it. */
  @FunctionalInterface
  interface Taken {
    void bytes(ByteBuffer data, boolean end) throws IOException;
  }

  /** Hears that something is done. */
  @FunctionalInterface
  interface Done {
    void is() throws IOException;
  }

  /**
   * Opens connections and a session over them.
   *
   * @param slots in flight over each connection
   * @param path of a directory, from the server's root
   */
  Session(String host, int port, int connections, int slots, String path) throws IOException {
    if (connections * slots > MAX_SLOTS) {
      throw new IllegalArgumentException(connections + " times " + slots + " slots");
    }
    boolean done = false;
    try {
      for (int i = 0; i < connections; i++) {
        lanes.add(new Lane(host, port));
      }
      id = begin(lanes.getFirst());
      for (int i = 0; i < connections; i++) {
        lanes.get(i).use(id, i * slots, slots);
      }
      reclaimComplete();
      root = lookup(path);
      done = true;
    } finally {
      if (!done) {
        close();
      }
    }
  }

  List<Lane> lanes() {
    return lanes;
  }

  /** The directory of the load. */
  byte[] root() {
    return root;
  }

  private byte[] begin(Lane lane) throws IOException {
    ByteBuffer to = lane.beginWithoutSession(1).putInt(EXCHANGE_ID).putLong(System.nanoTime());
    byte[] owner = ("load-" + System.nanoTime()).getBytes(StandardCharsets.US_ASCII);
    run(to, owner).putInt(0x1_0000).putInt(0).putInt(0);
    long[] client = new long[1];
    int[] sequence = new int[1];
    lane.sendWithoutSession(results -> {
      results.expect(EXCHANGE_ID);
      client[0] = results.u64();
      sequence[0] = results.u32();
    });
    lane.drain();
    clientId = client[0];
    to = lane.beginWithoutSession(1).putInt(CREATE_SESSION).putLong(clientId);
    to.putInt(sequence[0]).putInt(0);
    for (int i = 0; i < 2; i++) {
      to.putInt(0).putInt(CHANNEL_BYTES).putInt(CHANNEL_BYTES).putInt(4096);
      to.putInt(16).putInt(MAX_SLOTS).putInt(0);
    }
    to.putInt(0x4000_0000).putInt(1).putInt(0);
    byte[] session = new byte[16];
    lane.sendWithoutSession(results -> {
      results.expect(CREATE_SESSION);
      for (int i = 0; i < session.length; i += 4) {
        ByteBuffer.wrap(session).putInt(i, results.u32());
      }
      results.skip(4 + 4 + 4);
      int request = results.u32();
      int reply = results.u32();
      results.skip(4 + 4);
      int slots = results.u32();
      if (request < CHANNEL_BYTES || reply < CHANNEL_BYTES || slots < MAX_SLOTS) {
        throw new IOException(
            "a session of " + slots + " slots, " + request + " and " + reply + " bytes");
      }
    });
    lane.drain();
    return session;
  }

  private void reclaimComplete() throws IOException {
    Lane lane = lanes.getFirst();
    lane.begin(1).putInt(RECLAIM_COMPLETE).putInt(0);
    lane.send(results -> results.expect(RECLAIM_COMPLETE));
    lane.drain();
  }

  private byte[] lookup(String path) throws IOException {
    Lane lane = lanes.getFirst();
    List<String> names = Arrays.stream(path.split("/")).filter(name -> !name.isEmpty()).toList();
    ByteBuffer to = lane.begin(names.size() + 2).putInt(PUTROOTFH);
    for (String name : names) {
      run(to.putInt(LOOKUP), name.getBytes(StandardCharsets.UTF_8));
    }
    to.putInt(GETFH);
    byte[][] handle = new byte[1][];
    lane.send(results -> {
      results.expect(PUTROOTFH);
      for (String _ : names) {
        results.expect(LOOKUP);
      }
      results.expect(GETFH);
      handle[0] = results.run();
    });
    lane.drain();
    return handle[0];
  }

  private static ByteBuffer run(ByteBuffer to, byte[] bytes) {
    to.putInt(bytes.length).put(bytes);
    for (int i = bytes.length; (i & 3) != 0; i++) {
      to.put((byte) 0);
    }
    return to;
  }

  /** Asks for what a kernel asks for with every change. */
  private static void attributes(ByteBuffer to) {
    // Type, change, size, file system; file id, mode, links, owner, group, space, times.
    to.putInt(GETATTR).putInt(2).putInt(0x0010_011a).putInt(0x0030_a03a);
  }

  private static void skipAttributes(Lane.Results results) throws IOException {
    results.expect(GETATTR);
    results.skipBitmap();
    results.skip(results.u32());
  }

  /** Makes a directory and waits for it. */
  byte[] makeDirectory(byte[] in, String name) throws IOException {
    Lane lane = lanes.getFirst();
    ByteBuffer to = lane.begin(3);
    run(to.putInt(PUTFH), in).putInt(CREATE).putInt(2);
    run(to, name.getBytes(StandardCharsets.UTF_8));
    to.putInt(2).putInt(0).putInt(2).putInt(4).putInt(0755).putInt(GETFH);
    byte[][] handle = new byte[1][];
    lane.send(results -> {
      results.expect(PUTFH);
      results.expect(CREATE);
      results.skip(4 + 8 + 8);
      results.skipBitmap();
      results.expect(GETFH);
      handle[0] = results.run();
    });
    lane.drain();
    return handle[0];
  }

  /**
   * Opens a file.
   *
   * @param make whether to make it, or to take from it what it holds
   */
  void open(Lane lane, byte[] in, String name, boolean make, Opened then) throws IOException {
    ByteBuffer to = lane.begin(4);
    run(to.putInt(PUTFH), in).putInt(OPEN).putInt(0);
    to.putInt(READ_AND_WRITE | WITHOUT_DELEGATION).putInt(0).putLong(clientId);
    run(to, "load".getBytes(StandardCharsets.US_ASCII));
    if (make) {
      // Create, unchecked, of size 0 and with mode 0644.
      to.putInt(1).putInt(0).putInt(2).putInt(0x10).putInt(2).putInt(12).putLong(0).putInt(0644);
    } else {
      to.putInt(0);
    }
    run(to.putInt(0), name.getBytes(StandardCharsets.UTF_8)).putInt(GETFH);
    attributes(to);
    lane.send(results -> {
      results.expect(PUTFH);
      results.expect(OPEN);
      byte[] state = new byte[16];
      for (int i = 0; i < state.length; i += 4) {
        ByteBuffer.wrap(state).putInt(i, results.u32());
      }
      results.skip(4 + 8 + 8 + 4);
      results.skipBitmap();
      int delegation = results.u32();
      if (delegation == 3) {
        int why = results.u32();
        results.skip(why == 1 || why == 2 ? 4 : 0);
      } else if (delegation != 0) {
        throw new IOException("a delegation of kind " + delegation);
      }
      results.expect(GETFH);
      byte[] handle = results.run();
      skipAttributes(results);
      then.is(new Open(handle, state));
    });
  }

  /** Writes; {@code data} is taken at once. */
  void write(Lane lane, Open file, long position, int stable, ByteBuffer data, Done then)
      throws IOException {
    int length = data.remaining();
    ByteBuffer to = lane.begin(2);
    run(to.putInt(PUTFH), file.handle).putInt(WRITE).put(file.state);
    to.putLong(position).putInt(stable).putInt(length);
    lane.send(
        data,
        results -> {
          results.expect(PUTFH);
          results.expect(WRITE);
          int written = results.u32();
          int how = results.u32();
          if (written != length || how < stable) {
            throw new IOException(written + " bytes written of " + length + ", stability " + how);
          }
          then.is();
        });
  }

  /** Makes all of a file durable. */
  void commit(Lane lane, Open file, Done then) throws IOException {
    run(lane.begin(2).putInt(PUTFH), file.handle).putInt(COMMIT).putLong(0).putInt(0);
    lane.send(results -> {
      results.expect(PUTFH);
      results.expect(COMMIT);
      then.is();
    });
  }

  void read(Lane lane, Open file, long position, int length, Taken then) throws IOException {
    ByteBuffer to = lane.begin(2);
    run(to.putInt(PUTFH), file.handle).putInt(READ).put(file.state);
    to.putLong(position).putInt(length);
    lane.send(results -> {
      results.expect(PUTFH);
      results.expect(READ);
      boolean end = results.u32() != 0;
      then.bytes(results.data(), end);
    });
  }

  void close(Lane lane, Open file, Done then) throws IOException {
    run(lane.begin(2).putInt(PUTFH), file.handle).putInt(CLOSE).putInt(0).put(file.state);
    lane.send(results -> {
      results.expect(PUTFH);
      results.expect(CLOSE);
      then.is();
    });
  }

  @Override
  public void close() throws IOException {
    if (!lanes.isEmpty() && id != null) {
      Lane lane = lanes.getFirst();
      lane.beginWithoutSession(1).putInt(DESTROY_SESSION).put(id);
      lane.sendWithoutSession(results -> results.expect(DESTROY_SESSION));
      lane.drain();
    }
    for (Lane lane : lanes) {
      lane.close();
    }
  }
}
