package onefold.store.simulation;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import onefold.store.scheduler.BoundedQueue;
import onefold.store.scheduler.LockedQueue;
import onefold.store.scheduler.Promise;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.SchedulerCondition;
import onefold.store.scheduler.SchedulerLock;
import onefold.store.scheduler.TaskHandle;
import org.jspecify.annotations.Nullable;

/**
 * A scheduler that runs one task at a time and lets a seed choose the next one at every call.
 *
 * <p>Half of the seeds also stall tasks: one that could run is put aside for up to some ten
 * thousand calls, so that whole phases of the others pass between two of its steps.
 *
 * <p>Tasks are virtual threads that hand a baton to each other; only the holder runs. Time is
 * virtual: it moves a little with each call, and to the next timer when nobody can run. When nobody
 * can run and there is no timer the run fails with the states of all tasks. When the main task has
 * ended, or after {@link #crash}, every other task ends: its waits and calls throw {@link
 * SimulatedCrash}.
 *
 * <p>Everything but {@link #run} is called by its tasks; the state belongs to whoever has the
 * baton.
 */
public final class SimulatedScheduler implements Scheduler {
  /** Calls after which a run counts as hanging, unless the constructor says otherwise. */
  public static final long DEFAULT_MAX_CALLS = 20_000_000;

  private static final long CALL_NANOS = 500;
  private static final int MAX_CALLS_AFTER_CRASH = 10_000;
  private static final int MAX_STALL_SHIFT = 16;
  private static final Instant START = Instant.parse("2030-01-01T00:00:00Z");

  private final long seed;
  private final long maxCalls;
  private final SeamTrace trace;
  private final SplittableRandom choices;
  private final RandomGenerator random;
  private final int switchMask;

  /** One of so many calls puts its task aside for long; 0 for none. */
  private final int stallMask;

  private final int cores;
  private final List<Task> runnable = new ArrayList<>();
  private final PriorityQueue<Timer> timers = new PriorityQueue<>();
  private final PriorityQueue<Stall> stalls = new PriorityQueue<>();
  private final Set<Task> live = new LinkedHashSet<>();
  private final CountDownLatch allEnded = new CountDownLatch(1);
  private @Nullable Task current;
  private @Nullable Task main;
  private int taskCount;
  private long callCount;
  private long nowNanos;
  private long clockOffsetNanos;
  private boolean stopping;
  private boolean crashed;
  private @Nullable Throwable failure;

  /** A scheduler whose every choice follows from the seed. */
  public SimulatedScheduler(long seed) {
    this(seed, new SeamTrace(), DEFAULT_MAX_CALLS);
  }

  /**
   * As the other one.
   *
   * @param trace takes every call
   * @param maxCalls calls after which the run fails as hanging
   */
  public SimulatedScheduler(long seed, SeamTrace trace, long maxCalls) {
    this.seed = seed;
    this.trace = trace;
    this.maxCalls = maxCalls;
    this.choices = new SplittableRandom(seed);
    this.random = choices.split();
    this.switchMask = (1 << (2 * choices.nextInt(4))) * 2 - 1;
    this.cores = 1 + choices.nextInt(4);
    this.stallMask = choices.nextBoolean() ? 0 : (64 << choices.nextInt(6)) - 1;
  }

  /** The seed. */
  public long seed() {
    return seed;
  }

  /** Where the calls are recorded. */
  public SeamTrace trace() {
    return trace;
  }

  /** Moves the wall clock, and only it; back too. */
  public void moveClock(Duration by) {
    clockOffsetNanos += by.toNanos();
  }

  // ---- the run

  /**
   * Runs a body as the main task, and everything it starts, until the main task ends; then ends the
   * others. Once only.
   *
   * @return what the body returned
   * @throws SimulatedCrash if somebody called {@link #crash}
   * @throws AssertionError if a task failed, with the failure as its cause, or if the run hung
   * @throws Exception what the body threw
   */
  public <T extends @Nullable Object> T run(Callable<T> body) throws Exception {
    var result = new CompletableFuture<T>();
    var task =
        new Task(
            "main",
            () -> {
              try {
                result.complete(body.call());
              } catch (Throwable thrown) { // handed to whoever called run
                result.completeExceptionally(thrown);
              } finally {
                stopping = true;
              }
            });
    if (main != null) {
      throw new IllegalStateException("a simulated scheduler runs once");
    }
    main = task;
    live.add(task);
    current = task;
    task.resume();
    awaitAllEnded();
    if (failure != null) {
      if (failure instanceof SimulatedCrash || failure instanceof DeadlockError) {
        throw (Error) failure;
      }
      throw new AssertionError("seed " + seed + ": a task failed: " + failure, failure);
    }
    if (crashed) {
      throw new SimulatedCrash("seed " + seed);
    }
    return switch (result.state()) {
      case SUCCESS -> result.resultNow();
      case FAILED, CANCELLED, RUNNING -> {
        Throwable thrown = result.exceptionNow();
        switch (thrown) {
          case Exception exception -> throw exception;
          case Error error -> throw error;
          default -> throw new AssertionError(thrown);
        }
      }
    };
  }

  private void awaitAllEnded() {
    boolean interrupted = false;
    while (true) {
      try {
        allEnded.await();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Takes the power away: this task and every other one ends, at once or at its next call. */
  public void crash() {
    crashed = true;
    stopping = true;
    throw new SimulatedCrash("power lost at call " + callCount);
  }

  /** Whether tasks are being ended. */
  public boolean isStopping() {
    return stopping;
  }

  /** Waits for a stage of the store's face. */
  public <T> T await(CompletionStage<T> stage) throws IOException {
    Promise<T> promise = promise();
    var _ =
        stage.whenComplete((value, thrown) -> {
          if (thrown == null) {
            promise.complete(value);
          } else {
            promise.fail(
                thrown instanceof java.util.concurrent.CompletionException wrapper
                        && wrapper.getCause() != null
                    ? wrapper.getCause()
                    : thrown);
          }
        });
    return promise.await();
  }

  // ---- the baton

  /** A point where another task may run: every call of a seam is one. */
  void othersMayRun() {
    Task me = enter();
    if (!timers.isEmpty()) {
      if ((choices.nextInt() & 1023) == 0) {
        nowNanos = Math.max(nowNanos, timers.peek().atNanos); // a slow machine
      }
      fireTimers();
    }
    endStalls();
    if (runnable.isEmpty()) {
      return;
    }
    int choice = choices.nextInt();
    if (stallMask != 0 && (choice >>> 16 & stallMask) == 0) {
      stalls.add(new Stall(callCount + (1L << choices.nextInt(MAX_STALL_SHIFT)), me));
      handOver(me, next());
    } else if ((choice & switchMask) == 0) {
      runnable.add(me);
      handOver(me, next());
    }
  }

  private void endStalls() {
    while (!stalls.isEmpty() && stalls.peek().untilCall <= callCount) {
      runnable.add(stalls.remove().task);
    }
  }

  /** Every call comes here first. */
  private Task enter() {
    Task me = current;
    if (me == null || me.thread != Thread.currentThread()) {
      throw new IllegalStateException(
          "called from " + Thread.currentThread() + ", which is not the running task");
    }
    if (stopping) {
      throw stopped(me);
    }
    callCount++;
    nowNanos += CALL_NANOS;
    if (callCount > maxCalls) {
      fail(new DeadlockError("seed " + seed + ": more than " + maxCalls + " calls" + states()));
      throw stopped(me);
    }
    return me;
  }

  private SimulatedCrash stopped(Task me) {
    if (++me.callsAfterStop > MAX_CALLS_AFTER_CRASH) {
      failure =
          new DeadlockError(
              "seed " + seed + ": task " + me.name + " goes on after SimulatedCrash" + states());
      live.remove(me);
      passOn(); // It never runs again.
      while (true) {
        LockSupport.park(this);
      }
    }
    return new SimulatedCrash("task " + me.name + " is stopped");
  }

  private void fail(Throwable thrown) {
    if (failure == null) {
      failure = thrown;
    }
    stopping = true;
  }

  private void block(Task me, String what, long untilNanos) {
    me.waitingFor = what;
    me.timedOut = false;
    if (untilNanos != Long.MAX_VALUE) {
      timers.add(new Timer(untilNanos, ++me.waitCount, me));
    } else {
      me.waitCount++;
    }
    handOver(me, next());
  }

  private void wake(Task task, boolean timedOut) {
    task.waitCount++;
    task.waitingFor = null;
    task.timedOut = timedOut;
    runnable.add(task);
  }

  private void fireTimers() {
    while (!timers.isEmpty() && timers.peek().atNanos <= nowNanos) {
      Timer timer = timers.remove();
      if (timer.task.waitCount == timer.waitCount && timer.task.waitingFor != null) {
        wake(timer.task, true);
      }
    }
  }

  /** Chooses who runs next, and takes it out of the runnable ones. */
  private Task next() {
    if (!stopping) {
      fireTimers();
      if (runnable.isEmpty() && !stalls.isEmpty()) {
        runnable.add(stalls.remove().task);
      }
      while (runnable.isEmpty() && !timers.isEmpty()) {
        nowNanos = Math.max(nowNanos, timers.peek().atNanos);
        fireTimers();
      }
      if (runnable.isEmpty()) {
        fail(new DeadlockError("seed " + seed + ": nobody can run" + states()));
      }
    }
    if (stopping) {
      runnable.clear();
      stalls.clear();
      return live.iterator().next();
    }
    int index = runnable.size() == 1 ? 0 : choices.nextInt(runnable.size());
    Task chosen = runnable.get(index);
    Task last = runnable.removeLast();
    if (last != chosen) {
      runnable.set(index, last);
    }
    return chosen;
  }

  private void handOver(Task me, Task chosen) {
    if (chosen != me) {
      current = chosen;
      chosen.resume();
      me.awaitBaton();
    }
    if (stopping) {
      throw stopped(me);
    }
  }

  /** Gives the baton away for good. */
  private void passOn() {
    if (live.isEmpty()) {
      current = null;
      allEnded.countDown();
      return;
    }
    Task chosen = next();
    current = chosen;
    chosen.resume();
  }

  private String states() {
    var text = new StringBuilder();
    for (Task task : live) {
      text.append("\n  ").append(task.name).append('#').append(task.number).append(": ");
      text.append(
          task.waitingFor != null
              ? "waits for " + task.waitingFor
              : task == current ? "running" : "can run");
      if (task != current && task.started) {
        for (StackTraceElement frame : task.thread.getStackTrace()) {
          if (frame.getClassName().startsWith("onefold.")
              && !frame.getClassName().startsWith(SimulatedScheduler.class.getName())) {
            text.append("\n      at ").append(frame);
          }
        }
      }
    }
    return text.toString();
  }

  private final class Task implements TaskHandle {
    private final String name;
    private final int number = taskCount++;
    private final Thread thread;
    private final List<Task> joining = new ArrayList<>();
    private volatile boolean baton;
    private boolean started;
    private boolean ended;
    private boolean timedOut;
    private long waitCount;
    private int callsAfterStop;
    private @Nullable String waitingFor;

    Task(String name, Runnable body) {
      this.name = name;
      this.thread = Thread.ofVirtual().name(name).unstarted(() -> live(body));
    }

    private void live(Runnable body) {
      awaitBaton();
      try {
        if (!stopping || this == main) {
          body.run();
        }
      } catch (SimulatedCrash stopped) {
        // The way a task is ended.
      } catch (Throwable thrown) { // the outermost loop of a task
        if (!stopping) {
          fail(thrown);
        }
      }
      ended = true;
      live.remove(this);
      for (Task waiting : joining) {
        if (waiting.waitingFor != null) {
          wake(waiting, false);
        }
      }
      passOn();
    }

    void resume() {
      baton = true;
      if (started) {
        LockSupport.unpark(thread);
      } else {
        started = true;
        thread.start();
      }
    }

    void awaitBaton() {
      while (!baton) {
        LockSupport.park(SimulatedScheduler.this);
      }
      baton = false;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public boolean isDone() {
      return ended;
    }

    @Override
    public void join() {
      othersMayRun();
      Task me = enter();
      while (!ended) {
        joining.add(me);
        block(me, "the end of " + name, Long.MAX_VALUE);
      }
    }
  }

  private record Timer(long atNanos, long waitCount, Task task) implements Comparable<Timer> {
    @Override
    public int compareTo(Timer other) {
      int order = Long.compare(atNanos, other.atNanos);
      return order != 0 ? order : Integer.compare(task.number, other.task.number);
    }
  }

  /** A task that could run and does not before a number of calls. */
  private record Stall(long untilCall, Task task) implements Comparable<Stall> {
    @Override
    public int compareTo(Stall other) {
      int order = Long.compare(untilCall, other.untilCall);
      return order != 0 ? order : Integer.compare(task.number, other.task.number);
    }
  }

  // ---- Scheduler

  @Override
  public TaskHandle start(String name, Runnable body) {
    enter();
    trace.add("start", name, taskCount, 0);
    var task = new Task(name, body);
    live.add(task);
    runnable.add(task);
    othersMayRun();
    return task;
  }

  @Override
  public SchedulerLock lock(String name) {
    return new SimulatedLock(name);
  }

  @Override
  public <T> BoundedQueue<T> queue(String name, int capacity) {
    return new LockedQueue<>(this, name, capacity);
  }

  @Override
  public <T> Promise<T> promise() {
    return new SimulatedPromise<>();
  }

  @Override
  public void parallelFor(String name, int count, IntConsumer body) {
    if (count < 0) {
      throw new IllegalArgumentException("count " + count + " of " + name);
    }
    othersMayRun();
    trace.add("parallelFor", name, count, 0);
    if (count == 1) {
      body.accept(0);
      return;
    }
    int[] order = shuffled(count);
    var loop = new ParallelLoop(order, body);
    var helpers = new ArrayList<TaskHandle>();
    if ((choices.nextInt() & 3) == 0) { // the bodies themselves are rarely interesting
      for (int i = Math.min(cores, count) - 1; i > 0; i--) {
        helpers.add(start(name, loop::runAll));
      }
    }
    loop.runAll();
    for (TaskHandle helper : helpers) {
      helper.join();
    }
    switch (loop.failure) {
      case null -> {}
      case RuntimeException unchecked -> throw unchecked;
      case Error error -> throw error;
      case Throwable other -> throw new IllegalStateException(other);
    }
  }

  private int[] shuffled(int count) {
    int[] order = new int[count];
    for (int i = 0; i < count; i++) {
      int other = choices.nextInt(i + 1);
      order[i] = order[other];
      order[other] = i;
    }
    return order;
  }

  private final class ParallelLoop {
    private final int[] order;
    private final IntConsumer body;
    private int next;
    private @Nullable Throwable failure;

    ParallelLoop(int[] order, IntConsumer body) {
      this.order = order;
      this.body = body;
    }

    void runAll() {
      while (next < order.length && failure == null) {
        int index = order[next++];
        try {
          body.accept(index);
        } catch (SimulatedCrash stopped) {
          throw stopped;
        } catch (Throwable thrown) { // handed to the caller of parallelFor
          if (failure == null) {
            failure = thrown;
          }
        }
        othersMayRun();
      }
    }
  }

  @Override
  public <T> Promise<T> compute(String name, Supplier<T> body) {
    Promise<T> promise = promise();
    start(
        name,
        () -> {
          try {
            promise.complete(body.get());
          } catch (SimulatedCrash stopped) {
            throw stopped;
          } catch (Throwable thrown) { // handed to whoever awaits the promise
            promise.fail(thrown);
          }
        });
    return promise;
  }

  @Override
  public void park(Duration time) {
    Task me = enter();
    trace.add("park", "", time.toNanos(), me.number);
    block(me, "time", nowNanos + Math.max(0, time.toNanos()));
  }

  @Override
  public long nanoTime() {
    return nowNanos;
  }

  @Override
  public InstantSource clock() {
    return () -> START.plusNanos(nowNanos + clockOffsetNanos);
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
    Task me = enter();
    long end = nowNanos + CLOSE_WAIT.toNanos();
    while (othersThan(me) > 0 && nowNanos < end) {
      block(me, "the end of all tasks", Math.min(end, nowNanos + Duration.ofMillis(10).toNanos()));
    }
    if (othersThan(me) > 0) {
      throw new IllegalStateException("tasks still run at close:" + states());
    }
  }

  private int othersThan(Task me) {
    return live.size()
        - (live.contains(me) ? 1 : 0)
        - (main != null && main != me && live.contains(main) ? 1 : 0);
  }

  private final class SimulatedLock implements SchedulerLock {
    private final String name;
    private final List<Task> waiting = new ArrayList<>();
    private @Nullable Task owner;
    private int holdCount;

    SimulatedLock(String name) {
      this.name = name;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public void lock() {
      othersMayRun();
      Task me = enter();
      acquire(me);
      holdCount++;
      trace.add("lock", name, me.number, 0);
    }

    private void acquire(Task me) {
      while (owner != null && owner != me) {
        waiting.add(me);
        block(me, "lock " + name + " held by " + owner.name + "#" + owner.number, Long.MAX_VALUE);
      }
      owner = me;
    }

    @Override
    public boolean tryLock() {
      othersMayRun();
      Task me = enter();
      boolean taken = owner == null || owner == me;
      if (taken) {
        owner = me;
        holdCount++;
      }
      trace.add("tryLock", name, me.number, taken ? 1 : 0);
      return taken;
    }

    @Override
    public void unlock() {
      if (stopping) {
        return; // Tasks that are ended pass here on their way out.
      }
      checkHeld();
      if (--holdCount == 0) {
        release();
        othersMayRun();
      }
    }

    private void release() {
      owner = null;
      if (!waiting.isEmpty()) {
        wake(waiting.remove(choices.nextInt(waiting.size())), false);
      }
    }

    private void checkHeld() {
      if (owner == null || owner != current) {
        throw new IllegalMonitorStateException("lock " + name + " is not held by the caller");
      }
    }

    @Override
    public boolean isHeldByCurrentTask() {
      return owner != null && owner == current;
    }

    @Override
    public SchedulerCondition newCondition() {
      return new SimulatedCondition(this);
    }
  }

  private final class SimulatedCondition implements SchedulerCondition {
    private final SimulatedLock lock;
    private final List<Task> waiting = new ArrayList<>();

    SimulatedCondition(SimulatedLock lock) {
      this.lock = lock;
    }

    @Override
    public void await() {
      waitUntil(Long.MAX_VALUE);
    }

    @Override
    public boolean await(Duration time) {
      return !waitUntil(nowNanos + Math.max(0, time.toNanos()));
    }

    /** Answers whether the time was over. */
    private boolean waitUntil(long untilNanos) {
      Task me = enter();
      lock.checkHeld();
      int holdCount = lock.holdCount;
      lock.holdCount = 0;
      lock.release();
      boolean timedOut = false;
      if ((choices.nextInt() & 63) == 0) {
        othersMayRun(); // a wake-up without a signal
      } else {
        waiting.add(me);
        try {
          block(me, "condition of " + lock.name, untilNanos);
        } finally {
          waiting.remove(me);
        }
        timedOut = me.timedOut;
      }
      lock.acquire(me);
      lock.holdCount = holdCount;
      trace.add("await", lock.name, me.number, timedOut ? 1 : 0);
      return timedOut;
    }

    @Override
    public void signal() {
      if (stopping) {
        return;
      }
      lock.checkHeld();
      forgetTimedOut();
      if (!waiting.isEmpty()) {
        wake(waiting.remove(choices.nextInt(waiting.size())), false);
      }
    }

    @Override
    public void signalAll() {
      if (stopping) {
        return;
      }
      lock.checkHeld();
      forgetTimedOut();
      for (Task task : waiting) {
        wake(task, false);
      }
      waiting.clear();
    }

    /** A task whose time is over can run already; it takes itself out when it does. */
    private void forgetTimedOut() {
      waiting.removeIf(task -> task.waitingFor == null);
    }
  }

  private final class SimulatedPromise<T extends @Nullable Object> implements Promise<T> {
    private final CompletableFuture<T> future = new CompletableFuture<>();
    private final Deque<Task> waiting = new ArrayDeque<>();

    @Override
    public boolean complete(T value) {
      boolean first = future.complete(value);
      wakeAll(first);
      return first;
    }

    @Override
    public boolean fail(Throwable thrown) {
      boolean first = future.completeExceptionally(thrown);
      wakeAll(first);
      return first;
    }

    private void wakeAll(boolean first) {
      if (stopping) {
        return;
      }
      trace.add("complete", "", first ? 1 : 0, 0);
      while (!waiting.isEmpty()) {
        wake(waiting.removeFirst(), false);
      }
      othersMayRun();
    }

    @Override
    public boolean isDone() {
      return future.isDone();
    }

    @Override
    public T await() throws IOException {
      othersMayRun();
      Task me = enter();
      while (!future.isDone()) {
        waiting.add(me);
        block(me, "a promise", Long.MAX_VALUE);
      }
      trace.add("promised", "", me.number, 0);
      if (future.state() == java.util.concurrent.Future.State.SUCCESS) {
        return future.resultNow();
      }
      switch (future.exceptionNow()) {
        case IOException checked -> throw checked;
        case RuntimeException unchecked -> throw unchecked;
        case Error error -> throw error;
        case Throwable other -> throw new IOException(other.getMessage(), other);
      }
    }

    @Override
    public CompletionStage<T> toCompletionStage() {
      return future.minimalCompletionStage();
    }
  }
}
