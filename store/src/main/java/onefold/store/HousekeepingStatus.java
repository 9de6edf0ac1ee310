package onefold.store;

/**
 * Where housekeeping stands in a domain.
 *
 * @param phase what it is doing
 * @param cycle counts finished cycles since the domain was made
 * @param lastFinishedAtMillis store time of the last finished cycle, or 0
 * @param liveChunkCount chunks found live by the last mark
 * @param backlogBytes stored bytes that the last mark found unreferenced and that are not yet
 *     returned
 * @param reclaimedBytes stored bytes returned to the file system since the start
 * @param problem why the sweep is stopped, or empty
 */
public record HousekeepingStatus(
    Phase phase,
    long cycle,
    long lastFinishedAtMillis,
    long liveChunkCount,
    long backlogBytes,
    long reclaimedBytes,
    String problem) {
  /** What housekeeping does. */
  public enum Phase {
    IDLE,
    MARKING,
    SWEEPING,
    PAUSED,
    STOPPED
  }
}
