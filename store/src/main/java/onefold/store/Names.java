package onefold.store;

import java.nio.charset.StandardCharsets;
import onefold.store.RefusedException.Reason;

/** What may be a name, checked at every door. */
public final class Names {
  /** Most bytes of a store's, domain's, tenant's or user's name in UTF-8. */
  public static final int MAX_STORE_NAME_BYTES = 128;

  /** Most bytes of an item's name in UTF-8. */
  public static final int MAX_ITEM_NAME_BYTES = 1024;

  private Names() {}

  /**
   * Checks the name of a store, domain, tenant or user: 1 to {@value #MAX_STORE_NAME_BYTES} bytes
   * of letters, digits, dot, hyphen and underscore, beginning with a letter or digit.
   *
   * @throws RefusedException {@code INVALID_NAME}
   */
  public static String checkStoreName(String name) throws RefusedException {
    if (name.isEmpty()) {
      throw invalid(name, "is empty");
    }
    if (name.length() > MAX_STORE_NAME_BYTES) {
      throw invalid(
          name.substring(0, 32) + "…", "has " + name.length() + " characters, at most 128");
    }
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      boolean alphanumeric =
          (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      if (!alphanumeric && (i == 0 || (c != '.' && c != '-' && c != '_'))) {
        throw invalid(
            name,
            "may hold letters, digits, dot, hyphen and underscore and begins with a letter or"
                + " digit");
      }
    }
    return name;
  }

  /**
   * Checks the name of a store, or of a snapshot of one: {@code STORE@NAME}, both as {@link
   * #checkStoreName}.
   *
   * @throws RefusedException {@code INVALID_NAME}
   */
  public static String checkStoreOrSnapshotName(String name) throws RefusedException {
    int mark = name.indexOf(SnapshotRecord.MARK);
    checkStoreName(mark < 0 ? name : name.substring(0, mark));
    if (mark >= 0) {
      checkStoreName(name.substring(mark + 1));
    }
    return name;
  }

  /**
   * Checks the name of an item: 1 to {@value #MAX_ITEM_NAME_BYTES} bytes of UTF-8, no control
   * characters, no empty, {@code .} or {@code ..} part between slashes.
   *
   * @throws RefusedException {@code INVALID_NAME}
   */
  public static String checkItemName(String name) throws RefusedException {
    if (name.isEmpty()) {
      throw invalid(name, "is empty");
    }
    if (name.length() > MAX_ITEM_NAME_BYTES
        || name.getBytes(StandardCharsets.UTF_8).length > MAX_ITEM_NAME_BYTES) {
      throw invalid(name.substring(0, 32) + "…", "is longer than 1024 bytes");
    }
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      if (Character.isISOControl(c)) {
        throw invalid(printable(name), "holds the control character " + Integer.toHexString(c));
      }
      if (Character.isSurrogate(c)) {
        boolean paired =
            Character.isHighSurrogate(c)
                && i + 1 < name.length()
                && Character.isLowSurrogate(name.charAt(i + 1));
        if (!paired) {
          throw invalid(printable(name), "is not valid Unicode");
        }
        i++;
      }
    }
    for (String part : name.split("/", -1)) {
      if (part.isEmpty() || part.equals(".") || part.equals("..")) {
        throw invalid(
            name,
            "holds the part '" + part + "' between slashes; '', '.' and '..' are not allowed");
      }
    }
    return name;
  }

  private static String printable(String name) {
    return name.codePoints()
        .map(c -> Character.isISOControl(c) || (c >= 0xd800 && c < 0xe000) ? 0xfffd : c)
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }

  private static RefusedException invalid(String name, String why) {
    return new RefusedException(Reason.INVALID_NAME, "name '" + name + "' " + why);
  }
}
