package onefold.store.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.store.ChunkStore;
import onefold.store.CorruptDataException;
import onefold.store.Damage;
import onefold.store.DiskRole;
import onefold.store.Disks;
import onefold.store.Id;
import onefold.store.ItemRecord;
import onefold.store.LastProven;
import onefold.store.LastProven.State;
import onefold.store.RefusedException;
import onefold.store.ScrubStatus;
import onefold.store.Scrubbing;
import onefold.store.StoreRecord;
import onefold.store.container.BlockLocation;
import onefold.store.container.ContainerSettings;
import onefold.store.device.SpreadDevice;
import onefold.store.scheduler.Promise;
import onefold.store.scrub.CopiedChunks;
import onefold.store.scrub.ScrubSettings;
import onefold.store.simulation.Faults;
import onefold.store.simulation.SimulatedCrash;
import onefold.store.simulation.SimulatedDevice;
import onefold.store.simulation.Simulation;
import onefold.store.simulation.SubDevice;
import org.junit.jupiter.api.Test;

/** What is stored is read back, what is damaged is listed, and repaired where it can be. */
class ScrubTest {
  private final long seed = Simulation.seed();

  @FunctionalInterface
  private interface Body {
    void run(Engine engine, Simulation simulation) throws Exception;
  }

  private Simulation on(Simulation simulation, Body body) throws Exception {
    return on(simulation, Walk.small(0), body);
  }

  private Simulation on(Simulation simulation, EngineSettings settings, Body body)
      throws Exception {
    simulation.run(() -> {
      try (Engine engine = Engine.open(simulation.device(), simulation.scheduler(), settings)) {
        body.run(engine, simulation);
      } catch (AssertionError e) {
        throw new AssertionError(e.getMessage() + " (onefold.seed=" + seed + ")", e);
      }
      return true;
    });
    return simulation;
  }

  private static Scrubbing scrub(Engine engine) throws IOException {
    return engine.scrubbing(Walk.defaultStore(engine).domainId());
  }

  private static ItemRecord item(Engine engine, String name) throws IOException {
    return engine.findItem(Walk.defaultStore(engine).id(), name).orElseThrow();
  }

  private static List<String> containers(SimulatedDevice device, String kind) {
    return containers(device, kind, "");
  }

  private static List<String> containers(SimulatedDevice device, String kind, String disk) {
    List<String> files = new ArrayList<>();
    for (String file : device.files()) {
      if (file.startsWith(disk)
          && file.contains("/" + kind + "/")
          && file.endsWith(".container")
          && !file.contains("/" + ChunkStore.CATALOG + "/")) {
        files.add(file);
      }
    }
    return files;
  }

  /** Those that have a parity, when nothing is being sealed. */
  private static List<String> covered(Engine engine, SimulatedDevice device, String kind)
      throws IOException {
    engine.domain(Walk.defaultStore(engine).domainId()).containers().awaitSealing();
    return containers(device, kind).stream()
        .filter(file -> device.files().contains(parity(file)))
        .toList();
  }

  private static String parity(String container) {
    return container.replace(".container", ".parity");
  }

  private static void pass(Simulation simulation) {
    simulation.scheduler().park(Duration.ofSeconds(2));
  }

  @Test
  void aPassProvesWhatIsOlderAndSaysWhen() throws Exception {
    on(
        new Simulation(seed),
        (engine, simulation) -> {
          Walk.put(engine, "old", Walk.content(1, 900_000));
          assertEquals(State.NOT_YET, scrub(engine).lastProven(item(engine, "old")).state());
          pass(simulation);
          ScrubStatus status = scrub(engine).run();
          assertEquals(1, status.passes());
          assertTrue(status.lastReadBytes() > 450_000, status::toString);
          pass(simulation);
          Walk.put(engine, "young", Walk.content(2, 100_000));
          LastProven proven = scrub(engine).lastProven(item(engine, "old"));
          assertEquals(new LastProven(State.PROVEN, status.lastBegunAtMillis()), proven);
          assertEquals(State.NOT_YET, scrub(engine).lastProven(item(engine, "young")).state());
          assertEquals(1, engine.scrubbing(ChunkStore.CATALOG).run().passes());
        });
  }

  @Test
  void withParityAnyOneRunOfEachContainerIsHealedWithinOneScrub() throws Exception {
    Map<String, byte[]> contents = new HashMap<>();
    var filled =
        on(
            new Simulation(seed),
            (engine, simulation) -> {
              scrub(engine).keepParity(true);
              for (int i = 0; i < 6; i++) {
                byte[] content = Walk.content(seed + i, 300_000 + 100_000 * i);
                contents.put("item" + i, content);
                Walk.put(engine, "item" + i, content);
              }
            });
    var damaged = filled.afterProcessEnd(seed);
    Map<String, byte[]> sealed = new HashMap<>();
    on(
        damaged,
        (engine, simulation) -> {
          ScrubStatus before = scrub(engine).run(); // Everything sealed is covered.
          assertEquals(0, before.withoutParityCount());
          SimulatedDevice device = simulation.device();
          var random = new SplittableRandom(seed);
          for (String kind : List.of("data", "node")) {
            for (String file : covered(engine, device, kind)) {
              byte[] bytes = device.peek(file);
              sealed.put(file, bytes);
              int length = 1 + random.nextInt(Math.min(1 << 20, bytes.length));
              int from = random.nextInt(bytes.length - length + 1);
              byte[] noise = new byte[length];
              random.nextBytes(noise);
              device.overwriteAtRest(file, from, noise);
            }
          }
          assertTrue(sealed.size() > 8, "only " + sealed.keySet());
          ScrubStatus after = scrub(engine).run();
          assertEquals(0, after.damageCount());
          assertEquals(0, after.quarantinedCount());
          assertEquals(sealed.size(), after.repairedCount());
          for (Map.Entry<String, byte[]> each : sealed.entrySet()) {
            assertArrayEquals(each.getValue(), device.peek(each.getKey()), each.getKey());
          }
          for (Map.Entry<String, byte[]> each : contents.entrySet()) {
            assertArrayEquals(each.getValue(), Walk.get(engine, each.getKey()));
          }
        });
  }

  /** Where the one run of bytes lies that is lost. */
  private enum Place {
    HEADER,
    MIDDLE,
    DIRECTORY,
    FOOTER,
    HEADER_AND_BLOCKS,
    BLOCKS_DIRECTORY_AND_FOOTER,
    AS_LONG_AS_IT_MAY_BE,
    END_CUT_OFF,
    PARITY,
  }

  private static final int LARGEST_RUN_BYTES = 1 << 20;

  /** Settings with containers that are longer than a run that they survive. */
  private static EngineSettings large() {
    EngineSettings small = Walk.small(0);
    return new EngineSettings(
        new ContainerSettings(1_600_000, 1, 0, 1 << 20, 4),
        small.index(),
        small.journal(),
        small.catalogCacheBytes(),
        small.checkpointJournalBytes(),
        0,
        false);
  }

  private void damage(SimulatedDevice device, String file, Place place, SplittableRandom random)
      throws IOException {
    byte[] bytes = device.peek(file);
    int footer = 160; // The footer and at least the end of the chunk table.
    int any = 1 + random.nextInt(5_000);
    int longest = Math.min(LARGEST_RUN_BYTES, bytes.length);
    int from;
    int length;
    switch (place) {
      case HEADER -> {
        from = random.nextInt(100);
        length = 1 + random.nextInt(27);
      }
      case MIDDLE -> {
        from = bytes.length / 3;
        length = any;
      }
      case DIRECTORY -> {
        from = bytes.length - 700;
        length = 300;
      }
      case FOOTER -> {
        from = bytes.length - 1 - random.nextInt(footer);
        length = bytes.length - from;
      }
      case HEADER_AND_BLOCKS -> {
        from = 0;
        length = longest;
      }
      case BLOCKS_DIRECTORY_AND_FOOTER -> {
        from = bytes.length - longest;
        length = longest;
      }
      case AS_LONG_AS_IT_MAY_BE -> {
        from = random.nextInt(bytes.length - longest + 1);
        length = longest;
      }
      case END_CUT_OFF -> {
        device.truncateAtRest(file, bytes.length - longest);
        return;
      }
      case PARITY -> {
        String parity = parity(file);
        int size = device.peek(parity).length;
        from = random.nextInt(size);
        overwrite(device, parity, from, 1 + random.nextInt(size - from), random);
        return;
      }
      default -> throw new IllegalStateException(place.name());
    }
    from = Math.max(0, from);
    overwrite(device, file, from, Math.min(length, bytes.length - from), random);
  }

  private static void overwrite(
      SimulatedDevice device, String file, int from, int length, SplittableRandom random)
      throws IOException {
    byte[] noise = new byte[length];
    random.nextBytes(noise);
    if (random.nextBoolean()) {
      noise = new byte[length]; // A sector that was never written reads as zeros.
    }
    device.overwriteAtRest(file, from, noise);
  }

  /** The promise itself, by the scrub alone, whatever the run touches. */
  @Test
  void aRunThatIsLostAnywhereIsHealedByteEqualWithinOneScrub() throws Exception {
    byte[] content = Walk.content(seed, 5_000_000);
    var simulation = new Simulation(seed);
    simulation.run(() -> {
      var random = new SplittableRandom(seed);
      SimulatedDevice device = simulation.device();
      try (Engine engine = Engine.open(device, simulation.scheduler(), large())) {
        scrub(engine).keepParity(true);
        Walk.put(engine, "item", content);
        assertEquals(0, scrub(engine).run().withoutParityCount());
        Map<String, byte[]> whole = new TreeMap<>();
        for (String file : covered(engine, device, "data")) {
          whole.put(file, device.peek(file));
          String parity = parity(file);
          whole.put(parity, device.peek(parity));
        }
        assertTrue(whole.size() >= 4, "only " + whole.keySet());
        for (Place place : Place.values()) {
          for (String file : covered(engine, device, "data")) {
            damage(device, file, place, random);
          }
          ScrubStatus status = scrub(engine).run();
          String where = place + ", onefold.seed=" + seed;
          assertEquals(0, status.damageCount() + status.quarantinedCount(), where);
          assertEquals("", status.problem(), where);
          for (Map.Entry<String, byte[]> each : whole.entrySet()) {
            byte[] now = device.peek(each.getKey());
            assertTrue(Arrays.equals(each.getValue(), now), where + ": " + each.getKey());
          }
        }
        assertArrayEquals(content, Walk.get(engine, "item"));
      }
      return true;
    });
  }

  @Test
  void aRecompressedContainerHasItsParityAtOnce() throws Exception {
    byte[] content = Walk.content(seed, 1_500_000);
    on(
        new Simulation(seed),
        (engine, simulation) -> {
          Id domain = Walk.defaultStore(engine).domainId();
          scrub(engine).keepParity(true);
          Walk.put(engine, "item", content);
          scrub(engine).run();
          assertTrue(engine.runRecompression(domain).doneCount() > 1);
          assertEquals(0, scrub(engine).status().withoutParityCount());
          SimulatedDevice device = simulation.device();
          Map<String, byte[]> sealed = new HashMap<>();
          for (String file : covered(engine, device, "data")) {
            if (file.endsWith("-2.container")) {
              sealed.put(file, device.peek(file));
              device.zeroSectors(file, 2, 11);
            }
          }
          assertTrue(sealed.size() > 1, "only " + sealed.keySet());
          assertEquals(sealed.size(), scrub(engine).run().repairedCount());
          for (Map.Entry<String, byte[]> each : sealed.entrySet()) {
            assertArrayEquals(each.getValue(), device.peek(each.getKey()), each.getKey());
          }
          assertArrayEquals(content, Walk.get(engine, "item"));
          assertNothingLiesAbout(device);
        });
  }

  /** Each parity has its container, and no draft is left. */
  private static void assertNothingLiesAbout(SimulatedDevice device) {
    for (String file : device.files()) {
      assertFalse(file.endsWith("-new"), file);
      if (file.endsWith(".parity")) {
        assertTrue(device.files().contains(file.replace(".parity", ".container")), file);
      }
    }
  }

  private static Engine onDisks(Simulation simulation) throws IOException {
    SimulatedDevice device = simulation.device();
    for (String each : List.of("main", "a")) {
      device.createDirectories(each);
    }
    device.forceDirectory("");
    var spread =
        new SpreadDevice(
            new SubDevice(device, "main"),
            (path, probed) -> new SubDevice(device, path.substring(1)),
            0);
    return Engine.open(spread, simulation.scheduler(), Walk.small(0));
  }

  /** Heals damaged containers while their disk is emptied. */
  @Test
  void aRepairAndAMoveToAnotherDiskLeaveEachContainerOnce() throws Exception {
    for (int round = 0; round < 4; round++) {
      long roundSeed = seed + round;
      String where = "round seed " + roundSeed;
      byte[] content = Walk.content(roundSeed, 2_000_000);
      var random = new SplittableRandom(roundSeed);
      var simulation = new Simulation(roundSeed);
      simulation.run(() -> {
        SimulatedDevice device = simulation.device();
        try (Engine engine = onDisks(simulation)) {
          scrub(engine).keepParity(true);
          Walk.put(engine, "item", content);
          scrub(engine).run();
          Map<String, byte[]> whole = new TreeMap<>();
          for (String file : covered(engine, device, "data")) {
            byte[] bytes = device.peek(file);
            whole.put(file.substring("main".length()), bytes);
            device.zeroSectors(file, random.nextInt(bytes.length / 512 - 8), 7);
          }
          assertTrue(whole.size() > 3, "only " + whole.keySet());
          engine.disks().add("/a", DiskRole.DATA);
          Promise<Boolean> scrubbed = task(simulation, () -> scrub(engine).run());
          engine.disks().drain(Disks.MAIN, true);
          scrubbed.await();
          for (int i = 0; i < 10_000 && !containers(device, "data", "main/").isEmpty(); i++) {
            pass(simulation);
          }
          ScrubStatus status = scrub(engine).run();
          assertEquals(0, status.damageCount() + status.quarantinedCount(), where + status);
          assertEquals("", status.problem(), where);
          assertEquals(0, status.withoutParityCount(), where);
          for (String file : device.files()) {
            assertFalse(file.startsWith("main/") && file.contains("/data/"), where + file);
          }
          for (Map.Entry<String, byte[]> each : whole.entrySet()) {
            byte[] now = device.peek("a" + each.getKey());
            assertTrue(Arrays.equals(each.getValue(), now), where + ": " + each.getKey());
          }
          assertNothingLiesAbout(device);
          assertArrayEquals(content, Walk.get(engine, "item"), where);
        }
        return true;
      });
    }
  }

  @Test
  void repairsGoOnBesideEverythingElse() throws Exception {
    for (int round = 0; round < 6; round++) {
      besideEverythingElse(seed + round);
    }
  }

  private void besideEverythingElse(long roundSeed) throws Exception {
    var random = new SplittableRandom(roundSeed);
    on(
        new Simulation(roundSeed),
        (engine, simulation) -> {
          StoreRecord store = Walk.defaultStore(engine);
          Id domain = store.domainId();
          SimulatedDevice device = simulation.device();
          String where = "round seed " + roundSeed;
          scrub(engine).keepParity(true);
          byte[][] contents = new byte[6][];
          for (int i = 0; i < contents.length; i++) {
            contents[i] = Walk.content(roundSeed + i, 400_000);
            Walk.put(engine, "item" + i, contents[i]);
          }
          scrub(engine).run();
          for (String file : covered(engine, device, "data")) {
            int length = device.peek(file).length;
            if (random.nextInt(3) > 0 && length > 5_000) {
              device.flipBit(file, random.nextInt(length), 3);
            }
          }
          List<Promise<Boolean>> tasks = new ArrayList<>();
          tasks.add(task(simulation, () -> scrub(engine).run()));
          tasks.add(task(simulation, () -> engine.runRecompression(domain)));
          tasks.add(
              task(
                  simulation,
                  () -> {
                    engine.deleteItem(Walk.commandId("d" + roundSeed), store.id(), "item1");
                    engine.deleteItem(Walk.commandId("e" + roundSeed), store.id(), "item4");
                    engine.runHousekeeping(domain);
                  }));
          tasks.add(
              task(
                  simulation,
                  () -> {
                    for (int i = 0; i < 3; i++) {
                      putUntilTaken(engine, "new" + i, contents[i]);
                      try {
                        assertArrayEquals(contents[5], Walk.get(engine, "item5"), where);
                      } catch (CorruptDataException e) {
                        // Not healed yet.
                      }
                    }
                  }));
          for (Promise<Boolean> each : tasks) {
            each.await();
          }
          ScrubStatus status = scrub(engine).run();
          assertEquals(0, status.damageCount() + status.quarantinedCount(), where + status);
          for (int i = 0; i < 6; i++) {
            if (i != 1 && i != 4) {
              assertArrayEquals(contents[i], Walk.get(engine, "item" + i), where);
            }
            if (i < 3) {
              assertArrayEquals(contents[i], Walk.get(engine, "new" + i), where);
            }
          }
          assertEquals(0, status.withoutParityCount(), where);
          assertNothingLiesAbout(device);
        });
  }

  /** Sends again what shared something that was found damaged meanwhile. */
  private static void putUntilTaken(Engine engine, String name, byte[] content) throws IOException {
    for (int i = 0; i < 20; i++) {
      try {
        Walk.put(engine, name, content);
        return;
      } catch (RefusedException e) {
        assertEquals(RefusedException.Reason.CONFLICT, e.reason(), e.getMessage());
      }
    }
    throw new AssertionError(name + " was never taken");
  }

  /** What a task does. */
  @FunctionalInterface
  private interface Work {
    void run() throws Exception;
  }

  private static Promise<Boolean> task(Simulation simulation, Work work) {
    Promise<Boolean> done = simulation.scheduler().promise();
    simulation
        .scheduler()
        .start(
            "beside",
            () -> {
              try {
                work.run();
                done.complete(true);
              } catch (Throwable thrown) { // Handed to whoever waits.
                done.fail(thrown);
              }
            });
    return done;
  }

  @Test
  void damageIsListedWithTheItemsAndRangesThatNeedIt() throws Exception {
    byte[] first = Walk.content(1, 1_500_000);
    byte[] other = Walk.content(2, 400_000);
    on(
        new Simulation(seed),
        (engine, simulation) -> {
          Walk.put(engine, "first", first);
          StoreRecord store = Walk.defaultStore(engine);
          ItemRecord copy =
              engine.cloneItem(
                  Walk.commandId("clone"),
                  store.id(),
                  "first",
                  store.id(),
                  "copy",
                  onefold.store.CommitMode.IF_ABSENT);
          ItemRecord kept =
              engine.updateItem(
                  Walk.commandId("hold"), store.id(), "copy", new TreeMap<>(), true, 0);
          assertTrue(kept.held() && copy.root().equals(kept.root()));
          SimulatedDevice device = simulation.device();
          String file = containers(device, "data").getFirst();
          Walk.put(engine, "other", other);
          pass(simulation);
          device.zeroSectors(file, 20, 8);

          ScrubStatus status = scrub(engine).run();
          assertEquals(1, status.damageCount());
          assertTrue(status.quarantinedCount() > 0);
          Damage damage = scrub(engine).damages().getFirst();
          assertEquals(file, damage.file());
          assertTrue(damage.mapped());
          assertEquals(status.quarantinedCount(), damage.chunkCount());
          assertEquals(
              List.of("copy", "first"), damage.items().stream().map(Damage.Item::name).toList());
          assertTrue(damage.items().getFirst().kept());
          List<Damage.Range> ranges = damage.items().getFirst().ranges();
          assertFalse(ranges.isEmpty());
          assertEquals(State.DAMAGED, scrub(engine).lastProven(item(engine, "first")).state());
          assertEquals(State.DAMAGED, scrub(engine).lastProven(item(engine, "copy")).state());
          assertEquals(State.PROVEN, scrub(engine).lastProven(item(engine, "other")).state());
          // Exactly these ranges cannot be read.
          try (var reader = engine.openReader(store.domainId(), copy.root())) {
            byte[] buffer = new byte[1];
            for (Damage.Range range : ranges) {
              assertThrows(
                  CorruptDataException.class, () -> reader.read(range.offsetBytes(), buffer, 0, 1));
            }
            long at = 0;
            for (Damage.Range range : ranges) {
              assertReads(reader, first, at, range.offsetBytes());
              at = range.offsetBytes() + range.lengthBytes();
            }
            assertReads(reader, first, at, first.length);
          }
          // Uploaded again it heals; the container stays listed, and nobody needs it.
          Walk.put(engine, "again", first);
          pass(simulation);
          ScrubStatus healed = scrub(engine).run();
          assertEquals(0, healed.quarantinedCount());
          assertEquals(0, scrub(engine).damages().getFirst().chunkCount());
          assertEquals(State.PROVEN, scrub(engine).lastProven(item(engine, "copy")).state());
          assertArrayEquals(first, Walk.get(engine, "copy"));
        });
  }

  private static void assertReads(
      onefold.store.ObjectReader reader, byte[] content, long from, long to) throws IOException {
    byte[] buffer = new byte[(int) (to - from)];
    int got = 0;
    while (got < buffer.length) {
      got += reader.read(from + got, buffer, got, buffer.length - got);
    }
    assertArrayEquals(Arrays.copyOfRange(content, (int) from, (int) to), buffer);
  }

  @Test
  void repairsComeInTheOrderThatIsShownAndCanBeChanged() throws Exception {
    on(
        new Simulation(seed),
        (engine, simulation) -> {
          SimulatedDevice device = simulation.device();
          List<String> files = new ArrayList<>();
          for (String name : List.of("oldest", "kept", "newest", "middle")) {
            int before = containers(device, "data").size();
            byte[] content = Walk.content(name.hashCode(), 1_200_000);
            Walk.put(engine, name, content);
            files.add(containers(device, "data").get(before + 1)); // One of its own alone.
            pass(simulation);
          }
          StoreRecord store = Walk.defaultStore(engine);
          ItemRecord ignored =
              engine.updateItem(
                  Walk.commandId("hold"), store.id(), "kept", new TreeMap<>(), true, 0);
          for (String file : files) {
            device.zeroSectors(file, 10, 4);
          }
          ScrubStatus status = scrub(engine).run();
          assertEquals(4, status.damageCount(), status::toString);
          assertEquals(List.of("kept", "middle", "newest", "oldest"), order(engine));
          long last = scrub(engine).damages().getLast().containerNumber();
          scrub(engine).repairFirst(last);
          assertEquals(List.of("oldest", "kept", "middle", "newest"), order(engine));
          assertThrows(RefusedException.class, () -> scrub(engine).repairFirst(99_999));
        });
  }

  private static List<String> order(Engine engine) throws IOException {
    return scrub(engine).damages().stream().map(d -> d.items().getFirst().name()).toList();
  }

  @Test
  void aReplicaHealsChunkByChunkInThatOrder() throws Exception {
    byte[] content = Walk.content(5, 1_000_000);
    var replica = new SourceSide(content);
    List<Fingerprint> asked = new ArrayList<>();
    on(
        new Simulation(seed),
        (engine, simulation) -> {
          Walk.put(engine, "item", content);
          Domain domain = engine.domain(Walk.defaultStore(engine).domainId());
          domain
              .scrubber()
              .add(
                  new CopiedChunks(
                      "replica",
                      domain.scrubGround(),
                      domain.parameterSet(),
                      (kind, fingerprint) -> {
                        asked.add(fingerprint);
                        return kind == ChunkKind.DATA
                            ? replica.chunk(fingerprint)
                            : Optional.empty();
                      }));
          for (String file : containers(simulation.device(), "data")) {
            simulation.device().flipBit(file, 700, 5);
          }
          ScrubStatus status = scrub(engine).run();
          assertFalse(asked.isEmpty());
          assertEquals(0, status.quarantinedCount());
          assertArrayEquals(content, Walk.get(engine, "item"));
        });
  }

  /** What one container of these tests may be ahead when somebody has been put aside. */
  private static final long ONE_CONTAINER_BYTES = 700_000;

  /** A scrub that rests in the middle of a pass, however long a seed puts one of us aside. */
  private static ScrubStatus pausedUnderWay(Engine engine, Simulation simulation)
      throws IOException {
    for (int i = 0; i < 10_000; i++) {
      scrub(engine).pause(true);
      ScrubStatus status = scrub(engine).status();
      if (status.begunAtMillis() > 0 && status.readBytes() > 0 && status.leftBytes() > 500_000) {
        return status;
      }
      scrub(engine).pause(false);
      if (status.begunAtMillis() == 0) {
        scrub(engine).begin();
      }
      simulation.scheduler().park(Duration.ofMillis(500));
    }
    throw new AssertionError("never under way: " + scrub(engine).status());
  }

  @Test
  void itGoesOnWhereItStoppedAfterARestartAndCanBePaused() throws Exception {
    ScrubSettings slow = new ScrubSettings(true, 200_000, Duration.ofDays(30));
    ScrubStatus[] before = new ScrubStatus[1];
    var stopped =
        on(
            new Simulation(seed),
            (engine, simulation) -> {
              Walk.put(engine, "item", Walk.content(1, 4_000_000));
              engine.scrub(slow);
              ScrubStatus status = pausedUnderWay(engine, simulation);
              long left = status.finishesAtMillis() - engine.storeTimeMillis();
              assertTrue(left > 2_000 && left < 60_000, left + " ms left: " + status);
              simulation.scheduler().park(Duration.ofMinutes(5));
              long read = scrub(engine).status().readBytes();
              assertTrue(read <= status.readBytes() + ONE_CONTAINER_BYTES, read + " of " + status);
              assertEquals(ScrubStatus.Phase.PAUSED, scrub(engine).status().phase());
              assertThrows(RefusedException.class, () -> scrub(engine).run());
              before[0] = status;
            });
    on(
        stopped.afterProcessEnd(seed + 1),
        (engine, simulation) -> {
          ScrubStatus status = scrub(engine).status();
          assertEquals(before[0].begunAtMillis(), status.begunAtMillis());
          long ahead = status.readBytes() - before[0].readBytes();
          assertTrue(ahead >= 0 && ahead <= ONE_CONTAINER_BYTES, ahead + " ahead of " + before[0]);
          engine.scrub(slow);
          simulation.scheduler().park(Duration.ofMinutes(5));
          assertEquals(status.readBytes(), scrub(engine).status().readBytes(), "it was paused");
          scrub(engine).pause(false);
          for (int i = 0; i < 10_000 && scrub(engine).status().passes() == status.passes(); i++) {
            pass(simulation);
          }
          ScrubStatus finished = scrub(engine).status();
          assertEquals(status.passes() + 1, finished.passes(), finished::toString);
          assertEquals(before[0].begunAtMillis(), finished.lastBegunAtMillis());
          assertTrue(
              Math.abs(finished.lastReadBytes() - status.readBytes() - status.leftBytes())
                  < 2 * ONE_CONTAINER_BYTES,
              status + " and " + finished);
        });
  }

  @Test
  void whatAReaderFindsDamagedIsHealedAtOnce() throws Exception {
    byte[] content = Walk.content(9, 700_000);
    on(
        new Simulation(seed),
        (engine, simulation) -> {
          scrub(engine).keepParity(true);
          Walk.put(engine, "item", content);
          scrub(engine).run();
          engine.scrub(new ScrubSettings(true, 0, Duration.ofDays(30)));
          simulation
              .device()
              .zeroSectors(covered(engine, simulation.device(), "data").getFirst(), 9, 7);
          try {
            assertArrayEquals(content, Walk.get(engine, "item"), "healed while it was read");
          } catch (CorruptDataException e) {
            assertTrue(e.file().contains("/data/"), e::getMessage);
          }
          for (int i = 0; i < 100 && scrub(engine).status().quarantinedCount() > 0; i++) {
            pass(simulation);
          }
          assertArrayEquals(content, Walk.get(engine, "item"));
        });
  }

  @Test
  void aPowerCutAnywhereInAScrubThatRepairsLosesNothing() throws Exception {
    Map<String, byte[]> contents = new HashMap<>();
    var filled =
        on(
            new Simulation(seed),
            (engine, simulation) -> {
              scrub(engine).keepParity(true);
              for (int i = 0; i < 3; i++) {
                byte[] content = Walk.content(seed + i, 400_000);
                contents.put("item" + i, content);
                Walk.put(engine, "item" + i, content);
              }
              scrub(engine).run();
            });
    var random = new SplittableRandom(seed);
    int cuts = 0;
    for (int round = 0; round < 12; round++) {
      var damaged = filled.afterProcessEnd(seed + round);
      List<String> files = containers(damaged.device(), "data");
      for (String file : files) {
        if (damaged.device().peek(file).length > 2_000) {
          damaged.device().flipBit(file, 300 + random.nextInt(1_000), 2);
        }
      }
      damaged.device().setFaults(Faults.atCall(1 + random.nextInt(400), Faults.Outcome.CRASH));
      try {
        on(
            damaged,
            (engine, simulation) -> {
              ScrubStatus ignored = scrub(engine).run();
            });
      } catch (SimulatedCrash expected) {
        cuts++;
      }
      on(
          damaged.afterPowerLoss(seed + round),
          (engine, simulation) -> {
            ScrubStatus status = scrub(engine).run();
            assertEquals(0, status.damageCount(), status::toString);
            assertEquals(0, status.quarantinedCount());
            assertEquals(0, status.withoutParityCount());
            for (Map.Entry<String, byte[]> each : contents.entrySet()) {
              assertArrayEquals(each.getValue(), Walk.get(engine, each.getKey()));
            }
          });
    }
    assertTrue(cuts > 3, cuts + " cuts, onefold.seed=" + seed);
  }

  /** Recompression reads a block, a scrub makes its container good, recompression says so. */
  @Test
  void whatIsSaidOfADamageAfterItsRepairKeepsNothingOutOfReach() throws Exception {
    byte[] content = Walk.content(seed, 400_000);
    on(
        new Simulation(seed),
        (engine, simulation) -> {
          scrub(engine).keepParity(true);
          Walk.put(engine, "item", content);
          scrub(engine).run();
          Domain domain = engine.domain(Walk.defaultStore(engine).domainId());
          String file = covered(engine, simulation.device(), "data").getFirst();
          simulation.device().zeroSectors(file, 1, 2);
          long number = domain.containers().numbers(ChunkKind.DATA).getFirst();
          BlockLocation block = domain.containers().directory(number).block(0);
          assertThrows(CorruptDataException.class, () -> domain.containers().readBlock(block));
          assertEquals(1, scrub(engine).run().repairedCount());
          domain.damaged(block);
          assertEquals(0, scrub(engine).status().quarantinedCount());
          assertArrayEquals(content, Walk.get(engine, "item"));
        });
  }

  /** While a directory was damaged the index was built without what only it named. */
  @Test
  void whatTheIndexWasBuiltWithoutIsFoundAgainAfterTheRepair() throws Exception {
    Map<String, byte[]> contents = new HashMap<>();
    var filled =
        on(
            new Simulation(seed),
            (engine, simulation) -> {
              scrub(engine).keepParity(true);
              for (int i = 0; i < 3; i++) {
                byte[] content = Walk.content(seed + i, 400_000);
                contents.put("item" + i, content);
                Walk.put(engine, "item" + i, content);
              }
              engine.domain(Walk.defaultStore(engine).domainId()).containers().sealAll();
              scrub(engine).run();
            });
    var random = new SplittableRandom(seed);
    for (int round = 0; round < 12; round++) {
      var damaged = filled.afterProcessEnd(seed + round);
      SimulatedDevice device = damaged.device();
      for (String file : device.files()) {
        if (file.contains("/index/")) {
          device.deleteAtRest(file);
        }
      }
      for (String file : containers(device, "node")) {
        byte[] tail = new byte[device.peek(file).length * 2 / 3];
        device.overwriteAtRest(file, device.peek(file).length - tail.length, tail);
      }
      if (round > 0) {
        device.setFaults(Faults.atCall(1 + random.nextInt(700), Faults.Outcome.CRASH));
      }
      try {
        on(
            damaged,
            (engine, simulation) -> {
              ScrubStatus ignored = scrub(engine).run();
            });
      } catch (SimulatedCrash expected) {
        // The next start goes on.
      }
      on(
          random.nextBoolean()
              ? damaged.afterProcessEnd(seed + round)
              : damaged.afterPowerLoss(seed + round),
          (engine, simulation) -> {
            ScrubStatus status = scrub(engine).run();
            assertEquals(0, status.damageCount(), status::toString);
            assertEquals(0, status.quarantinedCount());
            for (Map.Entry<String, byte[]> each : contents.entrySet()) {
              assertArrayEquals(each.getValue(), Walk.get(engine, each.getKey()));
            }
          });
    }
  }

  private static void overwrite(SimulatedDevice device, String file, byte[] bytes) {
    try {
      device.overwriteAtRest(file, 0, bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The mark may have seen a node that the sweep finds damaged, directory and all. */
  @Test
  void whatIsLostAtAnyCallOfHousekeepingIsMadeGoodByAParity() throws Exception {
    byte[] content = Walk.content(10, 200_000);
    int[] last = {1};
    for (int call = 1; call <= last[0]; call += 3) {
      int lost = call;
      on(
          new Simulation(seed),
          Walk.small(1 << 20, 0), // Directories are read from the disk each time, blocks are not.
          (engine, simulation) -> {
            SimulatedDevice device = simulation.device();
            Id domain = Walk.defaultStore(engine).domainId();
            scrub(engine).keepParity(true);
            Walk.put(engine, "item", content);
            engine.runHousekeeping(domain); // Seals the nodes.
            scrub(engine).run();
            assertArrayEquals(content, Walk.get(engine, "item")); // Its nodes are in memory now.
            Map<String, byte[]> nothing = new HashMap<>();
            for (String file : covered(engine, device, "node")) {
              nothing.put(file, new byte[device.peek(file).length]);
            }
            assertFalse(nothing.isEmpty());
            long begin = device.callCount();
            device.setFaults(fault -> {
              if (fault.number() == begin + lost) {
                nothing.forEach((file, zeros) -> overwrite(device, file, zeros));
              }
              return Faults.Outcome.NONE;
            });
            try {
              engine.runHousekeeping(domain);
            } catch (CorruptDataException e) {
              // A node that cannot be read ends it before anything is deleted.
            }
            last[0] = (int) (device.callCount() - begin);
            device.setFaults(Faults.none());
            String when = "call " + lost + " of " + last[0];
            assertEquals(0, scrub(engine).run().damageCount(), when);
            assertArrayEquals(content, Walk.get(engine, "item"), when);
          });
    }
  }

  @Test
  void switchedOffParityGoes() throws Exception {
    on(
        new Simulation(seed),
        (engine, simulation) -> {
          Id domain = Walk.defaultStore(engine).domainId();
          Walk.put(engine, "item", Walk.content(1, 900_000));
          long without = engine.domainStatistics(domain).physicalBytes();
          scrub(engine).keepParity(true);
          scrub(engine).run();
          long with = engine.domainStatistics(domain).physicalBytes();
          assertTrue(with > without + 100_000, with + " against " + without);
          scrub(engine).keepParity(false);
          scrub(engine).run();
          assertTrue(
              simulation.device().files().stream().noneMatch(file -> file.endsWith(".parity")));
        });
  }
}
