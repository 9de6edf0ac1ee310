package onefold.nas.nfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Registering with something that speaks rpcbind's version 4 at a socket in the file system. */
class PortMapperTest {
  @TempDir private Path directory;
  private Path socket;
  private ServerSocketChannel listener;
  private Thread server;
  private final Set<String> registered = new ConcurrentSkipListSet<>();

  @BeforeEach
  void listen() throws IOException {
    socket = directory.resolve("rpcbind.sock");
    listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    listener.bind(UnixDomainSocketAddress.of(socket));
    server = Thread.ofVirtual().start(this::serve);
  }

  @AfterEach
  void close() throws IOException {
    listener.close();
  }

  private void serve() {
    try {
      while (true) {
        try (SocketChannel channel = listener.accept()) {
          serve(channel);
        } catch (EOFException _) {
          // The next one may come.
        }
      }
    } catch (ClosedChannelException _) {
      // The test is over.
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void serve(SocketChannel channel) throws IOException {
    var in = new DataInputStream(Channels.newInputStream(channel));
    while (true) {
      byte[] record = new byte[in.readInt() & 0x7fff_ffff];
      in.readFully(record);
      var call = new XdrReader(record);
      final int xid = call.readInt();
      assertEquals(0, call.readInt());
      assertEquals(2, call.readInt());
      assertEquals(PortMapper.PROGRAM, call.readInt());
      assertEquals(PortMapper.VERSION, call.readInt());
      final int procedure = call.readInt();
      call.skip(16);
      String mapping = call.readInt() + " " + call.readInt();
      mapping += " " + new String(call.readOpaque(100, "network"), StandardCharsets.US_ASCII);
      String address = new String(call.readOpaque(100, "address"), StandardCharsets.US_ASCII);
      boolean done =
          procedure == PortMapper.SET
              ? registered.stream().noneMatch(startsWith(mapping + " "))
                  && registered.add(mapping + " " + address)
              : registered.remove(mapping + " " + address);
      var reply = new XdrWriter(64, 64).writeInt(0x8000_0000 | 28).writeInt(xid).writeInt(1);
      reply.writeInt(0).writeInt(0).writeInt(0).writeInt(0).writeBoolean(done);
      channel.write(ByteBuffer.wrap(reply.toBytes()));
    }
  }

  private static Predicate<String> startsWith(String mapping) {
    return each -> each.startsWith(mapping);
  }

  private static InetSocketAddress at(String address) {
    return new InetSocketAddress(address, 2049);
  }

  @Test
  void whereOthersCanComeIsToldAndTakenBack() {
    try (var mapper =
        PortMapper.register(
            List.of(directory.resolve("none"), socket),
            List.of(at("127.0.0.1"), at("0.0.0.0"), at("fd00::7")),
            2049)) {
      assertEquals(6, mapper.registered().size());
      assertEquals(
          Set.of(
              "100003 3 tcp 0.0.0.0.8.1",
              "100003 4 tcp 0.0.0.0.8.1",
              "100005 3 tcp 0.0.0.0.8.1",
              "100003 3 tcp6 fd00:0:0:0:0:0:0:7.8.1",
              "100003 4 tcp6 fd00:0:0:0:0:0:0:7.8.1",
              "100005 3 tcp6 fd00:0:0:0:0:0:0:7.8.1"),
          registered);
    }
    assertTrue(registered.isEmpty());
  }

  @Test
  void whatIsAnothersStaysHis() {
    registered.add("100005 3 tcp 0.0.0.0.80.1");
    try (var mapper = PortMapper.register(List.of(socket), List.of(at("192.0.2.1")), 2049)) {
      assertEquals(2, mapper.registered().size());
      assertTrue(registered.contains("100003 4 tcp 192.0.2.1.8.1"));
    }
    assertEquals(Set.of("100005 3 tcp 0.0.0.0.80.1"), registered);
  }

  @Test
  void nobodyIsToldOfAServerForThisMachineAlone() {
    try (var mapper =
        PortMapper.register(List.of(socket), List.of(at("127.0.0.1"), at("::1")), 2049)) {
      assertTrue(mapper.registered().isEmpty());
    }
  }

  @Test
  void whoDoesNotAnswerHoldsNothingUp() throws Exception {
    listener.close();
    server.join(); // Until then it may take one more connection.
    try (var mapper = PortMapper.register(List.of(socket), List.of(at("0.0.0.0")), 2049)) {
      assertTrue(mapper.registered().isEmpty());
    }
  }
}
