package onefold.catalyst.wire;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A counted row of bits.
 *
 * @param count how many
 * @param words least significant bit first; bits beyond the count are zero
 */
public record Bits(int count, long[] words) {
  public Bits {
    if (count < 0 || words.length < wordCount(count)) {
      throw new IllegalArgumentException(count + " bits in " + words.length + " words");
    }
  }

  private static int wordCount(int bitCount) {
    return (int) (((long) bitCount + 63) / 64);
  }

  /** Returns bit {@code index}. */
  public boolean get(int index) {
    if (index < 0 || index >= count) {
      throw new IndexOutOfBoundsException("bit " + index + " of " + count);
    }
    return (words[index >> 6] >>> (index & 63) & 1) != 0;
  }

  /** Returns whether no bit is set. */
  public boolean allClear() {
    for (int i = 0; i < wordCount(count); i++) {
      if (words[i] != 0) {
        return false;
      }
    }
    return true;
  }

  /** Returns how many bits are set. */
  public int setCount() {
    int sum = 0;
    for (int i = 0; i < wordCount(count); i++) {
      sum += Long.bitCount(words[i]);
    }
    return sum;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Bits(int otherCount, long[] otherWords)
        && count == otherCount
        && Arrays.equals(words, 0, wordCount(count), otherWords, 0, wordCount(count));
  }

  @Override
  public int hashCode() {
    return 31 * count + Arrays.hashCode(Arrays.copyOf(words, wordCount(count)));
  }

  @Override
  public String toString() {
    return setCount() + " of " + count + " bits";
  }
}
