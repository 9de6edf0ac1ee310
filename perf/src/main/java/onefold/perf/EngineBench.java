package onefold.perf;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import onefold.store.ChunkStore;
import onefold.store.CommitMode;
import onefold.store.CommitRequest;
import onefold.store.Compression;
import onefold.store.Id;
import onefold.store.ItemRecord;
import onefold.store.ObjectReader;
import onefold.store.ObjectWriter;
import onefold.store.StoreRecord;
import onefold.store.device.FileDevice;
import onefold.store.engine.Engine;
import onefold.store.engine.EngineSettings;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.ThreadScheduler;

/**
 * The engine alone, in one process: unique data in, the same data again, and back out, beside the
 * bare pipeline of the same session. Each round gets data of its own; medians of the rounds.
 *
 * <p>Arguments: {@code DIR [--streams N] [--megabytes M] [--rounds R]}; the data directory is made
 * in DIR.
 */
public final class EngineBench {
  private EngineBench() {}

  public static void main(String[] arguments)
      throws IOException, InterruptedException, ExecutionException {
    Path folder = Path.of(arguments[0]);
    int streams = 1;
    int megabytes = 1024;
    int rounds = 3;
    for (int i = 1; i < arguments.length; i++) {
      switch (arguments[i]) {
        case "--streams" -> streams = Integer.parseInt(arguments[++i]);
        case "--megabytes" -> megabytes = Integer.parseInt(arguments[++i]);
        case "--rounds" -> rounds = Integer.parseInt(arguments[++i]);
        default -> throw new IllegalArgumentException(arguments[i]);
      }
    }
    Files.createDirectories(folder);
    try (Scheduler scheduler = new ThreadScheduler();
        ChunkStore store = Engine.open(new FileDevice(folder), scheduler, EngineSettings.DEFAULT);
        ExecutorService pool = Executors.newFixedThreadPool(streams)) {
      for (Compression compression : List.of(Compression.LZ4, Compression.ZSTD)) {
        run(store, pool, compression, streams, megabytes, rounds);
      }
    }
  }

  private static void run(
      ChunkStore store,
      ExecutorService pool,
      Compression compression,
      int streams,
      int megabytes,
      int rounds)
      throws IOException, InterruptedException, ExecutionException {
    StoreRecord target = store.findStore("default").orElseThrow();
    double[] unique = new double[rounds];
    double[] duplicate = new double[rounds];
    double[] restore = new double[rounds];
    // The first round warms up and is not counted.
    for (int round = -1; round < rounds; round++) {
      List<byte[]> data = new ArrayList<>();
      for (int s = 0; s < streams; s++) {
        long seed = 1000L * (round + 2L) + s + (compression == Compression.LZ4 ? 0 : 500);
        data.add(Corpus.made(Math.toIntExact(((long) megabytes / streams) << 20), seed));
      }
      String name = compression + "-" + round + "-";
      double first =
          timed(
              pool,
              streams,
              data,
              (bytes, s) -> ingest(store, target, name + "first-" + s, bytes, compression));
      double second =
          timed(
              pool,
              streams,
              data,
              (bytes, s) -> ingest(store, target, name + "second-" + s, bytes, compression));
      double back =
          timed(
              pool,
              streams,
              data,
              (bytes, s) -> restore(store, target, name + "second-" + s, bytes));
      if (round >= 0) {
        unique[round] = first;
        duplicate[round] = second;
        restore[round] = back;
      }
    }
    System.out.printf(
        Locale.ROOT,
        "%-5s %d streams: unique %6.0f MB/s   duplicate %6.0f MB/s   restore %6.0f MB/s%n",
        compression,
        streams,
        median(unique),
        median(duplicate),
        median(restore));
  }

  /** What one stream does. */
  private interface Work {
    void run(byte[] data, int stream) throws IOException;
  }

  private static double timed(ExecutorService pool, int streams, List<byte[]> data, Work work)
      throws InterruptedException, ExecutionException {
    long bytes = data.stream().mapToLong(d -> d.length).sum();
    long start = System.nanoTime();
    List<Future<?>> running = new ArrayList<>();
    for (int s = 0; s < streams; s++) {
      int stream = s;
      running.add(
          pool.submit(() -> {
            work.run(data.get(stream), stream);
            return null;
          }));
    }
    for (Future<?> task : running) {
      task.get();
    }
    return bytes / ((System.nanoTime() - start) / 1e9) / 1e6;
  }

  private static void ingest(
      ChunkStore store, StoreRecord target, String item, byte[] data, Compression compression)
      throws IOException {
    try (ObjectWriter writer = store.openWriter(target.id(), item, Optional.empty(), compression)) {
      for (int at = 0; at < data.length; at += 1 << 20) {
        writer.write(data, at, Math.min(1 << 20, data.length - at));
      }
      Id commandId = Id.random(new SplittableRandom(System.nanoTime()));
      writer.commit(new CommitRequest(commandId, CommitMode.IF_ABSENT, new TreeMap<>(), 0));
    }
  }

  private static void restore(ChunkStore store, StoreRecord target, String item, byte[] data)
      throws IOException {
    ItemRecord record = store.findItem(target.id(), item).orElseThrow();
    byte[] buffer = new byte[1 << 20];
    try (ObjectReader reader = store.openReader(target.domainId(), record.root())) {
      long at = 0;
      for (int read = reader.read(0, buffer, 0, buffer.length);
          read > 0;
          read = reader.read(at, buffer, 0, buffer.length)) {
        if (!Arrays.equals(buffer, 0, read, data, (int) at, (int) at + read)) {
          throw new IOException(item + " differs from what was written, near " + at);
        }
        at += read;
      }
      if (at != data.length) {
        throw new IOException(item + " ends at " + at + ", " + data.length + " were written");
      }
    }
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }
}
