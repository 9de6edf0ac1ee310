package onefold.store.simulator;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/**
 * The judge judged: for each engine that is broken on purpose, how many programs it takes until one
 * fails.
 *
 * <pre>{@code
 * java … onefold.store.simulator.JudgeCampaign MINUTES FIRST_SEED [AT_A_TIME [PROGRAMS [NAME...]]]
 * }</pre>
 *
 * <p>Prints a line for each engine: found or not, the programs and seconds it took, and how the
 * program failed; or how the test did that its patch names. When the minutes are over no other one
 * is begun. Ends with 1 if fewer than 95 % were found, with 2 if it is not called right.
 */
public final class JudgeCampaign {
  /** What a minute holds at the speed that the simulator is meant to have, 150 a second. */
  static final int PROGRAMS = 9_000;

  /** A program that has not ended by then hangs. */
  private static final long HANGING_SECONDS = 120;

  private static final double FOUND_SHARE = 0.95;
  private static final int SHOWN_CHARS = 150;

  private JudgeCampaign() {}

  /**
   * What came of one variant.
   *
   * @param processorSeconds what the process has used meanwhile, compiler and loading included
   * @param failure how the first program failed, or null if none did
   */
  record Verdict(
      Variant variant,
      long programs,
      double seconds,
      double processorSeconds,
      @Nullable String failure) {
    boolean found() {
      return failure != null;
    }

    @Override
    public String toString() {
      String how = failure == null ? "" : failure.replaceAll("\\s+", " ");
      return "%-9s %-42s %5d programs %6.1f s %6.1f s of processors  %s"
          .formatted(
              found() ? "found" : "NOT FOUND",
              variant.name(),
              programs,
              seconds,
              processorSeconds,
              how.substring(0, Math.min(how.length(), SHOWN_CHARS)));
    }
  }

  /** Runs it. */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    if (arguments.length < 2) {
      System.err.println(
          "usage: JudgeCampaign MINUTES FIRST_SEED [AT_A_TIME [PROGRAMS [NAME...]]]");
      System.exit(2);
    }
    long endNanos = System.nanoTime() + (long) (Double.parseDouble(arguments[0]) * 60e9);
    long seed = Long.parseLong(arguments[1]);
    int atATime =
        arguments.length > 2
            ? Integer.parseInt(arguments[2])
            : Runtime.getRuntime().availableProcessors();
    int programs = arguments.length > 3 ? Integer.parseInt(arguments[3]) : PROGRAMS;
    List<String> names =
        List.of(arguments).subList(Math.min(4, arguments.length), arguments.length);
    int found = 0;
    int judged = 0;
    long most = 1;
    for (Variant variant : Variant.all()) {
      if (System.nanoTime() < endNanos && (names.isEmpty() || names.contains(variant.name()))) {
        Verdict verdict = judge(variant, seed, atATime, programs);
        System.out.println(verdict);
        judged++;
        found += verdict.found() ? 1 : 0;
        most = Math.max(most, verdict.programs());
      }
    }
    System.out.printf(
        "seeds %d to %d: %d engines, %d found%n", seed, seed + most - 1, judged, found);
    System.exit(found >= FOUND_SHARE * judged && judged > 0 ? 0 : 1);
  }

  /** Runs programs against a variant until one fails, or so many have not; or the test it names. */
  static Verdict judge(Variant variant, long firstSeed, int atATime, int programs)
      throws IOException, InterruptedException {
    long startNanos = System.nanoTime();
    double startProcessorSeconds = SimulatorCampaign.processorSeconds();
    if (!variant.test().isEmpty()) {
      String failed = BrokenEngine.test(variant);
      return new Verdict(
          variant,
          0,
          (System.nanoTime() - startNanos) / 1e9,
          SimulatorCampaign.processorSeconds() - startProcessorSeconds,
          failed == null ? null : variant.test() + ": " + failed);
    }
    LongFunction<@Nullable String> run = BrokenEngine.programs(variant);
    var next = new AtomicLong();
    var failure = new AtomicReference<@Nullable String>();
    var done = new CountDownLatch(atATime);
    var begunNanos = new ArrayList<AtomicLong>();
    for (int i = 0; i < atATime; i++) {
      var begun = new AtomicLong(System.nanoTime());
      begunNanos.add(begun);
      Thread.ofPlatform()
          .daemon()
          .name("judged-" + i)
          .start(() -> {
            long number;
            while (failure.get() == null && (number = next.getAndIncrement()) < programs) {
              begun.set(System.nanoTime());
              String failed = run.apply(firstSeed + number);
              if (failed != null) {
                failure.compareAndSet(null, "seed " + (firstSeed + number) + ": " + failed);
              }
            }
            begun.set(Long.MAX_VALUE);
            done.countDown();
          });
    }
    while (!done.await(1, TimeUnit.SECONDS)) {
      for (AtomicLong begun : begunNanos) {
        if (begun.get() != Long.MAX_VALUE
            && System.nanoTime() - begun.get() > HANGING_SECONDS * 1_000_000_000L) {
          failure.compareAndSet(null, "a program hangs");
          done.countDown();
        }
      }
    }
    return new Verdict(
        variant,
        Math.min(next.get(), programs),
        (System.nanoTime() - startNanos) / 1e9,
        SimulatorCampaign.processorSeconds() - startProcessorSeconds,
        failure.get());
  }
}
