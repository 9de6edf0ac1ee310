package onefold.store.journal;

/**
 * Where a record stands in a journal.
 *
 * @param epoch of the writer, from 1; a journal never goes back to a lower one
 * @param position number of the record, from 1, without gaps
 */
public record JournalPosition(long epoch, long position) implements Comparable<JournalPosition> {
  /** Checks that both count from 1. */
  public JournalPosition {
    if (epoch < 1) {
      throw new IllegalArgumentException("epoch " + epoch);
    }
    if (position < 1) {
      throw new IllegalArgumentException("position " + position);
    }
  }

  @Override
  public int compareTo(JournalPosition other) {
    int order = Long.compare(epoch, other.epoch);
    return order == 0 ? Long.compare(position, other.position) : order;
  }
}
