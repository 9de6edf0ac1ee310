package onefold.store.simulator;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import onefold.chunker.ObjectRoot;
import onefold.store.ChunkStore;
import onefold.store.CorruptDataException;
import onefold.store.DeletedItem;
import onefold.store.DeletedPage;
import onefold.store.DomainRecord;
import onefold.store.DomainStatistics;
import onefold.store.HousekeepingStatus;
import onefold.store.Id;
import onefold.store.ItemListing;
import onefold.store.ItemPage;
import onefold.store.ItemQuery;
import onefold.store.ItemRecord;
import onefold.store.RefusedException;
import onefold.store.ShareEntry;
import onefold.store.ShareObject;
import onefold.store.ShareRecord;
import onefold.store.ShareStore;
import onefold.store.ShareTree;
import onefold.store.SnapshotRecord;
import onefold.store.StoreFullException;
import onefold.store.StoreRecord;
import onefold.store.StoreStatistics;
import onefold.store.UnfinishedUpload;
import org.jspecify.annotations.Nullable;

/** Compares the store with the model. */
final class Judge {
  private final World world;

  Judge(World world) {
    this.world = world;
  }

  // ---- after a cut

  /** Settles for each change that was not answered whether it has happened; nothing in between. */
  void settle() throws IOException {
    for (int lane = 0; lane < world.intents.length; lane++) {
      Intent intent = world.intents[lane];
      world.intents[lane] = null;
      switch (intent) {
        case null -> {}
        case Intent.ItemChange change -> settle(change, world.intendedAtMillis[lane]);
        case Intent.Purge purge -> settle(purge);
        case Intent.SnapshotChange change -> settle(change);
        case Intent.RecordChange change -> settle(change);
        case Intent.StoreChange change -> settle(change);
        case Intent.MakeShare change -> settle(change);
        case Intent.ShareSnapshotChange change -> settle(change);
      }
    }
    for (int store = 0; store < Address.STORES; store++) {
      settleUnfinished(store);
    }
    for (int share = 0; share < Model.SHARES; share++) {
      settleEntries(share);
    }
  }

  private void settle(Intent.MakeShare change) throws IOException {
    ShareState state = world.model.share(change.share());
    ShareStore store = world.shareStore();
    Optional<ShareRecord> found =
        store == null ? Optional.empty() : store.findShare(LaneShares.shareName(change.share()));
    ShareRecord before = state.record;
    SortedMap<byte[], ShareEntry> copied = change.copied();
    if (found.isEmpty()) {
      Wrong.unless(before == null || !change.exists(), () -> "share " + before + " is gone");
      state.gone();
    } else if (before == null) {
      Wrong.unless(change.exists(), () -> "a share that nobody made: " + found);
      state.copied(found.get(), copied == null ? ShareState.empty() : copied);
    }
  }

  private void settle(Intent.ShareSnapshotChange change) throws IOException {
    ShareState state = world.model.share(change.share());
    ShareStore store = world.shareStore();
    SortedMap<byte[], ShareEntry> entries = change.entries();
    boolean there =
        store != null
            && store
                .findShare(
                    LaneShares.shareName(change.share()) + SnapshotRecord.MARK + change.name())
                .isPresent();
    if (!there) {
      state.snapshots.remove(change.name());
    } else if (entries != null) {
      state.snapshots.put(change.name(), entries);
    }
  }

  /** Entries of shares: those of each lane as after one of its calls, no told one lost. */
  private void settleEntries(int share) throws IOException {
    ShareState state = world.model.share(share);
    ShareStore store = world.shareStore();
    ShareRecord record = state.record;
    if (store == null || record == null) {
      return;
    }
    ShareTree tree = store.shareTree(record.id());
    for (int lane = 0; lane < Address.LANES; lane++) {
      List<ShareEntry> found = scanned(tree, ShareState.prefix(lane), 1000);
      int number = lane;
      Wrong.unless(
          state.lanes.get(lane).settle(found),
          () ->
              "the entries of lane "
                  + number
                  + " of share "
                  + record.name()
                  + " are as after none of its calls that may be the last: "
                  + found);
    }
  }

  private static List<ShareEntry> scanned(ShareTree tree, byte[] prefix, int limit)
      throws IOException {
    var found = new ArrayList<ShareEntry>();
    byte[] after = new byte[0];
    while (true) {
      List<ShareEntry> page = tree.scan(prefix, after, limit);
      found.addAll(page);
      if (page.size() < limit) {
        return found;
      }
      after = page.getLast().key();
    }
  }

  /**
   * Whether a share says that it has stopped because the disk is full: a reader may meet that a
   * moment before who has changed it is told.
   */
  static boolean isOfFullDisk(World world, IOException e) {
    return world.mayBeFull() && e.getCause() instanceof StoreFullException;
  }

  /** Compares the entries of a lane in a share with the model. */
  void checkShare(int share, int lane, SplittableRandom random) throws IOException {
    ShareState state = world.model.share(share);
    ShareStore store = world.shareStore();
    ShareRecord record = state.record;
    if (store == null || record == null || state.stopped) {
      return;
    }
    SortedMap<byte[], ShareEntry> expected = state.lanes.get(lane).now();
    List<ShareEntry> found;
    try {
      ShareTree tree = store.shareTree(record.id());
      found = scanned(tree, ShareState.prefix(lane), 1 + random.nextInt(12));
      for (ShareEntry entry : expected.values()) {
        if (random.nextInt(4) == 0) {
          Optional<ShareEntry> one = tree.find(entry.key());
          Wrong.unless(
              one.isPresent() && ShareState.isSame(entry, one.get()),
              () -> "an entry is " + one + ", expected " + entry);
        }
      }
    } catch (IOException e) {
      if (state.stopped || isOfFullDisk(world, e)) {
        return;
      }
      throw e;
    }
    Wrong.unless(
        ShareState.isSame(expected, found),
        () ->
            "lane "
                + lane
                + " has in share "
                + record.name()
                + " "
                + found
                + ", expected "
                + expected.values());
  }

  /** Compares shares, their snapshots and entries. */
  private void checkShares(SplittableRandom random) throws IOException {
    ShareStore store = world.shareStore();
    if (store == null) {
      return;
    }
    var names = new ArrayList<String>();
    for (int share = 0; share < Model.SHARES; share++) {
      ShareState state = world.model.share(share);
      ShareRecord record = state.record;
      if (record == null) {
        continue;
      }
      names.add(record.name());
      if (state.stopped) {
        continue;
      }
      for (int lane = 0; lane < Address.LANES; lane++) {
        checkShare(share, lane, random);
      }
      List<ShareRecord> snapshots = store.shareSnapshots(record.id());
      Wrong.unless(
          snapshots.stream()
              .map(ShareRecord::name)
              .toList()
              .equals(
                  state.snapshots.keySet().stream()
                      .map(name -> record.name() + SnapshotRecord.MARK + name)
                      .toList()),
          () -> "snapshots " + snapshots + ", expected " + state.snapshots.keySet());
      for (ShareRecord snapshot : snapshots) {
        String name = snapshot.name().substring(snapshot.name().indexOf(SnapshotRecord.MARK) + 1);
        Wrong.unless(
            ShareState.isSame(
                java.util.Objects.requireNonNull(state.snapshots.get(name)),
                scanned(store.shareTree(snapshot.id()), new byte[0], 1 + random.nextInt(20))),
            () -> "the entries of snapshot " + snapshot.name() + " are others");
      }
    }
    List<String> found = store.shares().stream().map(ShareRecord::name).toList();
    Wrong.unless(names.equals(found), () -> "shares " + found + ", expected " + names);
  }

  /** Reads the objects of all shares and their snapshots. */
  private void readShares(SplittableRandom random) throws IOException {
    for (int share = 0; share < Model.SHARES; share++) {
      ShareState state = world.model.share(share);
      ShareRecord record = state.record;
      if (record == null || state.stopped) {
        continue;
      }
      var entries = new ArrayList<>(state.all().values());
      state.snapshots.values().forEach(kept -> entries.addAll(kept.values()));
      for (ShareEntry entry : entries) {
        ObjectRoot root = entry.object().map(ShareObject::root).orElse(null);
        if (root != null && root.lengthBytes() > 0) {
          var _ =
              isReadable(
                  record.domainId(),
                  root,
                  java.util.Objects.requireNonNull(world.model.contents.get(root.node())),
                  random.nextLong(),
                  "an entry of share " + record.name());
        }
      }
    }
  }

  /** Asks again, with the same command ids, for what was not answered: it happens once. */
  void askAgain(@Nullable Intent[] before) throws IOException {
    for (@Nullable Intent intent : before) {
      switch (intent) {
        case Intent.ItemChange(
                Address address,
                Intent.Wanted after,
                Id _,
                Model.Grave exhumed,
                Intent.Again again) -> {
          if (again.isPossible() && world.model.store(address).record != null) {
            long atMillis = world.store().storeTimeMillis();
            again.ask(world.store());
            Optional<ItemRecord> found =
                world
                    .store()
                    .findItem(world.model.store(address).existing().id(), address.itemName());
            Model.Known known = world.model.item(address);
            if (known == null || after == null || !found.map(known.item()::equals).orElse(false)) {
              adopt(address, found, after, atMillis, "asked again, ");
            }
            if (exhumed != null) {
              world.model.store(address).deleted.remove(exhumed);
            }
          }
        }
        case Intent.RecordChange(int lane, String key, byte[] after, Intent.Again again) -> {
          again.ask(world.store());
          if (after == null) {
            world.model.records(lane).remove(key);
          } else {
            world.model.records(lane).put(key, after);
          }
        }
        case Intent.StoreChange _,
            Intent.Purge _,
            Intent.SnapshotChange _,
            Intent.MakeShare _,
            Intent.ShareSnapshotChange _ -> {}
        case null -> {}
      }
    }
  }

  private void settle(Intent.SnapshotChange change) throws IOException {
    Model.StoreState state = world.model.store(change.store());
    if (state.record == null) {
      return;
    }
    boolean there =
        world.store().snapshots(state.existing().id()).stream()
            .anyMatch(snapshot -> snapshot.name().equals(change.name()));
    if (!there) {
      state.snapshots.remove(change.name());
    } else if (!state.snapshots.containsKey(change.name())) {
      state.snapshots.put(change.name(), state.copiedItems());
    }
  }

  private void settle(Intent.Purge purge) throws IOException {
    Model.StoreState state = world.model.store(purge.store());
    if (state.record != null) {
      List<DeletedItem> found =
          world
              .store()
              .listDeleted(state.existing().id(), purge.grave().name(), "", 0, 10_000)
              .items();
      if (found.stream().map(Judge::graveOf).noneMatch(purge.grave()::equals)) {
        state.deleted.remove(purge.grave());
      }
    }
  }

  /** Compares the snapshots of a store with what was there when they were taken. */
  private void checkSnapshots(int store, SplittableRandom random) throws IOException {
    Model.StoreState state = world.model.store(store);
    List<SnapshotRecord> found = world.store().snapshots(state.existing().id());
    Wrong.unless(
        found.stream()
            .map(SnapshotRecord::name)
            .toList()
            .equals(List.copyOf(state.snapshots.keySet())),
        "snapshots " + found + ", expected " + state.snapshots.keySet());
    for (SnapshotRecord snapshot : found) {
      Map<String, Model.Known> items =
          java.util.Objects.requireNonNull(state.snapshots.get(snapshot.name()));
      List<ItemRecord> expected =
          items.values().stream().map(known -> known.in(snapshot.store().id()).item()).toList();
      List<ItemRecord> listed =
          world.store().listItems(snapshot.store().id(), "", "", 10_000).items();
      Wrong.unless(
          expected.equals(listed),
          "snapshot " + snapshot + " lists " + names(listed) + ", expected " + names(expected));
      if (!expected.isEmpty()) {
        ItemRecord one = expected.get(random.nextInt(expected.size()));
        Wrong.unless(
            world
                .store()
                .findItem(snapshot.store().id(), one.name())
                .map(one::equals)
                .orElse(false),
            "an item of a snapshot is another: " + one);
      }
    }
  }

  private static Model.Grave graveOf(DeletedItem deleted) {
    return new Model.Grave(deleted.item().name(), deleted.item().version());
  }

  private void settle(Intent.ItemChange change, long atMillis) throws IOException {
    Address address = change.address();
    Model.StoreState state = world.model.store(address);
    Optional<ItemRecord> found = world.store().findItem(state.existing().id(), address.itemName());
    Model.Known before = world.model.item(address);
    boolean unchanged =
        before == null ? found.isEmpty() : found.map(before.item()::equals).orElse(false);
    Id uploadId = change.uploadId();
    if (!unchanged) {
      adopt(address, found, change.after(), atMillis, "");
      if (change.exhumed() != null) {
        state.deleted.remove(change.exhumed());
      }
      if (uploadId != null) {
        state.unfinished.remove(address.itemName());
      }
    }
  }

  private void adopt(
      Address address,
      Optional<ItemRecord> found,
      Intent.@Nullable Wanted after,
      long atMillis,
      String when) {
    Map<String, Model.Known> items = world.model.store(address).items;
    Model.Known before = items.get(address.itemName());
    if (before != null && !found.map(ItemRecord::id).equals(Optional.of(before.item().id()))) {
      world.model.store(address).bury(before, atMillis);
    }
    if (found.isEmpty()) {
      Wrong.unless(
          after == null,
          () -> when + address + " is gone; it was " + (before == null ? "absent" : before.item()));
      items.remove(address.itemName());
      return;
    }
    ItemRecord item = found.get();
    boolean wanted =
        after != null
            && item.root().lengthBytes() == after.content().length
            && item.tags().equals(after.tags())
            && item.held() == after.held()
            && item.lockedUntilMillis() == after.lockedUntilMillis()
            && (after.lockKind() == null || item.lockKind() == after.lockKind());
    Wrong.unless(
        wanted,
        () ->
            when
                + address
                + " is neither as before nor as was wanted: "
                + item
                + ", before: "
                + (before == null ? "absent" : before.item()));
    items.put(
        address.itemName(),
        new Model.Known(item, java.util.Objects.requireNonNull(after).content()));
  }

  private void settle(Intent.RecordChange change) throws IOException {
    var records = world.model.records(change.lane());
    byte[] before = records.get(change.key());
    byte[] found =
        world.store().findRecord(Lane.recordKind(change.lane()), change.key()).orElse(null);
    byte[] after = change.after();
    if (!Arrays.equals(before, found)) {
      Wrong.unless(
          Arrays.equals(after, found),
          () -> "record " + change.key() + " is neither as before nor as was wanted");
      if (found == null) {
        records.remove(change.key());
      } else {
        records.put(change.key(), found);
      }
    }
  }

  private void settle(Intent.StoreChange change) throws IOException {
    Model.StoreState state = world.model.store(change.store());
    StoreRecord before = state.record;
    StoreRecord found = world.store().findStore(Address.storeName(change.store())).orElse(null);
    if (java.util.Objects.equals(before, found)) {
      return;
    }
    String what = "store " + Address.storeName(change.store());
    if (found == null) {
      Wrong.unless(!change.exists(), () -> what + " is gone");
      state.items.clear();
      state.deleted.clear();
      state.unfinished.clear();
    } else {
      Wrong.unless(
          change.exists()
              && found.quotaBytes() == change.quotaBytes()
              && found.policy().undeleteDays() == change.undeleteDays()
              && (before == null || before.id().equals(found.id())),
          () -> what + " is neither as before nor as was wanted: " + found);
    }
    Map<String, Model.Known> copied = change.copied();
    if (before == null && found != null && copied != null) {
      copied.forEach((name, known) -> state.items.put(name, known.in(found.id())));
    }
    state.record = found;
  }

  /** Uploads: one of the possible roots, and after a cut it is clear which. */
  private void settleUnfinished(int store) throws IOException {
    Model.StoreState state = world.model.store(store);
    if (state.record == null) {
      return;
    }
    checkUnfinished(store);
    Map<String, UnfinishedUpload> found = new TreeMap<>(Model.BY_BYTES);
    for (UnfinishedUpload upload : world.store().unfinishedUploads(state.existing().id())) {
      found.put(upload.itemName(), upload);
    }
    state.unfinished.keySet().retainAll(found.keySet());
    state.unfinished.forEach((name, unfinished) -> {
      UnfinishedUpload upload = found.get(name);
      unfinished.possible.removeIf(saved -> upload == null || !isIt(saved, upload));
      unfinished.mayBeAbsent = false;
    });
  }

  private static boolean isIt(Model.Saved saved, UnfinishedUpload upload) {
    return saved.uploadId().equals(upload.checkpoint().uploadId())
        && saved.root().equals(upload.checkpoint().root());
  }

  // ---- after every step

  /** Compares names, records and figures, of one lane or of all if it is negative. */
  void look(int lane, SplittableRandom random) throws IOException {
    look(lane, -1, random);
  }

  /**
   * After a step that can have changed one store only: now and then compares all the same, and else
   * that store.
   */
  void lookAfter(int changed, SplittableRandom random) throws IOException {
    look(-1, random.nextInt(LOOKS_AT_ALL_OF) == 0 ? -1 : changed, random);
  }

  /** Every so many steps all stores are compared, and after all that can have changed several. */
  private static final int LOOKS_AT_ALL_OF = 4;

  private void look(int lane, int only, SplittableRandom random) throws IOException {
    for (int store = 0; store < Address.STORES; store++) {
      if (only >= 0 && store != only) {
        continue;
      }
      Model.StoreState state = world.model.store(store);
      StoreRecord record = state.record;
      if (record == null) {
        if (lane < 0) {
          Wrong.unless(
              world.store().findStore(Address.storeName(store)).isEmpty(),
              "a store that was dropped is there");
        }
        continue;
      }
      if (lane < 0) {
        StoreRecord found = world.store().findStore(record.name()).orElse(null);
        Wrong.unless(record.equals(found), () -> "store is " + found + ", expected " + record);
      }
      checkListing(store, lane < 0 ? "" : Address.prefix(lane), "", random);
      checkDeleted(store, lane < 0 ? "" : Address.prefix(lane), random);
      if (lane < 0) {
        checkSnapshots(store, random);
        if (random.nextInt(4) == 0) {
          checkOrdered(store, random);
        }
        checkUnfinished(store);
        checkFigures(state);
      }
    }
    for (int i = 0; i < Address.LANES; i++) {
      if (only < 0 && (lane < 0 || lane == i)) {
        checkRecords(i);
      }
    }
    checkTime();
    if (lane < 0) {
      if (only < 0) {
        checkDomains();
        checkShares(random);
      }
      Optional<String> problem = world.store().problem();
      Wrong.unless(
          problem.isEmpty() || world.disturbed || world.rotten || world.failing,
          () -> "the store has a problem: " + problem);
    }
  }

  /** Store time never goes back, over no end and no cut: locks depend on it. */
  private void checkTime() {
    long now = world.store().storeTimeMillis();
    Wrong.unless(
        now >= world.storeTimeMillis,
        () -> "store time is " + now + ", and was " + world.storeTimeMillis);
    for (int store = 0; store < Address.STORES; store++) {
      for (Model.Known known : world.model.store(store).items.values()) {
        // What was answered was written down with its time.
        world.storeTimeMillis = Math.max(world.storeTimeMillis, known.item().createdAtMillis());
      }
    }
  }

  /** Lists a whole store in an order by which nobody looks names up. */
  private void checkOrdered(int store, SplittableRandom random) throws IOException {
    Model.StoreState state = world.model.store(store);
    ItemQuery.Order[] orders = ItemQuery.Order.values();
    var query =
        new ItemQuery(
            orders[random.nextInt(orders.length)], "", java.util.Collections.emptySortedMap());
    var found = new TreeMap<String, ItemRecord>(Model.BY_BYTES);
    ItemQuery.Place place = ItemQuery.Place.START;
    ItemRecord last = null;
    while (place != null) {
      ItemListing page =
          world.store().listItems(state.existing().id(), query, place, 1 + random.nextInt(10));
      for (ItemRecord item : page.items()) {
        ItemRecord before = last;
        Wrong.unless(
            before == null || isBefore(query.order(), before, item),
            () -> query.order() + " lists " + item + " behind " + before);
        Wrong.unless(
            found.put(item.name(), item) == null,
            () -> query.order() + " lists '" + item.name() + "' twice");
        last = item;
      }
      place = page.next();
    }
    var expected = new TreeMap<String, ItemRecord>(Model.BY_BYTES);
    state.items.forEach((name, known) -> expected.put(name, known.item()));
    Wrong.unless(
        expected.equals(found),
        () -> query.order() + " lists " + found.keySet() + ", expected " + expected.keySet());
  }

  private static boolean isBefore(ItemQuery.Order order, ItemRecord one, ItemRecord other) {
    int by =
        switch (order) {
          case NAME -> 0;
          case AGE -> Long.compare(other.createdAtMillis(), one.createdAtMillis());
          case SIZE -> Long.compare(other.root().lengthBytes(), one.root().lengthBytes());
        };
    return (by == 0 ? Model.BY_BYTES.compare(one.name(), other.name()) : by) < 0;
  }

  /** Lists what follows a name in pages of random sizes and compares it with the model. */
  void checkListing(int store, String prefix, String after, SplittableRandom random)
      throws IOException {
    var expected = new ArrayList<ItemRecord>();
    Model.StoreState state = world.model.store(store);
    for (Model.Known known : state.items.tailMap(after, false).values()) {
      if (known.item().name().startsWith(prefix)) {
        expected.add(known.item());
      }
    }
    Id storeId = state.existing().id();
    int limit = random.nextBoolean() ? 10_000 : 1 + random.nextInt(4);
    var found = new ArrayList<ItemRecord>();
    String from = after;
    while (true) {
      ItemPage page = world.store().listItems(storeId, prefix, from, limit);
      found.addAll(page.items());
      Wrong.unless(page.items().size() <= limit, () -> "a page of more than " + limit);
      if (!page.more()) {
        break;
      }
      Wrong.unless(!page.items().isEmpty(), "an empty page says that more follow");
      from = page.items().getLast().name();
    }
    for (int i = 0; i < Math.min(expected.size(), found.size()); i++) {
      ItemRecord listed = found.get(i);
      ItemRecord wanted = expected.get(i);
      Wrong.unless(wanted.equals(listed), () -> "listed is " + listed + ", expected " + wanted);
    }
    Wrong.unless(
        expected.size() == found.size(),
        () ->
            found.size()
                + " items listed below '"
                + prefix
                + "', expected "
                + names(expected)
                + ", found "
                + names(found));
  }

  /** Lists what can be brought back and compares it with the model; what has gone had to. */
  private void checkDeleted(int store, String prefix, SplittableRandom random) throws IOException {
    Model.StoreState state = world.model.store(store);
    List<DeletedItem> found = deleted(state.existing().id(), prefix, random);
    long nowMillis = world.store().storeTimeMillis();
    Set<Model.Grave> graves = new HashSet<>();
    DeletedItem last = null;
    for (DeletedItem deleted : found) {
      Model.Buried buried = state.deleted.get(graveOf(deleted));
      Wrong.unless(
          buried != null
              && buried.known().item().equals(deleted.item())
              && deleted.purgeAtMillis() >= buried.purgeNotBefore(),
          "deleted is " + deleted + ", expected " + buried);
      graves.add(graveOf(deleted));
      int order =
          last == null ? 1 : Model.BY_BYTES.compare(deleted.item().name(), last.item().name());
      Wrong.unless(
          last == null
              || order > 0
              || (order == 0 && deleted.item().version() < last.item().version()),
          "deleted items out of order: " + last + ", " + deleted);
      last = deleted;
    }
    state
        .deleted
        .entrySet()
        .removeIf(entry -> {
          boolean gone =
              entry.getKey().name().startsWith(prefix) && !graves.contains(entry.getKey());
          Wrong.unless(
              !gone || entry.getValue().purgeNotBefore() <= nowMillis,
              "a deleted item is gone before its time: " + entry);
          return gone;
        });
  }

  private List<DeletedItem> deleted(Id storeId, String prefix, SplittableRandom random)
      throws IOException {
    int limit = random.nextBoolean() ? 10_000 : 1 + random.nextInt(4);
    var found = new ArrayList<DeletedItem>();
    boolean more = true;
    while (more) {
      Model.Grave last = found.isEmpty() ? new Model.Grave("", 0) : graveOf(found.getLast());
      DeletedPage page =
          world.store().listDeleted(storeId, prefix, last.name(), last.version(), limit);
      found.addAll(page.items());
      more = page.more();
      Wrong.unless(
          page.items().size() <= limit && (!more || !page.items().isEmpty()),
          "a page of " + page.items().size() + " deleted items, at most " + limit);
    }
    return found;
  }

  private static List<String> names(List<ItemRecord> items) {
    return items.stream().map(ItemRecord::name).toList();
  }

  private void checkUnfinished(int store) throws IOException {
    Model.StoreState state = world.model.store(store);
    var copy = new TreeMap<String, Model.Unfinished>(state.unfinished);
    Set<String> found = new HashSet<>();
    for (UnfinishedUpload upload : world.store().unfinishedUploads(state.existing().id())) {
      Model.Unfinished known = copy.get(upload.itemName());
      Wrong.unless(
          known != null && known.possible.stream().anyMatch(saved -> isIt(saved, upload)),
          () -> "an unfinished upload that nobody saved: " + upload);
      Wrong.unless(found.add(upload.itemName()), "two unfinished uploads of one name");
    }
    copy.forEach((name, unfinished) ->
        Wrong.unless(
            unfinished.mayBeAbsent || found.contains(name),
            () -> "the unfinished upload of '" + name + "' is gone"));
  }

  private void checkFigures(Model.StoreState state) throws IOException {
    Id id = state.existing().id();
    List<UnfinishedUpload> before = world.store().unfinishedUploads(id);
    List<DeletedItem> deleted = deleted(id, "", new SplittableRandom(0));
    StoreStatistics figures = world.store().statistics(id);
    List<UnfinishedUpload> after = world.store().unfinishedUploads(id);
    Wrong.unless(
        figures.itemCount() == state.items.size() && figures.logicalBytes() == state.logicalBytes(),
        () -> figures + ", expected " + state.items.size() + " items of " + state.logicalBytes());
    long bytes =
        before.stream().mapToLong(upload -> upload.checkpoint().root().lengthBytes()).sum();
    long deletedBytes = deleted.stream().mapToLong(item -> item.item().root().lengthBytes()).sum();
    // The time of some may come between two looks.
    Wrong.unless(
        (figures.deletedCount() == deleted.size() && figures.deletedBytes() == deletedBytes)
            || !deleted.equals(deleted(id, "", new SplittableRandom(0))),
        figures + ", but " + deleted.size() + " deleted items of " + deletedBytes);
    // A checkpoint that nobody waits for may become durable between two looks.
    Wrong.unless(
        (figures.unfinishedCount() == before.size() && figures.unfinishedBytes() == bytes)
            || !before.equals(after),
        () -> figures + ", but " + before.size() + " unfinished uploads of " + bytes);
  }

  private void checkRecords(int lane) throws IOException {
    var expected = new TreeMap<>(world.model.records(lane));
    var found = world.store().records(Lane.recordKind(lane));
    Wrong.unless(
        expected.keySet().equals(found.keySet()),
        () -> "records " + found.keySet() + ", expected " + expected.keySet());
    expected.forEach((key, value) ->
        Wrong.unless(Arrays.equals(value, found.get(key)), () -> "record " + key + " is another"));
  }

  private void checkDomains() throws IOException {
    for (DomainRecord domain : world.store().domains()) {
      long logical = 0;
      for (int store = 0; store < Address.STORES; store++) {
        StoreRecord record = world.model.store(store).record;
        if (record != null && record.domainId().equals(domain.id())) {
          logical += world.model.store(store).logicalBytes();
        }
      }
      boolean settled = true;
      for (int share = 0; share < Model.SHARES; share++) {
        ShareState state = world.model.share(share);
        ShareRecord record = state.record;
        if (record != null && record.domainId().equals(domain.id())) {
          settled &= state.isDurable(); // Else nobody knows what the catalog shows.
          for (ShareEntry entry : state.all().values()) {
            logical += entry.object().map(object -> object.root().lengthBytes()).orElse(0L);
          }
        }
      }
      DomainStatistics figures = world.store().domainStatistics(domain.id());
      long expected = logical;
      Wrong.unless(
          !settled || figures.logicalBytes() == expected,
          () -> figures + ", expected logical " + expected);
      Wrong.unless(
          figures.compressedBytes() <= figures.physicalBytes() && figures.uniqueBytes() >= 0,
          () -> "figures that do not add up: " + figures);
    }
  }

  // ---- everything

  /** Reads everything there is. */
  void readAll(long seed) throws IOException {
    var random = new SplittableRandom(seed);
    look(-1, random);
    readShares(random);
    ChunkStore store = world.store();
    for (int i = 0; i < Address.STORES; i++) {
      Model.StoreState state = world.model.store(i);
      if (state.record == null) {
        continue;
      }
      Id domainId = state.existing().domainId();
      for (Model.Known known : new ArrayList<>(state.items.values())) {
        var _ =
            isReadable(
                domainId,
                known.item().root(),
                known.content(),
                random.nextLong(),
                "'" + known.item().name() + "' of " + state.existing().name());
      }
      for (Map.Entry<String, SortedMap<String, Model.Known>> snapshot :
          state.snapshots.entrySet()) {
        for (Model.Known known : snapshot.getValue().values()) {
          var _ =
              isReadable(
                  domainId,
                  known.item().root(),
                  known.content(),
                  random.nextLong(),
                  "'" + known.item().name() + "' of " + snapshot.getKey());
        }
      }
      for (Map.Entry<Model.Grave, Model.Buried> grave : state.deleted.entrySet()) {
        long until = grave.getValue().purgeNotBefore();
        if (until > store.storeTimeMillis() + Lane.SAFE_MILLIS) {
          try {
            var _ =
                isReadable(
                    domainId,
                    grave.getValue().known().item().root(),
                    grave.getValue().known().content(),
                    random.nextLong(),
                    "deleted " + grave.getKey());
          } catch (RefusedException e) {
            if (store.storeTimeMillis() < until) { // Else its time has come while it was read.
              throw e;
            }
          }
        }
      }
      for (UnfinishedUpload upload : store.unfinishedUploads(state.existing().id())) {
        Model.Unfinished known = state.unfinished.get(upload.itemName());
        for (Model.Saved saved : known == null ? List.<Model.Saved>of() : known.possible) {
          if (isIt(saved, upload)) {
            byte[] begun =
                Arrays.copyOf(saved.whole(), Math.toIntExact(saved.root().lengthBytes()));
            var _ =
                isReadable(
                    domainId, saved.root(), begun, random.nextLong(), "unfinished " + upload);
          }
        }
      }
    }
  }

  /**
   * Reads an object and compares it; says whether it can be read. Where data was damaged it may not
   * be; that is for the store to say, and never by other bytes.
   */
  boolean isReadable(Id domainId, ObjectRoot root, byte[] expected, long seed, String what)
      throws IOException {
    try {
      Reading.check(world.store(), domainId, root, expected, seed, what);
      return true;
    } catch (CorruptDataException e) {
      if (world.rotten) {
        return false;
      }
      throw e;
    }
  }

  /** Checks that a domain whose items are all gone holds no more than its open containers. */
  void checkEmpty(DomainRecord domain) throws IOException {
    if (world.simulation().device().unlinkedBytes() > 0) {
      // A task that was put aside may have a file to close.
      world.simulation().scheduler().park(Duration.ofMinutes(1));
    }
    long unlinked = world.simulation().device().unlinkedBytes();
    Wrong.unless(
        unlinked == 0,
        () -> "nobody reads, and " + unlinked + " bytes of deleted files are still open");
    if (world.rotten) {
      return; // A damaged container that has a parity stays until the scrub has made it good.
    }
    DomainStatistics figures = world.store().domainStatistics(domain.id());
    HousekeepingStatus status = world.store().housekeepingStatus(domain.id());
    int lanes = world.settings.containers().lanes();
    Wrong.unless(
        status.cycle() > 0
            && status.liveChunkCount() == 0
            && figures.nodeBytes() == 0
            && figures.containerCount() <= 2L * lanes
            && figures.compressedBytes()
                <= (lanes + 1L) * world.settings.containers().containerBytes(),
        () ->
            "everything is deleted, housekeeping has run, and there is left: "
                + figures
                + ", "
                + status);
  }
}
