package onefold.appliance.judge;

import java.io.IOException;

/** The server's answer breaks the protocol or refuses; the connection is no longer used. */
public final class JudgeException extends IOException {
  private static final long serialVersionUID = 1L;

  /** Error codes of the protocol that a judge tells apart. */
  static final int NOT_FOUND = 1;

  private final int code;

  JudgeException(String message) {
    this(0, message);
  }

  JudgeException(int code, String message) {
    super(message);
    this.code = code;
  }

  /** Returns the protocol's error code, or 0 if the server broke the protocol. */
  int code() {
    return code;
  }
}
