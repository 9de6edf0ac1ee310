package onefold.store.device;

/** The rule that every path of a device obeys. */
public final class DevicePaths {
  private DevicePaths() {}

  /**
   * Checks a path: parts separated by single slashes, none of them empty, {@code .} or {@code ..},
   * no NUL; or empty for the device itself.
   *
   * @throws IllegalArgumentException if it is not one
   */
  public static void check(String path) {
    int start = 0;
    while (!path.isEmpty() && start <= path.length()) {
      int slash = path.indexOf('/', start);
      int end = slash < 0 ? path.length() : slash;
      int length = end - start;
      boolean dots =
          (length == 1 || length == 2) && path.charAt(start) == '.' && path.charAt(end - 1) == '.';
      if (length == 0 || dots) {
        throw new IllegalArgumentException("not a path of a device: '" + path + "'");
      }
      start = end + 1;
    }
    if (path.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("not a path of a device: it holds a NUL");
    }
  }

  /** The directory that a path stands in; empty for the device itself. */
  public static String parent(String path) {
    int slash = path.lastIndexOf('/');
    return slash < 0 ? "" : path.substring(0, slash);
  }

  /** The last part of a path. */
  public static String name(String path) {
    return path.substring(path.lastIndexOf('/') + 1);
  }
}
