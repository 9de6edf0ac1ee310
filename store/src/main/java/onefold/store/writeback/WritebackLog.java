package onefold.store.writeback;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.util.Optional;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.device.Device;
import onefold.store.journal.GroupBarrier;
import onefold.store.journal.Journal;
import onefold.store.journal.JournalPosition;
import onefold.store.journal.JournalSettings;
import onefold.store.journal.JournalVisitor;
import onefold.store.scheduler.Promise;
import onefold.store.scheduler.Scheduler;
import onefold.store.writeback.Extent.Logged;
import onefold.store.writeback.WritebackFormat.LogRecord;
import onefold.store.writeback.WritebackFormat.Part;

/**
 * The log of one domain: a {@link Journal} of its own, whose group commit makes one barrier of all
 * forces that wait. Any number of threads.
 */
final class WritebackLog implements AutoCloseable, LoggedBytes.Source {
  /** Payload bytes that wait for the journal's writer, before whoever appends waits. */
  private static final int MAX_WAITING_BYTES = 16 << 20;

  private final Journal journal;
  private final String directory;

  private WritebackLog(Journal journal, String directory) {
    this.journal = journal;
    this.directory = directory;
  }

  /** A record on its way into the log. */
  static final class Appended implements Journal.PlaceListener {
    final LogRecord record;
    final int payloadBytes;
    private final Promise<JournalPosition> promise;
    private volatile long segmentNumber;
    private volatile long payloadOffset;

    private Appended(Journal journal, LogRecord record, boolean here) {
      byte[] payload = WritebackFormat.encode(record);
      this.record = record;
      this.payloadBytes = payload.length;
      this.promise =
          here
              ? journal.appendHere(WritebackFormat.JOURNAL_TYPE, payload, this)
              : journal.append(WritebackFormat.JOURNAL_TYPE, payload, this);
    }

    @Override
    public void placed(long segment, long offsetBytes) {
      segmentNumber = segment;
      payloadOffset = offsetBytes;
    }

    /** Waits until it is durable and returns where it stands. */
    long await() throws IOException {
      return promise.await().position();
    }

    /** Where the bytes of each data part lie, in the order of all parts; null for others. */
    Logged[] places() {
      int at = payloadBytes;
      for (Part part : record.parts()) {
        at -= part instanceof Part.Data ? (int) part.length() : 0;
      }
      Logged[] places = new Logged[record.parts().size()];
      for (int i = 0; i < places.length; i++) {
        if (record.parts().get(i) instanceof Part.Data data) {
          int length = (int) data.length();
          places[i] = new Logged(segmentNumber, payloadOffset + at, length, data.crc());
          at += length;
        }
      }
      return places;
    }
  }

  /** Takes the records found at a start. */
  @FunctionalInterface
  interface Visitor {
    /**
     * Takes one.
     *
     * @param position where it stands
     * @param payloadBytes what it takes
     * @param segmentNumber where the bytes of its data parts lie, at
     * @param offsetBytes plus their {@code offset}
     */
    void record(
        LogRecord record, long position, int payloadBytes, long segmentNumber, long offsetBytes)
        throws IOException;
  }

  /** Whether there is a log in a directory. */
  static boolean exists(Device device, String directory) throws IOException {
    return device.exists(directory);
  }

  /**
   * Opens the log, which is made if it is missing.
   *
   * @param neededFrom what was kept last as the first position needed
   * @throws CorruptDataException if records from there on are lost that were durable
   */
  static WritebackLog open(
      Device device,
      Scheduler scheduler,
      String directory,
      Id domainId,
      long epoch,
      long neededFrom,
      int segmentBytes)
      throws IOException {
    Journal journal =
        Journal.open(
            device,
            scheduler,
            directory,
            domainId,
            epoch,
            neededFrom,
            new JournalSettings(segmentBytes, MAX_WAITING_BYTES),
            GroupBarrier.NONE);
    var damage = journal.damage();
    if (damage.isPresent()) {
      journal.close();
      throw damage.get();
    }
    return new WritebackLog(journal, directory);
  }

  /**
   * Gives up records that are lost, so that the log can be opened.
   *
   * @return what is lost; empty if nothing is
   */
  static Optional<CorruptDataException> acceptLoss(
      Device device,
      Scheduler scheduler,
      String directory,
      Id domainId,
      long epoch,
      long neededFrom,
      int segmentBytes)
      throws IOException {
    try (Journal journal =
        Journal.open(
            device,
            scheduler,
            directory,
            domainId,
            epoch,
            neededFrom,
            new JournalSettings(segmentBytes, MAX_WAITING_BYTES),
            GroupBarrier.NONE)) {
      Optional<CorruptDataException> damage = journal.damage();
      if (damage.isPresent()) {
        journal.acceptLoss();
      }
      return damage;
    }
  }

  /** Hands out all records from a position on. */
  void scan(long from, Visitor visitor) throws IOException {
    journal.replay(
        from,
        new JournalVisitor() {
          @Override
          public void record(JournalPosition position, int type, byte[] payload) {
            throw new IllegalStateException("a record without a place");
          }

          @Override
          public void record(
              JournalPosition position, int type, byte[] payload, long segment, long offset)
              throws IOException {
            String where = directory + ", record " + position.position();
            if (type != WritebackFormat.JOURNAL_TYPE) {
              throw new CorruptDataException(
                  where, -1, "type " + WritebackFormat.JOURNAL_TYPE, "type " + type);
            }
            visitor.record(
                WritebackFormat.decode(where, payload),
                position.position(),
                payload.length,
                segment,
                offset);
          }

          @Override
          public void lost(long fromPosition, long toPosition, CorruptDataException why) {
            // That was accepted; what followed of an object does not follow any more.
          }
        });
  }

  /**
   * Appends a record; whoever wants it durable waits for it.
   *
   * @param here whether the caller will do so at once, and may as well write it
   */
  Appended append(LogRecord record, boolean here) {
    return new Appended(journal, record, here);
  }

  /**
   * Reads bytes of a data part, all of them, and checks them.
   *
   * @throws CorruptDataException if they are not what was logged, or the segment has been given
   *     back because nobody needs it any more
   */
  @Override
  public byte[] read(Logged logged) throws IOException {
    byte[] bytes = new byte[logged.lengthBytes()];
    String where = directory + ", segment " + logged.segmentNumber();
    try {
      journal.read(logged.segmentNumber(), logged.offsetBytes(), ByteBuffer.wrap(bytes));
    } catch (NoSuchFileException e) {
      throw new CorruptDataException(where, logged.offsetBytes(), "the segment", "none");
    }
    int found = WritebackFormat.crc(bytes, 0, bytes.length);
    if (found != logged.crc()) {
      throw new CorruptDataException(
          where,
          logged.offsetBytes(),
          bytes.length + " bytes with checksum " + Integer.toHexString(logged.crc()),
          "checksum " + Integer.toHexString(found));
    }
    return bytes;
  }

  /** The position that the next record gets, or a lower one. */
  long nextPosition() {
    return journal.nextPosition();
  }

  /** Gives back the segments that hold no record from a position on. */
  void trim(long neededFrom) throws IOException {
    journal.trim(neededFrom - 1);
  }

  long fileBytes() throws IOException {
    return journal.fileBytes();
  }

  @Override
  public void close() throws IOException {
    journal.close();
  }
}
