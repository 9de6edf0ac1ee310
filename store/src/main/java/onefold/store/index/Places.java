package onefold.store.index;

import java.util.Arrays;

/**
 * Where the chunks of a batch lie, as columns. Row i answers chunk i of the batch that was looked
 * up. The columns are handed out and stay valid until the next look-up into the same object. One
 * thread at a time uses it; it grows with the batches and can be used again.
 */
public final class Places {
  /** Stands in the container column for a chunk that the index does not have. */
  public static final long ABSENT = 0;

  private long[] containerNumbers;
  private int[] slots;
  private int[] lengths;
  private int count;

  /** Makes an answer with room for {@code capacity} chunks. */
  public Places(int capacity) {
    if (capacity < 1) {
      throw new IllegalArgumentException("capacity " + capacity);
    }
    containerNumbers = new long[capacity];
    slots = new int[capacity];
    lengths = new int[capacity];
  }

  /** Makes {@code count} rows that say absent. */
  void reset(int newCount) {
    if (newCount > containerNumbers.length) {
      containerNumbers = new long[newCount];
      slots = new int[newCount];
      lengths = new int[newCount];
    } else {
      Arrays.fill(containerNumbers, 0, newCount, ABSENT);
    }
    count = newCount;
  }

  void set(int row, long containerNumber, long location) {
    containerNumbers[row] = containerNumber;
    slots[row] = Locations.slot(location);
    lengths[row] = Locations.lengthBytes(location);
  }

  /** Rows of the last look-up. */
  public int count() {
    return count;
  }

  /** The column of container numbers; {@link #ABSENT} where the index has no such chunk. */
  public long[] containerNumbers() {
    return containerNumbers;
  }

  /** The column of slots in the container's directory; meaningless where the chunk is absent. */
  public int[] slots() {
    return slots;
  }

  /** The column of plain lengths in bytes; meaningless where the chunk is absent. */
  public int[] lengths() {
    return lengths;
  }

  /** Whether the index has chunk {@code row}. */
  public boolean isPresent(int row) {
    if (row < 0 || row >= count) {
      throw new IndexOutOfBoundsException("row " + row + " of " + count);
    }
    return containerNumbers[row] != ABSENT;
  }
}
