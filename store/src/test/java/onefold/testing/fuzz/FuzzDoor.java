package onefold.testing.fuzz;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where a coverage-guided fuzzer enters: Jazzer calls the two methods by their names. See {@code
 * .ci/fuzz} for how it is started, and docs/decisions/0087-fuzzer.md.
 */
public final class FuzzDoor {
  /** The fuzzer's own hooks on comparisons allocate on the same thread: 256 bytes and more each. */
  private static final int HOOKS_ALLOWANCE = 16;

  private static @Nullable FuzzTarget target;

  private FuzzDoor() {}

  /** Takes the class name of the target. */
  public static void fuzzerInitialize(String[] arguments) throws ReflectiveOperationException {
    target = target(arguments[0]);
  }

  /** Checks one input. */
  public static void fuzzerTestOneInput(byte[] input) {
    FuzzTarget now = target;
    if (now == null) {
      throw new IllegalStateException("no target was named");
    }
    Fuzzing.check(now, input, HOOKS_ALLOWANCE);
  }

  private static FuzzTarget target(String className) throws ReflectiveOperationException {
    return Class.forName(className).asSubclass(FuzzTarget.class).getConstructor().newInstance();
  }

  /**
   * Writes samples and kept corpus of targets as files: {@code DIR CLASS…} makes {@code
   * DIR/NAME/0.bin} and so on, and prints {@code NAME CLASS}.
   */
  public static void main(String[] arguments) throws IOException, ReflectiveOperationException {
    for (int i = 1; i < arguments.length; i++) {
      FuzzTarget named = target(arguments[i]);
      Path folder = Files.createDirectories(Path.of(arguments[0], named.name()));
      List<byte[]> corpus = Fuzzing.corpus(named);
      for (int n = 0; n < corpus.size(); n++) {
        Files.write(folder.resolve(n + ".bin"), corpus.get(n));
      }
      System.out.println(named.name() + " " + arguments[i]);
    }
  }
}
