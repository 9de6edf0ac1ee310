package onefold.store.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import onefold.store.CommitMode;
import onefold.store.Id;
import onefold.store.ItemRecord;
import onefold.store.LockKind;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;
import onefold.store.SnapshotRecord;
import onefold.store.StoreRecord;
import onefold.store.simulation.DeviceCall;
import onefold.store.simulation.Faults;
import onefold.store.simulation.Simulation;
import org.junit.jupiter.api.Test;

/** Snapshots and copies of stores: what they cost, what they keep, what a restart finds. */
class SnapshotSimTest {
  private static int commands;

  private static Id command() {
    return Walk.commandId("snapshot" + commands++);
  }

  /** Makes so many items of one object. */
  private static void fill(Engine engine, StoreRecord store, int count) throws IOException {
    Walk.put(engine, "n0", Walk.content(1, 20_000));
    for (int i = 1; i < count; i++) {
      engine.cloneItem(command(), store.id(), "n0", store.id(), "n" + i, CommitMode.IF_ABSENT);
    }
  }

  private static byte[] read(Engine engine, String storeName, String item) throws IOException {
    StoreRecord store = engine.findStore(storeName).orElseThrow();
    ItemRecord found = engine.findItem(store.id(), item).orElseThrow();
    return Walk.read(engine, store.domainId(), found.root());
  }

  @Test
  void aSnapshotOfTenThousandItemsWritesNoMoreThanOneOfTen() throws Exception {
    var simulation = new Simulation(Simulation.seed());
    simulation.run(() -> {
      AtomicLong written = new AtomicLong();
      simulation
          .device()
          .setFaults(call -> {
            if (call.kind() == DeviceCall.Kind.WRITE) {
              written.addAndGet(call.lengthBytes());
            }
            return Faults.Outcome.NONE;
          });
      try (Engine engine = Engine.open(simulation.device(), simulation.scheduler(), Walk.small())) {
        StoreRecord store = Walk.defaultStore(engine);
        fill(engine, store, 10_000);
        engine.createSnapshot(command(), store.id(), "first");
        long before = written.get();
        engine.createSnapshot(command(), store.id(), "second");
        long unchanged = written.get() - before;
        assertTrue(unchanged < 4_096, unchanged + " bytes for a snapshot of what has not changed");
        engine.deleteItem(command(), store.id(), "n5000");
        before = written.get();
        engine.createSnapshot(command(), store.id(), "third");
        long changed = written.get() - before;
        assertTrue(changed < 150_000, changed + " bytes for a snapshot after one change");
        before = written.get();
        StoreRecord copy = engine.copyStore(command(), store.id(), "copy");
        long copied = written.get() - before;
        assertTrue(copied < 4_096, copied + " bytes for a copy of the store");
        assertEquals(9_999, engine.statistics(copy.id()).itemCount());
      }
      return true;
    });
  }

  @Test
  void aThousandSnapshotsAreKeptThroughHousekeepingAndARestart() throws Exception {
    byte[] old = Walk.content(2, 40_000);
    var simulation = new Simulation(Simulation.seed());
    simulation.run(() -> {
      Engine engine = Engine.open(simulation.device(), simulation.scheduler(), Walk.small());
      StoreRecord store = Walk.defaultStore(engine);
      fill(engine, store, 200);
      Walk.put(engine, "old", old);
      for (int i = 0; i < 1000; i++) {
        engine.createSnapshot(command(), store.id(), "s" + i);
        if (i == 500) {
          engine.deleteItem(command(), store.id(), "old");
        }
        if (i % 100 == 50) {
          engine.deleteItem(command(), store.id(), "n" + i / 10);
        }
      }
      SnapshotRecord last = engine.snapshots(store.id()).getLast();
      engine.lockSnapshot(
          command(),
          last.store().id(),
          engine.storeTimeMillis() + 1_000_000,
          LockKind.COMPLIANCE,
          Optional.empty());
      engine.runHousekeeping(store.domainId());
      engine.runHousekeeping(store.domainId());
      return true;
    });
    var after = simulation.afterProcessEnd(1);
    after.run(() -> {
      try (Engine engine = Engine.open(after.device(), after.scheduler(), Walk.small())) {
        StoreRecord store = Walk.defaultStore(engine);
        List<SnapshotRecord> snapshots = engine.snapshots(store.id());
        assertEquals(1000, snapshots.size());
        assertArrayEquals(old, read(engine, "default@s500", "old"));
        assertEquals(Optional.empty(), engine.findItem(store.id(), "old"));
        SnapshotRecord locked = snapshots.getLast();
        assertEquals(
            Reason.LOCKED,
            assertThrows(
                    RefusedException.class,
                    () -> engine.deleteSnapshot(command(), locked.store().id()))
                .reason());
        for (SnapshotRecord snapshot : snapshots) {
          if (!snapshot.equals(locked)) {
            engine.deleteSnapshot(command(), snapshot.store().id());
          }
        }
        engine.runHousekeeping(store.domainId());
        assertEquals(List.of(locked), engine.snapshots(store.id()));
        assertArrayEquals(Walk.content(1, 20_000), read(engine, locked.store().name(), "n199"));
      }
      return true;
    });
  }
}
