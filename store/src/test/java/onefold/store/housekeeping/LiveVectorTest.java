package onefold.store.housekeeping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.SplittableRandom;
import onefold.chunker.Fingerprint;
import onefold.store.scheduler.TaskHandle;
import onefold.store.scheduler.ThreadScheduler;
import onefold.store.simulation.Simulation;
import org.junit.jupiter.api.Test;

class LiveVectorTest {
  private static final long SEED = Simulation.seed();
  private static final String MESSAGE = "onefold.seed=" + SEED;
  private static final long LARGE = 1L << 30;

  @Test
  void everyChunkOfTheSetHasABitOfItsOwn() throws IOException {
    var random = new SplittableRandom(SEED);
    for (int round = 0; round < 40; round++) {
      int count = random.nextInt(round < 20 ? 20 : 60_000);
      byte[] keys = keys(random, count, round % 3 == 0);
      boolean checked = random.nextBoolean();
      long scratchBytes = random.nextInt(4) == 0 ? 16L * Math.max(1, count / 5) : LARGE;
      try (var live = build(keys, random.nextInt(1, 2 * count + 2), scratchBytes, checked)) {
        var bits = new HashSet<Long>();
        for (int i = 0; i < count; i++) {
          long bit = live.find(keys, i * Fingerprint.BYTES);
          assertNotEquals(LiveVector.UNKNOWN, bit, MESSAGE);
          assertTrue(bits.add(bit), MESSAGE);
        }
        assertEquals(count, live.keyCount(), MESSAGE);
      }
    }
  }

  @Test
  void exactlyTheMarkedChunksAreLive() throws IOException {
    var random = new SplittableRandom(SEED);
    byte[] keys = keys(random, 50_000, false);
    try (var live = build(keys, 50_000, 16 * 9_000, false)) {
      var marked = new HashSet<Integer>();
      for (int round = 0; round < 20; round++) {
        int count = random.nextInt(1, 1000);
        byte[] some = new byte[count * Fingerprint.BYTES];
        for (int i = 0; i < count; i++) {
          int key = random.nextInt(50_000);
          marked.add(key);
          System.arraycopy(
              keys, key * Fingerprint.BYTES, some, i * Fingerprint.BYTES, Fingerprint.BYTES);
        }
        if (round % 2 == 0) {
          live.markAll(some, count);
        } else {
          for (int i = 0; i < count; i++) {
            live.mark(live.find(some, i * Fingerprint.BYTES));
          }
        }
      }
      for (int key = 0; key < 50_000; key++) {
        assertEquals(marked.contains(key), live.isLive(keys, key * Fingerprint.BYTES), MESSAGE);
      }
      assertEquals(marked.size(), live.markedCount(), MESSAGE);
    }
  }

  @Test
  void aForeignFingerprintKeepsAtMostOneOtherChunkAlive() throws IOException {
    var random = new SplittableRandom(SEED);
    byte[] keys = keys(random, 20_000, false);
    byte[] foreign = keys(random, 1_000, false);
    try (var live = build(keys, 20_000, LARGE, false);
        var checked = build(keys, 20_000, LARGE, true)) {
      live.markAll(foreign, 1_000);
      checked.markAll(foreign, 1_000);
      int alive = 0;
      for (int key = 0; key < 20_000; key++) {
        alive += live.isLive(keys, key * Fingerprint.BYTES) ? 1 : 0;
      }
      assertTrue(alive <= 1_000, MESSAGE);
      assertEquals(0, checked.markedCount(), MESSAGE);
      for (int i = 0; i < 1_000; i++) {
        assertEquals(LiveVector.UNKNOWN, checked.find(foreign, i * Fingerprint.BYTES), MESSAGE);
      }
    }
  }

  @Test
  void aChunkThatComesTwiceIsOne() throws IOException {
    var random = new SplittableRandom(SEED);
    byte[] once = keys(random, 3_000, false);
    byte[] keys = Arrays.copyOf(once, 2 * once.length);
    System.arraycopy(once, 0, keys, once.length, once.length);
    try (var live = build(keys, 6_000, LARGE, false)) {
      assertEquals(3_000, live.keyCount());
    }
  }

  @Test
  void itTakesLessThanHalfAByteAChunk() throws IOException {
    byte[] keys = keys(new SplittableRandom(SEED), 400_000, false);
    try (var live = build(keys, 400_000, LARGE, false)) {
      double bytes = live.memoryBytes() / 400_000.0;
      assertTrue(bytes < 0.5, () -> bytes + " bytes a chunk, " + MESSAGE);
    }
  }

  @Test
  void theSourceIsReadOnceForEachPartAndAskedForThatPart() throws IOException {
    byte[] keys = keys(new SplittableRandom(SEED), 10_000, false);
    var asked = new ArrayList<long[]>();
    LiveVector.Source source =
        (first, last, sink) -> {
          asked.add(new long[] {first, last});
          for (int i = 0; i < 10_000; i++) {
            Fingerprint key = Fingerprint.of(keys, i * Fingerprint.BYTES);
            if (Long.compareUnsigned(key.first(), first) >= 0
                && Long.compareUnsigned(key.first(), last) <= 0) {
              sink.fingerprints(key.toBytes(), 1);
            }
          }
        };
    try (var live = LiveVector.build(source, 10_000, 16 * 1_500, false, random())) {
      assertEquals(10_000, live.keyCount());
    }
    assertEquals(7, asked.size());
    assertEquals(0, asked.getFirst()[0]);
    assertEquals(-1, asked.getLast()[1]);
    for (int i = 1; i < asked.size(); i++) {
      assertEquals(asked.get(i - 1)[1] + 1, asked.get(i)[0]);
    }
  }

  @Test
  void aSourceThatFailsLeavesNothingBehind() {
    assertThrows(
        IOException.class,
        () ->
            LiveVector.build(
                (first, last, sink) -> {
                  throw new IOException("disk");
                },
                10,
                LARGE,
                false,
                random()));
  }

  @Test
  void marksFromManyTasksAreAllKept() throws IOException {
    var random = new SplittableRandom(SEED);
    byte[] keys = keys(random, 40_000, false);
    try (var scheduler = new ThreadScheduler();
        var live = build(keys, 40_000, LARGE, false)) {
      var tasks = new ArrayList<TaskHandle>();
      for (int task = 0; task < 4; task++) {
        byte[] part =
            Arrays.copyOfRange(
                keys,
                task * 8_000 * Fingerprint.BYTES,
                (task * 8_000 + 16_000) * Fingerprint.BYTES);
        tasks.add(scheduler.start("mark", () -> live.markAll(part, 16_000)));
      }
      tasks.forEach(TaskHandle::join);
      assertEquals(40_000, live.markedCount());
      for (int key = 0; key < 40_000; key++) {
        assertTrue(live.isLive(keys, key * Fingerprint.BYTES));
      }
    }
  }

  @Test
  void anEmptySetKnowsNothing() throws IOException {
    byte[] foreign = keys(new SplittableRandom(SEED), 10, false);
    try (var live = build(new byte[0], 0, LARGE, false)) {
      live.markAll(foreign, 10);
      assertFalse(live.isLive(foreign, 0));
      assertEquals(0, live.markedCount());
    }
  }

  private static SplittableRandom random() {
    return new SplittableRandom(SEED);
  }

  private static LiveVector build(
      byte[] keys, long expectedKeys, long scratchBytes, boolean checked) throws IOException {
    return LiveVector.build(
        (first, last, sink) -> {
          int half = keys.length / Fingerprint.BYTES / 2;
          sink.fingerprints(keys, half);
          byte[] rest = Arrays.copyOfRange(keys, half * Fingerprint.BYTES, keys.length);
          sink.fingerprints(rest, rest.length / Fingerprint.BYTES);
        },
        expectedKeys,
        scratchBytes,
        checked,
        random());
  }

  private static byte[] keys(SplittableRandom random, int count, boolean clustered) {
    byte[] keys = new byte[count * Fingerprint.BYTES];
    random.nextBytes(keys);
    for (int i = 0; clustered && i < count; i++) {
      keys[i * Fingerprint.BYTES] = 0;
      keys[i * Fingerprint.BYTES + 1] = 0;
    }
    return keys;
  }
}
