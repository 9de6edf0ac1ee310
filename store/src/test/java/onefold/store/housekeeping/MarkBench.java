package onefold.store.housekeeping;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import onefold.block.BlockBuilder;
import onefold.block.BlockCodec;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;
import onefold.chunker.ObjectRoot;
import onefold.chunker.ParameterSet;
import onefold.chunker.RecipeBuilder;
import onefold.store.Id;
import onefold.store.container.ContainerSettings;
import onefold.store.container.Containers;
import onefold.store.container.DurableEnds;
import onefold.store.container.SealListener;
import onefold.store.device.FileDevice;
import onefold.store.index.ChunkIndex;
import onefold.store.index.IndexSettings;
import onefold.store.scheduler.ThreadScheduler;

/**
 * The mark alone: one object whose references are spread at random over all chunks of a domain, its
 * nodes in real containers in the operating system's cache, marked into live vectors.
 *
 * <p>Arguments: {@code [--chunks N] [--references R] [--rounds K] DIR}. Prints references a second
 * of processor time, of all threads.
 */
public final class MarkBench {
  private static final int BATCH = 4096;
  private static final int NODE_BLOCK_BYTES = 32 << 10;
  private static final int CHUNK_BYTES = 8192;
  private static final long MIX = 0x9e3779b97f4a7c15L;

  private MarkBench() {}

  /** Runs the bench. */
  public static void main(String[] arguments) throws IOException {
    long chunks = 20_000_000;
    long references = 20_000_000;
    int rounds = 3;
    Path directory = null;
    for (int i = 0; i < arguments.length; i++) {
      switch (arguments[i]) {
        case "--chunks" -> chunks = (long) Double.parseDouble(arguments[++i]);
        case "--references" -> references = (long) Double.parseDouble(arguments[++i]);
        case "--rounds" -> rounds = Integer.parseInt(arguments[++i]);
        default -> directory = Path.of(arguments[i]);
      }
    }
    if (directory == null) {
      System.err.println("usage: MarkBench [--chunks N] [--references R] [--rounds K] DIR");
      System.exit(2);
      return;
    }
    Path place = Files.createDirectories(directory.resolve("mark-bench"));
    clear(place);
    run(place, chunks, references, rounds);
    clear(place);
  }

  private static void run(Path place, long chunks, long references, int rounds) throws IOException {
    FileDevice device = new FileDevice(place);
    try (ThreadScheduler scheduler = new ThreadScheduler();
        Containers containers =
            Containers.open(
                device,
                scheduler,
                "domain",
                new Id(1, 2),
                ParameterSet.SET_1,
                1,
                ContainerSettings.ofSize(64 << 20),
                DurableEnds.NONE,
                SealListener.NONE);
        ChunkIndex index =
            ChunkIndex.open(
                device,
                scheduler,
                "index",
                IndexSettings.DEFAULT,
                what -> {
                  throw new IllegalStateException(what);
                })) {
      ObjectRoot root = store(containers, chunks, references);
      List<Long> nodes = containers.numbers(ChunkKind.NODE);
      for (int round = 0; round < rounds; round++) {
        mark(containers, index, nodes, root, chunks, references, scheduler);
      }
    }
  }

  private static void mark(
      Containers containers,
      ChunkIndex index,
      List<Long> nodes,
      ObjectRoot root,
      long chunks,
      long references,
      ThreadScheduler scheduler)
      throws IOException {
    long start = cpuNanos();
    Map<Long, Integer> known = new HashMap<>();
    try (LiveVectors live =
        new LiveVectors(
            LiveVector.build(
                (first, last, sink) -> give(chunks, sink),
                chunks,
                32L << 20,
                false,
                new SplittableRandom(1)),
            LiveVectors.vector(containers, nodes, true, scheduler.random(), () -> {}, known),
            known)) {
      double built = (chunks * 1e9) / (cpuNanos() - start);
      FingerprintBatch roots = new FingerprintBatch(ChunkKind.NODE, 1);
      roots.add(root.node(), 0);
      start = cpuNanos();
      Mark mark =
          new Mark(
              containers,
              index,
              live,
              nodes,
              known,
              ParameterSet.SET_1,
              new Owners(live.nodeNumbers()),
              () -> {});
      mark.namedRoots(roots);
      long visited = 0;
      int passes = 0;
      long now;
      do {
        now = mark.pass(nodes);
        visited += now;
        passes++;
      } while (now > 0);
      double seconds = (cpuNanos() - start) / 1e9;
      if (mark.referenceCount() < references) {
        throw new IllegalStateException("followed only " + mark.referenceCount());
      }
      System.out.printf(
          Locale.ROOT,
          "%d references of %d nodes in %d containers to %d chunks, %d passes: %.2f million"
              + " references a core second (building the vector: %.1f million chunks a core"
              + " second), %d of %d live%n",
          mark.referenceCount(),
          visited,
          nodes.size(),
          chunks,
          passes,
          mark.referenceCount() / seconds / 1e6,
          built / 1e6,
          live.markedCount(),
          chunks + visited);
    }
  }

  private static ObjectRoot store(Containers containers, long chunks, long references)
      throws IOException {
    var random = new SplittableRandom(42);
    FingerprintBatch gathered = new FingerprintBatch(ChunkKind.NODE, 64);
    try (BlockBuilder builder = new BlockBuilder(ChunkKind.NODE, BlockCodec.LZ4, 3)) {
      RecipeBuilder recipe =
          new RecipeBuilder(
              ParameterSet.SET_1,
              (level, node, lengthBytes, fingerprint) -> {
                if (builder.chunkCount() > 0
                    && builder.rawBytes() + lengthBytes > NODE_BLOCK_BYTES) {
                  flush(containers, builder, gathered);
                }
                builder.add(node, 0, lengthBytes);
                gathered.add(fingerprint, 0, lengthBytes);
              });
      byte[] chunk = new byte[Fingerprint.BYTES];
      for (long i = 0; i < references; i++) {
        put(random.nextLong(chunks), chunk, 0);
        recipe.chunk(chunk, 0, CHUNK_BYTES);
      }
      ObjectRoot root = recipe.finish();
      flush(containers, builder, gathered);
      containers.sealAll();
      return root;
    }
  }

  private static void flush(Containers containers, BlockBuilder builder, FingerprintBatch gathered)
      throws IOException {
    int length = builder.encode();
    containers.append(ChunkKind.NODE, 0, builder.bytes(), 0, length, gathered);
    builder.reset();
    gathered.clear();
  }

  private static void give(long chunks, LiveVector.Sink sink) {
    byte[] batch = new byte[BATCH * Fingerprint.BYTES];
    for (long chunk = 0; chunk < chunks; chunk += BATCH) {
      int count = (int) Math.min(BATCH, chunks - chunk);
      for (int i = 0; i < count; i++) {
        put(chunk + i, batch, i * Fingerprint.BYTES);
      }
      sink.fingerprints(batch, count);
    }
  }

  private static void put(long chunk, byte[] target, int offset) {
    long word = (chunk + 1) * MIX;
    long second = (word ^ word >>> 31) * 0xbf58476d1ce4e5b9L;
    new Fingerprint((second ^ second >>> 29) * MIX, second, word, chunk).writeTo(target, offset);
  }

  private static long cpuNanos() {
    return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }

  private static void clear(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        if (!file.equals(directory)) {
          Files.delete(file);
        }
      }
    }
  }
}
