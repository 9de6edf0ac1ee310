package onefold.appliance.analyze;

import java.util.Arrays;

/**
 * A set of 64-bit chunk hashes of bounded memory. When it is full it keeps every second hash only,
 * by a bit of the hash, and from then on each new one stands for twice as many: counts become
 * estimates with a relative error of about one over the square root of the number kept. One thread
 * at a time uses it.
 */
final class SeenChunks {
  /** Hashes kept at most: 64 MiB of table. */
  static final int MAX_KEPT = 4 << 20;

  private final int maxKept;
  private long[] table = new long[1 << 12];
  private int kept;
  private int thinningBits;

  SeenChunks(int maxKept) {
    this.maxKept = maxKept;
  }

  /**
   * Returns how many chunks a new one stands for: 0 if this hash was seen or is left out by the
   * thinning.
   */
  int weightIfNew(long hash) {
    long key = hash == 0 ? 1 : hash;
    if (!sampled(key)) {
      return 0;
    }
    int slot = slotOf(table, key);
    if (table[slot] == key) {
      return 0;
    }
    table[slot] = key;
    kept++;
    if (kept * 2L > table.length) {
      grow();
    }
    return 1 << thinningBits;
  }

  private boolean sampled(long key) {
    // High bits choose the sample, low bits the slot.
    return thinningBits == 0 || key >>> (Long.SIZE - thinningBits) == 0;
  }

  private void grow() {
    if (kept > maxKept) {
      thinningBits++;
    }
    long[] old = table;
    table = new long[kept > maxKept ? old.length : old.length * 2];
    kept = 0;
    Arrays.stream(old)
        .filter(key -> key != 0 && sampled(key))
        .forEach(key -> {
          table[slotOf(table, key)] = key;
          kept++;
        });
  }

  private static int slotOf(long[] table, long key) {
    int mask = table.length - 1;
    int slot = (int) key & mask;
    while (table[slot] != 0 && table[slot] != key) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }
}
