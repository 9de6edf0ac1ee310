package onefold.store.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import onefold.store.CorruptDataException;
import onefold.store.device.Device;
import onefold.store.device.DeviceFile;
import onefold.store.journal.JournalFormat.SegmentHeader;
import onefold.store.journal.JournalFormat.SegmentKind;

/** One segment, read into memory as a whole and taken apart. */
final class SegmentReader {
  final String path;
  final SegmentHeader header;
  final byte[] bytes;

  private SegmentReader(String path, SegmentHeader header, byte[] bytes) {
    this.path = path;
    this.header = header;
    this.bytes = bytes;
  }

  /**
   * What a walk found.
   *
   * @param firstPosition of the first record, or -1 if the segment holds none
   * @param endPosition one past the last record
   * @param forcedPosition everything before it is known to have been forced; -1 if the segment says
   *     nothing
   * @param endOffset where reading ended
   * @param offsets where each record stands, ascending
   * @param damages ranges that are missing inside
   */
  record Walk(
      long firstPosition,
      long endPosition,
      long forcedPosition,
      int endOffset,
      List<Integer> offsets,
      List<Damage> damages) {}

  /**
   * Records that are known to have been durable and cannot be read.
   *
   * @param fromPosition the first one
   * @param toPosition one past the last one
   */
  record Damage(long fromPosition, long toPosition, CorruptDataException why) {}

  /**
   * Reads a segment.
   *
   * @throws CorruptDataException if its header is not whole
   */
  static SegmentReader read(Device device, String path) throws IOException {
    try (DeviceFile file = device.open(path, false)) {
      long size = Math.min(file.sizeBytes(), JournalSettings.MAX_SEGMENT_BYTES);
      byte[] bytes = new byte[Math.toIntExact(size)];
      if (bytes.length > 0) {
        file.readFully(0, ByteBuffer.wrap(bytes));
      }
      return new SegmentReader(path, JournalFormat.decodeHeader(path, bytes, bytes.length), bytes);
    }
  }

  /**
   * Finds the records before {@code limit}.
   *
   * @param limit positions from here on stand in a later segment
   */
  Walk walk(long limit) {
    List<Integer> offsets = new ArrayList<>();
    List<Damage> damages = new ArrayList<>();
    long first = header.kind() == SegmentKind.FOLLOWS ? -1 : header.firstPosition();
    long expected = first;
    long group = -1;
    long forced = -1;
    int offset = JournalFormat.HEADER_BYTES;
    while (first < 0 || expected < limit) {
      if (isWhole(offset, first, expected, group)) {
        long position = JournalFormat.position(bytes, offset);
        if (first < 0) {
          first = position;
          expected = position;
        }
        group = JournalFormat.groupPosition(bytes, offset);
        forced = group;
        int type = JournalFormat.type(bytes, offset);
        if (type == JournalFormat.TYPE_END) {
          break;
        }
        if (type <= JournalFormat.MAX_TYPE) {
          offsets.add(offset);
          expected = position + 1;
        }
        offset += JournalFormat.recordBytes(JournalFormat.payloadBytes(bytes, offset));
        continue;
      }
      int proof = findProof(offset + JournalFormat.ALIGNMENT_BYTES, first, expected);
      if (proof < 0) {
        break;
      }
      long position = JournalFormat.position(bytes, proof);
      if (first < 0) {
        first = position - JournalFormat.index(bytes, proof);
        expected = first;
      }
      if (position > expected) {
        damages.add(new Damage(expected, Math.min(position, limit), damagedAt(offset, expected)));
      }
      expected = position;
      group = -1;
      offset = proof;
    }
    boolean empty = offsets.isEmpty() && damages.isEmpty();
    return new Walk(
        empty ? -1 : first,
        empty ? -1 : Math.min(expected, limit),
        forced,
        offset,
        offsets,
        damages);
  }

  /** Reads the header only. */
  static SegmentHeader readHeader(Device device, String path) throws IOException {
    try (DeviceFile file = device.open(path, false)) {
      ByteBuffer head = ByteBuffer.allocate(JournalFormat.HEADER_BYTES);
      int length = file.read(0, head);
      return JournalFormat.decodeHeader(path, head.array(), Math.max(length, 0));
    }
  }

  private CorruptDataException damagedAt(int offset, long position) {
    boolean headerWhole = JournalFormat.isRecordHeader(bytes, offset, bytes.length, header.salt());
    return new CorruptDataException(
        path,
        offset,
        "the record of position " + position,
        headerWhole
            ? "a record whose position or payload is wrong"
            : "no record, but later ones follow");
  }

  private boolean isWhole(int offset, long first, long expected, long group) {
    if (!JournalFormat.isRecordHeader(bytes, offset, bytes.length, header.salt())
        || !JournalFormat.isPayloadWhole(bytes, offset, bytes.length)) {
      return false;
    }
    long position = JournalFormat.position(bytes, offset);
    long ownGroup = JournalFormat.groupPosition(bytes, offset);
    return (first < 0
            ? JournalFormat.index(bytes, offset) == 0
            : position == expected && JournalFormat.index(bytes, offset) == position - first)
        && (ownGroup == position || (group >= 0 ? ownGroup == group : ownGroup < position));
  }

  /**
   * Finds a record that was written after position {@code expected} had been forced.
   *
   * @param first of the segment, or -1 if it is not known yet
   * @return its offset, or -1 if there is none
   */
  private int findProof(int from, long first, long expected) {
    int start = Math.max(from, JournalFormat.HEADER_BYTES);
    for (int offset = start;
        offset <= bytes.length - JournalFormat.RECORD_HEADER_BYTES;
        offset += JournalFormat.ALIGNMENT_BYTES) {
      if (JournalFormat.isRecordHeader(bytes, offset, bytes.length, header.salt())) {
        long wanted =
            first < 0
                ? JournalFormat.position(bytes, offset) - JournalFormat.index(bytes, offset)
                : expected;
        if (JournalFormat.groupPosition(bytes, offset) > wanted) {
          return offset;
        }
      }
    }
    return -1;
  }

  byte[] payload(int offset) {
    int from = offset + JournalFormat.RECORD_HEADER_BYTES;
    return Arrays.copyOfRange(bytes, from, from + JournalFormat.payloadBytes(bytes, offset));
  }
}
