package onefold.store.simulator;

import java.lang.management.ManagementFactory;

/**
 * Runs programs of one seed after another for some minutes, some at a time; each has a simulation
 * of its own, so that what one does is the same beside others as alone.
 *
 * <pre>{@code
 * java … onefold.store.simulator.SimulatorCampaign MINUTES FIRST_SEED [AT_A_TIME [COUNT]]
 * }</pre>
 *
 * <p>Prints a line with what has run every ten seconds and at the end, and the report of each
 * program that fails. With a count it ends after so many programs, if the time is not over before.
 * Ends with 1 if one failed, with 2 if it is not called right.
 */
public final class SimulatorCampaign {
  private static final long NANOS_PER_LINE = 10_000_000_000L;
  private static final int MAX_FAILURES = 10;

  private SimulatorCampaign() {}

  /** Runs it. */
  public static void main(String[] arguments) throws InterruptedException {
    var sum = new Sum(arguments);
    sum.runAll("programs-");
    System.out.println(sum.line());
    System.exit(sum.failures == 0 ? 0 : 1);
  }

  /** What this process has used in sum: the programs, the compiler and the collector. */
  static double processorSeconds() {
    return ManagementFactory.getOperatingSystemMXBean()
            instanceof com.sun.management.OperatingSystemMXBean system
        ? system.getProcessCpuTime() / 1e9
        : Double.NaN;
  }

  /** What has run. */
  private static final class Sum extends SeedCampaign {
    // Guarded by guard.
    private long lastLineNanos = System.nanoTime();
    private long programs;
    private long steps;
    private long cuts;
    private long refused;
    private long lacking;

    Sum(String[] arguments) {
      super(arguments, "SimulatorCampaign MINUTES FIRST_SEED [AT_A_TIME [COUNT]]", MAX_FAILURES);
    }

    @Override
    void run(long seed) {
      try {
        SimulatedProgram.Outcome outcome = new SimulatedProgram(seed).run();
        guard.lock();
        try {
          programs++;
          steps += outcome.stepCount();
          cuts += outcome.cutCount();
          refused += outcome.refusedCount();
          lacking += outcome.lackingCount();
          if (System.nanoTime() - lastLineNanos > NANOS_PER_LINE) {
            lastLineNanos = System.nanoTime();
            System.out.println(line());
          }
        } finally {
          guard.unlock();
        }
      } catch (AssertionError e) {
        guard.lock();
        try {
          programs++;
          failures++;
          System.out.println("FAILED " + seed);
          e.printStackTrace(System.out);
        } finally {
          guard.unlock();
        }
      }
    }

    String line() {
      return "seeds %d to %d: %d programs, %d steps, %d cuts, %d refusals, %d lacking, %d failed, %.1f/s, %.1f ms of processors each"
          .formatted(
              firstSeed,
              nextSeed - 1,
              programs,
              steps,
              cuts,
              refused,
              lacking,
              failures,
              programs / seconds(),
              processorSeconds() * 1e3 / Math.max(1, programs));
    }
  }
}
