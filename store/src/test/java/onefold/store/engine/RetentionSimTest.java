package onefold.store.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.TreeMap;
import onefold.store.CommitMode;
import onefold.store.ItemRecord;
import onefold.store.LockKind;
import onefold.store.LockOverride;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;
import onefold.store.StoreRecord;
import onefold.store.simulation.Simulation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Locks, on store time, through every path there is. */
class RetentionSimTest {
  private static final long DAY_MILLIS = 86_400_000;
  private static final byte[] CONTENT = Walk.content(1, 30_000);
  private static int commands;

  private static onefold.store.Id command() {
    return Walk.commandId("retention" + commands++);
  }

  private static ItemRecord put(Engine engine, String name, byte[] content) throws IOException {
    return Walk.put(engine, Walk.defaultStore(engine), name, content, 64_000, command());
  }

  private static ItemRecord lock(
      Engine engine, String name, long untilMillis, LockKind kind, boolean override)
      throws IOException {
    return engine.lockItem(
        command(),
        Walk.defaultStore(engine).id(),
        name,
        untilMillis,
        kind,
        override ? Optional.of(new LockOverride("warden", "a test")) : Optional.empty());
  }

  private static void locked(Executable call) {
    assertEquals(Reason.LOCKED, assertThrows(RefusedException.class, call).reason());
  }

  /** What somebody who may do everything tries against an item that is locked for compliance. */
  private static void nothingMovesIt(Engine engine, String name, long untilMillis)
      throws IOException {
    StoreRecord store = Walk.defaultStore(engine);
    ItemRecord item = engine.findItem(store.id(), name).orElseThrow();
    locked(() -> engine.deleteItem(command(), store.id(), name));
    locked(() -> put(engine, name, Walk.content(2, 5_000)));
    locked(() -> engine.deleteStore(command(), store.id(), true));
    if (engine.findItem(store.id(), "other").isEmpty()) {
      put(engine, "other", Walk.content(3, 1_000));
    }
    locked(() ->
        engine.cloneItem(command(), store.id(), "other", store.id(), name, CommitMode.REPLACE));
    locked(() ->
        engine.updateItem(command(), store.id(), name, new TreeMap<>(), false, untilMillis - 1));
    locked(() -> lock(engine, name, untilMillis - 1, LockKind.COMPLIANCE, true));
    locked(() -> lock(engine, name, untilMillis + 1, LockKind.GOVERNANCE, true));
    engine.runHousekeeping(store.domainId());
    ItemRecord after = engine.findItem(store.id(), name).orElseThrow();
    assertEquals(item.id(), after.id());
    assertEquals(untilMillis, after.lockedUntilMillis());
    assertArrayEquals(CONTENT, Walk.read(engine, store.domainId(), after.root()));
  }

  @Test
  void aClockThatJumpsTenYearsNeitherUnlocksNorLosesALock() throws Exception {
    var simulation = new Simulation(Simulation.seed());
    Duration years = Duration.ofDays(3653);
    long until =
        simulation.run(() -> {
          Engine engine = Engine.open(simulation.device(), simulation.scheduler(), Walk.small());
          put(engine, "a", CONTENT);
          long locked = engine.storeTimeMillis() + DAY_MILLIS;
          lock(engine, "a", locked, LockKind.COMPLIANCE, false);
          simulation.scheduler().moveClock(years);
          nothingMovesIt(engine, "a", locked);
          simulation.scheduler().moveClock(years.multipliedBy(-2));
          nothingMovesIt(engine, "a", locked);
          return locked;
        });
    var killed = simulation.afterProcessEnd(1);
    killed.run(() -> {
      killed.scheduler().moveClock(years);
      try (Engine engine = Engine.open(killed.device(), killed.scheduler(), Walk.small())) {
        nothingMovesIt(engine, "a", until);
      }
      return true;
    });
    var after = killed.afterProcessEnd(2);
    after.run(() -> {
      after.scheduler().moveClock(years.negated());
      try (Engine engine = Engine.open(after.device(), after.scheduler(), Walk.small())) {
        nothingMovesIt(engine, "a", until);
        while (engine.storeTimeMillis() < until) {
          locked(() -> engine.deleteItem(command(), Walk.defaultStore(engine).id(), "a"));
          after.scheduler().park(Duration.ofHours(6));
        }
        engine.deleteItem(command(), Walk.defaultStore(engine).id(), "a");
      }
      return true;
    });
  }

  /** Some seeds put tasks aside for many simulated hours, the one that works each hour too. */
  private static void parkUntil(Simulation simulation, Check check) throws IOException {
    for (int hours = 0; !check.holds(); hours++) {
      assertTrue(hours < 2_000, "not within " + hours + " hours");
      simulation.scheduler().park(Duration.ofHours(1));
    }
  }

  @FunctionalInterface
  private interface Check {
    boolean holds() throws IOException;
  }

  @Test
  void everyHourStoreTimeIsKeptAndWhatHasExpiredGoes() throws Exception {
    var simulation = new Simulation(Simulation.seed());
    long kept =
        simulation.run(() -> {
          Engine engine =
              Engine.open(
                  simulation.device(),
                  simulation.scheduler(),
                  Walk.small().withBackgroundHousekeeping(true));
          StoreRecord store = Walk.defaultStore(engine);
          engine.updateStore(command(), store.withPolicy(store.policy().withUndeleteDays(1)));
          put(engine, "a", CONTENT);
          long deletedFrom = engine.storeTimeMillis();
          engine.deleteItem(command(), store.id(), "a");
          assertEquals(1, engine.listDeleted(store.id(), "", "", 0, 10).items().size());
          assertEquals(0, engine.capacity().growthBytesPerDay());
          simulation.scheduler().park(Duration.ofHours(23));
          assertEquals(1, engine.statistics(store.id()).deletedCount());
          parkUntil(simulation, () -> engine.statistics(store.id()).deletedCount() == 0);
          assertTrue(engine.storeTimeMillis() >= deletedFrom + DAY_MILLIS);
          put(engine, "b", Walk.content(5, 2_000_000));
          parkUntil(simulation, () -> engine.capacity().growthBytesPerDay() > 0);
          assertTrue(engine.capacity().daysUntilFull().isPresent());
          byte[] history =
              engine.findRecord(CapacityHistory.KIND, CapacityHistory.KEY).orElseThrow();
          return CapacityHistory.decode(history).samples().getLast().storeTimeMillis();
        });
    var after = simulation.afterProcessEnd(1);
    after.run(() -> {
      try (Engine engine = Engine.open(after.device(), after.scheduler(), Walk.small())) {
        assertTrue(engine.storeTimeMillis() >= kept, "store time went back by a kill");
      }
      return true;
    });
  }

  @Test
  void aHeldItemIsKeptThroughEveryPathAndARestart() throws Exception {
    var simulation = new Simulation(Simulation.seed());
    simulation.run(() -> {
      Engine engine = Engine.open(simulation.device(), simulation.scheduler(), Walk.small());
      put(engine, "a", CONTENT);
      StoreRecord store = Walk.defaultStore(engine);
      engine.updateItem(command(), store.id(), "a", new TreeMap<>(), true, 0);
      return true;
    });
    var after = simulation.afterProcessEnd(1);
    after.run(() -> {
      try (Engine engine = Engine.open(after.device(), after.scheduler(), Walk.small())) {
        StoreRecord store = Walk.defaultStore(engine);
        locked(() -> engine.deleteItem(command(), store.id(), "a"));
        locked(() -> put(engine, "a", Walk.content(2, 5_000)));
        locked(() -> engine.deleteStore(command(), store.id(), true));
        engine.updateItem(command(), store.id(), "a", new TreeMap<>(), false, 0);
        engine.deleteItem(command(), store.id(), "a");
      }
      return true;
    });
  }
}
