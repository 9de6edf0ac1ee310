package onefold.nas.nfs;

import java.io.EOFException;
import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Tells rpcbind (RFC 1833, version 4) at which port NFS and MOUNT are, for clients that cannot be
 * told: Windows, ESXi with version 3, direct NFS. It does so at rpcbind's own socket in the file
 * system, where that knows who asks. A failure is logged and stops nothing.
 */
final class PortMapper implements AutoCloseable {
  static final int PROGRAM = 100000;
  static final int VERSION = 4;
  static final int SET = 1;
  static final int UNSET = 2;

  private static final int MAX_REPLY_BYTES = 64 << 10;
  private static final int ATTEMPT_MILLIS = 3_000;
  private static final int LAST = 0x8000_0000;
  private static final System.Logger LOG = System.getLogger(PortMapper.class.getName());

  private final Path socket;
  private final List<Mapping> set;

  /**
   * What is told.
   *
   * @param network {@code tcp} or {@code tcp6}
   * @param address with the port's two bytes behind it, all with dots
   */
  record Mapping(int program, int version, String network, String address) {}

  private PortMapper(Path socket, List<Mapping> set) {
    this.socket = socket;
    this.set = set;
  }

  /**
   * Registers where one listens, at the first socket that is there.
   *
   * @param addresses of which those of this machine alone are not told to anybody
   */
  static PortMapper register(List<Path> sockets, List<InetSocketAddress> addresses, int port) {
    List<Mapping> wanted = mappings(addresses, port);
    for (Path each : sockets) {
      if (!wanted.isEmpty() && Files.exists(each)) {
        return new PortMapper(each, register(each, wanted));
      }
    }
    return new PortMapper(Path.of(""), List.of());
  }

  static List<Mapping> mappings(List<InetSocketAddress> addresses, int port) {
    String ports = "." + (port >> 8) + "." + (port & 0xff);
    List<Mapping> mappings = new ArrayList<>();
    for (boolean later : new boolean[] {false, true}) {
      List<InetAddress> own =
          addresses.stream()
              .map(InetSocketAddress::getAddress)
              .filter(each -> each instanceof Inet6Address == later && !each.isLoopbackAddress())
              .toList();
      if (own.isEmpty()) {
        continue;
      }
      String every = later ? "::" : "0.0.0.0";
      boolean single = own.size() == 1 && !own.getFirst().isAnyLocalAddress();
      String address = (single ? own.getFirst().getHostAddress() : every) + ports;
      String network = later ? "tcp6" : "tcp";
      mappings.add(new Mapping(NfsProgram.NUMBER, 3, network, address));
      mappings.add(new Mapping(NfsProgram.NUMBER, 4, network, address));
      mappings.add(new Mapping(MountProgram.NUMBER, 3, network, address));
    }
    return mappings;
  }

  private static List<Mapping> register(Path socket, List<Mapping> wanted) {
    List<Mapping> set = new ArrayList<>();
    try {
      for (Mapping each : wanted) {
        if (ask(socket, SET, each)) {
          set.add(each);
        } else {
          LOG.log(
              System.Logger.Level.WARNING,
              () ->
                  "rpcbind has another server for program "
                      + each.program()
                      + " version "
                      + each.version()
                      + "; if that is gone, 'rpcinfo -d "
                      + each.program()
                      + " "
                      + each.version()
                      + "' and a new start mend it");
        }
      }
      LOG.log(
          System.Logger.Level.INFO,
          () -> "rpcbind was told " + set.size() + " of " + wanted.size());
    } catch (IOException e) {
      LOG.log(
          System.Logger.Level.WARNING,
          () -> "rpcbind at " + socket + " was not told the NFS port: " + e.getMessage());
    }
    return set;
  }

  private static boolean ask(Path socket, int procedure, Mapping mapping) throws IOException {
    var call = new XdrWriter(256, 4096);
    call.writeInt(0).writeInt(1).writeInt(0).writeInt(2);
    call.writeInt(PROGRAM).writeInt(VERSION).writeInt(procedure);
    call.writeInt(Credential.NONE).writeInt(0).writeInt(Credential.NONE).writeInt(0);
    call.writeInt(mapping.program()).writeInt(mapping.version()).writeString(mapping.network());
    call.writeString(mapping.address()).writeString("");
    call.patchInt(0, LAST | (call.position() - 4));
    var reply = new XdrReader(exchange(socket, call.toBytes()));
    reply.readInt();
    reply.readInt();
    if (reply.readInt() != 0) {
      throw new IOException("denied");
    }
    reply.readInt();
    reply.readRange(Credential.MAX_BODY_BYTES, "verifier");
    int status = reply.readInt();
    if (status != 0) {
      throw new IOException("accept status " + status);
    }
    return reply.readBoolean();
  }

  /** Sends a record and returns the one that comes back. */
  private static byte[] exchange(Path socket, byte[] record) throws IOException {
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket));
        Selector selector = Selector.open()) {
      channel.configureBlocking(false);
      SelectionKey key = channel.register(selector, SelectionKey.OP_WRITE);
      move(channel, selector, ByteBuffer.wrap(record), true);
      key.interestOps(SelectionKey.OP_READ);
      ByteBuffer mark = ByteBuffer.allocate(4);
      move(channel, selector, mark, false);
      int length = mark.getInt(0) & ~LAST;
      if ((mark.getInt(0) & LAST) == 0 || length > MAX_REPLY_BYTES) {
        throw new IOException("record mark " + Integer.toHexString(mark.getInt(0)));
      }
      ByteBuffer reply = ByteBuffer.allocate(length);
      move(channel, selector, reply, false);
      return reply.array();
    }
  }

  private static void move(SocketChannel channel, Selector selector, ByteBuffer bytes, boolean out)
      throws IOException {
    while (bytes.hasRemaining()) {
      int moved = out ? channel.write(bytes) : channel.read(bytes);
      if (moved < 0) {
        throw new EOFException("rpcbind has hung up");
      }
      if (moved == 0 && selector.select(ATTEMPT_MILLIS) == 0) {
        throw new IOException("rpcbind does not answer");
      }
      selector.selectedKeys().clear();
    }
  }

  /** What was registered. */
  List<Mapping> registered() {
    return set;
  }

  /** Takes back what was registered. */
  @Override
  public void close() {
    try {
      for (Mapping each : set) {
        ask(socket, UNSET, each);
      }
    } catch (IOException e) {
      LOG.log(
          System.Logger.Level.WARNING,
          () -> "rpcbind at " + socket + " still has the NFS port: " + e.getMessage());
    }
  }
}
