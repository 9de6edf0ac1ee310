package onefold.store.inspect;

import onefold.store.index.IndexStatistics;

/**
 * How an index stands to the containers that it is derived from.
 *
 * @param figures its size
 * @param chunks slots of all containers, those that are lost left out
 * @param found of those, in the index
 * @param missing of those, not found: stored again when they come again, until the index is rebuilt
 * @param covered containers that the index has whole on disk
 * @param containers containers there are
 * @param damaged whether the index itself says that a part of it must be built again
 */
public record IndexReport(
    InspectedDomain domain,
    IndexStatistics figures,
    long chunks,
    long found,
    long missing,
    int covered,
    int containers,
    boolean damaged) {
  /**
   * Whether it has every container whole on disk; if not, a start reads the others' directories.
   */
  public boolean isComplete() {
    return covered == containers;
  }
}
