package onefold.store.index;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which runs are merged next.
 *
 * <p>A partition may have {@link #MAX_RUNS} runs, because a look-up of what is not there asks the
 * filter of each, and no more than its filters' false positives allow ({@link
 * Partition#MAX_UNITS}). When it has more, its smallest runs are merged: the two smallest, and
 * further ones so long as the next is not larger than those before it together. An entry is written
 * 3.9 times at 10^8 entries with flushes of 800,000, 4.6 times at 2 * 10^8.
 */
final class MergePolicy {
  /**
   * One piece of work.
   *
   * @param partition whose runs are merged
   * @param inputs which of them
   * @param split whether the outcome is cut into the partition's two halves
   * @param all whether all runs of the partition take part
   */
  record Merge(Partition partition, List<Run> inputs, boolean split, boolean all) {}

  /**
   * Runs of a partition when nothing is left to merge. With 12 runs an absent chunk took 4.1
   * microseconds of a core at 10^8 entries, most of it waiting for memory.
   */
  static final int MAX_RUNS = 6;

  private MergePolicy() {}

  /**
   * Chooses the next merge.
   *
   * @param partitionEntries a partition with more is split
   * @param sweep partitions of which not all runs have been merged since this sweep was wanted are
   *     merged as a whole when there is nothing more urgent
   * @return null if there is nothing to do
   */
  static @Nullable Merge next(List<Partition> partitions, int partitionEntries, long sweep) {
    Merge best = null;
    double bestLoad = 1;
    for (Partition partition : partitions) {
      double load =
          Math.max(
              partition.units() / (double) Partition.MAX_UNITS,
              partition.runs().size() / (double) MAX_RUNS);
      if (load > bestLoad) {
        List<Run> inputs = smallest(partition.whole());
        if (inputs.size() > 1) {
          best = new Merge(partition, inputs, false, inputs.size() == partition.runs().size());
          bestLoad = load;
        }
      }
    }
    if (best != null) {
      return best;
    }
    for (Partition partition : partitions) {
      if (partition.entryCount() > partitionEntries
          && partition.prefixBits() < RunFormat.MAX_PREFIX_BITS
          && partition.lostAt() == 0) {
        return new Merge(partition, partition.runs(), true, true);
      }
    }
    for (Partition partition : partitions) {
      if (partition.sweptAt() < sweep && !partition.whole().isEmpty()) {
        return new Merge(partition, partition.whole(), false, true);
      }
    }
    return null;
  }

  private static List<Run> smallest(List<Run> runs) {
    var bySize = new ArrayList<>(runs);
    bySize.sort(Comparator.comparingInt(run -> run.identity().entryCount()));
    long sum = 0;
    int count = 0;
    while (count < bySize.size()
        && (count < 2 || bySize.get(count).identity().entryCount() <= sum)) {
      sum += bySize.get(count++).identity().entryCount();
    }
    return bySize.subList(0, count);
  }
}
