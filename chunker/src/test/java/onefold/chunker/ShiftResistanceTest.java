package onefold.chunker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** What a byte inserted at the front of a long stream costs. */
class ShiftResistanceTest {
  private static final ParameterSet SET = ParameterSet.SET_1;

  /** Makes a stream's bytes, piece by piece. */
  private interface Stream {
    /** Fills {@code target[from, to)} with the stream's next bytes. */
    void fill(byte[] target, int from, int to);
  }

  /** Chunks of one stream: the distinct ones, how many there are, and how many bytes in all. */
  private record Chunks(Set<Fingerprint> distinct, long count, long bytes) {}

  private static Chunks chunksOf(Stream stream, long length) {
    Cutter cutter = Cutter.of(SET);
    Fingerprinter fingerprinter = new Fingerprinter(SET);
    byte[] buffer = new byte[2 << 20];
    int[] lengths = new int[buffer.length / SET.minBytes() + 1];
    Set<Fingerprint> distinct = new HashSet<>();
    long count = 0;
    long bytes = 0;
    long rest = length;
    int end = 0;
    while (rest > 0 || end > 0) {
      int filled = (int) Math.min(rest, buffer.length - end);
      stream.fill(buffer, end, end + filled);
      end += filled;
      rest -= filled;
      int chunks = cutter.cut(buffer, 0, end, rest == 0, lengths, 0);
      int at = 0;
      for (int i = 0; i < chunks; i++) {
        distinct.add(fingerprinter.fingerprint(buffer, at, lengths[i]));
        at += lengths[i];
      }
      count += chunks;
      bytes += at;
      System.arraycopy(buffer, at, buffer, 0, end - at);
      end -= at;
    }
    assertEquals(length, bytes);
    return new Chunks(distinct, count, bytes);
  }

  private static Stream withAByteInFront(Stream stream) {
    boolean[] first = {true};
    return (target, from, to) -> {
      int at = from;
      if (first[0] && at < to) {
        first[0] = false;
        target[at++] = 0x55;
      }
      stream.fill(target, at, to);
    };
  }

  @Test
  void allButAHandfulOfChunksOfRandomDataAreFoundAgain() {
    long seed = Seeds.random().nextLong();
    Chunks before = chunksOf(randomStream(seed), 100_000_000);
    Chunks after = chunksOf(withAByteInFront(randomStream(seed)), 100_000_001);
    Set<Fingerprint> fresh = new HashSet<>(after.distinct());
    fresh.removeAll(before.distinct());
    assertTrue(fresh.size() <= 8, "new chunks " + fresh.size());
    assertTrue(before.count() > 10_000 && before.count() < 14_000, "chunks " + before.count());
  }

  private static Stream randomStream(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    byte[] word = new byte[Long.BYTES];
    int[] used = {Long.BYTES};
    return (target, from, to) -> {
      // Word by word, so that the bytes do not depend on how they are asked for.
      for (int i = from; i < to; i++) {
        if (used[0] == Long.BYTES) {
          long next = random.nextLong();
          for (int b = 0; b < Long.BYTES; b++) {
            word[b] = (byte) (next >>> (8 * b));
          }
          used[0] = 0;
        }
        target[i] = word[used[0]++];
      }
    };
  }

  @Test
  void tenGigabytesOfZerosAreThreeChunksAtMost() {
    // Only the cutter sees all of them: equal lengths of zeros are equal chunks.
    Cutter cutter = Cutter.of(SET);
    byte[] zeros = new byte[8 << 20];
    byte[] front = new byte[zeros.length];
    front[0] = 0x55;
    int[] lengths = new int[zeros.length / SET.minBytes() + 1];
    for (int inserted = 0; inserted <= 1; inserted++) {
      byte[] first = inserted == 0 ? zeros : front;
      long length = 10_000_000_000L + inserted;
      long at = 0;
      Set<Integer> distinct = new HashSet<>();
      while (at < length) {
        int available = (int) Math.min(length - at, zeros.length);
        byte[] source = at == 0 ? first : zeros;
        int chunks = cutter.cut(source, 0, available, available == length - at, lengths, 0);
        for (int i = 0; i < chunks; i++) {
          distinct.add(lengths[i]);
          at += lengths[i];
        }
      }
      assertEquals(length, at);
      assertEquals(Set.of(SET.maxBytes(), (int) (length % SET.maxBytes())), distinct);
    }
  }

  @Test
  void aShortPeriodIsAHandfulOfChunks() {
    SplittableRandom random = Seeds.random();
    for (int round = 0; round < 20; round++) {
      byte[] period = new byte[16];
      random.nextBytes(period);
      Chunks before = chunksOf(periodicStream(period), 3_000_000);
      Chunks after = chunksOf(withAByteInFront(periodicStream(period)), 3_000_001);
      assertTrue(before.distinct().size() <= 4, "chunks " + before.distinct().size());
      assertTrue(after.distinct().size() <= 5, "chunks " + after.distinct().size());
    }
  }

  private static Stream periodicStream(byte[] period) {
    int[] at = {0};
    return (target, from, to) -> {
      for (int i = from; i < to; i++) {
        target[i] = period[at[0]++ % period.length];
      }
    };
  }
}
