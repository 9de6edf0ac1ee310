package onefold.chunker;

/**
 * What a chunk holds. The kind is part of a chunk's identity: a data chunk with the bytes of a node
 * is another chunk.
 */
public enum ChunkKind {
  /** Bytes of an object. */
  DATA(1),
  /** A node of a recipe or of the catalog. */
  NODE(2);

  private final int code;

  ChunkKind(int code) {
    this.code = code;
  }

  /** Returns the number that stands for this kind in every format and on the wire. */
  public int code() {
    return code;
  }

  /**
   * Returns the kind for a number read from outside.
   *
   * @throws IllegalArgumentException if no kind has this number
   */
  public static ChunkKind ofCode(int code) {
    return switch (code) {
      case 1 -> DATA;
      case 2 -> NODE;
      default ->
          throw new IllegalArgumentException(
              "chunk kind " + code + ", known are 1 (data) and 2 (node)");
    };
  }
}
