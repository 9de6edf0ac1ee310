package onefold.store.index;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.LongPredicate;

/**
 * A set of container numbers: a bitmap of 8 KiB for each 65,536 neighbours of which one is in it.
 * One thread at a time changes it, any number look; who looks beside a change sees the number in or
 * out, and every other number as it is.
 */
final class ContainerSet {
  /** Numbers of one bitmap. */
  static final int PAGE_NUMBERS = 1 << 16;

  private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);

  /**
   * Bitmaps by ascending {@code number >>> 16}, and how many numbers each holds; the arrays of keys
   * and bitmaps never change, the bits and counts do. Who looks does not read the counts.
   */
  private record Pages(long[] keys, long[][] bits, int[] counts) {
    static final Pages NONE = new Pages(new long[0], new long[0][], new int[0]);

    int find(long number) {
      long key = number >>> 16;
      if (keys.length == 1) {
        return keys[0] == key ? 0 : key < keys[0] ? -1 : -2;
      }
      return Arrays.binarySearch(keys, key);
    }
  }

  /** Takes runs of neighbouring numbers. */
  interface RangeVisitor {
    /**
     * Takes the numbers from {@code first} to {@code last}, both in it; they share 48 high bits.
     */
    void range(long first, long last);
  }

  private volatile Pages pages = Pages.NONE;
  private long count;

  boolean contains(long number) {
    Pages now = pages;
    int page = now.find(number);
    return page >= 0 && ((long) WORD.getOpaque(now.bits[page], word(number)) >>> number & 1) != 0;
  }

  /** Whether any number is in whose bits above the lower 16 are {@code part}. */
  boolean containsAnyOf(long part) {
    return pages.find(part << 16) >= 0;
  }

  /** Puts a number in; says whether it was out. */
  boolean add(long number) {
    Pages now = pages;
    int page = now.find(number);
    if (page < 0) {
      page = -page - 1;
      now = withPage(now, page, number >>> 16);
    }
    long[] bits = now.bits[page];
    long old = bits[word(number)];
    if ((old >>> number & 1) != 0) {
      return false;
    }
    WORD.setRelease(bits, word(number), old | 1L << number);
    now.counts[page]++;
    pages = now;
    count++;
    return true;
  }

  /** Takes a number out; says whether it was in. */
  boolean remove(long number) {
    Pages now = pages;
    int page = now.find(number);
    if (page < 0) {
      return false;
    }
    long[] bits = now.bits[page];
    long old = bits[word(number)];
    if ((old >>> number & 1) == 0) {
      return false;
    }
    WORD.setRelease(bits, word(number), old & ~(1L << number));
    count--;
    if (--now.counts[page] == 0) {
      pages = withoutPage(now, page);
    }
    return true;
  }

  /** Puts all numbers of another set in. */
  void addAll(ContainerSet other) {
    other.ranges((first, last) -> {
      for (long number = first; number != last + 1; number++) {
        add(number);
      }
    });
  }

  /** Takes all numbers out that are not to be kept. */
  void retain(LongPredicate keep) {
    var out = new ContainerSet();
    ranges((first, last) -> {
      for (long number = first; number != last + 1; number++) {
        if (!keep.test(number)) {
          out.add(number);
        }
      }
    });
    out.ranges((first, last) -> {
      for (long number = first; number != last + 1; number++) {
        remove(number);
      }
    });
  }

  /** All numbers, in ascending order as unsigned numbers, in a set of the caller's. */
  Set<Long> numbers() {
    var numbers = new TreeSet<Long>(Long::compareUnsigned);
    ranges((first, last) -> {
      for (long number = first; number != last + 1; number++) {
        numbers.add(number);
      }
    });
    return numbers;
  }

  long count() {
    return count;
  }

  void clear() {
    pages = Pages.NONE;
    count = 0;
  }

  long memoryBytes() {
    return pages.keys.length * (PAGE_NUMBERS / 8L + 32);
  }

  /** A set with the same numbers. */
  ContainerSet copy() {
    var copy = new ContainerSet();
    Pages now = pages;
    long[][] bits = new long[now.bits.length][];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = now.bits[i].clone();
    }
    copy.pages = new Pages(now.keys, bits, now.counts.clone());
    copy.count = count;
    return copy;
  }

  /**
   * All numbers in ascending order, as unsigned numbers, in runs that are as long as they can be.
   */
  void ranges(RangeVisitor visitor) {
    Pages now = pages;
    for (int page = 0; page < now.keys.length; page++) {
      long base = now.keys[page] << 16;
      int first = next(now.bits[page], 0, 0);
      while (first < PAGE_NUMBERS) {
        int end = next(now.bits[page], first, -1L);
        visitor.range(base + first, base + end - 1);
        first = next(now.bits[page], end, 0);
      }
    }
  }

  /** The next position from {@code from} on that is not as in {@code same}, all zeros or ones. */
  private static int next(long[] bits, int from, long same) {
    int word = from >>> 6;
    if (word == bits.length) {
      return PAGE_NUMBERS;
    }
    long others = (bits[word] ^ same) & -1L << from;
    while (others == 0) {
      if (++word == bits.length) {
        return PAGE_NUMBERS;
      }
      others = bits[word] ^ same;
    }
    return (word << 6) + Long.numberOfTrailingZeros(others);
  }

  private static int word(long number) {
    return (int) number >>> 6 & (PAGE_NUMBERS / 64 - 1);
  }

  private static Pages withPage(Pages old, int at, long key) {
    int count = old.keys.length;
    long[] keys = new long[count + 1];
    long[][] bits = new long[count + 1][];
    int[] counts = new int[count + 1];
    System.arraycopy(old.keys, 0, keys, 0, at);
    System.arraycopy(old.bits, 0, bits, 0, at);
    System.arraycopy(old.counts, 0, counts, 0, at);
    keys[at] = key;
    bits[at] = new long[PAGE_NUMBERS / 64];
    System.arraycopy(old.keys, at, keys, at + 1, count - at);
    System.arraycopy(old.bits, at, bits, at + 1, count - at);
    System.arraycopy(old.counts, at, counts, at + 1, count - at);
    return new Pages(keys, bits, counts);
  }

  private static Pages withoutPage(Pages old, int at) {
    int count = old.keys.length;
    long[] keys = new long[count - 1];
    long[][] bits = new long[count - 1][];
    int[] counts = new int[count - 1];
    System.arraycopy(old.keys, 0, keys, 0, at);
    System.arraycopy(old.bits, 0, bits, 0, at);
    System.arraycopy(old.counts, 0, counts, 0, at);
    System.arraycopy(old.keys, at + 1, keys, at, count - at - 1);
    System.arraycopy(old.bits, at + 1, bits, at, count - at - 1);
    System.arraycopy(old.counts, at + 1, counts, at, count - at - 1);
    return new Pages(keys, bits, counts);
  }
}
