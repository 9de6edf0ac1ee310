package onefold.store.scrub;

/**
 * Where the scrub of a domain stands, as it is kept in the catalog. Times are store time in
 * milliseconds.
 *
 * @param running whether a pass is under way
 * @param paused whether somebody has paused it
 * @param passes passes finished
 * @param begunAtMillis when the pass under way began
 * @param cursor number of the last container that it has read
 * @param limit the first container number that it does not read
 * @param readBytes stored bytes that it has read
 * @param readContainers containers that it has read
 * @param lastBegunAtMillis when the last finished pass began, or 0
 * @param lastFinishedAtMillis when it ended
 * @param lastReadBytes what it read
 * @param repairedCount containers made whole
 */
record ScrubRecord(
    boolean running,
    boolean paused,
    long passes,
    long begunAtMillis,
    long cursor,
    long limit,
    long readBytes,
    long readContainers,
    long lastBegunAtMillis,
    long lastFinishedAtMillis,
    long lastReadBytes,
    long repairedCount) {
  static final ScrubRecord FIRST = new ScrubRecord(false, false, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

  ScrubRecord begun(long atMillis, long newLimit) {
    return new ScrubRecord(
        true,
        paused,
        passes,
        atMillis,
        0,
        newLimit,
        0,
        0,
        lastBegunAtMillis,
        lastFinishedAtMillis,
        lastReadBytes,
        repairedCount);
  }

  ScrubRecord behind(long container, long bytes) {
    return new ScrubRecord(
        running,
        paused,
        passes,
        begunAtMillis,
        container,
        limit,
        readBytes + bytes,
        readContainers + 1,
        lastBegunAtMillis,
        lastFinishedAtMillis,
        lastReadBytes,
        repairedCount);
  }

  ScrubRecord finished(long atMillis) {
    return new ScrubRecord(
        false,
        paused,
        passes + 1,
        0,
        0,
        0,
        0,
        0,
        begunAtMillis,
        atMillis,
        readBytes,
        repairedCount);
  }

  ScrubRecord withPaused(boolean newPaused) {
    return new ScrubRecord(
        running,
        newPaused,
        passes,
        begunAtMillis,
        cursor,
        limit,
        readBytes,
        readContainers,
        lastBegunAtMillis,
        lastFinishedAtMillis,
        lastReadBytes,
        repairedCount);
  }

  ScrubRecord withRepaired() {
    return new ScrubRecord(
        running,
        paused,
        passes,
        begunAtMillis,
        cursor,
        limit,
        readBytes,
        readContainers,
        lastBegunAtMillis,
        lastFinishedAtMillis,
        lastReadBytes,
        repairedCount + 1);
  }
}
