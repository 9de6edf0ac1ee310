package onefold.nas;

/**
 * How long files of a share are kept that cannot be changed once they are written. All seconds are
 * of store time.
 *
 * @param on whether files can be committed at all
 * @param quietSeconds after so long without a change a file is committed by itself; 0 for never
 * @param defaultSeconds how long a file is kept whose access time says nothing
 * @param leastSeconds the shortest that a file is kept, whatever its access time says
 * @param mostSeconds the longest likewise
 */
public record Worm(
    boolean on, long quietSeconds, long defaultSeconds, long leastSeconds, long mostSeconds) {
  /** Longest time of any kind: a hundred years. */
  public static final long MAX_SECONDS = 36_525L * 86_400;

  /** Nothing is committed. */
  public static final Worm NONE = new Worm(false, 0, 0, 0, 0);

  /** What counts if nothing else is said: a day of quiet, 30 days, at most 30 years. */
  public static final Worm USUAL = new Worm(true, 86_400, 30 * 86_400, 0, 10_957L * 86_400);

  /** Checks that the times agree. */
  public Worm {
    check("quiet time", quietSeconds);
    check("shortest retention", leastSeconds);
    check("default retention", defaultSeconds);
    check("longest retention", mostSeconds);
    if (leastSeconds > defaultSeconds || defaultSeconds > mostSeconds) {
      throw new IllegalArgumentException(
          "the default retention of "
              + defaultSeconds
              + " s is not between the shortest of "
              + leastSeconds
              + " s and the longest of "
              + mostSeconds
              + " s");
    }
    if (!on && (quietSeconds | mostSeconds) != 0) {
      throw new IllegalArgumentException("retention of a share that commits no files");
    }
  }

  private static void check(String what, long seconds) {
    if (seconds < 0 || seconds > MAX_SECONDS) {
      throw new IllegalArgumentException(
          what + " of " + seconds + " s, must be 0 to " + MAX_SECONDS);
    }
  }

  public Worm withQuietSeconds(long seconds) {
    return new Worm(on, seconds, defaultSeconds, leastSeconds, mostSeconds);
  }

  /** With other bounds and another default. */
  public Worm withRetention(long usual, long least, long most) {
    return new Worm(on, quietSeconds, usual, least, most);
  }
}
