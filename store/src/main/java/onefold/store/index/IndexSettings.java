package onefold.store.index;

/**
 * How much an index may take.
 *
 * @param tableBytes memory of the table of newest entries before it is written to disk; while one
 *     is written a second may fill. Entries of containers that are not sealed cannot be written, so
 *     the tables grow beyond this bound by what those hold
 * @param cacheBytes memory for pages of runs
 * @param partitionEntries a partition with more entries is cut in two
 * @param mergeBytesPerSecond how much merging may write while nobody waits for it; 0 means as much
 *     as it can
 */
public record IndexSettings(
    long tableBytes, long cacheBytes, int partitionEntries, long mergeBytesPerSecond) {
  /** 64 MiB of newest entries (a million), 1 MiB of pages, partitions of 8 million entries. */
  public static final IndexSettings DEFAULT = new IndexSettings(64L << 20, 1L << 20, 8 << 20, 0);

  /** The least table: some thousand entries. */
  public static final long MIN_TABLE_BYTES = 64 << 10;

  public IndexSettings {
    if (tableBytes < MIN_TABLE_BYTES) {
      throw new IllegalArgumentException(
          "tableBytes " + tableBytes + ", least is " + MIN_TABLE_BYTES);
    }
    if (cacheBytes < 0) {
      throw new IllegalArgumentException("cacheBytes " + cacheBytes);
    }
    if (partitionEntries < 16) {
      throw new IllegalArgumentException("partitionEntries " + partitionEntries + ", least is 16");
    }
    if (mergeBytesPerSecond < 0) {
      throw new IllegalArgumentException("mergeBytesPerSecond " + mergeBytesPerSecond);
    }
  }

  /** The default with another size of the table. */
  public static IndexSettings withTableBytes(long tableBytes) {
    return new IndexSettings(
        tableBytes, DEFAULT.cacheBytes, DEFAULT.partitionEntries, DEFAULT.mergeBytesPerSecond);
  }
}
