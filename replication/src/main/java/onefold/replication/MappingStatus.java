package onefold.replication;

import java.util.List;

/**
 * Where a mapping stands.
 *
 * @param state what it does
 * @param problem why the last pass did not come to its end; empty if it did
 * @param items items of the store here, as the last look at it had them
 * @param provenItems of these, known to be durable on the peer as they are
 * @param lagBytes logical bytes of the others
 * @param lagMillis store time since the commit of the oldest of the others; 0 for none
 * @param pass number of the pass under way, or of the last one; counts from 1 since the start
 * @param finishedPass number of the last pass that ended, well or not; 0 for none
 * @param lastPassMillis time of day when it ended; 0 for none
 * @param item the item that is being copied; empty for none
 * @param itemSettledBytes of it, known to be on the peer
 * @param itemBytes its length
 * @param gaps of the last pass, the first {@value SyncPass#MAX_GAPS}
 * @param gapCount all of them
 * @param figures all its passes
 */
public record MappingStatus(
    State state,
    String problem,
    long items,
    long provenItems,
    long lagBytes,
    long lagMillis,
    long pass,
    long finishedPass,
    long lastPassMillis,
    String item,
    long itemSettledBytes,
    long itemBytes,
    List<Gap> gaps,
    long gapCount,
    Figures figures) {
  /** What a mapping does. */
  public enum State {
    /** Waits for a change, its time, or to be asked. */
    IDLE,
    /** Compares and copies. */
    SYNCING,
    /** Rests until it is told to go on. */
    PAUSED,
    /** Could not go on, and will try again by itself. */
    WAITING
  }
}
