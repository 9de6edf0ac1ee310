package onefold.store.scheduler;

/** A task that was started. */
public interface TaskHandle {
  /** The name it was started with. */
  String name();

  /** Whether its body has ended, in whatever way. */
  boolean isDone();

  /** Waits until its body has ended, in whatever way. */
  void join();
}
