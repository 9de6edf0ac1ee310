package onefold.catalyst.wire;

/** Which codec the blocks of an upload get. */
public enum CompressionChoice {
  /** What the store is set to. */
  STORE_DEFAULT(0),
  /** LZ4: fast. */
  LZ4(1),
  /** Zstandard: smaller. */
  ZSTD(2),
  /** None. */
  NONE(3);

  private final int code;

  CompressionChoice(int code) {
    this.code = code;
  }

  /** Returns the number on the wire. */
  public int code() {
    return code;
  }

  static CompressionChoice of(int code) throws WireException {
    return switch (code) {
      case 0 -> STORE_DEFAULT;
      case 1 -> LZ4;
      case 2 -> ZSTD;
      case 3 -> NONE;
      default -> throw WireException.malformed("compression " + code + ", known are 0 to 3");
    };
  }
}
