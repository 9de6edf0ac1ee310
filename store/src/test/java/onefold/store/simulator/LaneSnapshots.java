package onefold.store.simulator;

import java.io.IOException;
import java.util.EnumSet;
import java.util.Map;
import java.util.TreeMap;
import onefold.store.ChunkStore;
import onefold.store.CommitMode;
import onefold.store.Id;
import onefold.store.RefusedException.Reason;
import onefold.store.SnapshotRecord;
import onefold.store.StoreRecord;

/** Snapshots and copies of whole stores. */
final class LaneSnapshots {
  private final Lane lane;
  private final World world;

  LaneSnapshots(Lane lane) {
    this.lane = lane;
    this.world = lane.world;
  }

  static String name(int name) {
    return "snapshot-" + name;
  }

  void snapshot(Step.Snapshot step) throws IOException {
    Model.StoreState state = world.model.store(step.store());
    if (state.record == null) {
      return;
    }
    String name = name(step.name());
    if (state.snapshots.containsKey(name)) {
      delete(step.store(), name);
      return;
    }
    lane.intend(new Intent.SnapshotChange(step.store(), name));
    Id command = world.newId();
    Lane.Call<SnapshotRecord> call =
        () -> world.store().createSnapshot(command, state.existing().id(), name);
    SnapshotRecord made = lane.attempt(Lane.Expected.SUCCESS, call);
    if (made != null) {
      Wrong.unless(
          made.name().equals(name)
              && made.of().equals(state.existing().id())
              && made.itemCount() == state.items.size()
              && made.logicalBytes() == state.logicalBytes(),
          "the snapshot is " + made);
      state.snapshots.put(name, state.copiedItems());
      lane.intend(null);
      refuseChanges(made, state);
    }
    lane.intend(null);
  }

  /** Whatever is tried against a snapshot is refused. */
  private void refuseChanges(SnapshotRecord snapshot, Model.StoreState state) throws IOException {
    Id id = snapshot.store().id();
    ChunkStore store = world.store();
    lane.attempt(
        Lane.Expected.refusal(Reason.INVALID_REQUEST),
        () -> store.createSnapshot(world.newId(), id, "again"));
    lane.attempt(
        Lane.Expected.refusal(Reason.EXISTS),
        () -> store.createSnapshot(world.newId(), snapshot.of(), snapshot.name()));
    if (!state.items.isEmpty()) {
      String item = state.items.firstKey();
      Lane.Expected refused =
          new Lane.Expected(EnumSet.of(Reason.INVALID_REQUEST), EnumSet.noneOf(Reason.class));
      lane.attempt(
          refused,
          () -> {
            store.deleteItem(world.newId(), id, item);
            return true;
          });
      lane.attempt(
          refused,
          () -> store.cloneItem(world.newId(), id, item, id, item + "2", CommitMode.IF_ABSENT));
    }
  }

  private void delete(int store, String name) throws IOException {
    Model.StoreState state = world.model.store(store);
    StoreRecord found =
        world.store().findStore(state.existing().name() + SnapshotRecord.MARK + name).orElseThrow();
    lane.intend(new Intent.SnapshotChange(store, name));
    Boolean done =
        lane.attempt(
            Lane.Expected.SUCCESS,
            () -> {
              world.store().deleteSnapshot(world.newId(), found.id());
              return true;
            });
    if (done != null) {
      state.snapshots.remove(name);
    }
    lane.intend(null);
  }

  /** Deletes all snapshots. */
  void deleteAll() throws IOException {
    for (int store = 0; store < Address.STORES; store++) {
      for (int name = 0; name < 3; name++) {
        if (world.model.store(store).snapshots.containsKey(name(name))) {
          delete(store, name(name));
        }
      }
    }
  }

  void copy(Step.CopyStore step) throws IOException {
    Model.StoreState from = world.model.store(0);
    Model.StoreState to = world.model.store(1);
    StoreRecord source = from.record;
    Map<String, Model.Known> items = from.copiedItems();
    if (source == null || to.record != null) {
      return;
    }
    if (step.snapshot() >= 0) {
      String name = name(step.snapshot());
      Map<String, Model.Known> then = from.snapshots.get(name);
      if (then == null) {
        return;
      }
      items = new TreeMap<>(then);
      source = world.store().findStore(source.name() + SnapshotRecord.MARK + name).orElseThrow();
    }
    StoreRecord of = source;
    lane.intend(
        new Intent.StoreChange(1, true, of.quotaBytes(), of.policy().undeleteDays(), items));
    StoreRecord made =
        lane.attempt(
            Lane.Expected.SUCCESS,
            () -> world.store().copyStore(world.newId(), of.id(), Address.storeName(1)));
    if (made != null) {
      to.record = made;
      items.forEach((name, known) -> to.items.put(name, known.in(made.id())));
    }
    lane.intend(null);
  }
}
