package onefold.store.scheduler;

/**
 * A reentrant lock; whoever holds it unlocks it as often as it locked it:
 *
 * <pre>{@code
 * lock.lock();
 * try {
 *   …
 * } finally {
 *   lock.unlock();
 * }
 * }</pre>
 */
public interface SchedulerLock {
  /** The name it was made with. */
  String name();

  /** Waits until the caller holds it. */
  void lock();

  /** Takes it if nobody else holds it. */
  boolean tryLock();

  /**
   * Gives it back.
   *
   * @throws IllegalMonitorStateException if the caller does not hold it
   */
  void unlock();

  /** Whether the calling task or thread holds it. */
  boolean isHeldByCurrentTask();

  /** Makes a condition that is waited for and signalled while this lock is held. */
  SchedulerCondition newCondition();
}
