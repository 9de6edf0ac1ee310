package onefold.appliance.analyze;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import net.openhft.hashing.LongHashFunction;
import onefold.block.BlockBuilder;
import onefold.block.BlockCodec;
import onefold.chunker.ChunkKind;
import onefold.chunker.Cutter;
import onefold.chunker.Fingerprint;
import onefold.chunker.ParameterSet;
import onefold.chunker.RecipeBuilder;
import org.jspecify.annotations.Nullable;

/**
 * Counts for one chunk size; takes the stream in buffers of any size. One thread at a time uses it.
 */
final class SizeAnalysis implements AutoCloseable {
  /** Bytes of directory and index for one chunk: 36 in the container, 43 in the index. */
  private static final int DIRECTORY_AND_INDEX_BYTES = 79;

  private static final LongHashFunction XXH3 = LongHashFunction.xx3();
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private final int meanBytes;
  private final int maxBytes;
  private final @Nullable Cutter cutter;
  private final ParameterSet set;
  private final SeenChunks chunks = new SeenChunks(SeenChunks.MAX_KEPT);
  private final SeenChunks nodes = new SeenChunks(SeenChunks.MAX_KEPT);
  private final BlockBuilder lz4 = new BlockBuilder(ChunkKind.DATA, BlockCodec.LZ4, 1);
  private final BlockBuilder zstd =
      new BlockBuilder(ChunkKind.DATA, BlockCodec.ZSTD, BlockBuilder.INLINE_ZSTD_LEVEL);

  /** One block in so many is compressed; its size stands for all. */
  private final int compressedOneIn;

  private final int[] lengths = new int[4096];
  private final byte[] fingerprint = new byte[Fingerprint.BYTES];
  private byte[] pending;
  private int pendingBytes;
  private RecipeBuilder recipe;

  private long logicalBytes;
  private long chunkCount;
  private long uniqueBytes;
  private long uniqueChunks;
  private double lz4Bytes;
  private double zstdBytes;
  private long recipeBytes;
  private long nodeCount;
  private long lz4Blocks;
  private long zstdBlocks;
  private double lz4Weight;
  private double zstdWeight;

  private SizeAnalysis(
      int meanBytes, int maxBytes, @Nullable Cutter cutter, ParameterSet set, int compressedOneIn) {
    this.meanBytes = meanBytes;
    this.maxBytes = maxBytes;
    this.cutter = cutter;
    this.set = set;
    this.compressedOneIn = compressedOneIn;
    this.pending = new byte[2 * maxBytes];
    this.recipe = newRecipe();
  }

  /** Content-defined chunks of a mean size, with the proportions of parameter set 1. */
  static SizeAnalysis ofMean(int meanBytes, int compressedOneIn) {
    ParameterSet one = ParameterSet.SET_1;
    ParameterSet set =
        new ParameterSet(
            one.number(),
            meanBytes / 4,
            meanBytes,
            meanBytes * 8,
            one.nodeMinEntries(),
            one.nodeMeanEntries(),
            one.nodeMaxEntries());
    return new SizeAnalysis(meanBytes, set.maxBytes(), Cutter.of(set), set, compressedOneIn);
  }

  /** Chunks of a fixed size. */
  static SizeAnalysis ofFixed(int sizeBytes, int compressedOneIn) {
    return new SizeAnalysis(sizeBytes, sizeBytes, null, ParameterSet.SET_1, compressedOneIn);
  }

  /**
   * Takes the next bytes of a generation.
   *
   * @param end whether they are the last, or a cut is forced behind them
   */
  void take(byte[] source, int lengthBytes, boolean end) throws IOException {
    logicalBytes += lengthBytes;
    int at = 0;
    if (pendingBytes > 0) {
      // The rest of the buffer before, and enough of this one to be sure of its chunks.
      int joined = Math.min(lengthBytes, pending.length - pendingBytes);
      System.arraycopy(source, 0, pending, pendingBytes, joined);
      int filled = pendingBytes + joined;
      boolean all = joined == lengthBytes;
      int done = cut(pending, 0, filled, end && all);
      if (all) {
        System.arraycopy(pending, done, pending, 0, filled - done);
        pendingBytes = filled - done;
        return;
      }
      at = done - pendingBytes;
      if (at < 0) {
        throw new IllegalStateException("no border in " + filled + " bytes");
      }
      pendingBytes = 0;
    }
    at = cut(source, at, lengthBytes, end);
    System.arraycopy(source, at, pending, 0, lengthBytes - at);
    pendingBytes = lengthBytes - at;
  }

  /** Ends a generation: its recipe is closed, what was seen stays. */
  void endGeneration() throws IOException {
    take(new byte[0], 0, true);
    if (pendingBytes > 0) {
      chunk(pending, 0, pendingBytes);
      pendingBytes = 0;
    }
    recipe.finish();
    recipe = newRecipe();
  }

  SizeFigures figures() {
    return new SizeFigures(
        meanBytes,
        cutter == null,
        logicalBytes,
        chunkCount,
        uniqueBytes,
        uniqueChunks,
        Math.round(
            lz4Bytes + lz4.rawBytes() * (uniqueBytes == 0 ? 0 : lz4Bytes / Math.max(1, lz4Weight))),
        Math.round(
            zstdBytes
                + zstd.rawBytes() * (uniqueBytes == 0 ? 0 : zstdBytes / Math.max(1, zstdWeight))),
        recipeBytes,
        (uniqueChunks + nodeCount) * DIRECTORY_AND_INDEX_BYTES);
  }

  @Override
  public void close() {
    lz4.close();
    zstd.close();
  }

  /** Cuts and counts the chunks that are certain; returns where they end. */
  private int cut(byte[] source, int start, int end, boolean endOfStream) throws IOException {
    int at = start;
    if (cutter == null) {
      for (; end - at >= maxBytes; at += maxBytes) {
        chunk(source, at, maxBytes);
      }
      return at;
    }
    while (at < end) {
      int count = cutter.cut(source, at, end, endOfStream, lengths, 0);
      for (int i = 0; i < count; i++) {
        chunk(source, at, lengths[i]);
        at += lengths[i];
      }
      if (count < lengths.length) {
        break;
      }
    }
    return at;
  }

  private void chunk(byte[] source, int offset, int lengthBytes) throws IOException {
    chunkCount++;
    long hash = XXH3.hashBytes(source, offset, lengthBytes);
    for (int i = 0; i < 4; i++) {
      LONG.set(fingerprint, i * Long.BYTES, hash * (2L * i + 1));
    }
    recipe.chunk(fingerprint, 0, Math.min(lengthBytes, set.maxBytes()));
    int weight = chunks.weightIfNew(hash);
    if (weight == 0) {
      return;
    }
    uniqueChunks += weight;
    uniqueBytes += (long) weight * lengthBytes;
    // Pieces, because a fixed chunk may be longer than a block.
    for (int done = 0; done < lengthBytes; done += BLOCK_PIECE_BYTES) {
      int piece = Math.min(BLOCK_PIECE_BYTES, lengthBytes - done);
      add(lz4, BlockCodec.LZ4, source, offset + done, piece, weight);
      add(zstd, BlockCodec.ZSTD, source, offset + done, piece, weight);
    }
  }

  private static final int BLOCK_PIECE_BYTES = 64 << 10;

  private void add(
      BlockBuilder block,
      BlockCodec codec,
      byte[] source,
      int offset,
      int lengthBytes,
      int weight) {
    block.add(source, offset, lengthBytes);
    if (block.rawBytes() < codec.wishedRawBytes()) {
      return;
    }
    boolean isLz4 = codec == BlockCodec.LZ4;
    long number = isLz4 ? lz4Blocks++ : zstdBlocks++;
    double rawBytes = (double) block.rawBytes() * weight;
    double before = isLz4 ? lz4Weight : zstdWeight;
    double known = isLz4 ? lz4Bytes : zstdBytes;
    double stored;
    if (number % compressedOneIn == 0 || before == 0) {
      stored = (double) block.encode() * weight;
    } else {
      stored = rawBytes * known / before;
    }
    if (isLz4) {
      lz4Bytes += stored;
      lz4Weight += rawBytes;
    } else {
      zstdBytes += stored;
      zstdWeight += rawBytes;
    }
    block.reset();
  }

  private RecipeBuilder newRecipe() {
    return new RecipeBuilder(
        set,
        (level, node, lengthBytes, nodeFingerprint) -> {
          int weight = nodes.weightIfNew((long) LONG.get(nodeFingerprint, 0));
          recipeBytes += (long) weight * lengthBytes;
          nodeCount += weight;
        });
  }
}
