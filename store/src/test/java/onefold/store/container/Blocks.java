package onefold.store.container;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import onefold.block.BlockBuilder;
import onefold.block.BlockCodec;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;
import onefold.chunker.Fingerprinter;
import onefold.chunker.ParameterSet;

/** Blocks made from seeds, with what they hold. */
final class Blocks {
  private Blocks() {}

  /**
   * A block.
   *
   * @param bytes as it is stored
   * @param chunks its chunks, plain
   */
  record Made(byte[] bytes, FingerprintBatch batch, List<byte[]> chunks) {}

  /** A block of chunks of half random, half repeated bytes. */
  static Made block(ChunkKind kind, long seed, int chunkCount, int maxChunkBytes) {
    Random random = new Random(seed);
    Fingerprinter fingerprinter = new Fingerprinter(ParameterSet.SET_1);
    FingerprintBatch batch = new FingerprintBatch(kind, chunkCount);
    List<byte[]> chunks = new ArrayList<>();
    BlockCodec codec = seed % 2 == 0 ? BlockCodec.NONE : BlockCodec.LZ4;
    try (BlockBuilder builder = new BlockBuilder(kind, codec, 1)) {
      for (int i = 0; i < chunkCount; i++) {
        byte[] chunk = new byte[1 + random.nextInt(maxChunkBytes)];
        byte[] half = new byte[(chunk.length + 1) / 2];
        random.nextBytes(half);
        System.arraycopy(half, 0, chunk, 0, half.length);
        System.arraycopy(half, 0, chunk, half.length, chunk.length - half.length);
        byte[] fingerprint = new byte[Fingerprint.BYTES];
        fingerprinter.fingerprint(chunk, 0, chunk.length, fingerprint, 0);
        builder.add(chunk, 0, chunk.length);
        batch.add(fingerprint, 0, chunk.length);
        chunks.add(chunk);
      }
      int length = builder.encode();
      return new Made(Arrays.copyOf(builder.bytes(), length), batch, chunks);
    }
  }
}
