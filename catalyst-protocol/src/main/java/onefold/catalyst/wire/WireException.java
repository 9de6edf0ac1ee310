package onefold.catalyst.wire;

import java.io.IOException;

/**
 * What a peer sent breaks the protocol, or a peer says that it refuses; with the code that goes on
 * the wire.
 */
public final class WireException extends IOException {
  private static final long serialVersionUID = 1L;

  private final ErrorCode code;

  /** Makes one with the text to show. */
  public WireException(ErrorCode code, String message) {
    super(message);
    this.code = code;
  }

  /** Returns a {@code PROTOCOL_ERROR} that says what was wrong. */
  public static WireException malformed(String what) {
    return new WireException(ErrorCode.PROTOCOL_ERROR, what);
  }

  /** Returns why. */
  public ErrorCode code() {
    return code;
  }
}
