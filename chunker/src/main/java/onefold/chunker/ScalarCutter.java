package onefold.chunker;

/** The cut rule in plain Java: the reference, and what runs where there are no vectors. */
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
      int length = firstChunk(source, chunkStart, end, endOfStream);
      if (length == 0) {
        break;
      }
      lengths[at + count++] = length;
      chunkStart += length;
    }
    return count;
  }

  /** Returns the length of the chunk that begins at {@code start}, 0 if more bytes must be seen. */
  private int firstChunk(byte[] source, int start, int end, boolean endOfStream) {
    int available = Math.min(end - start, rule.maxBytes());
    if (available >= rule.minBytes()) {
      int last = start + available;
      int relax = Math.min(start + rule.relaxBytes(), last + 1);
      int border = border(source, start + rule.minBytes(), relax, rule.strictBits());
      if (border == 0) {
        border = border(source, relax, last + 1, rule.looseBits());
      }
      if (border != 0) {
        return border - start;
      }
      if (available == rule.maxBytes()) {
        return available;
      }
    }
    return endOfStream ? available : 0;
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
