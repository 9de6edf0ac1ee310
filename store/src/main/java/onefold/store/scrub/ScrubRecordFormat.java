package onefold.store.scrub;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import onefold.chunker.ChunkKind;
import onefold.store.CorruptDataException;

/** What the scrub keeps in the catalog, as bytes: {@code docs/formats/scrub-record.md}. */
final class ScrubRecordFormat {
  /** Kind of the record of where a scrub stands; its key is the domain's id. */
  static final String SCRUB = "scrub";

  /** Its key is the domain's id, a slash, and the container's number in 16 hexadecimal digits. */
  static final String DAMAGE = "scrub-damage";

  /** Longer texts are cut. */
  static final int MAX_TEXT_BYTES = 1024;

  private static final int VERSION = 1;
  private static final int HEAD_BYTES = 4;
  private static final int SCRUB_BYTES = HEAD_BYTES + 10 * Long.BYTES;
  private static final int DAMAGE_BYTES = HEAD_BYTES + 4 * Long.BYTES;

  private static final int RUNNING = 1;
  private static final int PAUSED = 2;
  private static final int CHUNKS_UNKNOWN = 1;
  private static final int PARITY = 1;
  private static final int VERIFIES_MATCHES = 2;

  private ScrubRecordFormat() {}

  static byte[] encode(ScrubRecord record) {
    return head(SCRUB_BYTES, (record.running() ? RUNNING : 0) | (record.paused() ? PAUSED : 0), 0)
        .putLong(record.passes())
        .putLong(record.begunAtMillis())
        .putLong(record.cursor())
        .putLong(record.limit())
        .putLong(record.readBytes())
        .putLong(record.readContainers())
        .putLong(record.lastBegunAtMillis())
        .putLong(record.lastFinishedAtMillis())
        .putLong(record.lastReadBytes())
        .putLong(record.repairedCount())
        .array();
  }

  static ScrubRecord decodeScrub(byte[] bytes) throws IOException {
    ByteBuffer in = opened("scrub record", bytes, SCRUB_BYTES, SCRUB_BYTES);
    int flags = flags("scrub record", bytes, RUNNING | PAUSED);
    reserved("scrub record", bytes, 0);
    return new ScrubRecord(
        (flags & RUNNING) != 0,
        (flags & PAUSED) != 0,
        counted(in),
        counted(in),
        in.getLong(),
        in.getLong(),
        counted(in),
        counted(in),
        counted(in),
        counted(in),
        counted(in),
        counted(in));
  }

  static byte[] encode(DamageRecord record) {
    byte[] file = text(record.file());
    byte[] what = text(record.what());
    return head(
            DAMAGE_BYTES + 4 + file.length + what.length,
            record.chunksUnknown() ? CHUNKS_UNKNOWN : 0,
            record.kind().code())
        .putLong(record.containerNumber())
        .putLong(record.foundAtMillis())
        .putLong(record.firstAtMillis())
        .putLong(record.offsetBytes())
        .putShort((short) file.length)
        .put(file)
        .putShort((short) what.length)
        .put(what)
        .array();
  }

  static DamageRecord decodeDamage(byte[] bytes) throws IOException {
    String name = "damage record";
    ByteBuffer in = opened(name, bytes, DAMAGE_BYTES + 4, DAMAGE_BYTES + 4 + 2 * MAX_TEXT_BYTES);
    int flags = flags(name, bytes, CHUNKS_UNKNOWN);
    int kind = bytes[2];
    if ((kind != ChunkKind.DATA.code() && kind != ChunkKind.NODE.code()) || bytes[3] != 0) {
      throw new CorruptDataException(name, 2, "kind 1 or 2, then 0", kind + ", " + bytes[3]);
    }
    long container = in.getLong();
    long foundAt = counted(in);
    long firstAt = counted(in);
    long offset = in.getLong();
    if (offset < -1) {
      throw new CorruptDataException(name, 28, "an offset from -1", Long.toString(offset));
    }
    DamageRecord record =
        new DamageRecord(
            container,
            ChunkKind.ofCode(kind),
            (flags & CHUNKS_UNKNOWN) != 0,
            foundAt,
            firstAt,
            offset,
            text(name, in),
            text(name, in));
    if (in.hasRemaining()) {
      throw new CorruptDataException(
          name, in.position(), "its end", in.remaining() + " more bytes");
    }
    return record;
  }

  static byte[] encode(DomainOptions options) {
    int flags =
        (options.parity() ? PARITY : 0) | (options.verifiesMatches() ? VERIFIES_MATCHES : 0);
    return head(HEAD_BYTES, flags, 0).array();
  }

  static DomainOptions decodeOptions(byte[] bytes) throws IOException {
    String name = "domain options";
    ByteBuffer ignored = opened(name, bytes, HEAD_BYTES, HEAD_BYTES);
    reserved(name, bytes, 0);
    int flags = flags(name, bytes, PARITY | VERIFIES_MATCHES);
    return new DomainOptions((flags & PARITY) != 0, (flags & VERIFIES_MATCHES) != 0);
  }

  private static ByteBuffer head(int length, int flags, int third) {
    return ByteBuffer.allocate(length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put((byte) VERSION)
        .put((byte) flags)
        .put((byte) third)
        .put((byte) 0);
  }

  private static ByteBuffer opened(String name, byte[] bytes, int least, int most)
      throws IOException {
    if (bytes.length > 0 && bytes[0] != VERSION) {
      throw new IOException(name + " of version " + bytes[0] + ", this release reads " + VERSION);
    }
    if (bytes.length < least || bytes.length > most) {
      throw new CorruptDataException(
          name, 0, least + " to " + most + " bytes", bytes.length + " bytes");
    }
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).position(HEAD_BYTES);
  }

  private static int flags(String name, byte[] bytes, int known) throws IOException {
    if ((bytes[1] & ~known) != 0) {
      throw new IOException(name + " with flags " + bytes[1] + " that this release does not know");
    }
    return bytes[1];
  }

  private static void reserved(String name, byte[] bytes, int expected)
      throws CorruptDataException {
    if (bytes[2] != expected || bytes[3] != 0) {
      throw new CorruptDataException(name, 2, "two zeros", bytes[2] + ", " + bytes[3]);
    }
  }

  private static long counted(ByteBuffer in) throws CorruptDataException {
    int at = in.position();
    long value = in.getLong();
    if (value < 0) {
      throw new CorruptDataException("record of the scrub", at, "a number", "" + value);
    }
    return value;
  }

  /** A text as it is kept: cut between two characters if it is too long. */
  private static byte[] text(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    if (bytes.length <= MAX_TEXT_BYTES) {
      return bytes;
    }
    int end = MAX_TEXT_BYTES;
    while ((bytes[end] & 0xC0) == 0x80) {
      end--;
    }
    return Arrays.copyOf(bytes, end);
  }

  private static String text(String name, ByteBuffer in) throws CorruptDataException {
    int at = in.position();
    int length = in.remaining() < 2 ? -1 : in.getShort();
    if (length < 0 || length > MAX_TEXT_BYTES || length > in.remaining()) {
      throw new CorruptDataException(
          name, at, "a text of at most " + in.remaining() + " bytes", length + " bytes");
    }
    ByteBuffer text = in.slice(in.position(), length);
    in.position(in.position() + length);
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(text).toString();
    } catch (CharacterCodingException e) {
      throw new CorruptDataException(name, at, "UTF-8", "other bytes");
    }
  }
}
