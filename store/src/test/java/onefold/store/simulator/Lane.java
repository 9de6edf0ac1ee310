package onefold.store.simulator;

import java.io.IOException;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import onefold.store.CommitMode;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.ItemRecord;
import onefold.store.LockKind;
import onefold.store.LockOverride;
import onefold.store.ObjectReader;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;
import onefold.store.StoreFullException;
import onefold.store.StoreRecord;
import org.jspecify.annotations.Nullable;

/** Carries out steps for one task and tells the model what was answered. */
final class Lane {
  /** A call of the store. */
  @FunctionalInterface
  interface Call<T> {
    T call() throws IOException;
  }

  /**
   * What may come of a call.
   *
   * @param must it is refused for one of these, if there are any
   * @param may it may be refused for one of these
   */
  record Expected(Set<Reason> must, Set<Reason> may) {
    static final Expected SUCCESS = new Expected(Set.of(), Set.of());

    static Expected refusal(Reason reason) {
      return new Expected(Set.of(reason), Set.of());
    }
  }

  final World world;
  private final int number;
  private final Judge judge;
  private final LaneUploads uploads;
  private final LaneTrash trash;
  private final LaneSnapshots snapshots;
  private final LaneShares shares;
  private final LaneScrubs scrubs;

  Lane(World world, int number, Judge judge) {
    this.world = world;
    this.number = number;
    this.judge = judge;
    this.uploads = new LaneUploads(this);
    this.trash = new LaneTrash(this);
    this.snapshots = new LaneSnapshots(this);
    this.shares = new LaneShares(this, judge);
    this.scrubs = new LaneScrubs(this);
  }

  static String recordKind(int lane) {
    return "simulated" + lane;
  }

  /** Carries out a step of this lane. */
  void run(Step step) throws IOException {
    world.stepCount++;
    switch (step) {
      case Step.Put put -> uploads.put(put);
      case Step.Begin begin -> uploads.begin(begin);
      case Step.Feed feed -> uploads.feed(feed);
      case Step.Save save -> uploads.save(save);
      case Step.Finish finish -> uploads.finish(finish);
      case Step.Abort abort -> uploads.abort(abort.slot());
      case Step.Leave leave -> uploads.leave(leave.slot());
      case Step.Resume resume -> uploads.resume(resume);
      case Step.EndUpload end -> uploads.endUpload(end.of());
      case Step.Splice splice -> uploads.splice(splice);
      case Step.Clone clone -> cloneItem(clone);
      case Step.Delete delete -> delete(delete);
      case Step.Update update -> update(update);
      case Step.Lock lock -> lock(lock);
      case Step.ClockJump jump ->
          world.simulation().scheduler().moveClock(java.time.Duration.ofDays(jump.days()));
      case Step.PutRecord record -> putRecord(record);
      case Step.Listing listing -> list(listing);
      case Step.Read read -> read(read);
      case Step.OpenReader open -> openReader(open);
      case Step.ReadOpen read -> readOpen(read);
      case Step.CloseReader close -> closeReader(close.slot());
      case Step.PassTime pass ->
          world.simulation().scheduler().park(java.time.Duration.ofMillis(pass.millis()));
      case Step.Housekeeping housekeeping -> housekeep(housekeeping.domain());
      case Step.Recompress recompress -> recompress(recompress.domain());
      case Step.Scrub scrub -> scrubs.scrub(scrub.domain());
      case Step.KeepParity keep -> scrubs.keepParity(keep);
      case Step.LoseRun lose -> scrubs.loseRun(lose);
      case Step.Quota quota -> quota(quota);
      case Step.KeepDeleted keep -> trash.keep(keep);
      case Step.Undelete undelete -> trash.undelete(undelete);
      case Step.Purge purge -> trash.purge(purge);
      case Step.Snapshot snapshot -> snapshots.snapshot(snapshot);
      case Step.CopyStore copy -> snapshots.copy(copy);
      case Step.ShareChanges changes -> shares.change(changes);
      case Step.ShareSnapshot snapshot -> shares.snapshot(snapshot);
      case Step.CopyShare() -> shares.copy();
      case Step.MakeShare make -> shares.make(make.share());
      case Step.DropShare drop -> shares.drop(drop);
      case Step.DropStore drop -> dropStore(drop);
      case Step.MakeStore() -> makeStore();
      case Step.Pause pause -> pause(pause.paused());
      case Step.CheckAll check -> judge.readAll(check.seed());
      case Step.FillDisk fill -> world.setFull(fill.freeBytes());
      case Step.FreeDisk() -> world.setSpace();
      case Step.Heal heal -> uploads.heal(heal.seed());
      case Step.Hurt hurt -> uploads.hurt(hurt);
      case Step.MustRead must -> uploads.mustRead(must);
      case Step.Reopen(),
          Step.Cut _,
          Step.Together _,
          Step.FailedCall _,
          Step.NoSpace _,
          Step.Damage _ ->
          throw new IllegalStateException("not a step of a lane: " + step);
    }
  }

  /** Runs what housekeeping does beside the lanes. */
  void housekeep(int domain) throws IOException {
    StoreRecord record = world.model.store(domain == 0 ? 0 : 2).record;
    if (record != null) {
      if (world.paused) {
        pause(false); // Or it would wait.
      }
      if (world.paused) {
        return; // There was no space to say so.
      }
      attempt(Expected.SUCCESS, () -> world.store().runHousekeeping(record.domainId()));
    }
  }

  /** Writes sealed containers anew; that some cannot be, for want of space, is no refusal. */
  void recompress(int domain) throws IOException {
    StoreRecord record = world.model.store(domain == 0 ? 0 : 2).record;
    if (record != null) {
      if (world.paused) {
        pause(false); // Or it would wait.
      }
      if (world.paused) {
        return;
      }
      attempt(Expected.SUCCESS, () -> world.store().runRecompression(record.domainId()));
    }
  }

  void pause(boolean paused) throws IOException {
    Boolean done =
        attempt(
            Expected.SUCCESS,
            () -> {
              world.store().pauseHousekeeping(paused);
              return true;
            });
    if (done != null) {
      world.paused = paused;
    }
  }

  // ---- asking

  /**
   * Calls the store and checks that it succeeds or refuses as it must.
   *
   * @return the answer, or null if it was refused
   */
  <T> @Nullable T attempt(Expected expected, Call<T> call) throws IOException {
    long before = world.store().storeTimeMillis();
    T answer;
    try {
      answer = call.call();
    } catch (RefusedException e) {
      world.intents[number] = null;
      world.refusedCount++;
      if (expected.must.contains(e.reason())
          || expected.may.contains(e.reason())
          || (world.rotten && isOfDamage(e))) {
        return null;
      }
      throw new Wrong("refused with " + e.reason() + ", expected " + expected, e);
    } catch (StoreFullException e) {
      world.intents[number] = null;
      if (world.mayBeFull()) {
        return null;
      }
      throw new Wrong("the disk is said to be full", e);
    } catch (IOException e) {
      if (world.rotten && isOfDamage(e)) {
        world.intents[number] = null;
        return null;
      }
      throw e;
    }
    if (!expected.must.isEmpty()) {
      long after = world.store().storeTimeMillis();
      throw new Wrong(
          "not refused, expected " + expected.must + ", store time " + before + " to " + after);
    }
    return answer;
  }

  /** Whether a call says that what it needs is damaged. Then nothing has changed. */
  static boolean isOfDamage(IOException e) {
    return e instanceof CorruptDataException
        || String.valueOf(e.getMessage()).contains("found damaged");
  }

  void intend(@Nullable Intent intent) {
    world.intents[number] = intent;
    world.intendedAtMillis[number] = world.store().storeTimeMillis();
  }

  // ---- what must come of a change

  /** What must come of giving a name to an object of some length. */
  Expected expectedPlacing(Address address, CommitMode mode, long lengthBytes) {
    Model.StoreState state = world.model.store(address);
    Model.Known old = state.items.get(address.itemName());
    if (old != null && mode == CommitMode.IF_ABSENT) {
      return Expected.refusal(Reason.EXISTS);
    }
    Expected loss = old == null ? Expected.SUCCESS : expectedLoss(old.item());
    if (!loss.must.isEmpty()) {
      return loss;
    }
    long quota = state.existing().quotaBytes();
    long others = state.logicalBytes() - (old == null ? 0 : old.content().length);
    Set<Reason> must =
        quota != 0 && others + lengthBytes > quota
            ? EnumSet.of(Reason.QUOTA_EXCEEDED)
            : EnumSet.noneOf(Reason.class);
    if (!must.isEmpty()) {
      must.addAll(loss.may);
    }
    return new Expected(must, loss.may);
  }

  /** What must come of deleting or replacing an item. */
  private Expected expectedLoss(ItemRecord item) {
    if (item.held()) {
      return Expected.refusal(Reason.LOCKED);
    }
    return refusedWhileLocked(item);
  }

  /** What must come of what nobody may do to a locked item. */
  private Expected refusedWhileLocked(ItemRecord item) {
    // Store time goes on while the call is on its way.
    long now = world.store().storeTimeMillis();
    if (item.lockedUntilMillis() > now + SAFE_MILLIS) {
      return Expected.refusal(Reason.LOCKED);
    }
    return item.lockedUntilMillis() > now
        ? new Expected(Set.of(), EnumSet.of(Reason.LOCKED))
        : Expected.SUCCESS;
  }

  /** Longer than any step lasts in simulated time. */
  static final long SAFE_MILLIS = 3_600_000;

  static SortedMap<String, String> tags(int tags) {
    var map = new TreeMap<String, String>();
    for (int i = 0; i < tags; i++) {
      map.put("key" + (i * 7 + tags) % 5, "value " + tags);
    }
    return map;
  }

  // ---- names

  private void cloneItem(Step.Clone step) throws IOException {
    Model.StoreState from = world.model.store(step.from());
    Model.StoreState to = world.model.store(step.to());
    if (from.record == null || to.record == null) {
      return;
    }
    Model.Known source = world.model.item(step.from());
    Expected expected;
    if (!from.existing().domainId().equals(to.existing().domainId())) {
      expected = Expected.refusal(Reason.INVALID_REQUEST);
    } else if (source == null) {
      expected = Expected.refusal(Reason.NOT_FOUND);
    } else {
      expected = expectedPlacing(step.to(), step.mode(), source.content().length);
    }
    Id command = world.newId();
    Intent.Again again =
        store ->
            store.cloneItem(
                command,
                from.existing().id(),
                step.from().itemName(),
                to.existing().id(),
                step.to().itemName(),
                step.mode());
    if (source != null && expected.must.isEmpty()) {
      intend(
          new Intent.ItemChange(
              step.to(),
              new Intent.Wanted(
                  source.content(), source.item().tags(), false, 0, LockKind.GOVERNANCE),
              null,
              expected.may.isEmpty() ? again : Intent.Again.NEVER));
    }
    Call<ItemRecord> call =
        () ->
            world
                .store()
                .cloneItem(
                    command,
                    from.existing().id(),
                    step.from().itemName(),
                    to.existing().id(),
                    step.to().itemName(),
                    step.mode());
    long atMillis = world.store().storeTimeMillis();
    ItemRecord item = attempt(expected, call);
    if (item != null && source != null) {
      Wrong.unless(item.root().equals(source.item().root()), "a clone with another root");
      Wrong.unless(item.newBytes() == 0, "a clone of new bytes");
      Model.Known replaced =
          to.items.put(step.to().itemName(), new Model.Known(item, source.content()));
      if (replaced != null) {
        to.bury(replaced, atMillis);
      }
      intend(null);
      if (step.again()) {
        ItemRecord repeated = attempt(Expected.SUCCESS, call);
        Wrong.unless(
            repeated == null || item.equals(repeated), "a repeated clone answers something else");
      }
    }
    intend(null);
  }

  private void delete(Step.Delete step) throws IOException {
    Model.StoreState state = world.model.store(step.of());
    if (state.record == null) {
      return;
    }
    Model.Known known = world.model.item(step.of());
    Expected expected =
        known == null ? Expected.refusal(Reason.NOT_FOUND) : expectedLoss(known.item());
    Id command = world.newId();
    Intent.Again again =
        store -> store.deleteItem(command, state.existing().id(), step.of().itemName());
    if (known != null && expected.must.isEmpty()) {
      intend(
          new Intent.ItemChange(
              step.of(), null, null, expected.may.isEmpty() ? again : Intent.Again.NEVER));
    }
    long atMillis = world.store().storeTimeMillis();
    Boolean done =
        attempt(
            expected,
            () -> {
              again.ask(world.store());
              return true;
            });
    if (done != null) {
      Model.Known deleted = state.items.remove(step.of().itemName());
      if (deleted != null) {
        state.bury(deleted, atMillis);
      }
      intend(null);
      if (step.again()) {
        var _ =
            attempt(
                Expected.SUCCESS,
                () -> {
                  again.ask(world.store());
                  return true;
                });
      }
    }
    intend(null);
  }

  private void update(Step.Update step) throws IOException {
    Model.StoreState state = world.model.store(step.of());
    if (state.record == null) {
      return;
    }
    Model.Known known = world.model.item(step.of());
    SortedMap<String, String> tags = tags(step.tags());
    long until = step.lockMillis() == 0 ? 0 : world.store().storeTimeMillis() + step.lockMillis();
    Expected expected;
    if (known == null) {
      expected = Expected.refusal(Reason.NOT_FOUND);
    } else if (until != 0 && until < known.item().lockedUntilMillis()) {
      expected = refusedWhileLocked(known.item());
    } else {
      expected = Expected.SUCCESS;
    }
    Id command = world.newId();
    if (known != null && expected.must().isEmpty()) {
      long locked = until == 0 ? known.item().lockedUntilMillis() : until;
      intend(
          new Intent.ItemChange(
              step.of(),
              new Intent.Wanted(
                  known.content(),
                  tags,
                  step.held(),
                  locked,
                  until == 0 ? known.item().lockKind() : null),
              null,
              store ->
                  store.updateItem(
                      command,
                      state.existing().id(),
                      step.of().itemName(),
                      tags,
                      step.held(),
                      until)));
    }
    ItemRecord item =
        attempt(
            expected,
            () ->
                world
                    .store()
                    .updateItem(
                        command,
                        state.existing().id(),
                        step.of().itemName(),
                        tags,
                        step.held(),
                        until));
    if (item != null && known != null) {
      boolean lockIsAsItMustBe =
          until == 0
              ? item.lockedUntilMillis() == known.item().lockedUntilMillis()
                  && item.lockKind() == known.item().lockKind()
              : item.lockedUntilMillis() == until;
      Wrong.unless(
          item.root().equals(known.item().root())
              && item.tags().equals(tags)
              && item.held() == step.held()
              && lockIsAsItMustBe,
          () -> "updated to " + item + ", before: " + known.item());
      state.items.put(step.of().itemName(), new Model.Known(item, known.content()));
    }
    intend(null);
  }

  private void lock(Step.Lock step) throws IOException {
    Model.StoreState state = world.model.store(step.of());
    if (state.record == null) {
      return;
    }
    Model.Known known = world.model.item(step.of());
    long until = Math.max(1, world.store().storeTimeMillis() + step.millis());
    Optional<LockOverride> override =
        step.override()
            ? Optional.of(new LockOverride("warden", "a test of locks"))
            : Optional.empty();
    Expected expected;
    if (known == null) {
      expected = Expected.refusal(Reason.NOT_FOUND);
    } else {
      boolean shortens = until < known.item().lockedUntilMillis();
      boolean firm = known.item().lockKind() == LockKind.COMPLIANCE;
      boolean breach =
          firm ? shortens || step.kind() != LockKind.COMPLIANCE : shortens && override.isEmpty();
      expected = breach ? refusedWhileLocked(known.item()) : Expected.SUCCESS;
    }
    Id command = world.newId();
    Call<ItemRecord> call =
        () ->
            world
                .store()
                .lockItem(
                    command,
                    state.existing().id(),
                    step.of().itemName(),
                    until,
                    step.kind(),
                    override);
    if (known != null && expected.must().isEmpty()) {
      intend(
          new Intent.ItemChange(
              step.of(),
              new Intent.Wanted(
                  known.content(), known.item().tags(), known.item().held(), until, step.kind()),
              null,
              Intent.Again.NEVER));
    }
    ItemRecord item = attempt(expected, call);
    if (item != null && known != null) {
      Wrong.unless(
          item.root().equals(known.item().root())
              && item.tags().equals(known.item().tags())
              && item.held() == known.item().held()
              && item.lockedUntilMillis() == until
              && item.lockKind() == step.kind(),
          "locked as " + item);
      state.items.put(step.of().itemName(), new Model.Known(item, known.content()));
    }
    intend(null);
  }

  private void putRecord(Step.PutRecord step) throws IOException {
    byte[] value = null;
    if (step.lengthBytes() >= 0) {
      value = new byte[step.lengthBytes()];
      new SplittableRandom(step.lengthBytes() * 31L + step.key()).nextBytes(value);
    }
    byte[] after = value;
    String key = "key-" + step.key();
    Id command = world.newId();
    Intent.Again put =
        store -> store.putRecord(command, recordKind(step.lane()), key, Optional.ofNullable(after));
    intend(new Intent.RecordChange(step.lane(), key, after, put));
    Boolean done =
        attempt(
            Expected.SUCCESS,
            () -> {
              put.ask(world.store());
              return true;
            });
    if (done != null) {
      if (after == null) {
        world.model.records(step.lane()).remove(key);
      } else {
        world.model.records(step.lane()).put(key, after);
      }
    }
    intend(null);
  }

  // ---- stores

  private void quota(Step.Quota step) throws IOException {
    Model.StoreState state = world.model.store(step.store());
    StoreRecord old = state.record;
    if (old == null) {
      return;
    }
    long quota = step.slackBytes() < 0 ? 0 : Math.max(1, state.logicalBytes() + step.slackBytes());
    intend(new Intent.StoreChange(step.store(), true, quota, old.policy().undeleteDays()));
    StoreRecord changed =
        attempt(
            Expected.SUCCESS,
            () -> world.store().updateStore(world.newId(), old.withQuotaBytes(quota)));
    if (changed != null) {
      Wrong.unless(changed.quotaBytes() == quota, () -> "the quota is " + changed.quotaBytes());
      state.record = changed;
    }
    intend(null);
  }

  private void dropStore(Step.DropStore step) throws IOException {
    Model.StoreState state = world.model.store(1);
    StoreRecord old = state.record;
    if (old == null) {
      return;
    }
    uploads.leaveAllOf(1);
    long now = world.store().storeTimeMillis();
    boolean held = state.items.values().stream().anyMatch(known -> known.item().held());
    boolean locked =
        state.items.values().stream()
            .anyMatch(known -> known.item().lockedUntilMillis() > now + SAFE_MILLIS);
    boolean wasLocked =
        state.items.values().stream().anyMatch(known -> known.item().lockedUntilMillis() > 0);
    boolean buried =
        state.deleted.values().stream()
            .anyMatch(grave -> grave.purgeNotBefore() > now + SAFE_MILLIS);
    Expected expected;
    if ((!state.items.isEmpty() && !step.withItems()) || !state.snapshots.isEmpty()) {
      expected = Expected.refusal(Reason.NOT_EMPTY);
    } else if (held
        || locked
        || buried
        || (!state.items.isEmpty() && old.policy().undeleteDays() > 0)) {
      expected = Expected.refusal(Reason.LOCKED);
    } else {
      expected =
          wasLocked || !state.deleted.isEmpty()
              ? new Expected(Set.of(), EnumSet.of(Reason.LOCKED))
              : Expected.SUCCESS;
    }
    if (expected.must.isEmpty()) {
      intend(new Intent.StoreChange(1, false, 0, 0));
    }
    Boolean done =
        attempt(
            expected.must.isEmpty() && !state.items.isEmpty()
                ? new Expected(Set.of(), EnumSet.of(Reason.LOCKED))
                : expected,
            () -> {
              world.store().deleteStore(world.newId(), old.id(), step.withItems());
              return true;
            });
    if (done != null) {
      state.items.clear();
      state.deleted.clear();
      state.unfinished.clear();
      state.record = null;
    }
    intend(null);
  }

  private void makeStore() throws IOException {
    makeStore(1, world.model.store(0).existing().domainId());
  }

  /** Makes a store that must not be there, or must be refused because it is. */
  void makeStore(int index, Id domainId) throws IOException {
    Model.StoreState state = world.model.store(index);
    boolean exists = state.record != null;
    if (!exists) {
      intend(new Intent.StoreChange(index, true, 0, 0));
    }
    StoreRecord made =
        attempt(
            exists ? Expected.refusal(Reason.EXISTS) : Expected.SUCCESS,
            () ->
                world
                    .store()
                    .createStore(
                        world.newId(),
                        new StoreRecord(
                            domainId,
                            Address.storeName(index),
                            domainId,
                            0,
                            onefold.store.Compression.LZ4,
                            0,
                            0)));
    if (made != null) {
      state.record = made;
    }
    intend(null);
  }

  // ---- looking

  private void list(Step.Listing step) throws IOException {
    if (world.model.store(step.store()).record == null) {
      return;
    }
    String prefix = Address.prefix(step.lane());
    String after =
        step.afterName() < 0
            ? ""
            : new Address(step.store(), step.lane(), step.afterName()).itemName();
    judge.checkListing(
        step.store(),
        world.together
            ? prefix
            : prefix.substring(0, Math.min(step.prefixChars(), prefix.length())),
        after,
        new SplittableRandom(step.limit()));
  }

  private void read(Step.Read step) throws IOException {
    Model.StoreState state = world.model.store(step.of());
    Model.Known known = world.model.item(step.of());
    if (state.record != null && known != null) {
      var _ =
          judge.isReadable(
              state.existing().domainId(),
              known.item().root(),
              known.content(),
              step.seed(),
              step.of().toString());
    }
  }

  private void openReader(Step.OpenReader step) throws IOException {
    closeReader(step.slot());
    Model.StoreState state = world.model.store(step.of());
    Model.Known known = world.model.item(step.of());
    if (state.record != null && known != null) {
      ObjectReader reader =
          attempt(
              Expected.SUCCESS,
              () -> world.store().openReader(state.existing().domainId(), known.item().root()));
      world.readers[step.slot()] =
          reader == null ? null : new World.OpenReader(reader, known.content());
    }
  }

  private void readOpen(Step.ReadOpen step) throws IOException {
    World.OpenReader open = world.readers[step.slot()];
    if (open != null) {
      var _ =
          attempt(
              Expected.SUCCESS,
              () -> {
                Reading.check(open.reader(), open.content(), step.seed(), "an open reader");
                return true;
              });
    }
  }

  void closeReader(int slot) {
    World.OpenReader open = world.readers[slot];
    world.readers[slot] = null;
    if (open != null) {
      open.reader().close();
    }
  }

  /** Closes what this program has open, as a front-end does at its end. */
  void closeAll() {
    for (int slot = 0; slot < world.uploads.length; slot++) {
      uploads.leave(slot);
      closeReader(slot);
    }
  }

  LaneSnapshots snapshots() {
    return snapshots;
  }

  Judge judge() {
    return judge;
  }

  LaneShares shares() {
    return shares;
  }

  LaneUploads uploads() {
    return uploads;
  }
}
