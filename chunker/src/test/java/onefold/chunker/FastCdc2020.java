package onefold.chunker;

/**
 * FastCDC in its form of 2020 (Xia et al., "The Design of Fast Content-Defined Chunking for Data
 * Deduplication Based Storage Systems", IEEE TPDS 31(9)): gear hash, two bytes a step, normalised
 * chunking of level 2. The contestant of the border search, 2/8/64 KiB like parameter set 1.
 */
public final class FastCdc2020 {
  private static final int MIN_BYTES = 2 << 10;
  private static final int MAX_BYTES = 64 << 10;

  /** 15 and 11 bits: the masks that the paper gives for 8 KiB. */
  private static final long STRICT_MASK = 0x0000d9f003530000L;

  private static final long LOOSE_MASK = 0x0000d90003530000L;

  private static final long[] GEAR = new long[256];
  private static final long[] GEAR_SHIFTED = new long[256];

  static {
    long state = 1;
    for (int i = 0; i < GEAR.length; i++) {
      state += 0x9E3779B97F4A7C15L;
      long z = (state ^ state >>> 30) * 0xBF58476D1CE4E5B9L;
      z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
      GEAR[i] = z ^ z >>> 31;
      GEAR_SHIFTED[i] = GEAR[i] << 1;
    }
  }

  private final int normalBytes;

  /**
   * Makes a contestant.
   *
   * @param normalBytes length from which the loose mask counts, 8192 in the paper; even
   */
  public FastCdc2020(int normalBytes) {
    this.normalBytes = normalBytes;
  }

  /** Returns the length of the chunk that begins at {@code start} of a stream that ends at end. */
  public int firstChunk(byte[] source, int start, int end) {
    int length = Math.min(end - start, MAX_BYTES);
    if (length <= MIN_BYTES) {
      return length;
    }
    long hash = 0;
    int at = start + MIN_BYTES;
    for (int half = 0; half < 2; half++) {
      long mask = half == 0 ? STRICT_MASK : LOOSE_MASK;
      long maskShifted = mask << 1;
      int stop = start + (half == 0 ? Math.min(length, normalBytes) : length) / 2 * 2;
      for (; at < stop; at += 2) {
        hash = (hash << 2) + GEAR_SHIFTED[source[at] & 0xff];
        if ((hash & maskShifted) == 0) {
          return at - start;
        }
        hash += GEAR[source[at + 1] & 0xff];
        if ((hash & mask) == 0) {
          return at + 1 - start;
        }
      }
    }
    return length;
  }
}
