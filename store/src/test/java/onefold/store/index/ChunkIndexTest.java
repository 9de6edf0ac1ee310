package onefold.store.index;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import java.util.SplittableRandom;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;
import onefold.store.device.FileDevice;
import onefold.store.scheduler.ThreadScheduler;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChunkIndexTest {
  @TempDir Path directory;
  private final ThreadScheduler scheduler = new ThreadScheduler();
  private final SplittableRandom random = new SplittableRandom(1);
  private ChunkIndex index;

  @BeforeEach
  void open() throws IOException {
    index =
        ChunkIndex.open(
            new FileDevice(directory), scheduler, "index", IndexSettings.DEFAULT, what -> {});
  }

  @AfterEach
  void close() throws IOException {
    index.close();
    scheduler.close();
  }

  @Test
  void aPublishedChunkIsFoundAtItsPlace() throws IOException {
    FingerprintBatch batch = randomChunks(ChunkKind.DATA, 5000);
    index.publish(7, ChunkKind.DATA, 100, batch);

    var places = new Places(1);
    index.lookup(batch, places);
    assertEquals(5000, places.count());
    for (int i = 0; i < batch.count(); i++) {
      assertEquals(7, places.containerNumbers()[i]);
      assertEquals(100 + i, places.slots()[i]);
      assertEquals(batch.lengthBytes(i), places.lengths()[i]);
    }
    index.lookup(randomChunks(ChunkKind.DATA, 100), places);
    for (int i = 0; i < 100; i++) {
      assertFalse(places.isPresent(i));
    }
    assertEquals(5100, index.statistics().lookups());
    assertEquals(5000, index.statistics().hits());
  }

  @Test
  void aDataChunkIsNotFoundAsANode() throws IOException {
    FingerprintBatch data = randomChunks(ChunkKind.DATA, 1);
    var node = new FingerprintBatch(ChunkKind.NODE, 1);
    node.add(data.fingerprint(0), data.lengthBytes(0));
    index.publish(7, ChunkKind.DATA, 0, data);

    var places = new Places(1);
    index.lookup(node, places);
    assertFalse(places.isPresent(0));
    index.publish(8, ChunkKind.NODE, 3, node);
    index.lookup(node, places);
    assertEquals(8, places.containerNumbers()[0]);
    index.lookup(data, places);
    assertEquals(7, places.containerNumbers()[0]);
  }

  @Test
  void aMovedChunkIsFoundAtItsNewPlaceAfterTheOldContainerIsRetracted() throws IOException {
    FingerprintBatch batch = randomChunks(ChunkKind.DATA, 2);
    var moved = new FingerprintBatch(ChunkKind.DATA, 1);
    moved.add(batch.fingerprint(1), batch.lengthBytes(1));
    for (long target : new long[] {5, 9}) { // a lower and a higher number than the old one
      index.publish(7, ChunkKind.DATA, 0, batch);
      index.publish(target, ChunkKind.DATA, 4, moved);
    }
    index.retract(7);
    index.retract(9);

    var places = new Places(2);
    index.lookup(batch, places);
    assertFalse(places.isPresent(0));
    assertEquals(5, places.containerNumbers()[1]);
    assertEquals(4, places.slots()[1]);
  }

  @Test
  void theHighestContainerAnswersWhateverTheOrder() throws IOException {
    FingerprintBatch batch = randomChunks(ChunkKind.DATA, 1);
    long highest = -1; // numbers are unsigned
    index.publish(highest, ChunkKind.DATA, 0, batch);
    index.publish(3, ChunkKind.DATA, 1, batch);
    index.publish(highest, ChunkKind.DATA, 0, batch);

    var places = new Places(1);
    index.lookup(batch, places);
    assertEquals(highest, places.containerNumbers()[0]);
    assertEquals(2, index.statistics().entries());
  }

  @Test
  void aQuarantinedPlaceStaysOutAndTheNextCopyHealsIt() throws IOException {
    FingerprintBatch batch = randomChunks(ChunkKind.DATA, 1);
    Fingerprint fingerprint = batch.fingerprint(0);
    var places = new Places(1);
    assertFalse(index.retractChunk(ChunkKind.DATA, fingerprint));
    index.publish(7, ChunkKind.DATA, 2, batch);
    assertTrue(index.retractChunk(ChunkKind.DATA, fingerprint));
    index.publish(7, ChunkKind.DATA, 2, batch);
    index.lookup(batch, places);
    assertFalse(places.isPresent(0));

    index.publish(7, ChunkKind.DATA, 30, batch);
    index.lookup(batch, places);
    assertEquals(30, places.slots()[0]);
    index.publish(4, ChunkKind.DATA, 1, batch);
    index.retractChunk(ChunkKind.DATA, fingerprint, 7, 30);
    index.lookup(batch, places);
    assertEquals(4, places.containerNumbers()[0]);
  }

  @Test
  void placesBeyondAnEntrysFieldsAreRefused() {
    FingerprintBatch batch = randomChunks(ChunkKind.DATA, 2);
    assertThrows(IllegalArgumentException.class, () -> index.publish(0, ChunkKind.DATA, 0, batch));
    assertThrows(
        IllegalArgumentException.class,
        () -> index.publish(1, ChunkKind.DATA, (1 << 26) - 1, batch));
    assertThrows(IllegalArgumentException.class, () -> index.publish(1, ChunkKind.NODE, 0, batch));
    batch.lengths()[1] = (1 << 20) + 1;
    assertThrows(IllegalArgumentException.class, () -> index.publish(1, ChunkKind.DATA, 0, batch));
  }

  @Test
  void onlySealedContainersReachTheDiskAndOnlyTheyAreCovered() throws IOException {
    FingerprintBatch sealed = randomChunks(ChunkKind.DATA, 3000);
    FingerprintBatch open = randomChunks(ChunkKind.DATA, 3000);
    index.publish(7, ChunkKind.DATA, 0, sealed);
    index.publish(8, ChunkKind.DATA, 0, open);
    index.sealed(7);
    index.checkpoint();
    assertEquals(Set.of(7L), index.coveredContainers());
    assertEquals(2, present(sealed) + present(open), "both are found, wherever they are");
    assertEquals(1, index.statistics().runs());

    reopen();
    assertEquals(Set.of(7L), index.coveredContainers());
    assertEquals(1, present(sealed));
    assertEquals(0, present(open));
    index.publish(8, ChunkKind.DATA, 0, open);
    index.sealed(8);
    index.checkpoint();
    assertEquals(Set.of(7L, 8L), index.coveredContainers());
    index.retract(7);
    reopen();
    assertEquals(Set.of(7L, 8L), index.coveredContainers(), "the engine says again what is gone");
    index.retract(7);
    assertEquals(Set.of(8L), index.coveredContainers());
    assertEquals(0, present(sealed));
    assertEquals(1, present(open));
  }

  @Test
  void anIdleIndexHasNoOpenFileAndLittleMemory() throws IOException {
    FingerprintBatch batch = randomChunks(ChunkKind.DATA, 20_000);
    index.publish(7, ChunkKind.DATA, 0, batch);
    index.sealed(7);
    index.checkpoint();
    assertEquals(1, present(batch));
    assertTrue(index.statistics().filterBytes() > 0);
    index.quiesce();
    IndexStatistics idle = index.statistics();
    assertEquals(0, idle.filterBytes());
    assertEquals(0, idle.cacheBytes());
    assertTrue(idle.tableBytes() <= 32 << 10, () -> idle.toString());
    assertEquals(1, present(batch));
  }

  @Test
  void theDeadEntriesOfManyRetractedContainersLeaveTheDisk() throws IOException {
    for (int container = 1; container <= 40; container++) {
      index.publish(container, ChunkKind.DATA, 0, randomChunks(ChunkKind.DATA, 500));
      index.sealed(container);
    }
    index.checkpoint();
    for (int container = 1; container <= 30; container++) {
      index.retract(container);
    }
    index.settle();
    reopen();
    assertTrue(index.statistics().entries() <= 7_000, () -> index.statistics().toString());
  }

  /** 1 if all chunks of the batch are found, 0 if none is. */
  private int present(FingerprintBatch batch) throws IOException {
    var places = new Places(batch.count());
    index.lookup(batch, places);
    int present = 0;
    for (int i = 0; i < batch.count(); i++) {
      present += places.isPresent(i) ? 1 : 0;
    }
    assertTrue(present == 0 || present == batch.count(), () -> "some of " + batch.count());
    return present == 0 ? 0 : 1;
  }

  private void reopen() throws IOException {
    index.close();
    open();
  }

  private FingerprintBatch randomChunks(ChunkKind kind, int count) {
    var batch = new FingerprintBatch(kind, count);
    for (int i = 0; i < count; i++) {
      batch.add(
          new Fingerprint(
              random.nextLong(), random.nextLong(), random.nextLong(), random.nextLong()),
          random.nextInt(1, 65536));
    }
    return batch;
  }
}
