package onefold.store.scheduler;

import java.time.Duration;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/**
 * A queue, first in first out, that makes its writers wait when it is full.
 *
 * @param <T> what it holds, never null
 */
public interface BoundedQueue<T> extends AutoCloseable {
  /** How many elements it holds before {@link #put} waits. */
  int capacity();

  /** How many elements it holds now. */
  int size();

  /**
   * Appends an element; waits while the queue is full.
   *
   * @throws IllegalStateException if the queue is closed, before or while the caller waits; the
   *     element is not in it
   */
  void put(T element);

  /** Appends an element if the queue is neither full nor closed, and says whether it did. */
  boolean offer(T element);

  /**
   * Takes the oldest element; waits while there is none. Null when the queue is closed and empty.
   */
  @Nullable T take();

  /**
   * Takes the oldest element, or null if there is none after this time, or none and the queue is
   * closed.
   */
  @Nullable T poll(Duration time);

  /** Takes the oldest element, or null if there is none now. */
  @Nullable T poll();

  /**
   * Moves elements, oldest first, to {@code target}, without waiting.
   *
   * @return how many, at most {@code max}
   */
  int drainTo(Collection<? super T> target, int max);

  /** Whether it was closed. */
  boolean isClosed();

  /** Lets nobody put any more; what is in it can still be taken. Safe to call again. */
  @Override
  void close();
}
