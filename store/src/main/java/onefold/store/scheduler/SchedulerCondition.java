package onefold.store.scheduler;

import java.time.Duration;

/**
 * Something that may become true under a {@link SchedulerLock}. A wait may end without a signal:
 * look again in a loop. Every method throws {@code IllegalMonitorStateException} if the caller does
 * not hold the lock.
 */
public interface SchedulerCondition {
  /** Gives the lock back, waits for a signal, and takes the lock again. */
  void await();

  /**
   * As {@link #await()}, but not longer than a time.
   *
   * @return false if the time was over before a signal came
   */
  boolean await(Duration time);

  /** Wakes one of those that wait, if there is one. */
  void signal();

  /** Wakes all that wait. */
  void signalAll();
}
