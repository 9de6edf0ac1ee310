package onefold.nas;

import java.nio.charset.StandardCharsets;

/** What may be a name in a directory. */
final class Names {
  private Names() {}

  static void check(byte[] name) throws FileException {
    if (name.length > FileSystem.MAX_NAME_BYTES) {
      throw new FileException(
          FileError.NAME_TOO_LONG,
          "a name of " + name.length + " bytes, at most " + FileSystem.MAX_NAME_BYTES);
    }
    if (name.length == 0) {
      throw new FileException(FileError.INVALID, "an empty name");
    }
    boolean dots = name[0] == '.' && (name.length == 1 || (name.length == 2 && name[1] == '.'));
    if (dots) {
      throw new FileException(FileError.BAD_NAME, "the name '" + text(name) + "'");
    }
    for (byte b : name) {
      if (b == 0 || b == '/') {
        throw new FileException(
            FileError.BAD_NAME, "the name '" + text(name) + "' holds a slash or NUL");
      }
    }
  }

  /** A name for people. */
  static String text(byte[] name) {
    return new String(name, StandardCharsets.UTF_8);
  }
}
