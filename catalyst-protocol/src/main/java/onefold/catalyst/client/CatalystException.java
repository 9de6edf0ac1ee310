package onefold.catalyst.client;

import java.io.IOException;
import onefold.catalyst.wire.ErrorCode;
import onefold.catalyst.wire.WireException;

/** The appliance refuses, or what it sent is wrong; the message may be shown to the user. */
public final class CatalystException extends IOException {
  private static final long serialVersionUID = 1L;

  private final ErrorCode code;

  /** Makes one. */
  public CatalystException(ErrorCode code, String message) {
    super(message);
    this.code = code;
  }

  CatalystException(WireException cause) {
    super(cause.getMessage(), cause);
    this.code = cause.code();
  }

  /** Returns why. */
  public ErrorCode code() {
    return code;
  }
}
