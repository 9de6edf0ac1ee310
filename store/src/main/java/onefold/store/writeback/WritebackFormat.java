package onefold.store.writeback;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;
import onefold.chunker.Fingerprint;
import onefold.chunker.ObjectRoot;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.ShareObject;
import onefold.store.ShareTree;
import onefold.store.journal.Journal;

/** The bytes of a record of the write-back log: {@code docs/formats/writeback-log.md}. */
final class WritebackFormat {
  static final int VERSION = 1;

  /** The type under which the log, a journal, carries these records. */
  static final int JOURNAL_TYPE = 1;

  /** Most bytes of one run of data: as much is read and checked to read a part of it. */
  static final int MAX_DATA_BYTES = 256 << 10;

  /** Most parts of one record. */
  static final int MAX_PARTS = 1 << 18;

  static final int HEAD_BYTES = 80;
  static final int DATA_BYTES = 17 + 4;
  static final int ZEROS_BYTES = 17;
  static final int SPLICE_BYTES = 17 + Fingerprint.BYTES + 1 + 8 + 8;

  private static final int DATA = 1;
  private static final int HOLE = 2;
  private static final int RESERVED = 3;
  private static final int SPLICE = 4;

  private WritebackFormat() {}

  /** What a range of an object is since a change. Positions and lengths in bytes. */
  sealed interface Part {
    long position();

    long length();

    /**
     * Data.
     *
     * @param crc CRC32C of the bytes
     * @param bytes holds them
     * @param offset where in {@code bytes} they begin
     */
    record Data(long position, long length, int crc, byte[] bytes, int offset) implements Part {}

    /** Zeros, with room kept for them or not. */
    record Zeros(long position, long length, boolean reserved) implements Part {}

    /** A range of another object of the domain. */
    record Splice(long position, long length, ObjectRoot source, long sourcePosition)
        implements Part {}
  }

  /**
   * What changes an object from one state to another: first everything from {@code cut} on goes,
   * then the parts are laid over what is left, then the object ends at {@code length}.
   *
   * @param key of the entry in the share's tree
   * @param previous number of a state to which it can be applied; to any later one too, up to
   *     {@code number}
   * @param number of the state it leads to
   * @param cut {@link Long#MAX_VALUE} for none
   * @param parts ascending, none over another
   */
  record LogRecord(
      Id shareId,
      Id objectId,
      byte[] key,
      long previous,
      long number,
      long cut,
      long length,
      byte[] note,
      List<Part> parts) {}

  /** Bytes of a record. */
  static int sizeOf(LogRecord record) {
    long size = HEAD_BYTES + record.key().length + (long) record.note().length;
    for (Part part : record.parts()) {
      size += sizeOf(part);
    }
    if (size > Journal.MAX_PAYLOAD_BYTES) {
      throw new IllegalArgumentException("record of " + size + " bytes");
    }
    return (int) size;
  }

  private static long sizeOf(Part part) {
    return switch (part) {
      case Part.Data data -> DATA_BYTES + data.length();
      case Part.Zeros _ -> ZEROS_BYTES;
      case Part.Splice _ -> SPLICE_BYTES;
    };
  }

  static byte[] encode(LogRecord record) {
    ByteBuffer b = ByteBuffer.allocate(sizeOf(record)).order(ByteOrder.LITTLE_ENDIAN);
    b.putShort((short) VERSION).putShort((short) record.key().length);
    b.putShort((short) record.note().length).putShort((short) 0);
    b.putInt(record.parts().size()).putInt(0);
    put(b, record.shareId());
    put(b, record.objectId());
    b.putLong(record.previous()).putLong(record.number());
    b.putLong(record.cut()).putLong(record.length());
    b.put(record.key()).put(record.note());
    for (Part part : record.parts()) {
      b.put((byte) kindOf(part)).putLong(part.position()).putLong(part.length());
      switch (part) {
        case Part.Data data -> b.putInt(data.crc());
        case Part.Zeros _ -> {}
        case Part.Splice splice -> {
          b.put(splice.source().node().toBytes()).put((byte) splice.source().level());
          b.putLong(splice.source().lengthBytes()).putLong(splice.sourcePosition());
        }
      }
    }
    for (Part part : record.parts()) {
      if (part instanceof Part.Data data) {
        b.put(data.bytes(), data.offset(), (int) data.length());
      }
    }
    return b.array();
  }

  private static int kindOf(Part part) {
    return switch (part) {
      case Part.Data _ -> DATA;
      case Part.Zeros zeros -> zeros.reserved() ? RESERVED : HOLE;
      case Part.Splice _ -> SPLICE;
    };
  }

  private static void put(ByteBuffer b, Id id) {
    b.order(ByteOrder.BIG_ENDIAN).putLong(id.high()).putLong(id.low());
    b.order(ByteOrder.LITTLE_ENDIAN);
  }

  private static Id id(ByteBuffer b, int at) {
    ByteBuffer big = b.duplicate().order(ByteOrder.BIG_ENDIAN);
    return new Id(big.getLong(at), big.getLong(at + 8));
  }

  /**
   * Reads a record. Its data parts point into {@code payload}, and their checksums are not checked:
   * the log has done that for the record as a whole.
   *
   * @param where names the record in errors
   */
  static LogRecord decode(String where, byte[] payload) throws CorruptDataException {
    Reader in = new Reader(where, payload);
    in.need(HEAD_BYTES);
    ByteBuffer b = in.buffer;
    int version = b.getShort(0) & 0xffff;
    in.check(version == VERSION, 0, "version " + VERSION, "version " + version);
    int keyBytes = b.getShort(2) & 0xffff;
    int noteBytes = b.getShort(4) & 0xffff;
    int count = b.getInt(8);
    in.check(b.getShort(6) == 0 && b.getInt(12) == 0, 6, "zeros", "other bytes");
    in.check(
        keyBytes >= 1 && keyBytes <= ShareTree.MAX_KEY_BYTES, 2, "a key's length", "" + keyBytes);
    in.check(noteBytes <= ShareObject.MAX_NOTE_BYTES, 4, "a note's length", "" + noteBytes);
    in.check(count >= 0 && count <= MAX_PARTS, 8, "a number of parts", "" + count);
    long previous = b.getLong(48);
    long number = b.getLong(56);
    in.check(previous >= 0 && number > previous, 48, "two numbers", previous + " and " + number);
    long cut = b.getLong(64);
    long length = b.getLong(72);
    in.check(cut >= 0, 64, "a cut from 0", "" + cut);
    in.check(length >= 0, 72, "a length from 0", "" + length);
    b.position(HEAD_BYTES);
    byte[] key = in.take(keyBytes);
    byte[] note = in.take(noteBytes);
    List<Part> parts = new ArrayList<>();
    long end = 0;
    long dataBytes = 0;
    for (int i = 0; i < count; i++) {
      int at = b.position();
      Part part = in.part();
      in.check(
          part.position() >= end
              && part.length() > 0
              && part.length() <= length
              && part.position() <= length - part.length(),
          at,
          "a part from " + end + " to " + length,
          part.length() + " bytes at " + part.position());
      end = part.position() + part.length();
      dataBytes += part instanceof Part.Data ? part.length() : 0;
      parts.add(part);
    }
    int offset = b.position();
    in.check(
        dataBytes == payload.length - offset,
        offset,
        dataBytes + " bytes of data",
        payload.length - offset + " bytes");
    List<Part> located = new ArrayList<>(count);
    for (Part part : parts) {
      if (part instanceof Part.Data(long position, long bytes, int crc, byte[] _, int _)) {
        located.add(new Part.Data(position, bytes, crc, payload, offset));
        offset += (int) bytes;
      } else {
        located.add(part);
      }
    }
    return new LogRecord(
        id(b, 16), id(b, 32), key, previous, number, cut, length, note, List.copyOf(located));
  }

  private record Reader(String where, ByteBuffer buffer) {
    Reader(String where, byte[] payload) {
      this(where, ByteBuffer.wrap(payload).order(ByteOrder.LITTLE_ENDIAN));
    }

    void check(boolean holds, long at, String expected, String found) throws CorruptDataException {
      if (!holds) {
        throw new CorruptDataException(where, at, expected, found);
      }
    }

    void need(int bytes) throws CorruptDataException {
      check(
          buffer.remaining() >= bytes,
          buffer.position(),
          bytes + " more bytes",
          buffer.remaining() + " bytes");
    }

    byte[] take(int bytes) throws CorruptDataException {
      need(bytes);
      byte[] taken = new byte[bytes];
      buffer.get(taken);
      return taken;
    }

    Part part() throws CorruptDataException {
      int at = buffer.position();
      need(ZEROS_BYTES);
      int kind = buffer.get();
      long position = buffer.getLong();
      long length = buffer.getLong();
      return switch (kind) {
        case DATA -> {
          need(4);
          check(length <= MAX_DATA_BYTES, at, "at most " + MAX_DATA_BYTES + " bytes", "" + length);
          yield new Part.Data(position, length, buffer.getInt(), new byte[0], 0);
        }
        case HOLE, RESERVED -> new Part.Zeros(position, length, kind == RESERVED);
        case SPLICE -> splice(at, position, length);
        default -> throw new CorruptDataException(where, at, "a kind from 1 to 4", "" + kind);
      };
    }

    private Part splice(int at, long position, long length) throws CorruptDataException {
      need(SPLICE_BYTES - ZEROS_BYTES);
      byte[] node = take(Fingerprint.BYTES);
      int level = buffer.get();
      long sourceLength = buffer.getLong();
      long sourcePosition = buffer.getLong();
      check(
          level >= 0
              && level <= ObjectRoot.MAX_LEVEL
              && sourceLength >= 0
              && sourcePosition >= 0
              && length <= sourceLength
              && sourcePosition <= sourceLength - length,
          at,
          "a range of an object",
          length + " bytes at " + sourcePosition + " of " + sourceLength + ", level " + level);
      ObjectRoot source = new ObjectRoot(Fingerprint.of(node, 0), level, sourceLength);
      return new Part.Splice(position, length, source, sourcePosition);
    }
  }

  static int crc(byte[] bytes, int offset, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, offset, length);
    return (int) crc.getValue();
  }
}
