package onefold.block;

/**
 * Tells bytes that no codec will shrink, such as encrypted or compressed ones, from a sample: LZ4
 * needs a tenth and zstd a fifth of the whole pipeline's time to find that out by itself.
 */
final class Incompressible {
  private static final int STRETCHES = 32;
  private static final int STRETCH_BYTES = 64;

  /** Shorter inputs are always tried: the sample would be a large part of them. */
  private static final int LEAST_BYTES = 16 << 10;

  /**
   * The sum of squared counts that uniform bytes give is 2048 + 2048 * 2047 / 256 = 18,424 with a
   * deviation of 181. A quarter more means about 7.8 bits a byte or less: worth a try.
   */
  private static final int MOST_SQUARES = 18_424 * 5 / 4;

  private Incompressible() {}

  /** Samples 32 stretches of 64 bytes; repeats of more than that are left to deduplication. */
  static boolean isLikely(byte[] source, int offset, int lengthBytes) {
    if (lengthBytes < LEAST_BYTES) {
      return false;
    }
    int[] counts = new int[256];
    int step = (lengthBytes - STRETCH_BYTES) / (STRETCHES - 1);
    for (int stretch = 0; stretch < STRETCHES; stretch++) {
      int from = offset + stretch * step;
      for (int i = from; i < from + STRETCH_BYTES; i++) {
        counts[source[i] & 0xff]++;
      }
    }
    int squares = 0;
    for (int count : counts) {
      squares += count * count;
    }
    return squares <= MOST_SQUARES;
  }
}
