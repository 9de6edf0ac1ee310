package onefold.nas.nfs;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/** A client of the tests: builds calls by hand and shows what comes back. */
final class NfsClient implements AutoCloseable {
  static final int NFS = NfsProgram.NUMBER;
  static final int MOUNT = MountProgram.NUMBER;
  private static final int TIMEOUT_MILLIS = 60_000;

  private final Socket socket;
  private final DataInputStream in;
  private final OutputStream out;
  private int nextXid = 1000;

  NfsClient(int port) throws IOException {
    socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.setTcpNoDelay(true);
    socket.setSoTimeout(TIMEOUT_MILLIS);
    in = new DataInputStream(socket.getInputStream());
    out = socket.getOutputStream();
  }

  /** A call's bytes, from root, without record mark. */
  static byte[] call(int xid, int program, int version, int procedure, Consumer<XdrWriter> body) {
    return call(xid, 2, program, version, procedure, body);
  }

  static byte[] call(
      int xid, int rpc, int program, int version, int procedure, Consumer<XdrWriter> body) {
    var call = new XdrWriter(256, 8 << 20);
    call.writeInt(xid).writeInt(0).writeInt(rpc);
    call.writeInt(program).writeInt(version).writeInt(procedure);
    var credential = new XdrWriter(64, 400);
    credential.writeInt(1).writeString("tests").writeInt(0).writeInt(0).writeInt(0);
    call.writeInt(Credential.SYS).writeOpaque(credential.toBytes());
    call.writeInt(Credential.NONE).writeInt(0);
    body.accept(call);
    return call.toBytes();
  }

  void sendRaw(byte[] bytes) throws IOException {
    out.write(bytes);
    out.flush();
  }

  void send(byte[] record) throws IOException {
    ByteBuffer framed = ByteBuffer.allocate(4 + record.length);
    framed.putInt(0x8000_0000 | record.length).put(record);
    sendRaw(framed.array());
  }

  /** The next reply, from its xid on. */
  XdrReader receive() throws IOException {
    int mark = in.readInt();
    byte[] record = new byte[mark & 0x7fff_ffff];
    in.readFully(record);
    return new XdrReader(record);
  }

  /** Whether the server has closed the connection. */
  boolean isClosedByServer() throws IOException {
    try {
      return in.read() < 0;
    } catch (java.net.SocketException e) {
      return true;
    }
  }

  int newXid() {
    return nextXid++;
  }

  /** Calls and returns the results; fails unless the call was accepted. */
  XdrReader call(int program, int version, int procedure, Consumer<XdrWriter> body)
      throws IOException {
    return resend(newXid(), program, version, procedure, body);
  }

  XdrReader resend(int xid, int program, int version, int procedure, Consumer<XdrWriter> body)
      throws IOException {
    send(call(xid, program, version, procedure, body));
    XdrReader reply = receive();
    int found = reply.readInt();
    int status = acceptStatus(reply);
    if (found != xid || status != 0) {
      throw new IOException("xid " + found + " of " + xid + ", accept status " + status);
    }
    return reply;
  }

  /** Reads a reply's header behind the xid; -1 if the call was denied. */
  static int acceptStatus(XdrReader reply) throws IOException {
    reply.readInt();
    if (reply.readInt() != 0) {
      return -1;
    }
    reply.readInt();
    reply.readOpaque(400, "verifier");
    return reply.readInt();
  }

  XdrReader nfs3(int procedure, Consumer<XdrWriter> body) throws IOException {
    return call(NFS, 3, procedure, body);
  }

  /** Mounts and returns the status, and the handle behind it. */
  XdrReader mount(String path) throws IOException {
    return call(MOUNT, 3, 1, out -> out.writeString(path));
  }

  byte[] mounted(String path) throws IOException {
    XdrReader reply = mount(path);
    int status = reply.readInt();
    if (status != 0) {
      throw new IOException("mount of " + path + ": " + status);
    }
    return reply.readOpaque(64, "handle");
  }

  static byte[] name(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
