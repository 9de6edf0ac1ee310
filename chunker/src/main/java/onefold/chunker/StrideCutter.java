package onefold.chunker;

/**
 * The cut rule for forms that find the candidates of 2048 positions at once and confirm them one by
 * one. Cuts where {@link ScalarCutter} cuts.
 */
abstract sealed class StrideCutter implements Cutter permits PlainCutter, VectorCutter {
  /** Positions whose candidates are the bits of one word. */
  static final int GROUP = Long.SIZE;

  /**
   * Words of one stride. Its 2048 positions are no more than the minimum of set 1, so that no
   * position is looked at twice, and enough to keep the loops that find candidates free of
   * branches.
   */
  static final int STRIDE_WORDS = 32;

  static final int STRIDE = STRIDE_WORDS * GROUP;

  private final CutRule rule;
  private final long[] candidates = new long[STRIDE_WORDS];

  StrideCutter(CutRule rule) {
    this.rule = rule;
  }

  /**
   * Sets bit i of word w where position {@code from + 64 w + i} is a candidate, and clears all
   * others. Reads from four bytes before {@code from} to one byte before the stride's end.
   */
  abstract void findCandidates(byte[] source, int from, long[] words);

  @Override
  public final int cut(
      byte[] source, int start, int end, boolean endOfStream, int[] lengths, int at) {
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

  /**
   * Returns the first border of the chunk that begins at {@code start}, 0 if none up to {@code
   * last}. Looks at bytes behind {@code last}, but they decide nothing.
   */
  private int border(byte[] source, int start, int last) {
    int relax = start + rule.relaxBytes();
    int from = start + rule.minBytes();
    while (from <= last && from <= source.length - STRIDE) {
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
}
