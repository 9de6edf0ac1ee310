package onefold.nas;

import java.io.IOException;

/** The file layer does not do what it was asked; nothing half-done stays behind. */
public final class FileException extends IOException {
  private static final long serialVersionUID = 1L;

  private final FileError error;

  public FileException(FileError error, String message) {
    super(message);
    this.error = error;
  }

  public FileException(FileError error, String message, Throwable cause) {
    super(message, cause);
    this.error = error;
  }

  public FileError error() {
    return error;
  }
}
