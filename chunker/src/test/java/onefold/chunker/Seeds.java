package onefold.chunker;

import java.util.SplittableRandom;

/** The seed of a randomised test: {@code -Donefold.seed} if given, else new; always printed. */
public final class Seeds {
  private Seeds() {}

  /** Returns a random source and prints how to have the same one again. */
  public static SplittableRandom random() {
    String given = System.getProperty("onefold.seed", "");
    long seed = given.isEmpty() ? System.nanoTime() : Long.parseLong(given);
    System.out.println("onefold.seed=" + seed);
    return new SplittableRandom(seed);
  }
}
