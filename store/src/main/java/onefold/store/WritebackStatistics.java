package onefold.store;

/**
 * What the write-back of a domain holds and has done since the start.
 *
 * @param objects files that are open or have changes which are not folded
 * @param dirtyObjects those of them with such changes
 * @param memoryBytes what changes take of memory
 * @param unfoldedBytes data that lies over recipes, in memory or in the log
 * @param logBytes records of the log from the first one that is needed on
 * @param logFileBytes what the log takes of the disk
 * @param loggedBytes bytes logged
 * @param streamedBytes data that went into recipes as it came, past the log
 * @param folds recipes made of changes
 * @param recoveredObjects files whose changes were taken from the log at the start
 */
public record WritebackStatistics(
    long objects,
    long dirtyObjects,
    long memoryBytes,
    long unfoldedBytes,
    long logBytes,
    long logFileBytes,
    long loggedBytes,
    long streamedBytes,
    long folds,
    long recoveredObjects) {
  /** Of a domain that has no shares. */
  public static final WritebackStatistics NONE =
      new WritebackStatistics(0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
}
