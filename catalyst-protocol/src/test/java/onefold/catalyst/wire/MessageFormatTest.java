package onefold.catalyst.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.ObjectRoot;
import org.junit.jupiter.api.Test;

class MessageFormatTest {
  private static final WireId ID = new WireId(0x0102030405060708L, -2);
  private static final ObjectRoot ROOT = new ObjectRoot(new Fingerprint(1, 2, 3, 4), 2, 1L << 40);
  private static final ItemInfo ITEM =
      new ItemInfo(
          "srv/é", ID, 7, ROOT, 1_700_000_000_000L, 0, true, 12, new TreeMap<>(Map.of("a", "b")));

  static List<Message> oneOfEach() {
    byte[] fingerprints = new byte[2 * Fingerprint.BYTES];
    fingerprints[5] = 9;
    var extents = new Extents();
    extents.add(
        new byte[] {
          1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
          26, 27, 28, 29, 30, 31, 32
        },
        3,
        4095,
        17,
        60_000);
    extents.addZeros(1L << 41);
    var tags = new TreeMap<>(Map.of("host", "srv", "job", ""));
    var bits = new Bits(67, new long[] {-1, 5});
    return List.of(
        new Message.Hello(1, 3, 1, 0, "test"),
        new Message.Welcome(1, 1, 0, 1 << 20, 64, 60, "server", List.of("x", "y")),
        new Message.AuthBegin("SCRAM-SHA-256-PLUS", new byte[] {1}),
        new Message.AuthChallenge(new byte[] {2, 3}),
        new Message.AuthProof(new byte[0]),
        new Message.AuthOutcome(true, new byte[] {4}),
        new Message.Ping(1, 0),
        new Message.Pong(-1),
        new Message.GoAway(ErrorCode.TIMED_OUT, "late"),
        new Message.Credit(5),
        new Message.Cancel(),
        new Message.Failure(ErrorCode.FULL, "no space"),
        new Message.ListStores("a"),
        new Message.FindItem("s", "i"),
        new Message.ListItems("s", "p", "a", 10),
        new Message.DeleteItem(ID, "s", "i"),
        new Message.CloneItem(ID, "s", "i", "t", "j", true),
        new Message.UpdateItem(ID, "s", "i", tags, Message.Hold.RELEASE, 3),
        new Message.ListUnfinished("s"),
        new Message.AbortUpload(ID, "s", ID),
        new Message.StoreStatistics("s"),
        new Message.Stores(true, List.of(new StoreInfo("s", ID, 1, 5, CompressionChoice.ZSTD, 30))),
        new Message.Item(ITEM),
        new Message.ItemPage(false, List.of(ITEM, ITEM)),
        new Message.Done(),
        new Message.Unfinished(List.of(new UnfinishedInfo(ID, "i", 1, 2))),
        new Message.Statistics(new StoreUsage(1, 2, 3, 4)),
        new Message.OpenUpload("s", "i", true, false, CompressionChoice.NONE, WireId.NONE),
        new Message.UploadOpened(ID, 1, CompressionChoice.LZ4, ROOT, 5, 4),
        new Message.Have(ChunkKind.NODE, 2, fingerprints),
        new Message.HaveAnswer(bits),
        new Message.Node(9, 1, Slice.of(new byte[] {1, 2})),
        new Message.Settle(-9),
        new Message.NodeAnswer(9, new Bits(0, new long[0])),
        new Message.Block(Slice.of(new byte[100])),
        new Message.Checkpoint(3, ROOT),
        new Message.Checkpointed(3, 9),
        new Message.Write(new Slice(new byte[10], 2, 5)),
        new Message.Cut(),
        new Message.Hole(1L << 50),
        new Message.Splice("s", "i", ID, 1, 2),
        new Message.Position(2, 1),
        new Message.Commit(ID, ROOT, true, tags, 4),
        new Message.Committed(ITEM, 9, "over the soft quota"),
        new Message.Lacking(2, fingerprints, 0, new byte[0]),
        new Message.Abort(),
        new Message.OpenRead("s", "i", WireId.NONE),
        new Message.ReadOpened(1, ITEM),
        new Message.ReadRange(5, 6),
        new Message.ReadBlock(8, Slice.of(new byte[] {3})),
        new Message.ReadExtents(1, 2, extents),
        new Message.RangeEnd(),
        new Message.CloseRead());
  }

  static byte[] bytesOf(int streamId, Message message) {
    ByteBuf frame = MessageFormat.encode(Unpooled::buffer, streamId, message);
    byte[] bytes = new byte[frame.readableBytes()];
    frame.readBytes(bytes);
    frame.release();
    return bytes;
  }

  private static Frame frameOf(Message message) {
    byte[] bytes = bytesOf(5, message);
    return new Frame(
        message.type(), 5, Arrays.copyOfRange(bytes, FrameFormat.HEADER_BYTES, bytes.length));
  }

  @Test
  void everyMessageComesBackAsItWas() throws WireException {
    Set<FrameType> seen = new HashSet<>();
    for (Message message : oneOfEach()) {
      Frame frame = frameOf(message);
      Message back = frame.message();
      seen.add(message.type());
      assertEquals(message.getClass(), back.getClass());
      // Records with arrays are compared by what they encode to.
      assertEquals(
          HexFormat.of().formatHex(bytesOf(5, message)),
          HexFormat.of().formatHex(bytesOf(5, back)),
          message.type()::toString);
    }
    assertEquals(Set.of(FrameType.values()), seen);
  }

  @Test
  void theExampleOfTheSpecificationIsWhatIsSent() {
    assertEquals(
        "080000000000000007000000" + "0100000000000000",
        HexFormat.of().formatHex(bytesOf(0, new Message.Ping(1, 0))));
  }

  @Test
  void aPayloadCutShortOrTooLongIsRefused() throws WireException {
    for (Message message : oneOfEach()) {
      Frame frame = frameOf(message);
      boolean endsWithBytes =
          message instanceof Message.Ping
              || message instanceof Message.Node
              || message instanceof Message.Block
              || message instanceof Message.Write
              || message instanceof Message.ReadBlock;
      if (endsWithBytes) {
        continue;
      }
      byte[] payload = frame.payload();
      if (payload.length > 0) {
        var cut = new Frame(frame.type(), 5, Arrays.copyOf(payload, payload.length - 1));
        assertThrows(WireException.class, cut::message, () -> "cut " + frame.type());
      }
      var longer = new Frame(frame.type(), 5, Arrays.copyOf(payload, payload.length + 1));
      assertThrows(WireException.class, longer::message, () -> "longer " + frame.type());
    }
  }

  @Test
  void randomPayloadsAreReadOrRefusedAndNothingElse() {
    long seed = Long.getLong("onefold.seed", System.nanoTime());
    var random = new SplittableRandom(seed);
    List<Message> messages = oneOfEach();
    int refused = 0;
    for (int round = 0; round < 20_000; round++) {
      Frame frame = frameOf(messages.get(random.nextInt(messages.size())));
      byte[] payload = frame.payload().clone();
      for (int flips = random.nextInt(4); flips >= 0 && payload.length > 0; flips--) {
        payload[random.nextInt(payload.length)] = (byte) random.nextInt();
      }
      try {
        Message read = new Frame(frame.type(), 5, payload).message();
        assertEquals(frame.type(), read.type());
      } catch (WireException e) {
        refused++;
      } catch (RuntimeException e) {
        throw new AssertionError(frame.type() + ", onefold.seed=" + seed, e);
      }
    }
    assertTrue(refused > 1000, "onefold.seed=" + seed);
  }

  @Test
  void extentsSayWhatWasAdded() throws WireException {
    var message =
        assertInstanceOf(Message.ReadExtents.class, frameOf(oneOfEach().get(50)).message());
    Extents extents = message.extents();
    assertEquals(2, extents.count());
    assertEquals(3, extents.blockDelta(0));
    assertEquals(4095, extents.chunkIndex(0));
    assertEquals(17, extents.skipBytes(0));
    assertEquals(60_000, extents.lengthBytes(0));
    assertTrue(extents.isZeros(1));
    assertEquals(1L << 41, extents.lengthBytes(1));
  }

  @Test
  void anInvalidNameIsNamedAsSuch() {
    byte[] payload = {1, 0, (byte) 0xff, 1, 0, 'i'};
    WireException refused =
        assertThrows(
            WireException.class, () -> new Frame(FrameType.FIND_ITEM, 1, payload).message());
    assertEquals(ErrorCode.INVALID_NAME, refused.code());
  }
}
