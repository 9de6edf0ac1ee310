package onefold.catalyst.wire;

import java.util.concurrent.TimeUnit;

/**
 * What a sender has sent and its peer has not said to be worked off: the bytes that a broken line
 * may make it send a second time. Held to 1 MiB, or to what the peer worked off within the last
 * second if that is more, so that a quick line is filled and a slow one is not flooded.
 *
 * <p>Not thread-safe: its stream's lock guards it.
 */
final class InFlight {
  /** Bytes that may always be under way. */
  static final long LEAST_BYTES = 1 << 20;

  private static final long WINDOW_NANOS = TimeUnit.SECONDS.toNanos(1);

  private long bytes;
  private boolean granted;
  private boolean counting;
  private long windowStart;
  private long inWindow;
  private long inWindowBefore;

  /** Takes note of a frame that is sent. */
  void sent(int cost) {
    bytes += cost;
  }

  /** Takes note of a CREDIT; the first one is the peer's window, the others are work done. */
  void credited(int cost, long nowNanos) {
    if (!granted) {
      granted = true;
      return;
    }
    bytes = Math.max(0, bytes - cost);
    turn(nowNanos);
    inWindow += cost;
  }

  /**
   * Returns whether a frame may follow now. A peer may hold back word of a quarter of a megabyte
   * that it has worked off, so that much is not counted against a frame.
   */
  boolean allows(int cost, long nowNanos) {
    return bytes <= FrameFormat.UNSAID_CREDIT_BYTES || bytes + cost <= limitBytes(nowNanos);
  }

  long limitBytes(long nowNanos) {
    turn(nowNanos);
    double left = 1 - (nowNanos - windowStart) / (double) WINDOW_NANOS;
    return Math.max(LEAST_BYTES, inWindow + (long) (left * inWindowBefore));
  }

  private void turn(long nowNanos) {
    if (!counting) {
      counting = true;
      windowStart = nowNanos;
    }
    long windows = (nowNanos - windowStart) / WINDOW_NANOS;
    if (windows > 0) {
      inWindowBefore = windows == 1 ? inWindow : 0;
      inWindow = 0;
      windowStart += windows * WINDOW_NANOS;
    }
  }
}
