package onefold.appliance.tree;

import java.io.IOException;

/** A range of an archive cannot be read because stored bytes are wrong; other ranges can. */
public final class DamagedRangeException extends IOException {
  private static final long serialVersionUID = 1L;

  public DamagedRangeException(String message) {
    super(message);
  }

  public DamagedRangeException(String message, Throwable cause) {
    super(message, cause);
  }
}
