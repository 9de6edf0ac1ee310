package onefold.store.journal;

import java.io.IOException;

/** A file was written by a release that this one does not understand; nothing is wrong with it. */
final class NewerFormatException extends IOException {
  private static final long serialVersionUID = 1L;

  NewerFormatException(String message) {
    super(message);
  }
}
