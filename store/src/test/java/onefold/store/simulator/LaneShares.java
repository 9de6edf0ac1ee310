package onefold.store.simulator;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.concurrent.CompletionStage;
import onefold.chunker.ObjectRoot;
import onefold.chunker.ParameterSet;
import onefold.store.Id;
import onefold.store.RefusedException.Reason;
import onefold.store.ShareChange;
import onefold.store.ShareEntry;
import onefold.store.ShareObject;
import onefold.store.ShareRecord;
import onefold.store.ShareStore;
import onefold.store.SnapshotRecord;
import onefold.store.StoreFullException;
import onefold.store.scheduler.Promise;
import org.jspecify.annotations.Nullable;

/** Shares: changes of their entries, snapshots and copies. */
final class LaneShares {
  /** Keys that a lane uses. */
  private static final int KEYS = 9;

  private final Lane lane;
  private final World world;
  private final Judge judge;

  LaneShares(Lane lane, Judge judge) {
    this.lane = lane;
    this.world = lane.world;
    this.judge = judge;
  }

  static String shareName(int share) {
    return share == 0 ? "backup" : "files";
  }

  static String snapshotName(int name) {
    return "kept-" + name;
  }

  // ---- entries

  void change(Step.ShareChanges step) throws IOException {
    ShareStore store = world.shareStore();
    ShareState state = world.model.share(step.share());
    ShareRecord record = state.record;
    if (store == null || record == null || state.stopped) {
      return;
    }
    ShareState.LaneEntries entries = state.lanes.get(step.lane());
    var random = new SplittableRandom(step.seed());
    List<ShareChange> changes = new ArrayList<>();
    for (int i = 0; i < step.count(); i++) {
      changes.add(change(step.lane(), entries.now(), random));
    }
    ShareState.Asked asked = entries.ask(changes);
    CompletionStage<Void> stage;
    try {
      stage = store.shareTree(record.id()).change(changes);
    } catch (StoreFullException e) {
      entries.takeBack(asked);
      Wrong.unless(
          world.mayBeFull() && changes.stream().noneMatch(c -> c instanceof ShareChange.Remove),
          () -> "the disk is said to be full: " + e.getMessage());
      return;
    } catch (IOException e) {
      entries.takeBack(asked);
      if (state.stopped || Judge.isOfFullDisk(world, e) || (world.rotten && Lane.isOfDamage(e))) {
        return;
      }
      throw e;
    }
    Promise<Boolean> done = world.simulation().scheduler().promise();
    stage.whenComplete((nothing, failure) -> {
      if (failure == null) {
        asked.durable = true;
        done.complete(true);
      } else {
        state.stopped = true;
        done.fail(failure);
      }
    });
    if (step.awaited()) {
      try {
        done.await();
      } catch (IOException e) {
        if (isExpected()) {
          return;
        }
        throw e;
      }
    }
    judge.checkShare(step.share(), step.lane(), random);
  }

  /** Whether a share may stop, as something else than a failed call has gone wrong. */
  private boolean isExpected() {
    return world.disturbed || world.rotten;
  }

  private ShareChange change(
      int number, SortedMap<byte[], ShareEntry> entries, SplittableRandom random) {
    byte[] key = key(number, random);
    return switch (random.nextInt(8)) {
      case 0, 1 -> new ShareChange.Remove(key);
      case 2 -> new ShareChange.SetValue(key, value(random));
      case 3 -> {
        ShareEntry old = entries.get(key);
        ShareObject before = old == null ? null : old.object().orElse(null);
        ShareObject next = object(number, entries, random);
        yield new ShareChange.SetObject(
            key,
            before == null
                ? next
                : new ShareObject(
                    before.id(),
                    next.root(),
                    before.folded() + random.nextInt(3),
                    next.dataBytes(),
                    next.note()));
      }
      default ->
          new ShareChange.SetEntry(
              new ShareEntry(
                  key,
                  random.nextInt(3) == 0
                      ? Optional.empty()
                      : Optional.of(object(number, entries, random)),
                  value(random)));
    };
  }

  private static byte[] key(int number, SplittableRandom random) {
    int name = random.nextInt(KEYS);
    byte[] key = new byte[name == 0 ? 600 : 2 + name % 2];
    key[0] = ShareState.prefix(number)[0];
    key[1] = (byte) (name * 31);
    return key;
  }

  private static byte[] value(SplittableRandom random) {
    byte[] value =
        new byte[random.nextInt(random.nextInt(12) == 0 ? 20_000 : 1 << random.nextInt(1, 9))];
    random.nextBytes(value);
    return value;
  }

  /** The object of an item of the lane's own, or of an entry, or one without bytes. */
  private ShareObject object(
      int number, SortedMap<byte[], ShareEntry> entries, SplittableRandom random) {
    var id = new Id(random.nextLong(), 1);
    ObjectRoot root = null;
    ShareEntry entry = entries.get(key(number, random));
    Model.Known item =
        world.model.item(new Address(0, number, random.nextInt(Address.NAMES_PER_LANE)));
    if (item != null && random.nextInt(3) > 0) {
      root = item.item().root();
      world.model.contents.put(root.node(), item.content());
    } else if (entry != null && entry.object().isPresent()) {
      root = entry.object().get().root();
    }
    return root == null
        ? ShareObject.empty(id, ParameterSet.SET_1)
        : new ShareObject(id, root, random.nextInt(9), random.nextInt(99), new byte[] {7});
  }

  // ---- shares

  void make(int share) throws IOException {
    ShareStore store = world.shareStore();
    if (store == null) {
      return;
    }
    ShareState state = world.model.share(share);
    boolean exists = state.record != null;
    if (!exists) {
      lane.intend(new Intent.MakeShare(share, true, null));
    }
    Id domainId = world.model.store(0).existing().domainId();
    ShareRecord made =
        lane.attempt(
            exists ? Lane.Expected.refusal(Reason.EXISTS) : Lane.Expected.SUCCESS,
            () ->
                store.createShare(
                    world.newId(), shareName(share), domainId, new byte[] {(byte) share}));
    if (made != null) {
      state.gone();
      state.record = made;
    }
    lane.intend(null);
  }

  void copy() throws IOException {
    ShareStore store = world.shareStore();
    ShareState from = world.model.share(0);
    ShareState to = world.model.share(1);
    ShareRecord source = from.record;
    if (store == null || source == null || from.stopped || to.record != null) {
      return;
    }
    SortedMap<byte[], ShareEntry> entries = from.all();
    lane.intend(new Intent.MakeShare(1, true, entries));
    ShareRecord made =
        awaited(from, () -> store.copyShare(world.newId(), source.id(), shareName(1), false));
    if (made != null) {
      to.copied(made, entries);
    }
    lane.intend(null);
  }

  void drop(Step.DropShare step) throws IOException {
    ShareStore store = world.shareStore();
    ShareState state = world.model.share(step.share());
    ShareRecord record = state.record;
    if (store == null || record == null || state.stopped) {
      return;
    }
    boolean kept = (!step.withFiles() && !state.all().isEmpty()) || !state.snapshots.isEmpty();
    if (!kept) {
      lane.intend(new Intent.MakeShare(step.share(), false, null));
    }
    Boolean done =
        lane.attempt(
            kept ? Lane.Expected.refusal(Reason.NOT_EMPTY) : Lane.Expected.SUCCESS,
            () -> {
              store.deleteShare(world.newId(), record.id(), step.withFiles());
              return true;
            });
    if (done != null) {
      state.gone();
    }
    lane.intend(null);
  }

  void snapshot(Step.ShareSnapshot step) throws IOException {
    ShareStore store = world.shareStore();
    ShareState state = world.model.share(step.share());
    ShareRecord record = state.record;
    if (store == null || record == null || state.stopped) {
      return;
    }
    String name = snapshotName(step.name());
    if (state.snapshots.containsKey(name)) {
      deleteSnapshot(step.share(), name);
      return;
    }
    SortedMap<byte[], ShareEntry> entries = state.all();
    lane.intend(new Intent.ShareSnapshotChange(step.share(), name, entries));
    ShareRecord made =
        awaited(state, () -> store.copyShare(world.newId(), record.id(), name, true));
    if (made != null) {
      Wrong.unless(
          made.snapshot() && made.name().equals(record.name() + SnapshotRecord.MARK + name),
          () -> "the snapshot is " + made);
      state.snapshots.put(name, entries);
    }
    lane.intend(null);
  }

  /** Attempts what waits for the changes on their way, one of which may fail on a full disk. */
  private @Nullable ShareRecord awaited(ShareState state, Lane.Call<ShareRecord> call)
      throws IOException {
    try {
      return lane.attempt(Lane.Expected.SUCCESS, call);
    } catch (IOException e) {
      if (state.stopped && isExpected()) {
        return null;
      }
      throw e;
    }
  }

  private void deleteSnapshot(int share, String name) throws IOException {
    ShareStore store = world.shareStore();
    ShareState state = world.model.share(share);
    if (store == null) {
      return;
    }
    ShareRecord found =
        store.findShare(shareName(share) + SnapshotRecord.MARK + name).orElseThrow();
    lane.intend(new Intent.ShareSnapshotChange(share, name, state.snapshots.get(name)));
    Boolean done =
        lane.attempt(
            Lane.Expected.SUCCESS,
            () -> {
              store.deleteShare(world.newId(), found.id(), true);
              return true;
            });
    if (done != null) {
      state.snapshots.remove(name);
    }
    lane.intend(null);
  }

  /** Deletes everything. */
  void deleteAll() throws IOException {
    for (int share = 0; share < Model.SHARES; share++) {
      ShareState state = world.model.share(share);
      for (String name : List.copyOf(state.snapshots.keySet())) {
        deleteSnapshot(share, name);
      }
      drop(new Step.DropShare(share, true));
    }
  }
}
