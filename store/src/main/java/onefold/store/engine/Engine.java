package onefold.store.engine;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SortedMap;
import java.util.concurrent.atomic.AtomicLong;
import onefold.chunker.ObjectRoot;
import onefold.chunker.ParameterSet;
import onefold.store.CapacityStatus;
import onefold.store.Checkpoint;
import onefold.store.ChunkStore;
import onefold.store.CommitMode;
import onefold.store.Compression;
import onefold.store.CorruptDataException;
import onefold.store.DeletedItem;
import onefold.store.DeletedPage;
import onefold.store.Disks;
import onefold.store.DomainRecord;
import onefold.store.DomainStatistics;
import onefold.store.HousekeepingStatus;
import onefold.store.Id;
import onefold.store.IngestSession;
import onefold.store.ItemListing;
import onefold.store.ItemPage;
import onefold.store.ItemQuery;
import onefold.store.ItemRecord;
import onefold.store.ItemSpace;
import onefold.store.LockKind;
import onefold.store.LockOverride;
import onefold.store.MemoryUse;
import onefold.store.MutableObject;
import onefold.store.Names;
import onefold.store.ObjectReader;
import onefold.store.ObjectWriter;
import onefold.store.RecompressionStatus;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;
import onefold.store.Scrubbing;
import onefold.store.ShareRecord;
import onefold.store.ShareStore;
import onefold.store.ShareTree;
import onefold.store.ShortenedLock;
import onefold.store.SnapshotRecord;
import onefold.store.StoreFullException;
import onefold.store.StoreRecord;
import onefold.store.StoreStatistics;
import onefold.store.UnfinishedUpload;
import onefold.store.WritebackStatistics;
import onefold.store.catalog.Catalog;
import onefold.store.catalog.CatalogCommand;
import onefold.store.catalog.CatalogCommandFormat;
import onefold.store.catalog.CatalogFold;
import onefold.store.catalog.CatalogReply;
import onefold.store.catalog.CatalogRoot;
import onefold.store.catalog.CatalogView;
import onefold.store.catalog.StoreTrees;
import onefold.store.device.Device;
import onefold.store.device.DeviceLock;
import onefold.store.housekeeping.Ground.FinishedCycle;
import onefold.store.journal.Journal;
import onefold.store.journal.JournalPosition;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.SchedulerLock;
import onefold.store.scrub.ScrubSettings;
import onefold.store.writeback.Writeback;
import org.jspecify.annotations.Nullable;

/**
 * The store over one data directory. See the package for how it works together.
 *
 * <p>Owns the directory's lock, its files and its tasks until {@link #close}.
 */
public final class Engine implements ChunkStore, ShareStore {
  /** The name of the domain and of the store that are made with the directory. */
  public static final String DEFAULT_NAME = "default";

  /** How long a failed checkpoint waits for better times. */
  private static final long CHECKPOINT_RETRY_NANOS = 1_000_000_000;

  private final Device device;
  private final Scheduler scheduler;
  private final EngineSettings settings;
  private final DeviceLock directoryLock;
  private final Superblocks superblocks;
  private final Journal journal;
  private final Domain catalogDomain;
  private final Catalog catalog;
  private final StoreClock clock;
  private final Committer committer;
  private final DomainNames names;
  private final EngineMemory memory;
  private final SpaceGuard space;
  private final Upkeep upkeep;
  private final EngineDisks disks;
  private final Shares shares;
  private final Writebacks writebacks;
  private final long startNumber;
  private final SchedulerLock lock;

  private final Map<Id, Domain> domains = new HashMap<>(); // guarded by lock

  private final Map<Id, Upload> uploads = new HashMap<>(); // guarded by lock

  private ScrubSettings scrubSettings = ScrubSettings.ON_DEMAND; // guarded by lock

  /** The last superblock written; changed by the committer's task. */
  private volatile Superblock superblock;

  private final AtomicLong journalledBytes = new AtomicLong();
  private volatile @Nullable String problem;
  private boolean ending; // guarded by lock

  private volatile boolean closing;

  /** What an operator has set, for domains that are opened later. */
  private volatile HousekeepingRecords.Settings housekeeping = HousekeepingRecords.Settings.NONE;

  /** Whether the last commit covers everything, so that open containers may be sealed. */
  private boolean orderly;

  /** How something that was opened is closed. */
  @FunctionalInterface
  interface Part extends AutoCloseable {
    @Override
    void close() throws IOException;
  }

  /** What recovery hands over. */
  record Recovered(
      Device device,
      Scheduler scheduler,
      EngineSettings settings,
      DeviceLock directoryLock,
      Superblocks superblocks,
      Superblock superblock,
      Journal journal,
      Domain catalogDomain,
      Map<Id, Domain> domains,
      Catalog catalog,
      CatalogPages pages,
      DomainNames names,
      EngineMemory memory,
      StoreClock clock,
      Map<Id, List<Long>> unlinked) {}

  /**
   * Opens the store of a directory; makes one, with the domain and the store {@code default}, if
   * the directory is empty.
   *
   * @throws onefold.store.device.DirectoryInUseException if another process has it open
   * @throws RefusedException {@code CONFLICT} if the directory is not empty and no data directory,
   *     {@code READ_ONLY} if a newer release wrote it
   * @throws onefold.store.CorruptDataException if what is needed to begin is damaged; the message
   *     names the file
   */
  public static Engine open(Device device, Scheduler scheduler, EngineSettings settings)
      throws IOException {
    Recovered recovered = Recovery.recover(device, scheduler, settings);
    Engine engine = new Engine(recovered);
    boolean ready = false;
    try {
      for (Map.Entry<Id, List<Long>> unlinked : recovered.unlinked().entrySet()) {
        engine.names.unlinked(unlinked.getKey(), unlinked.getValue());
      }
      engine.makeDefaults();
      engine.writebacks.recover(engine.openDomains());
      engine.beginHousekeeping();
      if (settings.backgroundHousekeeping()) {
        engine.upkeep.start();
      }
      engine.scrub(ScrubSettings.ON_DEMAND);
      ready = true;
      return engine;
    } finally {
      if (!ready) {
        engine.catalogDomain.stop();
        engine.openDomains().forEach(Domain::stop);
        engine.release();
      }
    }
  }

  private Engine(Recovered recovered) {
    this.device = recovered.device();
    this.scheduler = recovered.scheduler();
    this.settings = recovered.settings();
    this.directoryLock = recovered.directoryLock();
    this.superblocks = recovered.superblocks();
    this.superblock = recovered.superblock();
    this.journal = recovered.journal();
    this.catalogDomain = recovered.catalogDomain();
    this.catalog = recovered.catalog();
    this.clock = recovered.clock();
    this.space = new SpaceGuard(device, settings.reserveBytes());
    this.lock = scheduler.lock("engine");
    this.domains.putAll(recovered.domains());
    this.names = recovered.names();
    this.memory = recovered.memory();
    this.committer = new Committer(scheduler, new Ground());
    this.upkeep = new Upkeep(scheduler, this::keepUp);
    this.disks =
        new EngineDisks(
            device,
            superblock.applianceId(),
            scheduler,
            () -> openDomains().stream().map(Domain::housekeeper).toList());
    this.shares = new Shares(this, scheduler);
    this.writebacks =
        new Writebacks(this, device, settings.writeback(), superblock.epoch(), shares::tree);
    this.startNumber = scheduler.random().nextLong();
    names.ready(
        committer,
        catalog,
        recovered.pages(),
        superblock.epoch(),
        what -> problem = what,
        space,
        disks::settled);
  }

  private void makeDefaults() throws IOException {
    CatalogView view = catalog.view();
    Optional<DomainRecord> domain = view.domain(DEFAULT_NAME);
    if (domain.isEmpty()) {
      domain =
          Optional.of(
              createDomain(CatalogCommand.NO_ID, DEFAULT_NAME, ParameterSet.SET_1.number()));
    }
    if (view.store(DEFAULT_NAME).isEmpty() && superblock.sequence() == 1) {
      createStore(
          CatalogCommand.NO_ID,
          new StoreRecord(
              CatalogCommand.NO_ID, DEFAULT_NAME, domain.get().id(), 0, Compression.LZ4, 0, 0));
    }
    if (superblock.sequence() == 1) {
      committer.checkpoint();
    }
  }

  private void beginHousekeeping() throws IOException {
    housekeeping = housekeepingSettings();
    catalogDomain.housekeeper().begin(FinishedCycle.NONE, housekeeping.paused(), false);
    for (Domain domain : openDomains()) {
      domain
          .housekeeper()
          .begin(finishedCycle(domain), housekeeping.paused(), housekeeping.recompression());
    }
    disks.begin();
  }

  private HousekeepingRecords.Settings housekeepingSettings() throws IOException {
    Optional<byte[]> record = findRecord(HousekeepingRecords.KIND, HousekeepingRecords.SETTINGS);
    return record.isPresent()
        ? HousekeepingRecords.decodeSettings(record.get())
        : HousekeepingRecords.Settings.NONE;
  }

  private FinishedCycle finishedCycle(Domain domain) throws IOException {
    String key = domain.id().toString();
    Optional<byte[]> record = findRecord(HousekeepingRecords.KIND, key);
    return record.isPresent()
        ? HousekeepingRecords.decodeCycle(key, record.get())
        : FinishedCycle.NONE;
  }

  /** Says how every domain is scrubbed, those too that are made later. */
  public void scrub(ScrubSettings newSettings) {
    lock.lock();
    try {
      scrubSettings = newSettings;
    } finally {
      lock.unlock();
    }
    catalogDomain.scrubber().open(newSettings);
    for (Domain domain : openDomains()) {
      domain.scrubber().open(newSettings);
    }
  }

  // ---- domains and stores

  @Override
  public List<DomainRecord> domains() throws IOException {
    return catalog.view().domains();
  }

  @Override
  public DomainRecord createDomain(Id commandId, String name, int parameterSet) throws IOException {
    Names.checkStoreName(name);
    ParameterSet.of(parameterSet);
    CatalogReply.Result result =
        change(
            new CatalogCommand.CreateDomain(
                stamp(commandId), new DomainRecord(newId(), name, parameterSet)));
    return switch (result) {
      case CatalogReply.DomainResult(DomainRecord domain) -> domain;
      case CatalogReply.Nothing _,
          CatalogReply.StoreResult _,
          CatalogReply.ShareResult _,
          CatalogReply.ItemResult _,
          CatalogReply.UploadResult _ ->
          throw otherCommand(commandId);
    };
  }

  @Override
  public List<StoreRecord> stores() throws IOException {
    return catalog.view().stores();
  }

  @Override
  public Optional<StoreRecord> findStore(String name) throws IOException {
    return catalog.view().store(name);
  }

  @Override
  public StoreRecord createStore(Id commandId, StoreRecord wanted) throws IOException {
    Names.checkStoreName(wanted.name());
    return storeOf(
        commandId, change(new CatalogCommand.CreateStore(stamp(commandId), wanted.as(newId(), 0))));
  }

  @Override
  public StoreRecord updateStore(Id commandId, StoreRecord wanted) throws IOException {
    return storeOf(commandId, change(new CatalogCommand.UpdateStore(stamp(commandId), wanted)));
  }

  private static StoreRecord storeOf(Id commandId, CatalogReply.Result result)
      throws RefusedException {
    return switch (result) {
      case CatalogReply.StoreResult(StoreRecord store) -> store;
      case CatalogReply.Nothing _,
          CatalogReply.DomainResult _,
          CatalogReply.ShareResult _,
          CatalogReply.ItemResult _,
          CatalogReply.UploadResult _ ->
          throw otherCommand(commandId);
    };
  }

  @Override
  public void deleteStore(Id commandId, Id storeId, boolean withItems) throws IOException {
    Optional<StoreRecord> store = catalog.view().store(storeId);
    change(new CatalogCommand.DeleteStore(stamp(commandId), storeId, withItems));
    store.ifPresent(gone -> garbageLikely(gone.domainId()));
  }

  // ---- copies of whole stores

  @Override
  public StoreRecord copyStore(Id commandId, Id sourceId, String name) throws IOException {
    Names.checkStoreName(name);
    return copy(commandId, sourceId, name, false);
  }

  private StoreRecord copy(Id commandId, Id sourceId, String name, boolean snapshot)
      throws IOException {
    return storeOf(
        commandId,
        change(
            new CatalogCommand.CopyStore(
                stamp(commandId), sourceId, newId(), name, snapshot, StoreTrees.NONE)));
  }

  @Override
  public SnapshotRecord createSnapshot(Id commandId, Id storeId, String name) throws IOException {
    Names.checkStoreName(name);
    return snapshot(copy(commandId, storeId, name, true));
  }

  private SnapshotRecord snapshot(StoreRecord store) throws IOException {
    return read(view -> view.snapshot(store.id()))
        .orElseThrow(() ->
            new RefusedException(
                Reason.NOT_FOUND, "snapshot '" + store.name() + "' was deleted meanwhile"));
  }

  @Override
  public List<SnapshotRecord> snapshots(Id storeId) throws IOException {
    return read(view -> view.snapshots(storeId));
  }

  @Override
  public void deleteSnapshot(Id commandId, Id snapshotId) throws IOException {
    Optional<SnapshotRecord> snapshot = read(view -> view.snapshot(snapshotId));
    change(new CatalogCommand.DeleteSnapshot(stamp(commandId), snapshotId));
    snapshot.ifPresent(gone -> garbageLikely(gone.store().domainId()));
  }

  @Override
  public SnapshotRecord lockSnapshot(
      Id commandId,
      Id snapshotId,
      long lockedUntilMillis,
      LockKind kind,
      Optional<LockOverride> override)
      throws IOException {
    return snapshot(
        storeOf(
            commandId,
            change(
                new CatalogCommand.LockSnapshot(
                    stamp(commandId),
                    snapshotId,
                    lockedUntilMillis,
                    kind,
                    override.orElse(null)))));
  }

  /** What is asked of a view of the catalog. */
  interface CatalogRead<T> {
    T of(CatalogView view) throws IOException;
  }

  /**
   * Asks the catalog. A view's pages stay until the catalog has been folded twice; who is so slow
   * that they are gone asks the newer one.
   */
  <T> T read(CatalogRead<T> read) throws IOException {
    while (true) {
      CatalogView view = catalog.view();
      try {
        return read.of(view);
      } catch (CorruptDataException e) {
        if (view.rootPage().equals(catalog.view().rootPage())) {
          throw e;
        }
      }
    }
  }

  // ---- shares

  @Override
  public List<ShareRecord> shares() throws IOException {
    return read(view -> view.shares().all());
  }

  @Override
  public Optional<ShareRecord> findShare(String name) throws IOException {
    return read(view -> view.shares().find(name));
  }

  @Override
  public ShareRecord createShare(Id commandId, String name, Id domainId, byte[] settings)
      throws IOException {
    Names.checkStoreName(name);
    return shareOf(
        commandId,
        change(
            new CatalogCommand.CreateShare(
                stamp(commandId), newId(), name, domainId, settings.clone())));
  }

  @Override
  public ShareRecord updateShare(Id commandId, Id shareId, byte[] settings) throws IOException {
    return shareOf(
        commandId,
        change(new CatalogCommand.UpdateShare(stamp(commandId), shareId, settings.clone())));
  }

  private static ShareRecord shareOf(Id commandId, CatalogReply.Result result)
      throws RefusedException {
    if (result instanceof CatalogReply.ShareResult(ShareRecord share)) {
      return share;
    }
    throw otherCommand(commandId);
  }

  @Override
  public void deleteShare(Id commandId, Id shareId, boolean withFiles) throws IOException {
    Optional<ShareRecord> share = read(view -> view.shares().find(shareId));
    change(new CatalogCommand.DeleteShare(stamp(commandId), shareId, withFiles));
    shares.forget(shareId);
    share.ifPresent(gone -> garbageLikely(gone.domainId()));
  }

  @Override
  public ShareRecord copyShare(Id commandId, Id sourceId, String name, boolean snapshot)
      throws IOException {
    Names.checkStoreName(name);
    LiveShareTree tree = shares.tree(sourceId);
    Optional<Writeback> writeback = writebacks.find(tree.record().domainId());
    if (writeback.isPresent()) {
      writeback.get().fold(sourceId);
    }
    tree.flush();
    return shareOf(
        commandId,
        change(
            new CatalogCommand.CopyShare(
                stamp(commandId), sourceId, newId(), name, snapshot, StoreTrees.NONE)));
  }

  @Override
  public List<ShareRecord> shareSnapshots(Id shareId) throws IOException {
    return read(view -> view.shares().snapshots(shareId));
  }

  @Override
  public MutableObject openObject(Id shareId, byte[] key) throws IOException {
    ShareRecord share = shares.tree(shareId).record();
    return writebacks.of(domain(share.domainId())).open(shareId, key, share.snapshot());
  }

  @Override
  public Optional<Unfolded> unfolded(Id shareId, Id objectId) {
    return writebacks.unfolded(shareId, objectId);
  }

  @Override
  public long startNumber() {
    return startNumber;
  }

  @Override
  public WritebackStatistics writebackStatistics(Id domainId) throws IOException {
    Optional<Writeback> writeback = writebacks.find(domainId);
    return writeback.isPresent() ? writeback.get().statistics() : WritebackStatistics.NONE;
  }

  @Override
  public ShareTree shareTree(Id shareId) throws IOException {
    return shares.tree(shareId);
  }

  CatalogView catalogView() {
    return catalog.view();
  }

  // ---- items

  @Override
  public Optional<ItemRecord> findItem(Id storeId, String name) throws IOException {
    return read(view -> view.item(storeId, name));
  }

  @Override
  public ItemPage listItems(Id storeId, String prefix, String after, int limit) throws IOException {
    return read(view -> view.items(storeId, prefix, after, limit));
  }

  @Override
  public ItemListing listItems(Id storeId, ItemQuery query, ItemQuery.Place after, int limit)
      throws IOException {
    return read(view -> view.items(storeId, query, after, limit));
  }

  @Override
  public void deleteItem(Id commandId, Id storeId, String name) throws IOException {
    change(new CatalogCommand.DeleteItem(stamp(commandId), storeId, name));
    Optional<StoreRecord> store = catalog.view().store(storeId);
    if (store.isPresent() && store.get().policy().undeleteDays() == 0) {
      garbageLikely(store.get().domainId());
    }
  }

  @Override
  public DeletedPage listDeleted(
      Id storeId, String prefix, String afterName, long afterVersion, int limit)
      throws IOException {
    return read(view -> view.deleted(storeId, prefix, afterName, afterVersion, limit));
  }

  @Override
  public ItemRecord undeleteItem(
      Id commandId, Id storeId, String name, long version, String targetName, CommitMode mode)
      throws IOException {
    Names.checkItemName(targetName);
    Optional<DeletedItem> deleted = read(view -> view.deletedItem(storeId, name, version));
    CatalogCommand.Stamp stamp = stamp(commandId);
    return itemOf(
        commandId,
        change(
            deleted.isPresent()
                ? new CatalogCommand.UndeleteItem(stamp, deleted.get().item(), targetName, mode)
                : CatalogCommand.UndeleteItem.ofNone(
                    stamp, storeId, name, version, targetName, mode)));
  }

  @Override
  public void purgeDeleted(
      Id commandId, Id storeId, String name, long version, Optional<LockOverride> override)
      throws IOException {
    change(
        new CatalogCommand.PurgeDeleted(
            stamp(commandId), storeId, name, version, override.orElse(null)));
    Optional<StoreRecord> store = catalog.view().store(storeId);
    store.ifPresent(of -> garbageLikely(of.domainId()));
  }

  /** Makes store time durable, and gives up deleted items whose time has come. */
  private void keepUp() throws IOException {
    change(new CatalogCommand.AdvanceStoreTime(stamp(CatalogCommand.NO_ID)));
    CapacityHistory history = capacityHistory();
    if (history.isDue(clock.millis())) {
      byte[] more = history.with(clock.millis(), usedBytes()).encode();
      change(
          new CatalogCommand.PutRecord(
              stamp(CatalogCommand.NO_ID), CapacityHistory.KIND, CapacityHistory.KEY, more));
    }
    for (StoreRecord store : read(CatalogView::stores)) {
      if (purgeExpired(store.id())) {
        garbageLikely(store.domainId());
      }
    }
  }

  private boolean purgeExpired(Id storeId) throws IOException {
    boolean any = false;
    while (true) {
      // Before the stamp, so that what has expired here has done so there.
      long nowMillis = clock.millis();
      if (!read(view -> view.hasExpired(storeId, nowMillis))) {
        return any;
      }
      CatalogReply reply =
          answer(
              new CatalogCommand.PurgeExpired(
                  stamp(CatalogCommand.NO_ID), storeId, CatalogCommand.MAX_PURGED));
      if (reply instanceof CatalogReply.Refused) {
        return any; // The store was deleted meanwhile.
      }
      any = true;
    }
  }

  @Override
  public ItemRecord cloneItem(
      Id commandId, Id storeId, String name, Id targetStoreId, String targetName, CommitMode mode)
      throws IOException {
    Names.checkItemName(targetName);
    return itemOf(
        commandId,
        change(
            new CatalogCommand.CloneItem(
                stamp(commandId), storeId, name, targetStoreId, targetName, newId(), mode)));
  }

  @Override
  public ItemRecord updateItem(
      Id commandId,
      Id storeId,
      String name,
      SortedMap<String, String> tags,
      boolean held,
      long lockedUntilMillis)
      throws IOException {
    return itemOf(
        commandId,
        change(
            new CatalogCommand.UpdateItem(
                stamp(commandId), storeId, name, tags, held, lockedUntilMillis)));
  }

  @Override
  public ItemRecord lockItem(
      Id commandId,
      Id storeId,
      String name,
      long lockedUntilMillis,
      LockKind kind,
      Optional<LockOverride> override)
      throws IOException {
    return itemOf(
        commandId,
        change(
            new CatalogCommand.LockItem(
                stamp(commandId), storeId, name, lockedUntilMillis, kind, override.orElse(null))));
  }

  @Override
  public List<ShortenedLock> shortenedLocks() throws IOException {
    return read(CatalogView::shortenedLocks);
  }

  private static ItemRecord itemOf(Id commandId, CatalogReply.Result result)
      throws RefusedException {
    return switch (result) {
      case CatalogReply.ItemResult(ItemRecord item) -> item;
      case CatalogReply.Nothing _,
          CatalogReply.DomainResult _,
          CatalogReply.StoreResult _,
          CatalogReply.ShareResult _,
          CatalogReply.UploadResult _ ->
          throw otherCommand(commandId);
    };
  }

  private static RefusedException otherCommand(Id commandId) {
    return new RefusedException(
        Reason.INVALID_REQUEST, "the command id " + commandId + " was used for another command");
  }

  // ---- bytes

  @Override
  public IngestSession openIngest(Id storeId, String itemName, Optional<Id> resume)
      throws IOException {
    return openUpload(storeId, itemName, resume, Optional.empty());
  }

  @Override
  public ObjectWriter openWriter(
      Id storeId, String itemName, Optional<Id> resume, Compression compression)
      throws IOException {
    BlockShape shape = BlockShape.of(compression);
    Upload upload = openUpload(storeId, itemName, resume, Optional.of(shape));
    boolean ready = false;
    try {
      ObjectWriter writer = new PipelineWriter(upload, scheduler, shape);
      ready = true;
      return writer;
    } finally {
      if (!ready) {
        upload.close();
      }
    }
  }

  private Upload openUpload(
      Id storeId, String itemName, Optional<Id> resume, Optional<BlockShape> shape)
      throws IOException {
    Names.checkItemName(itemName);
    checkWritable();
    CatalogView view = catalog.view();
    StoreRecord store =
        view.store(storeId)
            .orElseThrow(() ->
                new RefusedException(Reason.NOT_FOUND, "there is no store with the id " + storeId));
    Optional<Checkpoint> from = Optional.empty();
    long createdAtMillis = clock.millis();
    if (resume.isPresent()) {
      UnfinishedUpload unfinished =
          view.upload(resume.get())
              .filter(found -> found.storeId().equals(storeId) && found.itemName().equals(itemName))
              .orElseThrow(() ->
                  new RefusedException(
                      Reason.NOT_FOUND,
                      "there is no unfinished upload "
                          + resume.get()
                          + " of '"
                          + itemName
                          + "'; begin a new one"));
      from = Optional.of(unfinished.checkpoint());
      createdAtMillis = unfinished.createdAtMillis();
    } else {
      Optional<CatalogReply.Refused> refusal = view.refusalOfUpload(storeId, itemName);
      if (refusal.isPresent()) {
        throw new RefusedException(refusal.get().reason(), refusal.get().message());
      }
    }
    Domain domain = domain(store.domainId());
    boolean ownTrees = shape.isPresent();
    boolean verifies = domain.options().verifiesMatches();
    if (verifies && !ownTrees) {
      throw new RefusedException(
          Reason.BYTES_NEEDED,
          "the dedup domain of store '"
              + store.name()
              + "' compares bytes before it shares a chunk, so it takes uploads in high bandwidth"
              + " only: --bandwidth high");
    }
    Upload upload =
        new Upload(
            this,
            domain,
            store,
            itemName,
            resume.orElseGet(this::newId),
            from,
            shape.orElseGet(() -> BlockShape.of(store.compression())),
            ownTrees,
            verifies,
            false,
            createdAtMillis);
    lock.lock();
    try {
      for (Upload other : uploads.values()) {
        if (other.storeId().equals(storeId) && other.itemName().equals(itemName)) {
          other.supersede();
        }
      }
      uploads.put(upload.uploadId(), upload);
    } finally {
      lock.unlock();
    }
    domain.begin(upload);
    return upload;
  }

  /** Opens an upload whose root a share's tree will name. */
  Upload openNameless(Domain domain, BlockShape shape) throws IOException {
    checkWritable();
    StoreRecord none =
        new StoreRecord(CatalogCommand.NO_ID, "", domain.id(), 0, Compression.LZ4, 0, 0);
    Upload upload =
        new Upload(
            this,
            domain,
            none,
            "changes of a file",
            newId(),
            Optional.empty(),
            shape,
            true,
            domain.options().verifiesMatches(),
            true,
            clock.millis());
    domain.begin(upload);
    return upload;
  }

  void uploadEnded(Upload upload, Domain domain) {
    domain.end(upload);
    lock.lock();
    try {
      uploads.remove(upload.uploadId(), upload);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public List<UnfinishedUpload> unfinishedUploads(Id storeId) throws IOException {
    return read(view -> view.unfinished(storeId));
  }

  @Override
  public void abortUpload(Id commandId, Id uploadId) throws IOException {
    Upload open;
    lock.lock();
    try {
      open = uploads.get(uploadId);
    } finally {
      lock.unlock();
    }
    if (open != null) {
      throw new RefusedException(
          Reason.CONFLICT, "the upload " + uploadId + " is open; end its session first");
    }
    Optional<UnfinishedUpload> upload = read(view -> view.upload(uploadId));
    change(new CatalogCommand.EndUpload(stamp(commandId), uploadId));
    if (upload.isPresent()) {
      Optional<StoreRecord> store = catalog.view().store(upload.get().storeId());
      store.ifPresent(of -> garbageLikely(of.domainId()));
    }
  }

  @Override
  public ObjectReader openReader(Id domainId, ObjectRoot root) throws IOException {
    Domain domain = domain(domainId);
    Domain.Pin pin = domain.pin(root);
    boolean ready = false;
    try {
      ObjectReader reader = new RecipeReader(domain, scheduler, root, pin::release);
      ready = true;
      return reader;
    } finally {
      if (!ready) {
        pin.release();
      }
    }
  }

  // ---- small records

  @Override
  public Optional<byte[]> findRecord(String kind, String key) throws IOException {
    return read(view -> view.record(kind, key));
  }

  @Override
  public SortedMap<String, byte[]> records(String kind) throws IOException {
    return read(view -> view.records(kind));
  }

  @Override
  public void putRecord(Id commandId, String kind, String key, Optional<byte[]> value)
      throws IOException {
    change(
        value.isPresent()
            ? new CatalogCommand.PutRecord(stamp(commandId), kind, key, value.get())
            : new CatalogCommand.RemoveRecord(stamp(commandId), kind, key));
  }

  // ---- state

  @Override
  public StoreStatistics statistics(Id storeId) throws IOException {
    return catalog
        .view()
        .statistics(storeId)
        .orElseThrow(() ->
            new RefusedException(Reason.NOT_FOUND, "there is no store with the id " + storeId));
  }

  @Override
  public DomainStatistics domainStatistics(Id domainId) throws IOException {
    return domain(domainId).statistics(catalog.view().logicalBytes(domainId));
  }

  @Override
  public HousekeepingStatus housekeepingStatus(Id domainId) throws IOException {
    return domain(domainId).housekeeper().status();
  }

  @Override
  public HousekeepingStatus runHousekeeping(Id domainId) throws IOException {
    for (StoreRecord store : read(CatalogView::stores)) {
      if (store.domainId().equals(domainId)) {
        var _ = purgeExpired(store.id());
      }
    }
    HousekeepingStatus status = domain(domainId).housekeeper().run();
    catalogDomain.housekeeper().run();
    return status;
  }

  @Override
  public void pauseHousekeeping(boolean paused) throws IOException {
    if (!paused) {
      rest(false); // First: it may be what makes room for the record.
    }
    keep(new HousekeepingRecords.Settings(paused, housekeeping.recompression()));
    rest(paused);
  }

  private void rest(boolean paused) {
    catalogDomain.housekeeper().pause(paused);
    for (Domain domain : openDomains()) {
      domain.housekeeper().pause(paused);
    }
  }

  private void keep(HousekeepingRecords.Settings now) throws IOException {
    putRecord(
        CatalogCommand.NO_ID,
        HousekeepingRecords.KIND,
        HousekeepingRecords.SETTINGS,
        Optional.of(HousekeepingRecords.encode(now)));
    housekeeping = now;
  }

  @Override
  public RecompressionStatus recompressionStatus(Id domainId) throws IOException {
    return domain(domainId).housekeeper().recompressionStatus();
  }

  @Override
  public RecompressionStatus runRecompression(Id domainId) throws IOException {
    return domain(domainId).housekeeper().recompress();
  }

  @Override
  public void setRecompression(boolean on) throws IOException {
    keep(new HousekeepingRecords.Settings(housekeeping.paused(), on));
    for (Domain domain : openDomains()) {
      domain.housekeeper().setRecompression(on);
    }
  }

  @Override
  public Optional<ItemSpace> itemSpace(Id storeId, String name) throws IOException {
    ItemRecord item =
        findItem(storeId, name)
            .orElseThrow(
                () -> new RefusedException(Reason.NOT_FOUND, "there is no item '" + name + "'"));
    StoreRecord store =
        catalog
            .view()
            .store(storeId)
            .orElseThrow(() ->
                new RefusedException(Reason.NOT_FOUND, "there is no store with the id " + storeId));
    return domain(store.domainId())
        .housekeeper()
        .space(item.root().node(), item.lockedUntilMillis(), item.held());
  }

  @Override
  public Scrubbing scrubbing(Id domainId) throws IOException {
    return domainId.equals(CATALOG) ? catalogDomain.scrubber() : domain(domainId).scrubber();
  }

  @Override
  public boolean verifiesMatches(Id domainId) throws IOException {
    return domain(domainId).options().verifiesMatches();
  }

  @Override
  public void verifyMatches(Id domainId, boolean verify) throws IOException {
    domain(domainId).change(options -> options.withVerifiesMatches(verify));
  }

  @Override
  public long changeCount() throws IOException {
    return catalog.view().version();
  }

  @Override
  public long storeTimeMillis() {
    return clock.millis();
  }

  private CapacityHistory capacityHistory() throws IOException {
    Optional<byte[]> record = findRecord(CapacityHistory.KIND, CapacityHistory.KEY);
    return record.isEmpty() ? CapacityHistory.EMPTY : CapacityHistory.decode(record.get());
  }

  private long usedBytes() throws IOException {
    long bytes = catalogDomain.statistics(0).physicalBytes();
    for (DomainRecord domain : domains()) {
      bytes += domain(domain.id()).statistics(0).physicalBytes();
    }
    return bytes;
  }

  @Override
  public CapacityStatus capacity() throws IOException {
    long quotaBytes = 0;
    int storesWithoutQuota = 0;
    for (StoreRecord store : read(CatalogView::stores)) {
      quotaBytes = Math.min(quotaBytes, Long.MAX_VALUE - store.quotaBytes()) + store.quotaBytes();
      storesWithoutQuota += store.quotaBytes() == 0 ? 1 : 0;
    }
    long freeBytes = freeBytes();
    long growth = capacityHistory().growthBytesPerDay().orElse(0);
    long room = Math.max(0, freeBytes - settings.reserveBytes());
    return new CapacityStatus(
        usedBytes(),
        freeBytes,
        settings.reserveBytes(),
        quotaBytes,
        storesWithoutQuota,
        growth,
        growth > 0 ? OptionalLong.of(room / growth) : OptionalLong.empty());
  }

  @Override
  public List<MemoryUse> memory() {
    List<MemoryUse> uses = new ArrayList<>(memory.uses());
    writebacks.memory().ifPresent(uses::add);
    return uses;
  }

  @Override
  public void setMemory(long bytes) {
    memory.setWhole(bytes);
  }

  @Override
  public long missingMemoryBytes() {
    return memory.missingBytes();
  }

  @Override
  public Disks disks() {
    return disks;
  }

  @Override
  public long freeBytes() throws IOException {
    return device.freeBytes();
  }

  @Override
  public Optional<String> problem() {
    return Optional.ofNullable(problem);
  }

  // ---- what the parts of the engine ask for

  Scheduler scheduler() {
    return scheduler;
  }

  Committer committer() {
    return committer;
  }

  CatalogCommand.Stamp stamp(Id commandId) {
    return new CatalogCommand.Stamp(commandId, clock.millis(), superblock.epoch());
  }

  /**
   * Refuses new data when it cannot be kept.
   *
   * @throws StoreFullException if only the reserve is left
   */
  void checkSpace(int bytes) throws IOException {
    space.take(bytes);
  }

  /** Shows the operator what could not be done. */
  void problem(String what) {
    problem = what;
  }

  void checkWritable() throws IOException {
    if (closing) {
      throw new RefusedException(Reason.SHUTTING_DOWN, "the store is closing");
    }
  }

  private void garbageLikely(Id domainId) {
    lock.lock();
    try {
      Domain domain = domains.get(domainId);
      if (domain != null) {
        domain.housekeeper().garbageLikely();
      }
    } finally {
      lock.unlock();
    }
  }

  private CatalogReply.Result change(CatalogCommand command) throws IOException {
    return answer(command).orThrow();
  }

  private CatalogReply answer(CatalogCommand command) throws IOException {
    checkWritable();
    return committer.submit(null, command).await();
  }

  private Id newId() {
    return Id.random(scheduler.random());
  }

  private List<Domain> openDomains() {
    lock.lock();
    try {
      return new ArrayList<>(domains.values());
    } finally {
      lock.unlock();
    }
  }

  Domain domain(Id domainId) throws IOException {
    lock.lock();
    try {
      Domain open = domains.get(domainId);
      if (open != null) {
        return open;
      }
      DomainRecord record =
          catalog
              .view()
              .domain(domainId)
              .orElseThrow(() ->
                  new RefusedException(
                      Reason.NOT_FOUND, "there is no domain with the id " + domainId));
      Domain made =
          Domain.open(
              device,
              scheduler,
              settings,
              record.id(),
              ParameterSet.of(record.parameterSet()),
              superblock.epoch(),
              new CommittedEnds(),
              names,
              memory,
              false);
      made.housekeeper()
          .begin(FinishedCycle.NONE, housekeeping.paused(), housekeeping.recompression());
      domains.put(domainId, made);
      made.scrubber().open(scrubSettings);
      return made;
    } finally {
      lock.unlock();
    }
  }

  // ---- committing

  private final class Ground implements Committer.Ground {
    /** A checkpoint that has failed is not tried again before this; the committer's task only. */
    private long checkpointNotBeforeNanos = scheduler.nanoTime();

    @Override
    public List<Committer.Outcome> commit(Set<Domain> touched, List<CatalogCommand> commands)
        throws IOException {
      if (catalog.isFull()) {
        checkpoint();
      }
      Committer.Outcome[] outcomes = new Committer.Outcome[commands.size()];
      List<byte[]> encoded = new ArrayList<>(commands.size());
      boolean durable = false;
      try {
        stageCopies(commands, outcomes, encoded);
        for (int i = 0; i < outcomes.length; i++) {
          if (!isCopy(commands.get(i))) {
            outcomes[i] = staged(commands.get(i), encoded);
          }
        }
        if (encoded.isEmpty()) {
          return List.of(outcomes);
        }
        List<Domain.Growth> growths = new ArrayList<>();
        for (Domain domain : touched) {
          growths.add(domain.growth());
        }
        append(false, growths, encoded, Committer.REDO_BYTES);
        durable = true;
        return List.of(outcomes);
      } finally {
        if (!durable) {
          catalog.discard();
        }
      }
    }

    private Committer.Outcome staged(CatalogCommand command, List<byte[]> encoded) {
      try {
        CatalogReply reply = catalog.stage(command);
        encoded.add(CatalogCommandFormat.encode(command));
        return new Committer.Outcome.Replied(reply);
      } catch (IOException e) {
        return new Committer.Outcome.Failed(e);
      }
    }

    private static boolean isCopy(CatalogCommand command) {
      return command instanceof CatalogCommand.CopyStore
          || command instanceof CatalogCommand.CopyShare;
    }

    /** Tells whether what a command copies is in the pages; so is nothing, for another command. */
    private static boolean isFolded(CatalogView view, CatalogCommand command) {
      return switch (command) {
        case CatalogCommand.CopyStore copy -> view.isFolded(copy.sourceId());
        case CatalogCommand.CopyShare copy -> view.shares().isFolded(copy.sourceId());
        default -> true;
      };
    }

    private static CatalogCommand withTrees(CatalogView view, CatalogCommand command)
        throws IOException {
      return switch (command) {
        case CatalogCommand.CopyStore copy -> copy.with(view.trees(copy.sourceId()));
        case CatalogCommand.CopyShare copy -> copy.with(view.shares().trees(copy.sourceId()));
        default -> command;
      };
    }

    /**
     * Stages the copies of whole stores and shares, before all others: they name the pages that
     * hold all that is in their sources, after a fold if there is something newer.
     */
    private void stageCopies(
        List<CatalogCommand> commands, Committer.Outcome[] outcomes, List<byte[]> encoded)
        throws IOException {
      IOException failure = null;
      for (CatalogCommand command : commands) {
        if (failure == null && !isFolded(catalog.view(), command)) {
          try {
            checkpoint();
          } catch (IOException e) {
            failure = e;
          }
        }
      }
      CatalogView view = catalog.view();
      for (int i = 0; i < outcomes.length; i++) {
        CatalogCommand command = commands.get(i);
        if (isCopy(command)) {
          outcomes[i] =
              failure != null && !isFolded(view, command)
                  ? new Committer.Outcome.Failed(failure)
                  : staged(withTrees(view, command), encoded);
        }
      }
    }

    /** Makes a record durable, with what it refers to, and lets readers see its commands. */
    private JournalPosition append(
        boolean checkpoint, List<Domain.Growth> growths, List<byte[]> commands, long redoBytes)
        throws IOException {
      boolean durable = false;
      try {
        JournalPosition position = appendGrowths(checkpoint, growths, commands, redoBytes);
        durable = true;
        return position;
      } catch (IOException e) {
        if (!(e instanceof StoreFullException)) {
          problem = "nothing could be committed: " + e.getMessage();
        }
        throw e;
      } finally {
        for (Domain.Growth growth : growths) {
          if (durable) {
            growth.committed();
          } else {
            growth.failed();
          }
        }
      }
    }

    private JournalPosition appendGrowths(
        boolean checkpoint, List<Domain.Growth> growths, List<byte[]> commands, long redoBytes)
        throws IOException {
      long grown = 0;
      for (Domain.Growth growth : growths) {
        grown += growth.bytes();
      }
      boolean redo = grown <= redoBytes;
      if (!redo && !growths.isEmpty()) {
        Domain.force(scheduler, growths);
      }
      List<CommitRecord.DomainPart> parts = new ArrayList<>();
      for (Domain.Growth growth : growths) {
        parts.add(growth.part(redo));
      }
      byte[] record =
          CommitRecordFormat.encode(new CommitRecord(checkpoint, clock.millis(), parts, commands));
      JournalPosition position =
          journal.appendHere(CommitRecordFormat.JOURNAL_TYPE, record).await();
      journalledBytes.addAndGet(record.length);
      catalog.publish(position.position());
      return position;
    }

    @Override
    public boolean checkpointDue() {
      boolean wanted =
          journalledBytes.get() >= settings.checkpointJournalBytes() || catalog.foldWanted();
      return wanted && scheduler.nanoTime() - checkpointNotBeforeNanos >= 0;
    }

    @Override
    public void checkpoint() throws IOException {
      CatalogFold fold = catalog.fold();
      boolean done = false;
      try {
        CatalogRoot root = fold.write();
        List<Domain> all = openDomains();
        List<Domain.Growth> growths = new ArrayList<>();
        growths.add(catalogDomain.growth());
        for (Domain domain : all) {
          growths.add(domain.growth());
        }
        JournalPosition position = append(true, growths, List.of(), -1);
        Superblock next =
            new Superblock(
                superblock.sequence() + 1,
                superblock.applianceId(),
                superblock.epoch(),
                position.position(),
                clock.millis(),
                root.toBytes(),
                Superblock.flags(superblock.flags(), catalog.view()));
        superblocks.write(next);
        superblock = next;
        CatalogView before = catalog.view();
        catalog.finish(fold);
        done = true;
        names.folded(before);
        memory.rebalance();
        catalogDomain.housekeeper().garbageLikely();
        journalledBytes.set(0);
        journal.trim(superblocks.journalNeededFrom() - 1);
        if (space.isEnough()) {
          problem = null;
        }
      } catch (IOException e) {
        problem = "the catalog could not be written: " + e.getMessage();
        checkpointNotBeforeNanos = scheduler.nanoTime() + CHECKPOINT_RETRY_NANOS;
        throw e;
      } finally {
        if (!done) {
          catalog.abandon(fold);
        }
      }
    }

    @Override
    public void broken(Throwable failure) {
      problem = "the store has stopped: " + failure.getMessage();
    }
  }

  // ---- the end

  @Override
  public void close() throws IOException {
    lock.lock();
    try {
      if (ending) {
        return;
      }
      ending = true;
    } finally {
      lock.unlock();
    }
    try (Part _ = this::closeAll) {
      writebacks.close(!committer.isBroken());
    }
  }

  private void closeAll() throws IOException {
    closing = true;
    try {
      upkeep.stop();
      catalogDomain.stop();
      for (Domain domain : openDomains()) {
        domain.stop();
        domain.refuseNodes();
      }
      if (!committer.isBroken()) {
        committer.checkpoint();
        for (Domain domain : openDomains()) {
          domain.checkpointIndex();
        }
        catalogDomain.checkpointIndex();
        orderly = true;
      }
    } finally {
      release();
    }
  }

  private void release() throws IOException {
    closing = true;
    committer.close();
    Exception failure = null;
    List<Part> owned = new ArrayList<>();
    owned.add(() -> writebacks.close(false));
    owned.add(journal::close);
    for (Domain domain : openDomains()) {
      owned.add(orderly ? domain::close : domain::abandon);
    }
    owned.add(orderly ? catalogDomain::close : catalogDomain::abandon);
    owned.add(directoryLock::close);
    for (Part part : owned) {
      try {
        part.close();
      } catch (IOException | RuntimeException e) { // Told when the others are closed too.
        failure = failure == null ? e : failure;
      }
    }
    switch (failure) {
      case null -> {}
      case IOException checked -> throw checked;
      case RuntimeException unchecked -> throw unchecked;
      default -> throw new IllegalStateException(failure);
    }
  }
}
