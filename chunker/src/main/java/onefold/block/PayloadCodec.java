package onefold.block;

/** One compression algorithm in one implementation; owned by one block builder or reader. */
interface PayloadCodec extends AutoCloseable {
  /** Returns the room that {@link #compress} needs for the worst input of this length. */
  int maxCompressedBytes(int rawBytes);

  /** Compresses and returns the compressed length; {@code target} has room for the worst case. */
  int compress(byte[] source, int offset, int rawBytes, byte[] target, int targetOffset);

  /**
   * Decompresses exactly {@code rawBytes} bytes to the start of {@code target}; never writes beyond
   * them.
   *
   * @throws BlockFormatException if the payload is malformed or has another length
   */
  void decompress(byte[] source, int offset, int payloadBytes, byte[] target, int rawBytes)
      throws BlockFormatException;

  /** Frees what the implementation holds outside the heap. */
  @Override
  void close();
}
