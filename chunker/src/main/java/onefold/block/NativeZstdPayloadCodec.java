package onefold.block;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import org.jspecify.annotations.Nullable;

/** Zstandard by the reference library; each direction's context is made when it is first used. */
final class NativeZstdPayloadCodec implements PayloadCodec {
  private final int level;
  private @Nullable ZstdCompressCtx compressor;
  private @Nullable ZstdDecompressCtx decompressor;

  NativeZstdPayloadCodec(int level) {
    this.level = level;
  }

  @Override
  public int maxCompressedBytes(int rawBytes) {
    return Math.toIntExact(Zstd.compressBound(rawBytes));
  }

  @Override
  public int compress(byte[] source, int offset, int rawBytes, byte[] target, int targetOffset) {
    ZstdCompressCtx context = compressor;
    if (context == null) {
      context = new ZstdCompressCtx();
      context.setLevel(level);
      context.setChecksum(false);
      compressor = context;
    }
    return context.compressByteArray(
        target, targetOffset, target.length - targetOffset, source, offset, rawBytes);
  }

  @Override
  public void decompress(byte[] source, int offset, int payloadBytes, byte[] target, int rawBytes)
      throws BlockFormatException {
    ZstdDecompressCtx context = decompressor;
    if (context == null) {
      context = new ZstdDecompressCtx();
      decompressor = context;
    }
    int written;
    try {
      written = context.decompressByteArray(target, 0, rawBytes, source, offset, payloadBytes);
    } catch (ZstdException e) {
      throw DecompressionFailures.malformed("zstd payload", rawBytes, e);
    }
    DecompressionFailures.checkLength("zstd payload", rawBytes, written);
  }

  @Override
  public void close() {
    if (compressor != null) {
      compressor.close();
      compressor = null;
    }
    if (decompressor != null) {
      decompressor.close();
      decompressor = null;
    }
  }
}
