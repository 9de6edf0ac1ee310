package onefold.appliance.cli;

/** What the program's exit codes mean. */
public final class Exit {
  /** Done. */
  public static final int DONE = 0;

  /** Failed; the message says why. */
  public static final int FAILED = 1;

  /** Misused, or could not start at all. */
  public static final int MISUSED = 2;

  /** Done with gaps, which were named. */
  public static final int GAPS = 3;

  private Exit() {}
}
