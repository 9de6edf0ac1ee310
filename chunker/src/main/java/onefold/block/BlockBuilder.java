package onefold.block;

import java.util.Arrays;
import java.util.Objects;
import onefold.chunker.ChunkKind;
import org.jspecify.annotations.Nullable;

/**
 * Collects neighbouring chunks of one kind and encodes them as a block; used again for the next one
 * after {@link #reset}. Holds one block's raw bytes and, with a codec, one compressed block; with
 * zstd also native memory, so whoever makes one closes it. One thread at a time uses it.
 */
public final class BlockBuilder implements AutoCloseable {
  /**
   * The zstd level for blocks written while data arrives: 6 to 7 % smaller than level 1 on releases
   * and classes, at three quarters of its speed.
   */
  public static final int INLINE_ZSTD_LEVEL = 3;

  /** A compressed payload must save at least the 32nd part, else the block is stored raw. */
  private static final int LEAST_SAVING_SHIFT = 5;

  private static final int INITIAL_BYTES = 64 << 10;

  private final ChunkKind kind;
  private final BlockCodec codec;
  private final @Nullable PayloadCodec compressor;

  /** A raw block as it will be: room for the header, then the chunks' bytes. */
  private byte[] raw = new byte[INITIAL_BYTES];

  private byte[] compressed = {};
  private int[] lengths = new int[64];
  private int rawBytes;
  private int chunkCount;
  private boolean encoded;
  private byte[] result = raw;

  /** Makes a builder with this process's codec implementation. */
  public BlockBuilder(ChunkKind kind, BlockCodec codec, int zstdLevel) {
    this(kind, codec, zstdLevel, CodecProvider.chosen());
  }

  BlockBuilder(ChunkKind kind, BlockCodec codec, int zstdLevel, CodecProvider provider) {
    this.kind = kind;
    this.codec = codec;
    this.compressor =
        switch (codec) {
          case NONE -> null;
          case LZ4 -> provider.lz4();
          case ZSTD -> provider.zstd(zstdLevel);
        };
  }

  /** Returns whether a chunk of this length may still be added. */
  public boolean fits(int lengthBytes) {
    return chunkCount < BlockFormat.MAX_CHUNKS
        && lengthBytes <= BlockFormat.MAX_RAW_BYTES - rawBytes;
  }

  /**
   * Adds a chunk, copying it.
   *
   * @param lengthBytes from 1
   * @throws IllegalArgumentException if it does not fit
   */
  public void add(byte[] source, int offset, int lengthBytes) {
    Objects.checkFromIndexSize(offset, lengthBytes, source.length);
    if (encoded) {
      throw new IllegalStateException("the block is encoded; reset the builder first");
    }
    if (lengthBytes < 1 || !fits(lengthBytes)) {
      throw new IllegalArgumentException(
          "chunk of " + lengthBytes + " bytes behind " + chunkCount + " of " + rawBytes);
    }
    int end = BlockFormat.HEADER_BYTES + rawBytes;
    ensureRawRoom(end + lengthBytes);
    System.arraycopy(source, offset, raw, end, lengthBytes);
    rawBytes += lengthBytes;
    if (chunkCount == lengths.length) {
      lengths = Arrays.copyOf(lengths, chunkCount * 2);
    }
    lengths[chunkCount++] = lengthBytes;
  }

  public int rawBytes() {
    return rawBytes;
  }

  public int chunkCount() {
    return chunkCount;
  }

  /**
   * Encodes the block and returns its length; {@link #bytes} then begins with it. A payload that
   * does not shrink is stored raw.
   *
   * @throws IllegalStateException if no chunk was added
   */
  public int encode() {
    if (chunkCount == 0) {
      throw new IllegalStateException("a block needs at least one chunk");
    }
    encoded = true;
    if (compressor != null && !Incompressible.isLikely(raw, BlockFormat.HEADER_BYTES, rawBytes)) {
      int room =
          BlockFormat.HEADER_BYTES
              + compressor.maxCompressedBytes(rawBytes)
              + chunkCount * Integer.BYTES;
      if (compressed.length < room) {
        compressed = new byte[room];
      }
      int payload =
          compressor.compress(
              raw, BlockFormat.HEADER_BYTES, rawBytes, compressed, BlockFormat.HEADER_BYTES);
      if (payload <= rawBytes - (rawBytes >>> LEAST_SAVING_SHIFT) && payload < rawBytes) {
        result = compressed;
        return finish(codec, payload);
      }
    }
    ensureRawRoom(BlockFormat.totalBytes(rawBytes, chunkCount));
    result = raw;
    return finish(BlockCodec.NONE, rawBytes);
  }

  /** Returns the array that begins with the encoded block; valid until the next {@link #reset}. */
  public byte[] bytes() {
    if (!encoded) {
      throw new IllegalStateException("the block is not encoded yet");
    }
    return result;
  }

  /** Empties the builder for the next block. */
  public void reset() {
    rawBytes = 0;
    chunkCount = 0;
    encoded = false;
  }

  @Override
  public void close() {
    if (compressor != null) {
      compressor.close();
    }
  }

  private int finish(BlockCodec used, int payloadBytes) {
    int at = BlockFormat.HEADER_BYTES + payloadBytes;
    for (int i = 0; i < chunkCount; i++) {
      BlockFormat.writeLength(result, at, lengths[i]);
      at += Integer.BYTES;
    }
    BlockFormat.writeHeader(result, used, kind, rawBytes, payloadBytes, chunkCount);
    return at;
  }

  private void ensureRawRoom(int wanted) {
    if (raw.length < wanted) {
      int doubled = Math.min(raw.length * 2, BlockFormat.MAX_BLOCK_BYTES);
      raw = Arrays.copyOf(raw, Math.max(doubled, wanted));
    }
  }
}
