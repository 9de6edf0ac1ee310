package onefold.store.simulator;

import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/** Runs the program of a seed once, for whoever has loaded this class with a broken engine. */
public final class JudgedProgram implements LongFunction<@Nullable String> {
  /** For the loader. */
  public JudgedProgram() {}

  /** Says how the program of a seed failed, or null if all was as it must be. */
  @Override
  public @Nullable String apply(long seed) {
    try {
      var _ = new SimulatedProgram(ProgramMaker.make(seed), SimulatedProgram.ENGINE).runOnce();
      return null;
    } catch (Exception | AssertionError | StackOverflowError failure) { // All of them count.
      return String.valueOf(failure);
    }
  }
}
