package onefold.appliance.cli;

import java.io.IOException;

/** The appliance refused a request; the message is its own. */
final class RestException extends IOException {
  private static final long serialVersionUID = 1L;

  private final String code;

  RestException(String code, String message) {
    super(message);
    this.code = code;
  }

  String code() {
    return code;
  }
}
