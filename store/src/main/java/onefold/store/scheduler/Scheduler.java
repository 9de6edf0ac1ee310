package onefold.store.scheduler;

import java.time.Duration;
import java.time.InstantSource;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/**
 * Where the store waits, and where its time and chance come from.
 *
 * <p>Names given to tasks, locks and queues appear in thread dumps and in the traces of a
 * simulation; they need not be unique. All methods may be called by many threads at once. In
 * production any thread may call them; in a simulation only its tasks may.
 */
public interface Scheduler extends AutoCloseable {
  /**
   * Starts a task that may block. It must hand its failures to somebody, by a promise or a field:
   * what escapes from the body is a broken invariant and goes to the scheduler's handler of task
   * failures. Who starts a task sees to its end.
   */
  TaskHandle start(String name, Runnable body);

  /** Makes a reentrant lock. */
  SchedulerLock lock(String name);

  /**
   * Makes a queue.
   *
   * @param capacity how many elements it holds before {@code put} waits, at least 1
   */
  <T> BoundedQueue<T> queue(String name, int capacity);

  /** Makes a promise that nobody has kept yet. */
  <T> Promise<T> promise();

  /**
   * Runs a body for each index from 0 to {@code count} - 1, on the pool and on the calling thread,
   * and returns when all are done. When one throws, indices not yet begun are left out and the
   * first failure is thrown here.
   *
   * @param body computes and does not block; runs for several indices at once
   */
  void parallelFor(String name, int count, IntConsumer body);

  /**
   * Runs a body on the pool. When {@link #MAX_WAITING_COMPUTATIONS} wait already the caller runs it
   * itself.
   *
   * @param body computes and does not block; a failure goes into the promise
   */
  <T> Promise<T> compute(String name, Supplier<T> body);

  /** How many computations may wait for the pool. */
  int MAX_WAITING_COMPUTATIONS = 1024;

  /**
   * Waits for at least this long. Nothing but time ends it: a task that somebody must be able to
   * stop waits on a condition with a time-out.
   */
  void park(Duration time);

  /** Nanoseconds of running time from an arbitrary start; never goes back. */
  long nanoTime();

  /**
   * The wall clock: for showing and for store time, never for deciding whether a chunk is garbage.
   */
  InstantSource clock();

  /** Randomness for ids, keys and jitter; safe for many threads. */
  RandomGenerator random();

  /** How many threads the pool has, at least 1. */
  int cores();

  /**
   * Ends the pool, after waiting for the tasks.
   *
   * @throws IllegalStateException if tasks still run after {@link #CLOSE_WAIT}; the message names
   *     them
   */
  @Override
  void close();

  /** How long {@link #close} waits for tasks. */
  Duration CLOSE_WAIT = Duration.ofSeconds(30);
}
