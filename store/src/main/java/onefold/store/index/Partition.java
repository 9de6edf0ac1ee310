package onefold.store.index;

import java.util.ArrayList;
import java.util.List;

/**
 * The part of the index whose fingerprints begin with the same bits, as it is in one version.
 * Immutable; runs are in no particular order, for facts have none.
 *
 * @param prefixBits how many bits
 * @param prefix those bits, at the top of the number
 * @param runs the runs
 * @param lostAt generation of the last damage by which facts were lost, 0 if it is whole
 * @param sweptAt sweep in which all runs were merged last
 */
record Partition(int prefixBits, long prefix, List<Run> runs, long lostAt, long sweptAt) {
  /** The sum of the filters' false positives is counted in these: 2^-13 of foreign keys. */
  static final int UNIT_BITS = 13;

  /**
   * At most 0.44 % of foreign keys pass some filter of a partition, so long as merging keeps up.
   */
  static final int MAX_UNITS = 36;

  private static final int LARGE_REMAINDER_BITS = 10;
  private static final int SMALL_SHARE = 16;

  Partition {
    runs = List.copyOf(runs);
  }

  /** The only partition of an empty index. */
  static Partition ofAll() {
    return new Partition(0, 0, List.of(), 0, 0);
  }

  boolean samePrefix(Partition other) {
    return prefixBits == other.prefixBits && prefix == other.prefix;
  }

  /** Whether a fingerprint with these first eight bytes belongs here. */
  boolean holds(long first) {
    return prefixBits == 0 || (first ^ prefix) >>> (Long.SIZE - prefixBits) == 0;
  }

  Partition withRuns(List<Run> newRuns) {
    return new Partition(prefixBits, prefix, newRuns, lostAt, sweptAt);
  }

  Partition with(Run run) {
    var more = new ArrayList<>(runs);
    more.add(run);
    return withRuns(more);
  }

  Partition lost(long generation) {
    return new Partition(prefixBits, prefix, runs, generation, sweptAt);
  }

  /** Whole again: without the runs that were found damaged. */
  Partition healed() {
    return new Partition(prefixBits, prefix, whole(), 0, sweptAt);
  }

  Partition swept(long sweep) {
    return new Partition(prefixBits, prefix, runs, lostAt, sweep);
  }

  /** The half whose next bit is {@code bit}, without runs. */
  Partition half(int bit) {
    long newPrefix = prefix | (long) bit << (Long.SIZE - 1 - prefixBits);
    return new Partition(prefixBits + 1, newPrefix, List.of(), lostAt, sweptAt);
  }

  /** The runs in which no damage was found. */
  List<Run> whole() {
    return runs.stream().filter(run -> run.damagedAt() == 0).toList();
  }

  long entryCount() {
    long sum = 0;
    for (Run run : runs) {
      sum += run.identity().entryCount();
    }
    return sum;
  }

  int units() {
    int units = 0;
    for (Run run : runs) {
      units += unitsOf(run);
    }
    return units;
  }

  static int unitsOf(Run run) {
    return 1 << Math.max(0, UNIT_BITS - run.identity().remainderBits());
  }

  /**
   * How many bits the filter of a new run gets: small runs, whose memory does not count, get more,
   * so that a partition may have many of them.
   */
  int remainderBits(long entries) {
    return entries * SMALL_SHARE < entryCount() ? UNIT_BITS : LARGE_REMAINDER_BITS;
  }
}
