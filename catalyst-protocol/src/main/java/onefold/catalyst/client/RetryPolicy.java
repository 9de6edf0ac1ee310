package onefold.catalyst.client;

import java.time.Duration;

/**
 * What a client does when its connection breaks or cannot be made. Refusals are never retried.
 *
 * @param attempts how often it connects again, one after another without success, before it gives
 *     up; 0 never
 * @param firstDelay before the first of them
 * @param maxDelay the delay doubles up to this
 */
public record RetryPolicy(int attempts, Duration firstDelay, Duration maxDelay) {
  /** Never connects again. */
  public static final RetryPolicy NONE = new RetryPolicy(0, Duration.ZERO, Duration.ZERO);

  /** Ten times over about two minutes. */
  public static final RetryPolicy DEFAULT =
      new RetryPolicy(10, Duration.ofMillis(250), Duration.ofSeconds(20));

  public RetryPolicy {
    if (attempts < 0 || firstDelay.isNegative() || maxDelay.compareTo(firstDelay) < 0) {
      throw new IllegalArgumentException(
          "attempts " + attempts + ", firstDelay " + firstDelay + ", maxDelay " + maxDelay);
    }
  }

  Duration delay(int attempt) {
    long millis = firstDelay.toMillis() << Math.min(attempt, 20);
    return Duration.ofMillis(Math.min(millis, maxDelay.toMillis()));
  }
}
