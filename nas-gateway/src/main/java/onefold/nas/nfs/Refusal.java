package onefold.nas.nfs;

import java.io.Serial;

/** An operation of NFSv4 is answered with an error. */
final class Refusal extends Exception {
  @Serial private static final long serialVersionUID = 1;

  private final int status;

  /** What follows the status, of the few errors that say more. */
  private final transient byte[] body;

  Refusal(int status) {
    this(status, new byte[0]);
  }

  Refusal(int status, byte[] body) {
    super("status " + status, null, false, false);
    this.status = status;
    this.body = body;
  }

  byte[] body() {
    return body;
  }

  int status() {
    return status;
  }
}
