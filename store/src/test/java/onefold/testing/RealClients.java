package onefold.testing;

import java.io.File;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/**
 * The one place that decides what happens when a test needs a program that the machine does not
 * have: with {@code ONEFOLD_GATE=full} the test fails, else it is skipped and the end of the run
 * says how many were and what to install.
 */
public final class RealClients {
  private static final Map<String, Integer> ABSENT = new ConcurrentSkipListMap<>();

  static {
    Runtime.getRuntime().addShutdownHook(new Thread(RealClients::report));
  }

  private RealClients() {}

  /** Whether the long forms of tests run and a missing program fails. */
  public static boolean gateIsFull() {
    return "full".equals(System.getenv("ONEFOLD_GATE"));
  }

  /**
   * Goes on only if {@code program} can be run.
   *
   * @param program as it would be typed
   * @param debianPackage that brings it
   */
  public static void require(String program, String debianPackage) {
    boolean there =
        Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
            .anyMatch(folder -> new File(folder, program).canExecute());
    if (there) {
      return;
    }
    if (gateIsFull()) {
      Assertions.fail(
          program + " is not on this machine and ONEFOLD_GATE=full; install: " + debianPackage);
    }
    ABSENT.merge(debianPackage, 1, Integer::sum);
    Assumptions.abort(program + " is not on this machine; install: " + debianPackage);
  }

  private static void report() {
    if (!ABSENT.isEmpty()) {
      int skipped = ABSENT.values().stream().mapToInt(Integer::intValue).sum();
      System.out.println("skipped: " + skipped + ", install: " + String.join(" ", ABSENT.keySet()));
    }
  }
}
