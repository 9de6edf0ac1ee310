package onefold.store.catalog;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import onefold.chunker.Fingerprint;
import onefold.chunker.ObjectRoot;
import onefold.store.CorruptDataException;
import onefold.store.DeletedItem;
import onefold.store.DeletedPage;
import onefold.store.DomainRecord;
import onefold.store.Id;
import onefold.store.ItemListing;
import onefold.store.ItemPage;
import onefold.store.ItemQuery;
import onefold.store.ItemRecord;
import onefold.store.LostNames;
import onefold.store.RefusedException.Reason;
import onefold.store.ShortenedLock;
import onefold.store.SnapshotRecord;
import onefold.store.StoreRecord;
import onefold.store.StoreStatistics;
import onefold.store.UnfinishedUpload;
import onefold.store.catalog.CatalogValues.State;
import onefold.store.catalog.CatalogValues.Store;
import onefold.store.catalog.CatalogValues.Upload;
import org.jspecify.annotations.Nullable;

/**
 * The catalog as it was at one moment. Immutable: it may be read by any number of threads, for as
 * long as they like, while the catalog goes on; the pages it lies on stay readable as long as
 * housekeeping takes its root for live.
 *
 * <p>Every method that throws {@link IOException} does so when a page cannot be read, and a {@link
 * CorruptDataException} when it is damaged: what cannot be read is never answered as absent.
 */
public final class CatalogView {
  /** Most items of one page of a listing. */
  public static final int MAX_LISTED = 10_000;

  /** Most items that one page of a listing looks at. */
  public static final int MAX_PASSED = 50_000;

  private static final int PASSED_AT_ONCE = 1000;

  /** How many unfinished uploads a refusal names. */
  private static final int NAMED_UPLOADS = 10;

  private final PageTree pages;
  private final PageTree.@Nullable Root base;
  private final Layer frozen;
  private final Layer active;

  CatalogView(PageTree pages, PageTree.@Nullable Root base, Layer frozen, Layer active) {
    this.pages = pages;
    this.base = base;
    this.frozen = frozen;
    this.active = active;
  }

  // ---- state, domains, stores

  /** Returns store time, in milliseconds since 1970. */
  public long storeTimeMillis() throws IOException {
    return state().storeTimeMillis();
  }

  /** Returns the highest epoch of a command that was done. */
  public long epoch() throws IOException {
    return state().epoch();
  }

  /** Returns how many commands have been done since the catalog was made. */
  public long version() throws IOException {
    return state().version();
  }

  /** Returns the domains in order of name. */
  public List<DomainRecord> domains() throws IOException {
    List<DomainRecord> domains = new ArrayList<>();
    Walk walk = walk(new byte[] {CatalogKeys.ROOTS, CatalogKeys.DOMAIN_NAME}, null);
    while (walk.next()) {
      Id id = CatalogValues.readId(walk.value());
      domains.add(domain(id).orElseThrow(() -> dangling("domain", id)));
    }
    return domains;
  }

  public Optional<DomainRecord> domain(Id domainId) throws IOException {
    byte[] value = get(CatalogKeys.domain(domainId));
    return value == null ? Optional.empty() : Optional.of(CatalogValues.readDomain(value));
  }

  public Optional<DomainRecord> domain(String name) throws IOException {
    byte[] id = get(CatalogKeys.domainName(name));
    return id == null ? Optional.empty() : domain(CatalogValues.readId(id));
  }

  /** Returns the stores in order of name. */
  public List<StoreRecord> stores() throws IOException {
    List<StoreRecord> stores = new ArrayList<>();
    for (Store store : allStores()) {
      stores.add(store.store());
    }
    return stores;
  }

  public Optional<StoreRecord> store(Id storeId) throws IOException {
    Store store = storeState(storeId);
    return store == null ? Optional.empty() : Optional.of(store.store());
  }

  /** Finds a store, or by {@code STORE@NAME} what a snapshot is read by. */
  public Optional<StoreRecord> store(String name) throws IOException {
    int mark = name.indexOf(SnapshotRecord.MARK);
    byte[] id = get(CatalogKeys.storeName(mark < 0 ? name : name.substring(0, mark)));
    if (id != null && mark >= 0) {
      id = get(CatalogKeys.snapshotName(CatalogValues.readId(id), name.substring(mark + 1)));
    }
    return id == null ? Optional.empty() : store(CatalogValues.readId(id));
  }

  /** Returns the snapshots of a store in order of name. */
  public List<SnapshotRecord> snapshots(Id storeId) throws IOException {
    List<SnapshotRecord> snapshots = new ArrayList<>();
    Walk walk = walk(CatalogKeys.snapshotNames(storeId), null);
    while (walk.next()) {
      Id id = CatalogValues.readId(walk.value());
      snapshots.add(snapshot(id).orElseThrow(() -> dangling("snapshot", id)));
    }
    return snapshots;
  }

  /** Returns a snapshot by the id of what it is read by. */
  public Optional<SnapshotRecord> snapshot(Id snapshotId) throws IOException {
    Store store = storeState(snapshotId);
    CatalogValues.Snapshot snapshot = store == null ? null : store.snapshot();
    return store == null || snapshot == null
        ? Optional.empty()
        : Optional.of(
            new SnapshotRecord(
                store.store(),
                snapshot.of(),
                snapshot.lockedUntilMillis(),
                snapshot.lockKind(),
                store.itemCount(),
                store.logicalBytes()));
  }

  /** Returns the shares of this view. */
  public ShareView shares() {
    return new ShareView(this);
  }

  /** Tells whether all of a store's items, as they are in this view, are in the pages. */
  public boolean isFolded(Id storeId) {
    return isFolded(List.of(CatalogKeys.items(storeId), CatalogKeys.allLookups(storeId)));
  }

  /** Tells whether everything of these trees is in the pages. */
  boolean isFolded(List<byte[]> addresses) {
    return isFolded(frozen, addresses) && isFolded(active, addresses);
  }

  private static boolean isFolded(Layer layer, List<byte[]> addresses) {
    for (byte[] prefix : addresses) {
      PersistentMap.Walk<byte[], byte[]> walk = layer.changes().from(prefix);
      if (walk.next() && Walk.startsWith(walk.key(), prefix)) {
        return false;
      }
    }
    return true;
  }

  /** Returns the roots of a store's trees in the pages. */
  public StoreTrees trees(Id storeId) throws IOException {
    return new StoreTrees(tree(CatalogKeys.items(storeId)), tree(CatalogKeys.allLookups(storeId)));
  }

  StoreTrees.@Nullable Tree tree(byte[] address) throws IOException {
    PageTree.Root root = treeOf(address);
    return root == null ? null : new StoreTrees.Tree(root.page(), root.level());
  }

  /**
   * Returns the figures of a store, or nothing if there is no such store. Counted as items come and
   * go.
   */
  public Optional<StoreStatistics> statistics(Id storeId) throws IOException {
    Store store = storeState(storeId);
    return store == null
        ? Optional.empty()
        : Optional.of(
            new StoreStatistics(
                store.itemCount(),
                store.logicalBytes(),
                store.unfinishedCount(),
                store.unfinishedBytes(),
                store.deletedCount(),
                store.deletedBytes()));
  }

  /** Returns the sum of the lengths of all items of a domain's stores and objects of its shares. */
  public long logicalBytes(Id domainId) throws IOException {
    long bytes = shares().objectBytesOf(domainId);
    for (Store store : allStores()) {
      if (store.store().domainId().equals(domainId)) {
        bytes += store.logicalBytes();
      }
    }
    return bytes;
  }

  // ---- items

  public Optional<ItemRecord> item(Id storeId, String name) throws IOException {
    if (storeState(storeId) == null) {
      return Optional.empty();
    }
    byte[] key = ByteWriter.utf8(name);
    byte[] value = get(CatalogKeys.item(storeId, key));
    return value == null
        ? Optional.empty()
        : Optional.of(CatalogValues.readItem(storeId, key, value));
  }

  /**
   * Lists items whose name begins with {@code prefix} and follows {@code after} in the order of the
   * names' bytes.
   *
   * @param after exclusive; empty for the start
   * @param limit 1 to {@link #MAX_LISTED}
   * @return an empty page if there is no such store
   */
  public ItemPage items(Id storeId, String prefix, String after, int limit) throws IOException {
    return items(storeId, prefix, after, limit, PageTree.Holes.NONE);
  }

  private ItemPage items(Id storeId, String prefix, String after, int limit, PageTree.Holes holes)
      throws IOException {
    checkLimit(limit);
    List<ItemRecord> items = new ArrayList<>();
    if (storeState(storeId) == null) {
      return new ItemPage(items, false);
    }
    byte[] from = after.isEmpty() ? null : CatalogKeys.item(storeId, ByteWriter.utf8(after));
    Walk walk = new Walk(CatalogKeys.item(storeId, ByteWriter.utf8(prefix)), from, holes);
    while (walk.next()) {
      if (items.size() == limit) {
        return new ItemPage(items, true);
      }
      items.add(CatalogValues.readItem(storeId, CatalogKeys.inTree(walk.key()), walk.value()));
    }
    return new ItemPage(items, false);
  }

  /**
   * Lists items youngest first, those of the same millisecond in order of name.
   *
   * @param notAfterMillis store time of creation from which on to list, downwards; {@link
   *     Long#MAX_VALUE} for the start
   * @param afterName if not empty, items of exactly that time follow this name
   * @param limit 1 to {@link #MAX_LISTED}
   */
  public ItemPage itemsByAge(Id storeId, long notAfterMillis, String afterName, int limit)
      throws IOException {
    byte[] all = {CatalogKeys.BY_AGE};
    return lookedUp(storeId, all, CatalogKeys.byAge(storeId, notAfterMillis), afterName, limit);
  }

  /**
   * Lists items largest first, those of the same length in order of name.
   *
   * @param notAboveBytes length from which on to list, downwards; {@link Long#MAX_VALUE} for the
   *     start
   * @param afterName if not empty, items of exactly that length follow this name
   * @param limit 1 to {@link #MAX_LISTED}
   */
  public ItemPage itemsBySize(Id storeId, long notAboveBytes, String afterName, int limit)
      throws IOException {
    byte[] all = {CatalogKeys.BY_SIZE};
    return lookedUp(storeId, all, CatalogKeys.bySize(storeId, notAboveBytes), afterName, limit);
  }

  /**
   * Lists the items that have a tag, in order of name.
   *
   * @param afterName exclusive; empty for the start
   * @param limit 1 to {@link #MAX_LISTED}
   */
  public ItemPage itemsByTag(Id storeId, String key, String value, String afterName, int limit)
      throws IOException {
    byte[] tag = CatalogKeys.byTag(storeId, key, value);
    ItemPage page = lookedUp(storeId, CatalogKeys.inTree(tag), tag, afterName, limit);
    // Two tags may have the same hash.
    return new ItemPage(
        page.items().stream().filter(item -> value.equals(item.tags().get(key))).toList(),
        page.more());
  }

  /**
   * Lists the items that a query shows, in its order. A tag is looked up where names give the
   * order; in the other orders items are passed over one by one, at most {@link #MAX_PASSED} for
   * one page. In the order of names, and without a tag, a damaged page is told as lost names, and
   * the listing goes on behind it.
   *
   * @param after exclusive
   * @param limit 1 to {@link #MAX_LISTED}
   */
  public ItemListing items(Id storeId, ItemQuery query, ItemQuery.Place after, int limit)
      throws IOException {
    checkLimit(limit);
    List<ItemRecord> shown = new ArrayList<>();
    List<LostNames> lost = new ArrayList<>();
    PageTree.Holes holes = (from, until, damage) -> note(lost, query.prefix(), from, until, damage);
    ItemQuery.Place at = after;
    int passed = 0;
    while (true) {
      ItemPage page = inOrder(storeId, query, at, Math.max(limit, PASSED_AT_ONCE), holes);
      for (ItemRecord item : page.items()) {
        if (shown.size() == limit || passed == MAX_PASSED) {
          String last = at.name();
          lost.removeIf(names -> isBelow(last, names.from())); // The next page tells it.
          return new ItemListing(shown, at, List.copyOf(lost));
        }
        at = query.placeOf(item);
        passed++;
        if (query.shows(item)) {
          shown.add(item);
        }
      }
      if (!page.more()) {
        return new ItemListing(shown, null, List.copyOf(lost));
      }
    }
  }

  /**
   * Notes a hole in the names, unless no name with the prefix can have stood there. Those that
   * touch become one, so that there are no more than items between them.
   */
  private static void note(
      List<LostNames> lost,
      String prefix,
      byte[] from,
      byte @Nullable [] until,
      CorruptDataException damage) {
    byte[] wanted = ByteWriter.utf8(prefix);
    if (Arrays.compareUnsigned(from, wanted) > 0 && !Walk.startsWith(from, wanted)) {
      return;
    }
    var found =
        new LostNames(
            new String(from, StandardCharsets.UTF_8),
            until == null ? null : new String(until, StandardCharsets.UTF_8),
            String.valueOf(damage.getMessage()));
    LostNames last = lost.isEmpty() ? null : lost.getLast();
    if (last == null || (last.until() != null && isBelow(last.until(), found.from()))) {
      lost.add(found);
    } else if (last.until() != null
        && (found.until() == null || isBelow(last.until(), found.until()))) {
      lost.set(lost.size() - 1, new LostNames(last.from(), found.until(), last.damage()));
    }
  }

  private static boolean isBelow(String name, String other) {
    return Arrays.compareUnsigned(ByteWriter.utf8(name), ByteWriter.utf8(other)) < 0;
  }

  /** Lists candidates of a query; an empty page has none after it. */
  private ItemPage inOrder(
      Id storeId, ItemQuery query, ItemQuery.Place at, int limit, PageTree.Holes holes)
      throws IOException {
    return switch (query.order()) {
      case AGE -> itemsByAge(storeId, at.value(), at.name(), limit);
      case SIZE -> itemsBySize(storeId, at.value(), at.name(), limit);
      case NAME -> {
        if (query.tags().isEmpty()) {
          yield items(storeId, query.prefix(), at.name(), limit, holes);
        }
        String key = query.tags().firstKey();
        byte[] tag = CatalogKeys.byTag(storeId, key, String.valueOf(query.tags().get(key)));
        yield lookedUp(storeId, CatalogKeys.inTree(tag), tag, at.name(), limit);
      }
    };
  }

  /**
   * Lists items by their look-ups.
   *
   * @param prefixInTree beginning of all keys of this kind, without the tree's address
   * @param from where to begin
   */
  private ItemPage lookedUp(
      Id storeId, byte[] prefixInTree, byte[] from, String afterName, int limit)
      throws IOException {
    checkLimit(limit);
    List<ItemRecord> items = new ArrayList<>();
    if (storeState(storeId) == null) {
      return new ItemPage(items, false);
    }
    byte[] prefix = Arrays.copyOf(from, CatalogKeys.addressBytes(from) + prefixInTree.length);
    byte[] after = CatalogKeys.withName(from, ByteWriter.utf8(afterName));
    Walk walk = walk(prefix, after);
    while (walk.next()) {
      if (items.size() == limit) {
        return new ItemPage(items, true);
      }
      byte[] name = CatalogKeys.lookedUpName(walk.key());
      byte[] value = get(CatalogKeys.item(storeId, name));
      if (value == null) {
        throw new CorruptDataException("catalog", -1, "an item that a look-up stands for", "none");
      }
      items.add(CatalogValues.readItem(storeId, name, value));
    }
    return new ItemPage(items, false);
  }

  private static void checkLimit(int limit) {
    if (limit < 1 || limit > MAX_LISTED) {
      throw new IllegalArgumentException("limit " + limit + ", must be 1 to " + MAX_LISTED);
    }
  }

  // ---- deleted items

  /** Returns a version of an item that can be brought back. */
  public Optional<DeletedItem> deletedItem(Id storeId, String name, long version)
      throws IOException {
    if (storeState(storeId) == null) {
      return Optional.empty();
    }
    byte[] key = ByteWriter.utf8(name);
    byte[] value = get(CatalogKeys.deleted(storeId, key, version));
    return value == null
        ? Optional.empty()
        : Optional.of(CatalogValues.readDeleted(storeId, key, value));
  }

  /**
   * Lists items that can be brought back, in the order of the names' bytes, of one name the newest
   * version first.
   *
   * @param afterName exclusive, with {@code afterVersion}; empty for the start
   * @param limit 1 to {@link #MAX_LISTED}
   */
  public DeletedPage deleted(
      Id storeId, String prefix, String afterName, long afterVersion, int limit)
      throws IOException {
    checkLimit(limit);
    List<DeletedItem> items = new ArrayList<>();
    if (storeState(storeId) == null) {
      return new DeletedPage(items, false);
    }
    byte[] after =
        afterName.isEmpty()
            ? null
            : CatalogKeys.deleted(storeId, ByteWriter.utf8(afterName), afterVersion);
    Walk walk = walk(CatalogKeys.deletedOf(storeId, ByteWriter.utf8(prefix)), after);
    while (walk.next()) {
      if (items.size() == limit) {
        return new DeletedPage(items, true);
      }
      byte[] name = CatalogKeys.deletedName(walk.key());
      items.add(CatalogValues.readDeleted(storeId, name, walk.value()));
    }
    return new DeletedPage(items, false);
  }

  /** Tells whether the time of a deleted item has come at a store time. */
  public boolean hasExpired(Id storeId, long storeTimeMillis) throws IOException {
    if (storeState(storeId) == null) {
      return false;
    }
    Walk walk = walk(CatalogKeys.purges(storeId), null);
    return walk.next() && CatalogKeys.purgeAtMillis(walk.key()) <= storeTimeMillis;
  }

  /** Tells whether the time of a deleted item has not come at a store time. */
  boolean hasUnexpired(Id storeId, long storeTimeMillis) throws IOException {
    return walk(CatalogKeys.purges(storeId), CatalogKeys.purgesFrom(storeId, storeTimeMillis + 1))
        .next();
  }

  // ---- uploads

  public Optional<UnfinishedUpload> upload(Id uploadId) throws IOException {
    Upload upload = uploadState(uploadId);
    return upload == null ? Optional.empty() : Optional.of(upload.upload());
  }

  /** Returns the unfinished upload of a name. */
  public Optional<UnfinishedUpload> uploadOf(Id storeId, String name) throws IOException {
    byte[] id = get(CatalogKeys.uploadName(storeId, name));
    return id == null ? Optional.empty() : upload(CatalogValues.readId(id));
  }

  /**
   * Returns the unfinished uploads of a store in order of the items' names; bounded by the limits
   * of the catalog.
   */
  public List<UnfinishedUpload> unfinished(Id storeId) throws IOException {
    List<UnfinishedUpload> uploads = new ArrayList<>();
    Walk walk = walk(CatalogKeys.uploadNames(storeId), null);
    while (walk.next()) {
      Id id = CatalogValues.readId(walk.value());
      uploads.add(upload(id).orElseThrow(() -> dangling("upload", id)));
    }
    return uploads;
  }

  /**
   * Tells whether a new upload of this name would be refused now: there is no such store, or it has
   * as many unfinished uploads, or as many bytes in them, as it may have. An older upload of the
   * same name does not count, because the new one ends it.
   */
  public Optional<CatalogReply.Refused> refusalOfUpload(Id storeId, String name)
      throws IOException {
    Store store = storeState(storeId);
    if (store == null) {
      return Optional.of(noStore(storeId));
    }
    if (store.snapshot() != null) {
      return Optional.of(isSnapshot(store));
    }
    byte[] older = get(CatalogKeys.uploadName(storeId, name));
    Upload ended = older == null ? null : uploadState(CatalogValues.readId(older));
    return Optional.ofNullable(refusalOfUpload(store, ended, 0));
  }

  CatalogReply.@Nullable Refused refusalOfUpload(
      Store store, @Nullable Upload ended, long moreBytes) throws IOException {
    State state = state();
    long count = store.unfinishedCount() - (ended == null ? 0 : 1);
    long bytes =
        store.unfinishedBytes()
            - (ended == null ? 0 : ended.upload().checkpoint().root().lengthBytes());
    if (count < state.maxUnfinishedCount() && bytes <= state.maxUnfinishedBytes() - moreBytes) {
      return null;
    }
    StringBuilder message = new StringBuilder(512);
    message
        .append("store '")
        .append(store.store().name())
        .append("' has ")
        .append(count)
        .append(" unfinished uploads of ")
        .append(bytes)
        .append(" bytes together, at most ")
        .append(state.maxUnfinishedCount())
        .append(" and ")
        .append(state.maxUnfinishedBytes())
        .append("; finish some, or end one by './onefold job rm ID':");
    int named = 0;
    for (UnfinishedUpload upload : unfinished(store.store().id())) {
      if (named++ == NAMED_UPLOADS) {
        message.append(" and ").append(count - NAMED_UPLOADS).append(" more");
        break;
      }
      message
          .append(named == 1 ? " " : ", ")
          .append(upload.checkpoint().uploadId())
          .append(" (")
          .append(upload.itemName())
          .append(", ")
          .append(upload.checkpoint().root().lengthBytes())
          .append(" bytes)");
    }
    return new CatalogReply.Refused(Reason.TOO_MANY_UNFINISHED, message.toString());
  }

  // ---- small records

  public Optional<byte[]> record(String kind, String key) throws IOException {
    return Optional.ofNullable(get(CatalogKeys.record(kind, key)));
  }

  /** Returns all records of a kind by key. */
  public SortedMap<String, byte[]> records(String kind) throws IOException {
    byte[] prefix = CatalogKeys.records(kind);
    TreeMap<String, byte[]> records = new TreeMap<>();
    Walk walk = walk(prefix, null);
    while (walk.next()) {
      byte[] key = Arrays.copyOfRange(walk.key(), prefix.length, walk.key().length);
      records.put(new ByteReader("key of a record", key).utf8("record key", key), walk.value());
    }
    return Collections.unmodifiableSortedMap(records);
  }

  // ---- what housekeeping keeps here

  /**
   * Returns the containers of a domain that are gone but perhaps not yet unlinked, in ascending
   * order.
   */
  public long[] goneContainers(Id domainId) throws IOException {
    byte[] prefix = CatalogKeys.goneIn(domainId);
    List<Long> numbers = new ArrayList<>();
    Walk walk = walk(prefix, null);
    while (walk.next()) {
      numbers.add(
          new ByteReader("container in the catalog", walk.key(), prefix.length, walk.key().length)
              .u64BigEndian());
    }
    return numbers.stream().mapToLong(Long::longValue).toArray();
  }

  /** Returns the quarantined chunks of a domain in order of kind and fingerprint. */
  public List<QuarantinedChunk> quarantined(Id domainId) throws IOException {
    byte[] prefix = CatalogKeys.quarantineIn(domainId);
    List<QuarantinedChunk> chunks = new ArrayList<>();
    Walk walk = walk(prefix, null);
    while (walk.next()) {
      byte[] rest = Arrays.copyOfRange(walk.key(), prefix.length, walk.key().length);
      chunks.add(CatalogValues.readQuarantined(rest, walk.value()));
    }
    return chunks;
  }

  // ---- locks that were shortened

  /** Returns the locks that were shortened, the oldest first. */
  public List<ShortenedLock> shortenedLocks() throws IOException {
    List<ShortenedLock> locks = new ArrayList<>();
    Walk walk = walk(CatalogKeys.shortenedLocks(), null);
    while (walk.next()) {
      locks.add(CatalogValues.readShortenedLock(walk.value()));
    }
    return locks;
  }

  // ---- what a mark starts from

  /** Takes roots of objects. */
  @FunctionalInterface
  public interface ObjectVisitor {
    /**
     * Takes the root of an item, of an unfinished upload or of an entry of a share.
     *
     * @param storeId its store or share
     * @param name the item's name; empty for an entry of a share
     */
    void object(Id storeId, String name, ObjectRoot root) throws IOException;
  }

  /**
   * Visits the roots of all items, those that can be brought back included, of unfinished uploads
   * and of the entries of shares of a domain; an object with several names comes several times.
   */
  public void visitObjects(Id domainId, ObjectVisitor visitor) throws IOException {
    for (Store store : allStores()) {
      if (store.store().domainId().equals(domainId)) {
        Id storeId = store.store().id();
        Walk walk = walk(CatalogKeys.items(storeId), null);
        while (walk.next()) {
          ItemRecord item =
              CatalogValues.readItem(storeId, CatalogKeys.inTree(walk.key()), walk.value());
          visitor.object(storeId, item.name(), item.root());
        }
        Walk deleted = walk(CatalogKeys.deletedOf(storeId, new byte[0]), null);
        while (deleted.next()) {
          visitDeleted(storeId, deleted.key(), deleted.value(), visitor);
        }
      }
    }
    visitSnapshots(domainId, visitor);
    shares().visitObjects(domainId, visitor);
    Walk walk = walk(new byte[] {CatalogKeys.SYSTEM, CatalogKeys.UPLOAD}, null);
    while (walk.next()) {
      Upload upload = Upload.decode(walk.value());
      if (upload.domainId().equals(domainId)) {
        visitor.object(
            upload.upload().storeId(),
            upload.upload().itemName(),
            upload.upload().checkpoint().root());
      }
    }
  }

  /** Snapshots share most of their pages: each page is read once. */
  private void visitSnapshots(Id domainId, ObjectVisitor visitor) throws IOException {
    Set<Fingerprint> seen = new HashSet<>();
    Walk walk = walk(new byte[] {CatalogKeys.ROOTS, CatalogKeys.SNAPSHOT_NAME}, null);
    while (walk.next()) {
      Id id = CatalogValues.readId(walk.value());
      Store store = storeState(id);
      if (store == null) {
        throw dangling("snapshot", id);
      }
      PageTree.Root root = treeOf(CatalogKeys.items(id));
      if (root != null && store.store().domainId().equals(domainId)) {
        pages.visitNewPages(
            root,
            CatalogKeys.ITEMS,
            leaf -> {
              for (int i = 0; i < leaf.count(); i++) {
                ItemRecord item = CatalogValues.readItem(id, leaf.key(i), pages.value(leaf, i));
                visitor.object(id, item.name(), item.root());
              }
            },
            seen);
      }
    }
  }

  private static void visitDeleted(Id storeId, byte[] key, byte[] value, ObjectVisitor visitor)
      throws IOException {
    ItemRecord item =
        CatalogValues.readDeleted(storeId, CatalogKeys.deletedName(key), value).item();
    visitor.object(storeId, item.name(), item.root());
  }

  /**
   * Visits the roots of those items, unfinished uploads and entries of shares of a domain that are
   * not yet in the pages. Together with what is found below {@link #rootPage()} by {@link
   * CatalogPageFormat#visitReferences} this is all that {@link #visitObjects} finds, and perhaps
   * some that were deleted since the pages were written.
   */
  public void visitUnfoldedObjects(Id domainId, ObjectVisitor visitor) throws IOException {
    visitUnfoldedObjects(frozen, domainId, visitor);
    visitUnfoldedObjects(active, domainId, visitor);
  }

  private void visitUnfoldedObjects(Layer layer, Id domainId, ObjectVisitor visitor)
      throws IOException {
    PersistentMap.Walk<byte[], byte[]> walk = layer.changes().from(new byte[0]);
    while (walk.next()) {
      byte[] key = walk.key();
      if (Layer.isRemoved(walk.value())) {
        continue;
      }
      if (key[0] == CatalogKeys.SYSTEM && key[1] == CatalogKeys.UPLOAD) {
        Upload upload = Upload.decode(walk.value());
        if (upload.domainId().equals(domainId)) {
          visitor.object(
              upload.upload().storeId(),
              upload.upload().itemName(),
              upload.upload().checkpoint().root());
        }
      } else if (key[0] == CatalogKeys.SHARE_ENTRIES) {
        shares().visitUnfoldedObject(domainId, key, walk.value(), visitor);
      } else if (CatalogKeys.holdsObjects(key[0])) {
        Id storeId = CatalogKeys.ownerId(key);
        Store store = storeState(storeId);
        if (store == null || !store.store().domainId().equals(domainId)) {
          continue;
        }
        byte[] inTree = CatalogKeys.inTree(key);
        if (key[0] == CatalogKeys.ITEMS) {
          ItemRecord item = CatalogValues.readItem(storeId, inTree, walk.value());
          visitor.object(storeId, item.name(), item.root());
        } else if (inTree[0] == CatalogKeys.DELETED) {
          visitDeleted(storeId, key, walk.value(), visitor);
        }
      }
    }
  }

  /**
   * Returns the root page of the tree of roots, below which all pages lie; empty before the first
   * fold.
   */
  public Optional<Fingerprint> rootPage() {
    return base == null ? Optional.empty() : Optional.of(base.page());
  }

  /** Returns the level of {@link #rootPage()}. */
  public int rootLevel() {
    return base == null ? 0 : base.level();
  }

  /**
   * Visits the fingerprints of all pages, parents before children; a page used twice may come
   * twice.
   */
  public void visitPages(Consumer<Fingerprint> visitor) throws IOException {
    record Tree(int kind, PageTree.Root root) {}
    List<Tree> trees = new ArrayList<>();
    for (Layer layer : List.of(frozen, active)) {
      // Copies of stores and shares whose trees no page names yet.
      byte[] prefix = {CatalogKeys.ROOTS, CatalogKeys.TREE_ROOT};
      PersistentMap.Walk<byte[], byte[]> walk = layer.changes().from(prefix);
      while (walk.next() && Walk.startsWith(walk.key(), prefix)) {
        if (!Layer.isRemoved(walk.value())) {
          trees.add(new Tree(walk.key()[2], PageTree.rootOf(walk.value())));
        }
      }
    }
    Set<Fingerprint> inner = new HashSet<>();
    if (base == null) {
      return;
    }
    pages.visitPages(
        base,
        CatalogKeys.ROOTS,
        leaf -> {
          for (int i = 0; i < leaf.count(); i++) {
            if (leaf.keyByte(i, 0) == CatalogKeys.TREE_ROOT) {
              trees.add(new Tree(leaf.keyByte(i, 1), PageTree.rootOf(pages.value(leaf, i))));
            }
          }
        },
        visitor,
        inner);
    for (Tree tree : trees) {
      boolean hasLongValues =
          tree.kind == CatalogKeys.SYSTEM || tree.kind == CatalogKeys.SHARE_VALUES;
      pages.visitPages(
          tree.root,
          tree.kind,
          hasLongValues ? leaf -> visitValuePages(leaf, visitor) : null,
          visitor,
          inner);
    }
  }

  private static void visitValuePages(CatalogPage leaf, Consumer<Fingerprint> visitor) {
    for (int i = 0; i < leaf.count(); i++) {
      if (leaf.isExternal(i)) {
        for (int at = leaf.valueStart(i) + 4; at < leaf.valueEnd(i); at += Fingerprint.BYTES) {
          visitor.accept(Fingerprint.of(leaf.bytes(), at));
        }
      }
    }
  }

  // ---- for the catalog itself

  CatalogView with(byte[] key, byte[] value) {
    return new CatalogView(pages, base, frozen, active.put(key, value));
  }

  /** The same changes above other pages that hold the frozen ones. */
  CatalogView onto(PageTree.@Nullable Root newBase) {
    return new CatalogView(pages, newBase, Layer.EMPTY, active);
  }

  /** The same with all changes frozen. */
  CatalogView freeze() {
    return new CatalogView(pages, base, frozen.withNewer(active), Layer.EMPTY);
  }

  PageTree pages() {
    return pages;
  }

  PageTree.@Nullable Root base() {
    return base;
  }

  Layer frozen() {
    return frozen;
  }

  Layer active() {
    return active;
  }

  State state() throws IOException {
    byte[] value = get(CatalogKeys.state());
    return value == null ? State.FIRST : State.decode(value);
  }

  @Nullable Store storeState(Id storeId) throws IOException {
    byte[] value = get(CatalogKeys.store(storeId));
    return value == null ? null : Store.decode(value);
  }

  /** Returns the domain of the store or share that a tree belongs to; null if it is gone. */
  @Nullable Id domainOfOwner(byte[] address) throws IOException {
    Id ownerId = CatalogKeys.ownerId(address);
    if (CatalogKeys.isOfShare(address)) {
      ShareValues.Share share = shares().state(ownerId);
      return share == null ? null : share.record().domainId();
    }
    Store store = storeState(ownerId);
    return store == null ? null : store.store().domainId();
  }

  @Nullable Upload uploadState(Id uploadId) throws IOException {
    byte[] value = get(CatalogKeys.upload(uploadId));
    return value == null ? null : Upload.decode(value);
  }

  static CatalogReply.Refused isSnapshot(Store store) {
    return new CatalogReply.Refused(
        Reason.INVALID_REQUEST,
        "'"
            + store.store().name()
            + "' is a snapshot, which never changes; make a store of it: ./onefold cp "
            + store.store().name()
            + " NAME");
  }

  static CatalogReply.Refused noStore(Id storeId) {
    return new CatalogReply.Refused(Reason.NOT_FOUND, "there is no store with the id " + storeId);
  }

  private List<Store> allStores() throws IOException {
    List<Store> stores = new ArrayList<>();
    Walk walk = walk(new byte[] {CatalogKeys.ROOTS, CatalogKeys.STORE_NAME}, null);
    while (walk.next()) {
      Id id = CatalogValues.readId(walk.value());
      Store store = storeState(id);
      if (store == null) {
        throw dangling("store", id);
      }
      stores.add(store);
    }
    return stores;
  }

  private static CorruptDataException dangling(String what, Id id) {
    return new CorruptDataException(
        "catalog", -1, "a " + what + " with the id " + id + " that a name stands for", "none");
  }

  byte @Nullable [] get(byte[] full) throws IOException {
    byte[] value = active.get(full);
    if (value == null) {
      value = frozen.get(full);
    }
    if (value != null) {
      return Layer.isRemoved(value) ? null : value;
    }
    PageTree.Root root = treeOf(full);
    return root == null ? null : pages.find(root, full[0], CatalogKeys.inTree(full));
  }

  /**
   * Returns the root of the tree, in the pages, to which a full key belongs. That of a copied store
   * may be named by a layer only.
   */
  PageTree.@Nullable Root treeOf(byte[] full) throws IOException {
    if (full[0] == CatalogKeys.ROOTS) {
      return base;
    }
    byte[] encoded = get(CatalogKeys.treeRoot(full));
    return encoded == null ? null : PageTree.rootOf(encoded);
  }

  /**
   * Walks the keys of one tree that begin with {@code prefix} and, if that is given, follow {@code
   * after}.
   *
   * @param prefix full key, at least the tree's address
   * @param after full key, exclusive
   */
  Walk walk(byte[] prefix, byte @Nullable [] after) throws IOException {
    return new Walk(prefix, after, PageTree.Holes.NONE);
  }

  /** A walk in ascending order over pages and layers at once. Not thread-safe. */
  final class Walk {
    private final byte[] prefix;
    private final int addressBytes;
    private final byte @Nullable [] after;
    private final PersistentMap.Walk<byte[], byte[]> newer;
    private final PersistentMap.Walk<byte[], byte[]> older;
    private final PageTree.@Nullable Walk oldest;

    // The next key of each source, or null at its end.
    private byte @Nullable [] newerKey;
    private byte @Nullable [] olderKey;
    private byte @Nullable [] oldestKey;

    private byte[] key = Layer.REMOVED;
    private byte[] value = Layer.REMOVED;

    private Walk(byte[] prefix, byte @Nullable [] after, PageTree.Holes holes) throws IOException {
      byte[] from = after != null && Arrays.compareUnsigned(after, prefix) > 0 ? after : prefix;
      this.prefix = prefix;
      this.addressBytes = CatalogKeys.addressBytes(prefix);
      this.after = after;
      newer = active.changes().from(from);
      older = frozen.changes().from(from);
      PageTree.Root root = treeOf(prefix);
      oldest = root == null ? null : pages.walk(root, prefix[0], CatalogKeys.inTree(from), holes);
      newerKey = nextOf(newer);
      olderKey = nextOf(older);
      oldestKey = nextOfPages();
    }

    boolean next() throws IOException {
      while (true) {
        byte[] least = least(least(newerKey, olderKey), oldestKey);
        if (least == null || !startsWith(least, prefix)) {
          return false;
        }
        byte @Nullable [] found = null;
        if (oldestKey != null && oldest != null && Arrays.equals(least, oldestKey)) {
          boolean hidden = Arrays.equals(least, newerKey) || Arrays.equals(least, olderKey);
          found = hidden ? null : oldest.value();
          oldestKey = nextOfPages();
        }
        if (olderKey != null && Arrays.equals(least, olderKey)) {
          found = older.value();
          olderKey = nextOf(older);
        }
        if (newerKey != null && Arrays.equals(least, newerKey)) {
          found = newer.value();
          newerKey = nextOf(newer);
        }
        boolean wanted = after == null || Arrays.compareUnsigned(least, after) > 0;
        if (found != null && !Layer.isRemoved(found) && wanted) {
          key = least;
          value = found;
          return true;
        }
      }
    }

    /** Returns the full key. */
    byte[] key() {
      return key;
    }

    byte[] value() {
      return value;
    }

    private static byte @Nullable [] nextOf(PersistentMap.Walk<byte[], byte[]> walk) {
      return walk.next() ? walk.key() : null;
    }

    private byte @Nullable [] nextOfPages() throws IOException {
      if (oldest == null || !oldest.next()) {
        return null;
      }
      byte[] inTree = oldest.key();
      byte[] full = Arrays.copyOf(prefix, addressBytes + inTree.length);
      System.arraycopy(inTree, 0, full, addressBytes, inTree.length);
      return full;
    }

    private static byte @Nullable [] least(byte @Nullable [] a, byte @Nullable [] b) {
      if (a == null || b == null) {
        return a == null ? b : a;
      }
      return Arrays.compareUnsigned(a, b) <= 0 ? a : b;
    }

    private static boolean startsWith(byte[] key, byte[] prefix) {
      return key.length >= prefix.length
          && Arrays.equals(key, 0, prefix.length, prefix, 0, prefix.length);
    }
  }
}
