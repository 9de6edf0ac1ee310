package onefold.chunker;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * Prints how fast each form of the cut rule and FastCDC-2020 find borders, and how well they
 * deduplicate at equal mean. Arguments: files whose generations stand one behind another; without
 * arguments 64 MiB of random data.
 */
public final class BorderSearchFigures {
  private static final int MOST_BYTES = 256 << 20;
  private static final int ROUNDS = 9;

  /**
   * Borders are searched in pieces that a pipeline has just filled, so that they are in the cache.
   */
  private static final int PIECE_BYTES = 512 << 10;

  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  private BorderSearchFigures() {}

  /** Returns the length of the chunk that begins at an offset. */
  private interface Border {
    int firstChunk(byte[] source, int start, int end);
  }

  /** Mean length of the chunks and logical bytes to unique ones. */
  private record Deduplication(double meanBytes, double ratio) {}

  /** Prints one line a contestant and input. */
  public static void main(String[] files) throws IOException {
    if (files.length == 0) {
      byte[] random = new byte[64 << 20];
      new SplittableRandom(1).nextBytes(random);
      compare("random", random);
    }
    for (String file : files) {
      byte[] data = Files.readAllBytes(Path.of(file));
      compare(file, Arrays.copyOf(data, Math.min(data.length, MOST_BYTES)));
    }
  }

  private static void compare(String name, byte[] data) {
    CutRule rule = CutRule.of(ParameterSet.SET_1);
    double scalar = rate(data, CutterForm.SCALAR.cutter(rule));
    double plain = rate(data, CutterForm.PLAIN.cutter(rule));
    double vector = rate(data, CutterForm.VECTOR.cutter(rule));
    double contestant = rate(data, new FastCdc2020(8192)::firstChunk);
    int[] length = new int[1];
    Cutter cutter = CutterForm.SCALAR.cutter(rule);
    Deduplication own =
        deduplication(
            data,
            (source, start, end) -> {
              cutter.cut(source, start, end, true, length, 0);
              return length[0];
            });
    // The contestant's mean grows with the length from which its loose mask counts.
    int low = 2_048;
    int high = 32_768;
    while (high - low > 64) {
      int middle = (low + high) / 4 * 2;
      if (deduplication(data, new FastCdc2020(middle)::firstChunk).meanBytes() < own.meanBytes()) {
        low = middle;
      } else {
        high = middle;
      }
    }
    Deduplication other = deduplication(data, new FastCdc2020(high)::firstChunk);
    System.out.printf(
        "%s: %d-bit vectors %.2f, plain Java %.2f, scalar %.2f, FastCDC-2020 %.2f GB/s of CPU time"
            + " (%.2f, %.2f, %.2f x); mean %.0f and %.0f bytes, ratio %.4f and %.4f (%+.1f %%)%n",
        name,
        VectorCutter.vectorBits(),
        vector,
        plain,
        scalar,
        contestant,
        vector / contestant,
        plain / contestant,
        scalar / contestant,
        own.meanBytes(),
        other.meanBytes(),
        own.ratio(),
        other.ratio(),
        100 * (own.ratio() / other.ratio() - 1));
  }

  private static double rate(byte[] data, Cutter cutter) {
    int[] length = new int[1];
    return rate(
        data,
        (source, start, end) -> {
          cutter.cut(source, start, end, true, length, 0);
          return length[0];
        });
  }

  /** Returns GB per second of this thread's CPU time, the median of the rounds. */
  private static double rate(byte[] data, Border border) {
    double[] rates = new double[ROUNDS];
    byte[] piece = new byte[PIECE_BYTES];
    round(data, piece, border);
    for (int i = 0; i < ROUNDS; i++) {
      rates[i] = data.length / (double) round(data, piece, border);
    }
    Arrays.sort(rates);
    return rates[ROUNDS / 2];
  }

  /** Returns the CPU nanoseconds that one search of all the data takes, copies not counted. */
  private static long round(byte[] data, byte[] piece, Border border) {
    long nanos = 0;
    for (int from = 0; from < data.length; from += piece.length) {
      int end = Math.min(piece.length, data.length - from);
      System.arraycopy(data, from, piece, 0, end);
      long before = THREADS.getCurrentThreadCpuTime();
      int start = 0;
      while (start < end) {
        start += border.firstChunk(piece, start, end);
      }
      nanos += THREADS.getCurrentThreadCpuTime() - before;
    }
    return nanos;
  }

  private static Deduplication deduplication(byte[] data, Border border) {
    Fingerprinter fingerprinter = new Fingerprinter(ParameterSet.SET_1);
    Set<Fingerprint> seen = new HashSet<>();
    long unique = 0;
    int count = 0;
    int start = 0;
    while (start < data.length) {
      int length = border.firstChunk(data, start, data.length);
      if (seen.add(fingerprinter.fingerprint(data, start, length))) {
        unique += length;
      }
      count++;
      start += length;
    }
    return new Deduplication((double) data.length / count, (double) data.length / unique);
  }
}
