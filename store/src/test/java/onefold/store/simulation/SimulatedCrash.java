package onefold.store.simulation;

/**
 * The power is gone: the task that meets it must end. It is an error so that no handler of
 * exceptions takes it for one of the store's own; nobody catches it to go on.
 */
public final class SimulatedCrash extends Error {
  private static final long serialVersionUID = 1L;

  /** Takes what was going on. */
  public SimulatedCrash(String message) {
    super(message);
  }
}
