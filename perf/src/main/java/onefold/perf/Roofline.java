package onefold.perf;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import onefold.block.BlockBuilder;
import onefold.block.BlockCodec;
import onefold.chunker.ChunkKind;
import onefold.chunker.Cutter;
import onefold.chunker.Fingerprint;
import onefold.chunker.Fingerprinter;
import onefold.chunker.ParameterSet;

/**
 * The bare pipeline of this machine: what cutting, fingerprinting and compressing alone cost, a
 * stream of its own a thread, nothing looked up and nothing written. Whatever is measured of the
 * engine in the same session is held against it.
 *
 * <p>Arguments: {@code [--threads N] [--seconds S] [PATH…]}; without a path the data are made.
 */
public final class Roofline {
  private static final int CORPUS_BYTES = 256 << 20;
  private static final int WINDOWS = 5;

  private Roofline() {}

  /** What is done to each byte. */
  enum Step {
    CUT,
    DUPLICATE,
    UNIQUE_LZ4,
    UNIQUE_ZSTD
  }

  public static void main(String[] arguments)
      throws IOException, InterruptedException, ExecutionException {
    int threads = Runtime.getRuntime().availableProcessors();
    double seconds = 1.5;
    List<Path> paths = new ArrayList<>();
    for (int i = 0; i < arguments.length; i++) {
      switch (arguments[i]) {
        case "--threads" -> threads = Integer.parseInt(arguments[++i]);
        case "--seconds" -> seconds = Double.parseDouble(arguments[++i]);
        default -> paths.add(Path.of(arguments[i]));
      }
    }
    byte[] corpus = paths.isEmpty() ? Corpus.made(CORPUS_BYTES, 1) : Corpus.of(paths, CORPUS_BYTES);
    System.out.printf(
        Locale.ROOT,
        "%d threads, corpus of %d MB, medians of %d windows of %.1f s%n",
        threads,
        corpus.length >> 20,
        WINDOWS,
        seconds);
    try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
      for (Step step : Step.values()) {
        measure(pool, threads, corpus, step, seconds);
        double[] wall = new double[WINDOWS];
        double[] core = new double[WINDOWS];
        for (int w = 0; w < WINDOWS; w++) {
          double[] rates = measure(pool, threads, corpus, step, seconds);
          wall[w] = rates[0];
          core[w] = rates[1];
        }
        Arrays.sort(wall);
        Arrays.sort(core);
        System.out.printf(
            Locale.ROOT,
            "%-12s %7.0f MB/s %7.0f MB per CPU s%n",
            step.name().toLowerCase(Locale.ROOT).replace('_', ' '),
            wall[WINDOWS / 2],
            core[WINDOWS / 2]);
      }
    }
  }

  /** Returns MB/s of wall time, and MB per CPU second. */
  private static double[] measure(
      ExecutorService pool, int threads, byte[] corpus, Step step, double seconds)
      throws InterruptedException, ExecutionException {
    long start = System.nanoTime();
    long until = start + (long) (seconds * 1e9);
    List<Future<long[]>> results = new ArrayList<>();
    for (int t = 0; t < threads; t++) {
      int from = (int) ((long) corpus.length * t / threads);
      Callable<long[]> task = () -> new Stream(corpus, from, step).runUntil(until);
      results.add(pool.submit(task));
    }
    long bytes = 0;
    long cpuNanos = 0;
    for (Future<long[]> result : results) {
      bytes += result.get()[0];
      cpuNanos += result.get()[1];
    }
    double wallSeconds = (System.nanoTime() - start) / 1e9;
    return new double[] {bytes / wallSeconds / 1e6, bytes / (cpuNanos / 1e9) / 1e6};
  }

  /** One thread's stream. */
  private static final class Stream {
    private static final int BATCH_BYTES = 1 << 20;

    private final byte[] corpus;
    private final Step step;
    private final Cutter cutter = Cutter.of(ParameterSet.SET_1);
    private final Fingerprinter fingerprinter = new Fingerprinter(ParameterSet.SET_1);
    private final int[] lengths = new int[4096];
    private final byte[] fingerprints = new byte[lengths.length * Fingerprint.BYTES];
    private int at;

    Stream(byte[] corpus, int from, Step step) {
      this.corpus = corpus;
      this.at = from;
      this.step = step;
    }

    long[] runUntil(long until) {
      var threads = ManagementFactory.getThreadMXBean();
      long cpuStart = threads.getCurrentThreadCpuTime();
      BlockCodec codec = step == Step.UNIQUE_ZSTD ? BlockCodec.ZSTD : BlockCodec.LZ4;
      long bytes = 0;
      try (BlockBuilder block =
          new BlockBuilder(ChunkKind.DATA, codec, BlockBuilder.INLINE_ZSTD_LEVEL)) {
        while (System.nanoTime() < until) {
          bytes += batch(block, codec);
        }
      }
      return new long[] {bytes, threads.getCurrentThreadCpuTime() - cpuStart};
    }

    private int batch(BlockBuilder block, BlockCodec codec) {
      int end = Math.min(corpus.length, at + BATCH_BYTES);
      int count = cutter.cut(corpus, at, end, true, lengths, 0);
      if (step != Step.CUT) {
        fingerprinter.fingerprint(corpus, at, lengths, 0, count, fingerprints, 0);
      }
      int chunkStart = at;
      if (step == Step.UNIQUE_LZ4 || step == Step.UNIQUE_ZSTD) {
        for (int i = 0; i < count; i++) {
          block.add(corpus, chunkStart, lengths[i]);
          chunkStart += lengths[i];
          if (block.rawBytes() >= codec.wishedRawBytes()) {
            block.encode();
            block.reset();
          }
        }
      }
      int done = end - at;
      at = end == corpus.length ? 0 : end;
      return done;
    }
  }
}
