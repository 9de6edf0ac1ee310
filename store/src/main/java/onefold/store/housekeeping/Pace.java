package onefold.store.housekeeping;

/**
 * How much housekeeping works while uploads and readers do: it measures its own work and says how
 * long to rest after it.
 *
 * <p>While bytes move in the foreground it works at most a quarter of what the machine's processors
 * could do, and half of that while it frees enough. Enough is more than {@value #ENOUGH_PERCENT} %
 * of the bytes that came in since the cycle began. When nothing moves it does not rest.
 *
 * <p>One task uses it.
 */
final class Pace {
  /** The part of the machine's processor time that housekeeping may take from the foreground. */
  static final double MACHINE_SHARE = 0.25;

  /**
   * Bytes freed for a hundred that came in. The promise is 25; the rest is for what is measured.
   */
  static final int ENOUGH_PERCENT = 35;

  /** Work below this is added up before there is a rest: a short one is not exact. */
  static final long LEAST_WORK_NANOS = 2_000_000;

  /** No rest is longer, whatever the work before it was held up by. */
  static final long MOST_REST_NANOS = 10_000_000_000L;

  /** A rest ends when nothing has moved in the foreground for so long. */
  static final long IDLE_NANOS = 50_000_000;

  private final double mostShare;
  private long workingSinceNanos;
  private long seenBytes;
  private long foregroundAtBegin;
  private long freedAtBegin;
  private long restedNanos;

  Pace(int cores) {
    mostShare = Math.min(0.9, MACHINE_SHARE * Math.max(1, cores));
  }

  /**
   * Begins a cycle.
   *
   * @param foregroundBytes moved so far by uploads and readers
   * @param freedBytes given back so far
   */
  void begin(long nowNanos, long foregroundBytes, long freedBytes) {
    workingSinceNanos = nowNanos;
    seenBytes = foregroundBytes;
    foregroundAtBegin = foregroundBytes;
    freedAtBegin = freedBytes;
  }

  /** How long to rest now, after the work since the last rest; 0 for not at all. */
  long restNanos(long nowNanos, long foregroundBytes, long freedBytes) {
    long worked = nowNanos - workingSinceNanos;
    if (foregroundBytes == seenBytes) {
      if (worked >= LEAST_WORK_NANOS) {
        workingSinceNanos = nowNanos; // Nobody was held up by it.
      }
      return 0;
    }
    if (worked < LEAST_WORK_NANOS) {
      return 0;
    }
    seenBytes = foregroundBytes;
    long came = foregroundBytes - foregroundAtBegin;
    boolean enough = (freedBytes - freedAtBegin) * 100.0 >= came * (double) ENOUGH_PERCENT;
    double share = enough ? mostShare / 2 : mostShare;
    return Math.min(MOST_REST_NANOS, (long) (worked * (1 / share - 1)));
  }

  /** Says that a rest is over. */
  void rested(long nowNanos, long nanos, long foregroundBytes) {
    workingSinceNanos = nowNanos;
    seenBytes = foregroundBytes;
    restedNanos += nanos;
  }

  /** How long it has rested for the foreground in all. */
  long restedNanos() {
    return restedNanos;
  }
}
