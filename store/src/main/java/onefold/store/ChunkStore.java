package onefold.store;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import onefold.chunker.ObjectRoot;

/**
 * One appliance's storage: domains, stores, items, and small records that front-ends keep in the
 * catalog.
 *
 * <p>Every method that changes something is durable when it returns. Methods that take a {@code
 * commandId} give the first answer again when they are repeated with the same id.
 */
public interface ChunkStore extends AutoCloseable {
  // ---- domains and stores

  List<DomainRecord> domains() throws IOException;

  /**
   * Makes a dedup domain.
   *
   * @throws RefusedException {@code EXISTS}, {@code INVALID_NAME}
   */
  DomainRecord createDomain(Id commandId, String name, int parameterSet) throws IOException;

  List<StoreRecord> stores() throws IOException;

  /** Finds a store, or by {@code STORE@NAME} what a snapshot is read by. */
  Optional<StoreRecord> findStore(String name) throws IOException;

  /**
   * Makes a store.
   *
   * @param settings id and createdAtMillis are ignored, the rest is taken
   * @throws RefusedException {@code EXISTS}, {@code INVALID_NAME}, {@code NOT_FOUND} for the domain
   */
  StoreRecord createStore(Id commandId, StoreRecord settings) throws IOException;

  /**
   * Changes quota, compression, lock days and policy of the store with this id; name and domain
   * must be as they are.
   *
   * @throws RefusedException {@code NOT_FOUND}, {@code INVALID_REQUEST}
   */
  StoreRecord updateStore(Id commandId, StoreRecord settings) throws IOException;

  /**
   * Deletes a store.
   *
   * @throws RefusedException {@code NOT_FOUND}, {@code NOT_EMPTY} unless {@code withItems} and
   *     while it has snapshots, {@code LOCKED} also while deleted items of it can be brought back,
   *     or could if they were deleted
   */
  void deleteStore(Id commandId, Id storeId, boolean withItems) throws IOException;

  /**
   * Makes another store with the same items, in the same domain, without copying any: an amount of
   * work that does not depend on how many they are. Locks and holds of the items go along. Settings
   * are those of the source.
   *
   * @param sourceId a store or a snapshot
   * @throws RefusedException {@code NOT_FOUND}, {@code EXISTS}, {@code INVALID_NAME}
   */
  StoreRecord copyStore(Id commandId, Id sourceId, String name) throws IOException;

  /**
   * Keeps a store as it is now, under a name; the work does not depend on how many items there are.
   *
   * @param name checked as that of a store
   * @throws RefusedException {@code NOT_FOUND}, {@code EXISTS}, {@code INVALID_NAME}, {@code
   *     INVALID_REQUEST} for a snapshot of a snapshot, or beyond {@link #MAX_SNAPSHOTS}
   */
  SnapshotRecord createSnapshot(Id commandId, Id storeId, String name) throws IOException;

  /** Snapshots of a store in order of name. */
  List<SnapshotRecord> snapshots(Id storeId) throws IOException;

  /**
   * Deletes a snapshot.
   *
   * @param snapshotId of what it is read by
   * @throws RefusedException {@code NOT_FOUND}, {@code LOCKED}
   */
  void deleteSnapshot(Id commandId, Id snapshotId) throws IOException;

  /** Locks a snapshot until a time, in a kind, as {@link #lockItem}. */
  SnapshotRecord lockSnapshot(
      Id commandId,
      Id snapshotId,
      long lockedUntilMillis,
      LockKind kind,
      Optional<LockOverride> override)
      throws IOException;

  /** Most snapshots of one store. */
  int MAX_SNAPSHOTS = 10_000;

  // ---- items

  Optional<ItemRecord> findItem(Id storeId, String name) throws IOException;

  /**
   * Lists items whose name begins with {@code prefix} and follows {@code after} (exclusive; empty
   * for the start).
   *
   * @param limit 1 to 10,000
   */
  ItemPage listItems(Id storeId, String prefix, String after, int limit) throws IOException;

  /**
   * Lists the items that a query shows, in its order, from behind a place. Looks at a bounded
   * number of items, so that a page may be short or empty although others follow.
   *
   * @param after {@link ItemQuery.Place#START}, or what the page before gave as next
   * @param limit 1 to 10,000
   */
  ItemListing listItems(Id storeId, ItemQuery query, ItemQuery.Place after, int limit)
      throws IOException;

  /**
   * Deletes an item; its chunks are housekeeping's business. In a store with undelete days it can
   * be brought back so long, and so can an item that is replaced.
   *
   * @throws RefusedException {@code NOT_FOUND}, {@code LOCKED}
   */
  void deleteItem(Id commandId, Id storeId, String name) throws IOException;

  /**
   * Gives the object of an item a second name, in the same store or another of the same domain; no
   * data is read.
   *
   * @throws RefusedException {@code NOT_FOUND}, {@code EXISTS}, {@code LOCKED}, {@code
   *     INVALID_REQUEST} for another domain, {@code QUOTA_EXCEEDED}
   */
  ItemRecord cloneItem(
      Id commandId, Id storeId, String name, Id targetStoreId, String targetName, CommitMode mode)
      throws IOException;

  /**
   * Sets tags, hold, and a later lock. A lock is never shortened here; one that is under way keeps
   * its kind, a new one is of the store's.
   *
   * @param lockedUntilMillis store time, or 0 to leave it as it is
   */
  ItemRecord updateItem(
      Id commandId,
      Id storeId,
      String name,
      SortedMap<String, String> tags,
      boolean held,
      long lockedUntilMillis)
      throws IOException;

  /**
   * Locks an item until a time, in a kind. A lock that is under way can be made longer and of kind
   * {@link LockKind#COMPLIANCE} by anybody; made shorter only if it is of kind {@link
   * LockKind#GOVERNANCE}, and with an override, which is kept.
   *
   * @param lockedUntilMillis store time, from 1
   * @param override who shortens a lock, and why; not looked at if nothing is shortened
   * @throws RefusedException {@code NOT_FOUND}; {@code LOCKED} for what cannot be done to the lock
   *     under way
   */
  ItemRecord lockItem(
      Id commandId,
      Id storeId,
      String name,
      long lockedUntilMillis,
      LockKind kind,
      Optional<LockOverride> override)
      throws IOException;

  /** Locks that were shortened, the oldest first, at most {@link #MAX_SHORTENED_LOCKS}. */
  List<ShortenedLock> shortenedLocks() throws IOException;

  /** So many shortened locks are kept; the oldest are forgotten first. */
  int MAX_SHORTENED_LOCKS = 10_000;

  /**
   * Lists items that were deleted or replaced and can be brought back.
   *
   * @param prefix the names begin with it
   * @param afterName exclusive, with {@code afterVersion}; empty for the start
   * @param limit 1 to 10,000
   */
  DeletedPage listDeleted(Id storeId, String prefix, String afterName, long afterVersion, int limit)
      throws IOException;

  /**
   * Brings a deleted or replaced item back, as it was. One that it replaces goes the same way.
   *
   * @param version the item's version
   * @param targetName its name from now on
   * @throws RefusedException {@code NOT_FOUND}, {@code EXISTS}, {@code LOCKED}, {@code
   *     QUOTA_EXCEEDED}
   */
  ItemRecord undeleteItem(
      Id commandId, Id storeId, String name, long version, String targetName, CommitMode mode)
      throws IOException;

  /**
   * Gives up a deleted item, so that it can no longer be brought back. Before its time that takes
   * an override, which is kept, and it cannot be done in a store whose locks are of kind {@link
   * LockKind#COMPLIANCE}.
   *
   * @throws RefusedException {@code NOT_FOUND}, {@code LOCKED}
   */
  void purgeDeleted(
      Id commandId, Id storeId, String name, long version, Optional<LockOverride> override)
      throws IOException;

  // ---- bytes

  /**
   * Starts an upload, source side.
   *
   * @param resume id of the unfinished upload of this name to go on with, or empty; a new upload of
   *     the same name ends an older unfinished one
   * @throws RefusedException {@code NOT_FOUND}, {@code INVALID_NAME}, {@code TOO_MANY_UNFINISHED}
   */
  IngestSession openIngest(Id storeId, String itemName, Optional<Id> resume) throws IOException;

  /** Starts or resumes an upload from a plain stream; as {@link #openIngest}. */
  ObjectWriter openWriter(Id storeId, String itemName, Optional<Id> resume, Compression compression)
      throws IOException;

  List<UnfinishedUpload> unfinishedUploads(Id storeId) throws IOException;

  /**
   * Ends an unfinished upload.
   *
   * @throws RefusedException {@code NOT_FOUND}, {@code CONFLICT} if it is open
   */
  void abortUpload(Id commandId, Id uploadId) throws IOException;

  /** Opens an object for reading; the item it came from may be deleted meanwhile. */
  ObjectReader openReader(Id domainId, ObjectRoot root) throws IOException;

  // ---- small records of front-ends and administration, by kind and key

  Optional<byte[]> findRecord(String kind, String key) throws IOException;

  /** Records of a kind in order of key. */
  SortedMap<String, byte[]> records(String kind) throws IOException;

  /**
   * Sets a record, or removes it when {@code value} is empty.
   *
   * @param value at most {@link #MAX_RECORD_BYTES}
   */
  void putRecord(Id commandId, String kind, String key, Optional<byte[]> value) throws IOException;

  int MAX_RECORD_BYTES = 64 << 10;

  // ---- state

  StoreStatistics statistics(Id storeId) throws IOException;

  DomainStatistics domainStatistics(Id domainId) throws IOException;

  HousekeepingStatus housekeepingStatus(Id domainId) throws IOException;

  /** Runs one whole cycle of housekeeping and returns when its space is returned. */
  HousekeepingStatus runHousekeeping(Id domainId) throws IOException;

  /** Lets housekeeping wait in every domain, or go on. It is durable: a new start waits too. */
  void pauseHousekeeping(boolean paused) throws IOException;

  RecompressionStatus recompressionStatus(Id domainId) throws IOException;

  /**
   * Recompresses every sealed container that has not been, cold or not, and returns when that is
   * done.
   */
  RecompressionStatus runRecompression(Id domainId) throws IOException;

  /** Lets cold containers be recompressed by themselves in every domain, or not; durable. */
  void setRecompression(boolean on) throws IOException;

  /**
   * What an item alone keeps on the disk; empty if no mark has been finished since it was written
   * or since the start, or there were more items than figures are kept for.
   *
   * @throws RefusedException {@code NOT_FOUND}
   */
  Optional<ItemSpace> itemSpace(Id storeId, String name) throws IOException;

  /** Stands for the catalog's own pages, which are scrubbed as a domain's chunks are. */
  Id CATALOG = new Id(0, 0);

  /**
   * The scrub of a domain, or of the catalog.
   *
   * @throws RefusedException {@code NOT_FOUND}
   */
  Scrubbing scrubbing(Id domainId) throws IOException;

  /**
   * Whether a domain compares bytes before it shares a chunk.
   *
   * @throws RefusedException {@code NOT_FOUND}
   */
  boolean verifiesMatches(Id domainId) throws IOException;

  /**
   * Says whether a domain compares bytes before it shares a chunk, for uploads that begin from now
   * on. A fingerprint is then not enough to share by, so {@link #openIngest} refuses with {@code
   * BYTES_NEEDED}; an upload that brings other bytes than are stored under their fingerprint is
   * refused with {@code CONFLICT}. Durable when it returns.
   *
   * @throws RefusedException {@code NOT_FOUND}
   */
  void verifyMatches(Id domainId, boolean verify) throws IOException;

  /**
   * How many changes the catalog has had; grows with each, so that who has looked at everything
   * knows by one number whether to look again.
   */
  long changeCount() throws IOException;

  /** Store time in milliseconds since 1970; only moves forward. */
  long storeTimeMillis();

  /** How much room there is, was promised, and is used up in time. */
  CapacityStatus capacity() throws IOException;

  /** Free bytes of the file systems that new data goes to. */
  long freeBytes() throws IOException;

  /** What takes how much of the memory. */
  List<MemoryUse> memory();

  /**
   * Sets what the whole process may take. Caches are made as large as that allows beside what the
   * data needs, now and whenever the needs change.
   */
  void setMemory(long bytes);

  /**
   * Bytes that what the data needs takes beyond its part though the caches have given way: so much
   * less may clients have under way.
   */
  long missingMemoryBytes();

  /** The disks that its files lie on. */
  Disks disks();

  /** Whether writes are refused, and why; empty when all is well. */
  Optional<String> problem();

  /**
   * Stops background work, makes everything durable and closes the files. Sessions that are open
   * are ended.
   */
  @Override
  void close() throws IOException;
}
