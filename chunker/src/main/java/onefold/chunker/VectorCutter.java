package onefold.chunker;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The cut rule with the prefilter in vectors of the width that the processor prefers. Cuts where
 * {@link ScalarCutter} cuts. Must not be touched in a JVM without the module jdk.incubator.vector;
 * {@link CutterForm} sees to that.
 */
final class VectorCutter implements Cutter {
  private static final VectorSpecies<Byte> BYTES = ByteVector.SPECIES_PREFERRED;

  /** Positions whose candidates are found at once and kept as bits of one word. */
  private static final int GROUP = Long.SIZE;

  /**
   * Words of one stride, 2048 positions: no more than the minimum of set 1, so that no position is
   * looked at twice, and enough to keep the vector loop free of branches.
   */
  private static final int STRIDE_WORDS = 32;

  private static final int STRIDE = STRIDE_WORDS * GROUP;

  private final CutRule rule;
  private final long[] candidates = new long[STRIDE_WORDS];

  VectorCutter(CutRule rule) {
    this.rule = rule;
  }

  /** Returns the bits of a vector. */
  static int vectorBits() {
    return BYTES.vectorBitSize();
  }

  @Override
  public int cut(byte[] source, int start, int end, boolean endOfStream, int[] lengths, int at) {
    int count = 0;
    int chunkStart = start;
    while (chunkStart < end && at + count < lengths.length) {
      int available = Math.min(end - chunkStart, rule.maxBytes());
      int border = border(source, chunkStart, chunkStart + available);
      int length = border - chunkStart;
      if (border == 0) {
        if (available < rule.maxBytes() && !endOfStream) {
          break;
        }
        length = available;
      }
      lengths[at + count++] = length;
      chunkStart += length;
    }
    return count;
  }

  /** Returns the first border of the chunk that begins at {@code start}, 0 if none up to last. */
  private int border(byte[] source, int start, int last) {
    int relax = start + rule.relaxBytes();
    int from = start + rule.minBytes();
    // The last window of a stride ends one byte before the stride does.
    while (from <= last && from < source.length - STRIDE) {
      findCandidates(source, from, candidates);
      for (int word = 0; word < STRIDE_WORDS; word++) {
        long bits = candidates[word];
        while (bits != 0) {
          int position = from + word * GROUP + Long.numberOfTrailingZeros(bits);
          if (position > last) {
            return 0;
          }
          int zeroBits = position < relax ? rule.strictBits() : rule.looseBits();
          if (CutRule.isConfirmed(source, position, zeroBits)) {
            return position;
          }
          bits &= bits - 1;
        }
      }
      from += STRIDE;
    }
    return from <= last ? ScalarCutter.border(rule, source, start, from, last) : 0;
  }

  /** Sets bit i of word w where position {@code from + 64 w + i} is a candidate. */
  private static void findCandidates(byte[] source, int from, long[] candidates) {
    for (int word = 0; word < STRIDE_WORDS; word++) {
      candidates[word] = candidatesOfGroup(source, from + word * GROUP);
    }
  }

  /**
   * Returns 64 bits, bit i set where position {@code from + i} is a candidate.
   *
   * <p>Four loads, each a byte further than the one before, put the windows of all positions into
   * int lanes; the highest bytes of the four products are then brought together in the order of
   * positions. Up to 17 GB/s with 512 bits, 9 with 256. A method of its own because it is compiled
   * after so many calls, and until then each costs as much as 10,000 positions afterwards.
   */
  private static long candidatesOfGroup(byte[] source, int from) {
    long bits = 0;
    for (int i = 0; i < GROUP; i += BYTES.length()) {
      int window = from + i - Integer.BYTES;
      IntVector tops =
          products(source, window)
              .lanewise(VectorOperators.LSHR, 24)
              .or(products(source, window + 1).lanewise(VectorOperators.LSHR, 16).and(0xFF00))
              .or(products(source, window + 2).lanewise(VectorOperators.LSHR, 8).and(0xFF0000))
              .or(products(source, window + 3).and(0xFF000000));
      bits |= tops.reinterpretAsBytes().eq((byte) CutRule.CANDIDATE).toLong() << i;
    }
    return bits;
  }

  private static IntVector products(byte[] source, int offset) {
    return ByteVector.fromArray(BYTES, source, offset).reinterpretAsInts().mul(CutRule.FACTOR);
  }
}
