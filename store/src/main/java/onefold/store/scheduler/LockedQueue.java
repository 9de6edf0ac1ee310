package onefold.store.scheduler;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * A queue over the locks of any scheduler: both the real and the simulated scheduler use it.
 *
 * @param <T> what it holds
 */
public final class LockedQueue<T> implements BoundedQueue<T> {
  private final Scheduler scheduler;
  private final int capacity;
  private final SchedulerLock lock;
  private final SchedulerCondition notFull;
  private final SchedulerCondition notEmpty;
  private final Queue<T> elements = new ArrayDeque<>(); // guarded by lock
  private boolean closed; // guarded by lock

  /** Makes a queue whose waits are those of {@code scheduler}. */
  public LockedQueue(Scheduler scheduler, String name, int capacity) {
    if (capacity < 1) {
      throw new IllegalArgumentException("capacity " + capacity + " of queue " + name);
    }
    this.scheduler = scheduler;
    this.capacity = capacity;
    this.lock = scheduler.lock(name);
    this.notFull = lock.newCondition();
    this.notEmpty = lock.newCondition();
  }

  @Override
  public int capacity() {
    return capacity;
  }

  @Override
  public int size() {
    lock.lock();
    try {
      return elements.size();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void put(T element) {
    lock.lock();
    try {
      while (elements.size() >= capacity && !closed) {
        notFull.await();
      }
      if (closed) {
        throw new IllegalStateException("queue " + lock.name() + " is closed");
      }
      elements.add(element);
      notEmpty.signal();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public boolean offer(T element) {
    lock.lock();
    try {
      if (closed || elements.size() >= capacity) {
        return false;
      }
      elements.add(element);
      notEmpty.signal();
      return true;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public @Nullable T take() {
    lock.lock();
    try {
      while (elements.isEmpty() && !closed) {
        notEmpty.await();
      }
      return removeOldest();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public @Nullable T poll(Duration time) {
    lock.lock();
    try {
      long start = scheduler.nanoTime();
      long limitNanos = time.toNanos();
      while (elements.isEmpty() && !closed) {
        long leftNanos = limitNanos - (scheduler.nanoTime() - start);
        if (leftNanos <= 0) {
          break;
        }
        boolean ignored = notEmpty.await(Duration.ofNanos(leftNanos));
      }
      return removeOldest();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public @Nullable T poll() {
    lock.lock();
    try {
      return removeOldest();
    } finally {
      lock.unlock();
    }
  }

  private @Nullable T removeOldest() {
    T element = elements.poll();
    if (element != null) {
      notFull.signal();
    }
    return element;
  }

  @Override
  public int drainTo(Collection<? super T> target, int max) {
    lock.lock();
    try {
      int count = 0;
      while (count < max) {
        T element = removeOldest();
        if (element == null) {
          break;
        }
        target.add(element);
        count++;
      }
      return count;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public boolean isClosed() {
    lock.lock();
    try {
      return closed;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      notFull.signalAll();
      notEmpty.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
