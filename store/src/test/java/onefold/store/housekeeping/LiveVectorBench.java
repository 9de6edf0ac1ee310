package onefold.store.housekeeping;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.SplittableRandom;
import onefold.chunker.Fingerprint;

/** Builds live vectors and marks in random order. Arguments: numbers of chunks. */
public final class LiveVectorBench {
  private static final int BATCH = 4096;
  private static final long MIX = 0x9e3779b97f4a7c15L;

  private LiveVectorBench() {}

  /** Runs the bench. */
  public static void main(String[] arguments) throws IOException {
    for (String argument : arguments) {
      run((long) Double.parseDouble(argument));
    }
  }

  private static void run(long keys) throws IOException {
    long start = cpuNanos();
    try (var live =
        LiveVector.build(
            (first, last, sink) -> {
              byte[] batch = new byte[BATCH * Fingerprint.BYTES];
              for (long key = 0; key < keys; key += BATCH) {
                int count = (int) Math.min(BATCH, keys - key);
                for (int i = 0; i < count; i++) {
                  put(key + i, batch, i * Fingerprint.BYTES);
                }
                sink.fingerprints(batch, count);
              }
            },
            keys,
            256 << 20,
            false,
            new SplittableRandom(1))) {
      double build = keys * 1e9 / (cpuNanos() - start);
      var random = new SplittableRandom(2);
      byte[] batch = new byte[BATCH * Fingerprint.BYTES];
      long marks = Math.max(4_000_000, keys);
      for (int round = 0; round < 2; round++) {
        long spent = 0;
        for (long done = 0; done < marks; done += BATCH) {
          for (int i = 0; i < BATCH; i++) {
            put(random.nextLong(keys), batch, i * Fingerprint.BYTES);
          }
          long before = System.nanoTime();
          live.markAll(batch, BATCH);
          spent += System.nanoTime() - before;
        }
        System.out.printf(
            "%d chunks: built %.1f M a CPU second, %.3f bytes a chunk, marked %.1f M a second%n",
            keys, build / 1e6, live.memoryBytes() / (double) keys, marks * 1e3 / spent);
      }
    }
  }

  private static void put(long key, byte[] target, int offset) {
    long word = (key + 1) * MIX;
    long second = (word ^ word >>> 31) * 0xbf58476d1ce4e5b9L;
    new Fingerprint((second ^ second >>> 29) * MIX, second, word, key).writeTo(target, offset);
  }

  private static long cpuNanos() {
    var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    return system.getProcessCpuTime();
  }
}
