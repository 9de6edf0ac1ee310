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

  /** Checks that minimum, mean and maximum are in order. */
  public ParameterSet {
    if (number < 0 || number > 0xffff) {
      throw new IllegalArgumentException("parameter set " + number);
    }
    if (minBytes < 1 || minBytes > meanBytes || meanBytes > maxBytes) {
      throw new IllegalArgumentException(
          "chunks of " + minBytes + ", " + meanBytes + ", " + maxBytes + " bytes");
    }
    if (nodeMinEntries < 2
        || nodeMinEntries >= nodeMeanEntries
        || nodeMeanEntries > nodeMaxEntries
        || nodeMaxEntries > MAX_NODE_ENTRIES) {
      throw new IllegalArgumentException(
          "nodes of " + nodeMinEntries + ", " + nodeMeanEntries + ", " + nodeMaxEntries);
    }
  }

  /** With this many entries of the widest kind a node has still less than 32 KiB. */
  private static final int MAX_NODE_ENTRIES = 512;

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
