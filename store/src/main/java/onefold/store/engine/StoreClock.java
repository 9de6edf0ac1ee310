package onefold.store.engine;

import onefold.store.scheduler.Scheduler;

/**
 * Store time: milliseconds since 1970 that only move forward, by measured running time. The wall
 * clock is asked once in the life of a data directory, when it is made; afterwards a directory that
 * was not served has not aged. Any thread may ask.
 */
final class StoreClock {
  private final Scheduler scheduler;
  private final long startNanos;
  private volatile long baseMillis;

  /**
   * Goes on from a recorded time.
   *
   * @param baseMillis the latest store time that anything durable was stamped with
   */
  StoreClock(Scheduler scheduler, long baseMillis) {
    this.scheduler = scheduler;
    this.baseMillis = baseMillis;
    this.startNanos = scheduler.nanoTime();
  }

  /** Says that something durable is stamped with this time; before anything is stamped. */
  void notBefore(long recordedMillis) {
    baseMillis = Math.max(baseMillis, recordedMillis);
  }

  long millis() {
    return baseMillis + (scheduler.nanoTime() - startNanos) / 1_000_000;
  }
}
