package onefold.store.simulator;

/** The store is not what it must be. */
final class Wrong extends AssertionError {
  private static final long serialVersionUID = 1L;

  Wrong(String message) {
    super(message);
  }

  Wrong(String message, Throwable cause) {
    super(message, cause);
  }

  static void unless(boolean right, String message) {
    if (!right) {
      throw new Wrong(message);
    }
  }
}
