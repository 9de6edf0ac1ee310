package onefold.appliance.judge;

import com.github.luben.zstd.Zstd;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/** A judge's own reader of a block in stored form, as {@code docs/formats/block.md} says. */
final class StoredBlock {
  private static final int HEADER_BYTES = 32;
  private static final int MAGIC = 0x4B42464F;
  private static final int MAX_RAW_BYTES = 1 << 20;
  private static final int MAX_CHUNKS = 4096;

  private final byte[] raw;
  private final int[] starts;

  private StoredBlock(byte[] raw, int[] starts) {
    this.raw = raw;
    this.starts = starts;
  }

  /**
   * Checks and decompresses a block.
   *
   * @throws JudgeException if anything about it is wrong
   */
  static StoredBlock read(byte[] block) throws JudgeException {
    if (block.length < HEADER_BYTES) {
      throw new JudgeException("a block of " + block.length + " bytes");
    }
    ByteBuffer header = ByteBuffer.wrap(block).order(ByteOrder.LITTLE_ENDIAN);
    int codec = header.get(6);
    int rawBytes = header.getInt(12);
    int payloadBytes = header.getInt(16);
    int chunkCount = header.getInt(20);
    if (header.getInt(0) != MAGIC || header.getShort(4) != 1 || header.get(7) != 1) {
      throw new JudgeException("no block of data chunks");
    }
    if (rawBytes < 1 || rawBytes > MAX_RAW_BYTES || chunkCount < 1 || chunkCount > MAX_CHUNKS) {
      throw new JudgeException("a block of " + rawBytes + " bytes in " + chunkCount + " chunks");
    }
    if (payloadBytes < 1 || block.length != (long) HEADER_BYTES + payloadBytes + 4L * chunkCount) {
      throw new JudgeException(
          "a block of " + block.length + " bytes whose payload has " + payloadBytes);
    }
    CRC32C crc = new CRC32C();
    crc.update(block, 0, 28);
    crc.update(block, HEADER_BYTES, block.length - HEADER_BYTES);
    if ((int) crc.getValue() != header.getInt(28)) {
      throw new JudgeException("a block's checksum is wrong");
    }
    int[] starts = new int[chunkCount + 1];
    for (int i = 0; i < chunkCount; i++) {
      int length = header.getInt(HEADER_BYTES + payloadBytes + 4 * i);
      if (length < 1 || length > rawBytes - starts[i]) {
        throw new JudgeException("a chunk of " + length + " bytes in a block");
      }
      starts[i + 1] = starts[i] + length;
    }
    if (starts[chunkCount] != rawBytes) {
      throw new JudgeException("a block's chunks do not add up");
    }
    byte[] raw = new byte[rawBytes];
    switch (codec) {
      case 0 -> System.arraycopy(block, HEADER_BYTES, raw, 0, exact(payloadBytes, rawBytes));
      case 1 -> lz4(block, HEADER_BYTES, payloadBytes, raw);
      case 2 -> {
        long written =
            Zstd.decompressByteArray(raw, 0, rawBytes, block, HEADER_BYTES, payloadBytes);
        if (Zstd.isError(written) || written != rawBytes) {
          throw new JudgeException("a zstd payload is damaged");
        }
      }
      default -> throw new JudgeException("a block of codec " + codec);
    }
    return new StoredBlock(raw, starts);
  }

  private static int exact(int found, int expected) throws JudgeException {
    if (found != expected) {
      throw new JudgeException("a payload of " + found + " bytes, expected " + expected);
    }
    return found;
  }

  /**
   * Copies a run of a chunk.
   *
   * @throws JudgeException if the run does not lie in the chunk, or the chunk has another
   *     fingerprint
   */
  byte[] run(int chunkIndex, byte[] fingerprint, int skipBytes, int lengthBytes)
      throws JudgeException {
    if (chunkIndex >= starts.length - 1) {
      throw new JudgeException("chunk " + chunkIndex + " of a block of " + (starts.length - 1));
    }
    int chunkBytes = starts[chunkIndex + 1] - starts[chunkIndex];
    if (skipBytes < 0 || lengthBytes < 1 || lengthBytes > chunkBytes - skipBytes) {
      throw new JudgeException(
          "bytes " + skipBytes + " and " + lengthBytes + " on of a chunk of " + chunkBytes);
    }
    byte[] chunk = java.util.Arrays.copyOfRange(raw, starts[chunkIndex], starts[chunkIndex + 1]);
    if (!java.util.Arrays.equals(JudgeWriter.sha256(chunk), fingerprint)) {
      throw new JudgeException(
          "a chunk does not have its fingerprint " + JudgeWriter.hex(fingerprint));
    }
    return java.util.Arrays.copyOfRange(chunk, skipBytes, skipBytes + lengthBytes);
  }

  /** Decompresses one LZ4 block that must fill {@code target} exactly. */
  static void lz4(byte[] source, int offset, int length, byte[] target) throws JudgeException {
    int in = offset;
    int end = offset + length;
    int out = 0;
    try {
      while (true) {
        int token = source[in++] & 0xff;
        int literals = token >>> 4;
        if (literals == 15) {
          int more;
          do {
            more = source[in++] & 0xff;
            literals += more;
          } while (more == 255 && literals <= target.length);
        }
        if (literals > end - in || literals > target.length - out) {
          throw new JudgeException("LZ4 literals run over");
        }
        System.arraycopy(source, in, target, out, literals);
        in += literals;
        out += literals;
        if (in == end) {
          exact(out, target.length);
          return;
        }
        int distance = (source[in] & 0xff) | (source[in + 1] & 0xff) << 8;
        in += 2;
        int match = token & 15;
        if (match == 15) {
          int more;
          do {
            more = source[in++] & 0xff;
            match += more;
          } while (more == 255 && match <= target.length);
        }
        match += 4;
        if (in >= end || distance == 0 || distance > out || match > target.length - out) {
          throw new JudgeException("an LZ4 match runs over");
        }
        for (int i = 0; i < match; i++, out++) {
          target[out] = target[out - distance];
        }
      }
    } catch (ArrayIndexOutOfBoundsException e) {
      throw new JudgeException("LZ4 data end too early");
    }
  }
}
