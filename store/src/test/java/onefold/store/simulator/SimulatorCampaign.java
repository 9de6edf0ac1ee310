package onefold.store.simulator;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.concurrent.locks.ReentrantLock;

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
    if (arguments.length < 2 || arguments.length > 4) {
      System.err.println("usage: SimulatorCampaign MINUTES FIRST_SEED [AT_A_TIME [COUNT]]");
      System.exit(2);
    }
    int atATime =
        arguments.length > 2
            ? Integer.parseInt(arguments[2])
            : Runtime.getRuntime().availableProcessors();
    long count = arguments.length > 3 ? Long.parseLong(arguments[3]) : Long.MAX_VALUE;
    var sum = new Sum(Double.parseDouble(arguments[0]), Long.parseLong(arguments[1]), count);
    var threads = new ArrayList<Thread>();
    for (int i = 0; i < atATime; i++) {
      threads.add(Thread.ofPlatform().name("programs-" + i).start(sum::runAll));
    }
    for (Thread thread : threads) {
      thread.join();
    }
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
  private static final class Sum {
    private final ReentrantLock guard = new ReentrantLock();
    private final long firstSeed;
    private final long count;
    private final long startNanos = System.nanoTime();
    private final long endNanos;
    private long nextSeed; // this and all below: guarded by guard
    private long lastLineNanos = startNanos;
    private long programs;
    private long steps;
    private long cuts;
    private long refused;
    private long lacking;
    private int failures;

    Sum(double minutes, long firstSeed, long count) {
      this.firstSeed = firstSeed;
      this.count = count;
      this.nextSeed = firstSeed;
      this.endNanos = startNanos + (long) (minutes * 60e9);
    }

    /** Runs programs until the time is over. */
    void runAll() {
      while (true) {
        long seed;
        guard.lock();
        try {
          if (System.nanoTime() >= endNanos
              || failures >= MAX_FAILURES
              || nextSeed - firstSeed >= count) {
            return;
          }
          seed = nextSeed++;
        } finally {
          guard.unlock();
        }
        run(seed);
      }
    }

    private void run(long seed) {
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
      double seconds = (System.nanoTime() - startNanos) / 1e9;
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
              programs / seconds,
              processorSeconds() * 1e3 / Math.max(1, programs));
    }
  }
}
