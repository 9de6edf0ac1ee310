package onefold.store.engine;

import onefold.block.BlockBuilder;
import onefold.block.BlockCodec;
import onefold.chunker.ChunkKind;
import onefold.store.Compression;

/**
 * How new blocks are made.
 *
 * @param codec of the payload
 */
record BlockShape(BlockCodec codec) {
  static BlockShape of(Compression compression) {
    return new BlockShape(
        switch (compression) {
          case LZ4 -> BlockCodec.LZ4;
          case ZSTD -> BlockCodec.ZSTD;
          case NONE -> BlockCodec.NONE;
        });
  }

  /** Raw bytes at which a block of data is full. */
  int rawBytes() {
    return codec.wishedRawBytes();
  }

  BlockBuilder newBuilder(ChunkKind kind) {
    return new BlockBuilder(kind, codec, BlockBuilder.INLINE_ZSTD_LEVEL);
  }
}
