package onefold.store;

import java.io.IOException;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SortedMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;
import onefold.block.BlockBuilder;
import onefold.block.BlockCodec;
import onefold.block.BlockFormatException;
import onefold.block.BlockReader;
import onefold.chunker.ChunkKind;
import onefold.chunker.Cutter;
import onefold.chunker.EntryType;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;
import onefold.chunker.Fingerprinter;
import onefold.chunker.NodeFormatException;
import onefold.chunker.NodeReader;
import onefold.chunker.ObjectRoot;
import onefold.chunker.ParameterSet;
import onefold.chunker.RecipeBuilder;
import onefold.store.RefusedException.Reason;
import onefold.store.catalog.Catalog;
import onefold.store.catalog.CatalogCommand;
import onefold.store.catalog.CatalogCommand.Stamp;
import onefold.store.catalog.CatalogFold;
import onefold.store.catalog.CatalogReply;
import onefold.store.catalog.CatalogView;
import onefold.store.catalog.MapNodeStore;
import onefold.store.recipe.RecipeCursor;
import org.jspecify.annotations.Nullable;

/**
 * The whole face of the store over maps, for tests of what stands above it: the real catalog, the
 * real recipes, and chunks in memory. Nothing outlives the process. Has a domain and a store {@code
 * default}. Safe for many threads, with one lock.
 *
 * <p>Besides the face it lets a test do what otherwise needs bad luck: {@link #forget}, {@link
 * #damage}, {@link #setFull}, {@link #setFreeBytes}.
 */
public final class InMemoryChunkStore implements ChunkStore {
  private static final long EPOCH = 1;

  /** A chunk's identity in its domain. */
  private record ChunkKey(ChunkKind kind, Fingerprint fingerprint) {}

  private static final class Domain {
    private final ParameterSet set;
    private final Map<ChunkKey, byte[]> chunks = new ConcurrentHashMap<>();
    private final AtomicLong lookups = new AtomicLong();
    private final AtomicLong hits = new AtomicLong();

    /** Whether a node may be there without all that is below it. */
    private volatile boolean holes;

    private volatile HousekeepingStatus status =
        new HousekeepingStatus(HousekeepingStatus.Phase.IDLE, 0, 0, 0, 0, 0, "");

    private Domain(ParameterSet set) {
      this.set = set;
    }
  }

  private final InstantSource clock;
  private final RandomGenerator random;
  private final long checkpointBytes;
  private final ReentrantLock lock = new ReentrantLock();

  private final Map<Id, Domain> domains = new ConcurrentHashMap<>();
  private final Map<Id, Session> open = new HashMap<>(); // guarded by lock
  private final Catalog catalog; // changed under lock
  private long position; // guarded by lock
  private boolean closed; // guarded by lock
  private boolean paused; // guarded by lock
  private volatile boolean full;
  private volatile long freeBytes = 1L << 40;

  /** Makes a store with the default interval of checkpoints. */
  public InMemoryChunkStore(InstantSource clock, RandomGenerator random) throws IOException {
    this(clock, random, IngestSession.CHECKPOINT_BYTES);
  }

  /**
   * Makes a store.
   *
   * @param checkpointBytes after how many bytes its writers checkpoint
   */
  public InMemoryChunkStore(InstantSource clock, RandomGenerator random, long checkpointBytes)
      throws IOException {
    this.clock = clock;
    this.random = random;
    this.checkpointBytes = checkpointBytes;
    this.catalog = Catalog.create(new MapNodeStore(), 1 << 20);
    DomainRecord domain = createDomain(newId(), "default", 1);
    createStore(
        newId(),
        new StoreRecord(CatalogCommand.NO_ID, "default", domain.id(), 0, Compression.LZ4, 0, 0));
  }

  // ---- what tests do to it

  /** Takes a chunk away as if it had never come; whatever names it lacks it. */
  public void forget(Id domainId, ChunkKind kind, Fingerprint fingerprint) throws IOException {
    Domain domain = domain(domainId);
    domain.holes = true;
    if (domain.chunks.remove(new ChunkKey(kind, fingerprint)) == null) {
      throw new IllegalArgumentException("there is no chunk " + fingerprint);
    }
  }

  /** Flips a bit of a data chunk's stored bytes. */
  public void damage(Id domainId, Fingerprint fingerprint) throws IOException {
    domain(domainId)
        .chunks
        .compute(
            new ChunkKey(ChunkKind.DATA, fingerprint),
            (key, bytes) -> {
              byte[] flipped = Objects.requireNonNull(bytes, "there is no such chunk").clone();
              flipped[flipped.length / 2] ^= 4;
              return flipped;
            });
  }

  /** Makes every new chunk fail for want of space, until it is called with false. */
  public void setFull(boolean full) {
    this.full = full;
  }

  public void setFreeBytes(long freeBytes) {
    this.freeBytes = freeBytes;
  }

  /** Returns the fingerprints of all chunks of a kind in a domain. */
  public Set<Fingerprint> fingerprints(Id domainId, ChunkKind kind) throws IOException {
    Set<Fingerprint> found = new HashSet<>();
    for (ChunkKey key : domain(domainId).chunks.keySet()) {
      if (key.kind == kind) {
        found.add(key.fingerprint);
      }
    }
    return found;
  }

  // ---- domains and stores

  @Override
  public List<DomainRecord> domains() throws IOException {
    return catalog.view().domains();
  }

  @Override
  public DomainRecord createDomain(Id commandId, String name, int parameterSet) throws IOException {
    Names.checkStoreName(name);
    ParameterSet set = ParameterSet.of(parameterSet);
    Id id = newId();
    CatalogReply.Result result =
        apply(
            new CatalogCommand.CreateDomain(
                stamp(commandId), new DomainRecord(id, name, parameterSet)));
    DomainRecord domain = ((CatalogReply.DomainResult) result).domain();
    domains.computeIfAbsent(domain.id(), made -> new Domain(set));
    return domain;
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
  public StoreRecord createStore(Id commandId, StoreRecord settings) throws IOException {
    Names.checkStoreName(settings.name());
    StoreRecord store = settings.as(newId(), 0);
    CatalogReply.Result result = apply(new CatalogCommand.CreateStore(stamp(commandId), store));
    return ((CatalogReply.StoreResult) result).store();
  }

  @Override
  public StoreRecord updateStore(Id commandId, StoreRecord settings) throws IOException {
    CatalogReply.Result result = apply(new CatalogCommand.UpdateStore(stamp(commandId), settings));
    return ((CatalogReply.StoreResult) result).store();
  }

  @Override
  public void deleteStore(Id commandId, Id storeId, boolean withItems) throws IOException {
    apply(new CatalogCommand.DeleteStore(stamp(commandId), storeId, withItems));
  }

  // ---- copies of whole stores

  @Override
  public StoreRecord copyStore(Id commandId, Id sourceId, String name) throws IOException {
    Names.checkStoreName(name);
    return copy(commandId, sourceId, name, false);
  }

  private StoreRecord copy(Id commandId, Id sourceId, String name, boolean snapshot)
      throws IOException {
    lock.lock();
    try {
      CatalogFold fold = catalog.fold();
      fold.write();
      catalog.finish(fold);
      CatalogReply.Result result =
          apply(
              new CatalogCommand.CopyStore(
                  stamp(commandId),
                  sourceId,
                  newId(),
                  name,
                  snapshot,
                  catalog.view().trees(sourceId)));
      return ((CatalogReply.StoreResult) result).store();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public SnapshotRecord createSnapshot(Id commandId, Id storeId, String name) throws IOException {
    Names.checkStoreName(name);
    StoreRecord made = copy(commandId, storeId, name, true);
    return catalog.view().snapshot(made.id()).orElseThrow();
  }

  @Override
  public List<SnapshotRecord> snapshots(Id storeId) throws IOException {
    return catalog.view().snapshots(storeId);
  }

  @Override
  public void deleteSnapshot(Id commandId, Id snapshotId) throws IOException {
    apply(new CatalogCommand.DeleteSnapshot(stamp(commandId), snapshotId));
  }

  @Override
  public SnapshotRecord lockSnapshot(
      Id commandId,
      Id snapshotId,
      long lockedUntilMillis,
      LockKind kind,
      Optional<LockOverride> override)
      throws IOException {
    apply(
        new CatalogCommand.LockSnapshot(
            stamp(commandId), snapshotId, lockedUntilMillis, kind, override.orElse(null)));
    return catalog.view().snapshot(snapshotId).orElseThrow();
  }

  // ---- items

  @Override
  public Optional<ItemRecord> findItem(Id storeId, String name) throws IOException {
    return catalog.view().item(storeId, name);
  }

  @Override
  public ItemPage listItems(Id storeId, String prefix, String after, int limit) throws IOException {
    requireStore(storeId);
    return catalog.view().items(storeId, prefix, after, limit);
  }

  @Override
  public ItemListing listItems(Id storeId, ItemQuery query, ItemQuery.Place after, int limit)
      throws IOException {
    requireStore(storeId);
    return catalog.view().items(storeId, query, after, limit);
  }

  @Override
  public void deleteItem(Id commandId, Id storeId, String name) throws IOException {
    apply(new CatalogCommand.DeleteItem(stamp(commandId), storeId, Names.checkItemName(name)));
  }

  @Override
  public ItemRecord cloneItem(
      Id commandId, Id storeId, String name, Id targetStoreId, String targetName, CommitMode mode)
      throws IOException {
    Names.checkItemName(name);
    Names.checkItemName(targetName);
    return item(
        apply(
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
    Names.checkItemName(name);
    return item(
        apply(
            new CatalogCommand.UpdateItem(
                stamp(commandId), storeId, name, checkedTags(tags), held, lockedUntilMillis)));
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
    Names.checkItemName(name);
    return item(
        apply(
            new CatalogCommand.LockItem(
                stamp(commandId), storeId, name, lockedUntilMillis, kind, override.orElse(null))));
  }

  @Override
  public List<ShortenedLock> shortenedLocks() throws IOException {
    return catalog.view().shortenedLocks();
  }

  @Override
  public DeletedPage listDeleted(
      Id storeId, String prefix, String afterName, long afterVersion, int limit)
      throws IOException {
    return catalog.view().deleted(storeId, prefix, afterName, afterVersion, limit);
  }

  @Override
  public ItemRecord undeleteItem(
      Id commandId, Id storeId, String name, long version, String targetName, CommitMode mode)
      throws IOException {
    Names.checkItemName(targetName);
    Optional<DeletedItem> deleted = catalog.view().deletedItem(storeId, name, version);
    Stamp stamp = stamp(commandId);
    return item(
        apply(
            deleted.isPresent()
                ? new CatalogCommand.UndeleteItem(stamp, deleted.get().item(), targetName, mode)
                : CatalogCommand.UndeleteItem.ofNone(
                    stamp, storeId, name, version, targetName, mode)));
  }

  @Override
  public void purgeDeleted(
      Id commandId, Id storeId, String name, long version, Optional<LockOverride> override)
      throws IOException {
    apply(
        new CatalogCommand.PurgeDeleted(
            stamp(commandId), storeId, name, version, override.orElse(null)));
  }

  // ---- bytes

  @Override
  public IngestSession openIngest(Id storeId, String itemName, Optional<Id> resume)
      throws IOException {
    Names.checkItemName(itemName);
    lock.lock();
    try {
      requireOpen();
      StoreRecord store = requireStore(storeId);
      Session session;
      if (resume.isPresent()) {
        Id uploadId = resume.get();
        UnfinishedUpload upload =
            catalog
                .view()
                .upload(uploadId)
                .filter(
                    found -> found.storeId().equals(storeId) && found.itemName().equals(itemName))
                .orElseThrow(() ->
                    new RefusedException(
                        Reason.NOT_FOUND,
                        "there is no unfinished upload " + uploadId + " of '" + itemName + "'"));
        if (open.containsKey(uploadId)) {
          throw new RefusedException(Reason.CONFLICT, "upload " + uploadId + " is open");
        }
        session =
            new Session(store, itemName, uploadId, upload.checkpoint(), upload.createdAtMillis());
      } else {
        Optional<CatalogReply.Refused> refusal = catalog.view().refusalOfUpload(storeId, itemName);
        if (refusal.isPresent()) {
          throw new RefusedException(refusal.get().reason(), refusal.get().message());
        }
        Optional<UnfinishedUpload> older = catalog.view().uploadOf(storeId, itemName);
        if (older.isPresent()) {
          Id olderId = older.get().checkpoint().uploadId();
          apply(new CatalogCommand.EndUpload(stamp(CatalogCommand.NO_ID), olderId));
        }
        session = new Session(store, itemName, newId(), null, storeTimeMillis());
      }
      open.put(session.uploadId, session);
      return session;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public ObjectWriter openWriter(
      Id storeId, String itemName, Optional<Id> resume, Compression compression)
      throws IOException {
    return new Writer((Session) openIngest(storeId, itemName, resume));
  }

  @Override
  public List<UnfinishedUpload> unfinishedUploads(Id storeId) throws IOException {
    return catalog.view().unfinished(storeId);
  }

  @Override
  public void abortUpload(Id commandId, Id uploadId) throws IOException {
    lock.lock();
    try {
      if (open.containsKey(uploadId)) {
        throw new RefusedException(Reason.CONFLICT, "upload " + uploadId + " is open");
      }
      apply(new CatalogCommand.EndUpload(stamp(commandId), uploadId));
    } finally {
      lock.unlock();
    }
  }

  @Override
  public ObjectReader openReader(Id domainId, ObjectRoot root) throws IOException {
    return new Reader(domain(domainId), root);
  }

  // ---- small records

  @Override
  public Optional<byte[]> findRecord(String kind, String key) throws IOException {
    return catalog.view().record(kind, key);
  }

  @Override
  public SortedMap<String, byte[]> records(String kind) throws IOException {
    return catalog.view().records(kind);
  }

  @Override
  public void putRecord(Id commandId, String kind, String key, Optional<byte[]> value)
      throws IOException {
    apply(
        value.isPresent()
            ? new CatalogCommand.PutRecord(stamp(commandId), kind, key, value.get().clone())
            : new CatalogCommand.RemoveRecord(stamp(commandId), kind, key));
  }

  // ---- state

  @Override
  public StoreStatistics statistics(Id storeId) throws IOException {
    return catalog.view().statistics(storeId).orElseThrow(() -> noStore(storeId));
  }

  @Override
  public DomainStatistics domainStatistics(Id domainId) throws IOException {
    Domain domain = domain(domainId);
    long data = 0;
    long nodes = 0;
    for (Map.Entry<ChunkKey, byte[]> chunk : domain.chunks.entrySet()) {
      if (chunk.getKey().kind == ChunkKind.DATA) {
        data += chunk.getValue().length;
      } else {
        nodes += chunk.getValue().length;
      }
    }
    return new DomainStatistics(
        catalog.view().logicalBytes(domainId),
        data,
        nodes,
        data + nodes,
        data + nodes,
        domain.chunks.size(),
        1,
        domain.lookups.get(),
        domain.hits.get(),
        0);
  }

  @Override
  public HousekeepingStatus housekeepingStatus(Id domainId) throws IOException {
    return domain(domainId).status;
  }

  @Override
  public HousekeepingStatus runHousekeeping(Id domainId) throws IOException {
    Domain domain = domain(domainId);
    lock.lock();
    try {
      if (paused) {
        return domain.status;
      }
      for (StoreRecord store : catalog.view().stores()) {
        if (catalog.view().hasExpired(store.id(), storeTimeMillis())) {
          apply(
              new CatalogCommand.PurgeExpired(
                  stamp(CatalogCommand.NO_ID), store.id(), CatalogCommand.MAX_PURGED));
        }
      }
      Set<ChunkKey> live = new HashSet<>();
      catalog
          .view()
          .visitObjects(domainId, (storeId, name, root) -> mark(domain, root.node(), live));
      for (Session session : open.values()) {
        if (session.store.domainId().equals(domainId)) {
          live.addAll(session.touched);
          for (ChunkKey key : session.touched) {
            if (key.kind == ChunkKind.NODE) {
              live.remove(key);
              mark(domain, key.fingerprint, live);
            }
          }
        }
      }
      long reclaimed = 0;
      for (Map.Entry<ChunkKey, byte[]> chunk : domain.chunks.entrySet()) {
        if (!live.contains(chunk.getKey())) {
          reclaimed += chunk.getValue().length;
        }
      }
      domain.chunks.keySet().retainAll(live);
      HousekeepingStatus last = domain.status;
      domain.status =
          new HousekeepingStatus(
              HousekeepingStatus.Phase.IDLE,
              last.cycle() + 1,
              storeTimeMillis(),
              live.size(),
              0,
              last.reclaimedBytes() + reclaimed,
              "");
      return domain.status;
    } finally {
      lock.unlock();
    }
  }

  private static void mark(Domain domain, Fingerprint node, Set<ChunkKey> live) {
    ChunkKey key = new ChunkKey(ChunkKind.NODE, node);
    byte[] bytes = domain.chunks.get(key);
    if (!live.add(key) || bytes == null) {
      return;
    }
    NodeReader reader = new NodeReader().reset(bytes, 0, bytes.length);
    while (reader.next()) {
      switch (reader.entryType()) {
        case CHILD -> mark(domain, reader.fingerprint(), live);
        case CHUNK, SLICE -> live.add(new ChunkKey(ChunkKind.DATA, reader.fingerprint()));
        case HOLE, RESERVED -> {}
      }
    }
  }

  private volatile boolean recompression = true;

  @Override
  public RecompressionStatus recompressionStatus(Id domainId) throws IOException {
    housekeepingStatus(domainId);
    return new RecompressionStatus(recompression, false, 0, 0, 0, 0, 0, 0, "");
  }

  @Override
  public RecompressionStatus runRecompression(Id domainId) throws IOException {
    return recompressionStatus(domainId); // It has no containers.
  }

  @Override
  public void setRecompression(boolean on) {
    recompression = on;
  }

  @Override
  public Optional<ItemSpace> itemSpace(Id storeId, String name) throws IOException {
    if (findItem(storeId, name).isEmpty()) {
      throw new RefusedException(Reason.NOT_FOUND, "there is no item '" + name + "'");
    }
    return Optional.empty(); // Its housekeeping counts no owners.
  }

  @Override
  public void pauseHousekeeping(boolean paused) {
    lock.lock();
    try {
      this.paused = paused;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public boolean verifiesMatches(Id domainId) {
    return true; // What is in memory is found by all of it.
  }

  @Override
  public void verifyMatches(Id domainId, boolean verify) {}

  @Override
  public Scrubbing scrubbing(Id domainId) {
    return new NothingToScrub();
  }

  /** What is only in memory needs no scrub. */
  private static final class NothingToScrub implements Scrubbing {
    @Override
    public ScrubStatus status() {
      return new ScrubStatus(
          ScrubStatus.Phase.IDLE, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, false, 0, "");
    }

    @Override
    public void begin() {}

    @Override
    public ScrubStatus run() {
      return status();
    }

    @Override
    public void pause(boolean paused) {}

    @Override
    public List<Damage> damages() {
      return List.of();
    }

    @Override
    public void repairFirst(long containerNumber) throws RefusedException {
      throw new RefusedException(Reason.NOT_FOUND, "nothing is damaged");
    }

    @Override
    public void repair() {}

    @Override
    public LastProven lastProven(ItemRecord item) {
      return new LastProven(LastProven.State.NOT_YET, 0);
    }

    @Override
    public boolean keepsParity() {
      return false;
    }

    @Override
    public void keepParity(boolean parity) throws RefusedException {
      throw new RefusedException(Reason.INVALID_REQUEST, "there are no files to keep a parity for");
    }
  }

  @Override
  public long changeCount() throws IOException {
    return catalog.view().version();
  }

  @Override
  public long storeTimeMillis() {
    return clock.millis();
  }

  @Override
  public CapacityStatus capacity() throws IOException {
    long quotaBytes = 0;
    int storesWithoutQuota = 0;
    for (StoreRecord store : catalog.view().stores()) {
      quotaBytes += store.quotaBytes();
      storesWithoutQuota += store.quotaBytes() == 0 ? 1 : 0;
    }
    return new CapacityStatus(
        0, freeBytes, 0, quotaBytes, storesWithoutQuota, 0, OptionalLong.empty());
  }

  @Override
  public List<MemoryUse> memory() {
    return List.of();
  }

  @Override
  public void setMemory(long bytes) {}

  @Override
  public long missingMemoryBytes() {
    return 0;
  }

  @Override
  public Disks disks() {
    throw new UnsupportedOperationException("it has no disk");
  }

  @Override
  public long freeBytes() {
    return freeBytes;
  }

  @Override
  public Optional<String> problem() {
    return full ? Optional.of("there is no space left") : Optional.empty();
  }

  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      for (Session session : List.copyOf(open.values())) {
        session.close();
      }
    } finally {
      lock.unlock();
    }
  }

  // ---- steps

  private CatalogReply.Result apply(CatalogCommand command) throws IOException {
    lock.lock();
    try {
      requireOpen();
      CatalogReply reply = catalog.validate(command);
      if (reply instanceof CatalogReply.Done) {
        catalog.apply(command, ++position);
      }
      return reply.orThrow();
    } finally {
      lock.unlock();
    }
  }

  private void requireOpen() throws RefusedException {
    if (closed) {
      throw new RefusedException(Reason.SHUTTING_DOWN, "the store is closed");
    }
  }

  private StoreRecord requireStore(Id storeId) throws IOException {
    return catalog.view().store(storeId).orElseThrow(() -> noStore(storeId));
  }

  private static RefusedException noStore(Id storeId) {
    return new RefusedException(Reason.NOT_FOUND, "there is no store with the id " + storeId);
  }

  private Domain domain(Id domainId) throws RefusedException {
    Domain domain = domains.get(domainId);
    if (domain == null) {
      throw new RefusedException(Reason.NOT_FOUND, "there is no domain with the id " + domainId);
    }
    return domain;
  }

  private static SortedMap<String, String> checkedTags(SortedMap<String, String> tags)
      throws RefusedException {
    try {
      return CatalogCommand.checkedTags(tags);
    } catch (IllegalArgumentException e) {
      throw invalid(e);
    }
  }

  private static RefusedException invalid(Exception e) {
    RefusedException refused =
        new RefusedException(Reason.INVALID_REQUEST, String.valueOf(e.getMessage()));
    refused.initCause(e);
    return refused;
  }

  private Stamp stamp(Id commandId) {
    return new Stamp(commandId, storeTimeMillis(), EPOCH);
  }

  private Id newId() {
    lock.lock();
    try {
      return Id.random(random);
    } finally {
      lock.unlock();
    }
  }

  private static ItemRecord item(CatalogReply.Result result) {
    return ((CatalogReply.ItemResult) result).item();
  }

  private static byte[] node(Domain domain, Fingerprint fingerprint) throws CorruptDataException {
    byte[] node = domain.chunks.get(new ChunkKey(ChunkKind.NODE, fingerprint));
    if (node == null) {
      throw new CorruptDataException("chunk " + fingerprint, -1, "a node", "none");
    }
    return node;
  }

  /** Returns whether a chunk is there, and everything below it. */
  private static boolean isPresent(Domain domain, ChunkKey key) {
    byte[] bytes = domain.chunks.get(key);
    if (bytes == null || key.kind == ChunkKind.DATA || !domain.holes) {
      return bytes != null;
    }
    NodeReader reader = new NodeReader().reset(bytes, 0, bytes.length);
    while (reader.next()) {
      boolean present =
          switch (reader.entryType()) {
            case CHILD -> isPresent(domain, new ChunkKey(ChunkKind.NODE, reader.fingerprint()));
            case CHUNK, SLICE ->
                isPresent(domain, new ChunkKey(ChunkKind.DATA, reader.fingerprint()));
            case HOLE, RESERVED -> true;
          };
      if (!present) {
        return false;
      }
    }
    return true;
  }

  /** An upload, source side. */
  private final class Session implements IngestSession {
    private final StoreRecord store;
    private final Domain domain;
    private final String itemName;
    private final Id uploadId;
    private final @Nullable Checkpoint resumedFrom;
    private final long createdAtMillis;
    private final Fingerprinter fingerprinter;

    /** Chunks answered present or stored, which housekeeping must leave. */
    private final Set<ChunkKey> touched = ConcurrentHashMap.newKeySet();

    /** Chunks answered present since the last checkpoint. */
    private final Map<ChunkKey, Integer> answers = new HashMap<>();

    private long sequence;
    private long newBytes;
    private boolean ended;

    private Session(
        StoreRecord store,
        String itemName,
        Id uploadId,
        @Nullable Checkpoint resumedFrom,
        long createdAtMillis)
        throws RefusedException {
      this.store = store;
      this.domain = domain(store.domainId());
      this.itemName = itemName;
      this.uploadId = uploadId;
      this.resumedFrom = resumedFrom;
      this.createdAtMillis = createdAtMillis;
      this.sequence = resumedFrom == null ? 0 : resumedFrom.sequence();
      this.fingerprinter = new Fingerprinter(domain.set);
    }

    @Override
    public Id uploadId() {
      return uploadId;
    }

    @Override
    public ParameterSet parameterSet() {
      return domain.set;
    }

    @Override
    public Optional<Checkpoint> resumedFrom() {
      return Optional.ofNullable(resumedFrom);
    }

    @Override
    public long[] have(FingerprintBatch batch) throws IOException {
      requireUnended();
      long[] bits = new long[Math.ceilDiv(batch.count(), Long.SIZE)];
      for (int i = 0; i < batch.count(); i++) {
        if (answer(new ChunkKey(batch.kind(), batch.fingerprint(i)), batch.lengthBytes(i))) {
          bits[i / Long.SIZE] |= 1L << i;
        }
      }
      return bits;
    }

    private boolean answer(ChunkKey key, int lengthBytes) throws RefusedException {
      domain.lookups.incrementAndGet();
      if (!isPresent(domain, key)) {
        return false;
      }
      domain.hits.incrementAndGet();
      if (!answers.containsKey(key) && answers.size() >= 2 * MAX_HAVE_ANSWERS) {
        throw new RefusedException(
            Reason.INVALID_REQUEST,
            answers.size()
                + " answers since the last checkpoint; checkpoint every "
                + MAX_HAVE_ANSWERS);
      }
      answers.put(key, lengthBytes);
      touched.add(key);
      return true;
    }

    @Override
    public long[] putNode(int level, byte[] node, int offset, int lengthBytes) throws IOException {
      requireUnended();
      NodeReader reader = new NodeReader();
      try {
        reader.reset(node, offset, lengthBytes);
      } catch (NodeFormatException e) {
        throw invalid(e);
      }
      if (reader.level() != level || reader.parameterSet().number() != domain.set.number()) {
        throw new RefusedException(
            Reason.INVALID_REQUEST,
            "node of level "
                + reader.level()
                + " and parameter set "
                + reader.parameterSet().number()
                + ", expected "
                + level
                + " and "
                + domain.set.number());
      }
      long[] lacking = new long[Math.ceilDiv(reader.entryCount(), Long.SIZE)];
      boolean complete = true;
      while (reader.next()) {
        EntryType type = reader.entryType();
        if (type == EntryType.HOLE || type == EntryType.RESERVED) {
          continue;
        }
        ChunkKind kind = type == EntryType.CHILD ? ChunkKind.NODE : ChunkKind.DATA;
        if (!answer(new ChunkKey(kind, reader.fingerprint()), reader.chunkLengthBytes())) {
          lacking[reader.index() / Long.SIZE] |= 1L << reader.index();
          complete = false;
        }
      }
      if (complete) {
        keep(ChunkKind.NODE, node, offset, lengthBytes);
      }
      return lacking;
    }

    @Override
    public FingerprintBatch putBlock(byte[] block, int offset, int lengthBytes) throws IOException {
      requireUnended();
      try (BlockReader reader = new BlockReader()) {
        reader.parse(block, offset, lengthBytes);
        if (reader.kind() != ChunkKind.DATA) {
          throw new RefusedException(
              Reason.INVALID_REQUEST, "a block of nodes; nodes come one by one");
        }
        byte[] raw = reader.decompress();
        FingerprintBatch stored = new FingerprintBatch(ChunkKind.DATA, reader.chunkCount());
        int at = 0;
        for (int i = 0; i < reader.chunkCount(); i++) {
          int length = reader.chunkLengths()[i];
          if (length > domain.set.maxBytes()) {
            throw new RefusedException(
                Reason.INVALID_REQUEST,
                "chunk of " + length + " bytes, at most " + domain.set.maxBytes());
          }
          stored.add(keep(ChunkKind.DATA, raw, at, length), length);
          at += length;
        }
        return stored;
      } catch (BlockFormatException e) {
        throw invalid(e);
      }
    }

    /** Stores a chunk if it is not there. */
    private Fingerprint keep(ChunkKind kind, byte[] source, int offset, int lengthBytes)
        throws StoreFullException {
      Fingerprint fingerprint = fingerprinter.fingerprint(source, offset, lengthBytes);
      ChunkKey key = new ChunkKey(kind, fingerprint);
      if (!domain.chunks.containsKey(key)) {
        if (full) {
          throw new StoreFullException("there is no space left");
        }
        byte[] bytes = Arrays.copyOfRange(source, offset, offset + lengthBytes);
        if (domain.chunks.putIfAbsent(key, bytes) == null) {
          newBytes += lengthBytes;
        }
      }
      touched.add(key);
      return fingerprint;
    }

    @Override
    public CompletionStage<Checkpoint> checkpoint(ObjectRoot root) {
      try {
        requireUnended();
        requireRoot(root);
        sequence++;
        apply(
            new CatalogCommand.CheckpointUpload(
                stamp(CatalogCommand.NO_ID),
                uploadId,
                store.id(),
                itemName,
                root,
                sequence,
                createdAtMillis));
        answers.clear();
        return CompletableFuture.completedFuture(new Checkpoint(uploadId, root, sequence));
      } catch (IOException e) {
        return CompletableFuture.failedFuture(e);
      }
    }

    @Override
    public CommitOutcome commit(ObjectRoot root, CommitRequest request) throws IOException {
      requireUnended();
      SortedMap<String, String> tags = checkedTags(request.tags());
      FingerprintBatch nodes = new FingerprintBatch(ChunkKind.NODE, 1);
      FingerprintBatch data = new FingerprintBatch(ChunkKind.DATA, 1);
      answers.forEach((key, length) -> {
        if (!isPresent(domain, key)) {
          (key.kind == ChunkKind.NODE ? nodes : data).add(key.fingerprint, length);
        }
      });
      if (nodes.count() + data.count() > 0) {
        return new CommitOutcome.Lacking(nodes, data);
      }
      requireRoot(root);
      CatalogReply.Result result =
          apply(
              new CatalogCommand.CommitItem(
                  stamp(request.commandId()),
                  store.id(),
                  itemName,
                  uploadId,
                  root,
                  request.mode(),
                  tags,
                  request.lockDays(),
                  newBytes,
                  uploadId));
      end();
      return new CommitOutcome.Committed(item(result));
    }

    private void requireRoot(ObjectRoot root) throws RefusedException {
      byte[] node = domain.chunks.get(new ChunkKey(ChunkKind.NODE, root.node()));
      if (node == null) {
        throw new RefusedException(
            Reason.INVALID_REQUEST, "the root node " + root.node() + " is unknown");
      }
      NodeReader reader = new NodeReader().reset(node, 0, node.length);
      if (reader.level() != root.level() || reader.coveredBytes() != root.lengthBytes()) {
        throw new RefusedException(
            Reason.INVALID_REQUEST,
            "root of level "
                + root.level()
                + " over "
                + root.lengthBytes()
                + " bytes, its node says "
                + reader.level()
                + " over "
                + reader.coveredBytes());
      }
    }

    @Override
    public void abort() throws IOException {
      lock.lock();
      try {
        if (!ended && catalog.view().upload(uploadId).isPresent()) {
          apply(new CatalogCommand.EndUpload(stamp(CatalogCommand.NO_ID), uploadId));
        }
        end();
      } finally {
        lock.unlock();
      }
    }

    @Override
    public long newBytes() {
      return newBytes;
    }

    @Override
    public void close() {
      end();
    }

    private void end() {
      lock.lock();
      try {
        ended = true;
        open.remove(uploadId);
      } finally {
        lock.unlock();
      }
    }

    private void requireUnended() throws RefusedException {
      lock.lock();
      try {
        requireOpen();
        if (ended) {
          throw new RefusedException(Reason.CONFLICT, "upload " + uploadId + " has ended");
        }
      } finally {
        lock.unlock();
      }
    }
  }

  /** An upload from a plain stream. */
  private final class Writer implements ObjectWriter {
    private static final int BUFFER_BYTES = 1 << 20;

    private final Session session;
    private final Domain domain;
    private final Cutter cutter;
    private final RecipeBuilder recipe;
    private final byte[] buffer = new byte[BUFFER_BYTES];
    private final int[] lengths = new int[BUFFER_BYTES];
    private int buffered;
    private long durableBytes;

    private Writer(Session session) throws IOException {
      this.session = session;
      this.domain = session.domain;
      this.cutter = Cutter.of(domain.set);
      this.recipe =
          new RecipeBuilder(
              domain.set,
              (level, node, lengthBytes, fingerprint) ->
                  session.keep(ChunkKind.NODE, node, 0, lengthBytes));
      Checkpoint from = session.resumedFrom;
      if (from != null) {
        append(from.root(), 0, from.root().lengthBytes());
        durableBytes = from.root().lengthBytes();
      }
    }

    @Override
    public Id uploadId() {
      return session.uploadId;
    }

    @Override
    public long positionBytes() {
      return recipe.lengthBytes() + buffered;
    }

    @Override
    public long durableBytes() {
      return durableBytes;
    }

    @Override
    public void write(byte[] source, int offset, int lengthBytes) throws IOException {
      Objects.checkFromIndexSize(offset, lengthBytes, source.length);
      session.requireUnended();
      int done = 0;
      while (done < lengthBytes) {
        int part = Math.min(lengthBytes - done, BUFFER_BYTES - buffered);
        System.arraycopy(source, offset + done, buffer, buffered, part);
        buffered += part;
        done += part;
        if (buffered == BUFFER_BYTES) {
          cutBuffer(false);
        }
      }
    }

    private void cutBuffer(boolean endOfStream) throws IOException {
      int count = cutter.cut(buffer, 0, buffered, endOfStream, lengths, 0);
      byte[] fingerprint = new byte[Fingerprint.BYTES];
      int at = 0;
      for (int i = 0; i < count; i++) {
        session.keep(ChunkKind.DATA, buffer, at, lengths[i]).writeTo(fingerprint, 0);
        recipe.chunk(fingerprint, 0, lengths[i]);
        at += lengths[i];
      }
      System.arraycopy(buffer, at, buffer, 0, buffered - at);
      buffered -= at;
      if (recipe.lengthBytes() - durableBytes >= checkpointBytes) {
        checkpoint();
      }
    }

    private void checkpoint() throws IOException {
      ObjectRoot root = recipe.peek();
      session.requireUnended();
      // The stage is complete already; a failure shows when the upload is committed or resumed.
      if (!session.checkpoint(root).toCompletableFuture().isCompletedExceptionally()) {
        durableBytes = root.lengthBytes();
      }
    }

    @Override
    public void cut() throws IOException {
      session.requireUnended();
      cutBuffer(true);
    }

    @Override
    public void hole(long lengthBytes) throws IOException {
      cut();
      recipe.hole(lengthBytes);
    }

    @Override
    public void splice(ObjectRoot source, long offsetBytes, long lengthBytes) throws IOException {
      cut();
      try {
        append(source, offsetBytes, lengthBytes);
      } catch (IllegalArgumentException e) {
        throw invalid(e);
      }
    }

    private void append(ObjectRoot source, long offsetBytes, long lengthBytes) throws IOException {
      recipe.splice(
          (fingerprints, offset) -> {
            Fingerprint fingerprint = Fingerprint.of(fingerprints, offset);
            session.touched.add(new ChunkKey(ChunkKind.NODE, fingerprint));
            return node(domain, fingerprint);
          },
          source,
          offsetBytes,
          lengthBytes);
    }

    @Override
    public ItemRecord commit(CommitRequest request) throws IOException {
      cut();
      ObjectRoot root = recipe.peek();
      return switch (session.commit(root, request)) {
        case CommitOutcome.Committed(ItemRecord item) -> item;
        case CommitOutcome.Lacking lacking ->
            throw new IllegalStateException("a writer that asks nobody lacks " + lacking);
      };
    }

    @Override
    public long newBytes() {
      return session.newBytes();
    }

    @Override
    public void abort() throws IOException {
      session.abort();
    }

    @Override
    public void close() {
      session.close();
    }
  }

  /**
   * A piece of an object inside one leaf entry.
   *
   * @param chunk null for zeros
   */
  private record Piece(
      long objectOffsetBytes, @Nullable Fingerprint chunk, int skipBytes, long lengthBytes) {}

  /** Reads one object; its chunks stay reachable while it is open. */
  private static final class Reader implements ObjectReader {
    private final Domain domain;
    private final ObjectRoot root;
    private final List<Piece> pieces = new ArrayList<>();
    private final Map<Fingerprint, byte[]> chunks = new HashMap<>();
    private final Fingerprinter fingerprinter;

    private Reader(Domain domain, ObjectRoot root) throws CorruptDataException {
      this.domain = domain;
      this.root = root;
      this.fingerprinter = new Fingerprinter(domain.set);
      collect(domain, root.node(), 0);
    }

    private void collect(Domain domain, Fingerprint fingerprint, long from)
        throws CorruptDataException {
      byte[] node = InMemoryChunkStore.node(domain, fingerprint);
      NodeReader reader = new NodeReader().reset(node, 0, node.length);
      long at = from;
      while (reader.next()) {
        switch (reader.entryType()) {
          case CHILD -> collect(domain, reader.fingerprint(), at);
          case HOLE, RESERVED -> pieces.add(new Piece(at, null, 0, reader.lengthBytes()));
          case CHUNK, SLICE -> {
            Fingerprint chunk = reader.fingerprint();
            byte[] bytes = domain.chunks.get(new ChunkKey(ChunkKind.DATA, chunk));
            if (bytes != null) {
              chunks.put(chunk, bytes);
            }
            pieces.add(new Piece(at, chunk, reader.skipBytes(), reader.lengthBytes()));
          }
        }
        at += reader.lengthBytes();
      }
    }

    @Override
    public long lengthBytes() {
      return root.lengthBytes();
    }

    @Override
    public long endOfPart(long positionBytes) throws IOException {
      return RecipeCursor.endOfPart(this::node, root, positionBytes);
    }

    @Override
    public List<byte[]> pathTo(long positionBytes) throws IOException {
      Objects.checkIndex(positionBytes, root.lengthBytes());
      RecipeCursor walk = new RecipeCursor(this::node, root);
      walk.seek(positionBytes);
      walk.next();
      List<byte[]> path = walk.path();
      Piece piece = pieces.get(indexOf(positionBytes));
      if (piece.chunk != null) {
        path.add(Objects.requireNonNull(chunks.get(piece.chunk)));
      }
      return path;
    }

    @Override
    public byte[] node(byte[] fingerprints, int offset) throws CorruptDataException {
      return InMemoryChunkStore.node(domain, Fingerprint.of(fingerprints, offset));
    }

    @Override
    public long chunkCount() {
      return pieces.stream().filter(piece -> piece.chunk != null).count();
    }

    @Override
    public int read(long positionBytes, byte[] target, int offset, int lengthBytes)
        throws IOException {
      Objects.checkFromIndexSize(offset, lengthBytes, target.length);
      if (positionBytes >= root.lengthBytes()) {
        return -1;
      }
      Piece piece = pieces.get(indexOf(positionBytes));
      long inPiece = positionBytes - piece.objectOffsetBytes;
      int count = (int) Math.min(lengthBytes, piece.lengthBytes - inPiece);
      if (piece.chunk == null) {
        Arrays.fill(target, offset, offset + count, (byte) 0);
        return count;
      }
      byte[] chunk = bytes(piece.chunk);
      Fingerprint found = fingerprinter.fingerprint(chunk, 0, chunk.length);
      if (!found.equals(piece.chunk)) {
        throw new CorruptDataException(
            "chunk " + piece.chunk, -1, piece.chunk.toString(), found.toString());
      }
      System.arraycopy(chunk, Math.toIntExact(piece.skipBytes + inPiece), target, offset, count);
      return count;
    }

    private byte[] bytes(Fingerprint chunk) throws CorruptDataException {
      byte[] bytes = chunks.get(chunk);
      if (bytes == null) {
        throw new CorruptDataException("chunk " + chunk, -1, "a data chunk", "none");
      }
      return bytes;
    }

    /** Returns the index of the piece that holds a position inside the object. */
    private int indexOf(long positionBytes) {
      int low = 0;
      int high = pieces.size() - 1;
      while (low < high) {
        int middle = (low + high + 1) >>> 1;
        if (pieces.get(middle).objectOffsetBytes <= positionBytes) {
          low = middle;
        } else {
          high = middle - 1;
        }
      }
      return low;
    }

    @Override
    public StoredChunks storedChunks(long positionBytes, long endBytes) {
      if (positionBytes < 0 || endBytes < positionBytes || endBytes > root.lengthBytes()) {
        throw new IllegalArgumentException(
            positionBytes + " to " + endBytes + " of an object of " + root.lengthBytes());
      }
      return new Walk(this, positionBytes, endBytes);
    }

    @Override
    public void close() {}
  }

  /** Hands out blocks made on the way. */
  private static final class Walk implements StoredChunks {
    private final Reader reader;
    private final long fromBytes;
    private final long endBytes;
    private final BlockBuilder builder = new BlockBuilder(ChunkKind.DATA, BlockCodec.LZ4, 1);
    private final ArrayDeque<Step> ready = new ArrayDeque<>();
    private int next;
    private long blockNumber = -1;

    private Walk(Reader reader, long fromBytes, long endBytes) {
      this.reader = reader;
      this.fromBytes = fromBytes;
      this.endBytes = endBytes;
      this.next = fromBytes < endBytes ? reader.indexOf(fromBytes) : Integer.MAX_VALUE;
    }

    @Override
    public Step next() throws IOException {
      if (ready.isEmpty()) {
        fill();
      }
      Step step = ready.poll();
      return step == null ? new Step.End() : step;
    }

    private void fill() throws IOException {
      List<Step> extents = new ArrayList<>();
      builder.reset();
      while (next < reader.pieces.size()
          && reader.pieces.get(next).objectOffsetBytes < endBytes
          && builder.rawBytes() < BlockCodec.LZ4.wishedRawBytes()) {
        Piece piece = reader.pieces.get(next++);
        long first = Math.max(fromBytes, piece.objectOffsetBytes);
        long last = Math.min(endBytes, piece.objectOffsetBytes + piece.lengthBytes);
        if (piece.chunk == null) {
          extents.add(new Step.Zeros(first, last - first));
          continue;
        }
        byte[] chunk = reader.bytes(piece.chunk);
        int skip = Math.toIntExact(piece.skipBytes + first - piece.objectOffsetBytes);
        extents.add(
            new Step.Extent(
                first,
                blockNumber + 1,
                builder.chunkCount(),
                piece.chunk.toBytes(),
                skip,
                Math.toIntExact(last - first)));
        builder.add(chunk, 0, chunk.length);
      }
      if (builder.chunkCount() > 0) {
        blockNumber++;
        int length = builder.encode();
        ready.add(new Step.Block(blockNumber, Arrays.copyOf(builder.bytes(), length), 0, length));
      }
      ready.addAll(extents);
    }

    @Override
    public void close() {
      builder.close();
      ready.clear();
    }
  }

  /** Returns what the catalog holds; for tests that look inside. */
  public CatalogView view() {
    return catalog.view();
  }

  /** Returns tags in the form that requests take. */
  public static SortedMap<String, String> noTags() {
    return Collections.emptySortedMap();
  }
}
