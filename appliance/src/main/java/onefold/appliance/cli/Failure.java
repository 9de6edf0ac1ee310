package onefold.appliance.cli;

/** A verb cannot go on; the message is all that the user sees. */
final class Failure extends Exception {
  private static final long serialVersionUID = 1L;

  private final int exitCode;

  private Failure(int exitCode, String message, Throwable cause) {
    super(message, cause);
    this.exitCode = exitCode;
  }

  /** It was tried and did not succeed: exit code 1. */
  static Failure failed(String message) {
    return new Failure(Exit.FAILED, message, new Throwable(message));
  }

  static Failure failed(String message, Throwable cause) {
    return new Failure(Exit.FAILED, message, cause);
  }

  /** The command is not one: exit code 2. */
  static Failure misused(String message) {
    return new Failure(Exit.MISUSED, message, new Throwable(message));
  }

  int exitCode() {
    return exitCode;
  }
}
