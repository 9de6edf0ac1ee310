package onefold.catalyst.wire;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** The connection broke or was closed; what was under way may or may not have happened. */
public final class ConnectionLostException extends IOException {
  private static final long serialVersionUID = 1L;

  /** Makes one that says how the connection ended. */
  public ConnectionLostException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
