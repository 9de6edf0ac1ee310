package onefold.store.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import onefold.store.device.DeviceFile;

/** Writes records to one segment, one behind another. Owns the file. One task at a time uses it. */
final class SegmentWriter implements AutoCloseable {
  private static final int SMALL_GROUP_BYTES = 32 << 10;
  private static final byte[] NO_PAYLOAD = new byte[0];
  private static final byte[] PADDING = new byte[JournalFormat.ALIGNMENT_BYTES];

  private final DeviceFile file;
  private final ByteBuffer scratch;
  private final byte[] recordHeader = new byte[JournalFormat.RECORD_HEADER_BYTES];
  private final long salt;
  private final long epoch;
  final long number;
  final String path;
  final int allocatedBytes;

  private int endBytes = JournalFormat.HEADER_BYTES;
  private int writtenBytes = JournalFormat.HEADER_BYTES;
  private int count;
  private int forces;

  /** Takes over a file whose header has been written; the scratch buffer is shared, not owned. */
  SegmentWriter(
      DeviceFile file, String path, JournalFormat.SegmentHeader header, ByteBuffer scratch) {
    this.file = file;
    this.path = path;
    this.scratch = scratch;
    this.salt = header.salt();
    this.epoch = header.epoch();
    this.number = header.number();
    this.allocatedBytes = Math.toIntExact(header.allocatedBytes());
  }

  /** Whether records of so many bytes in all, and an end record, have room. */
  boolean fits(long recordBytes) {
    return recordBytes <= allocatedBytes - endBytes - JournalFormat.RECORD_HEADER_BYTES;
  }

  /** Where the payload of the next record will begin. */
  long nextPayloadOffset() {
    return endBytes + (long) JournalFormat.RECORD_HEADER_BYTES;
  }

  /** One past the last record that was put. */
  int endBytes() {
    return endBytes;
  }

  boolean isMoreThanHalfFull() {
    return endBytes > allocatedBytes / 2;
  }

  /** Puts a record behind the others; it is in the file after {@link #flush}. */
  void put(int type, byte[] payload, long position, long recordEpoch, long groupPosition)
      throws IOException {
    JournalFormat.encodeRecordHeader(
        recordHeader,
        salt,
        JournalFormat.crc(payload, 0, payload.length),
        payload.length,
        position,
        recordEpoch,
        groupPosition,
        type,
        count);
    putBytes(recordHeader, recordHeader.length);
    putBytes(payload, payload.length);
    int bytes = JournalFormat.recordBytes(payload.length);
    putBytes(PADDING, bytes - recordHeader.length - payload.length);
    endBytes += bytes;
    if (type <= JournalFormat.MAX_TYPE) {
      count++;
    }
  }

  /**
   * Writes a record of the journal's own, that says that everything before its position is forced.
   */
  void putControl(int type, long position) throws IOException {
    put(type, NO_PAYLOAD, position, epoch, position);
  }

  private void putBytes(byte[] source, int length) throws IOException {
    int from = 0;
    while (from < length) {
      if (!scratch.hasRemaining()) {
        flush();
      }
      int part = Math.min(length - from, scratch.remaining());
      scratch.put(source, from, part);
      from += part;
    }
  }

  /** Hands everything put so far to the file. */
  void flush() throws IOException {
    scratch.flip();
    int length = scratch.remaining();
    if (length > 0) {
      file.write(writtenBytes, scratch);
    }
    writtenBytes += length;
    scratch.clear();
  }

  /** After a write that failed: what has not been written never will be. */
  void dropUnwritten() {
    scratch.clear();
  }

  void force() throws IOException {
    file.force();
    forces++;
  }

  /** Whether it is forced often for what it takes. */
  boolean hasSmallGroups() {
    return (long) forces * SMALL_GROUP_BYTES > endBytes;
  }

  /** Cuts off what is behind a place, and gives its space back. */
  void truncate(int toBytes) throws IOException {
    file.truncate(toBytes);
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
