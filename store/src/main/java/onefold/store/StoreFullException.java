package onefold.store;

import java.io.IOException;

/** There is no space left for new data. Reads, deletes and housekeeping go on, from a reserve. */
public final class StoreFullException extends IOException {
  private static final long serialVersionUID = 1L;

  public StoreFullException(String message) {
    super(message);
  }

  public StoreFullException(String message, Throwable cause) {
    super(message, cause);
  }
}
