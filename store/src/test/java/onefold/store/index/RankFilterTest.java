package onefold.store.index;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class RankFilterTest {
  private static final long SEED = Long.getLong("onefold.seed", System.nanoTime());

  @Test
  void everyKeyIsFoundAtItsRankWhateverTheDistribution() {
    var random = new SplittableRandom(SEED);
    for (int round = 0; round < 60; round++) {
      int count = random.nextInt(1, 3000);
      int clusteredBits = random.nextInt(0, 60);
      long[] keys = new long[count];
      for (int i = 0; i < count; i++) {
        keys[i] = random.nextLong() >>> (random.nextInt(4) == 0 ? clusteredBits : 0);
      }
      sortUnsigned(keys);
      int expected = Math.max(1, count * random.nextInt(1, 8) / 4);
      int remainderBits = random.nextInt(4, 25);
      RankFilter filter = build(keys, expected, remainderBits);
      for (int i = 0; i < count; i++) {
        long found = filter.find(keys[i]);
        int first = (int) found;
        int ranks = (int) (found >>> 32);
        int rank = i;
        assertTrue(
            first <= rank && rank < first + ranks,
            () -> "rank " + rank + " in " + first + "+" + ranks + ", onefold.seed=" + SEED);
      }
    }
  }

  @Test
  void foreignKeysPassAsSeldomAsTheRemainderSays() {
    var random = new SplittableRandom(SEED);
    long[] keys = random.longs(100_000).toArray();
    sortUnsigned(keys);
    RankFilter filter = build(keys, keys.length, 10);
    assertTrue(filter.memoryBytes() * 8.0 / keys.length < 12.3);
    int passed = 0;
    int asked = 1_000_000;
    for (int i = 0; i < asked; i++) {
      passed += filter.find(random.nextLong()) != 0 ? 1 : 0;
    }
    double rate = passed / (double) asked;
    assertEquals(1.0 / 1024, rate, 0.0002, "onefold.seed=" + SEED);
  }

  @Test
  void bytesThatAreNoFilterAreRefused() {
    long[] keys = new SplittableRandom(SEED).longs(1000).toArray();
    sortUnsigned(keys);
    var builder = new RankFilter.Builder(1000, 10);
    for (long key : keys) {
      builder.add(key);
    }
    builder.finish();
    byte[] bytes = new byte[(int) builder.byteCount()];
    MemorySegment segment = MemorySegment.ofArray(bytes);
    builder.copyTo(segment);
    int groups = builder.groups();
    assertThrows(IllegalArgumentException.class, () -> RankFilter.of(segment, groups, 999, 10));
    assertThrows(
        IllegalArgumentException.class, () -> RankFilter.of(segment, groups + 1, 1000, 10));
    assertThrows(IllegalArgumentException.class, () -> RankFilter.of(segment, groups, 1000, 3));
    bytes[5] = 1;
    bytes[8] = 0;
    bytes[9] = 0;
    assertThrows(IllegalArgumentException.class, () -> RankFilter.of(segment, groups, 1000, 10));
  }

  @Test
  void aFilterWithOtherBitsIsRefusedOrStaysInside() {
    var random = new SplittableRandom(SEED);
    long[] keys = random.longs(1000).toArray();
    sortUnsigned(keys);
    var builder = new RankFilter.Builder(1000, 10);
    for (long key : keys) {
      builder.add(key);
    }
    builder.finish();
    byte[] whole = new byte[(int) builder.byteCount()];
    builder.copyTo(MemorySegment.ofArray(whole));
    int refused = 0;
    for (int round = 0; round < 300; round++) {
      byte[] bytes = whole.clone();
      int at = random.nextInt(bytes.length);
      if (random.nextBoolean()) {
        bytes[at] ^= (byte) (1 << random.nextInt(8));
      } else {
        java.util.Arrays.fill(
            bytes, at, Math.min(bytes.length, at + 64), (byte) random.nextInt(-1, 1));
      }
      try {
        RankFilter filter =
            RankFilter.of(MemorySegment.ofArray(bytes), builder.groups(), keys.length, 10);
        for (int i = 0; i < 300; i++) {
          long found = filter.find(random.nextLong());
          assertTrue((int) found + (found >>> 32) <= keys.length, "onefold.seed=" + SEED);
        }
      } catch (IllegalArgumentException e) {
        refused++;
      }
    }
    assertTrue(refused > 50, refused + " refused, onefold.seed=" + SEED);
  }

  private static RankFilter build(long[] keys, long expected, int remainderBits) {
    var builder = new RankFilter.Builder(expected, remainderBits);
    for (long key : keys) {
      builder.add(key);
    }
    builder.finish();
    MemorySegment bytes = Arena.ofAuto().allocate(builder.byteCount());
    builder.copyTo(bytes);
    return RankFilter.of(bytes, builder.groups(), keys.length, remainderBits);
  }

  private static void sortUnsigned(long[] keys) {
    for (int i = 0; i < keys.length; i++) {
      keys[i] ^= Long.MIN_VALUE;
    }
    Arrays.sort(keys);
    for (int i = 0; i < keys.length; i++) {
      keys[i] ^= Long.MIN_VALUE;
    }
  }
}
