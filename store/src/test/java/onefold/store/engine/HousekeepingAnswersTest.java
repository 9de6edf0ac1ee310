package onefold.store.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashSet;
import java.util.Optional;
import java.util.SplittableRandom;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;
import onefold.store.CommitMode;
import onefold.store.CommitOutcome;
import onefold.store.IngestSession;
import onefold.store.StoreRecord;
import onefold.store.scheduler.TaskHandle;
import onefold.store.simulation.Simulation;
import org.junit.jupiter.api.Test;

/** What housekeeping and answers beside it say stays true, whatever comes between. */
class HousekeepingAnswersTest {
  private static final int ROUNDS = 12;

  /** Most questions of a round; a sweep that is stalled passes without them. */
  private static final int QUESTIONS = 1000;

  @Test
  void whatIsAnsweredPresentWhileASweepPassesStaysPresent() throws Exception {
    long seed = Simulation.seed();
    for (int round = 0; round < ROUNDS; round++) {
      askWhileASweepPasses(seed + round);
    }
  }

  private static void askWhileASweepPasses(long seed) throws Exception {
    var simulation = new Simulation(seed);
    var random = new SplittableRandom(seed);
    simulation.run(() -> {
      var scheduler = simulation.scheduler();
      try (Engine engine = Engine.open(simulation.device(), scheduler, Walk.small())) {
        StoreRecord store = Walk.defaultStore(engine);
        byte[] content = Walk.content(seed, 400_000);
        Walk.put(engine, "dead", content);
        Walk.put(engine, "keep", Walk.content(seed + 1, 10_000));
        engine.deleteItem(Walk.commandId("delete"), store.id(), "dead");
        SourceSide client = new SourceSide(content);
        FingerprintBatch chunks = client.allChunks();
        var answered = new HashSet<Fingerprint>();
        try (IngestSession session = engine.openIngest(store.id(), "new", Optional.empty())) {
          TaskHandle sweep =
              scheduler.start(
                  "sweep",
                  () -> {
                    try {
                      engine.runHousekeeping(store.domainId());
                    } catch (IOException e) {
                      throw new UncheckedIOException(e);
                    }
                  });
          for (int asked = 0; asked < QUESTIONS && !sweep.isDone(); asked++) {
            int row = random.nextInt(chunks.count());
            var one = new FingerprintBatch(ChunkKind.DATA, 1);
            one.add(chunks.fingerprint(row), chunks.lengthBytes(row));
            if (session.have(one)[0] != 0) {
              answered.add(chunks.fingerprint(row));
            }
          }
          sweep.join();
          long[] now = session.have(chunks);
          for (int row = 0; row < chunks.count(); row++) {
            boolean present = (now[row >>> 6] >>> row & 1) != 0;
            assertTrue(
                present || !answered.contains(chunks.fingerprint(row)),
                "answered present and gone, seed " + seed + ", chunk " + row);
          }
        }
      }
      return true;
    });
  }

  @Test
  void deadNodesStayOutOfReachWhenTheProcessIsKilledAfterACycle() throws Exception {
    long seed = Simulation.seed();
    var simulation = new Simulation(seed);
    byte[] dead = Walk.content(1, 600_000);
    byte[] keep = Walk.content(2, 6_000_000);
    var engine = new Engine[1];
    simulation.run(() -> {
      engine[0] = Engine.open(simulation.device(), simulation.scheduler(), Walk.small());
      StoreRecord store = Walk.defaultStore(engine[0]);
      Walk.put(engine[0], "dead", dead);
      Walk.put(engine[0], "keep", keep);
      engine[0].deleteItem(Walk.commandId("delete"), store.id(), "dead");
      engine[0].runHousekeeping(store.domainId());
      return true; // Nobody closes the engine: the process is killed.
    });
    var after = simulation.afterProcessEnd(seed);
    after.run(() -> {
      try (Engine again = Engine.open(after.device(), after.scheduler(), Walk.small())) {
        StoreRecord store = Walk.defaultStore(again);
        SourceSide client = new SourceSide(dead);
        try (IngestSession session = again.openIngest(store.id(), "new", Optional.empty())) {
          client.upload(session);
          assertTrue(
              session.commit(
                      client.root(), Walk.request(Walk.commandId("new"), CommitMode.IF_ABSENT))
                  instanceof CommitOutcome.Committed);
        }
        assertArrayEquals(dead, Walk.get(again, "new"), "seed " + seed);
        assertArrayEquals(keep, Walk.get(again, "keep"), "seed " + seed);
      }
      return true;
    });
  }

  /** Whether the server says that it has all below the root of an item. */
  private static boolean isTrusted(Engine engine, byte[] content) throws Exception {
    StoreRecord store = Walk.defaultStore(engine);
    var root = new FingerprintBatch(ChunkKind.NODE, 1);
    root.add(new SourceSide(content).root().node(), 0);
    try (IngestSession session = engine.openIngest(store.id(), "asked", Optional.empty())) {
      return session.have(root)[0] != 0;
    }
  }

  @Test
  void afterTheLossOfAnIndexNoNodeIsTrustedUntilACycleHasEndedWhateverRestartsThereAre()
      throws Exception {
    long seed = Simulation.seed();
    var simulation = new Simulation(seed);
    byte[] dead = Walk.content(1, 600_000);
    byte[] keep = Walk.content(2, 6_000_000);
    simulation.run(() -> {
      try (Engine engine = Engine.open(simulation.device(), simulation.scheduler(), Walk.small())) {
        StoreRecord store = Walk.defaultStore(engine);
        Walk.put(engine, "dead", dead);
        Walk.put(engine, "keep", keep);
        engine.deleteItem(Walk.commandId("delete"), store.id(), "dead");
        engine.runHousekeeping(store.domainId());
        assertTrue(isTrusted(engine, keep));
        assertFalse(isTrusted(engine, dead));
      }
      return true;
    });
    for (boolean whole : new boolean[] {true, false}) {
      Simulation next = simulation.afterProcessEnd(seed);
      for (String file : next.device().files()) {
        boolean manifest = file.endsWith("/manifest");
        if (file.contains("/index/") && !file.contains("0".repeat(32)) && (whole || manifest)) {
          if (whole) {
            next.device().deleteAtRest(file);
          } else {
            next.device().flipBit(file, 70, 1);
          }
        }
      }
      for (int start = 0; start < 4; start++) {
        boolean kill = start % 2 == 1;
        Simulation now = next;
        String when = "start " + start + ", seed " + seed;
        now.run(() -> {
          Engine engine = Engine.open(now.device(), now.scheduler(), Walk.small());
          assertFalse(isTrusted(engine, dead), when);
          assertFalse(isTrusted(engine, keep), when);
          if (!kill) {
            engine.close();
          }
          return true;
        });
        next = now.afterProcessEnd(seed + start);
      }
      Simulation mended = next;
      mended.run(() -> {
        Engine engine = Engine.open(mended.device(), mended.scheduler(), Walk.small());
        engine.runHousekeeping(Walk.defaultStore(engine).domainId());
        assertTrue(isTrusted(engine, keep));
        return true; // The process is killed.
      });
      Simulation last = mended.afterProcessEnd(seed);
      last.run(() -> {
        try (Engine engine = Engine.open(last.device(), last.scheduler(), Walk.small())) {
          assertTrue(isTrusted(engine, keep));
          assertFalse(isTrusted(engine, dead));
          Walk.put(engine, "again", dead);
          assertArrayEquals(dead, Walk.get(engine, "again"), "seed " + seed);
        }
        return true;
      });
    }
  }

  @Test
  void nodesThatARepairBringsBackAreNotTrustedAfterARestartEither() throws Exception {
    long seed = Simulation.seed();
    var simulation = new Simulation(seed);
    byte[] content = Walk.content(1, 600_000);
    simulation.run(() -> {
      Engine engine = Engine.open(simulation.device(), simulation.scheduler(), Walk.small());
      Walk.put(engine, "item", content);
      assertTrue(isTrusted(engine, content));
      engine.domain(Walk.defaultStore(engine).domainId()).nodesResurrected();
      assertFalse(isTrusted(engine, content));
      return true; // The process is killed.
    });
    Simulation after = simulation.afterProcessEnd(seed);
    after.run(() -> {
      try (Engine engine = Engine.open(after.device(), after.scheduler(), Walk.small())) {
        assertFalse(isTrusted(engine, content));
        engine.runHousekeeping(Walk.defaultStore(engine).domainId());
        assertTrue(isTrusted(engine, content));
      }
      return true;
    });
  }
}
