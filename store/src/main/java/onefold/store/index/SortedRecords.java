package onefold.store.index;

import java.util.Arrays;

/**
 * The records of a table in order of (fingerprint, container, location). Takes 8 bytes a record of
 * heap while it exists.
 */
final class SortedRecords {
  private final MemoryTable table;
  private final long[] order;
  private final int indexBits;

  /** Sorts a table to which nothing is added any more. */
  SortedRecords(MemoryTable table) {
    this.table = table;
    int count = table.recordCount();
    indexBits = Integer.SIZE - Integer.numberOfLeadingZeros(Math.max(1, count - 1));
    long indexMask = (1L << indexBits) - 1;
    order = new long[count];
    for (int i = 0; i < count; i++) {
      order[i] = ((table.field(i, 0) ^ Long.MIN_VALUE) & ~indexMask) | i;
    }
    Arrays.sort(order);
    for (int from = 0; from < count; ) {
      int to = from + 1;
      while (to < count && (order[to] ^ order[from]) >>> indexBits == 0) {
        to++;
      }
      if (to - from > 1) {
        sortTies(from, to);
      }
      from = to;
    }
  }

  /** Sorts records that agree in the bits that the first sorting looked at. */
  private void sortTies(int from, int to) {
    Integer[] ties = new Integer[to - from];
    for (int i = from; i < to; i++) {
      ties[i - from] = record(i);
    }
    Arrays.sort(ties, this::compare);
    long high = order[from] >>> indexBits << indexBits;
    for (int i = from; i < to; i++) {
      order[i] = high | ties[i - from];
    }
  }

  private int compare(int one, int other) {
    for (int field = 0; field <= MemoryTable.LOCATION; field++) {
      int result = Long.compareUnsigned(table.field(one, field), table.field(other, field));
      if (result != 0) {
        return result;
      }
    }
    return 0;
  }

  int count() {
    return order.length;
  }

  /** The record's number in the table at a position of the order. */
  int record(int position) {
    return (int) (order[position] & (1L << indexBits) - 1);
  }
}
