package onefold.store.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import onefold.chunker.ChunkKind;
import onefold.store.CommitMode;
import onefold.store.CommitOutcome;
import onefold.store.Compression;
import onefold.store.CorruptDataException;
import onefold.store.DomainStatistics;
import onefold.store.HousekeepingStatus;
import onefold.store.Id;
import onefold.store.IngestSession;
import onefold.store.ItemSpace;
import onefold.store.ObjectWriter;
import onefold.store.StoreRecord;
import onefold.store.simulation.Faults;
import onefold.store.simulation.SimulatedCrash;
import onefold.store.simulation.SimulatedDevice;
import onefold.store.simulation.Simulation;
import org.junit.jupiter.api.Test;

/** What housekeeping promises, on the simulated disk. */
class HousekeepingTest {
  @FunctionalInterface
  private interface Body {
    void run(Engine engine, SimulatedDevice device) throws Exception;
  }

  private static void onEngine(long seed, Body body) throws Exception {
    var simulation = new Simulation(seed);
    simulation.run(() -> {
      try (Engine engine =
          Engine.open(simulation.device(), simulation.scheduler(), Walk.small(0))) {
        body.run(engine, simulation.device());
      }
      return true;
    });
  }

  private static void delete(Engine engine, String name) throws IOException {
    engine.deleteItem(
        Walk.commandId("delete-" + name + engine.storeTimeMillis()),
        Walk.defaultStore(engine).id(),
        name);
  }

  @Test
  void deletedSpaceComesBackAndWhatIsSharedStays() throws Exception {
    onEngine(
        Simulation.seed(),
        (engine, device) -> {
          StoreRecord store = Walk.defaultStore(engine);
          byte[] shared = Walk.content(1, 900_000);
          byte[] own = Walk.content(2, 1_500_000);
          Walk.put(engine, "a", Walk.joined(shared, own));
          Walk.put(engine, "b", shared);
          long before = device.usedBytes();
          delete(engine, "a");
          HousekeepingStatus status = engine.runHousekeeping(store.domainId());
          assertEquals(HousekeepingStatus.Phase.IDLE, status.phase());
          assertEquals("", status.problem());
          engine.runHousekeeping(store.domainId());
          assertArrayEquals(shared, Walk.get(engine, "b"));
          DomainStatistics after = engine.domainStatistics(store.domainId());
          assertTrue(after.uniqueBytes() < 1_100_000, "unique bytes after: " + after.uniqueBytes());
          assertTrue(device.usedBytes() < before - 500_000, "used " + device.usedBytes());
          Walk.put(engine, "a", Walk.joined(own, shared));
          assertArrayEquals(Walk.joined(own, shared), Walk.get(engine, "a"));
          delete(engine, "a");
          delete(engine, "b");
          engine.runHousekeeping(store.domainId());
          engine.runHousekeeping(store.domainId());
          DomainStatistics empty = engine.domainStatistics(store.domainId());
          assertTrue(empty.uniqueBytes() < 300_000, "unique bytes: " + empty.uniqueBytes());
        });
  }

  @Test
  void whatASessionWasToldIsPresentStaysUntilItsCommit() throws Exception {
    onEngine(
        Simulation.seed(),
        (engine, device) -> {
          StoreRecord store = Walk.defaultStore(engine);
          byte[] content = Walk.content(3, 1_200_000);
          Walk.put(engine, "old", content);
          SourceSide client = new SourceSide(content);
          try (IngestSession session = engine.openIngest(store.id(), "new", Optional.empty())) {
            client.upload(session);
            assertEquals(0, client.sentDataBytes);
            delete(engine, "old");
            engine.runHousekeeping(store.domainId());
            engine.runHousekeeping(store.domainId());
            assertTrue(
                session.commit(
                        client.root(), Walk.request(Walk.commandId("new"), CommitMode.IF_ABSENT))
                    instanceof CommitOutcome.Committed);
          }
          assertArrayEquals(content, Walk.get(engine, "new"));
        });
  }

  @Test
  void whatASessionHasSentAndNotNamedYetStays() throws Exception {
    onEngine(
        Simulation.seed(),
        (engine, device) -> {
          StoreRecord store = Walk.defaultStore(engine);
          byte[] content = Walk.content(4, 1_200_000);
          SourceSide client = new SourceSide(content);
          try (IngestSession session = engine.openIngest(store.id(), "new", Optional.empty())) {
            client.upload(session);
            Walk.put(engine, "other", Walk.content(5, 600_000));
            engine.runHousekeeping(store.domainId());
            engine.runHousekeeping(store.domainId());
            assertTrue(
                session.commit(
                        client.root(), Walk.request(Walk.commandId("new"), CommitMode.IF_ABSENT))
                    instanceof CommitOutcome.Committed);
          }
          assertArrayEquals(content, Walk.get(engine, "new"));
          // An upload that was left without a checkpoint is garbage.
          SourceSide lost = new SourceSide(Walk.content(6, 900_000));
          try (IngestSession session = engine.openIngest(store.id(), "lost", Optional.empty())) {
            lost.upload(session);
          }
          engine.runHousekeeping(store.domainId());
          engine.runHousekeeping(store.domainId());
          DomainStatistics after = engine.domainStatistics(store.domainId());
          assertTrue(
              after.uniqueBytes() < 1_200_000 + 600_000 + 300_000,
              "unique bytes: " + after.uniqueBytes());
        });
  }

  @Test
  void deadNodesAreNotAnsweredPresentAfterTheirChunksHaveGone() throws Exception {
    onEngine(
        Simulation.seed(),
        (engine, device) -> {
          StoreRecord store = Walk.defaultStore(engine);
          byte[] content = Walk.content(7, 2_000_000);
          Walk.put(engine, "dead", content);
          Walk.put(engine, "keep", Walk.content(8, 100_000));
          delete(engine, "dead");
          engine.runHousekeeping(store.domainId());
          SourceSide client = new SourceSide(content);
          try (IngestSession session = engine.openIngest(store.id(), "again", Optional.empty())) {
            client.upload(session);
            assertTrue(
                session.commit(
                        client.root(), Walk.request(Walk.commandId("again"), CommitMode.IF_ABSENT))
                    instanceof CommitOutcome.Committed);
          }
          assertArrayEquals(content, Walk.get(engine, "again"));
          assertArrayEquals(Walk.content(8, 100_000), Walk.get(engine, "keep"));
        });
  }

  @Test
  void aNodeThatCannotBeReadStopsTheSweep() throws Exception {
    onEngine(
        Simulation.seed(),
        (engine, device) -> {
          StoreRecord store = Walk.defaultStore(engine);
          byte[] content = Walk.content(9, 3_000_000);
          Walk.put(engine, "big", content);
          Walk.put(engine, "dead", Walk.content(10, 1_000_000));
          delete(engine, "dead");
          for (String file : device.files()) {
            if (file.contains("/node/") && !file.contains("/00000000000000000000000000000000/")) {
              device.flipBit(file, 400, 2);
            }
          }
          long before = engine.domainStatistics(store.domainId()).uniqueBytes();
          assertThrows(CorruptDataException.class, () -> engine.runHousekeeping(store.domainId()));
          HousekeepingStatus status = engine.housekeepingStatus(store.domainId());
          assertEquals(HousekeepingStatus.Phase.STOPPED, status.phase());
          assertTrue(!status.problem().isEmpty());
          assertEquals(before, engine.domainStatistics(store.domainId()).uniqueBytes());
        });
  }

  @Test
  void ingestDeletesAndHousekeepingGoOnBesideEachOther() throws Exception {
    long seed = Simulation.seed();
    for (int round = 0; round < 8; round++) {
      besideEachOther(seed + round);
    }
  }

  private static void besideEachOther(long seed) throws Exception {
    var simulation = new Simulation(seed);
    String where = "seed " + seed;
    byte[][] contents = new byte[12][];
    var random = new SplittableRandom(seed);
    for (int i = 0; i < contents.length; i++) {
      // Pieces that are shared among many.
      contents[i] =
          Walk.joined(
              Walk.content(random.nextInt(4), 90_000),
              Walk.content(100 + random.nextInt(5), 60_000),
              Walk.content(random.nextInt(4), 90_000));
    }
    simulation.run(() -> {
      var scheduler = simulation.scheduler();
      try (Engine engine = Engine.open(simulation.device(), scheduler, Walk.small())) {
        StoreRecord store = Walk.defaultStore(engine);
        var done = new java.util.ArrayList<onefold.store.scheduler.Promise<Boolean>>();
        for (int w = 0; w < 3; w++) {
          int writer = w;
          var promise = scheduler.<Boolean>promise();
          done.add(promise);
          scheduler.start(
              "client-" + w,
              () -> {
                try {
                  for (int i = writer; i < contents.length; i += 3) {
                    if (i % 2 == 0) {
                      Walk.put(engine, "item-" + i, contents[i]);
                    } else {
                      SourceSide client = new SourceSide(contents[i]);
                      try (IngestSession session =
                          engine.openIngest(store.id(), "item-" + i, Optional.empty())) {
                        client.upload(session);
                        var outcome =
                            session.commit(
                                client.root(),
                                Walk.request(Walk.commandId("item-" + i), CommitMode.REPLACE));
                        assertTrue(outcome instanceof CommitOutcome.Committed, where);
                      }
                    }
                    assertArrayEquals(contents[i], Walk.get(engine, "item-" + i), where);
                    if (i % 4 == 1) {
                      delete(engine, "item-" + i);
                    }
                  }
                  promise.complete(true);
                } catch (IOException | RuntimeException | AssertionError e) {
                  promise.fail(e);
                }
              });
        }
        for (int i = 0; i < 4; i++) {
          engine.runHousekeeping(store.domainId());
        }
        for (var promise : done) {
          promise.await();
        }
        engine.runHousekeeping(store.domainId());
        check(engine, contents, where);
      }
      return true;
    });
    var after = simulation.afterPowerLoss(seed);
    after.run(() -> {
      try (Engine engine = Engine.open(after.device(), after.scheduler(), Walk.small())) {
        check(engine, contents, where + " after a restart");
      }
      return true;
    });
  }

  private static void check(Engine engine, byte[][] contents, String where) throws IOException {
    for (int i = 0; i < contents.length; i++) {
      if (i % 4 != 1) {
        assertArrayEquals(contents[i], Walk.get(engine, "item-" + i), where + ", item " + i);
      }
    }
  }

  @Test
  void aCrashWhileHousekeepingRunsLosesNothing() throws Exception {
    long seed = Simulation.seed();
    long calls = 0;
    for (long call = 0; call <= calls; call += 1 + calls / 60) {
      var simulation = new Simulation(seed);
      byte[] keep = Walk.joined(Walk.content(1, 400_000), Walk.content(2, 200_000));
      long crashAt = call;
      try {
        long counted =
            simulation.run(() -> {
              try (Engine engine =
                  Engine.open(simulation.device(), simulation.scheduler(), Walk.small())) {
                StoreRecord store = Walk.defaultStore(engine);
                Walk.put(
                    engine,
                    "dead",
                    Walk.joined(Walk.content(1, 400_000), Walk.content(3, 700_000)));
                Walk.put(engine, "keep", keep);
                delete(engine, "dead");
                long first = simulation.device().callCount();
                if (crashAt > 0) {
                  simulation
                      .device()
                      .setFaults(Faults.atCall(first + crashAt, Faults.Outcome.CRASH));
                }
                engine.runHousekeeping(store.domainId());
                return simulation.device().callCount() - first;
              }
            });
        if (call == 0) {
          calls = counted;
        }
      } catch (SimulatedCrash expected) {
        // The power was cut as planned.
      }
      String where = "seed " + seed + ", call " + call;
      var after = simulation.afterPowerLoss(seed + call);
      after.run(() -> {
        try (Engine engine = Engine.open(after.device(), after.scheduler(), Walk.small())) {
          StoreRecord store = Walk.defaultStore(engine);
          assertArrayEquals(keep, Walk.get(engine, "keep"), where);
          engine.runHousekeeping(store.domainId());
          engine.runHousekeeping(store.domainId());
          assertArrayEquals(keep, Walk.get(engine, "keep"), where);
          long unique = engine.domainStatistics(store.domainId()).uniqueBytes();
          assertTrue(unique < 900_000, where + ": unique bytes " + unique);
          byte[] again = Walk.joined(Walk.content(1, 400_000), Walk.content(3, 700_000));
          SourceSide client = new SourceSide(again);
          try (IngestSession session = engine.openIngest(store.id(), "again", Optional.empty())) {
            client.upload(session);
            session.commit(
                client.root(), Walk.request(Walk.commandId("again"), CommitMode.REPLACE));
          }
          assertArrayEquals(again, Walk.get(engine, "again"), where);
        }
        return true;
      });
    }
  }

  @Test
  void aBrokenUploadResumesFromItsCheckpointWithTheRootOfAnUnbrokenOne() throws Exception {
    long seed = Simulation.seed();
    byte[] content = Walk.content(11, 2_500_000);
    var simulation = new Simulation(seed);
    onefold.store.Id[] upload = new onefold.store.Id[1];
    simulation.run(() -> {
      try (Engine engine = Engine.open(simulation.device(), simulation.scheduler(), Walk.small())) {
        StoreRecord store = Walk.defaultStore(engine);
        SourceSide half = new SourceSide(Arrays.copyOf(content, 1_300_000));
        IngestSession session = engine.openIngest(store.id(), "item", Optional.empty());
        half.upload(session);
        var checkpoint = simulation.scheduler().await(session.checkpoint(half.root()));
        assertEquals(1_300_000, checkpoint.root().lengthBytes());
        upload[0] = session.uploadId();
        // Nobody closes the session: the power goes.
      }
      return true;
    });
    var after = simulation.afterPowerLoss(seed);
    after.run(() -> {
      try (Engine engine = Engine.open(after.device(), after.scheduler(), Walk.small())) {
        StoreRecord store = Walk.defaultStore(engine);
        assertEquals(1, engine.unfinishedUploads(store.id()).size());
        engine.runHousekeeping(store.domainId());
        engine.runHousekeeping(store.domainId());
        try (ObjectWriter writer =
            engine.openWriter(store.id(), "item", Optional.of(upload[0]), Compression.LZ4)) {
          assertEquals(1_300_000, writer.positionBytes());
          assertEquals(1_300_000, writer.durableBytes());
          writer.write(content, 1_300_000, content.length - 1_300_000);
          writer.commit(Walk.request(Walk.commandId("item"), CommitMode.IF_ABSENT));
        }
        assertArrayEquals(content, Walk.get(engine, "item"));
        assertEquals(0, engine.unfinishedUploads(store.id()).size());
        var whole = Walk.put(engine, "whole", content);
        // The first half ended at the end of its stream, where an unbroken one may not cut.
        assertTrue(whole.newBytes() < 70_000, "new bytes " + whole.newBytes());
      }
      return true;
    });
  }

  @Test
  void answersAboutManyChunksAtOnceAreRight() throws Exception {
    onEngine(
        Simulation.seed(),
        (engine, device) -> {
          StoreRecord store = Walk.defaultStore(engine);
          byte[] content = Walk.content(12, 1_000_000);
          Walk.put(engine, "item", content);
          SourceSide same = new SourceSide(content);
          SourceSide other = new SourceSide(Walk.content(13, 1_000_000));
          try (IngestSession session = engine.openIngest(store.id(), "x", Optional.empty())) {
            var batch = same.allChunks();
            int known = batch.count();
            var unknown = other.allChunks();
            for (int i = 0; i < unknown.count(); i++) {
              batch.add(unknown.fingerprint(i), unknown.lengthBytes(i));
            }
            long[] bits = session.have(batch);
            for (int i = 0; i < batch.count(); i++) {
              assertEquals(i < known, (bits[i >>> 6] >>> i & 1) != 0, "chunk " + i);
            }
            assertEquals(ChunkKind.DATA, batch.kind());
          }
        });
  }

  @Test
  void aPauseOutlivesAPowerCutAndTheCycleWaitsForItsEnd() throws Exception {
    long seed = Simulation.seed();
    var simulation = new Simulation(seed);
    simulation.run(() -> {
      try (Engine engine = Engine.open(simulation.device(), simulation.scheduler(), Walk.small())) {
        Walk.put(engine, "dead", Walk.content(1, 900_000));
        engine.runHousekeeping(Walk.defaultStore(engine).domainId());
        delete(engine, "dead");
        engine.pauseHousekeeping(true);
        // Nobody closes the store: the power goes.
      }
      return true;
    });
    var after = simulation.afterPowerLoss(seed);
    after.run(() -> {
      try (Engine engine = Engine.open(after.device(), after.scheduler(), Walk.small())) {
        Id domain = Walk.defaultStore(engine).domainId();
        HousekeepingStatus status = engine.housekeepingStatus(domain);
        assertEquals(HousekeepingStatus.Phase.PAUSED, status.phase());
        assertEquals(1, status.cycle(), "the finished cycle is remembered");
        assertTrue(status.lastFinishedAtMillis() > 0);
        var done = after.scheduler().<HousekeepingStatus>promise();
        after
            .scheduler()
            .start(
                "operator",
                () -> {
                  try {
                    done.complete(engine.runHousekeeping(domain));
                  } catch (IOException e) {
                    done.fail(e);
                  }
                });
        after.scheduler().park(Duration.ofSeconds(30));
        assertTrue(!done.isDone(), "it waits while it is paused");
        engine.pauseHousekeeping(false);
        assertEquals(2, done.await().cycle());
        assertEquals(0, engine.domainStatistics(domain).uniqueBytes());
      }
      return true;
    });
  }

  @Test
  void afterAStartACycleBeginsByItselfAndGivesBackWhatACrashHasLeft() throws Exception {
    long seed = Simulation.seed();
    var simulation = new Simulation(seed);
    simulation.run(() -> {
      try (Engine engine = Engine.open(simulation.device(), simulation.scheduler(), Walk.small())) {
        Walk.put(engine, "dead", Walk.content(1, 900_000));
        Walk.put(engine, "keep", Walk.content(2, 100_000));
        delete(engine, "dead");
      }
      return true;
    });
    var after = simulation.afterPowerLoss(seed);
    after.run(() -> {
      EngineSettings settings = Walk.small().withBackgroundHousekeeping(true);
      try (Engine engine = Engine.open(after.device(), after.scheduler(), settings)) {
        Id domain = Walk.defaultStore(engine).domainId();
        assertTrue(engine.housekeepingStatus(domain).wanted());
        assertTrue(engine.domainStatistics(domain).uniqueBytes() >= 900_000);
        // The scheduler may let the time of a wait pass before others have run.
        for (int i = 0; i < 30 && engine.housekeepingStatus(domain).cycle() == 0; i++) {
          after.scheduler().park(Duration.ofSeconds(30));
        }
        HousekeepingStatus status = engine.housekeepingStatus(domain);
        assertEquals(1, status.cycle(), status.toString());
        assertTrue(engine.domainStatistics(domain).uniqueBytes() < 400_000);
        assertArrayEquals(Walk.content(2, 100_000), Walk.get(engine, "keep"));
      }
      return true;
    });
  }

  @Test
  void perItemItIsKnownWhatWouldComeBackAndWhen() throws Exception {
    onEngine(
        Simulation.seed(),
        (engine, device) -> {
          StoreRecord store = Walk.defaultStore(engine);
          byte[] shared = Walk.content(1, 600_000);
          byte[] own = Walk.content(2, 1_500_000);
          Walk.put(engine, "a", Walk.joined(shared, own));
          Walk.put(engine, "b", shared);
          assertEquals(Optional.empty(), engine.itemSpace(store.id(), "a"));
          engine.runHousekeeping(store.domainId());
          ItemSpace a = engine.itemSpace(store.id(), "a").orElseThrow();
          assertTrue(a.exact());
          assertEquals(1_500_000.0, (double) a.uniqueBytes(), 140_000, "a alone");
          assertEquals(1.0, (double) a.freedBytes() / a.uniqueBytes(), 0.02, a.toString());
          assertTrue(a.freedAtOnceBytes() > a.freedBytes() / 2, a.toString());
          assertTrue(a.freedByMillis() > engine.storeTimeMillis() - 1000);
          ItemSpace b = engine.itemSpace(store.id(), "b").orElseThrow();
          assertTrue(b.uniqueBytes() < 70_000, "b has its last chunk alone at most: " + b);
          engine.cloneItem(
              Walk.commandId("c"), store.id(), "a", store.id(), "c", CommitMode.IF_ABSENT);
          engine.updateItem(Walk.commandId("h"), store.id(), "b", new TreeMap<>(), true, 0);
          engine.runHousekeeping(store.domainId());
          assertEquals(0, engine.itemSpace(store.id(), "a").orElseThrow().uniqueBytes());
          assertEquals(0, engine.itemSpace(store.id(), "c").orElseThrow().freedBytes());
          assertEquals(0, engine.itemSpace(store.id(), "b").orElseThrow().freedByMillis());
          delete(engine, "c");
          engine.runHousekeeping(store.domainId());
          long before = engine.housekeepingStatus(store.domainId()).reclaimedBytes();
          long promised = engine.itemSpace(store.id(), "a").orElseThrow().freedAtOnceBytes();
          delete(engine, "a");
          HousekeepingStatus after = engine.runHousekeeping(store.domainId());
          assertTrue(
              after.reclaimedBytes() - before >= promised,
              "promised " + promised + ", " + after.reclaimedBytes() + " less " + before);
        });
  }

  @Test
  void copyingForwardReadsNoMoreThanItsLiveShareAllows() throws Exception {
    long seed = Simulation.seed();
    var random = new SplittableRandom(seed);
    for (int round = 0; round < 4; round++) {
      int livePercent = 10 + random.nextInt(55);
      onEngine(
          seed + round,
          (engine, device) -> {
            StoreRecord store = Walk.defaultStore(engine);
            byte[][] keep = new byte[12][];
            byte[][] all = new byte[24][];
            for (int i = 0; i < keep.length; i++) {
              keep[i] = Walk.content(i, 3_000 * livePercent);
              all[2 * i] = keep[i];
              all[2 * i + 1] = Walk.content(100 + i, 300_000 - keep[i].length);
            }
            Walk.put(engine, "all", Walk.joined(all));
            Walk.put(engine, "keep", Walk.joined(keep));
            delete(engine, "all");
            HousekeepingStatus status = engine.runHousekeeping(store.domainId());
            String where = "onefold.seed=" + seed + ", " + livePercent + " % live: " + status;
            assertTrue(status.copyFreedBytes() > 0, where);
            double bound = 1 / (1 - (livePercent + 6) / 100.0);
            double read = (double) status.copyReadBytes() / status.copyFreedBytes();
            assertTrue(read <= bound, where + ": " + read + " bytes a byte, bound " + bound);
            assertArrayEquals(Walk.joined(keep), Walk.get(engine, "keep"), where);
          });
    }
  }
}
