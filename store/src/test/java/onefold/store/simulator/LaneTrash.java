package onefold.store.simulator;

import java.io.IOException;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import onefold.store.Id;
import onefold.store.ItemRecord;
import onefold.store.LockOverride;
import onefold.store.RefusedException.Reason;
import onefold.store.StoreRecord;

/** Deleted items: how long they are kept, and what becomes of them. */
final class LaneTrash {
  private final Lane lane;
  private final World world;

  LaneTrash(Lane lane) {
    this.lane = lane;
    this.world = lane.world;
  }

  void keep(Step.KeepDeleted step) throws IOException {
    Model.StoreState state = world.model.store(step.store());
    StoreRecord old = state.record;
    if (old == null) {
      return;
    }
    lane.intend(new Intent.StoreChange(step.store(), true, old.quotaBytes(), step.days()));
    StoreRecord changed =
        lane.attempt(
            Lane.Expected.SUCCESS,
            () ->
                world
                    .store()
                    .updateStore(
                        world.newId(), old.withPolicy(old.policy().withUndeleteDays(step.days()))));
    if (changed != null) {
      Wrong.unless(
          changed.policy().undeleteDays() == step.days()
              && changed.quotaBytes() == old.quotaBytes(),
          "the store is now " + changed);
      state.record = changed;
    }
    lane.intend(null);
  }

  void undelete(Step.Undelete step) throws IOException {
    Model.StoreState state = world.model.store(step.of());
    List<Model.Grave> graves = state.graves(step.of().itemName());
    if (state.record == null || graves.isEmpty()) {
      return;
    }
    Model.Grave grave = graves.get(step.which() % graves.size());
    Model.Buried buried = java.util.Objects.requireNonNull(state.deleted.get(grave));
    var to = new Address(step.of().store(), step.of().lane(), step.as());
    Lane.Expected expected = expectedOf(buried);
    if (expected.must().isEmpty()) {
      Lane.Expected placing =
          lane.expectedPlacing(to, step.mode(), buried.known().content().length);
      Set<Reason> may = EnumSet.noneOf(Reason.class);
      may.addAll(placing.may());
      may.addAll(expected.may());
      Set<Reason> must = EnumSet.noneOf(Reason.class);
      must.addAll(placing.must());
      if (!must.isEmpty()) {
        must.addAll(expected.may());
      }
      expected = new Lane.Expected(must, may);
    }
    Id command = world.newId();
    Lane.Call<ItemRecord> call =
        () ->
            world
                .store()
                .undeleteItem(
                    command,
                    state.existing().id(),
                    grave.name(),
                    grave.version(),
                    to.itemName(),
                    step.mode());
    ItemRecord was = buried.known().item();
    if (expected.must().isEmpty()) {
      lane.intend(
          new Intent.ItemChange(
              to,
              new Intent.Wanted(
                  buried.known().content(),
                  was.tags(),
                  was.held(),
                  was.lockedUntilMillis(),
                  was.lockKind()),
              null,
              grave,
              expected.may().isEmpty() ? store -> call.call() : Intent.Again.NEVER));
    }
    long atMillis = world.store().storeTimeMillis();
    ItemRecord item = lane.attempt(expected, call);
    if (item != null) {
      Wrong.unless(
          item.id().equals(was.id())
              && item.version() == was.version()
              && item.root().equals(was.root())
              && item.createdAtMillis() == was.createdAtMillis()
              && item.name().equals(to.itemName()),
          was + " came back as " + item);
      state.deleted.remove(grave);
      Model.Known replaced =
          state.items.put(to.itemName(), new Model.Known(item, buried.known().content()));
      if (replaced != null) {
        state.bury(replaced, atMillis);
      }
      lane.intend(null);
      if (step.again()) {
        ItemRecord repeated = lane.attempt(Lane.Expected.SUCCESS, call);
        Wrong.unless(
            repeated == null || item.equals(repeated), "a repeated undelete answers otherwise");
      }
    }
    lane.intend(null);
  }

  void purge(Step.Purge step) throws IOException {
    Model.StoreState state = world.model.store(step.of());
    List<Model.Grave> graves = state.graves(step.of().itemName());
    if (state.record == null || graves.isEmpty()) {
      return;
    }
    Model.Grave grave = graves.get(step.which() % graves.size());
    Model.Buried buried = java.util.Objects.requireNonNull(state.deleted.get(grave));
    Lane.Expected expected = expectedOf(buried);
    if (!step.override()) {
      expected =
          expected.may().isEmpty()
              ? Lane.Expected.refusal(Reason.LOCKED)
              : new Lane.Expected(Set.of(), EnumSet.of(Reason.NOT_FOUND, Reason.LOCKED));
    }
    if (expected.must().isEmpty()) {
      lane.intend(new Intent.Purge(step.of().store(), grave));
    }
    Boolean done =
        lane.attempt(
            expected,
            () -> {
              world
                  .store()
                  .purgeDeleted(
                      world.newId(),
                      state.existing().id(),
                      grave.name(),
                      grave.version(),
                      step.override()
                          ? Optional.of(new LockOverride("warden", "no room"))
                          : Optional.empty());
              return true;
            });
    if (done != null) {
      state.deleted.remove(grave);
    }
    lane.intend(null);
  }

  /** What must come of using a grave: it may have gone if its time may have come. */
  private Lane.Expected expectedOf(Model.Buried buried) {
    return buried.purgeNotBefore() > world.store().storeTimeMillis() + Lane.SAFE_MILLIS
        ? Lane.Expected.SUCCESS
        : new Lane.Expected(Set.of(), EnumSet.of(Reason.NOT_FOUND));
  }
}
