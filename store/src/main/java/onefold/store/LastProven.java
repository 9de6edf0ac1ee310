package onefold.store;

/**
 * When all that an item needs was last read back from the disk and found right.
 *
 * @param state what is known
 * @param atMillis for {@link State#PROVEN}, store time: no byte was read before it; else 0
 */
public record LastProven(State state, long atMillis) {
  /** What is known. */
  public enum State {
    /** Every container that held a part of it has been read, and no damage touches it. */
    PROVEN,

    /** It is younger than the last finished pass. */
    NOT_YET,

    /** Something that it needs is damaged, and has no sound copy. */
    DAMAGED,

    /** Something is damaged, and it is not known yet whether the item needs it. */
    UNKNOWN
  }
}
