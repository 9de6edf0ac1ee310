package onefold.store.catalog;

import java.io.IOException;
import java.time.Instant;
import java.util.Optional;
import java.util.SortedSet;
import onefold.chunker.ObjectRoot;
import onefold.store.Checkpoint;
import onefold.store.ChunkStore;
import onefold.store.CommitMode;
import onefold.store.CorruptDataException;
import onefold.store.DeletedItem;
import onefold.store.DomainRecord;
import onefold.store.Id;
import onefold.store.ItemRecord;
import onefold.store.LockKind;
import onefold.store.LockOverride;
import onefold.store.Names;
import onefold.store.RefusedException.Reason;
import onefold.store.ShortenedLock;
import onefold.store.SnapshotRecord;
import onefold.store.StoreRecord;
import onefold.store.UnfinishedUpload;
import onefold.store.catalog.CatalogValues.State;
import onefold.store.catalog.CatalogValues.Store;
import onefold.store.catalog.CatalogValues.Upload;
import org.jspecify.annotations.Nullable;

/**
 * Applying one command to a view: the rules of the catalog. A function of the view and the command
 * and nothing else; used once, by one thread. If it throws, nothing has happened.
 */
final class Applying {
  private static final long DAY_MILLIS = 86_400_000;

  /** Items that a deletion of their store looks at in search of a lock. */
  private static final int MAX_LOOKED_AT = 10_000;

  private final ApplyingShares shares = new ApplyingShares(this);
  private CatalogView now;
  private State state;

  Applying(CatalogView before, State state) {
    this.now = before;
    this.state = state;
  }

  /** Returns the view after the command; without the state, which {@link #state()} gives. */
  CatalogView view() {
    return now;
  }

  State state() {
    return state;
  }

  /**
   * Applies the command.
   *
   * @throws IOException if a page cannot be read
   */
  CatalogReply apply(CatalogCommand command) throws IOException {
    CatalogView before = now;
    State stateBefore = state;
    if (command.stamp().epoch() < state.epoch()) {
      return refused(
          Reason.CONFLICT,
          "a command of epoch "
              + command.stamp().epoch()
              + ", but epoch "
              + state.epoch()
              + " has begun");
    }
    state = state.at(command.stamp());
    CatalogReply reply = applied(command);
    if (reply instanceof CatalogReply.Refused) {
      now = before;
      state = stateBefore;
    }
    return reply;
  }

  private CatalogReply applied(CatalogCommand command) throws IOException {
    return switch (command) {
      case CatalogCommand.CreateDomain c -> createDomain(c.domain());
      case CatalogCommand.CreateStore c -> createStore(c.store());
      case CatalogCommand.UpdateStore c -> updateStore(c.settings());
      case CatalogCommand.DeleteStore c -> deleteStore(c.storeId(), c.withItems());
      case CatalogCommand.CopyStore c -> copyStore(c);
      case CatalogCommand.DeleteSnapshot c -> deleteSnapshot(c.snapshotId());
      case CatalogCommand.LockSnapshot c -> lockSnapshot(c);
      case CatalogCommand.CommitItem c -> commitItem(c);
      case CatalogCommand.DeleteItem c -> deleteItem(c.storeId(), c.name());
      case CatalogCommand.CloneItem c -> cloneItem(c);
      case CatalogCommand.UpdateItem c -> updateItem(c);
      case CatalogCommand.LockItem c -> lockItem(c);
      case CatalogCommand.UndeleteItem c -> undeleteItem(c);
      case CatalogCommand.PurgeDeleted c -> purgeDeleted(c);
      case CatalogCommand.PurgeExpired c -> purgeExpired(c.storeId(), c.most());
      case CatalogCommand.CheckpointUpload c -> checkpointUpload(c);
      case CatalogCommand.EndUpload c -> endUpload(c.uploadId());
      case CatalogCommand.PutRecord c -> put(CatalogKeys.record(c.kind(), c.key()), c.value());
      case CatalogCommand.RemoveRecord c -> removeIfThere(CatalogKeys.record(c.kind(), c.key()));
      case CatalogCommand.AdvanceStoreTime c -> nothing();
      case CatalogCommand.ContainersGone c -> containersGone(c);
      case CatalogCommand.ContainersUnlinked c -> containersUnlinked(c);
      case CatalogCommand.QuarantineChunk c -> quarantine(c);
      case CatalogCommand.ReleaseChunk c ->
          removeIfThere(CatalogKeys.quarantine(c.domainId(), c.kind(), c.fingerprint()));
      case CatalogCommand.CreateShare c -> shares.create(c);
      case CatalogCommand.UpdateShare c -> shares.update(c);
      case CatalogCommand.DeleteShare c -> shares.delete(c);
      case CatalogCommand.CopyShare c -> shares.copy(c);
      case CatalogCommand.ChangeShare c -> shares.change(c);
      case CatalogCommand.SetUnfinishedLimits c -> {
        state = state.limitedTo(c.maxUnfinishedCount(), c.maxUnfinishedBytes());
        yield nothing();
      }
    };
  }

  // ---- domains and stores

  private CatalogReply createDomain(DomainRecord domain) throws IOException {
    if (now.get(CatalogKeys.domainName(domain.name())) != null) {
      return refused(Reason.EXISTS, "there is a domain '" + domain.name() + "' already");
    }
    if (domain.id().equals(CatalogCommand.NO_ID)
        || now.get(CatalogKeys.domain(domain.id())) != null) {
      return refused(Reason.CONFLICT, "the domain id " + domain.id() + " is taken");
    }
    if (state.domainCount() >= Catalog.MAX_DOMAINS) {
      return refused(
          Reason.INVALID_REQUEST,
          "there are " + Catalog.MAX_DOMAINS + " domains, which is the most");
    }
    state = state.counting(1, 0);
    write(CatalogKeys.domain(domain.id()), CatalogValues.domain(domain));
    write(CatalogKeys.domainName(domain.name()), CatalogValues.id(domain.id()));
    return done(new CatalogReply.DomainResult(domain));
  }

  private CatalogReply createStore(StoreRecord asked) throws IOException {
    if (now.get(CatalogKeys.storeName(asked.name())) != null) {
      return refused(Reason.EXISTS, "there is a store '" + asked.name() + "' already");
    }
    if (now.get(CatalogKeys.domain(asked.domainId())) == null) {
      return noDomain(asked.domainId());
    }
    if (asked.id().equals(CatalogCommand.NO_ID) || now.get(CatalogKeys.store(asked.id())) != null) {
      return refused(Reason.CONFLICT, "the store id " + asked.id() + " is taken");
    }
    if (state.storeCount() >= Catalog.MAX_STORES) {
      return refused(
          Reason.INVALID_REQUEST, "there are " + Catalog.MAX_STORES + " stores, which is the most");
    }
    state = state.counting(0, 1);
    StoreRecord store = asked.as(asked.id(), state.storeTimeMillis());
    write(Store.fresh(store));
    write(CatalogKeys.storeName(store.name()), CatalogValues.id(store.id()));
    return done(new CatalogReply.StoreResult(store));
  }

  private CatalogReply updateStore(StoreRecord settings) throws IOException {
    Store old = now.storeState(settings.id());
    if (old == null || old.snapshot() != null) {
      return unchangeable(old, settings.id());
    }
    StoreRecord was = old.store();
    if (!was.name().equals(settings.name()) || !was.domainId().equals(settings.domainId())) {
      return refused(
          Reason.INVALID_REQUEST,
          "store '"
              + was.name()
              + "' keeps its name and domain "
              + was.domainId()
              + "; quota, compression, lock days and policy can change");
    }
    StoreRecord store = settings.as(was.id(), was.createdAtMillis());
    write(old.with(store));
    return done(new CatalogReply.StoreResult(store));
  }

  private CatalogReply deleteStore(Id storeId, boolean withItems) throws IOException {
    Store store = now.storeState(storeId);
    if (store == null || store.snapshot() != null) {
      return unchangeable(store, storeId);
    }
    String name = store.store().name();
    if (store.itemCount() > 0 && !withItems) {
      return refused(
          Reason.NOT_EMPTY,
          "store '"
              + name
              + "' holds "
              + store.itemCount()
              + " items; delete them first, or with it");
    }
    if (store.snapshotCount() > 0) {
      return refused(
          Reason.NOT_EMPTY,
          "store '"
              + name
              + "' has "
              + store.snapshotCount()
              + " snapshots; delete them first: ./onefold snapshot ls "
              + name);
    }
    if (store.heldCount() > 0) {
      return refused(
          Reason.LOCKED, "store '" + name + "' has " + store.heldCount() + " items that are held");
    }
    CatalogReply.Refused locked = refusalOfLosingItems(store);
    if (locked == null) {
      locked = refusalOfLosingDeleted(store);
    }
    if (locked != null) {
      return locked;
    }
    for (UnfinishedUpload upload : now.unfinished(storeId)) {
      remove(CatalogKeys.upload(upload.checkpoint().uploadId()));
      remove(CatalogKeys.uploadName(storeId, upload.itemName()));
    }
    state = state.counting(0, -1);
    remove(CatalogKeys.storeName(name));
    removeStore(storeId);
    return nothing();
  }

  private void removeStore(Id storeId) {
    remove(CatalogKeys.store(storeId));
    // The items go with their tree; what of them lies above the pages is dropped by the next fold.
    remove(CatalogKeys.treeRoot(CatalogKeys.ITEMS, storeId));
    remove(CatalogKeys.treeRoot(CatalogKeys.LOOKUPS, storeId));
    remove(CatalogKeys.treeRoot(CatalogKeys.TRASH, storeId));
  }

  // ---- copies of whole stores

  private CatalogReply copyStore(CatalogCommand.CopyStore c) throws IOException {
    Store source = now.storeState(c.sourceId());
    if (source == null) {
      return CatalogView.noStore(c.sourceId());
    }
    if (c.copyId().equals(CatalogCommand.NO_ID) || now.get(CatalogKeys.store(c.copyId())) != null) {
      return refused(Reason.CONFLICT, "the store id " + c.copyId() + " is taken");
    }
    return c.snapshot() ? snapshotOf(source, c) : storeOf(source, c);
  }

  private CatalogReply snapshotOf(Store source, CatalogCommand.CopyStore c) throws IOException {
    if (source.snapshot() != null) {
      return unchangeable(source, c.sourceId());
    }
    String name = source.store().name() + SnapshotRecord.MARK + c.name();
    byte[] key = CatalogKeys.snapshotName(c.sourceId(), c.name());
    CatalogReply.Refused refusal =
        refusalOfSnapshot(
            "store", source.store().name(), name, now.get(key) != null, source.snapshotCount());
    if (refusal != null) {
      return refusal;
    }
    write(source.withSnapshots(1));
    write(key, CatalogValues.id(c.copyId()));
    return copied(
        source, c, name, new CatalogValues.Snapshot(c.sourceId(), 0, LockKind.GOVERNANCE));
  }

  /**
   * Says why a store or a share cannot have a snapshot more; null if it can.
   *
   * @param kind "store" or "share"
   * @param source its name
   * @param name of the snapshot, with its source's
   * @param taken whether the name is
   * @param count of the snapshots that there are
   */
  static CatalogReply.@Nullable Refused refusalOfSnapshot(
      String kind, String source, String name, boolean taken, long count) {
    if (taken) {
      return refused(Reason.EXISTS, "there is a snapshot '" + name + "' already");
    }
    if (ByteWriter.utf8(name).length > Names.MAX_STORE_NAME_BYTES) {
      return refused(
          Reason.INVALID_NAME,
          "snapshot '"
              + name
              + "' has a name of more than "
              + Names.MAX_STORE_NAME_BYTES
              + " bytes");
    }
    if (count >= ChunkStore.MAX_SNAPSHOTS) {
      return refused(
          Reason.INVALID_REQUEST,
          kind
              + " '"
              + source
              + "' has "
              + ChunkStore.MAX_SNAPSHOTS
              + " snapshots, which is the most");
    }
    return null;
  }

  private CatalogReply storeOf(Store source, CatalogCommand.CopyStore c) throws IOException {
    if (now.get(CatalogKeys.storeName(c.name())) != null) {
      return refused(Reason.EXISTS, "there is a store '" + c.name() + "' already");
    }
    if (state.storeCount() >= Catalog.MAX_STORES) {
      return refused(
          Reason.INVALID_REQUEST, "there are " + Catalog.MAX_STORES + " stores, which is the most");
    }
    state = state.counting(0, 1);
    write(CatalogKeys.storeName(c.name()), CatalogValues.id(c.copyId()));
    return copied(source, c, c.name(), null);
  }

  private CatalogReply copied(
      Store source,
      CatalogCommand.CopyStore c,
      String name,
      CatalogValues.@Nullable Snapshot snapshot) {
    StoreRecord was = source.store();
    StoreRecord store =
        new StoreRecord(
            c.copyId(),
            name,
            was.domainId(),
            was.quotaBytes(),
            was.compression(),
            was.lockDays(),
            state.storeTimeMillis(),
            was.policy());
    write(source.copied(store, snapshot));
    writeTree(CatalogKeys.ITEMS, c.copyId(), c.trees().items());
    writeTree(CatalogKeys.LOOKUPS, c.copyId(), c.trees().lookups());
    return done(new CatalogReply.StoreResult(store));
  }

  void writeTree(int kind, Id ownerId, StoreTrees.@Nullable Tree tree) {
    if (tree != null) {
      write(CatalogKeys.treeRoot(kind, ownerId), tree.encode());
    }
  }

  private CatalogReply deleteSnapshot(Id snapshotId) throws IOException {
    Store store = now.storeState(snapshotId);
    CatalogValues.Snapshot snapshot = store == null ? null : store.snapshot();
    if (store == null || snapshot == null) {
      return noSnapshot(snapshotId);
    }
    if (snapshot.lockedUntilMillis() > state.storeTimeMillis()) {
      return refused(
          Reason.LOCKED,
          "snapshot '"
              + store.store().name()
              + "' is locked until "
              + date(snapshot.lockedUntilMillis()));
    }
    Store of = now.storeState(snapshot.of());
    if (of == null) {
      throw new IllegalStateException("snapshot " + snapshotId + " of no store");
    }
    write(of.withSnapshots(-1));
    String name = store.store().name();
    remove(
        CatalogKeys.snapshotName(
            snapshot.of(), name.substring(name.indexOf(SnapshotRecord.MARK) + 1)));
    removeStore(snapshotId);
    return nothing();
  }

  private CatalogReply lockSnapshot(CatalogCommand.LockSnapshot c) throws IOException {
    Store store = now.storeState(c.snapshotId());
    CatalogValues.Snapshot old = store == null ? null : store.snapshot();
    if (store == null || old == null) {
      return noSnapshot(c.snapshotId());
    }
    CatalogReply.Refused locked =
        refusalOfLock(
            "snapshot '" + store.store().name() + "'",
            old.lockedUntilMillis(),
            old.lockKind(),
            c.lockedUntilMillis(),
            c.kind(),
            c.override());
    if (locked != null) {
      return locked;
    }
    keepIfShortened(
        store.store().name(),
        "",
        c.snapshotId(),
        old.lockedUntilMillis(),
        c.lockedUntilMillis(),
        c.override());
    write(
        store.withSnapshot(new CatalogValues.Snapshot(old.of(), c.lockedUntilMillis(), c.kind())));
    return done(new CatalogReply.StoreResult(store.store()));
  }

  private static CatalogReply noSnapshot(Id snapshotId) {
    return refused(Reason.NOT_FOUND, "there is no snapshot with the id " + snapshotId);
  }

  /**
   * A lock may have been shortened since the store's latest was noted; then its items are looked
   * at, if they are not too many.
   */
  private CatalogReply.@Nullable Refused refusalOfLosingItems(Store store) throws IOException {
    if (store.itemCount() == 0 || store.lockedUntilMillis() <= state.storeTimeMillis()) {
      return null;
    }
    Id storeId = store.store().id();
    int looked = 0;
    CatalogView.Walk walk = now.walk(CatalogKeys.items(storeId), null);
    while (walk.next()) {
      ItemRecord item =
          CatalogValues.readItem(storeId, CatalogKeys.inTree(walk.key()), walk.value());
      if (item.lockedUntilMillis() > state.storeTimeMillis()) {
        return refused(
            Reason.LOCKED,
            "store '"
                + store.store().name()
                + "' has an item that is locked: '"
                + item.name()
                + "' until "
                + date(item.lockedUntilMillis()));
      }
      if (++looked == MAX_LOOKED_AT) {
        return refused(
            Reason.LOCKED,
            "store '"
                + store.store().name()
                + "' may have items that are locked until "
                + date(store.lockedUntilMillis())
                + "; delete its items one by one, then the store");
      }
    }
    return null;
  }

  /** A store goes when nothing of it could be brought back, by whatever way it was lost. */
  private CatalogReply.@Nullable Refused refusalOfLosingDeleted(Store store) throws IOException {
    String what = "store '" + store.store().name() + "'";
    int days = store.store().policy().undeleteDays();
    if (days > 0 && store.itemCount() > 0) {
      return refused(
          Reason.LOCKED,
          what
              + " keeps deleted items for "
              + days
              + " days; delete its "
              + store.itemCount()
              + " items first, and the store when they are gone");
    }
    if (now.hasUnexpired(store.store().id(), state.storeTimeMillis())) {
      return refused(
          Reason.LOCKED,
          what
              + " has "
              + store.deletedCount()
              + " deleted items that can be brought back; see them by './onefold ls "
              + store.store().name()
              + " --deleted', give them up by './onefold purge'");
    }
    return null;
  }

  // ---- items

  private CatalogReply commitItem(CatalogCommand.CommitItem c) throws IOException {
    Store store = now.storeState(c.storeId());
    if (store == null || store.snapshot() != null) {
      return unchangeable(store, c.storeId());
    }
    if (!c.uploadId().equals(CatalogCommand.NO_ID)) {
      Upload own = now.uploadState(c.uploadId());
      if (own != null && own.upload().storeId().equals(c.storeId())) {
        store = end(store, own);
      }
      // An upload that never saved a root of its own leaves that of the older one it has ended.
      byte[] olderId = now.get(CatalogKeys.uploadName(c.storeId(), c.name()));
      Upload older = olderId == null ? null : now.uploadState(CatalogValues.readId(olderId));
      if (older != null) {
        store = end(store, older);
      }
    }
    ItemRecord item =
        new ItemRecord(
            c.storeId(),
            c.name(),
            c.itemId(),
            state.version(),
            c.root(),
            state.storeTimeMillis(),
            c.tags(),
            lockFor(Math.max(c.lockDays(), store.store().lockDays())),
            store.store().policy().lockKind(),
            false,
            c.newBytes());
    return place(store, item, c.mode());
  }

  private CatalogReply cloneItem(CatalogCommand.CloneItem c) throws IOException {
    Store from = now.storeState(c.storeId());
    Store to = now.storeState(c.targetStoreId());
    if (from == null || to == null) {
      return CatalogView.noStore(from == null ? c.storeId() : c.targetStoreId());
    }
    if (to.snapshot() != null) {
      return unchangeable(to, c.targetStoreId());
    }
    if (!from.store().domainId().equals(to.store().domainId())) {
      return refused(
          Reason.INVALID_REQUEST,
          "store '"
              + to.store().name()
              + "' is in another domain than store '"
              + from.store().name()
              + "'; the data must be copied");
    }
    Optional<ItemRecord> source = now.item(c.storeId(), c.name());
    if (source.isEmpty()) {
      return noItem(from, c.name());
    }
    ItemRecord item =
        new ItemRecord(
            c.targetStoreId(),
            c.targetName(),
            c.itemId(),
            state.version(),
            source.get().root(),
            state.storeTimeMillis(),
            source.get().tags(),
            lockFor(to.store().lockDays()),
            to.store().policy().lockKind(),
            false,
            0);
    return place(to, item, c.mode());
  }

  /** Gives an item its name, in the place of another if the mode says so. */
  private CatalogReply place(Store before, ItemRecord item, CommitMode mode) throws IOException {
    Store store = before;
    Optional<ItemRecord> old = now.item(item.storeId(), item.name());
    if (old.isPresent()) {
      if (mode == CommitMode.IF_ABSENT) {
        return refused(
            Reason.EXISTS,
            "item '"
                + item.name()
                + "' exists in store '"
                + store.store().name()
                + "', from "
                + date(old.get().createdAtMillis()));
      }
      CatalogReply.Refused locked = refusalOfLoss(store, old.get());
      if (locked != null) {
        return locked;
      }
      store = bury(store.withoutItem(old.get()), old.get());
    }
    long most = store.store().quotaBytes() == 0 ? Long.MAX_VALUE : store.store().quotaBytes();
    if (item.root().lengthBytes() > most - store.logicalBytes()) {
      return refused(
          Reason.QUOTA_EXCEEDED,
          "item '"
              + item.name()
              + "' of "
              + item.root().lengthBytes()
              + " bytes does not fit: store '"
              + store.store().name()
              + "' has a quota of "
              + most
              + " bytes, of which "
              + store.logicalBytes()
              + " are taken");
    }
    write(store.withItem(item));
    write(item, old.orElse(null));
    return done(new CatalogReply.ItemResult(item));
  }

  private CatalogReply deleteItem(Id storeId, String name) throws IOException {
    Store store = now.storeState(storeId);
    if (store == null || store.snapshot() != null) {
      return unchangeable(store, storeId);
    }
    Optional<ItemRecord> item = now.item(storeId, name);
    if (item.isEmpty()) {
      return noItem(store, name);
    }
    CatalogReply.Refused locked = refusalOfLoss(store, item.get());
    if (locked != null) {
      return locked;
    }
    write(bury(store.withoutItem(item.get()), item.get()));
    remove(CatalogKeys.item(storeId, ByteWriter.utf8(name)));
    CatalogKeys.lookups(item.get()).forEach(this::remove);
    return done(new CatalogReply.ItemResult(item.get()));
  }

  // ---- deleted items

  /** Keeps an item that has lost its name; the store that is returned is to be written. */
  private Store bury(Store store, ItemRecord item) {
    int days = store.store().policy().undeleteDays();
    if (days == 0) {
      return store;
    }
    DeletedItem deleted = new DeletedItem(item, state.storeTimeMillis(), lockFor(days));
    byte[] name = ByteWriter.utf8(item.name());
    write(
        CatalogKeys.deleted(item.storeId(), name, item.version()), CatalogValues.deleted(deleted));
    write(
        CatalogKeys.purge(item.storeId(), deleted.purgeAtMillis(), name, item.version()),
        new byte[0]);
    return store.withDeleted(1, item.root().lengthBytes());
  }

  /** Takes an item out of those that can be brought back; the store is to be written. */
  private Store exhume(Store store, DeletedItem deleted) {
    ItemRecord item = deleted.item();
    byte[] name = ByteWriter.utf8(item.name());
    remove(CatalogKeys.deleted(item.storeId(), name, item.version()));
    remove(CatalogKeys.purge(item.storeId(), deleted.purgeAtMillis(), name, item.version()));
    return store.withDeleted(-1, -item.root().lengthBytes());
  }

  private CatalogReply undeleteItem(CatalogCommand.UndeleteItem c) throws IOException {
    Id storeId = c.item().storeId();
    Store store = now.storeState(storeId);
    if (store == null || store.snapshot() != null) {
      return unchangeable(store, storeId);
    }
    Optional<DeletedItem> deleted = now.deletedItem(storeId, c.item().name(), c.item().version());
    if (deleted.isEmpty() || !deleted.get().item().equals(c.item())) {
      return noDeletedItem(store, c.item().name(), c.item().version());
    }
    ItemRecord was = c.item();
    ItemRecord item =
        new ItemRecord(
            storeId,
            c.targetName(),
            was.id(),
            was.version(),
            was.root(),
            was.createdAtMillis(),
            was.tags(),
            was.lockedUntilMillis(),
            was.lockKind(),
            was.held(),
            was.newBytes());
    return place(exhume(store, deleted.get()), item, c.mode());
  }

  private CatalogReply purgeDeleted(CatalogCommand.PurgeDeleted c) throws IOException {
    Store store = now.storeState(c.storeId());
    if (store == null || store.snapshot() != null) {
      return unchangeable(store, c.storeId());
    }
    Optional<DeletedItem> found = now.deletedItem(c.storeId(), c.name(), c.version());
    if (found.isEmpty()) {
      return noDeletedItem(store, c.name(), c.version());
    }
    DeletedItem deleted = found.get();
    LockOverride override = c.override();
    if (deleted.purgeAtMillis() > state.storeTimeMillis()) {
      boolean firm = store.store().policy().lockKind() == LockKind.COMPLIANCE;
      if (firm || override == null) {
        return refused(
            Reason.LOCKED,
            "item '"
                + c.name()
                + "' of store '"
                + store.store().name()
                + "' can be brought back until "
                + date(deleted.purgeAtMillis())
                + (firm
                    ? "; in a store with compliance locks nobody can give it up before"
                    : "; to give it up before takes the right to shorten locks, and a reason"));
      }
      keep(
          new ShortenedLock(
              store.store().name(),
              c.name(),
              deleted.item().id(),
              state.storeTimeMillis(),
              deleted.purgeAtMillis(),
              state.storeTimeMillis(),
              override));
    }
    write(exhume(store, deleted));
    return nothing();
  }

  private CatalogReply purgeExpired(Id storeId, int most) throws IOException {
    Store store = now.storeState(storeId);
    if (store == null) {
      return CatalogView.noStore(storeId);
    }
    CatalogView.Walk walk = now.walk(CatalogKeys.purges(storeId), null);
    for (int i = 0; i < most && walk.next(); i++) {
      if (CatalogKeys.purgeAtMillis(walk.key()) > state.storeTimeMillis()) {
        break;
      }
      String name =
          new ByteReader("deleted item", new byte[0])
              .utf8("item name", CatalogKeys.deletedName(walk.key()));
      long version = CatalogKeys.deletedVersion(walk.key());
      DeletedItem deleted =
          now.deletedItem(storeId, name, version)
              .orElseThrow(() ->
                  new CorruptDataException(
                      "catalog", -1, "the deleted item '" + name + "' that is to go", "none"));
      store = exhume(store, deleted);
    }
    write(store);
    return nothing();
  }

  private static CatalogReply noDeletedItem(Store store, String name, long version) {
    return refused(
        Reason.NOT_FOUND,
        "there is no deleted item '"
            + name
            + "' of version "
            + version
            + " in store '"
            + store.store().name()
            + "'");
  }

  private CatalogReply updateItem(CatalogCommand.UpdateItem c) throws IOException {
    Store store = now.storeState(c.storeId());
    if (store == null || store.snapshot() != null) {
      return unchangeable(store, c.storeId());
    }
    Optional<ItemRecord> found = now.item(c.storeId(), c.name());
    if (found.isEmpty()) {
      return noItem(store, c.name());
    }
    ItemRecord old = found.get();
    if (c.lockedUntilMillis() != 0
        && isLocked(old)
        && c.lockedUntilMillis() < old.lockedUntilMillis()) {
      return refused(
          Reason.LOCKED,
          "item '"
              + c.name()
              + "' is locked until "
              + date(old.lockedUntilMillis())
              + "; a lock is never shortened, so "
              + date(c.lockedUntilMillis())
              + " cannot be set");
    }
    boolean keepsLock = c.lockedUntilMillis() == 0;
    ItemRecord item =
        new ItemRecord(
            old.storeId(),
            old.name(),
            old.id(),
            old.version(),
            old.root(),
            old.createdAtMillis(),
            c.tags(),
            keepsLock ? old.lockedUntilMillis() : c.lockedUntilMillis(),
            keepsLock || isLocked(old) ? old.lockKind() : store.store().policy().lockKind(),
            c.held(),
            old.newBytes());
    return change(store, old, item);
  }

  private CatalogReply change(Store store, ItemRecord old, ItemRecord item) {
    write(store.withoutItem(old).withItem(item));
    write(item, old);
    return done(new CatalogReply.ItemResult(item));
  }

  private CatalogReply lockItem(CatalogCommand.LockItem c) throws IOException {
    Store store = now.storeState(c.storeId());
    if (store == null || store.snapshot() != null) {
      return unchangeable(store, c.storeId());
    }
    Optional<ItemRecord> found = now.item(c.storeId(), c.name());
    if (found.isEmpty()) {
      return noItem(store, c.name());
    }
    ItemRecord old = found.get();
    CatalogReply.Refused locked =
        refusalOfLock(
            "item '" + c.name() + "'",
            old.lockedUntilMillis(),
            old.lockKind(),
            c.lockedUntilMillis(),
            c.kind(),
            c.override());
    if (locked != null) {
      return locked;
    }
    keepIfShortened(
        store.store().name(),
        old.name(),
        old.id(),
        old.lockedUntilMillis(),
        c.lockedUntilMillis(),
        c.override());
    return change(
        store,
        old,
        new ItemRecord(
            old.storeId(),
            old.name(),
            old.id(),
            old.version(),
            old.root(),
            old.createdAtMillis(),
            old.tags(),
            c.lockedUntilMillis(),
            c.kind(),
            old.held(),
            old.newBytes()));
  }

  /** What may be done to a lock that is under way. */
  private CatalogReply.@Nullable Refused refusalOfLock(
      String what,
      long beforeMillis,
      LockKind before,
      long afterMillis,
      LockKind after,
      @Nullable LockOverride override) {
    if (beforeMillis <= state.storeTimeMillis()) {
      return null;
    }
    boolean firm = before == LockKind.COMPLIANCE;
    boolean shortens = afterMillis < beforeMillis;
    boolean breach = firm ? shortens || after != LockKind.COMPLIANCE : shortens && override == null;
    return breach
        ? refused(
            Reason.LOCKED,
            what
                + " is locked until "
                + date(beforeMillis)
                + (firm
                    ? " in the compliance kind; nobody can shorten or weaken that"
                    : "; a shorter lock needs the right to shorten locks, and a reason"))
        : null;
  }

  private void keepIfShortened(
      String storeName,
      String itemName,
      Id itemId,
      long beforeMillis,
      long afterMillis,
      @Nullable LockOverride override)
      throws IOException {
    if (beforeMillis > state.storeTimeMillis() && afterMillis < beforeMillis && override != null) {
      keep(
          new ShortenedLock(
              storeName,
              itemName,
              itemId,
              state.storeTimeMillis(),
              beforeMillis,
              afterMillis,
              override));
    }
  }

  private boolean isLocked(ItemRecord item) {
    return item.lockedUntilMillis() > state.storeTimeMillis();
  }

  /** Keeps what was done to a lock, and forgets the oldest at the bound. */
  private void keep(ShortenedLock lock) throws IOException {
    int kept = 0;
    byte[] oldest = null;
    CatalogView.Walk walk = now.walk(CatalogKeys.shortenedLocks(), null);
    while (walk.next()) {
      oldest = oldest == null ? walk.key() : oldest;
      kept++;
    }
    if (oldest != null && kept >= ChunkStore.MAX_SHORTENED_LOCKS) {
      remove(oldest);
    }
    write(CatalogKeys.shortenedLock(state.version()), CatalogValues.shortenedLock(lock));
  }

  private CatalogReply.@Nullable Refused refusalOfLoss(Store store, ItemRecord item) {
    String what = "item '" + item.name() + "' of store '" + store.store().name() + "'";
    if (item.held()) {
      return refused(Reason.LOCKED, what + " is held; release it first");
    }
    if (isLocked(item)) {
      return refused(
          Reason.LOCKED,
          what
              + " is locked until "
              + date(item.lockedUntilMillis())
              + "; store time is "
              + date(state.storeTimeMillis()));
    }
    return null;
  }

  private long lockFor(int days) {
    long millis = days * DAY_MILLIS;
    if (millis == 0) {
      return 0;
    }
    return state.storeTimeMillis() > Long.MAX_VALUE - millis
        ? Long.MAX_VALUE
        : state.storeTimeMillis() + millis;
  }

  // ---- uploads

  private CatalogReply checkpointUpload(CatalogCommand.CheckpointUpload c) throws IOException {
    Store store = now.storeState(c.storeId());
    if (store == null || store.snapshot() != null) {
      return unchangeable(store, c.storeId());
    }
    Upload known = now.uploadState(c.uploadId());
    ObjectRoot root = c.root();
    if (known == null) {
      if (c.sequence() > 1) {
        return refused(
            Reason.CONFLICT,
            "upload " + c.uploadId() + " of '" + c.name() + "' was ended; begin it anew");
      }
      byte[] olderId = now.get(CatalogKeys.uploadName(c.storeId(), c.name()));
      Upload older = olderId == null ? null : now.uploadState(CatalogValues.readId(olderId));
      if (older != null && older.upload().createdAtMillis() > c.createdAtMillis()) {
        return refused(
            Reason.CONFLICT,
            "upload "
                + c.uploadId()
                + " of '"
                + c.name()
                + "' is older than upload "
                + older.upload().checkpoint().uploadId()
                + " of the same name, which has ended it");
      }
      CatalogReply.Refused full = now.refusalOfUpload(store, older, root.lengthBytes());
      if (full != null) {
        return full;
      }
      if (older != null) {
        store = end(store, older);
      }
      write(CatalogKeys.uploadName(c.storeId(), c.name()), CatalogValues.id(c.uploadId()));
      store = store.withUnfinished(1, root.lengthBytes());
    } else {
      UnfinishedUpload upload = known.upload();
      if (!upload.storeId().equals(c.storeId()) || !upload.itemName().equals(c.name())) {
        return refused(
            Reason.INVALID_REQUEST,
            "upload "
                + c.uploadId()
                + " is of the item '"
                + upload.itemName()
                + "', not of '"
                + c.name()
                + "'");
      }
      if (c.sequence() <= upload.checkpoint().sequence()) {
        return done(new CatalogReply.UploadResult(upload));
      }
      long others = store.unfinishedBytes() - upload.checkpoint().root().lengthBytes();
      if (root.lengthBytes() > Long.MAX_VALUE - others) {
        return refused(Reason.INVALID_REQUEST, "an upload of " + root.lengthBytes() + " bytes");
      }
      store =
          store.withUnfinished(0, root.lengthBytes() - upload.checkpoint().root().lengthBytes());
    }
    write(store);
    UnfinishedUpload upload =
        new UnfinishedUpload(
            new Checkpoint(c.uploadId(), root, c.sequence()),
            c.storeId(),
            c.name(),
            known == null ? c.createdAtMillis() : known.upload().createdAtMillis());
    write(CatalogKeys.upload(c.uploadId()), new Upload(upload, store.store().domainId()).encode());
    return done(new CatalogReply.UploadResult(upload));
  }

  private CatalogReply endUpload(Id uploadId) throws IOException {
    Upload upload = now.uploadState(uploadId);
    if (upload == null) {
      return refused(Reason.NOT_FOUND, "there is no unfinished upload " + uploadId);
    }
    Store store = now.storeState(upload.upload().storeId());
    if (store == null) {
      throw new IllegalStateException("upload " + uploadId + " of no store");
    }
    write(end(store, upload));
    return nothing();
  }

  /** Drops an upload; the store that is returned is to be written. */
  private Store end(Store store, Upload upload) {
    UnfinishedUpload ended = upload.upload();
    remove(CatalogKeys.upload(ended.checkpoint().uploadId()));
    remove(CatalogKeys.uploadName(ended.storeId(), ended.itemName()));
    return store.withUnfinished(-1, -ended.checkpoint().root().lengthBytes());
  }

  // ---- housekeeping

  /** The catalog's own pages lie in a domain without a name, whose id is that for none. */
  private boolean isDomain(Id domainId) throws IOException {
    return domainId.equals(CatalogCommand.NO_ID) || now.get(CatalogKeys.domain(domainId)) != null;
  }

  private CatalogReply containersGone(CatalogCommand.ContainersGone c) throws IOException {
    if (!isDomain(c.domainId())) {
      return noDomain(c.domainId());
    }
    for (long number : c.containerNumbers()) {
      write(CatalogKeys.gone(c.domainId(), number), new byte[0]);
    }
    return nothing();
  }

  private CatalogReply containersUnlinked(CatalogCommand.ContainersUnlinked c) throws IOException {
    for (long number : c.containerNumbers()) {
      removeIfThere(CatalogKeys.gone(c.domainId(), number));
    }
    return nothing();
  }

  private CatalogReply quarantine(CatalogCommand.QuarantineChunk c) throws IOException {
    if (!isDomain(c.domainId())) {
      return noDomain(c.domainId());
    }
    return put(
        CatalogKeys.quarantine(c.domainId(), c.kind(), c.fingerprint()),
        CatalogValues.quarantined(c));
  }

  // ---- steps

  private void write(Store store) {
    write(CatalogKeys.store(store.store().id()), store.encode());
  }

  /** Writes an item and its look-ups in the place of those of the item that it replaces. */
  private void write(ItemRecord item, @Nullable ItemRecord replaced) {
    write(CatalogKeys.item(item.storeId(), ByteWriter.utf8(item.name())), CatalogValues.item(item));
    SortedSet<byte[]> lookups = CatalogKeys.lookups(item);
    if (replaced != null) {
      for (byte[] old : CatalogKeys.lookups(replaced)) {
        if (!lookups.remove(old)) {
          remove(old);
        }
      }
    }
    for (byte[] lookup : lookups) {
      write(lookup, new byte[0]);
    }
  }

  void write(byte[] key, byte[] value) {
    now = now.with(key, value);
  }

  void remove(byte[] key) {
    now = now.with(key, Layer.REMOVED);
  }

  private CatalogReply put(byte[] key, byte[] value) {
    write(key, value);
    return nothing();
  }

  private CatalogReply removeIfThere(byte[] key) throws IOException {
    if (now.get(key) != null) {
      remove(key);
    }
    return nothing();
  }

  private static CatalogReply nothing() {
    return done(new CatalogReply.Nothing());
  }

  private static CatalogReply done(CatalogReply.Result result) {
    return new CatalogReply.Done(result);
  }

  private static CatalogReply.Refused refused(Reason reason, String message) {
    return new CatalogReply.Refused(reason, message);
  }

  private static CatalogReply noDomain(Id domainId) {
    return refused(Reason.NOT_FOUND, "there is no domain with the id " + domainId);
  }

  private static CatalogReply unchangeable(@Nullable Store store, Id storeId) {
    return store == null ? CatalogView.noStore(storeId) : CatalogView.isSnapshot(store);
  }

  private static CatalogReply noItem(Store store, String name) {
    return refused(
        Reason.NOT_FOUND,
        "there is no item '" + name + "' in store '" + store.store().name() + "'");
  }

  private static String date(long millis) {
    return Instant.ofEpochMilli(millis).toString();
  }
}
