package onefold.nas;

import java.util.Locale;

/** How clients see {@code .snapshots}, the directory of a share's snapshots. */
public enum SnapshotDirectory {
  /** Found in every directory by its name, and listed in none. */
  HIDDEN,
  /** Found likewise, and listed in the share's root. */
  VISIBLE,
  /** Not there; the name is free. */
  OFF;

  /** Its name in options and documents. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * The one of this name.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static SnapshotDirectory ofLabel(String label) {
    for (SnapshotDirectory directory : values()) {
      if (directory.label().equals(label)) {
        return directory;
      }
    }
    throw new IllegalArgumentException(
        "snapshot directory '" + label + "' does not exist; there are hidden, visible and off");
  }
}
