package onefold.store.scheduler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** What the scheduler of threads promises beyond what the engine's own tests show. */
class ThreadSchedulerTest {
  @Test
  void closeWaitsForTasksThatTasksHaveStarted() {
    for (int round = 0; round < 50; round++) {
      AtomicInteger ended = new AtomicInteger();
      try (var scheduler = new ThreadScheduler(1, (name, failure) -> fail(name, failure))) {
        start(scheduler, ended, 100);
      }
      assertEquals(100, ended.get(), "round " + round);
    }
  }

  private static void start(Scheduler scheduler, AtomicInteger ended, int left) {
    scheduler.start(
        "one of a chain",
        () -> {
          if (left > 1) {
            start(scheduler, ended, left - 1);
          }
          ended.incrementAndGet();
        });
  }
}
