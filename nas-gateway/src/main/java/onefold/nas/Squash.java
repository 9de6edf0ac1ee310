package onefold.nas;

import java.util.Locale;

/** Whose identity a client's users lose. */
public enum Squash {
  /** Root's, unless the rule names a single host. */
  AUTO(0),
  /** Nobody's. */
  NONE(1),
  /** Root's: it becomes the share's owner. */
  ROOT(2),
  /** Everybody's: they become the share's owner. */
  ALL(3);

  private final int code;

  Squash(int code) {
    this.code = code;
  }

  /** Its name in options and documents. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * The squash of this name.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static Squash ofLabel(String label) {
    for (Squash squash : values()) {
      if (squash.label().equals(label)) {
        return squash;
      }
    }
    throw new IllegalArgumentException(
        "squash '" + label + "' does not exist; there are auto, none, root and all");
  }

  /** The number in formats. */
  public int code() {
    return code;
  }
}
