package onefold.testing.fuzz;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;
import onefold.block.BlockBuilder;
import onefold.block.BlockCodec;
import onefold.block.BlockFormat;
import onefold.block.BlockFormatException;
import onefold.block.BlockReader;
import onefold.chunker.ChunkKind;

/** Blocks, docs/formats/block.md: header, chunk lengths, decompression. */
public final class BlockFuzz implements FuzzTarget {
  private static final int PAYLOAD_AT = 16;
  private static final int COUNT_AT = 20;
  private static final int CRC_AT = 28;

  @Override
  public String name() {
    return "block";
  }

  @Override
  public List<byte[]> samples() throws IOException {
    List<byte[]> samples = new ArrayList<>();
    byte[] text = "a line of text, and again ".repeat(20).getBytes(StandardCharsets.US_ASCII);
    for (BlockCodec codec : BlockCodec.values()) {
      try (BlockBuilder builder = new BlockBuilder(ChunkKind.DATA, codec, 3)) {
        builder.add(text, 0, 300);
        builder.add(text, 100, 60);
        builder.add(text, 0, 1);
        int length = builder.encode();
        samples.add(java.util.Arrays.copyOf(builder.bytes(), length));
      }
    }
    return samples;
  }

  @Override
  public byte[] repaired(byte[] input) {
    repair(input, 0, input.length);
    return input;
  }

  /** Makes the checksum of a block right, and its chunk count if that makes its length right. */
  public static void repair(byte[] bytes, int offset, int length) {
    if (length < BlockFormat.HEADER_BYTES) {
      return;
    }
    ByteBuffer block = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int rest = length - BlockFormat.HEADER_BYTES - block.getInt(offset + PAYLOAD_AT);
    if (rest > 0 && rest % 4 == 0) {
      block.putInt(offset + COUNT_AT, rest / 4);
    }
    CRC32C crc = new CRC32C();
    crc.update(bytes, offset, CRC_AT);
    int behind = BlockFormat.HEADER_BYTES;
    crc.update(bytes, offset + behind, length - behind);
    block.putInt(offset + CRC_AT, (int) crc.getValue());
  }

  @Override
  public void decode(byte[] input) throws IOException {
    try (BlockReader reader = new BlockReader()) {
      int total = BlockReader.totalBytes(input, 0, input.length);
      reader.parse(input, 0, input.length);
      assertEquals(input.length, total);
      byte[] raw = reader.decompress();
      int sum = 0;
      for (int i = 0; i < reader.chunkCount(); i++) {
        sum += reader.chunkLengths()[i];
      }
      assertEquals(reader.rawBytes(), sum);
      assertEquals(true, sum <= raw.length);
    }
  }

  @Override
  public boolean isRefusal(Throwable thrown) {
    return thrown instanceof BlockFormatException;
  }

  /** A block of any length may hold the most plain bytes that a block holds; they are made once. */
  @Override
  public long allocationBound(int inputBytes) {
    return BlockFormat.MAX_RAW_BYTES + (64 << 10) + 4L * inputBytes;
  }
}
