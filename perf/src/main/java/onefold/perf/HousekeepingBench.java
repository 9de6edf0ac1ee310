package onefold.perf;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
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
import onefold.store.HousekeepingStatus;
import onefold.store.Id;
import onefold.store.ObjectWriter;
import onefold.store.StoreRecord;
import onefold.store.device.FileDevice;
import onefold.store.engine.Engine;
import onefold.store.engine.EngineSettings;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.ThreadScheduler;

/**
 * What housekeeping costs ingest, and what it frees meanwhile. Each round fills containers of which
 * a part is then dead, takes in unique data alone, and takes in as much again while a cycle runs.
 *
 * <p>Arguments: {@code DIR [--megabytes M] [--live PERCENT] [--rounds R]}; prints a line for each
 * round and the medians. The goal is at least 75 % of the throughput alone, and at least a quarter
 * of a byte freed for each that comes in.
 */
public final class HousekeepingBench {
  private static final int PIECE_BYTES = 1 << 20;

  private HousekeepingBench() {}

  public static void main(String[] arguments)
      throws IOException, InterruptedException, ExecutionException {
    Path folder = Path.of(arguments[0]);
    int megabytes = 512;
    int livePercent = 40;
    int rounds = 3;
    for (int i = 1; i < arguments.length; i++) {
      switch (arguments[i]) {
        case "--megabytes" -> megabytes = Integer.parseInt(arguments[++i]);
        case "--live" -> livePercent = Integer.parseInt(arguments[++i]);
        case "--rounds" -> rounds = Integer.parseInt(arguments[++i]);
        default -> throw new IllegalArgumentException(arguments[i]);
      }
    }
    Files.createDirectories(folder);
    EngineSettings settings = EngineSettings.DEFAULT.withBackgroundHousekeeping(false);
    double[] kept = new double[rounds];
    double[] freed = new double[rounds];
    try (Scheduler scheduler = new ThreadScheduler();
        ChunkStore store = Engine.open(new FileDevice(folder), scheduler, settings);
        ExecutorService other = Executors.newSingleThreadExecutor()) {
      StoreRecord target = store.findStore("default").orElseThrow();
      // The first round warms up and is not counted.
      for (int round = -1; round < rounds; round++) {
        long seed = 100L * (round + 2);
        garbage(store, target, megabytes, livePercent, seed);
        byte[] first = Corpus.made(Math.toIntExact((long) megabytes << 20), seed + 1);
        byte[] second = Corpus.made(Math.toIntExact((long) megabytes << 20), seed + 2);
        double alone = ingest(store, target, first, seed + 1);
        HousekeepingStatus before = store.housekeepingStatus(target.domainId());
        Future<HousekeepingStatus> cycle =
            other.submit(() -> store.runHousekeeping(target.domainId()));
        double beside = ingest(store, target, second, seed + 2);
        HousekeepingStatus then = store.housekeepingStatus(target.domainId());
        boolean whole = cycle.isDone();
        HousekeepingStatus after = cycle.get();
        double part =
            (double) (then.reclaimedBytes() - before.reclaimedBytes()) / ((long) megabytes << 20);
        System.out.printf(
            Locale.ROOT,
            "round %d: alone %5.0f MB/s, beside %5.0f MB/s (%3.0f %%), freed %.2f of what came"
                + " in%s; %d MB read and %d MB freed by copying, rested %d ms%n",
            round + 1,
            alone,
            beside,
            100 * beside / alone,
            part,
            whole ? " (all there was)" : "",
            (after.copyReadBytes() - before.copyReadBytes()) >> 20,
            (after.copyFreedBytes() - before.copyFreedBytes()) >> 20,
            after.restedMillis() - before.restedMillis());
        if (round >= 0) {
          kept[round] = beside / alone;
          freed[round] = part;
        }
      }
    }
    System.out.printf(
        Locale.ROOT,
        "median: %.0f %% of the throughput alone, %.2f bytes freed for each that came in%n",
        100 * median(kept),
        median(freed));
  }

  /** Stores data of which only a part is kept, in every container. */
  private static void garbage(
      ChunkStore store, StoreRecord target, int megabytes, int livePercent, long seed)
      throws IOException {
    byte[] all = Corpus.made(Math.toIntExact((long) megabytes << 20), seed);
    String dead = "dead-" + seed;
    try (ObjectWriter writer =
        store.openWriter(target.id(), dead, Optional.empty(), Compression.LZ4)) {
      for (int at = 0; at < all.length; at += PIECE_BYTES) {
        writer.write(all, at, PIECE_BYTES);
      }
      writer.commit(request());
    }
    try (ObjectWriter writer =
        store.openWriter(target.id(), "kept-" + seed, Optional.empty(), Compression.LZ4)) {
      int live = Math.toIntExact(10L * PIECE_BYTES * livePercent / 100);
      for (int at = 0; at + 10 * PIECE_BYTES <= all.length; at += 10 * PIECE_BYTES) {
        writer.write(all, at, live);
      }
      writer.commit(request());
    }
    store.deleteItem(Id.random(new SplittableRandom(seed)), target.id(), dead);
  }

  /** Takes in unique data; MB/s. */
  private static double ingest(ChunkStore store, StoreRecord target, byte[] data, long seed)
      throws IOException {
    long start = System.nanoTime();
    try (ObjectWriter writer =
        store.openWriter(target.id(), "item-" + seed, Optional.empty(), Compression.LZ4)) {
      for (int at = 0; at < data.length; at += PIECE_BYTES) {
        writer.write(data, at, PIECE_BYTES);
      }
      writer.commit(request());
    }
    double rate = data.length / ((System.nanoTime() - start) / 1e9) / 1e6;
    store.deleteItem(Id.random(new SplittableRandom(seed)), target.id(), "item-" + seed);
    return rate;
  }

  private static CommitRequest request() {
    Id commandId = Id.random(new SplittableRandom(System.nanoTime()));
    return new CommitRequest(commandId, CommitMode.IF_ABSENT, new TreeMap<>(), 0);
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }
}
