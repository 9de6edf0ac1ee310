package onefold.store.scheduler;

import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiConsumer;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The real scheduler: a virtual thread for each task, a fixed pool of platform threads for
 * computing.
 */
public final class ThreadScheduler implements Scheduler {
  private static final System.Logger LOG = System.getLogger(ThreadScheduler.class.getName());

  private final int cores;
  private final BiConsumer<String, Throwable> onTaskFailure;
  private final ThreadPoolExecutor pool;
  private final Set<ThreadTask> running = ConcurrentHashMap.newKeySet();
  private final SecureRandom random = new SecureRandom();

  /** A scheduler as wide as the machine, that logs what escapes from a task. */
  public ThreadScheduler() {
    this(
        Runtime.getRuntime().availableProcessors(),
        (name, failure) -> LOG.log(System.Logger.Level.ERROR, "task " + name + " failed", failure));
  }

  /**
   * A scheduler with a width of its own.
   *
   * @param cores threads of the pool, at least 1
   * @param onTaskFailure called on the task's thread with its name and what escaped from its body
   */
  public ThreadScheduler(int cores, BiConsumer<String, Throwable> onTaskFailure) {
    if (cores < 1) {
      throw new IllegalArgumentException("cores " + cores);
    }
    this.cores = cores;
    this.onTaskFailure = onTaskFailure;
    this.pool =
        new ThreadPoolExecutor(
            cores,
            cores,
            0,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(MAX_WAITING_COMPUTATIONS),
            Thread.ofPlatform().daemon().name("compute-", 0).factory());
  }

  @Override
  public TaskHandle start(String name, Runnable body) {
    var task = new ThreadTask(name);
    running.add(task);
    Thread.ofVirtual()
        .name(name)
        .start(() -> {
          try {
            body.run();
          } catch (Throwable failure) { // the outermost loop of a task
            onTaskFailure.accept(name, failure);
          } finally {
            running.remove(task);
            task.ended.countDown();
          }
        });
    return task;
  }

  @Override
  public SchedulerLock lock(String name) {
    return new ThreadLock(name);
  }

  @Override
  public <T> BoundedQueue<T> queue(String name, int capacity) {
    return new LockedQueue<>(this, name, capacity);
  }

  @Override
  public <T> Promise<T> promise() {
    return new FuturePromise<>();
  }

  @Override
  public void parallelFor(String name, int count, IntConsumer body) {
    if (count < 0) {
      throw new IllegalArgumentException("count " + count + " of " + name);
    }
    if (count == 0) {
      return;
    }
    if (count == 1) {
      body.accept(0);
      return;
    }
    var loop = new ParallelLoop(count, body);
    for (int i = Math.min(cores, count) - 1; i > 0; i--) {
      submit(loop);
    }
    while (loop.runNext()) {
      // The caller takes indices as the pool does.
    }
    loop.awaitAll();
  }

  /**
   * Gives a loop to the pool; when the pool's queue is full the loop goes on without another
   * thread.
   */
  private void submit(ParallelLoop loop) {
    try {
      pool.execute(() -> {
        if (loop.runNext() && loop.hasMore()) {
          submit(loop);
        }
      });
    } catch (RejectedExecutionException e) {
      // The caller of parallelFor works through what is left.
    }
  }

  @Override
  public <T> Promise<T> compute(String name, Supplier<T> body) {
    var promise = new FuturePromise<T>();
    Runnable computation =
        () -> {
          try {
            promise.complete(body.get());
          } catch (Throwable failure) { // handed to whoever awaits the promise
            promise.fail(failure);
          }
        };
    try {
      pool.execute(computation);
    } catch (RejectedExecutionException e) {
      if (pool.isShutdown()) {
        throw new IllegalStateException("the scheduler is closed", e);
      }
      computation.run();
    }
    return promise;
  }

  @Override
  public void park(Duration time) {
    sleepUninterruptibly(time.toNanos());
  }

  private static void sleepUninterruptibly(long nanos) {
    boolean interrupted = false;
    long end = System.nanoTime() + nanos;
    for (long left = nanos; left > 0; left = end - System.nanoTime()) {
      try {
        TimeUnit.NANOSECONDS.sleep(left);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public long nanoTime() {
    return System.nanoTime();
  }

  @Override
  public InstantSource clock() {
    return InstantSource.system();
  }

  @Override
  public RandomGenerator random() {
    return random;
  }

  @Override
  public int cores() {
    return cores;
  }

  @Override
  public void close() {
    long end = System.nanoTime() + CLOSE_WAIT.toNanos();
    // Again and again, because a task that ends may have started another.
    while (!running.isEmpty() && System.nanoTime() - end < 0) {
      for (ThreadTask task : running) {
        task.awaitEnd(end - System.nanoTime());
      }
    }
    pool.shutdown();
    var names = new TreeSet<String>();
    for (ThreadTask task : running) {
      names.add(task.name);
    }
    if (!names.isEmpty()) {
      throw new IllegalStateException("tasks still run at close: " + names);
    }
  }

  private static final class ThreadTask implements TaskHandle {
    private final String name;
    private final CountDownLatch ended = new CountDownLatch(1);

    ThreadTask(String name) {
      this.name = name;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public boolean isDone() {
      return ended.getCount() == 0;
    }

    @Override
    public void join() {
      awaitEnd(Long.MAX_VALUE);
    }

    void awaitEnd(long nanos) {
      awaitUninterruptibly(ended, nanos);
    }
  }

  private static void awaitUninterruptibly(CountDownLatch latch, long nanos) {
    boolean interrupted = false;
    long start = System.nanoTime();
    while (latch.getCount() > 0) {
      long left = nanos == Long.MAX_VALUE ? nanos : nanos - (System.nanoTime() - start);
      if (left <= 0) {
        break;
      }
      try {
        if (latch.await(left, TimeUnit.NANOSECONDS)) {
          break;
        }
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** The indices of one parallelFor: taken one by one by whoever has time. */
  private static final class ParallelLoop {
    private final int count;
    private final IntConsumer body;
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger left;
    private final CountDownLatch done = new CountDownLatch(1);
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

    ParallelLoop(int count, IntConsumer body) {
      this.count = count;
      this.body = body;
      this.left = new AtomicInteger(count);
    }

    boolean hasMore() {
      return next.get() < count;
    }

    /** Runs the next index, if there is one. After a failure indices are only counted. */
    boolean runNext() {
      if (!hasMore()) {
        return false;
      }
      int index = next.getAndIncrement();
      if (index >= count) {
        return false;
      }
      try {
        if (failure.get() == null) {
          body.accept(index);
        }
      } catch (Throwable thrown) { // handed to the caller of parallelFor
        failure.compareAndSet(null, thrown);
      } finally {
        if (left.decrementAndGet() == 0) {
          done.countDown();
        }
      }
      return true;
    }

    void awaitAll() {
      awaitUninterruptibly(done, Long.MAX_VALUE);
      switch (failure.get()) {
        case null -> {}
        case RuntimeException unchecked -> throw unchecked;
        case Error error -> throw error;
        case Throwable other -> throw new IllegalStateException(other);
      }
    }
  }

  private static final class ThreadLock implements SchedulerLock {
    private final String name;
    private final ReentrantLock lock = new ReentrantLock();

    ThreadLock(String name) {
      this.name = name;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public void lock() {
      lock.lock();
    }

    @Override
    public boolean tryLock() {
      return lock.tryLock();
    }

    @Override
    public void unlock() {
      lock.unlock();
    }

    @Override
    public boolean isHeldByCurrentTask() {
      return lock.isHeldByCurrentThread();
    }

    @Override
    public SchedulerCondition newCondition() {
      return new ThreadCondition(lock.newCondition());
    }
  }

  private record ThreadCondition(Condition condition) implements SchedulerCondition {
    @Override
    @SuppressWarnings("WaitNotInLoop") // the loop is the caller's, as SchedulerCondition says
    public void await() {
      condition.awaitUninterruptibly();
    }

    @Override
    public boolean await(Duration time) {
      boolean interrupted = false;
      long start = System.nanoTime();
      long limit = time.toNanos();
      boolean inTime;
      while (true) {
        try {
          inTime = condition.awaitNanos(limit - (System.nanoTime() - start)) > 0;
          break;
        } catch (InterruptedException e) {
          interrupted = true; // shown to the caller afterwards
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
      return inTime;
    }

    @Override
    public void signal() {
      condition.signal();
    }

    @Override
    public void signalAll() {
      condition.signalAll();
    }
  }
}
