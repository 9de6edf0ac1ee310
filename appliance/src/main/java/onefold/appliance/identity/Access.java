package onefold.appliance.identity;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** What a user may do with the items of a store; each level includes those before it. */
public enum Access {
  /** List and read. */
  READ,
  /** Write new items; what is there stays. */
  APPEND,
  /** Replace, delete, tag, hold. */
  WRITE;

  /** Returns its name in options and records. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * Returns the level of this name.
   *
   * @throws IllegalArgumentException if there is none; the message names those that are
   */
  public static Access ofLabel(String label) {
    for (Access access : values()) {
      if (access.label().equals(label)) {
        return access;
      }
    }
    String known = Arrays.stream(values()).map(Access::label).collect(Collectors.joining(", "));
    throw new IllegalArgumentException("access '" + label + "' does not exist; there are " + known);
  }
}
