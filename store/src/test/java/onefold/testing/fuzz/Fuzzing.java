package onefold.testing.fuzz;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;

/** Holds a {@link FuzzTarget} to what it promises. */
public final class Fuzzing {
  /** A class that is loaded, or code that is compiled, meanwhile costs memory once. */
  private static final int ALLOCATION_TRIES = 4;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private Fuzzing() {}

  /**
   * Decodes an input as it is, and once more repaired.
   *
   * @param allowance what is allocated may be so many times the target's bound
   * @throws AssertionError if the decoder broke a promise; says with which bytes
   */
  public static void check(FuzzTarget target, byte[] input, int allowance) {
    checkOne(target, input, allowance);
    byte[] repaired;
    try {
      repaired = target.repaired(input.clone());
    } catch (RuntimeException e) {
      throw broken(target, input, "its repair failed: " + e, e);
    }
    checkOne(target, repaired, allowance);
  }

  private static void checkOne(FuzzTarget target, byte[] input, int allowance) {
    long bound = allowance * target.allocationBound(input.length);
    long least = Long.MAX_VALUE;
    for (int i = 0; i < ALLOCATION_TRIES && least > bound; i++) {
      byte[] own = input.clone();
      long before = THREADS.getCurrentThreadAllocatedBytes();
      try {
        target.decode(own);
      } catch (IOException | RuntimeException | Error e) { // judged by the target
        if (!target.isRefusal(e)) {
          throw broken(target, input, e.toString(), e);
        }
      }
      least = Math.min(least, THREADS.getCurrentThreadAllocatedBytes() - before);
    }
    if (least > bound) {
      throw broken(
          target,
          input,
          least + " bytes allocated for " + input.length + ", at most " + bound,
          new IllegalStateException("allocation"));
    }
  }

  private static AssertionError broken(
      FuzzTarget target, byte[] input, String what, Throwable cause) {
    return new AssertionError(
        target.name() + ": " + what + "; input " + HexFormat.of().formatHex(input), cause);
  }

  /** Returns the target's samples and its kept corpus: {@code fuzz/NAME.txt} of the resources. */
  public static List<byte[]> corpus(FuzzTarget target) throws IOException {
    List<byte[]> corpus = new ArrayList<>(target.samples());
    String file = "/fuzz/" + target.name() + ".txt";
    try (InputStream in = target.getClass().getResourceAsStream(file)) {
      if (in == null) {
        throw new IOException("there is no " + file);
      }
      for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList()) {
        if (!line.startsWith("#")) {
          corpus.add(HexFormat.of().parseHex(line));
        }
      }
    }
    return corpus;
  }

  /**
   * Checks that every sample is decoded, replays the kept corpus, then {@code count} mutations.
   *
   * @throws AssertionError if the decoder broke a promise; says with which seed and bytes
   */
  public static void run(FuzzTarget target, long seed, int count) throws IOException {
    for (byte[] sample : target.samples()) {
      target.decode(sample.clone());
    }
    List<byte[]> corpus = corpus(target);
    for (byte[] input : corpus) {
      check(target, input, 1);
    }
    var mutator = new Mutator(new SplittableRandom(seed), corpus);
    for (int i = 0; i < count; i++) {
      byte[] input = mutator.next();
      try {
        check(target, input, 1);
      } catch (AssertionError e) {
        throw new AssertionError(e.getMessage() + "; onefold.seed=" + seed, e);
      }
    }
  }
}
