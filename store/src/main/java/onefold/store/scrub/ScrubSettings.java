package onefold.store.scrub;

import java.time.Duration;

/**
 * How a scrub runs.
 *
 * @param background whether passes begin by themselves, and damage that a reader meets is looked
 *     into at once
 * @param bytesPerSecond the most that it reads, in stored bytes; 0 for no limit
 * @param every the time from the beginning of one pass to that of the next
 */
public record ScrubSettings(boolean background, long bytesPerSecond, Duration every) {
  /** Nothing begins by itself, and what is asked for goes as fast as it can. */
  public static final ScrubSettings ON_DEMAND = new ScrubSettings(false, 0, Duration.ofDays(30));

  /** A pass a month, with 20 MiB/s: 10 TB take six days of it. */
  public static final ScrubSettings DEFAULT =
      new ScrubSettings(true, 20L << 20, Duration.ofDays(30));

  /** Checks the bounds. */
  public ScrubSettings {
    if (bytesPerSecond < 0) {
      throw new IllegalArgumentException("bytesPerSecond " + bytesPerSecond);
    }
    if (every.isNegative()) {
      throw new IllegalArgumentException("every " + every);
    }
  }
}
