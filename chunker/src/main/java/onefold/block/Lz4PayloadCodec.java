package onefold.block;

import net.jpountz.lz4.LZ4Compressor;
import net.jpountz.lz4.LZ4Exception;
import net.jpountz.lz4.LZ4Factory;
import net.jpountz.lz4.LZ4SafeDecompressor;

/** LZ4 by lz4-java, native or plain Java; only the decompressor that knows both bounds is used. */
final class Lz4PayloadCodec implements PayloadCodec {
  private final LZ4Compressor compressor;
  private final LZ4SafeDecompressor decompressor;

  Lz4PayloadCodec(LZ4Factory factory) {
    compressor = factory.fastCompressor();
    decompressor = factory.safeDecompressor();
  }

  @Override
  public int maxCompressedBytes(int rawBytes) {
    return compressor.maxCompressedLength(rawBytes);
  }

  @Override
  public int compress(byte[] source, int offset, int rawBytes, byte[] target, int targetOffset) {
    return compressor.compress(source, offset, rawBytes, target, targetOffset);
  }

  @Override
  public void decompress(byte[] source, int offset, int payloadBytes, byte[] target, int rawBytes)
      throws BlockFormatException {
    int written;
    try {
      written = decompressor.decompress(source, offset, payloadBytes, target, 0, rawBytes);
    } catch (LZ4Exception e) {
      throw DecompressionFailures.malformed("LZ4 payload", rawBytes, e);
    }
    DecompressionFailures.checkLength("LZ4 payload", rawBytes, written);
  }

  @Override
  public void close() {}
}
