package onefold.appliance.judge;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * One connection to an NFS server, version 3 with MOUNT on the same port (RFC 1813, 5531, 4506); as
 * root, one call at a time.
 */
final class NfsConnection implements AutoCloseable {
  static final int NFS = 100003;
  static final int MOUNT = 100005;
  static final int OK = 0;
  static final int NOT_FOUND = 2;

  private static final int VERSION = 3;
  private static final int CONNECT_MILLIS = 10_000;
  // A server that says nothing for so long while it owes an answer counts as dead.
  private static final int ANSWER_MILLIS = 120_000;
  private static final int MAX_REPLY_BYTES = (1 << 20) + (64 << 10);
  private static final int LAST_FRAGMENT = 0x8000_0000;

  private final Socket socket = new Socket();
  private final DataInputStream in;
  private final OutputStream out;
  private int number = (int) System.nanoTime();

  NfsConnection(String host, int port) throws IOException {
    try {
      socket.connect(new InetSocketAddress(host, port), CONNECT_MILLIS);
      socket.setTcpNoDelay(true);
      socket.setSoTimeout(ANSWER_MILLIS);
      this.in = new DataInputStream(socket.getInputStream());
      this.out = socket.getOutputStream();
    } catch (IOException e) {
      socket.close();
      throw new IOException(
          "the NFS server at " + host + ":" + port + " cannot be reached: " + e.getMessage(), e);
    }
  }

  /** Arguments of a call: numbers in big-endian, runs of bytes with length and padding. */
  static final class Arguments {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    Arguments u32(int value) {
      bytes.write(value >>> 24);
      bytes.write(value >>> 16);
      bytes.write(value >>> 8);
      bytes.write(value);
      return this;
    }

    Arguments u64(long value) {
      return u32((int) (value >>> 32)).u32((int) value);
    }

    Arguments run(byte[] value) {
      return run(value, 0, value.length);
    }

    Arguments run(byte[] value, int offset, int length) {
      u32(length);
      bytes.write(value, offset, length);
      for (int i = length; (i & 3) != 0; i++) {
        bytes.write(0);
      }
      return this;
    }

    Arguments text(String value) {
      return run(value.getBytes(StandardCharsets.UTF_8));
    }
  }

  /** Results of a call, from the front. */
  static final class Results {
    private final ByteBuffer source;

    Results(byte[] reply) {
      this.source = ByteBuffer.wrap(reply);
    }

    int u32() throws JudgeException {
      need(4);
      return source.getInt();
    }

    long u64() throws JudgeException {
      need(8);
      return source.getLong();
    }

    byte[] run() throws JudgeException {
      int length = u32();
      if (length < 0) {
        throw new JudgeException("a run of " + (length & 0xffff_ffffL) + " bytes");
      }
      need(length);
      byte[] bytes = new byte[length];
      source.get(bytes);
      skip(-length & 3);
      return bytes;
    }

    void skip(int bytes) throws JudgeException {
      need(bytes);
      source.position(source.position() + bytes);
    }

    /** Skips attributes that may be missing. */
    void skipAttributes() throws JudgeException {
      if (u32() != 0) {
        skip(84);
      }
    }

    /** Skips what is said of a file before and after a change. */
    void skipWeakConsistency() throws JudgeException {
      if (u32() != 0) {
        skip(24);
      }
      skipAttributes();
    }

    private void need(int bytes) throws JudgeException {
      if (source.remaining() < bytes) {
        throw new JudgeException(
            "a reply ends " + (bytes - source.remaining()) + " bytes too early");
      }
    }
  }

  /** Calls a procedure and returns its results. */
  Results call(int program, int procedure, Arguments arguments) throws IOException {
    int mine = ++number;
    var call = new Arguments();
    call.u32(mine).u32(0).u32(2).u32(program).u32(VERSION).u32(procedure);
    byte[] root = new Arguments().u32(0).text("judge").u32(0).u32(0).u32(0).bytes.toByteArray();
    call.u32(1).run(root).u32(0).u32(0);
    call.bytes.writeBytes(arguments.bytes.toByteArray());
    byte[] record = call.bytes.toByteArray();
    ByteBuffer framed = ByteBuffer.allocate(4 + record.length);
    framed.putInt(LAST_FRAGMENT | record.length).put(record);
    out.write(framed.array());
    out.flush();
    Results results = new Results(receive());
    int answered = results.u32();
    if (answered != mine) {
      throw new JudgeException("a reply to " + answered + ", expected to " + mine);
    }
    int direction = results.u32();
    int denied = results.u32();
    if (direction != 1 || denied != 0) {
      throw new JudgeException("the call was denied: " + direction + ", " + denied);
    }
    results.u32();
    results.run();
    int accepted = results.u32();
    if (accepted != 0) {
      throw new JudgeException("procedure " + procedure + " was not served: " + accepted);
    }
    return results;
  }

  private byte[] receive() throws IOException {
    var whole = new ByteArrayOutputStream();
    boolean last = false;
    while (!last) {
      int mark;
      try {
        mark = in.readInt();
      } catch (EOFException e) {
        throw new IOException("the server closed the connection", e);
      }
      last = (mark & LAST_FRAGMENT) != 0;
      int length = mark & ~LAST_FRAGMENT;
      if (length > MAX_REPLY_BYTES - whole.size()) {
        throw new JudgeException("a reply of more than " + MAX_REPLY_BYTES + " bytes");
      }
      byte[] fragment = new byte[length];
      in.readFully(fragment);
      whole.writeBytes(fragment);
    }
    return whole.toByteArray();
  }

  /** Calls a procedure of NFS that must succeed. */
  Results expect(int procedure, Arguments arguments) throws IOException {
    Results results = call(NFS, procedure, arguments);
    int status = results.u32();
    if (status != OK) {
      throw new JudgeException(status, "NFS procedure " + procedure + " was refused: " + status);
    }
    return results;
  }

  /** Mounts a path and returns its handle. */
  byte[] mount(String path) throws IOException {
    Results results = call(MOUNT, 1, new Arguments().text(path));
    int status = results.u32();
    if (status != OK) {
      throw new JudgeException(status, "the mount of " + path + " was refused: " + status);
    }
    return results.run();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
