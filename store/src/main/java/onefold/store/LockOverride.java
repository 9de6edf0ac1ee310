package onefold.store;

import java.nio.charset.StandardCharsets;

/**
 * Who shortens a lock of kind {@link LockKind#GOVERNANCE}, and why. Whoever hands one to the store
 * has checked that this user may.
 *
 * @param user 1 to {@value Names#MAX_STORE_NAME_BYTES} bytes in UTF-8
 * @param reason 1 to {@value #MAX_REASON_BYTES} bytes in UTF-8
 */
public record LockOverride(String user, String reason) {
  /** Most bytes of a reason in UTF-8. */
  public static final int MAX_REASON_BYTES = 1024;

  public LockOverride {
    check("user", user, Names.MAX_STORE_NAME_BYTES);
    check("reason", reason, MAX_REASON_BYTES);
  }

  private static void check(String what, String text, int maxBytes) {
    int bytes = text.getBytes(StandardCharsets.UTF_8).length;
    if (text.isBlank() || bytes > maxBytes) {
      throw new IllegalArgumentException(
          what + " of " + bytes + " bytes, must be 1 to " + maxBytes + " and not blank");
    }
  }
}
