package onefold.perf;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
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
import java.util.stream.Stream;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;
import onefold.store.ChunkStore;
import onefold.store.CommitMode;
import onefold.store.CommitRequest;
import onefold.store.Compression;
import onefold.store.Id;
import onefold.store.ItemRecord;
import onefold.store.ObjectReader;
import onefold.store.ObjectWriter;
import onefold.store.StoreRecord;
import onefold.store.device.Device;
import onefold.store.device.FileDevice;
import onefold.store.engine.Engine;
import onefold.store.engine.EngineSettings;
import onefold.store.index.ChunkIndex;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.ThreadScheduler;

/**
 * How long a start takes after a crash, with the metadata of a store of a terabyte.
 *
 * <p>{@code RecoveryBench make DIR [--gigabytes G] [--items N]} makes such a data directory: a real
 * catalog with N items, a real index with an entry for each chunk of 8 KiB and each leaf node of G
 * gigabytes, and a file for each container that those fill. The files are holes and nothing else,
 * so that a start that looks into one of them finds it damaged. {@code RecoveryBench run DIR
 * [--tails A,B,…]} then, for each of these megabytes, takes in unique data in a process of its own,
 * which ends as by kill -9, drops the page cache, and opens the directory in a new process:
 * seconds, files opened, containers among them, megabytes read. What was acknowledged last is read
 * back. The goal is 10 seconds, whatever the size, and more only with what was written since the
 * index went to disk.
 */
public final class RecoveryBench {
  private static final int CONTAINER_BYTES = 64 << 20;
  private static final int CHUNK_BYTES = 8 << 10;
  private static final int CHUNKS_PER_NODE = 128;
  private static final int NODE_BYTES = 4608;
  private static final int BATCH = 1024;
  private static final int COMMITTERS = 16;
  private static final int TAIL_ITEM_BYTES = 32 << 20;
  private static final String DATA = "data";

  private RecoveryBench() {}

  public static void main(String[] arguments)
      throws IOException, InterruptedException, ExecutionException {
    Path folder = Path.of(arguments[1]);
    int gigabytes = 1000;
    int items = 20_000;
    String tails = "0,256,1024,4096";
    for (int i = 2; i < arguments.length; i++) {
      switch (arguments[i]) {
        case "--gigabytes" -> gigabytes = Integer.parseInt(arguments[++i]);
        case "--items" -> items = Integer.parseInt(arguments[++i]);
        case "--tails" -> tails = arguments[++i];
        default -> throw new IllegalArgumentException(arguments[i]);
      }
    }
    switch (arguments[0]) {
      case "make" -> make(folder, gigabytes, items);
      case "run" -> run(folder, tails);
      case "fill" -> fill(folder, Integer.parseInt(tails));
      case "open" -> open(folder);
      default -> throw new IllegalArgumentException(arguments[0]);
    }
  }

  // ---- making

  private static void make(Path folder, int gigabytes, int items)
      throws IOException, InterruptedException, ExecutionException {
    Files.createDirectories(folder);
    Path domain;
    try (Scheduler scheduler = new ThreadScheduler();
        ChunkStore store = engine(new FileDevice(folder), scheduler);
        ExecutorService committers = Executors.newFixedThreadPool(COMMITTERS)) {
      StoreRecord target = store.findStore(Engine.DEFAULT_NAME).orElseThrow();
      domain = folder.resolve("domains").resolve(target.domainId().toString());
      List<Future<?>> done = new ArrayList<>();
      for (int committer = 0; committer < COMMITTERS; committer++) {
        int first = committer;
        done.add(
            committers.submit(() -> {
              for (int item = first; item < items; item += COMMITTERS) {
                byte[] content = new byte[64];
                new SplittableRandom(item).nextBytes(content);
                put(store, target, "host-" + item % 100 + "/image-" + item, content);
              }
              return null;
            }));
      }
      for (Future<?> one : done) {
        one.get();
      }
    }
    long chunks = gigabytes * 1_000_000_000L / CHUNK_BYTES;
    long first = 1 + newestNumber(domain);
    try (Scheduler scheduler = new ThreadScheduler();
        ChunkIndex index =
            ChunkIndex.open(
                new FileDevice(domain),
                scheduler,
                "index",
                EngineSettings.DEFAULT.index(),
                what -> {
                  throw new IllegalStateException(what);
                })) {
      long next = publish(index, domain, ChunkKind.DATA, first, chunks, CHUNK_BYTES);
      publish(index, domain, ChunkKind.NODE, next, chunks / CHUNKS_PER_NODE, NODE_BYTES);
      index.checkpoint();
      index.settle();
      System.out.println("made: " + items + " items, index " + index.statistics());
    }
  }

  /** Publishes made entries, and makes the files; returns the number after the last container. */
  private static long publish(
      ChunkIndex index, Path domain, ChunkKind kind, long first, long chunks, int chunkBytes)
      throws IOException {
    Path containers = domain.resolve(kind == ChunkKind.DATA ? DATA : "node");
    String sample;
    try (Stream<Path> files = Files.list(containers)) {
      sample =
          files
              .map(file -> file.getFileName().toString())
              .filter(file -> file.endsWith(".container"))
              .findFirst()
              .orElseThrow();
    }
    String ending = sample.substring(sample.indexOf('-'));
    int perContainer = CONTAINER_BYTES / chunkBytes;
    FingerprintBatch batch = new FingerprintBatch(kind, BATCH);
    SplittableRandom random = new SplittableRandom(first);
    byte[] fingerprint = new byte[Fingerprint.BYTES];
    long number = first;
    for (long made = 0; made < chunks; number++) {
      int inContainer = (int) Math.min(perContainer, chunks - made);
      for (int slot = 0; slot < inContainer; slot += batch.count()) {
        batch.clear();
        for (int i = 0; i < Math.min(BATCH, inContainer - slot); i++) {
          random.nextBytes(fingerprint);
          batch.add(fingerprint, 0, chunkBytes);
        }
        index.publish(number, kind, slot, batch);
      }
      index.sealed(number);
      made += inContainer;
      Path file = containers.resolve(String.format(Locale.ROOT, "%016x%s", number, ending));
      try (RandomAccessFile hole = new RandomAccessFile(file.toFile(), "rw")) {
        hole.setLength(CONTAINER_BYTES);
      }
    }
    System.out.println((number - first) + " containers with " + chunks + " chunks of " + kind);
    return number;
  }

  private static long newestNumber(Path domain) throws IOException {
    long newest = 0;
    for (String kind : List.of(DATA, "node")) {
      try (Stream<Path> files = Files.list(domain.resolve(kind))) {
        for (Path file : files.toList()) {
          newest = Math.max(newest, Long.parseLong(file.getFileName().toString(), 0, 16, 16));
        }
      }
    }
    return newest;
  }

  private static ItemRecord put(ChunkStore store, StoreRecord target, String name, byte[] content)
      throws IOException {
    try (ObjectWriter writer =
        store.openWriter(target.id(), name, Optional.empty(), Compression.LZ4)) {
      for (int at = 0; at < content.length; at += 1 << 20) {
        writer.write(content, at, Math.min(1 << 20, content.length - at));
      }
      Id commandId = Id.random(new SplittableRandom(System.nanoTime() ^ name.hashCode()));
      return writer.commit(new CommitRequest(commandId, CommitMode.IF_ABSENT, new TreeMap<>(), 0));
    }
  }

  private static ChunkStore engine(Device device, Scheduler scheduler) throws IOException {
    return Engine.open(device, scheduler, EngineSettings.DEFAULT.withBackgroundHousekeeping(false));
  }

  // ---- measuring

  private static void run(Path folder, String tails) throws IOException, InterruptedException {
    long sum = 0;
    for (String tail : tails.split(",", -1)) {
      sum += Long.parseLong(tail);
      child("fill", folder.toString(), "--tails", tail);
      boolean cold = ColdCache.drop();
      System.out.printf(
          Locale.ROOT,
          "%5d MB more, %5d MB since it was made, %s cache: ",
          Long.parseLong(tail),
          sum,
          cold ? "cold" : "WARM");
      System.out.flush();
      child("open", folder.toString());
    }
  }

  private static void child(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(ProcessHandle.current().info().command().orElseThrow());
    command.addAll(
        List.of(
            "--add-modules",
            "jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-cp",
            System.getProperty("java.class.path"),
            RecoveryBench.class.getName()));
    command.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(ProcessBuilder.Redirect.INHERIT)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    if (process.waitFor() != 0) {
      throw new IOException(arguments[0] + " ended with " + process.exitValue());
    }
  }

  /** Takes in unique data and ends in the middle of it, as a killed process does. */
  private static void fill(Path folder, int megabytes) throws IOException {
    try (Scheduler scheduler = new ThreadScheduler();
        ChunkStore store = engine(new FileDevice(folder), scheduler)) {
      StoreRecord target = store.findStore(Engine.DEFAULT_NAME).orElseThrow();
      long done = 0;
      do {
        int length = (int) Math.min(TAIL_ITEM_BYTES, ((long) megabytes << 20) - done);
        long seed = System.nanoTime();
        byte[] content = Corpus.made(Math.max(1, length), seed);
        put(store, target, "tail", content, seed);
        done += length;
      } while (done < (long) megabytes << 20);
      Runtime.getRuntime().halt(0);
    }
  }

  /** Stores an item whose name says what it must be when it is read back. */
  private static void put(
      ChunkStore store, StoreRecord target, String name, byte[] content, long seed)
      throws IOException {
    put(store, target, name + "/" + seed + "/" + content.length, content);
    // Where the process that opens finds what was acknowledged last.
    try (ObjectWriter writer =
        store.openWriter(target.id(), "last", Optional.empty(), Compression.LZ4)) {
      byte[] said = (seed + " " + content.length).getBytes(StandardCharsets.UTF_8);
      writer.write(said, 0, said.length);
      writer.commit(
          new CommitRequest(
              Id.random(new SplittableRandom(seed)), CommitMode.REPLACE, new TreeMap<>(), 0));
    }
  }

  /** Opens the directory, says what it took, and reads back what was acknowledged last. */
  private static void open(Path folder) throws IOException {
    CountingDevice device = new CountingDevice(new FileDevice(folder));
    try (Scheduler scheduler = new ThreadScheduler()) {
      long start = System.nanoTime();
      try (ChunkStore store = engine(device, scheduler)) {
        double seconds = (System.nanoTime() - start) / 1e9;
        double cpuSeconds =
            ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
                    .getProcessCpuTime()
                / 1e9;
        long opened = device.openCount();
        int containers = device.openedContainerCount();
        long read = device.readBytes();
        StoreRecord target = store.findStore(Engine.DEFAULT_NAME).orElseThrow();
        String[] last =
            new String(read(store, target, "last"), StandardCharsets.UTF_8).split(" ", -1);
        long seed = Long.parseLong(last[0]);
        int length = Integer.parseInt(last[1]);
        byte[] content = read(store, target, "tail/" + seed + "/" + length);
        boolean equal = Arrays.equals(content, Corpus.made(length, seed));
        System.out.printf(
            Locale.ROOT,
            "open after %.2f s (%.2f s of CPU, the JVM's start and compilers among it), %d files"
                + " opened, %d of them containers, %.1f MB read; the last item %s after %.2f s%n",
            seconds,
            cpuSeconds,
            opened,
            containers,
            read / 1e6,
            equal ? "read back" : "IS WRONG",
            (System.nanoTime() - start) / 1e9);
        System.out.flush();
        Runtime.getRuntime().halt(equal ? 0 : 1);
      }
    }
  }

  private static byte[] read(ChunkStore store, StoreRecord target, String name) throws IOException {
    ItemRecord item = store.findItem(target.id(), name).orElseThrow();
    byte[] content = new byte[Math.toIntExact(item.root().lengthBytes())];
    try (ObjectReader reader = store.openReader(target.domainId(), item.root())) {
      for (int at = 0; at < content.length; ) {
        int got = reader.read(at, content, at, content.length - at);
        if (got < 0) {
          throw new IOException(name + " ends at " + at);
        }
        at += got;
      }
    }
    return content;
  }
}
