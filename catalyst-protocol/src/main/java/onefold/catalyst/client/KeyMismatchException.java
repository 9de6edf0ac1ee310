package onefold.catalyst.client;

import java.io.IOException;

/** The server at this address has another key than the pinned one. Nothing was sent to it. */
public final class KeyMismatchException extends IOException {
  private static final long serialVersionUID = 1L;

  private final String expectedPin;
  private final String foundPin;

  KeyMismatchException(String expectedPin, String foundPin) {
    super(
        "the server's key is "
            + foundPin
            + ", expected "
            + expectedPin
            + ": it was changed, or this is another server");
    this.expectedPin = expectedPin;
    this.foundPin = foundPin;
  }

  /** Returns the pin from the settings. */
  public String expectedPin() {
    return expectedPin;
  }

  /** Returns the pin of the key that the server showed. */
  public String foundPin() {
    return foundPin;
  }
}
