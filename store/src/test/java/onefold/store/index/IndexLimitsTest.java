package onefold.store.index;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;
import onefold.store.scheduler.ThreadScheduler;
import onefold.store.simulation.SimulatedDevice;
import onefold.store.simulation.Simulation;
import org.junit.jupiter.api.Test;

/**
 * What an entry costs, measured with flushes, merges and splits. {@code -Donefold.entries} takes
 * more.
 */
class IndexLimitsTest {
  private static final long SEED = Simulation.seed();
  private static final int ENTRIES = Integer.getInteger("onefold.entries", 320_000);
  private static final int CONTAINER_CHUNKS = 8_000;
  private static final int BATCH = 1_000;

  @Test
  void anEntryCostsWhatWasPromised() throws IOException {
    var device = new SimulatedDevice();
    var most = new AtomicLong();
    device.afterEachChange(() -> most.accumulateAndGet(device.usedBytes(), Math::max));
    var settings = new IndexSettings(2 << 20, 0, ENTRIES / 3, 0);
    try (var scheduler = new ThreadScheduler();
        ChunkIndex index = ChunkIndex.open(device, scheduler, "index", settings, what -> {})) {
      for (int entry = 0; entry < ENTRIES; entry += BATCH) {
        long container = 1L + entry / CONTAINER_CHUNKS;
        index.publish(container, ChunkKind.DATA, entry % CONTAINER_CHUNKS, chunks(entry, SEED));
        if ((entry + BATCH) % CONTAINER_CHUNKS == 0) {
          index.sealed(container);
        }
      }
      index.checkpoint();
      index.settle();

      var places = new Places(BATCH);
      var random = new SplittableRandom(SEED);
      for (int i = 0; i < 100; i++) {
        int entry = random.nextInt(ENTRIES / BATCH) * BATCH;
        index.lookup(chunks(entry, SEED), places);
        for (int row = 0; row < BATCH; row++) {
          assertTrue(places.isPresent(row), "onefold.seed=" + SEED);
        }
        index.lookup(chunks(entry, SEED + 1), places);
      }
      IndexStatistics statistics = index.statistics();
      String all = statistics + " onefold.seed=" + SEED;
      assertTrue(statistics.partitions() > 2 && statistics.runs() > 2, all);
      assertTrue(statistics.diskBytes() <= 44.0 * ENTRIES, all);
      assertTrue(statistics.filterBytes() <= 1.6 * ENTRIES, all);
      assertTrue(most.get() <= 2 * 44.0 * ENTRIES, () -> most + " bytes while merging, " + all);
      long hits = statistics.hits();
      long misses = statistics.lookups() - hits;
      assertTrue(hits == 100L * BATCH, all);
      assertTrue(statistics.pagesRead() - statistics.missPagesRead() <= 1.01 * hits, all);
      assertTrue(statistics.missPagesRead() <= 0.005 * misses, all);
    }
  }

  private static FingerprintBatch chunks(int firstEntry, long seed) {
    var batch = new FingerprintBatch(ChunkKind.DATA, BATCH);
    var random = new SplittableRandom(seed * 31 + firstEntry);
    for (int i = 0; i < BATCH; i++) {
      batch.add(
          new Fingerprint(
              random.nextLong(), random.nextLong(), random.nextLong(), random.nextLong()),
          8192);
    }
    return batch;
  }
}
