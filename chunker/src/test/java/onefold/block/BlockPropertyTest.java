package onefold.block;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.SplittableRandom;
import onefold.chunker.ChunkKind;
import onefold.chunker.Seeds;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class BlockPropertyTest {
  private static byte[] text(SplittableRandom random, int length) {
    byte[] data = new byte[length];
    int at = 0;
    while (at < length) {
      int from = random.nextInt(at + 1);
      int run = Math.min(length - at, random.nextInt(1, 60));
      for (int i = 0; i < run; i++) {
        data[at + i] =
            random.nextInt(8) == 0 || from + i >= at ? (byte) random.nextInt(64) : data[from + i];
      }
      at += run;
    }
    return data;
  }

  private static byte[] encode(BlockBuilder builder, byte[] data, SplittableRandom random) {
    builder.reset();
    int at = 0;
    while (at < data.length) {
      int length = Math.min(data.length - at, random.nextInt(1, 70_000));
      assertTrue(builder.fits(length));
      builder.add(data, at, length);
      at += length;
    }
    int length = builder.encode();
    return Arrays.copyOf(builder.bytes(), length);
  }

  @ParameterizedTest
  @EnumSource(BlockCodec.class)
  void everyImplementationReadsWhatTheOthersWrite(BlockCodec codec) throws Exception {
    SplittableRandom random = Seeds.random();
    for (CodecProvider writer : CodecProvider.values()) {
      try (BlockBuilder builder = new BlockBuilder(ChunkKind.DATA, codec, 3, writer);
          BlockReader nativeReader = new BlockReader(CodecProvider.NATIVE);
          BlockReader javaReader = new BlockReader(CodecProvider.JAVA)) {
        for (int i = 0; i < 12; i++) {
          int length = i == 0 ? 1 : i == 1 ? BlockFormat.MAX_RAW_BYTES : random.nextInt(1, 400_000);
          byte[] data = text(random, length);
          if (i % 4 == 3) {
            random.nextBytes(data);
          }
          byte[] block = encode(builder, data, random);
          for (BlockReader reader : new BlockReader[] {nativeReader, javaReader}) {
            assertEquals(block.length, BlockReader.totalBytes(block, 0, block.length));
            reader.parse(block, 0, block.length);
            assertEquals(ChunkKind.DATA, reader.kind());
            assertEquals(length, reader.rawBytes());
            assertEquals(builder.chunkCount(), reader.chunkCount());
            assertEquals(
                length, Arrays.stream(reader.chunkLengths(), 0, reader.chunkCount()).sum());
            assertArrayEquals(data, Arrays.copyOf(reader.decompress(), length));
            if (length > 10_000) {
              assertEquals(i % 4 == 3 ? BlockCodec.NONE : codec, reader.codec());
            }
          }
        }
      }
    }
  }

  @Test
  void aBlockHasBounds() {
    try (BlockBuilder builder = new BlockBuilder(ChunkKind.NODE, BlockCodec.NONE, 0)) {
      assertThrows(IllegalStateException.class, builder::encode);
      for (int i = 0; i < BlockFormat.MAX_CHUNKS; i++) {
        assertTrue(builder.fits(1));
        builder.add(new byte[1], 0, 1);
      }
      assertFalse(builder.fits(1));
      assertThrows(IllegalArgumentException.class, () -> builder.add(new byte[1], 0, 1));
      builder.encode();
      assertThrows(IllegalStateException.class, () -> builder.add(new byte[1], 0, 1));
      builder.reset();
      assertFalse(builder.fits(BlockFormat.MAX_RAW_BYTES + 1));
      assertThrows(IllegalArgumentException.class, () -> builder.add(new byte[1], 0, 0));
    }
  }

  @ParameterizedTest
  @EnumSource(BlockCodec.class)
  void everyFlippedBitIsFound(BlockCodec codec) throws Exception {
    SplittableRandom random = Seeds.random();
    try (BlockBuilder builder = new BlockBuilder(ChunkKind.DATA, codec, 1);
        BlockReader reader = new BlockReader()) {
      byte[] block = encode(builder, text(random, 3_000), random);
      for (int bit = 0; bit < block.length * 8; bit++) {
        byte[] damaged = block.clone();
        damaged[bit / 8] ^= (byte) (1 << bit % 8);
        assertThrows(BlockFormatException.class, () -> reader.parse(damaged, 0, damaged.length));
        assertEquals(0, reader.chunkCount());
      }
      for (int length = 0; length < block.length; length++) {
        int cut = length;
        BlockFormatException e =
            assertThrows(BlockFormatException.class, () -> reader.parse(block, 0, cut));
        assertEquals(BlockFormatException.Reason.TRUNCATED, e.reason());
      }
    }
  }
}
