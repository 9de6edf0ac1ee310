package onefold.store.device;

import java.io.IOException;

/** Another process, or another part of this one, works on the directory. */
public final class DirectoryInUseException extends IOException {
  private static final long serialVersionUID = 1L;

  /** Takes a message that names the lock's file and, if it is known, who holds it. */
  public DirectoryInUseException(String message) {
    super(message);
  }
}
