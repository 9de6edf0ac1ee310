package onefold.store.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import onefold.store.DomainStatistics;
import onefold.store.Id;
import onefold.store.ObjectReader;
import onefold.store.RecompressionStatus;
import onefold.store.StoreRecord;
import onefold.store.StoredChunks;
import onefold.store.housekeeping.RecompressionSettings;
import onefold.store.scheduler.Promise;
import onefold.store.scheduler.Scheduler;
import onefold.store.simulation.Faults;
import onefold.store.simulation.SimulatedCrash;
import onefold.store.simulation.Simulation;
import org.junit.jupiter.api.Test;

/** Cold containers written anew, under the whole engine. */
class RecompressionTest {
  private static final EngineSettings SETTINGS =
      Walk.small()
          .withRecompression(
              new RecompressionSettings(1, Duration.ofMinutes(10), Duration.ofSeconds(5)));

  /** Bytes that zstd makes much smaller than LZ4: skewed, without repetitions. */
  private static byte[] content(long seed, int length) {
    byte[] content = new byte[length];
    var random = new SplittableRandom(seed);
    for (int i = 0; i < length; i++) {
      int bits = random.nextInt(16);
      content[i] = (byte) (bits & random.nextInt(16));
    }
    return content;
  }

  private static void readStored(Engine engine, Id domain, String name, byte[] expected)
      throws IOException {
    var item = engine.findItem(Walk.defaultStore(engine).id(), name).orElseThrow();
    byte[] got = new byte[expected.length];
    try (ObjectReader reader = engine.openReader(domain, item.root());
        StoredChunks walk = reader.storedChunks(0, expected.length);
        var blocks = new Decompressed()) {
      while (true) {
        switch (walk.next()) {
          case StoredChunks.Step.Block block -> blocks.add(block);
          case StoredChunks.Step.Extent extent -> blocks.copy(extent, got);
          case StoredChunks.Step.Zeros _ -> {}
          case StoredChunks.Step.End() -> {
            assertArrayEquals(expected, got);
            return;
          }
        }
      }
    }
  }

  /** The blocks of a walk, as a client keeps them. */
  private static final class Decompressed implements AutoCloseable {
    private final onefold.block.BlockReader reader = new onefold.block.BlockReader();
    private final java.util.Map<Long, byte[][]> chunks = new java.util.HashMap<>();

    void add(StoredChunks.Step.Block block) throws IOException {
      try {
        reader.parse(block.bytes(), block.offset(), block.lengthBytes());
        byte[] raw = reader.decompress();
        byte[][] of = new byte[reader.chunkCount()][];
        int at = 0;
        for (int i = 0; i < of.length; i++) {
          of[i] = Arrays.copyOfRange(raw, at, at + reader.chunkLengths()[i]);
          at += of[i].length;
        }
        chunks.put(block.blockNumber(), of);
      } catch (onefold.block.BlockFormatException e) {
        throw new IOException(e);
      }
    }

    void copy(StoredChunks.Step.Extent extent, byte[] target) {
      byte[][] block = chunks.get(extent.blockNumber());
      if (block == null) {
        throw new AssertionError("block " + extent.blockNumber() + " was not handed out");
      }
      byte[] chunk = block[extent.chunkIndex()];
      System.arraycopy(
          chunk,
          extent.skipBytes(),
          target,
          Math.toIntExact(extent.objectOffsetBytes()),
          extent.lengthBytes());
    }

    @Override
    public void close() {
      reader.close();
    }
  }

  @Test
  void everythingIsReadAsBeforeAndTakesLessAndAStartFindsIt() throws Exception {
    long seed = Simulation.seed();
    var simulation = new Simulation(seed);
    byte[] first = content(seed, 2_000_000);
    byte[] second = Walk.joined(content(seed, 700_000), content(seed + 1, 900_000));
    simulation.run(() -> {
      try (Engine engine = Engine.open(simulation.device(), simulation.scheduler(), SETTINGS)) {
        StoreRecord store = Walk.defaultStore(engine);
        Walk.put(engine, "first", first);
        Walk.put(engine, "second", second);
        DomainStatistics before = engine.domainStatistics(store.domainId());
        RecompressionStatus waits = engine.recompressionStatus(store.domainId());
        assertTrue(waits.on() && waits.waitingCount() > 5, waits.toString());
        RecompressionStatus done = engine.runRecompression(store.domainId());
        assertEquals("", done.problem());
        assertEquals(0, done.waitingCount());
        assertTrue(done.doneCount() > 5, done.toString());
        DomainStatistics after = engine.domainStatistics(store.domainId());
        assertEquals(before.uniqueBytes(), after.uniqueBytes());
        assertEquals(before.chunkCount(), after.chunkCount());
        assertTrue(
            after.compressedBytes() < before.compressedBytes() * 0.8, before + " and " + after);
        assertArrayEquals(first, Walk.get(engine, "first"));
        readStored(engine, store.domainId(), "second", second);
        // The index has not changed: the same again is known.
        assertEquals(0, Walk.put(engine, "third", first).newBytes());
        // And what is dead in it comes back.
        engine.deleteItem(Walk.commandId("d1"), store.id(), "first");
        engine.deleteItem(Walk.commandId("d3"), store.id(), "third");
        engine.runHousekeeping(store.domainId());
        assertTrue(
            engine.domainStatistics(store.domainId()).uniqueBytes() < after.uniqueBytes() * 0.7);
        assertArrayEquals(second, Walk.get(engine, "second"));
      }
      return true;
    });
    var again = simulation.afterPowerLoss(seed);
    again.run(() -> {
      try (Engine engine = Engine.open(again.device(), again.scheduler(), SETTINGS)) {
        readStored(engine, Walk.defaultStore(engine).domainId(), "second", second);
        assertArrayEquals(second, Walk.get(engine, "second"));
      }
      return true;
    });
  }

  @Test
  void wholeItemsAndTheirStoredBlocksAreReadBesideIt() throws Exception {
    long seed = Simulation.seed();
    for (int round = 0; round < 4; round++) {
      long now = seed + round;
      var simulation = new Simulation(now);
      byte[] content = content(now, 1_200_000);
      simulation.run(() -> {
        Scheduler scheduler = simulation.scheduler();
        try (Engine engine = Engine.open(simulation.device(), scheduler, SETTINGS)) {
          StoreRecord store = Walk.defaultStore(engine);
          Walk.put(engine, "item", content);
          Walk.put(engine, "dead", Walk.content(now, 400_000));
          engine.deleteItem(Walk.commandId("d"), store.id(), "dead");
          var ended = new AtomicBoolean();
          List<Promise<Boolean>> readers = new ArrayList<>();
          for (int i = 0; i < 2; i++) {
            boolean stored = i == 0;
            Promise<Boolean> done = scheduler.promise();
            readers.add(done);
            scheduler.start(
                "reader",
                () -> {
                  try {
                    do {
                      if (stored) {
                        readStored(engine, store.domainId(), "item", content);
                      } else {
                        assertArrayEquals(content, Walk.get(engine, "item"));
                      }
                    } while (!ended.get());
                    done.complete(true);
                  } catch (IOException | AssertionError e) {
                    done.fail(e);
                  }
                });
          }
          RecompressionStatus status = engine.runRecompression(store.domainId());
          assertTrue(status.doneCount() > 0, status.toString());
          engine.runHousekeeping(store.domainId());
          ended.set(true);
          for (Promise<Boolean> reader : readers) {
            reader.await();
          }
        }
        return true;
      });
    }
  }

  @Test
  void aCrashWhileItRunsLosesNothing() throws Exception {
    long seed = Simulation.seed();
    byte[] content = content(seed, 600_000);
    long calls = 0;
    for (long call = 0; call <= calls; call += 1 + calls / 25) {
      var simulation = new Simulation(seed);
      long crashAt = call;
      try {
        long counted =
            simulation.run(() -> {
              try (Engine engine =
                  Engine.open(simulation.device(), simulation.scheduler(), SETTINGS)) {
                Walk.put(engine, "item", content);
                long from = simulation.device().callCount();
                if (crashAt > 0) {
                  simulation
                      .device()
                      .setFaults(Faults.atCall(from + crashAt, Faults.Outcome.CRASH));
                }
                engine.runRecompression(Walk.defaultStore(engine).domainId());
                return simulation.device().callCount() - from;
              }
            });
        if (call == 0) {
          calls = counted;
        }
      } catch (SimulatedCrash expected) {
        // The power was cut as planned.
      }
      String when = "onefold.seed=" + seed + ", call " + call + " of " + calls;
      var after = simulation.afterPowerLoss(seed + call);
      after.run(() -> {
        try (Engine engine = Engine.open(after.device(), after.scheduler(), SETTINGS)) {
          assertArrayEquals(content, Walk.get(engine, "item"), when);
          engine.runRecompression(Walk.defaultStore(engine).domainId());
          assertArrayEquals(content, Walk.get(engine, "item"), when);
        }
        return true;
      });
    }
  }

  @Test
  void whatNobodyHasReadForLongIsWrittenAnewByItselfUnlessThatIsTurnedOff() throws Exception {
    long seed = Simulation.seed();
    var simulation = new Simulation(seed);
    byte[] content = content(seed, 900_000);
    simulation.run(() -> {
      Scheduler scheduler = simulation.scheduler();
      EngineSettings settings = SETTINGS.withBackgroundHousekeeping(true);
      try (Engine engine = Engine.open(simulation.device(), scheduler, settings)) {
        Id domain = Walk.defaultStore(engine).domainId();
        engine.setRecompression(false);
        Walk.put(engine, "item", content);
        scheduler.park(Duration.ofHours(2));
        assertEquals(0, engine.recompressionStatus(domain).doneCount());
        engine.setRecompression(true);
        for (int i = 0; i < 50 && engine.recompressionStatus(domain).doneCount() == 0; i++) {
          scheduler.park(Duration.ofMinutes(11));
        }
        RecompressionStatus status = engine.recompressionStatus(domain);
        assertTrue(status.doneCount() > 0, status.toString());
        assertArrayEquals(content, Walk.get(engine, "item"));
      }
      return true;
    });
  }
}
