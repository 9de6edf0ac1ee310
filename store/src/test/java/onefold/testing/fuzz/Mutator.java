package onefold.testing.fuzz;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Makes inputs from samples by what disks and broken writers do to them: flipped bits, fields with
 * values at their bounds, truncation, bytes that repeat or are gone, two samples spliced.
 */
final class Mutator {
  private static final int MAX_STEPS = 4;
  private static final int MAX_INSERT_BYTES = 64;
  private static final long[] BOUNDS = {
    0,
    1,
    -1,
    2,
    7,
    8,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0x8000,
    0xffff,
    0x10000,
    1 << 20,
    1 << 24,
    Integer.MAX_VALUE,
    Integer.MIN_VALUE,
    0xffff_ffffL,
    1L << 32,
    1L << 40,
    Long.MAX_VALUE,
    Long.MIN_VALUE
  };

  private final SplittableRandom random;
  private final List<byte[]> corpus;

  Mutator(SplittableRandom random, List<byte[]> corpus) {
    this.random = random;
    this.corpus = corpus;
  }

  byte[] next() {
    byte[] bytes = corpus.get(random.nextInt(corpus.size())).clone();
    int steps = 1 + random.nextInt(MAX_STEPS);
    for (int i = 0; i < steps; i++) {
      bytes = mutated(bytes);
    }
    return bytes;
  }

  private byte[] mutated(byte[] bytes) {
    if (bytes.length == 0) {
      return inserted(bytes);
    }
    int at = random.nextInt(bytes.length);
    switch (random.nextInt(10)) {
      case 0, 1 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
      case 2 -> bytes[at] = (byte) random.nextInt(256);
      case 3, 4, 5 -> setField(bytes, at);
      case 6 -> {
        return random.nextInt(3) == 0 ? Arrays.copyOf(bytes, at) : removed(bytes, at);
      }
      case 7 -> {
        return inserted(bytes);
      }
      case 8 -> {
        return spliced(bytes, at);
      }
      default -> {
        int from = random.nextInt(bytes.length);
        int count = 1 + random.nextInt(bytes.length - Math.max(at, from));
        System.arraycopy(bytes, from, bytes, at, count);
      }
    }
    return bytes;
  }

  /** Sets 2, 4 or 8 bytes, mostly aligned, to a bound, near the length, or near what it was. */
  private void setField(byte[] bytes, int near) {
    int width = 2 << random.nextInt(3);
    int at = random.nextInt(4) == 0 ? near : near & -width;
    width = Math.min(width, bytes.length - at);
    boolean bigEndian = random.nextInt(8) == 0;
    long old = 0;
    for (int i = 0; i < width; i++) {
      old |= (bytes[at + i] & 0xffL) << (8 * i);
    }
    long value =
        switch (random.nextInt(4)) {
          case 0 -> BOUNDS[random.nextInt(BOUNDS.length)];
          case 1 -> bytes.length - random.nextInt(-2, 3) - (random.nextBoolean() ? at : 0);
          case 2 -> old + random.nextInt(-2, 3);
          default -> old ^ (1L << random.nextInt(8 * width));
        };
    for (int i = 0; i < width; i++) {
      bytes[at + i] = (byte) (value >>> (8 * (bigEndian ? width - 1 - i : i)));
    }
  }

  private byte[] removed(byte[] bytes, int at) {
    int count = 1 + random.nextInt(Math.min(MAX_INSERT_BYTES, bytes.length - at));
    byte[] shorter = Arrays.copyOf(bytes, bytes.length - count);
    System.arraycopy(bytes, at + count, shorter, at, shorter.length - at);
    return shorter;
  }

  private byte[] inserted(byte[] bytes) {
    int at = random.nextInt(bytes.length + 1);
    int count = 1 + random.nextInt(MAX_INSERT_BYTES);
    byte[] longer = Arrays.copyOf(bytes, bytes.length + count);
    System.arraycopy(bytes, at, longer, at + count, bytes.length - at);
    int kind = random.nextInt(3);
    for (int i = 0; i < count; i++) {
      longer[at + i] =
          switch (kind) {
            case 0 -> 0;
            case 1 -> (byte) random.nextInt(256);
            default -> at > 0 ? bytes[Math.floorMod(at - count + i, at)] : (byte) 0xff;
          };
    }
    return longer;
  }

  private byte[] spliced(byte[] bytes, int at) {
    byte[] other = corpus.get(random.nextInt(corpus.size()));
    int from = random.nextBoolean() ? Math.min(at, other.length) : random.nextInt(other.length + 1);
    byte[] joined = Arrays.copyOf(bytes, at + other.length - from);
    System.arraycopy(other, from, joined, at, other.length - from);
    return joined;
  }
}
