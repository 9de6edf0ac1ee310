package onefold.catalyst.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.github.luben.zstd.Zstd;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.zip.CRC32C;
import onefold.block.BlockBuilder;
import onefold.block.BlockCodec;
import onefold.block.BlockFormat;
import onefold.catalyst.client.CatalystClient;
import onefold.catalyst.client.MeddledStore;
import onefold.catalyst.client.WriteOptions;
import onefold.catalyst.wire.CompressionChoice;
import onefold.catalyst.wire.ErrorCode;
import onefold.catalyst.wire.FrameFormat;
import onefold.catalyst.wire.FrameType;
import onefold.catalyst.wire.Message;
import onefold.catalyst.wire.RawClient;
import onefold.catalyst.wire.Slice;
import onefold.catalyst.wire.TlsProvider;
import onefold.catalyst.wire.WireId;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.ObjectRoot;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ProtocolAbuseTest {
  private TestAppliance appliance;

  @BeforeEach
  void start() throws IOException {
    appliance = TestAppliance.start();
    try (CatalystClient client = appliance.client()) {
      client.put(
          "default", "witness", new ByteArrayInputStream(new byte[100_000]), WriteOptions.DEFAULT);
    }
  }

  @AfterEach
  void othersGoOn() throws IOException {
    try (CatalystClient client = appliance.client()) {
      assertEquals(100_000, client.get("default", "witness", new ByteArrayOutputStream()));
    }
    appliance.close();
  }

  private RawClient loggedIn() throws IOException {
    return new RawClient(appliance.port()).login("admin", TestAppliance.PASSWORD);
  }

  private static Message.OpenUpload openUpload(String item, boolean high) {
    return new Message.OpenUpload("default", item, high, false, CompressionChoice.LZ4, WireId.NONE);
  }

  private void assertConnectionEnds(ErrorCode code, byte[]... frames) throws IOException {
    try (RawClient raw = loggedIn()) {
      for (byte[] frame : frames) {
        raw.send(frame);
      }
      assertEquals(code, raw.readToEnd());
    }
  }

  @Test
  void aFrameBeyondItsBoundEndsTheConnection() throws IOException {
    assertConnectionEnds(
        ErrorCode.TOO_LARGE,
        RawClient.header(FrameFormat.MAX_PAYLOAD_BYTES + 1, 1, FrameType.BLOCK.code(), 0));
    assertConnectionEnds(ErrorCode.TOO_LARGE, RawClient.header(-1, 1, FrameType.WRITE.code(), 0));
    assertConnectionEnds(
        ErrorCode.TOO_LARGE,
        RawClient.header(
            FrameFormat.MAX_OPENING_PAYLOAD_BYTES + 1, 1, FrameType.FIND_ITEM.code(), 0));
  }

  @Test
  void unknownTypesFlagsAndStreamsEndTheConnection() throws IOException {
    assertConnectionEnds(ErrorCode.PROTOCOL_ERROR, RawClient.header(0, 1, 0x7e, 0));
    assertConnectionEnds(ErrorCode.PROTOCOL_ERROR, RawClient.header(0, 1, 0xff, 0));
    assertConnectionEnds(ErrorCode.PROTOCOL_ERROR, RawClient.header(0, 1, FrameType.CUT.code(), 1));
    assertConnectionEnds(ErrorCode.PROTOCOL_ERROR, RawClient.header(0, 9, FrameType.CUT.code(), 0));
    assertConnectionEnds(ErrorCode.PROTOCOL_ERROR, RawClient.header(0, 0, FrameType.CUT.code(), 0));
    assertConnectionEnds(ErrorCode.PROTOCOL_ERROR, RawClient.bytes(1, new Message.Ping(1, 0)));
    assertConnectionEnds(
        ErrorCode.PROTOCOL_ERROR, RawClient.bytes(0, new Message.Hello(1, 1, 0, 0, "again")));
    assertConnectionEnds(
        ErrorCode.PROTOCOL_ERROR,
        RawClient.bytes(5, new Message.ListStores("")),
        RawClient.bytes(4, new Message.ListStores("")));
    assertConnectionEnds(
        ErrorCode.PROTOCOL_ERROR,
        RawClient.bytes(1, openUpload("x", true)),
        RawClient.bytes(1, new Message.Done()));
  }

  @Test
  void nothingIsServedBeforeTheLogin() throws IOException {
    try (RawClient raw = new RawClient(appliance.port())) {
      raw.send(1, new Message.ListStores(""));
      assertEquals(ErrorCode.PROTOCOL_ERROR, raw.readToEnd());
    }
    try (RawClient raw = new RawClient(appliance.port())) {
      raw.send(RawClient.header(FrameFormat.MAX_LOGIN_PAYLOAD_BYTES + 1, 0, 1, 0));
      assertEquals(ErrorCode.TOO_LARGE, raw.readToEnd());
    }
    try (RawClient raw = new RawClient(appliance.port())) {
      raw.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      assertTrue(raw.readToEnd() != ErrorCode.INTERNAL);
    }
  }

  @Test
  void versionsAndEpochsAreNegotiated() throws IOException {
    try (RawClient raw = new RawClient(appliance.port())) {
      raw.hello(2, 7, 0);
      assertEquals(ErrorCode.VERSION_UNSUPPORTED, raw.readToEnd());
    }
    try (RawClient raw = new RawClient(appliance.port())) {
      raw.hello(0, 7, 1);
      Message.Welcome welcome = assertInstanceOf(Message.Welcome.class, raw.read());
      assertEquals(1, welcome.version());
    }
    try (TestAppliance later = TestAppliance.startInEpoch(5);
        RawClient raw = new RawClient(later.port())) {
      raw.hello(1, 1, 4);
      assertEquals(ErrorCode.VERSION_UNSUPPORTED, raw.readToEnd());
    }
  }

  @Test
  void whoDoesNotLogInInTimeOrGuessesIsSentAway() throws IOException {
    try (TestAppliance hasty =
            TestAppliance.start(
                TestAppliance.memory(),
                TestAppliance.limits(Duration.ofMillis(300), 512, 64),
                TlsProvider.JDK);
        RawClient raw = new RawClient(hasty.port())) {
      assertEquals(ErrorCode.TIMED_OUT, raw.readToEnd());
    }
    try (TestAppliance quick =
            TestAppliance.start(
                TestAppliance.memory(), TestAppliance.quickLimits(), TlsProvider.JDK);
        RawClient raw = new RawClient(quick.port())) {
      raw.hello(1, 1, 0);
      assertInstanceOf(Message.Welcome.class, raw.read());
      for (int i = 0; i < 2; i++) {
        Message.AuthOutcome outcome =
            assertInstanceOf(Message.AuthOutcome.class, raw.attempt("admin", "guess " + i));
        assertTrue(!outcome.ok());
      }
      Message.GoAway last = assertInstanceOf(Message.GoAway.class, raw.attempt("admin", "guess 3"));
      assertEquals(ErrorCode.AUTHENTICATION_FAILED, last.code());
    }
  }

  @Test
  void connectionsAndStreamsBeyondTheLimitAreRefused() throws IOException {
    try (TestAppliance small =
        TestAppliance.start(
            TestAppliance.memory(),
            TestAppliance.limits(Duration.ofSeconds(15), 2, 3),
            TlsProvider.JDK)) {
      try (RawClient one = new RawClient(small.port()).login("admin", TestAppliance.PASSWORD);
          RawClient two = new RawClient(small.port()).login("admin", TestAppliance.PASSWORD)) {
        assertThrows(IOException.class, () -> new RawClient(small.port()));
        for (int stream = 1; stream <= 4; stream++) {
          one.send(stream, openUpload("x" + stream, true));
        }
        assertEquals(ErrorCode.LIMIT_REACHED, one.readUntil(Message.Failure.class).code());
        two.send(1, new Message.ListStores(""));
        assertInstanceOf(Message.Stores.class, two.read());
      }
    }
  }

  private void assertStreamEnds(ErrorCode code, boolean high, Message... messages)
      throws IOException {
    try (RawClient raw = loggedIn()) {
      raw.send(1, openUpload("abused", high));
      for (Message message : messages) {
        raw.send(1, message);
      }
      assertEquals(code, raw.readUntil(Message.Failure.class).code());
      // The connection lives on.
      raw.send(2, new Message.FindItem("default", "witness"));
      raw.readUntil(Message.Item.class);
    }
  }

  @Test
  void framesOutOfOrderEndTheirStreamOnly() throws IOException {
    var nothing = new TreeMap<String, String>();
    ObjectRoot unknown = new ObjectRoot(new Fingerprint(1, 2, 3, 4), 0, 10);
    assertStreamEnds(ErrorCode.PROTOCOL_ERROR, false, new Message.Settle(7));
    assertStreamEnds(ErrorCode.PROTOCOL_ERROR, false, new Message.Cut());
    assertStreamEnds(ErrorCode.PROTOCOL_ERROR, true, new Message.Settle(7));
    assertStreamEnds(ErrorCode.PROTOCOL_ERROR, false, new Message.ReadRange(0, 1));
    assertStreamEnds(
        ErrorCode.PROTOCOL_ERROR,
        false,
        new Message.Commit(new WireId(1, 1), null, false, nothing, 0));
    assertStreamEnds(
        ErrorCode.PROTOCOL_ERROR,
        true,
        new Message.Commit(new WireId(1, 1), unknown, false, nothing, 0));
    assertStreamEnds(
        ErrorCode.INVALID_REQUEST,
        false,
        new Message.Commit(new WireId(1, 1), unknown, false, nothing, 0));
    assertStreamEnds(
        ErrorCode.INVALID_REQUEST, false, new Message.Node(1, 0, Slice.of(new byte[100])));
    assertStreamEnds(ErrorCode.INVALID_REQUEST, false, new Message.Block(Slice.of(new byte[100])));
  }

  @Test
  void aCompressedBombIsFoundOut() throws IOException {
    var builder = new BlockBuilder(ChunkKind.DATA, BlockCodec.ZSTD, 1);
    builder.add(new byte[64 << 10], 0, 64 << 10);
    int length = builder.encode();
    byte[] small = Arrays.copyOf(builder.bytes(), length);
    builder.close();
    // A payload that expands to 256 MiB behind a header that promises 64 KiB.
    byte[] bomb = Zstd.compress(new byte[256 << 20], 1);
    assertTrue(bomb.length < 64 << 10);
    ByteBuffer block =
        ByteBuffer.allocate(BlockFormat.HEADER_BYTES + bomb.length + 4)
            .order(ByteOrder.LITTLE_ENDIAN);
    block.put(small, 0, BlockFormat.HEADER_BYTES).put(bomb).putInt(64 << 10);
    block.putInt(16, bomb.length);
    var crc = new CRC32C();
    crc.update(block.array(), 0, 28);
    crc.update(block.array(), 32, block.capacity() - 32);
    block.putInt(28, (int) crc.getValue());
    assertStreamEnds(ErrorCode.INVALID_REQUEST, false, new Message.Block(Slice.of(block.array())));
    // A header that promises a gigabyte.
    byte[] huge = small.clone();
    ByteBuffer.wrap(huge).order(ByteOrder.LITTLE_ENDIAN).putInt(12, 1 << 30);
    assertStreamEnds(ErrorCode.INVALID_REQUEST, false, new Message.Block(Slice.of(huge)));
  }

  @Test
  void whoSendsBeyondHisCreditIsSentAway() throws IOException {
    var meddled = new MeddledStore();
    var goOn = new CountDownLatch(1);
    meddled.before("write", goOn::await);
    try (TestAppliance stuck =
            TestAppliance.start(
                meddled.around(TestAppliance.memory()),
                TestAppliance.quickLimits(),
                TlsProvider.JDK);
        RawClient raw = new RawClient(stuck.port()).login("admin", TestAppliance.PASSWORD)) {
      raw.send(1, openUpload("x", true));
      raw.readUntil(Message.UploadOpened.class);
      // The session is stuck in its first write; the window is 4 MiB and one frame.
      byte[] frame =
          RawClient.bytes(1, new Message.Write(Slice.of(new byte[FrameFormat.MAX_PAYLOAD_BYTES])));
      for (int i = 0; i < 5; i++) {
        raw.send(frame);
      }
      ErrorCode why = raw.readToEnd();
      goOn.countDown();
      assertEquals(ErrorCode.PROTOCOL_ERROR, why);
    }
  }

  @Test
  void aCancelledStreamIsForgotten() throws IOException {
    try (RawClient raw = loggedIn()) {
      raw.send(1, openUpload("x", true));
      raw.readUntil(Message.UploadOpened.class);
      raw.send(1, new Message.Write(Slice.of(new byte[1000])));
      raw.send(1, new Message.Cancel());
      raw.send(1, new Message.Write(Slice.of(new byte[1000])));
      raw.send(2, new Message.ListUnfinished("default"));
      assertEquals(List.of(), raw.readUntil(Message.Unfinished.class).uploads());
    }
  }

  @Test
  void thousandsOfBrokenFramesHarmNobody() throws IOException {
    long seed = Long.getLong("onefold.seed", System.nanoTime());
    var random = new SplittableRandom(seed);
    byte[][] seeds = {
      RawClient.bytes(1, openUpload("fuzz", false)),
      RawClient.bytes(1, openUpload("fuzz2", true)),
      RawClient.bytes(1, new Message.OpenRead("default", "witness", WireId.NONE)),
      RawClient.bytes(1, new Message.ReadRange(0, 100_000)),
      RawClient.bytes(1, new Message.Credit(1 << 20)),
      RawClient.bytes(1, new Message.Have(ChunkKind.NODE, 2, new byte[64])),
      RawClient.bytes(1, new Message.Node(1, 0, Slice.of(new byte[] {1, 0, 1, 0, 0, 0}))),
      RawClient.bytes(1, new Message.Settle(1)),
      RawClient.bytes(1, new Message.Write(Slice.of(new byte[300]))),
      RawClient.bytes(1, new Message.Hole(1L << 40)),
      RawClient.bytes(1, new Message.Abort()),
      RawClient.bytes(1, new Message.ListItems("default", "", "", 100)),
      RawClient.bytes(
          1, new Message.CloneItem(new WireId(1, 2), "default", "nothing", "default", "b", false)),
      RawClient.bytes(0, new Message.Ping(1, 10)),
      RawClient.bytes(1, new Message.CloseRead()),
    };
    int sent = 0;
    int connections = 0;
    while (sent < 2000) {
      connections++;
      try (RawClient raw = loggedIn()) {
        for (int i = 0; i < 100 && sent < 2000; i++) {
          byte[] frame = seeds[random.nextInt(seeds.length)].clone();
          frame[4] = (byte) (1 + i / 8 + random.nextInt(2));
          if (frame[8] == FrameType.PING.code()) {
            frame[4] = 0;
          }
          // Mostly payloads, now and then headers: those end the connection.
          if (random.nextInt(4) > 0 && frame.length > FrameFormat.HEADER_BYTES) {
            int at =
                FrameFormat.HEADER_BYTES + random.nextInt(frame.length - FrameFormat.HEADER_BYTES);
            frame[at] = (byte) random.nextInt();
          } else if (random.nextInt(20) == 0) {
            frame[random.nextInt(FrameFormat.HEADER_BYTES)] ^= (byte) (1 << random.nextInt(8));
          }
          sent++;
          raw.send(frame);
        }
      } catch (IOException e) {
        // Sent away in the middle: as it should be.
      }
    }
    assertTrue(connections < 2000, "onefold.seed=" + seed);
    long end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (appliance.server().sessionCount() > 0 && System.nanoTime() < end) {
      Thread.onSpinWait();
    }
    assertEquals(0, appliance.server().sessionCount(), "onefold.seed=" + seed);
  }
}
