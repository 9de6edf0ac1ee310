package onefold.appliance.tree;

/** Kinds of files, with the type bits of their mode. */
enum FileType {
  REGULAR(0100000),
  DIRECTORY(0040000),
  SYMBOLIC_LINK(0120000),
  CHARACTER_DEVICE(0020000),
  BLOCK_DEVICE(0060000),
  FIFO(0010000),
  SOCKET(0140000);

  private final int modeBits;

  FileType(int modeBits) {
    this.modeBits = modeBits;
  }

  int modeBits() {
    return modeBits;
  }

  static FileType ofMode(int mode) {
    for (FileType type : values()) {
      if (type.modeBits == (mode & 0170000)) {
        return type;
      }
    }
    throw new IllegalArgumentException("file mode 0" + Integer.toOctalString(mode));
  }
}
