package onefold.store.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import onefold.store.CommitMode;
import onefold.store.Compression;
import onefold.store.ItemRecord;
import onefold.store.ObjectReader;
import onefold.store.ObjectWriter;
import onefold.store.StoreRecord;
import onefold.store.StoredChunks;
import onefold.store.device.DeviceFile;
import onefold.store.device.FileDevice;
import onefold.store.scheduler.ThreadScheduler;
import onefold.store.simulation.PassingDevice;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An object whose neighbouring parts lie in many blocks, as after many generations. */
class FragmentedReadTest {
  /** More than the blocks that were once held, and less than those that may be. */
  private static final int BLOCKS = 110;

  private static final int BLOCK_BYTES = 128 << 10;
  private static final int PARTS = 8;
  private static final int PART_BYTES = BLOCK_BYTES / PARTS;

  @TempDir Path directory;

  private final Set<String> places = ConcurrentHashMap.newKeySet();
  private final LongAdder reads = new LongAdder();

  /** Counts what is read from containers of data and is as long as a block. */
  private final class Counting extends PassingDevice {
    Counting(Path directory) throws IOException {
      super(new FileDevice(directory));
    }

    @Override
    protected int read(DeviceFile file, long positionBytes, ByteBuffer target) throws IOException {
      if (file.path().contains("/data/") && target.remaining() > BLOCK_BYTES / 4) {
        places.add(file.path() + positionBytes);
        reads.increment();
      }
      return super.read(file, positionBytes, target);
    }
  }

  @Test
  void theBlocksOfAnObjectOfManyAgesAreReadAboutOnce() throws IOException {
    byte[] content = Walk.content(1, BLOCKS * BLOCK_BYTES);
    byte[] expected = new byte[content.length];
    try (ThreadScheduler scheduler = new ThreadScheduler();
        Engine engine = Engine.open(new Counting(directory), scheduler, Walk.small(0))) {
      StoreRecord store = Walk.defaultStore(engine);
      ItemRecord source = Walk.put(engine, "source", content);
      int at = 0;
      try (ObjectWriter writer =
          engine.openWriter(store.id(), "mixed", Optional.empty(), Compression.LZ4)) {
        for (int part = 0; part < PARTS; part++) {
          for (int block = 0; block < BLOCKS; block++, at += PART_BYTES) {
            int from = block * BLOCK_BYTES + part * PART_BYTES;
            writer.splice(source.root(), from, PART_BYTES);
            System.arraycopy(content, from, expected, at, PART_BYTES);
          }
        }
        writer.commit(Walk.request(Walk.commandId("mixed"), CommitMode.IF_ABSENT));
      }
      ItemRecord mixed = engine.findItem(store.id(), "mixed").orElseThrow();
      places.clear();
      reads.reset();

      assertArrayEquals(expected, Walk.read(engine, store.domainId(), mixed.root()));

      assertTrue(places.size() >= BLOCKS / 2, places.size() + " blocks");
      assertTrue(reads.sum() <= 1.5 * places.size(), reads.sum() + " reads of " + places.size());

      Set<Long> numbers = new HashSet<>();
      try (ObjectReader reader = engine.openReader(store.domainId(), mixed.root());
          StoredChunks walk = reader.storedChunks(0, mixed.root().lengthBytes())) {
        for (boolean more = true; more; ) {
          switch (walk.next()) {
            case StoredChunks.Step.Block block -> numbers.add(block.blockNumber());
            case StoredChunks.Step.End _ -> more = false;
            case StoredChunks.Step.Extent _, StoredChunks.Step.Zeros _ -> {}
          }
        }
      }
      assertTrue(
          numbers.size() <= 1.1 * places.size(), numbers.size() + " sent of " + places.size());
    }
  }
}
