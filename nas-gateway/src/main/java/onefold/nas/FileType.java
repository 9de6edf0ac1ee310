package onefold.nas;

/** What a file is. */
public enum FileType {
  REGULAR(1),
  DIRECTORY(2),
  SYMBOLIC_LINK(3),
  BLOCK_DEVICE(4),
  CHARACTER_DEVICE(5),
  SOCKET(6),
  FIFO(7);

  private final int code;

  FileType(int code) {
    this.code = code;
  }

  /** The number in formats. */
  public int code() {
    return code;
  }

  /**
   * The type with a number.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static FileType ofCode(int code) {
    for (FileType type : values()) {
      if (type.code == code) {
        return type;
      }
    }
    throw new IllegalArgumentException("file type " + code);
  }
}
