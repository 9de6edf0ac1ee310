package onefold.block;

import static onefold.block.BlockFormatException.Reason.DAMAGED;
import static onefold.block.BlockFormatException.Reason.NEWER;
import static onefold.block.BlockFormatException.Reason.NOT_A_BLOCK;
import static onefold.block.BlockFormatException.Reason.TRUNCATED;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;
import onefold.chunker.ChunkKind;

/**
 * The layout of a block; docs/formats/block.md has the table. A header of {@link #HEADER_BYTES},
 * the payload, then one u32 raw length a chunk. The checksum covers all of it, so a scan finds
 * blocks and chunk borders without a directory.
 */
public final class BlockFormat {
  /** The bytes "OFBK". */
  public static final int MAGIC = 0x4B42464F;

  public static final int VERSION = 1;
  public static final int HEADER_BYTES = 32;

  /** No block holds more plain bytes. */
  public static final int MAX_RAW_BYTES = 1 << 20;

  /** No block holds more chunks. */
  public static final int MAX_CHUNKS = 4096;

  /** What a block takes for each chunk besides the payload: its length. */
  public static final int LENGTH_BYTES = Integer.BYTES;

  /** No block is longer. */
  public static final int MAX_BLOCK_BYTES =
      HEADER_BYTES + MAX_RAW_BYTES + MAX_CHUNKS * LENGTH_BYTES;

  private static final int VERSION_AT = 4;
  private static final int CODEC_AT = 6;
  private static final int KIND_AT = 7;
  private static final int INCOMPATIBLE_FLAGS_AT = 8;
  private static final int COMPATIBLE_FLAGS_AT = 10;
  private static final int RAW_BYTES_AT = 12;
  private static final int PAYLOAD_BYTES_AT = 16;
  private static final int CHUNK_COUNT_AT = 20;
  private static final int KEY_AT = 24;
  private static final int CHECKSUM_AT = 28;

  private static final VarHandle SHORT =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

  private BlockFormat() {}

  /** Writes the header of a block whose payload and chunk lengths stand behind it already. */
  static void writeHeader(
      byte[] block, BlockCodec codec, ChunkKind kind, int rawBytes, int payloadBytes, int chunks) {
    INT.set(block, 0, MAGIC);
    SHORT.set(block, VERSION_AT, (short) VERSION);
    block[CODEC_AT] = (byte) codec.code();
    block[KIND_AT] = (byte) kind.code();
    SHORT.set(block, INCOMPATIBLE_FLAGS_AT, (short) 0);
    SHORT.set(block, COMPATIBLE_FLAGS_AT, (short) 0);
    INT.set(block, RAW_BYTES_AT, rawBytes);
    INT.set(block, PAYLOAD_BYTES_AT, payloadBytes);
    INT.set(block, CHUNK_COUNT_AT, chunks);
    INT.set(block, KEY_AT, 0);
    INT.set(block, CHECKSUM_AT, checksum(block, 0, totalBytes(payloadBytes, chunks)));
  }

  /**
   * How many plain bytes a block says it has; for whoever must know before it is looked at in full.
   *
   * @throws BlockFormatException if there is no header, or it says what no block may have
   */
  public static int rawBytes(byte[] block, int offset, int lengthBytes)
      throws BlockFormatException {
    if (lengthBytes < HEADER_BYTES) {
      throw new BlockFormatException(TRUNCATED, "header", HEADER_BYTES, lengthBytes);
    }
    int raw = (int) INT.get(block, offset + RAW_BYTES_AT);
    if (raw < 0 || raw > MAX_RAW_BYTES) {
      throw new BlockFormatException(DAMAGED, "raw length", "0 to " + MAX_RAW_BYTES, raw);
    }
    return raw;
  }

  static void writeLength(byte[] block, int offset, int lengthBytes) {
    INT.set(block, offset, lengthBytes);
  }

  static int readLength(byte[] block, int offset) {
    return (int) INT.get(block, offset);
  }

  static int totalBytes(int payloadBytes, int chunks) {
    return HEADER_BYTES + payloadBytes + chunks * Integer.BYTES;
  }

  static int rawBytes(byte[] block, int offset) {
    return (int) INT.get(block, offset + RAW_BYTES_AT);
  }

  static int payloadBytes(byte[] block, int offset) {
    return (int) INT.get(block, offset + PAYLOAD_BYTES_AT);
  }

  static int chunkCount(byte[] block, int offset) {
    return (int) INT.get(block, offset + CHUNK_COUNT_AT);
  }

  static BlockCodec codec(byte[] block, int offset) throws BlockFormatException {
    int code = block[offset + CODEC_AT] & 0xff;
    return switch (code) {
      case 0 -> BlockCodec.NONE;
      case 1 -> BlockCodec.LZ4;
      case 2 -> BlockCodec.ZSTD;
      default -> throw new BlockFormatException(NEWER, "codec", "0 to 2", code);
    };
  }

  static ChunkKind kind(byte[] block, int offset) throws BlockFormatException {
    int code = block[offset + KIND_AT] & 0xff;
    return switch (code) {
      case 1 -> ChunkKind.DATA;
      case 2 -> ChunkKind.NODE;
      default -> throw new BlockFormatException(NEWER, "chunk kind", "1 or 2", code);
    };
  }

  /**
   * Checks every field of a header but the checksum, which needs the whole block, and returns the
   * block's length.
   *
   * @param available bytes of {@code block} from {@code offset}; the header must lie inside
   */
  static int checkHeader(byte[] block, int offset, int available) throws BlockFormatException {
    if (available < HEADER_BYTES) {
      throw new BlockFormatException(TRUNCATED, "header bytes", HEADER_BYTES, available);
    }
    int magic = (int) INT.get(block, offset);
    if (magic != MAGIC) {
      throw new BlockFormatException(
          NOT_A_BLOCK, "magic", Integer.toHexString(MAGIC), Integer.toHexString(magic));
    }
    int version = (short) SHORT.get(block, offset + VERSION_AT) & 0xffff;
    if (version != VERSION) {
      throw new BlockFormatException(NEWER, "version", VERSION, version);
    }
    BlockCodec codec = codec(block, offset);
    kind(block, offset);
    int incompatible = (short) SHORT.get(block, offset + INCOMPATIBLE_FLAGS_AT) & 0xffff;
    if (incompatible != 0) {
      throw new BlockFormatException(NEWER, "flags", 0, "0x" + Integer.toHexString(incompatible));
    }
    int key = (int) INT.get(block, offset + KEY_AT);
    if (key != 0) {
      throw new BlockFormatException(NEWER, "key number", 0, Integer.toUnsignedString(key));
    }
    int raw = rawBytes(block, offset);
    checkRange("raw bytes", raw, MAX_RAW_BYTES);
    int payload = payloadBytes(block, offset);
    checkRange("payload bytes", payload, raw);
    if (codec == BlockCodec.NONE && payload != raw) {
      throw new BlockFormatException(DAMAGED, "payload bytes of a raw block", raw, payload);
    }
    int chunks = chunkCount(block, offset);
    checkRange("chunks", chunks, Math.min(MAX_CHUNKS, raw));
    return totalBytes(payload, chunks);
  }

  /** Checks the checksum of a whole block. */
  static void checkChecksum(byte[] block, int offset, int totalBytes) throws BlockFormatException {
    int found = (int) INT.get(block, offset + CHECKSUM_AT);
    int computed = checksum(block, offset, totalBytes);
    if (found != computed) {
      throw new BlockFormatException(
          DAMAGED, "CRC32C", Integer.toHexString(computed), Integer.toHexString(found));
    }
  }

  private static void checkRange(String what, int value, int max) throws BlockFormatException {
    if (value < 1 || value > max) {
      throw new BlockFormatException(DAMAGED, what, "1 to " + max, value);
    }
  }

  private static int checksum(byte[] block, int offset, int totalBytes) {
    CRC32C crc = new CRC32C();
    crc.update(block, offset, CHECKSUM_AT);
    crc.update(block, offset + HEADER_BYTES, totalBytes - HEADER_BYTES);
    return (int) crc.getValue();
  }
}
