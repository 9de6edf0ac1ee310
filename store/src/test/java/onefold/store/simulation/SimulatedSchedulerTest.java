package onefold.store.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.concurrent.CompletableFuture;
import onefold.store.scheduler.BoundedQueue;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.SchedulerCondition;
import onefold.store.scheduler.SchedulerLock;
import onefold.store.scheduler.TaskHandle;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

final class SimulatedSchedulerTest extends SchedulerContract {
  @Override
  void with(Body body) throws Exception {
    long first = Simulation.seed();
    for (long seed = first; seed < first + 30; seed++) {
      var scheduler = new SimulatedScheduler(seed);
      try {
        scheduler.run(() -> {
          body.run(scheduler);
          return null;
        });
      } catch (AssertionError | Exception e) {
        throw new AssertionError("onefold.seed=" + seed, e);
      }
    }
  }

  /** Some tasks that do a bit of everything. */
  private static long traceOf(long seed) throws Exception {
    var scheduler = new SimulatedScheduler(seed);
    scheduler.run(() -> {
      BoundedQueue<Integer> queue = scheduler.queue("q", 2);
      SchedulerLock lock = scheduler.lock("l");
      TaskHandle writer =
          scheduler.start(
              "writer",
              () -> {
                for (int i = 0; i < 20; i++) {
                  queue.put(i);
                  scheduler.park(Duration.ofMillis(scheduler.random().nextInt(3)));
                }
                queue.close();
              });
      while (queue.take() != null) {
        lock.lock();
        lock.unlock();
        scheduler.parallelFor("p", 3, i -> lock.name());
      }
      writer.join();
      return null;
    });
    return scheduler.trace().hash();
  }

  @Test
  void aSeedTwiceIsTheSameRunAndAnotherSeedIsAnother() throws Exception {
    long first = Simulation.seed();
    var hashes = new HashSet<Long>();
    for (long seed = first; seed < first + 20; seed++) {
      long hash = traceOf(seed);
      assertEquals(hash, traceOf(seed), "onefold.seed=" + seed);
      hashes.add(hash);
    }
    assertTrue(hashes.size() > 15, "onefold.seed=" + first);
  }

  /** A counter without a lock around its read and its write. */
  private static int lostUpdates(long seed) throws Exception {
    var scheduler = new SimulatedScheduler(seed);
    return scheduler.run(() -> {
      int[] count = new int[1];
      SchedulerLock lock = scheduler.lock("l");
      Runnable adder =
          () -> {
            int before = count[0];
            lock.lock();
            lock.unlock();
            count[0] = before + 1;
          };
      TaskHandle first = scheduler.start("a", adder);
      TaskHandle second = scheduler.start("b", adder);
      first.join();
      second.join();
      return 2 - count[0];
    });
  }

  @Test
  void aPlantedRaceIsFoundBySomeSeedsAndNotByAll() throws Exception {
    int lost = 0;
    for (long seed = 0; seed < 100; seed++) {
      lost += lostUpdates(seed);
    }
    assertTrue(lost > 5 && lost < 95, lost + " of 100");
  }

  @Test
  void aDeadlockIsNamedWithItsTasks() {
    boolean found = false;
    for (long seed = 0; seed < 100 && !found; seed++) {
      var scheduler = new SimulatedScheduler(seed);
      try {
        scheduler.run(() -> {
          SchedulerLock left = scheduler.lock("left");
          SchedulerLock right = scheduler.lock("right");
          TaskHandle other = scheduler.start("other", () -> both(right, left));
          both(left, right);
          other.join();
          return null;
        });
      } catch (DeadlockError e) {
        found = true;
        assertTrue(
            e.toString().contains("other#1: waits for lock left held by main"), e.getMessage());
        assertTrue(e.toString().contains("lock right held by other"), e.getMessage());
      } catch (Exception e) {
        throw new AssertionError(e);
      }
    }
    assertTrue(found);
  }

  private static void both(SchedulerLock first, SchedulerLock second) {
    first.lock();
    try {
      second.lock();
      second.unlock();
    } finally {
      first.unlock();
    }
  }

  @Test
  void aPromiseThatNobodyKeepsIsADeadlock() {
    var scheduler = new SimulatedScheduler(1);
    var error =
        assertThrows(
            DeadlockError.class, () -> scheduler.run(() -> scheduler.<String>promise().await()));
    assertTrue(error.toString().contains("nobody can run"), error.getMessage());
  }

  @Test
  void aRunThatNeverEndsIsStopped() {
    var scheduler = new SimulatedScheduler(1, new SeamTrace(), 10_000);
    scheduler.trace();
    var error =
        assertThrows(
            DeadlockError.class,
            () ->
                scheduler.run(() -> {
                  while (true) {
                    scheduler.park(Duration.ofSeconds(1));
                  }
                }));
    assertTrue(error.toString().contains("more than 10000 calls"), error.getMessage());
  }

  @Test
  void tasksThatNeverEndAreStoppedWithTheMainTask() throws Exception {
    var scheduler = new SimulatedScheduler(1);
    int[] rounds = new int[1];
    boolean[] wayOut = new boolean[1];
    scheduler.run(() -> {
      scheduler.start(
          "daemon",
          () -> {
            try {
              while (true) {
                scheduler.park(Duration.ofSeconds(1));
                rounds[0]++;
              }
            } finally {
              wayOut[0] = true;
            }
          });
      scheduler.park(Duration.ofSeconds(10));
      return null;
    });
    assertTrue(rounds[0] >= 9 && rounds[0] <= 10, rounds[0] + " rounds");
    assertTrue(wayOut[0]);
  }

  @Test
  void whatEscapesFromATaskFailsTheRun() {
    var scheduler = new SimulatedScheduler(1);
    var error =
        assertThrows(
            AssertionError.class,
            () ->
                scheduler.run(() -> {
                  scheduler
                      .start(
                          "breaks",
                          () -> {
                            throw new IllegalStateException("broken");
                          })
                      .join();
                  return null;
                }));
    assertEquals("broken", String.valueOf(error.getCause()).replaceAll(".*: ", ""));
  }

  @Test
  void aCrashEndsEveryTaskAndWhoeverSwallowsItIsNamed() {
    for (long seed = 0; seed < 20; seed++) {
      var scheduler = new SimulatedScheduler(seed);
      assertThrows(
          SimulatedCrash.class,
          () ->
              scheduler.run(() -> {
                for (int i = 0; i < 3; i++) {
                  scheduler.start("waits", () -> scheduler.park(Duration.ofDays(1)));
                }
                scheduler.crash();
                return null;
              }));
    }
    var scheduler = new SimulatedScheduler(1);
    var error =
        assertThrows(
            DeadlockError.class,
            () ->
                scheduler.run(() -> {
                  scheduler.start("swallows", () -> swallow(scheduler));
                  scheduler.park(Duration.ofSeconds(1));
                  scheduler.crash();
                  return null;
                }));
    assertTrue(
        error.toString().contains("swallows goes on after SimulatedCrash"), error.getMessage());
  }

  private static void swallow(Scheduler scheduler) {
    while (true) {
      try {
        scheduler.park(Duration.ofSeconds(1));
      } catch (SimulatedCrash e) {
        scheduler.nanoTime(); // what nobody may do
      }
    }
  }

  @Test
  void aStageOfTheFaceIsAwaited() throws Exception {
    var scheduler = new SimulatedScheduler(1);
    var result = new CompletableFuture<String>();
    assertEquals(
        "done",
        scheduler.run(() -> {
          scheduler.start("giver", () -> result.complete("done"));
          return scheduler.await(result);
        }));
    var next = new SimulatedScheduler(1);
    var failed = CompletableFuture.<String>failedFuture(new IOException("disk"));
    assertEquals(
        "disk",
        assertThrows(IOException.class, () -> next.run(() -> next.await(failed))).getMessage());
  }

  @Test
  void theWallClockMovesAloneWhenItIsMoved() throws Exception {
    var scheduler = new SimulatedScheduler(1);
    scheduler.run(() -> {
      long wall = scheduler.clock().millis();
      long running = scheduler.nanoTime();
      scheduler.moveClock(Duration.ofDays(-1));
      assertEquals(wall - 86_400_000, scheduler.clock().millis());
      assertEquals(running, scheduler.nanoTime());
      assertNotEquals(0, wall);
      return null;
    });
  }

  @Test
  @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void aSignalDoesNotWakeATaskAgainWhoseTimeIsOver() throws Exception {
    for (long seed = 0; seed < 300; seed++) {
      var scheduler = new SimulatedScheduler(seed);
      scheduler.run(() -> {
        SchedulerLock lock = scheduler.lock("lock");
        SchedulerCondition condition = lock.newCondition();
        for (int i = 0; i < 3; i++) {
          scheduler.start(
              "waiter",
              () -> {
                lock.lock();
                try {
                  boolean signalled = condition.await(Duration.ofNanos(2_000));
                  assertTrue(signalled || scheduler.nanoTime() >= 2_000);
                } finally {
                  lock.unlock();
                }
              });
        }
        for (int i = 0; i < 8; i++) {
          lock.lock();
          condition.signal();
          lock.unlock();
        }
        scheduler.close(); // hangs if the baton went to a task that had ended
        return null;
      });
    }
  }

  @Test
  void onlyItsTasksMayCall() {
    var scheduler = new SimulatedScheduler(1);
    assertThrows(IllegalStateException.class, () -> scheduler.park(Duration.ZERO));
    assertThrows(IllegalStateException.class, () -> new SimulatedDevice(scheduler).exists("a"));
  }
}
