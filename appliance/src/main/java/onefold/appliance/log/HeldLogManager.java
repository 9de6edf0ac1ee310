package onefold.appliance.log;

import java.util.logging.LogManager;

/**
 * Keeps the handlers while the process stops: the JDK's own manager takes them away at the first
 * sign of the end, and with them what the stopping parts say. {@link Logs#close} closes the files.
 */
public final class HeldLogManager extends LogManager {
  private static volatile boolean stopping;

  /** Makes this the process's manager; must be called before anything logs. */
  public static void install() {
    System.setProperty("java.util.logging.manager", HeldLogManager.class.getName());
  }

  /** From now on nobody takes the handlers away. */
  static void hold() {
    stopping = true;
  }

  @Override
  public void reset() {
    if (!stopping) {
      super.reset();
    }
  }
}
