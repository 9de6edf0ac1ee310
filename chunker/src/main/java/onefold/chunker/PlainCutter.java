package onefold.chunker;

/**
 * The cut rule in plain Java, written so that the JVM's optimising compiler turns the prefilter
 * into vector instructions by itself: 4 GB/s with AVX2 or AVX-512 and 3 without AVX, where the loop
 * of {@link ScalarCutter} makes 1.7. Where the compiler does not, it is about as fast as that one.
 */
final class PlainCutter extends StrideCutter {
  /** Ints of a group; each holds the four marks of four positions. */
  private static final int GROUP_INTS = GROUP / Integer.BYTES;

  private static final int INTS = STRIDE / Integer.BYTES;
  private static final int CANDIDATES = CutRule.CANDIDATE * 0x01010101;

  private final int[] marks = new int[INTS];
  private final int[] marked = new int[STRIDE_WORDS + 1];

  PlainCutter(CutRule rule) {
    super(rule);
  }

  @Override
  void findCandidates(byte[] source, int from, long[] words) {
    mark(source, from - Integer.BYTES, marks);
    int count = markedGroups(marks, marked, words);
    for (int i = 0; i < count; i++) {
      words[marked[i]] = gathered(marks, marked[i] * GROUP_INTS);
    }
  }

  /**
   * Sets the top bit of byte k of {@code marks[j]} where the window at {@code first + 4 j + k} is a
   * candidate's. The compiler does this loop for 8 or 16 ints at a time, 16 GB/s; any change of its
   * shape must be measured.
   */
  private static void mark(byte[] source, int first, int[] marks) {
    for (int j = 0; j < INTS; j++) {
      int window = first + Integer.BYTES * j;
      int tops =
          (CutRule.product(source, window) >>> 24)
              | (CutRule.product(source, window + 1) >>> 16 & 0xFF00)
              | (CutRule.product(source, window + 2) >>> 8 & 0xFF0000)
              | (CutRule.product(source, window + 3) & 0xFF000000);
      int other = tops ^ CANDIDATES;
      // The top bit of each byte that is zero, and of no other.
      marks[j] = ~(((other & 0x7F7F7F7F) + 0x7F7F7F7F) | other | 0x7F7F7F7F);
    }
  }

  /** Lists the groups with a mark, without a branch a group, and clears all words. */
  private static int markedGroups(int[] marks, int[] marked, long[] words) {
    int count = 0;
    for (int word = 0; word < STRIDE_WORDS; word++) {
      int any = 0;
      for (int i = 0; i < GROUP_INTS; i++) {
        any |= marks[word * GROUP_INTS + i];
      }
      words[word] = 0;
      marked[count] = word;
      count += (any | -any) >>> 31;
    }
    return count;
  }

  /** Gathers the marks of 16 ints into 64 bits, in the order of positions. */
  private static long gathered(int[] marks, int first) {
    long bits = 0;
    for (int i = 0; i < GROUP_INTS; i++) {
      // The factor moves the top bits of the four bytes into the top four bits.
      bits |= (long) ((marks[first + i] * 0x00204081) >>> 28) << (4 * i);
    }
    return bits;
  }
}
