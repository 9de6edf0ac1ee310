package onefold.store.index;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import onefold.chunker.Fingerprint;
import org.jspecify.annotations.Nullable;

/**
 * What the index is made of at one moment: tables and partitions. A look-up holds the version it
 * began with until it ends, so whatever merging replaces stays readable for it.
 */
final class IndexVersion {
  /** Most partitions: with the default size of one, some 10^11 entries. */
  static final int MAX_PARTITIONS = 1 << RunFormat.MAX_PREFIX_BITS;

  /** Rows that are looked up together: enough to have many memory accesses on their way. */
  private static final int SLICE_ROWS = 512;

  private final MemoryTable active;
  private final @Nullable MemoryTable frozen;
  private final List<Partition> partitions;
  private final Partition[] byOrder;
  private final int shift;
  private final Run[][] runsOf;
  private final int[] byPrefix;
  private final boolean anyLost;
  private final AtomicInteger users = new AtomicInteger(1);

  /**
   * Makes a version; the one who makes it is its first user.
   *
   * @param partitions by ascending prefix, together all fingerprints
   */
  IndexVersion(MemoryTable active, @Nullable MemoryTable frozen, List<Partition> partitions) {
    this.active = active;
    this.frozen = frozen;
    this.partitions = List.copyOf(partitions);
    this.byOrder = partitions.toArray(new Partition[0]);
    this.runsOf = new Run[byOrder.length][];
    for (int i = 0; i < byOrder.length; i++) {
      runsOf[i] = byOrder[i].runs().toArray(new Run[0]);
    }
    int maxBits = 0;
    boolean lost = false;
    for (Partition partition : partitions) {
      maxBits = Math.max(maxBits, partition.prefixBits());
      lost |= partition.lostAt() != 0;
    }
    this.anyLost = lost;
    this.shift = Long.SIZE - maxBits;
    this.byPrefix = new int[1 << maxBits];
    int at = 0;
    for (int i = 0; i < byOrder.length; i++) {
      int width = 1 << (maxBits - byOrder[i].prefixBits());
      Arrays.fill(byPrefix, at, at + width, i);
      at += width;
    }
    if (at != byPrefix.length || byOrder.length > MAX_PARTITIONS) {
      throw new IllegalStateException("partitions that do not cover all fingerprints");
    }
  }

  MemoryTable active() {
    return active;
  }

  @Nullable MemoryTable frozen() {
    return frozen;
  }

  List<Partition> partitions() {
    return partitions;
  }

  /** Number of the partition of a fingerprint that begins with these eight bytes. */
  int partitionOf(long first) {
    return byPrefix.length == 1 ? 0 : byPrefix[(int) (first >>> shift)];
  }

  /** Becomes a user, unless there is none left. */
  boolean tryRetain() {
    int now = users.get();
    while (now > 0) {
      if (users.compareAndSet(now, now + 1)) {
        return true;
      }
      now = users.get();
    }
    return false;
  }

  /** Stops being a user; says whether that was the last one. */
  boolean release() {
    return users.decrementAndGet() == 0;
  }

  /** Says whether any partition has lost facts. Asked after every look-up. */
  boolean anyLost() {
    return anyLost;
  }

  /** Gives every entry of the keys to the reader's sink. */
  void find(byte[] fingerprints, int firstRow, int rows, long kindBit, PageReader reader) {
    int slice = Math.min(rows, SLICE_ROWS);
    int[] partitionOf = new int[slice];
    int[] groupRanks = new int[slice];
    long[] keys = new long[slice];
    Run.@Nullable Loaded[] loads = new Run.Loaded[slice];
    for (int row = firstRow; row < firstRow + rows; row += slice) {
      findSlice(
          fingerprints,
          row,
          Math.min(slice, firstRow + rows - row),
          kindBit,
          reader,
          partitionOf,
          groupRanks,
          keys,
          loads);
    }
  }

  private void findSlice(
      byte[] fingerprints,
      int firstRow,
      int rows,
      long kindBit,
      PageReader reader,
      int[] partitionOf,
      int[] groupRanks,
      long[] keys,
      Run.@Nullable Loaded[] loads) {
    MemoryTable second = frozen;
    int runs = 0;
    for (int i = 0; i < rows; i++) {
      int offset = (firstRow + i) * Fingerprint.BYTES;
      active.find(fingerprints, offset, kindBit, reader.sink(), firstRow + i);
      if (second != null) {
        second.find(fingerprints, offset, kindBit, reader.sink(), firstRow + i);
      }
      int partition = partitionOf((long) RunFormat.BIG_ENDIAN.get(fingerprints, offset));
      partitionOf[i] = partition;
      runs = Math.max(runs, runsOf[partition].length);
    }
    int touched = 0;
    for (int run = 0; run < runs; run++) {
      for (int i = 0; i < rows; i++) {
        Run.Loaded loaded = loaded(partitionOf[i], run, reader);
        loads[i] = loaded;
        if (loaded != null) {
          long key = loaded.layout().filterKey(fingerprints, (firstRow + i) * Fingerprint.BYTES);
          keys[i] = key;
          groupRanks[i] = loaded.filter().groupRank(key);
        }
      }
      for (int i = 0; i < rows; i++) {
        Run.Loaded loaded = loads[i];
        if (loaded != null) {
          touched += loaded.filter().touch(keys[i], groupRanks[i]);
        }
      }
      for (int i = 0; i < rows; i++) {
        Run.Loaded loaded = loads[i];
        if (loaded != null) {
          long found = loaded.filter().find(keys[i], groupRanks[i]);
          if (found != 0) {
            reader.candidate(
                firstRow + i,
                (firstRow + i) * Fingerprint.BYTES,
                runsOf[partitionOf[i]][run],
                loaded,
                (int) found,
                (int) (found >>> 32));
          }
        }
      }
    }
    reader.touched(touched);
    reader.readPages(fingerprints, kindBit);
  }

  private Run.@Nullable Loaded loaded(int partition, int run, PageReader reader) {
    Run[] runs = runsOf[partition];
    if (run >= runs.length) {
      return null;
    }
    Run.Loaded loaded = runs[run].loaded();
    return loaded != null ? loaded : reader.load(runs[run]);
  }
}
