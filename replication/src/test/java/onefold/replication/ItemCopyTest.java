package onefold.replication;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import onefold.catalyst.client.Bandwidth;
import onefold.catalyst.client.CatalystClient;
import onefold.catalyst.client.CatalystException;
import onefold.catalyst.client.CommittedCopy;
import onefold.catalyst.client.CopyOptions;
import onefold.catalyst.client.CopyStatistics;
import onefold.catalyst.client.ItemCopy;
import onefold.catalyst.client.ItemWriter;
import onefold.catalyst.client.WriteOptions;
import onefold.catalyst.wire.ErrorCode;
import onefold.catalyst.wire.ItemInfo;
import onefold.testing.FlakyLine;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What one copy sends, reads and leaves behind, between two engines over TLS. */
class ItemCopyTest {
  @TempDir private Path directory = Path.of("");

  private final long seed = Long.getLong("onefold.seed", System.nanoTime());
  private TestPeer source;
  private TestPeer target;
  private FlakyLine line;

  @BeforeEach
  void start() throws IOException {
    source = TestPeer.start(directory.resolve("a"));
    target = TestPeer.start(directory.resolve("b"));
    line = new FlakyLine(target.port());
  }

  @AfterEach
  void stop() throws IOException {
    line.close();
    source.close();
    target.close();
  }

  private CommittedCopy copy(String item, CopyOptions options) throws IOException {
    try (CatalystClient client = CatalystClient.connect(TestPeer.clientSettings(line.port()));
        StoredObject object = source.object("default", item);
        ItemCopy copy = client.openCopy("default", item, object, options)) {
      return copy.run();
    }
  }

  private static LinePace pace(long bytesPerSecond) {
    var pace = new LinePace(System::nanoTime);
    pace.limit(bytesPerSecond);
    return pace;
  }

  /** Half of it can be compressed. */
  static byte[] content(int length, long seed) {
    var random = new SplittableRandom(seed);
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    for (int i = 0; i + 64 <= length; i += 64) {
      Arrays.fill(bytes, i, i + 32, (byte) i);
    }
    return bytes;
  }

  @Test
  void aCopyHasTheRootTheBytesAndTheTagsOfItsSource() throws IOException {
    byte[] bytes = content(9_000_000, seed);
    ItemInfo original = source.put("default", "full", bytes);
    source.put("default", "empty", new byte[0]);

    CommittedCopy made =
        copy("full", CopyOptions.DEFAULT.withTags(Map.of("k", "v")).withLockDays(3));
    CommittedCopy empty = copy("empty", CopyOptions.DEFAULT);

    assertEquals(original.root(), made.item().root());
    assertEquals(Map.of("k", "v"), made.item().tags());
    assertTrue(made.item().lockedUntilMillis() > 0);
    assertArrayEquals(bytes, target.get("default", "full"));
    assertEquals(0, empty.item().lengthBytes());
    CopyStatistics figures = made.statistics();
    assertTrue(figures.storedBlockCount() >= figures.packedBlockCount(), figures::toString);
    assertTrue(figures.wireBytes() < 0.6 * bytes.length, figures::toString);
  }

  @Test
  void whatIsThereUnderAnotherNameTakesThreeRoundTripsAndReadsNoBlock() throws IOException {
    byte[] bytes = content(20_000_000, seed);
    source.put("default", "first", bytes);
    source.put("default", "second", bytes);
    copy("first", CopyOptions.DEFAULT);

    CopyStatistics figures = copy("second", CopyOptions.DEFAULT).statistics();

    assertEquals(0, figures.readBlockCount());
    assertEquals(0, figures.sentDataBytes());
    assertTrue(figures.roundTripCount() <= 3, figures::toString);
    assertTrue(figures.wireBytes() <= 64 << 10, figures::toString);
  }

  @Test
  void aTerabyteThatIsThereUnderAnotherNameTakesThreeRoundTripsAndOneNode() throws IOException {
    ItemInfo part = source.put("default", "part", content(8 << 20, seed));
    try (CatalystClient client = source.client()) {
      for (int doubling = 0; part.lengthBytes() < 1L << 40; doubling++) {
        try (ItemWriter writer =
            client.openWriter(
                "default", "part" + doubling, WriteOptions.DEFAULT.withBandwidth(Bandwidth.HIGH))) {
          writer.splice("default", part, 0, part.lengthBytes());
          writer.splice("default", part, 0, part.lengthBytes());
          part = writer.commit().item();
        }
      }
      client.cloneItem("default", part.name(), "default", "first", false);
      client.cloneItem("default", part.name(), "default", "second", false);
    }
    CommittedCopy first = copy("first", CopyOptions.DEFAULT);
    assertEquals(part.root(), first.item().root());
    assertTrue(first.statistics().sentDataBytes() < 9 << 20, () -> "" + first.statistics());

    CopyStatistics figures = copy("second", CopyOptions.DEFAULT).statistics();

    assertTrue(figures.roundTripCount() <= 3, figures::toString);
    assertTrue(figures.wireBytes() <= 64 << 10, figures::toString);
    assertEquals(1, figures.nodeCount());
  }

  @Test
  void onlyBlocksThatHoldLackingChunksAreReadAndOnlyLackingChunksSent() throws IOException {
    byte[] bytes = content(24_000_000, seed);
    source.put("default", "monday", bytes);
    copy("monday", CopyOptions.DEFAULT);
    var random = new SplittableRandom(seed);
    byte[] changed = bytes.clone();
    for (int i = 0; i < 5; i++) {
      int at = random.nextInt(changed.length - 50_000);
      Arrays.fill(changed, at, at + 48_000, (byte) 0);
      for (int b = at; b < at + 48_000; b++) {
        changed[b] = (byte) random.nextInt();
      }
    }
    source.put("default", "tuesday", changed);

    CopyStatistics figures = copy("tuesday", CopyOptions.DEFAULT).statistics();

    assertArrayEquals(changed, target.get("default", "tuesday"));
    // Each run has at most 48,000 bytes and a chunk on each side, in two or three blocks.
    assertTrue(figures.sentDataBytes() <= 5 * (48_000 + 2 * 65_536), figures::toString);
    assertTrue(figures.readBlockCount() <= 15, figures::toString);
    assertTrue(figures.wireBytes() <= 0.02 * bytes.length, figures::toString);
  }

  @Test
  void aNameThatIsTakenIsRefusedBeforeAnythingIsSentAndReplacedWhenThatIsWanted()
      throws IOException {
    source.put("default", "x", content(3_000_000, seed));
    target.put("default", "x", content(1_000, seed + 1));

    CatalystException refused =
        assertThrows(CatalystException.class, () -> copy("x", CopyOptions.DEFAULT));
    assertEquals(ErrorCode.EXISTS, refused.code());

    copy("x", CopyOptions.DEFAULT.withReplace(true));
    assertArrayEquals(content(3_000_000, seed), target.get("default", "x"));
  }

  @Test
  void aLineThatBreaksAgainAndAgainCostsLittleMoreThanOneThatDoesNot() throws IOException {
    var random = new SplittableRandom(seed);
    byte[] bytes = new byte[16_000_000];
    random.nextBytes(bytes);
    source.put("default", "x", bytes);
    int cuts = 12;
    for (int i = 0; i < cuts; i++) {
      if (random.nextBoolean()) {
        line.breakAfterUp(5_000 + random.nextLong(3_000_000));
      } else {
        line.breakAfterDown(3_000 + random.nextLong(20_000));
      }
    }

    CommittedCopy made = copy("x", CopyOptions.DEFAULT);

    assertArrayEquals(bytes, target.get("default", "x"));
    long most = bytes.length + 500_000L + made.statistics().reconnectCount() * (1L << 20);
    assertTrue(
        made.statistics().sentBytes() <= most, () -> made.statistics() + ", onefold.seed=" + seed);
  }

  @Test
  void aPeerThatIsStartedAgainInTheMiddleGoesOnFromItsCheckpoint() throws Exception {
    byte[] bytes = content(40_000_000, seed);
    source.put("default", "x", bytes);
    try (CatalystClient client = CatalystClient.connect(TestPeer.clientSettings(line.port()));
        StoredObject object = source.object("default", "x");
        ItemCopy copy =
            client.openCopy(
                "default", "x", object, CopyOptions.DEFAULT.withPace(pace(20_000_000)))) {
      var outcome = CatalystClient.async(copy::run);
      while (copy.statistics().durableBytes() == 0 && !outcome.isDone()) {
        line.awaitTraffic();
      }
      target.restart();
      outcome.get();
      assertArrayEquals(bytes, target.get("default", "x"));
      assertTrue(copy.statistics().reconnectCount() > 0);
    }
  }

  @Test
  void aCopyThatIsClosedEndsAndLeavesNothingUnderTheName() throws Exception {
    source.put("default", "x", content(8_000_000, seed));
    try (CatalystClient client = target.client();
        StoredObject object = source.object("default", "x")) {
      LinePace slow = pace(500_000);
      var reached = new CountDownLatch(1);
      ItemCopy copy =
          client.openCopy(
              "default",
              "x",
              object,
              CopyOptions.DEFAULT.withPace(bytes -> {
                reached.countDown();
                slow.before(bytes);
              }));
      var outcome = CatalystClient.async(copy::run);
      reached.await();
      copy.close();
      assertThrows(ExecutionException.class, outcome::get);
      assertTrue(client.findItem("default", "x").isEmpty());
    }
  }
}
