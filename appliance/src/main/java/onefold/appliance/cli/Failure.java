package onefold.appliance.cli;

/** A verb cannot go on; the message is all that the user sees. */
final class Failure extends Exception {
  private static final long serialVersionUID = 1L;

  private final int exitCode;
  private final String code;

  private Failure(int exitCode, String code, String message, Throwable cause) {
    super(message, cause);
    this.exitCode = exitCode;
    this.code = code;
  }

  /** It was tried and did not succeed: exit code 1. */
  static Failure failed(String message) {
    return new Failure(Exit.FAILED, "FAILED", message, new Throwable(message));
  }

  static Failure failed(String message, Throwable cause) {
    return new Failure(Exit.FAILED, "FAILED", message, cause);
  }

  /** The command is not one: exit code 2. */
  static Failure misused(String message) {
    return new Failure(Exit.MISUSED, "FAILED", message, new Throwable(message));
  }

  /** An item cannot be read whole: exit code 1. */
  static Failure damaged(ItemReference item, Throwable damage) {
    return new Failure(
        Exit.FAILED,
        "CORRUPT_DATA",
        "item "
            + item
            + " is damaged: "
            + damage.getMessage()
            + "; ./onefold verify names every damaged item, the others are served; where its data"
            + " still is, back it up again, under any name: that heals it, until verify is content",
        damage);
  }

  /** What programs read with {@code --json}. */
  String code() {
    return code;
  }

  int exitCode() {
    return exitCode;
  }
}
