package onefold.appliance.judge;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.SplittableRandom;
import onefold.block.BlockBuilder;
import onefold.block.BlockCodec;
import onefold.chunker.ChunkKind;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

/**
 * The judge's own reader of blocks agrees with the product's writer, and refuses what was changed.
 */
class StoredBlockTest {
  private static byte[] compressible(SplittableRandom random, int length) {
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] =
          i > 40 && random.nextInt(8) != 0
              ? bytes[i - 1 - random.nextInt(40)]
              : (byte) random.nextInt(256);
    }
    return bytes;
  }

  private static byte[] block(BlockCodec codec, byte[]... chunks) {
    try (BlockBuilder builder = new BlockBuilder(ChunkKind.DATA, codec, 3)) {
      for (byte[] chunk : chunks) {
        builder.add(chunk, 0, chunk.length);
      }
      int length = builder.encode();
      return Arrays.copyOf(builder.bytes(), length);
    }
  }

  @RepeatedTest(10)
  void everyCodecIsReadBack() throws JudgeException {
    long seed = Long.getLong("onefold.seed", System.nanoTime());
    SplittableRandom random = new SplittableRandom(seed);
    byte[] one = compressible(random, 1 + random.nextInt(60_000));
    byte[] two = compressible(random, 1 + random.nextInt(60_000));
    for (BlockCodec codec : BlockCodec.values()) {
      StoredBlock read = StoredBlock.read(block(codec, one, two));
      assertArrayEquals(
          one, read.run(0, JudgeWriter.sha256(one), 0, one.length), () -> "onefold.seed=" + seed);
      int skip = random.nextInt(two.length);
      assertArrayEquals(
          Arrays.copyOfRange(two, skip, two.length),
          read.run(1, JudgeWriter.sha256(two), skip, two.length - skip),
          () -> "onefold.seed=" + seed);
    }
  }

  @Test
  void aChangedBlockOrAnotherFingerprintIsRefused() throws JudgeException {
    byte[] chunk = compressible(new SplittableRandom(1), 5000);
    byte[] block = block(BlockCodec.LZ4, chunk);
    for (int at = 0; at < block.length; at += 7) {
      byte[] changed = block.clone();
      changed[at] ^= 0x10;
      assertThrows(JudgeException.class, () -> StoredBlock.read(changed), "byte " + at);
    }
    assertThrows(
        JudgeException.class, () -> StoredBlock.read(Arrays.copyOf(block, block.length - 1)));
    StoredBlock read = StoredBlock.read(block);
    assertThrows(JudgeException.class, () -> read.run(0, new byte[32], 0, chunk.length));
    assertThrows(JudgeException.class, () -> read.run(1, JudgeWriter.sha256(chunk), 0, 1));
    assertThrows(JudgeException.class, () -> read.run(0, JudgeWriter.sha256(chunk), 4000, 1001));
  }

  @Test
  void lz4ThatRunsOverIsRefused() {
    byte[] target = new byte[8];
    for (byte[] bad :
        new byte[][] {
          {},
          {(byte) 0xf0},
          {(byte) 0xf0, (byte) 0xff, (byte) 0xff},
          {0x10, 1, 0, 0},
          {0x10, 1, 9, 0},
          {0x1f, 1, 1, 0, (byte) 0xff, 0, 0},
          {0x20, 1},
          {0x40, 1, 2, 3, 4}
        }) {
      assertThrows(JudgeException.class, () -> StoredBlock.lz4(bad, 0, bad.length, target));
    }
  }
}
