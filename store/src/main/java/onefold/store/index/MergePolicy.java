package onefold.store.index;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which runs are merged next.
 *
 * <p>A partition may have as many runs as its filters allow ({@link Partition#MAX_UNITS}). When it
 * has more, its smallest runs are merged: the two smallest, and further ones so long as the next is
 * not larger than those before it together. With k runs allowed and n flushes of equal size an
 * entry is written about d times, where n is the binomial coefficient of d + k over k: 4 times at
 * 100 flushes, 8 times at 1,000.
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
    int bestUnits = Partition.MAX_UNITS;
    for (Partition partition : partitions) {
      int units = partition.units();
      if (units > bestUnits) {
        List<Run> inputs = smallest(partition.whole());
        if (inputs.size() > 1) {
          best = new Merge(partition, inputs, false, inputs.size() == partition.runs().size());
          bestUnits = units;
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
