package onefold.appliance.context;

import java.io.IOException;

/** No context says where the appliance is; the message says what to type. */
public final class NoContextException extends IOException {
  private static final long serialVersionUID = 1L;

  public NoContextException(String message) {
    super(message);
  }
}
