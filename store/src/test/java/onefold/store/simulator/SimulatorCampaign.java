package onefold.store.simulator;

/**
 * Runs programs of one seed after another for some minutes.
 *
 * <pre>{@code
 * java … onefold.store.simulator.SimulatorCampaign MINUTES FIRST_SEED
 * }</pre>
 *
 * <p>Prints a line with what has run every ten seconds and at the end, and the report of each
 * program that fails. Ends with 1 if one failed, with 2 if it is not called right.
 */
public final class SimulatorCampaign {
  private static final long NANOS_PER_LINE = 10_000_000_000L;
  private static final int MAX_FAILURES = 10;

  private SimulatorCampaign() {}

  /** Runs it. */
  public static void main(String[] arguments) {
    if (arguments.length != 2) {
      System.err.println("usage: SimulatorCampaign MINUTES FIRST_SEED");
      System.exit(2);
    }
    System.exit(run(Double.parseDouble(arguments[0]), Long.parseLong(arguments[1])) == 0 ? 0 : 1);
  }

  private static int run(double minutes, long firstSeed) {
    long start = System.nanoTime();
    long end = start + (long) (minutes * 60e9);
    long lastLine = start;
    var sum = new Sum(firstSeed);
    while (System.nanoTime() < end && sum.failures < MAX_FAILURES) {
      sum.runNext();
      if (System.nanoTime() - lastLine > NANOS_PER_LINE) {
        lastLine = System.nanoTime();
        System.out.println(sum.line(lastLine - start));
      }
    }
    System.out.println(sum.line(System.nanoTime() - start));
    return sum.failures;
  }

  /** What has run. */
  private static final class Sum {
    private final long firstSeed;
    private long nextSeed;
    private long steps;
    private long cuts;
    private long refused;
    private long lacking;
    private int failures;

    Sum(long firstSeed) {
      this.firstSeed = firstSeed;
      this.nextSeed = firstSeed;
    }

    void runNext() {
      long seed = nextSeed++;
      try {
        SimulatedProgram.Outcome outcome = new SimulatedProgram(seed).run();
        steps += outcome.stepCount();
        cuts += outcome.cutCount();
        refused += outcome.refusedCount();
        lacking += outcome.lackingCount();
      } catch (AssertionError e) {
        failures++;
        System.out.println("FAILED " + seed);
        e.printStackTrace(System.out);
      }
    }

    String line(long nanos) {
      long programs = nextSeed - firstSeed;
      return "seeds %d to %d: %d programs, %d steps, %d cuts, %d refusals, %d lacking, %d failed, %.1f/s"
          .formatted(
              firstSeed,
              nextSeed - 1,
              programs,
              steps,
              cuts,
              refused,
              lacking,
              failures,
              programs / (nanos / 1e9));
    }
  }
}
