package onefold.appliance.tree;

import java.io.IOException;

/** A POSIX call failed. */
public final class PosixException extends IOException {
  private static final long serialVersionUID = 1L;

  private final int errno;

  PosixException(String call, byte[] path, int errno, String text) {
    super(text + " (" + call + " of " + PathBytes.printable(path) + ")");
    this.errno = errno;
  }

  /** Returns the error number, as in errno.h of Linux. */
  public int errno() {
    return errno;
  }
}
