package onefold.store.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;
import onefold.store.StoreRecord;
import onefold.store.scheduler.Promise;
import onefold.store.simulation.Simulation;
import org.junit.jupiter.api.Test;

/** With the option no two objects share what is not equal, whatever fingerprints say. */
class VerifyOnMatchTest {
  private static final int ITEMS = 60;
  private static final int WRITERS = 3;

  private final long seed = Simulation.seed();

  /**
   * The catalog stays in memory: its pages, whose fingerprints are cut too, are compared by nobody.
   */
  private static EngineSettings withoutPages() {
    EngineSettings small = Walk.small();
    return new EngineSettings(
        small.containers(),
        small.index(),
        small.journal(),
        small.catalogCacheBytes(),
        1L << 30,
        small.reserveBytes(),
        small.backgroundHousekeeping());
  }

  /** What came of uploads with fingerprints of 16 bits. */
  private record Outcome(int taken, int refused, int mixed) {}

  private Outcome withShortFingerprints(long simulationSeed, boolean verify) throws Exception {
    var simulation = new Simulation(simulationSeed);
    try (CutFingerprints _ = new CutFingerprints()) {
      return simulation.run(() -> {
        try (Engine engine =
            Engine.open(simulation.device(), simulation.scheduler(), withoutPages())) {
          Id domain = Walk.defaultStore(engine).domainId();
          if (verify) {
            engine.verifyMatches(domain, true);
          }
          return uploads(engine, simulation);
        }
      });
    }
  }

  private Outcome uploads(Engine engine, Simulation simulation) throws IOException {
    Map<String, byte[]> taken = new HashMap<>();
    int[] refused = new int[1];
    List<Promise<Boolean>> writers = new ArrayList<>();
    for (int w = 0; w < WRITERS; w++) {
      int writer = w;
      Promise<Boolean> done = simulation.scheduler().promise();
      writers.add(done);
      simulation
          .scheduler()
          .start(
              "writer-" + w,
              () -> {
                try {
                  for (int i = writer; i < ITEMS; i += WRITERS) {
                    byte[] content = content(i);
                    try {
                      Walk.put(engine, "item" + i, content);
                      taken.put("item" + i, content);
                    } catch (RefusedException e) {
                      assertEquals(Reason.CONFLICT, e.reason(), e.getMessage());
                      refused[0]++;
                    }
                  }
                  done.complete(true);
                } catch (Throwable thrown) { // Handed to whoever waits.
                  done.fail(thrown);
                }
              });
    }
    for (Promise<Boolean> each : writers) {
      each.await();
    }
    int mixed = 0;
    for (Map.Entry<String, byte[]> each : taken.entrySet()) {
      if (!isReadAsWritten(engine, each.getKey(), each.getValue())) {
        mixed++;
      }
    }
    return new Outcome(taken.size(), refused[0], mixed);
  }

  private byte[] content(int item) {
    byte[] shared = Walk.content(seed + item % 7, 40_000); // Something to share.
    return Walk.joined(shared, Walk.content(seed + 100 + item, 200_000), shared);
  }

  private static boolean isReadAsWritten(Engine engine, String name, byte[] content)
      throws IOException {
    try {
      return Arrays.equals(content, Walk.get(engine, name));
    } catch (CorruptDataException e) {
      return false; // The other chunk has another length: found out by chance.
    }
  }

  @Test
  void withFingerprintsOf16BitsNoObjectMixesContent() throws Exception {
    int refused = 0;
    for (int round = 0; round < 4; round++) {
      Outcome outcome = withShortFingerprints(seed + round, true);
      String where = outcome + ", onefold.seed=" + (seed + round);
      assertEquals(0, outcome.mixed(), where);
      assertTrue(outcome.taken() > ITEMS / 4, where);
      refused += outcome.refused();
    }
    assertTrue(refused > 0, "nothing collided, onefold.seed=" + seed);
  }

  /** So that the test above is known to look. */
  @Test
  void withoutTheOptionTheyDo() throws Exception {
    int mixed = 0;
    for (int round = 0; round < 4; round++) {
      mixed += withShortFingerprints(seed + round, false).mixed();
    }
    assertTrue(mixed > 0, "nothing was mixed, onefold.seed=" + seed);
  }

  @Test
  void whatIsEqualIsSharedAsBeforeAndTheOptionLasts() throws Exception {
    byte[] content =
        Walk.joined(Walk.content(1, 300_000), new byte[400_000], Walk.content(1, 9_000));
    var simulation = new Simulation(seed);
    simulation.run(() -> {
      try (Engine engine = Engine.open(simulation.device(), simulation.scheduler(), Walk.small())) {
        StoreRecord store = Walk.defaultStore(engine);
        assertFalse(engine.verifiesMatches(store.domainId()));
        engine.verifyMatches(store.domainId(), true);
        long first = Walk.put(engine, "first", content).newBytes();
        assertTrue(first < 450_000, first + " new bytes");
        assertEquals(0, Walk.put(engine, "second", content).newBytes());
        assertArrayEquals(content, Walk.get(engine, "second"));
        RefusedException refused =
            assertThrows(
                RefusedException.class,
                () -> engine.openIngest(store.id(), "third", Optional.empty()));
        assertEquals(Reason.BYTES_NEEDED, refused.reason());
      }
      return true;
    });
    var again = simulation.afterProcessEnd(seed);
    again.run(() -> {
      try (Engine engine = Engine.open(again.device(), again.scheduler(), Walk.small())) {
        StoreRecord store = Walk.defaultStore(engine);
        assertTrue(engine.verifiesMatches(store.domainId()));
        engine.scrubbing(store.domainId()).keepParity(true);
        assertTrue(engine.verifiesMatches(store.domainId()), "one option is not the other's");
        engine.verifyMatches(store.domainId(), false);
        assertTrue(engine.scrubbing(store.domainId()).keepsParity());
        engine.openIngest(store.id(), "third", Optional.empty()).close();
      }
      return true;
    });
  }

  @Test
  void whatCannotBeReadToBeComparedIsStoredAgainAndHeals() throws Exception {
    byte[] content = Walk.content(seed, 600_000);
    var simulation = new Simulation(seed);
    simulation.run(() -> {
      var random = new SplittableRandom(seed);
      try (Engine engine =
          Engine.open(simulation.device(), simulation.scheduler(), Walk.small(0))) {
        engine.verifyMatches(Walk.defaultStore(engine).domainId(), true);
        Walk.put(engine, "first", content);
        for (String file : simulation.device().files()) {
          if (file.contains("/data/") && file.endsWith(".container")) {
            simulation.device().flipBit(file, 1_000 + random.nextInt(100_000), 3);
          }
        }
        assertTrue(Walk.put(engine, "second", content).newBytes() > 0);
        assertArrayEquals(content, Walk.get(engine, "first"));
        assertArrayEquals(content, Walk.get(engine, "second"));
      }
      return true;
    });
  }
}
