package onefold.block;

/** How a block's payload is compressed. */
public enum BlockCodec {
  /** Not at all. */
  NONE(0, 128 << 10),
  /** The LZ4 block format. */
  LZ4(1, 128 << 10),
  /** One Zstandard frame (RFC 8878). */
  ZSTD(2, 256 << 10);

  private final int code;
  private final int wishedRawBytes;

  BlockCodec(int code, int wishedRawBytes) {
    this.code = code;
    this.wishedRawBytes = wishedRawBytes;
  }

  /** Returns the number that stands for this codec in a block. */
  public int code() {
    return code;
  }

  /** Returns the raw size near which a writer of data chunks should end a block. */
  public int wishedRawBytes() {
    return wishedRawBytes;
  }
}
