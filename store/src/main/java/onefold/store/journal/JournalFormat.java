package onefold.store.journal;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.zip.CRC32C;
import onefold.store.CorruptDataException;
import onefold.store.Id;

/** The bytes of a segment: {@code docs/formats/journal.md}. */
final class JournalFormat {
  static final long MAGIC = ascii("ONEFJRNL");
  static final int VERSION = 1;
  static final int HEADER_BYTES = 128;

  static final int RECORD_MAGIC = 0x524A464F; // "OFJR"
  static final int RECORD_HEADER_BYTES = 48;
  static final int ALIGNMENT_BYTES = 8;

  /** No record's payload is longer. */
  static final int MAX_PAYLOAD_BYTES = 16 << 20;

  /** The highest type that a caller may use; those above belong to the journal itself. */
  static final int MAX_TYPE = 0xFEFF;

  /** Ends a segment that has been left in good order; its position is that of the next record. */
  static final int TYPE_END = 0xFF01;

  /** Proves that everything before its position has been forced. */
  static final int TYPE_WITNESS = 0xFF02;

  /** Length of the witness file. */
  static final int WITNESS_BYTES = 64;

  private static final long WITNESS_MAGIC = ascii("ONEFJWIT");

  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private static final String SUFFIX = ".journal";

  private JournalFormat() {}

  /** How a segment relates to those before it. */
  enum SegmentKind {
    /** Its first record follows the last one of the segment before. */
    FOLLOWS(1),
    /** Made by recovery: no earlier segment counts from this one's first position on. */
    CUTS(2),
    /** As {@link #CUTS}, and records missing before its first position have been given up. */
    LOSS_ACCEPTED(3);

    final int code;

    SegmentKind(int code) {
      this.code = code;
    }
  }

  /**
   * A segment's header.
   *
   * @param firstPosition no record in the segment stands before it; exact unless the kind is
   *     FOLLOWS
   * @param salt random, different in each use of a file; part of every record header's checksum
   */
  record SegmentHeader(
      Id owner,
      long epoch,
      long number,
      long firstPosition,
      long salt,
      long allocatedBytes,
      SegmentKind kind) {}

  static String segmentName(long number) {
    return HexFormat.of().toHexDigits(number) + SUFFIX;
  }

  /** The number that a file name stands for, or -1 if it is no segment's name. */
  static long segmentNumber(String name) {
    if (name.length() != 16 + SUFFIX.length() || !name.endsWith(SUFFIX)) {
      return -1;
    }
    for (int i = 0; i < 16; i++) {
      char digit = name.charAt(i);
      if (!(digit >= '0' && digit <= '9') && !(digit >= 'a' && digit <= 'f')) {
        return -1;
      }
    }
    return HexFormat.fromHexDigitsToLong(name, 0, 16);
  }

  static byte[] encodeHeader(SegmentHeader header) {
    ByteBuffer b = ByteBuffer.allocate(HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    b.putLong(MAGIC).putInt(VERSION).putInt(0).putInt(0).putInt(HEADER_BYTES);
    b.order(ByteOrder.BIG_ENDIAN).putLong(header.owner().high()).putLong(header.owner().low());
    b.order(ByteOrder.LITTLE_ENDIAN).putLong(header.epoch()).putLong(header.number());
    b.putLong(header.firstPosition()).putLong(header.salt()).putLong(header.allocatedBytes());
    b.putInt(header.kind().code).putInt(0);
    byte[] bytes = b.array();
    INT.set(bytes, HEADER_BYTES - 4, crc(bytes, 0, HEADER_BYTES - 4));
    return bytes;
  }

  /**
   * Reads a header.
   *
   * @throws CorruptDataException if it is none, or damaged
   * @throws NewerFormatException if this release does not know its version or flags
   */
  static SegmentHeader decodeHeader(String path, byte[] b, int length) throws IOException {
    if (length < HEADER_BYTES) {
      throw new CorruptDataException(
          path, 0, "a segment header of " + HEADER_BYTES + " bytes", length + " bytes");
    }
    long magic = (long) LONG.get(b, 0);
    if (magic != MAGIC) {
      throw new CorruptDataException(
          path, 0, "the magic of a journal segment", Long.toHexString(magic));
    }
    int found = crc(b, 0, HEADER_BYTES - 4);
    int expected = (int) INT.get(b, HEADER_BYTES - 4);
    if (found != expected) {
      throw new CorruptDataException(
          path, 0, "header checksum " + hex(expected), "bytes with checksum " + hex(found));
    }
    int version = (int) INT.get(b, 8);
    int incompatible = (int) INT.get(b, 12);
    int readCompatible = (int) INT.get(b, 16);
    if (version != VERSION || incompatible != 0 || readCompatible != 0) {
      throw new NewerFormatException(
          path
              + ": journal version "
              + Integer.toUnsignedString(version)
              + " with flags "
              + hex(incompatible)
              + " and "
              + hex(readCompatible)
              + ", this release knows version "
              + VERSION
              + " without flags; use the release that wrote it");
    }
    int code = (int) INT.get(b, 80);
    if (code < 1 || code > SegmentKind.values().length) {
      throw new CorruptDataException(path, 80, "a segment kind from 1 to 3", "" + code);
    }
    ByteBuffer id = ByteBuffer.wrap(b, 24, Id.BYTES);
    return new SegmentHeader(
        new Id(id.getLong(), id.getLong()),
        (long) LONG.get(b, 40),
        (long) LONG.get(b, 48),
        (long) LONG.get(b, 56),
        (long) LONG.get(b, 64),
        (long) LONG.get(b, 72),
        SegmentKind.values()[code - 1]);
  }

  /** The bytes of a witness file but for its position and checksum. */
  static byte[] newWitness(Id owner) {
    ByteBuffer b = ByteBuffer.allocate(WITNESS_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    b.putLong(WITNESS_MAGIC).putInt(VERSION).putInt(0).putInt(0).putInt(WITNESS_BYTES);
    b.order(ByteOrder.BIG_ENDIAN).putLong(owner.high()).putLong(owner.low());
    return b.array();
  }

  static void putWitness(byte[] b, long position) {
    LONG.set(b, 40, position);
    INT.set(b, WITNESS_BYTES - 4, crc(b, 0, WITNESS_BYTES - 4));
  }

  /** The position that a witness file names; 0 if these bytes are none of this owner's. */
  static long decodeWitness(byte[] b, Id owner) {
    byte[] expected = newWitness(owner);
    long position = (long) LONG.get(b, 40);
    putWitness(expected, position);
    return position > 0 && Arrays.equals(b, expected) ? position : 0;
  }

  /** Bytes that a record takes in a segment. */
  static int recordBytes(int payloadBytes) {
    int bytes = RECORD_HEADER_BYTES + payloadBytes;
    return (bytes + ALIGNMENT_BYTES - 1) & -ALIGNMENT_BYTES;
  }

  /**
   * Writes a record's header to {@code b} from 0.
   *
   * @param groupPosition position of the first record of its group
   * @param index how many records, those of the journal itself not counted, stand before it in the
   *     segment
   */
  static void encodeRecordHeader(
      byte[] b,
      long salt,
      int payloadCrc,
      int payloadBytes,
      long position,
      long epoch,
      long groupPosition,
      int type,
      int index) {
    INT.set(b, 0, RECORD_MAGIC);
    INT.set(b, 8, payloadCrc);
    INT.set(b, 12, payloadBytes);
    LONG.set(b, 16, position);
    LONG.set(b, 24, epoch);
    LONG.set(b, 32, groupPosition);
    INT.set(b, 40, type);
    INT.set(b, 44, index);
    INT.set(b, 4, recordHeaderCrc(b, 0, salt));
  }

  /**
   * Whether a record header of the segment with this salt stands at {@code offset}; its payload may
   * be damaged or lie beyond {@code end} all the same.
   */
  static boolean isRecordHeader(byte[] b, int offset, int end, long salt) {
    return end - offset >= RECORD_HEADER_BYTES
        && (int) INT.get(b, offset) == RECORD_MAGIC
        && (int) INT.get(b, offset + 4) == recordHeaderCrc(b, offset, salt);
  }

  /** Whether the payload behind a record header at {@code offset} is there and undamaged. */
  static boolean isPayloadWhole(byte[] b, int offset, int end) {
    int length = payloadBytes(b, offset);
    return length >= 0
        && length <= end - offset - RECORD_HEADER_BYTES
        && crc(b, offset + RECORD_HEADER_BYTES, length) == (int) INT.get(b, offset + 8);
  }

  static int payloadBytes(byte[] b, int offset) {
    return (int) INT.get(b, offset + 12);
  }

  static long position(byte[] b, int offset) {
    return (long) LONG.get(b, offset + 16);
  }

  static long epoch(byte[] b, int offset) {
    return (long) LONG.get(b, offset + 24);
  }

  static long groupPosition(byte[] b, int offset) {
    return (long) LONG.get(b, offset + 32);
  }

  static int type(byte[] b, int offset) {
    return (int) INT.get(b, offset + 40);
  }

  static int index(byte[] b, int offset) {
    return (int) INT.get(b, offset + 44);
  }

  static int crc(byte[] b, int offset, int length) {
    CRC32C crc = new CRC32C();
    crc.update(b, offset, length);
    return (int) crc.getValue();
  }

  static String hex(int value) {
    return "0x" + HexFormat.of().toHexDigits(value);
  }

  private static int recordHeaderCrc(byte[] b, int offset, long salt) {
    byte[] salted = new byte[8];
    LONG.set(salted, 0, salt);
    CRC32C crc = new CRC32C();
    crc.update(salted, 0, salted.length);
    crc.update(b, offset + 8, RECORD_HEADER_BYTES - 8);
    return (int) crc.getValue();
  }

  private static long ascii(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII))
        .order(ByteOrder.LITTLE_ENDIAN)
        .getLong();
  }
}
