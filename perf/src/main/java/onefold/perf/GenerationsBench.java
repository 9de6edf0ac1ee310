package onefold.perf;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import onefold.store.ChunkStore;
import onefold.store.CommitMode;
import onefold.store.CommitRequest;
import onefold.store.Compression;
import onefold.store.Id;
import onefold.store.ItemRecord;
import onefold.store.ObjectReader;
import onefold.store.ObjectWriter;
import onefold.store.StoreRecord;
import onefold.store.StoredChunks;
import onefold.store.device.FileDevice;
import onefold.store.engine.Engine;
import onefold.store.engine.EngineSettings;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.ThreadScheduler;

/**
 * What the age of a store costs a restore: the newest of many generations, in each of which 2 % of
 * the bytes change in runs of 64 KiB, beside a first one that lies alone in a store of its own.
 * Each restore begins with a cold cache and an engine that has just been opened; in turns, medians.
 *
 * <p>Arguments: {@code DIR [--megabytes M] [--generations G] [--rounds R]}; what DIR holds already
 * is used again. Restores are timed by the plain reader, which the NAS, tape and high-bandwidth
 * doors use; the block reads of both that and the walk over stored blocks, which the Catalyst door
 * uses, are counted, each against how many different blocks there are. The goal is 0.75 of the
 * speed and at most 1.1 decodes of each block.
 */
public final class GenerationsBench {
  private static final int PIECE_BYTES = 1 << 20;
  private static final int RUN_BYTES = 64 << 10;
  private static final double CHANGED = 0.02;

  private GenerationsBench() {}

  /** What one restore took. */
  private record Restore(
      double seconds, double cpuSeconds, long bytes, double readsPerBlock, int blocks) {
    double rate() {
      return bytes / seconds / 1e6;
    }

    double ratePerCpu() {
      return bytes / cpuSeconds / 1e6;
    }
  }

  public static void main(String[] arguments) throws IOException, InterruptedException {
    Path folder = Path.of(arguments[0]);
    int megabytes = 1024;
    int generations = 60;
    int rounds = 3;
    for (int i = 1; i < arguments.length; i++) {
      switch (arguments[i]) {
        case "--megabytes" -> megabytes = Integer.parseInt(arguments[++i]);
        case "--generations" -> generations = Integer.parseInt(arguments[++i]);
        case "--rounds" -> rounds = Integer.parseInt(arguments[++i]);
        default -> throw new IllegalArgumentException(arguments[i]);
      }
    }
    Path lone = folder.resolve("lone");
    Path old = folder.resolve("old");
    try (Scheduler scheduler = new ThreadScheduler()) {
      fill(scheduler, lone, megabytes, 1);
      fill(scheduler, old, megabytes, generations);
      double[] ratios = new double[rounds];
      double[] cpuRatios = new double[rounds];
      // The first round warms up and is not counted.
      for (int round = -1; round < rounds; round++) {
        Restore first = restore(scheduler, lone, name(1));
        Restore newest = restore(scheduler, old, name(generations));
        System.out.printf(
            Locale.ROOT,
            "round %d: first alone %5.0f MB/s (%.0f a CPU second), %.3f reads of each of %d"
                + " blocks; generation %d %5.0f MB/s (%.0f): %.2f (%.2f) of it, %.3f reads of each"
                + " of %d blocks%n",
            round + 1,
            first.rate(),
            first.ratePerCpu(),
            first.readsPerBlock(),
            first.blocks(),
            generations,
            newest.rate(),
            newest.ratePerCpu(),
            newest.rate() / first.rate(),
            newest.ratePerCpu() / first.ratePerCpu(),
            newest.readsPerBlock(),
            newest.blocks());
        if (round >= 0) {
          ratios[round] = newest.rate() / first.rate();
          cpuRatios[round] = newest.ratePerCpu() / first.ratePerCpu();
        }
      }
      Arrays.sort(ratios);
      Arrays.sort(cpuRatios);
      System.out.printf(
          Locale.ROOT,
          "medians: %.2f of the speed of a first one by the clock, %.2f a CPU second; over stored"
              + " blocks %.3f sent of each%n",
          ratios[rounds / 2],
          cpuRatios[rounds / 2],
          storedPerBlock(scheduler, old, name(generations)));
    }
  }

  private static String name(int generation) {
    return "generation-" + generation;
  }

  /** Makes the generations that are not there yet. */
  private static void fill(Scheduler scheduler, Path folder, int megabytes, int generations)
      throws IOException {
    Files.createDirectories(folder);
    byte[] data = Corpus.made(Math.multiplyExact(megabytes, 1 << 20), 7);
    try (ChunkStore store = open(scheduler, new CountingDevice(new FileDevice(folder)))) {
      StoreRecord target = store.findStore(Engine.DEFAULT_NAME).orElseThrow();
      for (int generation = 1; generation <= generations; generation++) {
        if (generation > 1) {
          change(data, generation);
        }
        if (store.findItem(target.id(), name(generation)).isPresent()) {
          continue;
        }
        Id commandId = Id.random(new SplittableRandom(generation));
        try (ObjectWriter writer =
            store.openWriter(target.id(), name(generation), Optional.empty(), Compression.LZ4)) {
          for (int at = 0; at < data.length; at += PIECE_BYTES) {
            writer.write(data, at, PIECE_BYTES);
          }
          writer.commit(new CommitRequest(commandId, CommitMode.IF_ABSENT, new TreeMap<>(), 0));
        }
      }
    }
  }

  private static void change(byte[] data, int generation) {
    SplittableRandom random = new SplittableRandom(1000 + generation);
    int runs = (int) Math.round(CHANGED * data.length / RUN_BYTES);
    byte[] fresh = Corpus.made(runs * RUN_BYTES, 5000L + generation);
    for (int run = 0; run < runs; run++) {
      int at = random.nextInt(data.length - RUN_BYTES);
      System.arraycopy(fresh, run * RUN_BYTES, data, at, RUN_BYTES);
    }
  }

  private static ChunkStore open(Scheduler scheduler, CountingDevice device) throws IOException {
    return Engine.open(device, scheduler, EngineSettings.DEFAULT.withBackgroundHousekeeping(false));
  }

  private static Restore restore(Scheduler scheduler, Path folder, String name)
      throws IOException, InterruptedException {
    CountingDevice device = new CountingDevice(new FileDevice(folder));
    try (ChunkStore store = open(scheduler, device)) {
      StoreRecord target = store.findStore(Engine.DEFAULT_NAME).orElseThrow();
      ItemRecord item = store.findItem(target.id(), name).orElseThrow();
      if (!ColdCache.drop()) {
        System.out.println("note: the page cache may not be dropped here");
      }
      device.countBlocks();
      byte[] piece = new byte[PIECE_BYTES];
      long start = System.nanoTime();
      long startCpu = cpuNanos();
      long done = 0;
      try (ObjectReader reader = store.openReader(target.domainId(), item.root())) {
        for (int read; (read = reader.read(done, piece, 0, piece.length)) > 0; ) {
          done += read;
        }
      }
      double seconds = (System.nanoTime() - start) / 1e9;
      double cpuSeconds = (cpuNanos() - startCpu) / 1e9;
      if (done != item.root().lengthBytes()) {
        throw new IOException(name + ": " + done + " of " + item.root().lengthBytes() + " bytes");
      }
      return new Restore(
          seconds,
          cpuSeconds,
          done,
          (double) device.blockReadCount() / Math.max(1, device.blockCount()),
          device.blockCount());
    }
  }

  private static long cpuNanos() {
    return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }

  /** How often a block goes over the wire to a client that restores an item. */
  private static double storedPerBlock(Scheduler scheduler, Path folder, String name)
      throws IOException {
    CountingDevice device = new CountingDevice(new FileDevice(folder));
    try (ChunkStore store = open(scheduler, device)) {
      StoreRecord target = store.findStore(Engine.DEFAULT_NAME).orElseThrow();
      ItemRecord item = store.findItem(target.id(), name).orElseThrow();
      device.countBlocks();
      long sent = 0;
      try (ObjectReader reader = store.openReader(target.domainId(), item.root());
          StoredChunks walk = reader.storedChunks(0, item.root().lengthBytes())) {
        for (boolean more = true; more; ) {
          switch (walk.next()) {
            case StoredChunks.Step.Block _ -> sent++;
            case StoredChunks.Step.End _ -> more = false;
            case StoredChunks.Step.Extent _, StoredChunks.Step.Zeros _ -> {}
          }
        }
      }
      return (double) sent / Math.max(1, device.blockCount());
    }
  }
}
