package onefold.store.journal;

import java.io.IOException;
import onefold.store.CorruptDataException;

/** Takes the records of a replay, in order of position. */
@FunctionalInterface
public interface JournalVisitor {
  /**
   * Takes one record.
   *
   * @param position where it stands, with the epoch in which it was written
   * @param type as it was appended
   * @param payload as it was appended; the visitor's own from now on
   */
  void record(JournalPosition position, int type, byte[] payload) throws IOException;

  /**
   * Takes one record and where it lies.
   *
   * @param segmentNumber for {@link Journal#read}
   * @param offsetBytes of the payload's first byte
   */
  default void record(
      JournalPosition position, int type, byte[] payload, long segmentNumber, long offsetBytes)
      throws IOException {
    record(position, type, payload);
  }

  /**
   * Says that records are lost for ever, where a loss has been accepted.
   *
   * @param fromPosition the first lost one
   * @param toPosition one past the last lost one
   * @param why what was found where they should be
   */
  default void lost(long fromPosition, long toPosition, CorruptDataException why)
      throws IOException {
    throw why;
  }
}
