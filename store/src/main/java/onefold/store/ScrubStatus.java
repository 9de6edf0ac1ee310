package onefold.store;

/**
 * Where the scrub of a domain stands. Times are store time in milliseconds, 0 for none.
 *
 * @param phase what it is doing
 * @param passes passes finished since the domain was made
 * @param begunAtMillis when the pass under way began
 * @param finishesAtMillis when the pass under way will be finished, at the pace it has
 * @param readBytes stored bytes that the pass under way has read
 * @param leftBytes about how many are left
 * @param lastBegunAtMillis when the last finished pass began: what is older and not listed as
 *     damaged was readable then
 * @param lastFinishedAtMillis when the last finished pass ended
 * @param lastReadBytes stored bytes that it read
 * @param bytesPerSecond the most that is read beside other work; 0 for no limit
 * @param damageCount damaged containers that are listed
 * @param quarantinedCount chunks of which no sound copy is known
 * @param repairedCount containers made whole since the domain was made
 * @param parity whether the domain keeps a parity for each container
 * @param withoutParityCount sealed containers that have none
 * @param problem why it does not go on, or empty
 */
public record ScrubStatus(
    Phase phase,
    long passes,
    long begunAtMillis,
    long finishesAtMillis,
    long readBytes,
    long leftBytes,
    long lastBegunAtMillis,
    long lastFinishedAtMillis,
    long lastReadBytes,
    long bytesPerSecond,
    int damageCount,
    int quarantinedCount,
    long repairedCount,
    boolean parity,
    int withoutParityCount,
    String problem) {
  /** What a scrub does. */
  public enum Phase {
    IDLE,
    READING,
    COVERING,
    REPAIRING,
    PAUSED
  }
}
