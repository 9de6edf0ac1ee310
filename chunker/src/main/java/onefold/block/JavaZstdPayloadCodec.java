package onefold.block;

import io.airlift.compress.v3.MalformedInputException;
import io.airlift.compress.v3.zstd.ZstdJavaCompressor;
import io.airlift.compress.v3.zstd.ZstdJavaDecompressor;

/** Zstandard in plain Java, which has one level only. */
final class JavaZstdPayloadCodec implements PayloadCodec {
  private final ZstdJavaCompressor compressor = new ZstdJavaCompressor();
  private final ZstdJavaDecompressor decompressor = new ZstdJavaDecompressor();

  @Override
  public int maxCompressedBytes(int rawBytes) {
    return compressor.maxCompressedLength(rawBytes);
  }

  @Override
  public int compress(byte[] source, int offset, int rawBytes, byte[] target, int targetOffset) {
    return compressor.compress(
        source, offset, rawBytes, target, targetOffset, target.length - targetOffset);
  }

  @Override
  public void decompress(byte[] source, int offset, int payloadBytes, byte[] target, int rawBytes)
      throws BlockFormatException {
    int written;
    try {
      written = decompressor.decompress(source, offset, payloadBytes, target, 0, rawBytes);
    } catch (MalformedInputException
        | IndexOutOfBoundsException
        | IllegalArgumentException
        | IllegalStateException e) {
      // The library checks most, not all, of its input; what it throws besides is damage too.
      throw DecompressionFailures.malformed("zstd payload", rawBytes, e);
    }
    DecompressionFailures.checkLength("zstd payload", rawBytes, written);
  }

  @Override
  public void close() {}
}
