package onefold.store;

import java.io.IOException;

/**
 * The store does not do what it was asked, for a reason that the asker can act on. Nothing
 * half-done stays behind. The message names the value and the remedy and may be shown to the user
 * as it is.
 */
public final class RefusedException extends IOException {
  private static final long serialVersionUID = 1L;

  /** Why; the codes stand in the wire protocol. */
  public enum Reason {
    NOT_FOUND(1),
    EXISTS(2),
    INVALID_NAME(3),
    INVALID_REQUEST(4),
    LOCKED(5),
    QUOTA_EXCEEDED(6),
    NOT_EMPTY(7),
    TOO_MANY_UNFINISHED(8),
    CONFLICT(9),
    READ_ONLY(10),
    SHUTTING_DOWN(11),
    NOT_PERMITTED(12),

    /** The domain compares bytes, and fingerprints alone were to be sent. */
    BYTES_NEEDED(13);

    private final int code;

    Reason(int code) {
      this.code = code;
    }

    public int code() {
      return code;
    }
  }

  private final Reason reason;

  public RefusedException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  public Reason reason() {
    return reason;
  }
}
