package onefold.store.simulation;

/**
 * No task can go on and no timer is left, or the run has used up its bound of calls. The message
 * names every task.
 */
public final class DeadlockError extends AssertionError {
  private static final long serialVersionUID = 1L;

  /** Takes the states of the tasks. */
  public DeadlockError(String message) {
    super(message);
  }
}
