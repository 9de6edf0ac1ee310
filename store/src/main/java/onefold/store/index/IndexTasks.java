package onefold.store.index;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import onefold.store.device.DeviceForceException;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.SchedulerCondition;
import onefold.store.scheduler.SchedulerLock;
import onefold.store.scheduler.TaskHandle;
import org.jspecify.annotations.Nullable;

/**
 * The tasks of an index, and the callers that wait for what they do. A task that breaks ends the
 * index: whoever comes after it hears why. Uses the index's lock.
 */
final class IndexTasks {
  private static final Duration THROTTLE_STEP = Duration.ofMillis(50);

  private final Scheduler scheduler;
  private final SchedulerLock lock;
  private final SchedulerCondition changed; // of what waiting callers look at
  private final SchedulerCondition hurry; // somebody waits, or the index is being closed
  private final List<TaskHandle> tasks = new ArrayList<>(); // guarded by lock
  private int waiting; // callers; guarded by lock
  private @Nullable RuntimeException fatal; // guarded by lock
  private volatile boolean closing; // changed under lock

  /**
   * @param lock the index's lock
   */
  IndexTasks(Scheduler scheduler, SchedulerLock lock) {
    this.scheduler = scheduler;
    this.lock = lock;
    this.changed = lock.newCondition();
    this.hurry = lock.newCondition();
  }

  /** Starts a task that {@link #close} waits for, unless the index is being closed. */
  void start(String name, Runnable body) {
    lock.lock();
    try {
      if (!closing) {
        tasks.removeIf(TaskHandle::isDone);
        tasks.add(scheduler.start(name, body));
      }
    } finally {
      lock.unlock();
    }
  }

  boolean isClosing() {
    return closing;
  }

  /** Throws what a task of the index died of. Called under the lock. */
  void checkUsable() {
    RuntimeException broken = fatal;
    if (broken instanceof DeviceForceException) {
      throw broken;
    }
    if (broken != null) {
      throw new IllegalStateException("the index has stopped", broken);
    }
    if (closing) {
      throw new IllegalStateException("the index is closed");
    }
  }

  /**
   * Says that nothing goes on after this: a failed force, or an invariant of ours. Called under the
   * lock.
   *
   * @param broken nothing happens if it is null
   */
  void broke(@Nullable RuntimeException broken) {
    fatal = fatal == null ? broken : fatal;
  }

  /** Waits until a task has got on. Called under the lock. */
  void awaitChange() {
    waiting++;
    hurry.signal();
    try {
      changed.await();
    } finally {
      waiting--;
    }
    checkUsable();
  }

  /** Says that a task has got on. Called under the lock. */
  void changed() {
    changed.signalAll();
  }

  /** Waits until a moment of the scheduler's time, unless a caller waits or the index is closed. */
  void awaitUnlessHurried(long startNanos, long dueNanos) {
    lock.lock();
    try {
      while (waiting == 0 && !closing && scheduler.nanoTime() - startNanos < dueNanos) {
        hurry.await(THROTTLE_STEP);
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Lets the tasks end and waits for them.
   *
   * @return false if that has been done before
   */
  boolean close() {
    var running = new ArrayList<TaskHandle>();
    lock.lock();
    try {
      if (closing) {
        return false;
      }
      closing = true;
      running.addAll(tasks);
      changed.signalAll();
      hurry.signalAll();
    } finally {
      lock.unlock();
    }
    for (TaskHandle task : running) {
      task.join();
    }
    return true;
  }
}
