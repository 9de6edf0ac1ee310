package onefold.store.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import onefold.block.BlockReader;
import onefold.chunker.FingerprintBatch;
import onefold.store.CommitMode;
import onefold.store.CommitOutcome;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.IngestSession;
import onefold.store.ItemListing;
import onefold.store.ItemQuery;
import onefold.store.ItemRecord;
import onefold.store.LostNames;
import onefold.store.ObjectReader;
import onefold.store.RefusedException;
import onefold.store.StoreFullException;
import onefold.store.StoreRecord;
import onefold.store.StoredChunks;
import onefold.store.device.DeviceFile;
import onefold.store.simulation.SimulatedDevice;
import onefold.store.simulation.Simulation;
import org.junit.jupiter.api.Test;

/** Damaged files and full disks: what is affected says so, the rest is served. */
class DamageTest {
  @FunctionalInterface
  private interface Body {
    void run(Engine engine, SimulatedDevice device) throws Exception;
  }

  @FunctionalInterface
  private interface BeforeTheStart {
    void change(SimulatedDevice device) throws Exception;
  }

  private static Simulation onEngine(Simulation simulation, Body body) throws Exception {
    return onEngine(simulation, device -> {}, body);
  }

  private static Simulation onEngine(Simulation simulation, BeforeTheStart first, Body body)
      throws Exception {
    simulation.run(() -> {
      first.change(simulation.device());
      try (Engine engine =
          Engine.open(simulation.device(), simulation.scheduler(), Walk.small(0))) {
        body.run(engine, simulation.device());
      }
      return true;
    });
    return simulation;
  }

  private static List<String> containers(SimulatedDevice device, String kind) {
    List<String> files = new ArrayList<>();
    for (String file : device.files()) {
      if (file.contains("/" + kind + "/") && !file.contains("/" + new Id(0, 0) + "/")) {
        files.add(file);
      }
    }
    return files;
  }

  /** Damages a byte in the middle of each file. */
  private static void damage(SimulatedDevice device, List<String> files) throws IOException {
    for (String file : files) {
      device.flipBit(file, 700, 5);
    }
  }

  @Test
  void aDamagedBlockFailsTheItemsThatNeedItAndNoOther() throws Exception {
    long seed = Simulation.seed();
    byte[] first = Walk.content(1, 200_000);
    byte[] second = Walk.content(2, 700_000);
    var before =
        onEngine(
            new Simulation(seed),
            (engine, device) -> {
              Walk.put(engine, "first", first);
              Walk.put(engine, "second", second);
            });
    var after = before.afterProcessEnd(seed);
    damage(after.device(), containers(after.device(), "data").subList(0, 1));
    onEngine(
        after,
        (engine, device) -> {
          assertThrows(CorruptDataException.class, () -> Walk.get(engine, "first"));
          assertArrayEquals(second, Walk.get(engine, "second"));
          // Still damaged, never "not found", and the ranges that are sound can be read.
          assertThrows(CorruptDataException.class, () -> Walk.get(engine, "first"));
          StoreRecord store = Walk.defaultStore(engine);
          ItemRecord item = engine.findItem(store.id(), "first").orElseThrow();
          try (ObjectReader reader = engine.openReader(store.domainId(), item.root())) {
            byte[] tail = new byte[10_000];
            int n = reader.read(190_000, tail, 0, 10_000);
            assertArrayEquals(
                Arrays.copyOfRange(first, 190_000, 190_000 + n), Arrays.copyOf(tail, n));
          }
        });
  }

  @Test
  void aContainerCutShortFailsTheItemsInItHealsAndHarmsNoOther() throws Exception {
    long seed = Simulation.seed();
    byte[] first = Walk.content(1, 200_000);
    byte[] second = Walk.content(2, 700_000);
    for (int kept : new int[] {0, 3, 2}) {
      var before =
          onEngine(
              new Simulation(seed),
              (engine, device) -> {
                Walk.put(engine, "first", first);
                Walk.put(engine, "second", second);
              });
      var after = before.afterProcessEnd(seed);
      var healed =
          onEngine(
                  after,
                  device -> {
                    String container = containers(device, "data").getFirst();
                    try (DeviceFile file = device.open(container, true)) {
                      // At last only the directory at its end is cut, and a block is damaged.
                      long size = kept == 0 ? 0 : file.sizeBytes() / kept;
                      file.truncate(kept == 1 ? size - 16 : size);
                      file.force();
                    }
                    if (kept == 1) {
                      device.flipBit(container, 700, 5);
                    }
                  },
                  (engine, device) -> {
                    assertThrows(CorruptDataException.class, () -> walkStored(engine, "first"));
                    assertThrows(CorruptDataException.class, () -> Walk.get(engine, "first"));
                    for (int round = 0; round < 10 && !isSound(engine, "first"); round++) {
                      Walk.put(engine, "again" + round, first);
                    }
                    for (int round = 0; round < 10 && !isSound(engine, "second"); round++) {
                      Walk.put(engine, "second-again" + round, second);
                    }
                    assertArrayEquals(first, Walk.get(engine, "first"));
                    walkStored(engine, "first");
                    assertArrayEquals(second, Walk.get(engine, "second"));
                  })
              .afterProcessEnd(seed);
      onEngine(
          healed,
          (engine, device) -> {
            assertArrayEquals(first, Walk.get(engine, "first"));
            assertArrayEquals(second, Walk.get(engine, "second"));
          });
    }
  }

  private static boolean isSound(Engine engine, String name) throws IOException {
    try {
      Walk.get(engine, name);
      return true;
    } catch (CorruptDataException e) {
      return false;
    }
  }

  private static void walkStored(Engine engine, String name) throws IOException {
    StoreRecord store = Walk.defaultStore(engine);
    ItemRecord item = engine.findItem(store.id(), name).orElseThrow();
    try (ObjectReader reader = engine.openReader(store.domainId(), item.root());
        StoredChunks chunks = reader.storedChunks(0, reader.lengthBytes())) {
      while (!(chunks.next() instanceof StoredChunks.Step.End)) {
        // Whether it comes to its end is what is asked.
      }
    }
  }

  @Test
  void theNextCopyHealsTheOldItemsAndTheDamagedOneIsNoTargetEvenAfterARestart() throws Exception {
    long seed = Simulation.seed();
    byte[] content = Walk.content(3, 600_000);
    var before =
        onEngine(new Simulation(seed), (engine, device) -> Walk.put(engine, "old", content));
    var damaged = before.afterProcessEnd(seed);
    damage(damaged.device(), containers(damaged.device(), "data").subList(0, 1));
    var restarted =
        onEngine(
                damaged,
                (engine, device) ->
                    assertThrows(CorruptDataException.class, () -> Walk.get(engine, "old")))
            .afterProcessEnd(seed);
    onEngine(
        restarted,
        (engine, device) -> {
          ItemRecord again = Walk.put(engine, "new", content);
          assertTrue(again.newBytes() > 0, "nothing was sent again");
          assertTrue(again.newBytes() < content.length, "everything was sent again");
          assertArrayEquals(content, Walk.get(engine, "new"));
          assertArrayEquals(content, Walk.get(engine, "old"));
        });
  }

  @Test
  void aClientThatAsksFirstHealsToo() throws Exception {
    long seed = Simulation.seed();
    byte[] content = Walk.content(4, 1_200_000);
    var before =
        onEngine(new Simulation(seed), (engine, device) -> Walk.put(engine, "old", content));
    var damaged = before.afterProcessEnd(seed);
    damage(damaged.device(), containers(damaged.device(), "data"));
    onEngine(
        damaged,
        (engine, device) -> {
          StoreRecord store = Walk.defaultStore(engine);
          assertThrows(CorruptDataException.class, () -> Walk.get(engine, "old"));
          SourceSide client = new SourceSide(content);
          try (IngestSession session = engine.openIngest(store.id(), "new", Optional.empty())) {
            client.upload(session);
            assertInstanceOf(
                CommitOutcome.Committed.class,
                session.commit(
                    client.root(), Walk.request(Walk.commandId("n"), CommitMode.IF_ABSENT)));
          }
          // One reading finds one damaged block; another upload heals the next one.
          for (int round = 0; round < 10; round++) {
            try {
              assertArrayEquals(content, Walk.get(engine, "old"));
              break;
            } catch (CorruptDataException stillDamaged) {
              try (IngestSession session =
                  engine.openIngest(store.id(), "new" + round, Optional.empty())) {
                client.upload(session);
                session.commit(
                    client.root(), Walk.request(Walk.commandId("n" + round), CommitMode.IF_ABSENT));
              }
            }
          }
          assertArrayEquals(content, Walk.get(engine, "old"));
          assertTrue(client.sentDataBytes > 0);
          assertTrue(client.sentDataBytes < content.length);
        });
  }

  @Test
  void anAnswerThatIsGoneAtTheCommitComesBackAsSendIt() throws Exception {
    long seed = Simulation.seed();
    byte[] content = Walk.content(5, 150_000);
    var before =
        onEngine(new Simulation(seed), (engine, device) -> Walk.put(engine, "old", content));
    var after = before.afterProcessEnd(seed);
    onEngine(
        after,
        (engine, device) -> {
          StoreRecord store = Walk.defaultStore(engine);
          SourceSide client = new SourceSide(content);
          try (IngestSession session = engine.openIngest(store.id(), "new", Optional.empty())) {
            // Its nodes are asked for one by one, so that every chunk is answered.
            FingerprintBatch all = client.allChunks();
            session.have(all);
            client.upload(session);
            damage(device, containers(device, "data"));
            assertThrows(CorruptDataException.class, () -> Walk.get(engine, "old"));
            var request = Walk.request(Walk.commandId("new"), CommitMode.IF_ABSENT);
            var lacking =
                assertInstanceOf(
                    CommitOutcome.Lacking.class, session.commit(client.root(), request));
            assertTrue(lacking.data().count() > 0);
            List<onefold.chunker.Fingerprint> again = new ArrayList<>();
            for (int i = 0; i < lacking.data().count(); i++) {
              again.add(lacking.data().fingerprint(i));
            }
            client.sendData(session, again);
            for (int round = 0; round < 4; round++) {
              client.upload(session);
              if (session.commit(client.root(), request) instanceof CommitOutcome.Committed) {
                break;
              }
            }
          }
          assertArrayEquals(content, Walk.get(engine, "new"));
          assertArrayEquals(content, Walk.get(engine, "old"));
        });
  }

  @Test
  void aLostIndexIsBuiltAgainAndAnswersAsBefore() throws Exception {
    long seed = Simulation.seed();
    byte[] content = Walk.content(6, 900_000);
    var before =
        onEngine(new Simulation(seed), (engine, device) -> Walk.put(engine, "item", content));
    var after = before.afterProcessEnd(seed);
    onEngine(after, (engine, device) -> assertArrayEquals(content, Walk.get(engine, "item")));
    var damaged = after.afterProcessEnd(seed);
    for (String file : damaged.device().files()) {
      if (file.contains("/index/")) {
        damaged.device().truncateAtRest(file, 10);
      }
    }
    onEngine(
        damaged,
        (engine, device) -> {
          assertArrayEquals(content, Walk.get(engine, "item"));
          assertEquals(0, Walk.put(engine, "again", content).newBytes());
          engine.runHousekeeping(Walk.defaultStore(engine).domainId());
          assertArrayEquals(content, Walk.get(engine, "item"));
        });
  }

  /** Fills a store, closes it, and answers what is then to be damaged. */
  private static Simulation filled(long seed, String[] names, byte[][] contents) throws Exception {
    return onEngine(
            new Simulation(seed),
            (engine, device) -> {
              for (int i = 0; i < names.length; i++) {
                Walk.put(engine, names[i], contents[i]);
              }
            })
        .afterProcessEnd(seed);
  }

  private static List<String> files(SimulatedDevice device, String part) {
    return device.files().stream().filter(file -> file.contains(part)).toList();
  }

  @Test
  void aDamagedCatalogIsToldWithItsFileWhenTheStoreIsOpened() throws Exception {
    long seed = Simulation.seed();
    Simulation damaged =
        filled(seed, new String[] {"item"}, new byte[][] {Walk.content(1, 100_000)});
    String catalog = "/" + new Id(0, 0) + "/node/";
    for (String file : files(damaged.device(), catalog)) {
      byte[] whole = damaged.device().peek(file);
      damaged.device().overwriteAtRest(file, 128, new byte[whole.length - 128 - 500]);
    }
    damaged.run(() -> {
      var e =
          assertThrows(
              CorruptDataException.class,
              () -> Engine.open(damaged.device(), damaged.scheduler(), Walk.small(0)));
      assertTrue(e.file().contains(catalog), e::toString);
      assertTrue(e.offsetBytes() >= 0, e::toString);
      return true;
    });
    Simulation missing =
        filled(seed, new String[] {"item"}, new byte[][] {Walk.content(1, 100_000)});
    for (String file : files(missing.device(), catalog)) {
      missing.device().deleteAtRest(file);
    }
    missing.run(() -> {
      var e =
          assertThrows(
              CorruptDataException.class,
              () -> Engine.open(missing.device(), missing.scheduler(), Walk.small(0)));
      assertTrue(e.file().contains(catalog), e::toString);
      return true;
    });
  }

  @Test
  void aListingGoesOnBehindADamagedPartOfTheCatalogAndTellsWhatItLeavesOut() throws Exception {
    long seed = Simulation.seed();
    byte[] content = {1, 2, 3};
    List<String> names = IntStream.range(0, 3000).mapToObj("item-%05d"::formatted).toList();
    Simulation before =
        onEngine(
                new Simulation(seed),
                (engine, device) -> {
                  for (String name : names) {
                    Walk.put(engine, name, content);
                  }
                })
            .afterProcessEnd(seed);
    int withHoles = 0;
    for (String file : files(before.device(), "/" + new Id(0, 0) + "/node/")) {
      int size = before.device().peek(file).length;
      for (int at = 200; at < size; at += 8 << 10) {
        Simulation damaged = before.afterProcessEnd(seed + at);
        damaged.device().flipBit(file, at, 5);
        String where = file + " at " + at + ", seed " + seed;
        withHoles += damaged.run(() -> holesOfAListing(damaged, names, where));
      }
    }
    assertTrue(withHoles > 0, "no damage was met by a listing");
  }

  /** Lists all; answers how many holes are told, and nothing else must be missing. */
  private static int holesOfAListing(Simulation damaged, List<String> names, String where)
      throws IOException {
    try (Engine engine = Engine.open(damaged.device(), damaged.scheduler(), Walk.small(0))) {
      ItemQuery query = new ItemQuery(ItemQuery.Order.NAME, "", new TreeMap<>());
      Set<String> listed = new HashSet<>();
      Set<LostNames> lost = new HashSet<>();
      ItemQuery.Place next = ItemQuery.Place.START;
      while (next != null) {
        ItemListing page = engine.listItems(Walk.defaultStore(engine).id(), query, next, 700);
        page.items().forEach(item -> listed.add(item.name()));
        lost.addAll(page.lost());
        next = page.next();
      }
      for (String name : names) {
        boolean told =
            lost.stream()
                .anyMatch(hole ->
                    hole.from().compareTo(name) <= 0
                        && (hole.until() == null || name.compareTo(hole.until()) < 0));
        assertEquals(!told, listed.contains(name), name + ", " + where + ", lost " + lost);
      }
      for (LostNames hole : lost) {
        assertTrue(hole.damage().contains("/node/"), hole + ", " + where);
      }
      return lost.size();
    } catch (CorruptDataException e) {
      return 0; // What else needs the damaged page is told.
    }
  }

  @Test
  void anItemWhoseRootIsLostIsDamagedAndNotUnknown() throws Exception {
    long seed = Simulation.seed();
    byte[] content = Walk.content(2, 300_000);
    for (boolean missing : new boolean[] {true, false}) {
      Simulation damaged = filled(seed, new String[] {"item"}, new byte[][] {content});
      for (String file : containers(damaged.device(), "node")) {
        if (missing) {
          damaged.device().deleteAtRest(file);
        } else {
          damaged.device().truncateAtRest(file, 128);
        }
      }
      onEngine(
          damaged,
          (engine, device) -> {
            for (int i = 0; i < 2; i++) {
              var e = assertThrows(CorruptDataException.class, () -> Walk.get(engine, "item"));
              assertTrue(
                  e.file().startsWith("domains/") && e.file().contains("/node/"), e::toString);
            }
            StoreRecord store = Walk.defaultStore(engine);
            var other =
                new onefold.chunker.ObjectRoot(
                    onefold.chunker.Fingerprint.of(new byte[32], 0), 0, 5);
            assertEquals(
                RefusedException.Reason.NOT_FOUND,
                assertThrows(
                        RefusedException.class, () -> engine.openReader(store.domainId(), other))
                    .reason());
          });
    }
  }

  @Test
  void aDamagedRunOfAnyIndexIsBuiltAgainWhileWhoeverNeedsItWaits() throws Exception {
    long seed = Simulation.seed();
    byte[] content = Walk.content(3, 700_000);
    Simulation before = filled(seed, new String[] {"item"}, new byte[][] {content});
    for (String file : files(before.device(), "/index/run-")) {
      for (int at : new int[] {8, 4200, 5}) {
        Simulation damaged = before.afterProcessEnd(seed + at);
        long size = damaged.device().peek(file).length;
        damaged.device().flipBit(file, at == 5 ? size - at : at, 3);
        onEngine(
            damaged,
            (engine, device) -> {
              assertArrayEquals(content, Walk.get(engine, "item"));
              assertEquals(0, Walk.put(engine, "again", content).newBytes());
            });
      }
    }
  }

  @Test
  void aBlockAndTheDirectoryBehindItDamagedTogetherAreTold() throws Exception {
    long seed = Simulation.seed();
    byte[] first = Walk.content(4, 150_000);
    byte[] second = Walk.content(5, 150_000);
    Simulation damaged =
        filled(seed, new String[] {"first", "second"}, new byte[][] {first, second});
    damageLastBlockAndTables(damaged.device(), containers(damaged.device(), "data"));
    onEngine(
        damaged,
        (engine, device) -> {
          int told = 0;
          for (String name : new String[] {"first", "second"}) {
            try {
              Walk.get(engine, name);
            } catch (CorruptDataException e) {
              told++;
              assertTrue(e.file().contains("/data/") && e.offsetBytes() > 0, e::toString);
            }
          }
          assertTrue(told > 0);
          // One reading tells all of the block, so that once again is enough.
          Walk.put(engine, "first again", first);
          Walk.put(engine, "second again", second);
          assertArrayEquals(first, Walk.get(engine, "first"));
          assertArrayEquals(second, Walk.get(engine, "second"));
        });
  }

  /** Damages the last block of each file and the tables behind it. */
  private static void damageLastBlockAndTables(SimulatedDevice device, List<String> files)
      throws IOException {
    for (String file : files) {
      byte[] whole = device.peek(file);
      int tables =
          java.nio.ByteBuffer.wrap(whole)
              .order(java.nio.ByteOrder.LITTLE_ENDIAN)
              .getInt(whole.length - 192 + 76);
      device.overwriteAtRest(file, tables - 50, new byte[100]);
    }
  }

  @Test
  void housekeepingKeepsAContainerOfWhichNobodyKnowsAllThatIsInIt() throws Exception {
    long seed = Simulation.seed();
    byte[] kept = Walk.content(4, 20_000);
    byte[] dead = Walk.content(5, 150_000);
    for (boolean indexed : new boolean[] {false, true}) {
      Simulation whole = filled(seed, new String[] {"dead", "kept"}, new byte[][] {dead, kept});
      Simulation damaged =
          indexed ? onEngine(whole, (engine, device) -> {}).afterProcessEnd(seed) : whole;
      damageLastBlockAndTables(damaged.device(), containers(damaged.device(), "data"));
      onEngine(
          damaged,
          (engine, device) -> {
            StoreRecord store = Walk.defaultStore(engine);
            engine.deleteItem(Walk.commandId("delete"), store.id(), "dead");
            engine.runHousekeeping(store.domainId());
            engine.runHousekeeping(store.domainId());
            var told = assertThrows(CorruptDataException.class, () -> Walk.get(engine, "kept"));
            assertTrue(told.file().contains("/data/") && told.offsetBytes() > 0, told::toString);
            // From now on nodes are not trusted, so that a client that asks for the root first
            // heals.
            SourceSide client = new SourceSide(kept);
            try (IngestSession session = engine.openIngest(store.id(), "again", Optional.empty())) {
              client.upload(session);
              assertInstanceOf(
                  CommitOutcome.Committed.class,
                  session.commit(
                      client.root(), Walk.request(Walk.commandId("again"), CommitMode.IF_ABSENT)));
            }
            assertArrayEquals(kept, Walk.get(engine, "kept"));
          });
    }
  }

  @Test
  void aNodeThatIsLostWithItsContainersDirectoryStopsTheSweep() throws Exception {
    long seed = Simulation.seed();
    for (boolean indexed : new boolean[] {false, true}) {
      Simulation whole =
          filled(
              seed,
              new String[] {"dead", "kept"},
              new byte[][] {Walk.content(5, 150_000), Walk.content(4, 150_000)});
      Simulation damaged =
          indexed ? onEngine(whole, (engine, device) -> {}).afterProcessEnd(seed) : whole;
      damageLastBlockAndTables(damaged.device(), containers(damaged.device(), "node"));
      onEngine(
          damaged,
          (engine, device) -> {
            StoreRecord store = Walk.defaultStore(engine);
            engine.deleteItem(Walk.commandId("delete"), store.id(), "dead");
            long before = engine.domainStatistics(store.domainId()).uniqueBytes();
            assertThrows(
                CorruptDataException.class, () -> engine.runHousekeeping(store.domainId()));
            assertEquals(before, engine.domainStatistics(store.domainId()).uniqueBytes());
          });
    }
  }

  @Test
  void whatTheJournalAloneHeldIsNeverSilentlyGone() throws Exception {
    long seed = Simulation.seed();
    Simulation simulation = new Simulation(seed);
    simulation.run(() -> {
      Engine engine = Engine.open(simulation.device(), simulation.scheduler(), Walk.small(0));
      Walk.put(engine, "item", Walk.content(6, 30_000));
      Walk.put(engine, "other", Walk.content(7, 30_000));
      return true; // The process is killed.
    });
    Simulation killed = simulation.afterProcessEnd(seed);
    String newest = files(killed.device(), "journal/0").getLast();
    killed.device().deleteAtRest(newest);
    killed.run(() -> {
      var e =
          assertThrows(
              CorruptDataException.class,
              () -> Engine.open(killed.device(), killed.scheduler(), Walk.small(0)));
      assertTrue(e.file().startsWith("journal"), e::toString);
      return true;
    });
  }

  @Test
  void aSoundCopyInAnOlderContainerIsKeptWhenTheIndexIsBuiltAgain() throws Exception {
    long seed = Simulation.seed();
    byte[] other = Walk.content(7, 20_000);
    byte[] content = Walk.content(8, 100_000);
    Simulation healed =
        onEngine(
            new Simulation(seed),
            (engine, device) -> {
              StoreRecord store = Walk.defaultStore(engine);
              SourceSide first = new SourceSide(other);
              SourceSide healer = new SourceSide(content);
              try (IngestSession early = engine.openIngest(store.id(), "other", Optional.empty());
                  IngestSession late = engine.openIngest(store.id(), "new", Optional.empty())) {
                first.upload(early);
                List<String> before = containers(device, "data");
                healer.upload(late);
                assertInstanceOf(
                    CommitOutcome.Committed.class,
                    late.commit(
                        healer.root(), Walk.request(Walk.commandId("l"), CommitMode.IF_ABSENT)));
                List<String> younger = new ArrayList<>(containers(device, "data"));
                younger.removeAll(before);
                damage(device, younger);
                assertThrows(CorruptDataException.class, () -> Walk.get(engine, "new"));
                healer.sendData(early, healer.allData());
                var request = Walk.request(Walk.commandId("e"), CommitMode.IF_ABSENT);
                CommitOutcome outcome = early.commit(first.root(), request);
                for (int round = 0;
                    round < 3 && outcome instanceof CommitOutcome.Lacking;
                    round++) {
                  first.upload(early);
                  outcome = early.commit(first.root(), request);
                }
                assertInstanceOf(CommitOutcome.Committed.class, outcome);
                assertEquals(
                    younger,
                    containers(device, "data").stream().filter(f -> !before.contains(f)).toList(),
                    "the sound copy was to go to the older container");
              }
              assertArrayEquals(content, Walk.get(engine, "new"));
            });
    Simulation after = healed.afterProcessEnd(seed);
    for (String file : after.device().files()) {
      if (file.contains("/index/")) {
        after.device().truncateAtRest(file, 10);
      }
    }
    onEngine(
        after,
        (engine, device) -> {
          engine.runHousekeeping(Walk.defaultStore(engine).domainId());
          assertArrayEquals(content, Walk.get(engine, "new"));
          assertArrayEquals(other, Walk.get(engine, "other"));
          engine.runHousekeeping(Walk.defaultStore(engine).domainId());
          assertArrayEquals(content, Walk.get(engine, "new"));
          assertArrayEquals(other, Walk.get(engine, "other"));
        });
  }

  @Test
  void storedBlocksCarryTheWholeObjectInOrder() throws Exception {
    onEngine(
        new Simulation(Simulation.seed()),
        (engine, device) -> {
          StoreRecord store = Walk.defaultStore(engine);
          byte[] part = Walk.content(7, 300_000);
          byte[] content = Walk.joined(part, Walk.content(8, 500_000), part);
          ItemRecord item = Walk.put(engine, "item", content);
          for (long[] range :
              new long[][] {{0, content.length}, {123_456, 777_777}, {5, 6}, {9, 9}}) {
            byte[] got = new byte[content.length];
            Map<Long, byte[][]> blocks = new HashMap<>();
            long next = range[0];
            try (ObjectReader reader = engine.openReader(store.domainId(), item.root());
                StoredChunks walk = reader.storedChunks(range[0], range[1])) {
              boolean more = true;
              while (more) {
                switch (walk.next()) {
                  case StoredChunks.Step.Block(long number, byte[] bytes, int offset, int length) ->
                      blocks.put(number, chunksOf(bytes, offset, length));
                  case StoredChunks.Step.Extent(
                          long at,
                          long number,
                          int chunk,
                          byte[] print,
                          int skip,
                          int length) -> {
                    assertEquals(next, at);
                    byte[][] block = Objects.requireNonNull(blocks.get(number));
                    System.arraycopy(block[chunk], skip, got, Math.toIntExact(at), length);
                    assertEquals(32, print.length);
                    next += length;
                  }
                  case StoredChunks.Step.Zeros(long at, long length) -> next += length;
                  case StoredChunks.Step.End() -> more = false;
                }
              }
            }
            assertEquals(range[1], next);
            assertArrayEquals(
                Arrays.copyOfRange(content, (int) range[0], (int) range[1]),
                Arrays.copyOfRange(got, (int) range[0], (int) range[1]));
          }
        });
  }

  private static byte[][] chunksOf(byte[] bytes, int offset, int length) throws IOException {
    try (BlockReader reader = new BlockReader()) {
      reader.parse(bytes, offset, length);
      byte[] raw = reader.decompress();
      byte[][] chunks = new byte[reader.chunkCount()][];
      int at = 0;
      for (int i = 0; i < chunks.length; i++) {
        chunks[i] = Arrays.copyOfRange(raw, at, at + reader.chunkLengths()[i]);
        at += reader.chunkLengths()[i];
      }
      return chunks;
    }
  }

  @Test
  void aFullDiskRefusesWritesAndReadsAndDeletesAndHousekeepingGoOn() throws Exception {
    long seed = Simulation.seed();
    var simulation = new Simulation(seed);
    byte[] keep = Walk.content(9, 700_000);
    simulation.run(() -> {
      var settings = Walk.small(0).withReserveBytes(2 << 20);
      try (Engine engine = Engine.open(simulation.device(), simulation.scheduler(), settings)) {
        StoreRecord store = Walk.defaultStore(engine);
        Walk.put(engine, "keep", keep);
        byte[] dead = Walk.content(10, 3_000_000);
        Walk.put(engine, "dead", dead);
        simulation.device().setCapacityBytes(simulation.device().usedBytes() + (2 << 20) + 300_000);
        byte[] more = Walk.content(11, 40_000_000);
        assertThrows(StoreFullException.class, () -> Walk.put(engine, "more", more));
        assertTrue(engine.findItem(store.id(), "more").isEmpty());
        assertArrayEquals(keep, Walk.get(engine, "keep"));
        engine.deleteItem(Walk.commandId("d"), store.id(), "dead");
        engine.runHousekeeping(store.domainId());
        engine.runHousekeeping(store.domainId());
        assertArrayEquals(keep, Walk.get(engine, "keep"));
        byte[] less = Walk.content(12, 1_000_000);
        Walk.put(engine, "less", less);
        assertArrayEquals(less, Walk.get(engine, "less"));
      }
      return true;
    });
  }

  @Test
  void aQuotaRefusesTheCommitAndNothingStays() throws Exception {
    onEngine(
        new Simulation(Simulation.seed()),
        (engine, device) -> {
          StoreRecord base = Walk.defaultStore(engine);
          StoreRecord store =
              engine.createStore(
                  Walk.commandId("s"),
                  new StoreRecord(
                      Walk.commandId("x"),
                      "limited",
                      base.domainId(),
                      100_000,
                      base.compression(),
                      0,
                      0));
          byte[] half = Walk.content(13, 60_000);
          Walk.put(engine, store, "one", half, 1000, Walk.commandId("one"));
          RefusedException refused =
              assertThrows(
                  RefusedException.class,
                  () -> Walk.put(engine, store, "two", half, 1000, Walk.commandId("two")));
          assertEquals(RefusedException.Reason.QUOTA_EXCEEDED, refused.reason());
          assertFalse(engine.findItem(store.id(), "two").isPresent());
          assertEquals(60_000, engine.statistics(store.id()).logicalBytes());
        });
  }
}
