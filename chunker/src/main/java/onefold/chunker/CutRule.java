package onefold.chunker;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * The windowed two-stage cut rule: what all cutters have in common. docs/formats/chunking.md fixes
 * every constant here for ever.
 *
 * <p>A position is a candidate when the product of the four bytes before it and {@link #FACTOR} has
 * {@link #CANDIDATE} as its highest byte, as one position in 256 of random data does. A candidate
 * is a border when a keyed hash of the 64 bytes before it begins with enough zero bits: more of
 * them before {@code relaxBytes} from the chunk's start than after.
 *
 * @param minBytes first length at which a border may stand
 * @param relaxBytes first length at which {@code looseBits} are enough
 * @param maxBytes length at which a border is forced
 * @param strictBits zero bits wanted before {@code relaxBytes}
 * @param looseBits zero bits wanted from there on
 */
record CutRule(int minBytes, int relaxBytes, int maxBytes, int strictBits, int looseBits) {
  /** Bytes before a border on which it depends. */
  static final int WINDOW_BYTES = 64;

  /**
   * Factor of the prefilter; chosen so that constant runs give no candidates and texts, numbers and
   * other structured bytes about as many as random ones.
   */
  static final int FACTOR = 0x1B6AE7F7;

  /** Highest byte of the product at a candidate. */
  static final int CANDIDATE = 0x44;

  /** log2 of how many positions of random data there are to one candidate. */
  private static final int CANDIDATE_BITS = 8;

  static final long KEY_0 = 0x917512764017D997L;
  static final long KEY_1 = 0x7BDE7539EDDD5825L;
  static final long KEY_2 = 0xDC45487620A9D566L;
  static final long KEY_3 = 0xA38319138225CDD0L;
  static final long KEY_4 = 0x400409C019583F5FL;
  static final long KEY_5 = 0x2ED05E683B93F0A4L;
  static final long KEY_6 = 0xCBE5F347B8976754L;
  static final long KEY_7 = 0x941FA758653DE566L;
  static final long KEY_8 = 0x27481EF1931C9D54L;

  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  /**
   * Returns the rule for a set's sizes.
   *
   * @throws IllegalArgumentException if the mean is not a power of two from 2 KiB to 1 MiB, or
   *     minimum, mean and maximum are not in order, or the minimum is shorter than the window
   */
  static CutRule of(ParameterSet set) {
    int mean = set.meanBytes();
    if (mean < 2 << 10 || mean > 1 << 20 || Integer.bitCount(mean) != 1) {
      throw new IllegalArgumentException(
          "mean of " + mean + " bytes, must be a power of two from 2 KiB to 1 MiB");
    }
    int relax = mean / 16 * 13;
    if (set.minBytes() < WINDOW_BYTES || set.minBytes() > relax || set.maxBytes() < mean) {
      throw new IllegalArgumentException(
          "minimum " + set.minBytes() + ", mean " + mean + ", maximum " + set.maxBytes());
    }
    int bits = Integer.numberOfTrailingZeros(mean) - CANDIDATE_BITS;
    return new CutRule(set.minBytes(), relax, set.maxBytes(), bits + 2, bits - 2);
  }

  /** Returns whether {@code source[..position)} ends in a candidate; reads four bytes. */
  static boolean isCandidate(byte[] source, int position) {
    return product(source, position - Integer.BYTES) >>> (Integer.SIZE - Byte.SIZE) == CANDIDATE;
  }

  /** Multiplies the four bytes at {@code offset}, the first one lowest, by the factor. */
  static int product(byte[] source, int offset) {
    return (int) INT.get(source, offset) * FACTOR;
  }

  /**
   * Returns whether the hash of the window before {@code position} begins with so many zero bits.
   */
  static boolean isConfirmed(byte[] source, int position, int zeroBits) {
    return windowHash(source, position - WINDOW_BYTES) >>> (Long.SIZE - zeroBits) == 0;
  }

  /** Hashes 64 bytes from {@code offset}: words plus keys, multiplied in pairs and folded. */
  static long windowHash(byte[] source, int offset) {
    long hash =
        folded((long) LONG.get(source, offset) + KEY_0, (long) LONG.get(source, offset + 8) + KEY_1)
            + folded(
                (long) LONG.get(source, offset + 16) + KEY_2,
                (long) LONG.get(source, offset + 24) + KEY_3)
            + folded(
                (long) LONG.get(source, offset + 32) + KEY_4,
                (long) LONG.get(source, offset + 40) + KEY_5)
            + folded(
                (long) LONG.get(source, offset + 48) + KEY_6,
                (long) LONG.get(source, offset + 56) + KEY_7);
    return folded(hash, KEY_8);
  }

  private static long folded(long a, long b) {
    return a * b ^ Math.unsignedMultiplyHigh(a, b);
  }
}
