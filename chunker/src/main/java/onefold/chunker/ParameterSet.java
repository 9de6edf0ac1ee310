package onefold.chunker;

/**
 * A numbered, frozen choice of cut rule, sizes, node rule and fingerprint algorithm. A dedup domain
 * has exactly one, fixed when it is made; every release reads and writes all sets ever released.
 *
 * @param number from 1
 * @param minBytes no chunk is shorter, but the last of a stream or one that ends at a forced cut
 * @param meanBytes wished mean of data without structure
 * @param maxBytes no chunk is longer
 * @param nodeMinEntries no node has fewer entries, but the last of its level
 * @param nodeMeanEntries wished mean
 * @param nodeMaxEntries no node has more
 */
public record ParameterSet(
    int number,
    int minBytes,
    int meanBytes,
    int maxBytes,
    int nodeMinEntries,
    int nodeMeanEntries,
    int nodeMaxEntries) {

  /** Windowed two-stage rule, 2/8/64 KiB, SHA-256. */
  public static final ParameterSet SET_1 =
      new ParameterSet(1, 2 << 10, 8 << 10, 64 << 10, 32, 128, 512);

  /**
   * Returns the set with this number.
   *
   * @throws IllegalArgumentException if this release knows no such set
   */
  public static ParameterSet of(int number) {
    if (number != 1) {
      throw new IllegalArgumentException("parameter set " + number + ", this release knows set 1");
    }
    return SET_1;
  }
}
