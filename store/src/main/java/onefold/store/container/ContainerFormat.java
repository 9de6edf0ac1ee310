package onefold.store.container;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.zip.CRC32C;
import onefold.block.BlockFormat;
import onefold.chunker.ChunkKind;
import onefold.store.CorruptDataException;
import onefold.store.Id;

/** The bytes of a container: {@code docs/formats/container.md}. */
final class ContainerFormat {
  static final long HEADER_MAGIC = ascii("ONEFCONT");
  static final long FOOTER_MAGIC = ascii("ONEFCEND");
  static final int FRAME_MAGIC = 0x4246_464F; // "OFFB"
  static final int VERSION = 1;
  static final int HEADER_BYTES = 128;
  static final int FRAME_BYTES = 24;
  static final int FOOTER_BYTES = 192;
  static final int TABLE_ROW_BYTES = 16;
  static final int ROOT_BYTES = 32;

  /** Width of a length in the chunk table when no chunk is longer than 64 KiB, and otherwise. */
  static final int NARROW_LENGTH_BYTES = 2;

  static final int WIDE_LENGTH_BYTES = 4;

  private static final VarHandle SHORT =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private ContainerFormat() {}

  /** What a container is, apart from what it holds. */
  record Identity(
      Id domain, ChunkKind kind, int parameterSet, long number, long generation, long epoch) {}

  /**
   * The end of a sealed container.
   *
   * @param lengthBytes width of a length in the chunk table
   */
  record Footer(
      Identity identity,
      long chunkTableOffset,
      long blockTableOffset,
      int chunkCount,
      int blockCount,
      long rawBytes,
      long storedBytes,
      int lengthBytes,
      int chunkTableCrc,
      int blockTableCrc,
      byte[] contentRoot,
      byte[] storedRoot) {
    long chunkTableBytes() {
      return (long) chunkCount * (32 + lengthBytes);
    }

    long blockTableBytes() {
      return (long) blockCount * TABLE_ROW_BYTES;
    }
  }

  // ---- header

  /**
   * Encodes a header.
   *
   * @param fileId random, another one in each file; keys of encrypted containers derive from it
   */
  static byte[] encodeHeader(Identity identity, Id fileId) {
    ByteBuffer b = ByteBuffer.allocate(HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    b.putLong(HEADER_MAGIC).putInt(VERSION).putInt(0).putInt(0).putInt(HEADER_BYTES);
    putIdentity(b, identity);
    b.putInt(0).putInt(0);
    putId(b, fileId);
    byte[] bytes = b.array();
    setInt(bytes, HEADER_BYTES - 4, crc(bytes, 0, HEADER_BYTES - 4));
    return bytes;
  }

  /**
   * Checks a header against what the file's name says.
   *
   * @throws CorruptDataException if it is damaged or another container's
   */
  static void checkHeader(String path, byte[] b, Identity expected) throws IOException {
    checkEnvelope(path, 0, b, HEADER_BYTES, HEADER_MAGIC, "container header");
    checkIdentity(path, 0, expected, identity(path, 0, b, 24));
  }

  // ---- frames

  /**
   * Writes the frame of a block that will stand at {@code offsetBytes}.
   *
   * @param b takes {@link #FRAME_BYTES} from {@code at}
   */
  static void encodeFrame(
      byte[] b,
      int at,
      Identity identity,
      long offsetBytes,
      int storedBytes,
      int firstSlot,
      int chunkCount,
      int blockCrc) {
    setInt(b, at, FRAME_MAGIC);
    setInt(b, at + 4, storedBytes);
    setInt(b, at + 8, firstSlot);
    setInt(b, at + 12, chunkCount);
    setInt(b, at + 16, blockCrc);
    setInt(b, at + 20, frameCrc(b, at, identity, offsetBytes));
  }

  /** Whether the frame of this container and offset stands at {@code b[at]}. */
  static boolean isFrame(byte[] b, int at, int end, Identity identity, long offsetBytes) {
    if (end - at < FRAME_BYTES
        || getInt(b, at) != FRAME_MAGIC
        || getInt(b, at + 20) != frameCrc(b, at, identity, offsetBytes)) {
      return false;
    }
    int stored = frameStoredBytes(b, at);
    int chunks = frameChunkCount(b, at);
    return stored > 0
        && stored <= BlockFormat.MAX_BLOCK_BYTES
        && chunks > 0
        && chunks <= BlockFormat.MAX_CHUNKS
        && stored >= BlockFormat.HEADER_BYTES + (long) chunks * BlockFormat.LENGTH_BYTES
        && frameFirstSlot(b, at) >= 0;
  }

  static boolean hasFrameMagic(byte[] b, int at) {
    return getInt(b, at) == FRAME_MAGIC;
  }

  static int frameStoredBytes(byte[] b, int at) {
    return getInt(b, at + 4);
  }

  static int frameFirstSlot(byte[] b, int at) {
    return getInt(b, at + 8);
  }

  static int frameChunkCount(byte[] b, int at) {
    return getInt(b, at + 12);
  }

  static int frameBlockCrc(byte[] b, int at) {
    return getInt(b, at + 16);
  }

  private static int frameCrc(byte[] b, int at, Identity identity, long offsetBytes) {
    byte[] salt = new byte[40];
    LONG.set(salt, 0, identity.domain().high());
    LONG.set(salt, 8, identity.domain().low());
    LONG.set(salt, 16, identity.number());
    LONG.set(salt, 24, identity.generation());
    LONG.set(salt, 32, offsetBytes);
    CRC32C crc = new CRC32C();
    crc.update(salt, 0, salt.length);
    crc.update(b, at, FRAME_BYTES - 4);
    return (int) crc.getValue();
  }

  // ---- tables

  static void encodeRow(byte[] b, int at, int stored, int raw, int chunks, int crc) {
    setInt(b, at, stored);
    setInt(b, at + 4, raw);
    setInt(b, at + 8, chunks);
    setInt(b, at + 12, crc);
  }

  /** Writes one chunk's length; the width 2 holds lengths of 1 to 65,536 and no lost chunk. */
  static void encodeLength(byte[] b, int at, int width, int lengthBytes) {
    if (width == NARROW_LENGTH_BYTES) {
      SHORT.set(b, at, (short) (lengthBytes - 1));
    } else {
      setInt(b, at, lengthBytes);
    }
  }

  static int decodeLength(byte[] b, int at, int width) {
    return width == NARROW_LENGTH_BYTES ? ((short) SHORT.get(b, at) & 0xffff) + 1 : getInt(b, at);
  }

  static boolean fitsNarrow(int lengthBytes) {
    return lengthBytes >= 1 && lengthBytes <= 1 << 16;
  }

  // ---- footer

  static byte[] encodeFooter(Footer footer) {
    ByteBuffer b = ByteBuffer.allocate(FOOTER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    b.putLong(FOOTER_MAGIC).putInt(VERSION).putInt(0).putInt(0).putInt(FOOTER_BYTES);
    putIdentity(b, footer.identity());
    b.putInt(footer.lengthBytes());
    b.putLong(footer.chunkTableOffset()).putLong(footer.blockTableOffset());
    b.putInt(footer.chunkCount()).putInt(footer.blockCount());
    b.putLong(footer.rawBytes()).putLong(footer.storedBytes());
    b.putInt(footer.chunkTableCrc()).putInt(footer.blockTableCrc());
    b.put(footer.contentRoot()).put(footer.storedRoot());
    byte[] bytes = b.array();
    setInt(bytes, FOOTER_BYTES - 4, crc(bytes, 0, FOOTER_BYTES - 4));
    return bytes;
  }

  /**
   * Reads the footer that ends at {@code fileBytes}.
   *
   * @throws CorruptDataException if it is damaged, another container's, or does not fit the file
   */
  static Footer decodeFooter(String path, byte[] b, long fileBytes, Identity expected)
      throws IOException {
    long at = fileBytes - FOOTER_BYTES;
    checkEnvelope(path, at, b, FOOTER_BYTES, FOOTER_MAGIC, "container footer");
    Identity identity = identity(path, at, b, 24);
    checkIdentity(path, at, expected, identity);
    ByteBuffer in = ByteBuffer.wrap(b).order(ByteOrder.LITTLE_ENDIAN).position(72);
    int lengthBytes = in.getInt();
    Footer footer =
        new Footer(
            identity,
            in.getLong(),
            in.getLong(),
            in.getInt(),
            in.getInt(),
            in.getLong(),
            in.getLong(),
            lengthBytes,
            in.getInt(),
            in.getInt(),
            Arrays.copyOfRange(b, 124, 124 + ROOT_BYTES),
            Arrays.copyOfRange(b, 156, 156 + ROOT_BYTES));
    if ((lengthBytes != NARROW_LENGTH_BYTES && lengthBytes != WIDE_LENGTH_BYTES)
        || footer.chunkCount() < 0
        || footer.blockCount() < 0
        || footer.chunkTableOffset() < HEADER_BYTES
        || footer.chunkTableOffset() + footer.chunkTableBytes() != footer.blockTableOffset()
        || footer.blockTableOffset() + footer.blockTableBytes() != at) {
      throw new CorruptDataException(
          path, at, "a footer whose tables end at it", "tables of other lengths");
    }
    return footer;
  }

  // ---- shared

  static void putIdentity(ByteBuffer b, Identity identity) {
    putId(b, identity.domain());
    b.putLong(identity.number()).putLong(identity.generation()).putLong(identity.epoch());
    b.putInt(identity.kind().code()).putInt(identity.parameterSet());
  }

  static void putId(ByteBuffer b, Id id) {
    b.order(ByteOrder.BIG_ENDIAN).putLong(id.high()).putLong(id.low());
    b.order(ByteOrder.LITTLE_ENDIAN);
  }

  static Identity identity(String path, long fileOffset, byte[] b, int at)
      throws CorruptDataException {
    ByteBuffer id = ByteBuffer.wrap(b, at, Id.BYTES);
    int kind = getInt(b, at + 40);
    if (kind != ChunkKind.DATA.code() && kind != ChunkKind.NODE.code()) {
      throw new CorruptDataException(path, fileOffset + at + 40, "kind 1 or 2", "kind " + kind);
    }
    return new Identity(
        new Id(id.getLong(), id.getLong()),
        ChunkKind.ofCode(kind),
        getInt(b, at + 44),
        (long) LONG.get(b, at + 16),
        (long) LONG.get(b, at + 24),
        (long) LONG.get(b, at + 32));
  }

  /** The epoch may differ: it is that of the file's writer. */
  static void checkIdentity(String path, long fileOffset, Identity expected, Identity found)
      throws IOException {
    if (found.epoch() > expected.epoch()) {
      throw new IOException(
          path + " was written in epoch " + found.epoch() + "; " + expected.epoch() + " is over");
    }
    Identity sameEpoch =
        new Identity(
            found.domain(),
            found.kind(),
            found.parameterSet(),
            found.number(),
            found.generation(),
            expected.epoch());
    if (!sameEpoch.equals(expected)) {
      throw new CorruptDataException(path, fileOffset + 24, expected.toString(), found.toString());
    }
  }

  static void checkEnvelope(
      String path, long fileOffset, byte[] b, int length, long magic, String what)
      throws IOException {
    long foundMagic = (long) LONG.get(b, 0);
    if (foundMagic != magic) {
      throw new CorruptDataException(
          path,
          fileOffset,
          "the magic of a " + what,
          HexFormat.of().toHexDigits(Long.reverseBytes(foundMagic)));
    }
    int computed = crc(b, 0, length - 4);
    if (computed != getInt(b, length - 4)) {
      throw new CorruptDataException(
          path, fileOffset, what + " checksum " + hex(computed), hex(getInt(b, length - 4)));
    }
    int version = getInt(b, 8);
    if (version != VERSION || getInt(b, 12) != 0 || getInt(b, 16) != 0) {
      throw new IOException(
          path
              + ": "
              + what
              + " version "
              + Integer.toUnsignedString(version)
              + " with flags "
              + hex(getInt(b, 12))
              + " and "
              + hex(getInt(b, 16))
              + ", this release knows version "
              + VERSION
              + " without flags; use the release that wrote it");
    }
  }

  static int crc(byte[] b, int offset, int length) {
    CRC32C crc = new CRC32C();
    crc.update(b, offset, length);
    return (int) crc.getValue();
  }

  static int getInt(byte[] b, int at) {
    return (int) INT.get(b, at);
  }

  static void setInt(byte[] b, int at, int value) {
    INT.set(b, at, value);
  }

  static String hex(int value) {
    return "0x" + HexFormat.of().toHexDigits(value);
  }

  static long ascii(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII))
        .order(ByteOrder.LITTLE_ENDIAN)
        .getLong();
  }
}
