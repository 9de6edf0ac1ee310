package onefold.store;

/**
 * Where housekeeping stands in a domain.
 *
 * @param phase what it is doing
 * @param cycle counts finished cycles since the domain was made
 * @param startedAtMillis store time at which the cycle that runs began; 0 if none does
 * @param progressPermille how much of its phase is done
 * @param wanted whether another cycle will begin by itself
 * @param lastFinishedAtMillis store time of the last finished cycle, or 0
 * @param liveChunkCount chunks found live by the last mark
 * @param backlogBytes stored bytes that the last mark found unreferenced and that are not yet
 *     returned; while a sweep runs, an estimate for the containers that it has not reached
 * @param reclaimedBytes stored bytes returned to the file system since the start
 * @param copyReadBytes bytes read since the start to copy live chunks out of containers
 * @param copyFreedBytes bytes that these containers took, less what was stored of them again
 * @param restedMillis how long it has rested since the start because uploads or readers worked
 * @param problem why the sweep is stopped, or empty
 */
public record HousekeepingStatus(
    Phase phase,
    long cycle,
    long startedAtMillis,
    int progressPermille,
    boolean wanted,
    long lastFinishedAtMillis,
    long liveChunkCount,
    long backlogBytes,
    long reclaimedBytes,
    long copyReadBytes,
    long copyFreedBytes,
    long restedMillis,
    String problem) {
  /** What housekeeping does. */
  public enum Phase {
    IDLE,
    MARKING,
    SWEEPING,
    PAUSED,
    STOPPED
  }

  /** One in which nothing runs and nothing has been copied. */
  public HousekeepingStatus(
      Phase phase,
      long cycle,
      long lastFinishedAtMillis,
      long liveChunkCount,
      long backlogBytes,
      long reclaimedBytes,
      String problem) {
    this(
        phase,
        cycle,
        0,
        0,
        false,
        lastFinishedAtMillis,
        liveChunkCount,
        backlogBytes,
        reclaimedBytes,
        0,
        0,
        0,
        problem);
  }
}
