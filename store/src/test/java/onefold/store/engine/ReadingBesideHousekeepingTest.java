package onefold.store.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import onefold.block.BlockReader;
import onefold.chunker.Fingerprint;
import onefold.chunker.Fingerprinter;
import onefold.chunker.ParameterSet;
import onefold.store.ItemRecord;
import onefold.store.ObjectReader;
import onefold.store.RefusedException;
import onefold.store.StoreRecord;
import onefold.store.StoredChunks;
import onefold.store.scheduler.TaskHandle;
import onefold.store.simulation.Simulation;
import org.junit.jupiter.api.Test;

/** Readers beside a sweep that moves what they read. */
class ReadingBesideHousekeepingTest {
  private static final int ROUNDS = 20;

  /** What a block holds, one fingerprint behind another. */
  private record Handed(byte[] fingerprints) {}

  @Test
  void aWalkOverStoredBlocksFindsWhatHasMovedMeanwhile() throws Exception {
    long seed = Simulation.seed();
    for (int round = 0; round < ROUNDS; round++) {
      walkWhileASweepMoves(seed + round);
    }
  }

  private static void walkWhileASweepMoves(long seed) throws Exception {
    var simulation = new Simulation(seed);
    simulation.run(() -> {
      var scheduler = simulation.scheduler();
      try (Engine engine = Engine.open(simulation.device(), scheduler, Walk.small(0))) {
        StoreRecord store = Walk.defaultStore(engine);
        byte[][] pieces = new byte[12][];
        for (int i = 0; i < pieces.length; i++) {
          pieces[i] = Walk.content(seed + i, 40_000);
        }
        Walk.put(engine, "all", Walk.joined(pieces));
        byte[] half = Walk.joined(pieces[0], pieces[2], pieces[4], pieces[6], pieces[8]);
        ItemRecord item = Walk.put(engine, "half", half);
        engine.deleteItem(Walk.commandId("delete"), store.id(), "all");
        TaskHandle sweep =
            scheduler.start(
                "sweep",
                () -> {
                  try {
                    engine.runHousekeeping(store.domainId());
                  } catch (RefusedException e) {
                    // The walk has failed before, which says more.
                  } catch (IOException e) {
                    throw new UncheckedIOException(e);
                  }
                });
        do {
          try (ObjectReader reader = engine.openReader(store.domainId(), item.root())) {
            assertEquals(half.length, walked(reader, half.length), "seed " + seed);
          }
        } while (!sweep.isDone());
        sweep.join();
      }
      return true;
    });
  }

  private static long walked(ObjectReader reader, long lengthBytes) throws IOException {
    Map<Long, Handed> blocks = new HashMap<>();
    long at = 0;
    try (StoredChunks walk = reader.storedChunks(0, lengthBytes);
        BlockReader blockReader = new BlockReader()) {
      while (true) {
        switch (walk.next()) {
          case StoredChunks.Step.Block block -> {
            blockReader.parse(block.bytes(), block.offset(), block.lengthBytes());
            byte[] fingerprints = new byte[blockReader.chunkCount() * Fingerprint.BYTES];
            new Fingerprinter(ParameterSet.SET_1)
                .fingerprint(
                    blockReader.decompress(),
                    0,
                    blockReader.chunkLengths(),
                    0,
                    blockReader.chunkCount(),
                    fingerprints,
                    0);
            blocks.put(block.blockNumber(), new Handed(fingerprints));
          }
          case StoredChunks.Step.Extent extent -> {
            Handed block = blocks.get(extent.blockNumber());
            if (block == null) {
              throw new IllegalStateException("block " + extent.blockNumber() + " not handed out");
            }
            int from = extent.chunkIndex() * Fingerprint.BYTES;
            byte[] found = Arrays.copyOfRange(block.fingerprints(), from, from + Fingerprint.BYTES);
            assertEquals(Fingerprint.of(extent.fingerprint(), 0), Fingerprint.of(found, 0));
            at += extent.lengthBytes();
          }
          case StoredChunks.Step.Zeros zeros -> at += zeros.lengthBytes();
          case StoredChunks.Step.End() -> {
            return at;
          }
        }
      }
    }
  }
}
