package onefold.store.index;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;
import onefold.store.device.FileDevice;
import onefold.store.scheduler.ThreadScheduler;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.CompressionType;
import org.rocksdb.FlushOptions;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/**
 * The chunk index beside RocksDB (WAL off, Bloom filter of 10 bits), alternating, in one process:
 * inserts with all flushing and merging, then look-ups of chunks that are there and of chunks that
 * are not, in batches; each a second by the clock and a second of processor time, of all threads.
 *
 * <p>Arguments: {@code [--rounds R] [--lookups L] [--only onefold|rocksdb] [--table-mib M] DIR N…}.
 * DIR is on the disk that is to be measured. For figures beyond the machine's memory run it in a
 * cgroup of 2 bytes × entries + 512 MB, heap {@code -Xmx128m}.
 */
public final class IndexBench {
  private static final int BATCH = 1024;
  private static final int CONTAINER_CHUNKS = 8192;
  private static final int LENGTH_BYTES = 8192;
  private static final long MIX = 0x9e3779b97f4a7c15L;

  /** Added to the number of an entry gives one that was never inserted. */
  private static final long ABSENT_OFFSET = 1L << 40;

  /** The space on disk is looked at after so many batches of inserts, to find its peak. */
  private static final int BATCHES_PER_SAMPLE = 256;

  private IndexBench() {}

  /** How fast something went, by the clock and by the processor time of all threads. */
  private record Speed(double perSecond, double perCoreSecond) {
    @Override
    public String toString() {
      return String.format(Locale.ROOT, "%.0f (%.0f)", perSecond, perCoreSecond);
    }
  }

  /** Measures from its making on. */
  private static final class Stopwatch {
    private final long startNanos = System.nanoTime();
    private final long startCpuNanos = cpuNanos();

    Speed of(long count) {
      return new Speed(
          count * 1e9 / (System.nanoTime() - startNanos),
          count * 1e9 / (cpuNanos() - startCpuNanos));
    }

    private static long cpuNanos() {
      return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
          .getProcessCpuTime();
    }
  }

  /** What one contestant showed. */
  private record Figures(
      String name,
      Speed inserts,
      Speed hits,
      Speed misses,
      double diskBytes,
      double memoryBytes,
      String more) {
    Figures with(String newMore) {
      return new Figures(name, inserts, hits, misses, diskBytes, memoryBytes, newMore);
    }
  }

  private interface Contestant extends AutoCloseable {
    void insert(FingerprintBatch batch, long firstEntry) throws IOException, RocksDBException;

    void settle() throws IOException, RocksDBException;

    /** Looks a batch up; returns how many were found. */
    int lookup(FingerprintBatch batch) throws IOException, RocksDBException;

    Figures figures(String name, long entries, Speed inserts, Speed hits, Speed misses)
        throws RocksDBException;

    @Override
    void close() throws IOException;
  }

  /** Runs the bench. */
  public static void main(String[] arguments) throws Exception {
    int rounds = 1;
    long lookups = 1_000_000;
    String only = "";
    long tableMib = 64;
    Path directory = null;
    var sizes = new ArrayList<Long>();
    for (int i = 0; i < arguments.length; i++) {
      switch (arguments[i]) {
        case "--rounds" -> rounds = Integer.parseInt(arguments[++i]);
        case "--lookups" -> lookups = Long.parseLong(arguments[++i]);
        case "--only" -> only = arguments[++i];
        case "--table-mib" -> tableMib = Long.parseLong(arguments[++i]);
        default -> {
          if (directory == null) {
            directory = Path.of(arguments[i]);
          } else {
            sizes.add((long) Double.parseDouble(arguments[i]));
          }
        }
      }
    }
    if (directory == null || sizes.isEmpty()) {
      System.err.println("usage: IndexBench [--rounds R] [--lookups L] [--only X] DIR N…");
      System.exit(2);
      return;
    }
    System.out.printf(
        "%-10s %12s %22s %22s %22s %8s %8s  %s%n",
        "",
        "entries",
        "inserts/s (core s)",
        "hits/s (core s)",
        "misses/s (core s)",
        "disk B",
        "mem B",
        "");
    for (long size : sizes) {
      for (int round = 0; round < rounds; round++) {
        for (String name : List.of("onefold", "rocksdb")) {
          if (only.isEmpty() || only.equals(name)) {
            Path place = Files.createDirectories(directory.resolve(name + "-bench"));
            clear(place);
            show(run(name, place, size, lookups, tableMib << 20), size);
            clear(place);
          }
        }
      }
    }
  }

  private static void show(Figures figures, long size) {
    System.out.printf(
        Locale.ROOT,
        "%-10s %12d %22s %22s %22s %8.2f %8.3f  %s%n",
        figures.name,
        size,
        figures.inserts,
        figures.hits,
        figures.misses,
        figures.diskBytes,
        figures.memoryBytes,
        figures.more);
  }

  private static Figures run(String name, Path place, long size, long lookups, long tableBytes)
      throws Exception {
    var random = new SplittableRandom(42);
    try (Contestant contestant =
        name.equals("onefold") ? new Onefold(place, tableBytes) : new Rocks(place, tableBytes)) {
      var batch = new FingerprintBatch(ChunkKind.DATA, BATCH);
      var stopwatch = new Stopwatch();
      long peakBytes = 0;
      for (long entry = 0; entry < size; entry += BATCH) {
        batch.clear();
        for (int i = 0; i < BATCH; i++) {
          add(batch, entry + i);
        }
        contestant.insert(batch, entry);
        if (entry / BATCH % BATCHES_PER_SAMPLE == 0) {
          peakBytes = Math.max(peakBytes, diskBytes(place));
        }
      }
      contestant.settle();
      Speed inserts = stopwatch.of(size);

      Speed hits = lookups(contestant, random, lookups, size, 0);
      Speed misses = lookups(contestant, random, lookups, size, ABSENT_OFFSET);
      Figures figures = contestant.figures(name, size, inserts, hits, misses);
      return figures.with(
          String.format(
              Locale.ROOT, "peak %.1f disk B, %s", peakBytes / (double) size, figures.more));
    }
  }

  private static Speed lookups(
      Contestant contestant, SplittableRandom random, long lookups, long size, long offset)
      throws IOException, RocksDBException {
    var batch = new FingerprintBatch(ChunkKind.DATA, BATCH);
    var stopwatch = new Stopwatch();
    for (long done = 0; done < lookups; done += BATCH) {
      batch.clear();
      for (int i = 0; i < BATCH; i++) {
        add(batch, random.nextLong(size) + offset);
      }
      int found = contestant.lookup(batch);
      if (found != (offset == 0 ? BATCH : 0)) {
        throw new IllegalStateException("found " + found + " of " + BATCH);
      }
    }
    return stopwatch.of(lookups);
  }

  private static void add(FingerprintBatch batch, long entry) {
    batch.setCount(batch.count() + 1);
    int offset = (batch.count() - 1) * Fingerprint.BYTES;
    for (int i = 0; i < 4; i++) {
      long word = (entry * 4 + i + 1) * MIX;
      word = (word ^ word >>> 30) * 0xbf58476d1ce4e5b9L;
      word = (word ^ word >>> 27) * 0x94d049bb133111ebL;
      RunFormat.BIG_ENDIAN.set(batch.fingerprints(), offset + 8 * i, word ^ word >>> 31);
    }
    batch.lengths()[batch.count() - 1] = LENGTH_BYTES;
  }

  /** Bytes of all files below a directory, of which some may vanish meanwhile. */
  private static long diskBytes(Path directory) throws IOException {
    long sum = 0;
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.toList()) {
        sum += Files.isRegularFile(file) ? Files.size(file) : 0;
      }
    } catch (NoSuchFileException | UncheckedIOException e) {
      return 0; // the next sample will do
    }
    return sum;
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

  private static final class Onefold implements Contestant {
    private final ThreadScheduler scheduler = new ThreadScheduler();
    private final ChunkIndex index;
    private final Places places = new Places(BATCH);

    Onefold(Path directory, long tableBytes) throws IOException {
      index =
          ChunkIndex.open(
              new FileDevice(directory),
              scheduler,
              "index",
              IndexSettings.withTableBytes(tableBytes),
              what -> {
                throw new IllegalStateException(what);
              });
    }

    @Override
    public void insert(FingerprintBatch batch, long firstEntry) throws IOException {
      long container = firstEntry / CONTAINER_CHUNKS + 1;
      int slot = (int) (firstEntry % CONTAINER_CHUNKS);
      index.publish(container, ChunkKind.DATA, slot, batch);
      if (slot + BATCH >= CONTAINER_CHUNKS) {
        index.sealed(container);
      }
    }

    @Override
    public void settle() throws IOException {
      index.checkpoint();
      index.settle();
    }

    @Override
    public int lookup(FingerprintBatch batch) throws IOException {
      index.lookup(batch, places);
      int found = 0;
      for (int i = 0; i < BATCH; i++) {
        found += places.isPresent(i) ? 1 : 0;
      }
      return found;
    }

    @Override
    public Figures figures(String name, long entries, Speed inserts, Speed hits, Speed misses) {
      IndexStatistics statistics = index.statistics();
      String more =
          String.format(
              Locale.ROOT,
              "%d partitions, %d runs, %.3f pages a hit, %.4f a miss, written %.1f x",
              statistics.partitions(),
              statistics.runs(),
              (statistics.pagesRead() - statistics.missPagesRead()) / (double) statistics.hits(),
              statistics.missPagesRead() / (double) (statistics.lookups() - statistics.hits()),
              statistics.bytesWritten() / (double) statistics.diskBytes());
      return new Figures(
          name,
          inserts,
          hits,
          misses,
          statistics.diskBytes() / (double) entries,
          statistics.filterBytes() / (double) entries,
          more);
    }

    @Override
    public void close() {
      index.close();
      scheduler.close();
    }
  }

  private static final class Rocks implements Contestant {
    static {
      RocksDB.loadLibrary(); // the bloom filter does not load it by itself
    }

    private final BloomFilter bloom = new BloomFilter(10, false);
    private final LRUCache cache = new LRUCache(8 << 20);
    private final Options options = new Options();
    private final WriteOptions writeOptions = new WriteOptions().setDisableWAL(true);
    private final RocksDB database;
    private final byte[] key = new byte[Fingerprint.BYTES];
    private final byte[] value = new byte[16];

    Rocks(Path directory, long tableBytes) throws RocksDBException {
      options
          .setCreateIfMissing(true)
          .setCompressionType(CompressionType.NO_COMPRESSION)
          .setWriteBufferSize(tableBytes)
          .setMaxBackgroundJobs(4)
          .setTableFormatConfig(
              new BlockBasedTableConfig()
                  .setFilterPolicy(bloom)
                  .setBlockCache(cache)
                  .setFormatVersion(5));
      database = RocksDB.open(options, directory.toString());
    }

    @Override
    public void insert(FingerprintBatch batch, long firstEntry) throws RocksDBException {
      try (WriteBatch writes = new WriteBatch()) {
        for (int i = 0; i < batch.count(); i++) {
          System.arraycopy(batch.fingerprints(), i * Fingerprint.BYTES, key, 0, key.length);
          RunFormat.BIG_ENDIAN.set(value, 0, firstEntry / CONTAINER_CHUNKS + 1);
          RunFormat.BIG_ENDIAN.set(value, 8, (firstEntry + i) << 32 | batch.lengths()[i]);
          writes.put(key, value);
        }
        database.write(writeOptions, writes);
      }
    }

    @Override
    public void settle() throws RocksDBException {
      try (FlushOptions flush = new FlushOptions().setWaitForFlush(true)) {
        database.flush(flush);
      }
      while (database.getLongProperty("rocksdb.compaction-pending") > 0
          || database.getLongProperty("rocksdb.num-running-compactions") > 0) {
        LockSupport.parkNanos(1_000_000);
      }
    }

    @Override
    public int lookup(FingerprintBatch batch) throws RocksDBException {
      var keys = new ArrayList<byte[]>(batch.count());
      for (int i = 0; i < batch.count(); i++) {
        byte[] one = new byte[Fingerprint.BYTES];
        System.arraycopy(batch.fingerprints(), i * Fingerprint.BYTES, one, 0, one.length);
        keys.add(one);
      }
      int found = 0;
      for (byte[] one : database.multiGetAsList(keys)) {
        found += one != null ? 1 : 0;
      }
      return found;
    }

    @Override
    public Figures figures(String name, long entries, Speed inserts, Speed hits, Speed misses)
        throws RocksDBException {
      long disk = database.getLongProperty("rocksdb.total-sst-files-size");
      long memory = database.getLongProperty("rocksdb.estimate-table-readers-mem");
      return new Figures(
          name, inserts, hits, misses, disk / (double) entries, memory / (double) entries, "");
    }

    @Override
    public void close() {
      database.close();
      options.close();
      cache.close();
      bloom.close();
      writeOptions.close();
    }
  }
}
