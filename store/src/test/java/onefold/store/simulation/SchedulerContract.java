package onefold.store.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import onefold.store.scheduler.BoundedQueue;
import onefold.store.scheduler.Promise;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.SchedulerCondition;
import onefold.store.scheduler.SchedulerLock;
import onefold.store.scheduler.TaskHandle;
import org.junit.jupiter.api.Test;

/** What every scheduler promises, the real one and the simulated one. */
abstract class SchedulerContract {
  /** What a test does with a scheduler. */
  interface Body {
    void run(Scheduler scheduler) throws Exception;
  }

  /** Runs a test, as a task where that matters, as often as makes sense. */
  abstract void with(Body body) throws Exception;

  @Test
  void tasksRunAndAreJoined() throws Exception {
    with(scheduler -> {
      var count = new AtomicInteger();
      var handles = new ArrayList<TaskHandle>();
      for (int i = 0; i < 10; i++) {
        handles.add(scheduler.start("task" + i, count::incrementAndGet));
      }
      for (TaskHandle handle : handles) {
        handle.join();
        assertTrue(handle.isDone());
      }
      assertEquals(10, count.get());
      assertEquals("task3", handles.get(3).name());
      handles.get(3).join();
    });
  }

  @Test
  void aLockExcludesAndIsReentrant() throws Exception {
    with(scheduler -> {
      SchedulerLock lock = scheduler.lock("counter");
      assertEquals("counter", lock.name());
      int[] count = new int[1];
      var handles = new ArrayList<TaskHandle>();
      for (int i = 0; i < 4; i++) {
        handles.add(
            scheduler.start(
                "adder",
                () -> {
                  for (int n = 0; n < 50; n++) {
                    lock.lock();
                    try {
                      int before = count[0];
                      lock.lock();
                      lock.unlock();
                      assertTrue(lock.isHeldByCurrentTask());
                      scheduler.nanoTime();
                      count[0] = before + 1;
                    } finally {
                      lock.unlock();
                    }
                  }
                }));
      }
      handles.forEach(TaskHandle::join);
      assertEquals(200, count[0]);
      assertFalse(lock.isHeldByCurrentTask());
      assertThrows(IllegalMonitorStateException.class, lock::unlock);
    });
  }

  @Test
  void tryLockDoesNotWait() throws Exception {
    with(scheduler -> {
      SchedulerLock lock = scheduler.lock("l");
      assertTrue(lock.tryLock());
      assertTrue(lock.tryLock());
      lock.unlock();
      boolean[] taken = {true};
      scheduler.start("other", () -> taken[0] = lock.tryLock()).join();
      assertFalse(taken[0]);
      lock.unlock();
    });
  }

  @Test
  void aConditionWakesWhoWaits() throws Exception {
    with(scheduler -> {
      SchedulerLock lock = scheduler.lock("state");
      SchedulerCondition changed = lock.newCondition();
      boolean[] open = new boolean[1];
      var passed = new AtomicInteger();
      var handles = new ArrayList<TaskHandle>();
      for (int i = 0; i < 5; i++) {
        handles.add(
            scheduler.start(
                "waiter",
                () -> {
                  lock.lock();
                  try {
                    while (!open[0]) {
                      changed.await();
                    }
                    passed.incrementAndGet();
                  } finally {
                    lock.unlock();
                  }
                }));
      }
      lock.lock();
      try {
        open[0] = true;
        changed.signalAll();
      } finally {
        lock.unlock();
      }
      handles.forEach(TaskHandle::join);
      assertEquals(5, passed.get());
      assertThrows(IllegalMonitorStateException.class, changed::signal);
      assertThrows(IllegalMonitorStateException.class, changed::signalAll);
      assertThrows(IllegalMonitorStateException.class, changed::await);
    });
  }

  @Test
  void aWaitEndsAfterItsTime() throws Exception {
    with(scheduler -> {
      SchedulerLock lock = scheduler.lock("state");
      SchedulerCondition changed = lock.newCondition();
      long start = scheduler.nanoTime();
      Duration wait = Duration.ofMillis(5);
      lock.lock();
      try {
        boolean inTime = true;
        while (inTime && scheduler.nanoTime() - start < wait.toNanos()) {
          inTime = changed.await(wait.minusNanos(scheduler.nanoTime() - start));
        }
      } finally {
        lock.unlock();
      }
      assertTrue(scheduler.nanoTime() - start >= wait.toNanos());
      long before = scheduler.nanoTime();
      scheduler.park(Duration.ofMillis(3));
      assertTrue(scheduler.nanoTime() - before >= 3_000_000);
    });
  }

  @Test
  void aQueueKeepsOrderAndItsBound() throws Exception {
    with(scheduler -> {
      BoundedQueue<Integer> queue = scheduler.queue("numbers", 3);
      var most = new AtomicInteger();
      TaskHandle writer =
          scheduler.start(
              "writer",
              () -> {
                for (int i = 0; i < 100; i++) {
                  queue.put(i);
                  most.accumulateAndGet(queue.size(), Math::max);
                }
                queue.close();
              });
      var found = new ArrayList<Integer>();
      for (Integer next = queue.take(); next != null; next = queue.take()) {
        found.add(next);
      }
      writer.join();
      assertEquals(IntStream.range(0, 100).boxed().toList(), found);
      assertTrue(most.get() <= 3, most.toString());
      assertTrue(queue.isClosed());
      assertThrows(IllegalStateException.class, () -> queue.put(1));
      assertFalse(queue.offer(1));
      assertNull(queue.poll());
      assertNull(queue.poll(Duration.ofDays(1)));
    });
  }

  @Test
  void aQueueOffersPollsAndDrainsWithoutWaiting() throws Exception {
    with(scheduler -> {
      assertThrows(IllegalArgumentException.class, () -> scheduler.queue("q", 0));
      BoundedQueue<String> queue = scheduler.queue("q", 2);
      assertEquals(2, queue.capacity());
      assertNull(queue.poll());
      assertNull(queue.poll(Duration.ofMillis(1)));
      assertTrue(queue.offer("a"));
      assertTrue(queue.offer("b"));
      assertFalse(queue.offer("c"));
      assertEquals("a", queue.poll());
      assertTrue(queue.offer("c"));
      var target = new ArrayList<String>();
      assertEquals(1, queue.drainTo(target, 1));
      assertEquals(1, queue.drainTo(target, 10));
      assertEquals(List.of("b", "c"), target);
    });
  }

  @Test
  void closingAQueueEndsThoseThatWaitToPut() throws Exception {
    with(scheduler -> {
      BoundedQueue<String> queue = scheduler.queue("q", 1);
      queue.put("a");
      var thrown = new AtomicReference<RuntimeException>();
      TaskHandle writer =
          scheduler.start(
              "writer",
              () -> {
                try {
                  queue.put("b");
                } catch (IllegalStateException e) {
                  thrown.set(e);
                }
              });
      queue.close();
      writer.join();
      assertTrue(
          String.valueOf(thrown.get()).contains("q is closed"), String.valueOf(thrown.get()));
      assertEquals("a", queue.take());
      assertNull(queue.take());
    });
  }

  @Test
  void aPromiseIsKeptOnce() throws Exception {
    with(scheduler -> {
      Promise<String> promise = scheduler.promise();
      var seen = new AtomicReference<String>();
      var _ = promise.toCompletionStage().thenAccept(seen::set);
      assertFalse(promise.isDone());
      TaskHandle giver = scheduler.start("giver", () -> assertTrue(promise.complete("yes")));
      assertEquals("yes", promise.await());
      giver.join();
      assertFalse(promise.complete("no"));
      assertFalse(promise.fail(new IOException("no")));
      assertEquals("yes", promise.await());
      assertEquals("yes", seen.get());
      assertTrue(promise.isDone());
    });
  }

  @Test
  void aBrokenPromiseThrowsWhatBrokeIt() throws Exception {
    with(scheduler -> {
      var checked = new IOException("disk");
      Promise<String> first = scheduler.promise();
      scheduler.start("breaker", () -> first.fail(checked));
      assertSame(checked, assertThrows(IOException.class, first::await));
      var unchecked = new IllegalStateException("bug");
      Promise<String> second = scheduler.promise();
      second.fail(unchecked);
      assertSame(unchecked, assertThrows(IllegalStateException.class, second::await));
      Promise<String> third = scheduler.promise();
      var other = new InterruptedException("odd");
      third.fail(other);
      var wrapped = assertThrows(IOException.class, third::await);
      Throwable root = wrapped;
      while (root.getCause() != null) {
        root = root.getCause();
      }
      assertSame(other, root);
    });
  }

  @Test
  void parallelForRunsEachIndexOnce() throws Exception {
    with(scheduler -> {
      for (int count : new int[] {0, 1, 2, 3, 100}) {
        var runs = new AtomicIntegerArray(count);
        scheduler.parallelFor("each", count, runs::incrementAndGet);
        for (int i = 0; i < count; i++) {
          assertEquals(1, runs.get(i));
        }
      }
      assertThrows(
          IllegalArgumentException.class, () -> scheduler.parallelFor("each", -1, i -> {}));
      assertTrue(scheduler.cores() >= 1);
    });
  }

  @Test
  void parallelForThrowsWhatABodyThrew() throws Exception {
    with(scheduler -> {
      var broken = new IllegalStateException("broken");
      assertSame(
          broken,
          assertThrows(
              IllegalStateException.class,
              () ->
                  scheduler.parallelFor(
                      "each",
                      20,
                      i -> {
                        if (i == 7) {
                          throw broken;
                        }
                      })));
    });
  }

  @Test
  void parallelForNestsWithoutAFreeThread() throws Exception {
    with(scheduler -> {
      var runs = new AtomicInteger();
      scheduler.parallelFor(
          "outer", 8, i -> scheduler.parallelFor("inner", 8, j -> runs.incrementAndGet()));
      assertEquals(64, runs.get());
    });
  }

  @Test
  void computationsKeepTheirPromises() throws Exception {
    with(scheduler -> {
      var promises = new ArrayList<Promise<Integer>>();
      for (int i = 0; i < 20; i++) {
        int number = i;
        promises.add(scheduler.compute("square", () -> number * number));
      }
      for (int i = 0; i < 20; i++) {
        assertEquals(i * i, promises.get(i).await());
      }
      Promise<Integer> broken =
          scheduler.compute(
              "broken",
              () -> {
                throw new IllegalArgumentException("no");
              });
      assertThrows(IllegalArgumentException.class, broken::await);
    });
  }

  @Test
  void closeWaitsForTasks() throws Exception {
    with(scheduler -> {
      var ended = new AtomicInteger();
      for (int i = 0; i < 3; i++) {
        scheduler.start(
            "slow",
            () -> {
              scheduler.park(Duration.ofMillis(2));
              ended.incrementAndGet();
            });
      }
      scheduler.close();
      assertEquals(3, ended.get());
    });
  }

  @Test
  void timeGoesOnAndRandomnessIsThere() throws Exception {
    with(scheduler -> {
      long before = scheduler.nanoTime();
      assertTrue(scheduler.nanoTime() >= before);
      assertTrue(scheduler.clock().millis() > 1_500_000_000_000L);
      long bits = 0;
      for (int i = 0; i < 8; i++) {
        bits |= scheduler.random().nextLong();
      }
      assertTrue(bits != 0);
    });
  }
}
