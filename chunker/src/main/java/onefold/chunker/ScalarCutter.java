package onefold.chunker;

/** The cut rule position by position: the reference, and what ends a buffer. */
final class ScalarCutter implements Cutter {
  private final CutRule rule;

  ScalarCutter(CutRule rule) {
    this.rule = rule;
  }

  @Override
  public int cut(byte[] source, int start, int end, boolean endOfStream, int[] lengths, int at) {
    int count = 0;
    int chunkStart = start;
    while (chunkStart < end && at + count < lengths.length) {
      int available = Math.min(end - chunkStart, rule.maxBytes());
      int border =
          border(rule, source, chunkStart, chunkStart + rule.minBytes(), chunkStart + available);
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
   * Returns the first border from {@code from} to {@code last}, both included, of the chunk that
   * begins at {@code start}, 0 if there is none.
   */
  static int border(CutRule rule, byte[] source, int start, int from, int last) {
    int relax = Math.max(from, Math.min(start + rule.relaxBytes(), last + 1));
    int border = border(source, from, relax, rule.strictBits());
    return border != 0 ? border : border(source, relax, last + 1, rule.looseBits());
  }

  /** Returns the first border in {@code [from, to)}, 0 if there is none. */
  private static int border(byte[] source, int from, int to, int zeroBits) {
    for (int position = from; position < to; position++) {
      if (CutRule.isCandidate(source, position)
          && CutRule.isConfirmed(source, position, zeroBits)) {
        return position;
      }
    }
    return 0;
  }
}
