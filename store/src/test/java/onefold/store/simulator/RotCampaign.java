package onefold.store.simulator;

import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.TreeMap;

/**
 * Damages data directories for some minutes: of each seed a directory, and a hundred damages to it,
 * one at a time.
 *
 * <pre>{@code
 * java … onefold.store.simulator.RotCampaign MINUTES FIRST_SEED [AT_A_TIME [SEEDS]]
 * }</pre>
 *
 * <p>Prints the outcomes and, for each that must not be, the seed and the number of the damage.
 * Ends with 1 if there was one, with 2 if it is not called right.
 */
public final class RotCampaign {
  private static final int DAMAGES_PER_SEED = 100;
  private static final int MAX_FAILURES = 20;

  private RotCampaign() {}

  /** Runs it. */
  public static void main(String[] arguments) throws InterruptedException {
    var sum = new Sum(arguments);
    sum.runAll("rot-");
    sum.print();
    System.exit(sum.failures == 0 ? 0 : 1);
  }

  /** What has run. */
  private static final class Sum extends SeedCampaign {
    // Guarded by guard.
    private final Map<BitRot.Outcome, Integer> outcomes = new EnumMap<>(BitRot.Outcome.class);
    private final Map<String, Integer> details = new TreeMap<>();

    Sum(String[] arguments) {
      super(arguments, "RotCampaign MINUTES FIRST_SEED [AT_A_TIME [SEEDS]]", MAX_FAILURES);
    }

    @Override
    void run(long seed) {
      try {
        var rot = new BitRot(seed, SimulatedProgram.ENGINE);
        for (int number = 0; number < DAMAGES_PER_SEED; number++) {
          try {
            rot.damage(number, EnumSet.allOf(BitRot.Place.class));
          } catch (AssertionError e) {
            failed(e);
          }
        }
        guard.lock();
        try {
          rot.outcomes().forEach((outcome, n) -> outcomes.merge(outcome, n, Integer::sum));
          rot.details().forEach((what, n) -> details.merge(what, n, Integer::sum));
        } finally {
          guard.unlock();
        }
      } catch (Exception | AssertionError e) {
        failed(new AssertionError("onefold.seed=" + seed + ", filling: " + e, e));
      }
    }

    private void failed(AssertionError e) {
      guard.lock();
      try {
        failures++;
        System.out.println("FAILED " + e.getMessage());
        e.printStackTrace(System.out);
      } finally {
        guard.unlock();
      }
    }

    void print() {
      details.forEach((what, n) -> System.out.println(n + " " + what));
      int done = outcomes.values().stream().mapToInt(Integer::intValue).sum() + failures;
      System.out.println(
          "seeds %d to %d: %d damages, %s, %d failed, %.1f/s, %.1f ms of processors each"
              .formatted(
                  firstSeed,
                  nextSeed - 1,
                  done,
                  outcomes,
                  failures,
                  done / seconds(),
                  SimulatorCampaign.processorSeconds() * 1e3 / Math.max(1, done)));
    }
  }
}
