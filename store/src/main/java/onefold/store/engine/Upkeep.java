package onefold.store.engine;

import java.io.IOException;
import java.time.Duration;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.SchedulerCondition;
import onefold.store.scheduler.SchedulerLock;
import onefold.store.scheduler.TaskHandle;
import org.jspecify.annotations.Nullable;

/** What is done every hour of running time while a store is open. Any thread may end it. */
final class Upkeep {
  /** How much running time a killed process can have lost of store time. */
  static final Duration PERIOD = Duration.ofHours(1);

  /** What is done. */
  @FunctionalInterface
  interface Round {
    /**
     * Does it.
     *
     * @throws IOException if it could not be done; the next round does it
     */
    void run() throws IOException;
  }

  private final Scheduler scheduler;
  private final Round round;
  private final SchedulerLock lock;
  private final SchedulerCondition changed;

  private boolean stopped; // guarded by lock
  private @Nullable TaskHandle task; // guarded by lock

  Upkeep(Scheduler scheduler, Round round) {
    this.scheduler = scheduler;
    this.round = round;
    this.lock = scheduler.lock("upkeep");
    this.changed = lock.newCondition();
  }

  void start() {
    lock.lock();
    try {
      task = scheduler.start("upkeep", this::run);
    } finally {
      lock.unlock();
    }
  }

  /** Ends it, and waits for a round that is under way. */
  void stop() {
    TaskHandle running;
    lock.lock();
    try {
      stopped = true;
      changed.signalAll();
      running = task;
      task = null;
    } finally {
      lock.unlock();
    }
    if (running != null) {
      running.join();
    }
  }

  private void run() {
    while (rests()) {
      try {
        round.run();
      } catch (IOException e) {
        // Nothing is lost by that but time: the next round does what this one has not. A store that
        // is broken tells so by itself.
      }
    }
  }

  /** Waits for the next round; returns false if there is none. */
  private boolean rests() {
    lock.lock();
    try {
      if (!stopped) {
        boolean _ = changed.await(PERIOD);
      }
      return !stopped;
    } finally {
      lock.unlock();
    }
  }
}
