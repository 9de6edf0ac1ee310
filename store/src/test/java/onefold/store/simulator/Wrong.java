package onefold.store.simulator;

import java.util.function.Supplier;

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

  /** As the other one; the message is made when it is needed, for most checks go well. */
  static void unless(boolean right, Supplier<String> message) {
    if (!right) {
      throw new Wrong(message.get());
    }
  }
}
