package onefold.store.index;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The keys of a sorted run, cut to some bits and packed: says for nearly every key that is not in
 * the run that it is not, and for the others at which ranks they may stand, so that it is filter
 * and fence in one.
 *
 * <p>Keys are 64-bit numbers that are spread evenly over their range. They are divided into as many
 * buckets as there are keys; a key's bucket is the upper half of key × buckets, its remainder the
 * next {@code remainderBits} bits. Both grow with the key. 128 buckets are a group. A group is
 * written as the number of keys of each bucket in unary (a one for each key, then a zero) followed
 * by all remainders; a directory holds the rank of each group's first key, from which follows where
 * the group's bits are. With n keys that are spread evenly that takes (2.25 + remainderBits) × n
 * bits, and a foreign key passes with probability 2^-remainderBits. Keys that are not evenly spread
 * cost time, not correctness.
 *
 * <p>Bytes: (groups + 1) × u32 ranks, then the bits, lowest bit of each byte first, then {@link
 * #PADDING_BYTES} zeros. Immutable; any number of threads look.
 */
final class RankFilter {
  /** Buckets of a group. */
  static final int GROUP_BUCKETS = 128;

  /** Zeros behind the bits, so that a reader may always load 16 bytes. */
  static final int PADDING_BYTES = 24;

  static final int MIN_REMAINDER_BITS = 4;
  static final int MAX_REMAINDER_BITS = 24;

  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;

  private final MemorySegment bytes;
  private final int groups;
  private final long buckets;
  private final int remainderBits;
  private final long bitsOffset;

  private RankFilter(MemorySegment bytes, int groups, int remainderBits) {
    this.bytes = bytes;
    this.groups = groups;
    this.buckets = (long) groups * GROUP_BUCKETS;
    this.remainderBits = remainderBits;
    this.bitsOffset = directoryBytes(groups) * 8;
  }

  /** Groups for a number of keys. */
  static int groupsFor(long keyCount) {
    return Math.toIntExact(Math.max(1, (keyCount + GROUP_BUCKETS - 1) / GROUP_BUCKETS));
  }

  /** Bytes of a filter. */
  static long bytesFor(int groups, long keyCount, int remainderBits) {
    long bits = (long) groups * GROUP_BUCKETS + keyCount * (1 + remainderBits);
    return directoryBytes(groups) + (bits + 7) / 8 + PADDING_BYTES;
  }

  private static long directoryBytes(int groups) {
    return 4L * (groups + 1L);
  }

  /**
   * Takes the bytes of a filter, which stay the caller's and must not change.
   *
   * @throws IllegalArgumentException if they are not a filter of so many keys
   */
  static RankFilter of(MemorySegment bytes, int groups, long keyCount, int remainderBits) {
    if (remainderBits < MIN_REMAINDER_BITS || remainderBits > MAX_REMAINDER_BITS) {
      throw new IllegalArgumentException("filter with remainders of " + remainderBits + " bits");
    }
    if (groups < 1 || bytes.byteSize() != bytesFor(groups, keyCount, remainderBits)) {
      throw new IllegalArgumentException(
          "filter of "
              + bytes.byteSize()
              + " bytes for "
              + keyCount
              + " keys, "
              + groups
              + " groups");
    }
    int last = 0;
    for (int group = 0; group <= groups; group++) {
      int rank = bytes.get(INT, 4L * group);
      if (rank < last || (group == 0 && rank != 0)) {
        throw new IllegalArgumentException("filter whose ranks fall at group " + group);
      }
      last = rank;
    }
    if (last != keyCount) {
      throw new IllegalArgumentException("filter of " + last + " keys for " + keyCount);
    }
    var filter = new RankFilter(bytes, groups, remainderBits);
    for (int group = 0; group < groups; group++) {
      if (!filter.isGroup(group)) {
        throw new IllegalArgumentException(
            "filter whose buckets do not hold the keys of group " + group);
      }
    }
    return filter;
  }

  /**
   * Whether the unary code of a group ends where its keys say: 128 zeros, a one for each key, a
   * zero last. Then no look-up leaves the group.
   */
  private boolean isGroup(int group) {
    long rank = bytes.get(INT, 4L * group);
    long keys = bytes.get(INT, 4L * (group + 1)) - rank;
    long base = bitsOffset + (long) group * GROUP_BUCKETS + rank * (1L + remainderBits);
    long bits = GROUP_BUCKETS + keys;
    long ones = 0;
    for (long at = 0; at < bits; at += Long.SIZE) {
      long left = bits - at;
      long mask = left >= Long.SIZE ? -1 : (1L << left) - 1;
      ones += Long.bitCount(window(base + at) & mask);
    }
    return ones == keys && (window(base + bits - 1) & 1) == 0;
  }

  long memoryBytes() {
    return bytes.byteSize();
  }

  /**
   * Touches the directory for a key: the first of two memory accesses, so that a caller with many
   * keys can have several on their way.
   *
   * @return what {@link #find} wants
   */
  int groupRank(long key) {
    return bytes.get(INT, (Math.unsignedMultiplyHigh(key, buckets) >>> 7) * 4);
  }

  /**
   * Touches a group's bits near where {@link #find} will look: its second memory access, for the
   * same reason.
   *
   * @param groupRank from {@link #groupRank} of the same key
   * @return nothing of meaning; the caller does something with it, so that it is not left out
   */
  int touch(long key, int groupRank) {
    long bucket = Math.unsignedMultiplyHigh(key, buckets);
    long inGroup = bucket & (GROUP_BUCKETS - 1);
    long base = bitsOffset + (bucket >>> 7) * GROUP_BUCKETS + groupRank * (1L + remainderBits);
    // A bucket has one key on average: two bits of the unary code, and a remainder.
    long counts = (base + 2 * inGroup) >>> 3;
    long remainders = (base + 2 * GROUP_BUCKETS + inGroup * remainderBits) >>> 3;
    return bytes.get(BYTE, counts) ^ bytes.get(BYTE, Math.min(remainders, bytes.byteSize() - 1));
  }

  /**
   * Finds the ranks at which a key may stand.
   *
   * @param groupRank from {@link #groupRank} of the same key
   * @return 0 if it is not in the run, else the number of neighbouring ranks in the upper half, the
   *     first in the lower
   */
  long find(long key, int groupRank) {
    long bucket = Math.unsignedMultiplyHigh(key, buckets);
    long remainder = (key * buckets) >>> (64 - remainderBits);
    long group = bucket >>> 7;
    int inGroup = (int) bucket & (GROUP_BUCKETS - 1);
    long base = bitsOffset + group * GROUP_BUCKETS + groupRank * (1L + remainderBits);

    // The keys of the bucket begin behind the zero that ends the bucket before it.
    int start = inGroup == 0 ? 0 : selectZero(base, inGroup - 1) + 1;
    int keys = countOnes(base + start);
    if (keys == 0) {
      return 0;
    }
    int before = start - inGroup;
    int groupKeys = bytes.get(INT, (group + 1) * 4) - groupRank;
    long at = base + GROUP_BUCKETS + groupKeys + (long) before * remainderBits;
    int first = -1;
    int count = 0;
    for (int i = 0; i < keys; i++, at += remainderBits) {
      long found = window(at) & ((1L << remainderBits) - 1);
      if (found >= remainder) {
        if (found > remainder) {
          break;
        }
        if (first < 0) {
          first = groupRank + before + i;
        }
        count++;
      }
    }
    return count == 0 ? 0 : (long) count << 32 | first;
  }

  long find(long key) {
    return find(key, groupRank(key));
  }

  /** The 64 bits from a bit position on. */
  private long window(long bit) {
    long at = bit >>> 3;
    int shift = (int) bit & 7;
    return bytes.get(LONG, at) >>> shift | ((long) bytes.get(BYTE, at + 8) << 1) << (63 - shift);
  }

  /** The position, from {@code base}, of the zero with number {@code zero}, from 0. */
  private int selectZero(long base, int zero) {
    int left = zero;
    int position = 0;
    while (true) {
      long zeros = ~window(base + position);
      int count = Long.bitCount(zeros);
      if (left < count) {
        return position + Long.numberOfTrailingZeros(Long.expand(1L << left, zeros));
      }
      left -= count;
      position += Long.SIZE;
    }
  }

  private int countOnes(long base) {
    int ones = Long.numberOfTrailingZeros(~window(base));
    int all = ones;
    while (ones == Long.SIZE) {
      ones = Long.numberOfTrailingZeros(~window(base + all));
      all += ones;
    }
    return all;
  }

  int groups() {
    return groups;
  }

  /** Builds a filter from keys in ascending order, in one pass. One thread at a time uses it. */
  static final class Builder {
    private final int groups;
    private final long buckets;
    private final int remainderBits;
    private final int[] ranks;
    private final int[] bucketKeys = new int[GROUP_BUCKETS];
    private int[] remainders = new int[4 * GROUP_BUCKETS];
    private int groupKeys;
    private int group;
    private int keyCount;
    private byte[] bits;
    private int bitsBytes;
    private long pending;
    private int pendingBits;

    /**
     * Makes an empty filter.
     *
     * @param expectedKeys how many keys there will be, as well as it is known: a wrong number makes
     *     the filter larger or lets more foreign keys pass
     */
    Builder(long expectedKeys, int remainderBits) {
      this.groups = groupsFor(expectedKeys);
      this.buckets = (long) groups * GROUP_BUCKETS;
      this.remainderBits = remainderBits;
      this.ranks = new int[groups + 1];
      this.bits =
          new byte
              [Math.toIntExact(
                  (buckets + expectedKeys * (1 + remainderBits)) / 8 + PADDING_BYTES + 64)];
    }

    /** Adds a key that is not smaller than the one before. */
    void add(long key) {
      int keyGroup = (int) (Math.unsignedMultiplyHigh(key, buckets) >>> 7);
      while (group < keyGroup) {
        endGroup();
      }
      if (groupKeys == remainders.length) {
        remainders = java.util.Arrays.copyOf(remainders, Math.multiplyExact(2, groupKeys));
      }
      bucketKeys[(int) Math.unsignedMultiplyHigh(key, buckets) & (GROUP_BUCKETS - 1)]++;
      remainders[groupKeys++] = (int) ((key * buckets) >>> (64 - remainderBits));
      keyCount = Math.addExact(keyCount, 1);
    }

    private void endGroup() {
      for (int i = 0; i < GROUP_BUCKETS; i++) {
        int ones = bucketKeys[i];
        for (; ones >= 32; ones -= 32) {
          append(0xffff_ffffL, 32);
        }
        append((1L << ones) - 1, ones + 1);
        bucketKeys[i] = 0;
      }
      for (int i = 0; i < groupKeys; i++) {
        append(remainders[i], remainderBits);
      }
      groupKeys = 0;
      ranks[++group] = keyCount;
    }

    private void append(long value, int count) {
      pending |= value << pendingBits;
      pendingBits += count;
      while (pendingBits >= 8) {
        if (bitsBytes == bits.length) {
          bits = java.util.Arrays.copyOf(bits, Math.addExact(bits.length, bits.length / 4 + 64));
        }
        bits[bitsBytes++] = (byte) pending;
        pending >>>= 8;
        pendingBits -= 8;
      }
    }

    /** Ends the filter; nothing can be added then. */
    void finish() {
      while (group < groups) {
        endGroup();
      }
      append(0, (8 - pendingBits) & 7);
      for (int i = 0; i < PADDING_BYTES; i++) {
        append(0, 8);
      }
    }

    int groups() {
      return groups;
    }

    int remainderBits() {
      return remainderBits;
    }

    /** Bytes of the finished filter. */
    long byteCount() {
      return directoryBytes(groups) + bitsBytes;
    }

    /** Copies the finished filter. */
    void copyTo(MemorySegment target) {
      for (int i = 0; i <= groups; i++) {
        target.set(INT, 4L * i, ranks[i]);
      }
      MemorySegment.copy(bits, 0, target, BYTE, directoryBytes(groups), bitsBytes);
    }
  }
}
