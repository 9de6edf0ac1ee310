package onefold.store.index;

import java.util.Arrays;
import java.util.TreeSet;
import java.util.function.LongPredicate;

/**
 * Some records of a table in order of (fingerprint, container, location). Takes 8 bytes a record of
 * heap while it exists. It goes through the table once in the table's order and does not come back
 * to a record before its turn: a visit in another order is a cache miss.
 */
final class SortedRecords {
  private final MemoryTable table;
  private final long[] order;
  private final int indexBits;
  private final long[] containerParts;

  /**
   * Sorts the records of a table to which nothing is added any more.
   *
   * @param wanted the containers whose records are taken
   */
  SortedRecords(MemoryTable table, LongPredicate wanted) {
    this.table = table;
    int records = table.recordCount();
    indexBits = Integer.SIZE - Integer.numberOfLeadingZeros(Math.max(1, records - 1));
    long indexMask = (1L << indexBits) - 1;
    long[] keys = new long[records];
    var parts = new TreeSet<Long>();
    long lastPart = -1;
    long lastContainer = Places.ABSENT;
    boolean lastWanted = false;
    int count = 0;
    for (int i = 0; i < records; i++) {
      long container = table.field(i, MemoryTable.CONTAINER);
      if (container != lastContainer) {
        lastContainer = container;
        lastWanted = wanted.test(container);
        if (lastWanted && container >>> 16 != lastPart) {
          lastPart = container >>> 16;
          parts.add(lastPart);
        }
      }
      if (lastWanted) {
        keys[count++] = ((table.field(i, 0) ^ Long.MIN_VALUE) & ~indexMask) | i;
      }
    }
    order = count == records ? keys : Arrays.copyOf(keys, count);
    containerParts = parts.stream().mapToLong(Long::longValue).toArray();
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

  /** The records' container numbers without their lower 16 bits, each once, ascending. */
  long[] containerParts() {
    return containerParts;
  }

  /**
   * The position behind the last record of a partition.
   *
   * @param from position of its first record, if it has one
   */
  int end(int from, Partition partition) {
    int low = from;
    int high = order.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (partition.holds(order[middle] ^ Long.MIN_VALUE)) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /** The record's number in the table at a position of the order. */
  int record(int position) {
    return (int) (order[position] & ((1L << indexBits) - 1));
  }
}
