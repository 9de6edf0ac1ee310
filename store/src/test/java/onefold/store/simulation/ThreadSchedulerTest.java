package onefold.store.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import onefold.store.scheduler.Promise;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.SchedulerCondition;
import onefold.store.scheduler.SchedulerLock;
import onefold.store.scheduler.ThreadScheduler;
import org.junit.jupiter.api.Test;

final class ThreadSchedulerTest extends SchedulerContract {
  @Override
  void with(Body body) throws Exception {
    for (int cores = 1; cores <= 3; cores++) {
      var escaped = new AtomicReference<Throwable>();
      try (var scheduler = new ThreadScheduler(cores, (name, thrown) -> escaped.set(thrown))) {
        body.run(scheduler);
      }
      if (escaped.get() != null) {
        throw new AssertionError("a task failed", escaped.get());
      }
    }
  }

  @Test
  void whatEscapesFromATaskIsReported() {
    var escaped = new ConcurrentHashMap<String, Throwable>();
    var broken = new IllegalStateException("broken");
    try (var scheduler = new ThreadScheduler(1, escaped::put)) {
      scheduler
          .start(
              "breaks",
              () -> {
                throw broken;
              })
          .join();
    }
    assertSame(broken, escaped.get("breaks"));
  }

  @Test
  void interruptsEndNoWaitAndAreKept() {
    try (var scheduler = new ThreadScheduler(2, (name, thrown) -> {})) {
      SchedulerLock lock = scheduler.lock("l");
      SchedulerCondition condition = lock.newCondition();
      Thread.currentThread().interrupt();
      long start = scheduler.nanoTime();
      lock.lock();
      try {
        assertFalse(condition.await(Duration.ofMillis(5)));
      } finally {
        lock.unlock();
      }
      scheduler.park(Duration.ofMillis(5));
      assertTrue(scheduler.nanoTime() - start >= 10_000_000);
      assertTrue(Thread.interrupted());
    }
  }

  @Test
  void whenThePoolsQueueIsFullTheCallerComputes() throws Exception {
    try (var scheduler = new ThreadScheduler(1, (name, thrown) -> {})) {
      var gate = new CountDownLatch(1);
      var done = new AtomicInteger();
      Promise<Integer> first =
          scheduler.compute(
              "gate",
              () -> {
                try {
                  gate.await();
                } catch (InterruptedException e) {
                  throw new IllegalStateException(e);
                }
                return done.incrementAndGet();
              });
      for (int i = 0; i < Scheduler.MAX_WAITING_COMPUTATIONS + 10; i++) {
        scheduler.compute("one", done::incrementAndGet);
      }
      assertTrue(done.get() >= 9 && done.get() <= 10, done.toString());
      gate.countDown();
      assertTrue(first.await() > 0);
    }
  }

  @Test
  void loopsOfSeveralTasksShareThePool() {
    try (var scheduler = new ThreadScheduler(2, (name, thrown) -> {})) {
      var runs = new AtomicInteger();
      var first =
          scheduler.start("a", () -> scheduler.parallelFor("a", 500, i -> runs.incrementAndGet()));
      var second =
          scheduler.start("b", () -> scheduler.parallelFor("b", 500, i -> runs.incrementAndGet()));
      first.join();
      second.join();
      assertEquals(1000, runs.get());
      assertThrows(
          IllegalArgumentException.class, () -> new ThreadScheduler(0, (name, thrown) -> {}));
    }
  }
}
