package onefold.block;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.zip.CRC32C;
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
      byte[] block = encode(builder, text(random, 1_000), random);
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

  @ParameterizedTest
  @EnumSource(BlockCodec.class)
  void damageWithARightChecksumIsATypedErrorOrOtherBytes(BlockCodec codec) throws Exception {
    SplittableRandom random = Seeds.random();
    for (CodecProvider provider : CodecProvider.values()) {
      try (BlockBuilder builder = new BlockBuilder(ChunkKind.NODE, codec, 1, provider);
          BlockReader reader = new BlockReader(provider)) {
        byte[] data = text(random, 20_000);
        byte[] block = encode(builder, data, random);
        int read = 0;
        for (int i = 0; i < 6_000; i++) {
          byte[] damaged = block.clone();
          for (int changes = random.nextInt(3); changes >= 0; changes--) {
            int at =
                switch (random.nextInt(3)) {
                  case 0 -> random.nextInt(BlockFormat.HEADER_BYTES);
                  case 1 -> BlockFormat.HEADER_BYTES + random.nextInt(200);
                  default -> random.nextInt(damaged.length);
                };
            damaged[at] =
                (byte)
                    (random.nextBoolean()
                        ? damaged[at] ^ (1 << random.nextInt(8))
                        : random.nextInt());
          }
          setChecksum(damaged);
          try {
            reader.parse(damaged, 0, damaged.length);
            assertTrue(reader.rawBytes() <= BlockFormat.MAX_RAW_BYTES);
            assertEquals(
                reader.rawBytes(),
                Arrays.stream(reader.chunkLengths(), 0, reader.chunkCount()).sum());
            reader.decompress();
            read++;
          } catch (BlockFormatException e) {
            assertFalse(e.what().isEmpty());
          }
        }
        assertTrue(read > 0, "no damage of this kind was read at all");
        reader.parse(block, 0, block.length);
        assertArrayEquals(data, Arrays.copyOf(reader.decompress(), data.length));
      }
    }
  }

  @Test
  void lengthsBeyondTheLimitsAreRefusedByTheHeaderAlone() throws Exception {
    SplittableRandom random = Seeds.random();
    try (BlockBuilder builder = new BlockBuilder(ChunkKind.DATA, BlockCodec.ZSTD, 1)) {
      byte[] block = encode(builder, new byte[BlockFormat.MAX_RAW_BYTES], random);
      assertTrue(block.length < 1_000);
      ByteBuffer header = ByteBuffer.wrap(block).order(ByteOrder.LITTLE_ENDIAN);
      // Raw bytes, payload bytes and number of chunks.
      for (int field : new int[] {12, 16, 20}) {
        int right = header.getInt(field);
        for (int wrong : new int[] {0, -1, Integer.MIN_VALUE, Integer.MAX_VALUE, (1 << 20) + 1}) {
          header.putInt(field, wrong);
          setChecksum(block);
          BlockFormatException e =
              assertThrows(
                  BlockFormatException.class, () -> BlockReader.totalBytes(block, 0, block.length));
          assertEquals(BlockFormatException.Reason.DAMAGED, e.reason());
        }
        header.putInt(field, right);
      }
      // Half the raw length: the payload would write beyond it.
      header.putInt(12, BlockFormat.MAX_RAW_BYTES / 2);
      header.putInt(20, 1);
      byte[] bomb = Arrays.copyOf(block, 32 + header.getInt(16) + 4);
      ByteBuffer.wrap(bomb)
          .order(ByteOrder.LITTLE_ENDIAN)
          .putInt(bomb.length - 4, BlockFormat.MAX_RAW_BYTES / 2);
      setChecksum(bomb);
      for (CodecProvider provider : CodecProvider.values()) {
        try (BlockReader reader = new BlockReader(provider)) {
          reader.parse(bomb, 0, bomb.length);
          assertThrows(BlockFormatException.class, reader::decompress);
        }
      }
    }
  }

  @Test
  void aNewerBlockIsToldFromAWrongOne() throws Exception {
    SplittableRandom random = Seeds.random();
    try (BlockBuilder builder = new BlockBuilder(ChunkKind.DATA, BlockCodec.LZ4, 1)) {
      byte[] block = encode(builder, text(random, 5_000), random);
      int[][] changes = {{0, 'X'}, {4, 2}, {6, 3}, {7, 3}, {8, 1}, {24, 1}};
      for (int[] change : changes) {
        byte[] changed = block.clone();
        changed[change[0]] = (byte) change[1];
        setChecksum(changed);
        BlockFormatException e =
            assertThrows(
                BlockFormatException.class,
                () -> BlockReader.totalBytes(changed, 0, changed.length));
        assertEquals(
            change[0] == 0
                ? BlockFormatException.Reason.NOT_A_BLOCK
                : BlockFormatException.Reason.NEWER,
            e.reason());
      }
    }
  }

  private static void setChecksum(byte[] block) {
    CRC32C crc = new CRC32C();
    crc.update(block, 0, 28);
    crc.update(block, 32, block.length - 32);
    ByteBuffer.wrap(block).order(ByteOrder.LITTLE_ENDIAN).putInt(28, (int) crc.getValue());
  }
}
