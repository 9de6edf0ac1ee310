package onefold.store.journal;

/**
 * Sizes of a journal.
 *
 * @param segmentBytes how long a segment file is made, {@link #MIN_SEGMENT_BYTES} to {@link
 *     #MAX_SEGMENT_BYTES}; a record that is longer gets a segment of its own length
 * @param maxWaitingBytes payload bytes that may wait for the writer before {@code append} waits; a
 *     single longer record is let in when nothing else waits
 */
public record JournalSettings(int segmentBytes, int maxWaitingBytes) {
  /** Below this a segment is mostly header. */
  public static final int MIN_SEGMENT_BYTES = 4 << 10;

  /** A segment is read into memory as a whole when the journal is opened or replayed. */
  public static final int MAX_SEGMENT_BYTES = 64 << 20;

  /**
   * Segments of 512 KiB, of which up to three take space at a time, and 16 MiB waiting.
   * Preallocated space counts against the ratio of a small store, so segments are no longer than
   * they need be.
   */
  public static final JournalSettings DEFAULT = new JournalSettings(512 << 10, 16 << 20);

  /** Checks both against their bounds. */
  public JournalSettings {
    if (segmentBytes < MIN_SEGMENT_BYTES || segmentBytes > MAX_SEGMENT_BYTES) {
      throw new IllegalArgumentException(
          "segmentBytes "
              + segmentBytes
              + ", must be "
              + MIN_SEGMENT_BYTES
              + " to "
              + MAX_SEGMENT_BYTES);
    }
    if (maxWaitingBytes < 1) {
      throw new IllegalArgumentException("maxWaitingBytes " + maxWaitingBytes);
    }
  }
}
