package onefold.block;

import static onefold.block.BlockFormatException.Reason.DAMAGED;
import static onefold.block.BlockFormatException.Reason.TRUNCATED;

import java.util.Objects;
import onefold.chunker.ChunkKind;
import org.jspecify.annotations.Nullable;

/**
 * Checks and decompresses blocks, one after another. Holds one block's raw bytes, at most {@link
 * BlockFormat#MAX_RAW_BYTES}, and native memory once it has read zstd, so whoever makes one closes
 * it. One thread at a time uses it.
 */
public final class BlockReader implements AutoCloseable {
  private static final byte[] NOTHING = {};

  private final CodecProvider provider;
  private @Nullable PayloadCodec lz4;
  private @Nullable PayloadCodec zstd;

  private byte[] block = NOTHING;
  private int offset;
  private BlockCodec codec = BlockCodec.NONE;
  private ChunkKind kind = ChunkKind.DATA;
  private int rawBytes;
  private int payloadBytes;
  private int chunkCount;
  private int[] lengths = {};
  private byte[] raw = {};

  /** Makes a reader with this process's codec implementation. */
  public BlockReader() {
    this(CodecProvider.chosen());
  }

  BlockReader(CodecProvider provider) {
    this.provider = provider;
  }

  /** Returns how many bytes {@link #totalBytes} must see. */
  public static int headerBytesNeeded() {
    return BlockFormat.HEADER_BYTES;
  }

  /**
   * Returns the length of the block that begins at {@code offset}, as its header says; at most
   * {@link BlockFormat#MAX_BLOCK_BYTES}. The header is checked, but only {@link #parse} proves it.
   *
   * @param available bytes of {@code source} from {@code offset}
   * @throws BlockFormatException if no block that this release reads begins there
   */
  public static int totalBytes(byte[] source, int offset, int available)
      throws BlockFormatException {
    Objects.checkFromIndexSize(offset, available, source.length);
    return BlockFormat.checkHeader(source, offset, available);
  }

  /**
   * Checks the block {@code source[offset, offset + lengthBytes)}: header, checksum, chunk lengths.
   * The array must not change until {@link #decompress} was called.
   *
   * @throws BlockFormatException if it is not exactly one undamaged block that this release reads;
   *     the reader then stands on an empty block
   */
  public void parse(byte[] source, int offset, int lengthBytes) throws BlockFormatException {
    Objects.checkFromIndexSize(offset, lengthBytes, source.length);
    rawBytes = 0;
    payloadBytes = 0;
    chunkCount = 0;
    int total = BlockFormat.checkHeader(source, offset, lengthBytes);
    if (total != lengthBytes) {
      throw new BlockFormatException(
          total > lengthBytes ? TRUNCATED : DAMAGED, "length", total, lengthBytes);
    }
    BlockFormat.checkChecksum(source, offset, total);
    int raw = BlockFormat.rawBytes(source, offset);
    int payload = BlockFormat.payloadBytes(source, offset);
    int count = BlockFormat.chunkCount(source, offset);
    readLengths(source, offset + BlockFormat.HEADER_BYTES + payload, count, raw);
    this.block = source;
    this.offset = offset;
    this.codec = BlockFormat.codec(source, offset);
    this.kind = BlockFormat.kind(source, offset);
    this.rawBytes = raw;
    this.payloadBytes = payload;
    this.chunkCount = count;
  }

  /** Returns how the payload is compressed; a block of a codec may still be stored raw. */
  public BlockCodec codec() {
    return codec;
  }

  public ChunkKind kind() {
    return kind;
  }

  /** Returns the plain bytes of all chunks together. */
  public int rawBytes() {
    return rawBytes;
  }

  public int chunkCount() {
    return chunkCount;
  }

  /**
   * Returns the chunks' plain lengths; the first {@link #chunkCount} are valid until the next
   * parse.
   */
  public int[] chunkLengths() {
    return lengths;
  }

  /**
   * Returns an array that begins with the plain bytes of all chunks, one behind another; valid
   * until the next call.
   *
   * @throws BlockFormatException if the payload does not decompress to exactly {@link #rawBytes}
   */
  public byte[] decompress() throws BlockFormatException {
    if (chunkCount == 0) {
      throw new IllegalStateException("no block was parsed");
    }
    if (raw.length < rawBytes) {
      raw = new byte[roundedUp(rawBytes)];
    }
    int payloadAt = offset + BlockFormat.HEADER_BYTES;
    switch (codec) {
      case NONE -> System.arraycopy(block, payloadAt, raw, 0, rawBytes);
      case LZ4 -> lz4().decompress(block, payloadAt, payloadBytes, raw, rawBytes);
      case ZSTD -> zstd().decompress(block, payloadAt, payloadBytes, raw, rawBytes);
    }
    return raw;
  }

  /**
   * Lets go of the array that was parsed, and stands on an empty block; what {@link #decompress}
   * gave stays valid.
   */
  public void forgetBlock() {
    block = NOTHING;
    rawBytes = 0;
    payloadBytes = 0;
    chunkCount = 0;
  }

  @Override
  public void close() {
    if (lz4 != null) {
      lz4.close();
    }
    if (zstd != null) {
      zstd.close();
    }
  }

  private void readLengths(byte[] source, int from, int count, int raw)
      throws BlockFormatException {
    if (lengths.length < count) {
      lengths =
          new int[Math.min(BlockFormat.MAX_CHUNKS, Math.max(64, Integer.highestOneBit(count) * 2))];
    }
    long sum = 0;
    for (int i = 0; i < count; i++) {
      int length = BlockFormat.readLength(source, from + i * Integer.BYTES);
      if (length < 1 || length > raw) {
        throw new BlockFormatException(DAMAGED, "length of chunk " + i, "1 to " + raw, length);
      }
      lengths[i] = length;
      sum += length;
    }
    if (sum != raw) {
      throw new BlockFormatException(DAMAGED, "sum of chunk lengths", raw, sum);
    }
  }

  /** Rounds up so that an array that grows does so in few steps. */
  private static int roundedUp(int bytes) {
    return Math.min(BlockFormat.MAX_RAW_BYTES, Integer.highestOneBit(bytes) * 2);
  }

  private PayloadCodec lz4() {
    PayloadCodec codec = lz4;
    if (codec == null) {
      codec = provider.lz4();
      lz4 = codec;
    }
    return codec;
  }

  private PayloadCodec zstd() {
    PayloadCodec codec = zstd;
    if (codec == null) {
      codec = provider.zstd(BlockBuilder.INLINE_ZSTD_LEVEL);
      zstd = codec;
    }
    return codec;
  }
}
