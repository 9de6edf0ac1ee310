package onefold.chunker;

/**
 * Cuts a stream of bytes into chunks whose borders depend on the content.
 *
 * <p>A border depends on the 64 bytes before it and on where the chunk began, on nothing else: all
 * implementations, buffer sizes and machines cut the same places. docs/formats/chunking.md fixes
 * the rule. A cutter keeps scratch space, so one thread at a time uses it, but it remembers nothing
 * between calls.
 */
public sealed interface Cutter permits ScalarCutter, StrideCutter, AdaptiveCutter {
  /**
   * Returns a cutter for the sizes of {@code set}, in the form that is fastest here.
   *
   * @throws IllegalArgumentException if the sizes do not fit the rule, see {@link CutRule#of}
   */
  static Cutter of(ParameterSet set) {
    return CutterForm.chosen().cutter(CutRule.of(set));
  }

  /**
   * Cuts {@code source[start, end)}, which begins at a chunk's first byte.
   *
   * <p>Appends chunk lengths to {@code lengths} from index {@code at} while whole chunks are
   * certain and there is room. Bytes that no appended chunk covers must be presented again with
   * more bytes behind them; unless {@code lengths} is full they are fewer than the set's maximum.
   *
   * @param endOfStream whether the stream ends, or a cut is forced, at {@code end}: then the rest
   *     becomes a chunk too, which alone may be shorter than the set's minimum
   * @return how many lengths were appended
   */
  int cut(byte[] source, int start, int end, boolean endOfStream, int[] lengths, int at);
}
