package onefold.store.catalog;

import java.nio.charset.StandardCharsets;
import java.util.SortedMap;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.ObjectRoot;
import onefold.store.Checkpoint;
import onefold.store.CorruptDataException;
import onefold.store.DeletedItem;
import onefold.store.DomainRecord;
import onefold.store.Id;
import onefold.store.ItemRecord;
import onefold.store.LockKind;
import onefold.store.LockOverride;
import onefold.store.Names;
import onefold.store.RefusedException.Reason;
import onefold.store.ShareRecord;
import onefold.store.ShortenedLock;
import onefold.store.StoreRecord;
import onefold.store.UnfinishedUpload;
import org.jspecify.annotations.Nullable;

/** Values of the catalog's trees as bytes, as docs/formats/catalog-page.md says. */
final class CatalogValues {
  /** A deleted item's value is no longer: fixed fields and tags. */
  static final int MAX_ITEM_BYTES =
      128 + CatalogCommand.MAX_TAG_BYTES + 8 * CatalogCommand.MAX_TAGS;

  /** A refusal's message is cut to this many characters when it is remembered. */
  static final int MAX_MESSAGE_CHARACTERS = 4096;

  private static final int NOTHING = 0;
  private static final int DOMAIN = 1;
  private static final int STORE = 2;
  private static final int ITEM = 3;
  private static final int UPLOAD = 4;
  private static final int REFUSED = 5;
  private static final int SHARE = 6;

  // Flags of an item.
  private static final int HELD = 1;
  private static final int COMPLIANCE_LOCK = 2;

  private CatalogValues() {}

  /**
   * Counters of the whole catalog.
   *
   * @param storeTimeMillis only moves forward
   * @param epoch highest seen
   * @param version counts commands that were done
   * @param nextSequence number of the next answer to be remembered
   * @param oldestSequence number of the oldest one remembered
   * @param rememberedBytes of all answers remembered
   * @param domainCount domains
   * @param storeCount stores
   */
  record State(
      long storeTimeMillis,
      long epoch,
      long version,
      long nextSequence,
      long oldestSequence,
      long rememberedBytes,
      int domainCount,
      int storeCount,
      long maxUnfinishedCount,
      long maxUnfinishedBytes) {
    static final State FIRST =
        new State(
            0, 0, 0, 1, 1, 0, 0, 0, Catalog.MAX_UNFINISHED_COUNT, Catalog.MAX_UNFINISHED_BYTES);

    State at(CatalogCommand.Stamp stamp) {
      return new State(
          Math.max(storeTimeMillis, stamp.storeTimeMillis()),
          Math.max(epoch, stamp.epoch()),
          version + 1,
          nextSequence,
          oldestSequence,
          rememberedBytes,
          domainCount,
          storeCount,
          maxUnfinishedCount,
          maxUnfinishedBytes);
    }

    State counting(int moreDomains, int moreStores) {
      return new State(
          storeTimeMillis,
          epoch,
          version,
          nextSequence,
          oldestSequence,
          rememberedBytes,
          domainCount + moreDomains,
          storeCount + moreStores,
          maxUnfinishedCount,
          maxUnfinishedBytes);
    }

    State remembering(long next, long oldest, long bytes) {
      return new State(
          storeTimeMillis,
          epoch,
          version,
          next,
          oldest,
          bytes,
          domainCount,
          storeCount,
          maxUnfinishedCount,
          maxUnfinishedBytes);
    }

    State limitedTo(long unfinishedCount, long unfinishedBytes) {
      return new State(
          storeTimeMillis,
          epoch,
          version,
          nextSequence,
          oldestSequence,
          rememberedBytes,
          domainCount,
          storeCount,
          unfinishedCount,
          unfinishedBytes);
    }

    byte[] encode() {
      return new ByteWriter(80)
          .u64(storeTimeMillis)
          .u64(epoch)
          .u64(version)
          .u64(nextSequence)
          .u64(oldestSequence)
          .u64(rememberedBytes)
          .u32(domainCount)
          .u32(storeCount)
          .u64(maxUnfinishedCount)
          .u64(maxUnfinishedBytes)
          .toBytes();
    }

    static State decode(byte[] bytes) throws CorruptDataException {
      ByteReader in = new ByteReader("catalog state", bytes);
      State state =
          new State(
              in.positive("store time"),
              in.positive("epoch"),
              in.positive("version"),
              in.positive("next sequence"),
              in.positive("oldest sequence"),
              in.positive("remembered bytes"),
              in.count("domains", Integer.MAX_VALUE),
              in.count("stores", Integer.MAX_VALUE),
              in.positive("most unfinished uploads"),
              in.positive("most unfinished bytes"));
      in.end();
      return state;
    }
  }

  /**
   * What is known of a store that is a snapshot.
   *
   * @param of the store it was taken of
   * @param lockedUntilMillis store time before which it cannot go; 0 for not locked
   */
  record Snapshot(Id of, long lockedUntilMillis, LockKind lockKind) {}

  /**
   * A store with its counters.
   *
   * @param heldCount items that are held
   * @param lockedUntilMillis latest lock that an item of it ever had; no item is locked when this
   *     is past, and some item is while it is in the future, unless a lock was shortened
   * @param deletedCount items that can be brought back
   * @param deletedBytes sum of their lengths
   * @param snapshotCount snapshots of it
   * @param snapshot what is known of it as a snapshot; null for a store
   */
  record Store(
      StoreRecord store,
      long itemCount,
      long logicalBytes,
      long unfinishedCount,
      long unfinishedBytes,
      long heldCount,
      long lockedUntilMillis,
      long deletedCount,
      long deletedBytes,
      int snapshotCount,
      @Nullable Snapshot snapshot) {
    static Store fresh(StoreRecord store) {
      return new Store(store, 0, 0, 0, 0, 0, 0, 0, 0, 0, null);
    }

    /** Another store with the same items, or a snapshot of this one. */
    Store copied(StoreRecord as, @Nullable Snapshot asSnapshot) {
      return new Store(
          as, itemCount, logicalBytes, 0, 0, heldCount, lockedUntilMillis, 0, 0, 0, asSnapshot);
    }

    Store withSnapshots(int more) {
      return new Store(
          store,
          itemCount,
          logicalBytes,
          unfinishedCount,
          unfinishedBytes,
          heldCount,
          lockedUntilMillis,
          deletedCount,
          deletedBytes,
          snapshotCount + more,
          snapshot);
    }

    Store withSnapshot(Snapshot changed) {
      return copied(store, changed);
    }

    Store with(StoreRecord settings) {
      return new Store(
          settings,
          itemCount,
          logicalBytes,
          unfinishedCount,
          unfinishedBytes,
          heldCount,
          lockedUntilMillis,
          deletedCount,
          deletedBytes,
          snapshotCount,
          snapshot);
    }

    Store withItem(ItemRecord item) {
      return new Store(
          store,
          itemCount + 1,
          Math.addExact(logicalBytes, item.root().lengthBytes()),
          unfinishedCount,
          unfinishedBytes,
          heldCount + (item.held() ? 1 : 0),
          Math.max(lockedUntilMillis, item.lockedUntilMillis()),
          deletedCount,
          deletedBytes,
          snapshotCount,
          snapshot);
    }

    Store withoutItem(ItemRecord item) {
      return new Store(
          store,
          itemCount - 1,
          logicalBytes - item.root().lengthBytes(),
          unfinishedCount,
          unfinishedBytes,
          heldCount - (item.held() ? 1 : 0),
          lockedUntilMillis,
          deletedCount,
          deletedBytes,
          snapshotCount,
          snapshot);
    }

    Store withUnfinished(int moreCount, long moreBytes) {
      return new Store(
          store,
          itemCount,
          logicalBytes,
          unfinishedCount + moreCount,
          Math.addExact(unfinishedBytes, moreBytes),
          heldCount,
          lockedUntilMillis,
          deletedCount,
          deletedBytes,
          snapshotCount,
          snapshot);
    }

    Store withDeleted(int moreCount, long moreBytes) {
      return new Store(
          store,
          itemCount,
          logicalBytes,
          unfinishedCount,
          unfinishedBytes,
          heldCount,
          lockedUntilMillis,
          deletedCount + moreCount,
          Math.addExact(deletedBytes, moreBytes),
          snapshotCount,
          snapshot);
    }

    byte[] encode() {
      ByteWriter out = new ByteWriter(192);
      CatalogCommandFormat.writeStore(out, store);
      out.u64(itemCount)
          .u64(logicalBytes)
          .u64(unfinishedCount)
          .u64(unfinishedBytes)
          .u64(heldCount)
          .u64(lockedUntilMillis);
      boolean extended =
          CatalogCommandFormat.hasPolicy(store)
              || deletedCount > 0
              || snapshotCount > 0
              || snapshot != null;
      if (extended) {
        CatalogCommandFormat.writePolicy(out, store.policy());
        out.u64(deletedCount).u64(deletedBytes).u32(snapshotCount);
        if (snapshot != null) {
          out.id(snapshot.of())
              .u64(snapshot.lockedUntilMillis())
              .u8(CatalogCommandFormat.lockKindCode(snapshot.lockKind()));
        }
      }
      return out.toBytes();
    }

    static Store decode(byte[] bytes) throws CorruptDataException {
      ByteReader in = new ByteReader("store in the catalog", bytes);
      StoreRecord record = CatalogCommandFormat.readStore(in);
      long itemCount = in.positive("item count");
      long logicalBytes = in.positive("logical bytes");
      long unfinishedCount = in.positive("unfinished count");
      long unfinishedBytes = in.positive("unfinished bytes");
      long heldCount = in.positive("held count");
      long lockedUntilMillis = in.positive("lock");
      long deletedCount = 0;
      long deletedBytes = 0;
      int snapshotCount = 0;
      Snapshot snapshot = null;
      if (in.left() > 0) {
        record = record.withPolicy(CatalogCommandFormat.readPolicy(in));
        deletedCount = in.positive("deleted count");
        deletedBytes = in.positive("deleted bytes");
        snapshotCount = in.count("snapshots", Integer.MAX_VALUE);
        if (in.left() > 0) {
          snapshot = new Snapshot(in.id(), in.positive("lock"), CatalogCommandFormat.lockKind(in));
        }
      }
      in.end();
      return new Store(
          record,
          itemCount,
          logicalBytes,
          unfinishedCount,
          unfinishedBytes,
          heldCount,
          lockedUntilMillis,
          deletedCount,
          deletedBytes,
          snapshotCount,
          snapshot);
    }
  }

  static byte[] id(Id id) {
    return new ByteWriter(Id.BYTES).id(id).toBytes();
  }

  static Id readId(byte[] bytes) throws CorruptDataException {
    ByteReader in = new ByteReader("id in the catalog", bytes);
    Id id = in.id();
    in.end();
    return id;
  }

  static byte[] domain(DomainRecord domain) {
    ByteWriter out = new ByteWriter(64);
    CatalogCommandFormat.writeDomain(out, domain);
    return out.toBytes();
  }

  static DomainRecord readDomain(byte[] bytes) throws CorruptDataException {
    ByteReader in = new ByteReader("domain in the catalog", bytes);
    DomainRecord domain = CatalogCommandFormat.readDomain(in);
    in.end();
    return domain;
  }

  /** The object's root comes first, so that a mark finds it without reading the rest. */
  static byte[] item(ItemRecord item) {
    return itemFields(new ByteWriter(160), item).toBytes();
  }

  static ByteWriter itemFields(ByteWriter out, ItemRecord item) {
    return out.root(item.root())
        .id(item.id())
        .u64(item.version())
        .u64(item.createdAtMillis())
        .u64(item.lockedUntilMillis())
        .u64(item.newBytes())
        .u8(
            (item.held() ? HELD : 0)
                | (item.lockKind() == LockKind.COMPLIANCE ? COMPLIANCE_LOCK : 0))
        .tags(item.tags());
  }

  static ItemRecord readItem(Id storeId, byte[] name, byte[] bytes) throws CorruptDataException {
    ByteReader in = new ByteReader("item in the catalog", bytes);
    ItemRecord item = readItemFields(in, storeId, in.utf8("item name", name));
    in.end();
    return item;
  }

  static byte[] deleted(DeletedItem deleted) {
    return itemFields(new ByteWriter(160), deleted.item())
        .u64(deleted.deletedAtMillis())
        .u64(deleted.purgeAtMillis())
        .toBytes();
  }

  static DeletedItem readDeleted(Id storeId, byte[] name, byte[] bytes)
      throws CorruptDataException {
    ByteReader in = new ByteReader("deleted item in the catalog", bytes);
    DeletedItem deleted =
        new DeletedItem(
            readItemFields(in, storeId, in.utf8("item name", name)),
            in.positive("time of deletion"),
            in.positive("time of purge"));
    in.end();
    return deleted;
  }

  static ItemRecord readItemFields(ByteReader in, Id storeId, String name)
      throws CorruptDataException {
    ObjectRoot root = in.root();
    Id id = in.id();
    long version = in.positive("version");
    long createdAtMillis = in.positive("creation time");
    long lockedUntilMillis = in.positive("lock");
    long newBytes = in.positive("new bytes");
    int flags = in.u8();
    if (flags > (HELD | COMPLIANCE_LOCK)) {
      throw in.corrupt("flags 0 to 3", Integer.toString(flags));
    }
    SortedMap<String, String> tags = in.tags();
    return new ItemRecord(
        storeId,
        name,
        id,
        version,
        root,
        createdAtMillis,
        tags,
        lockedUntilMillis,
        (flags & COMPLIANCE_LOCK) == 0 ? LockKind.GOVERNANCE : LockKind.COMPLIANCE,
        (flags & HELD) != 0,
        newBytes);
  }

  /**
   * An unfinished upload; its root and domain come first, so that a mark finds them without reading
   * the rest.
   *
   * @param domainId of its store
   */
  record Upload(UnfinishedUpload upload, Id domainId) {
    byte[] encode() {
      return new ByteWriter(192)
          .root(upload.checkpoint().root())
          .id(domainId)
          .id(upload.checkpoint().uploadId())
          .u64(upload.checkpoint().sequence())
          .id(upload.storeId())
          .text(upload.itemName())
          .u64(upload.createdAtMillis())
          .toBytes();
    }

    static Upload decode(byte[] bytes) throws CorruptDataException {
      ByteReader in = new ByteReader("unfinished upload in the catalog", bytes);
      Upload upload = read(in);
      in.end();
      return upload;
    }

    private static Upload read(ByteReader in) throws CorruptDataException {
      ObjectRoot root = in.root();
      Id domainId = in.id();
      Checkpoint checkpoint = new Checkpoint(in.id(), root, in.positive("sequence"));
      return new Upload(
          new UnfinishedUpload(
              checkpoint,
              in.id(),
              in.text("item name", Names.MAX_ITEM_NAME_BYTES),
              in.positive("creation time")),
          domainId);
    }
  }

  static byte[] quarantined(CatalogCommand.QuarantineChunk command) {
    return new ByteWriter(16)
        .u32(command.lengthBytes())
        .u64(command.containerNumber())
        .u32(command.slot())
        .toBytes();
  }

  /** Reads the rest of a quarantine's key (kind, fingerprint) and its value. */
  static QuarantinedChunk readQuarantined(byte[] keyRest, byte[] value)
      throws CorruptDataException {
    ByteReader key = new ByteReader("key of a quarantined chunk", keyRest);
    int kind = key.u8();
    Fingerprint fingerprint = key.fingerprint();
    key.end();
    ByteReader in = new ByteReader("quarantined chunk in the catalog", value);
    try {
      QuarantinedChunk chunk =
          new QuarantinedChunk(
              ChunkKind.ofCode(kind),
              fingerprint,
              in.count("length", Integer.MAX_VALUE),
              in.u64(),
              in.count("slot", Integer.MAX_VALUE));
      in.end();
      return chunk;
    } catch (IllegalArgumentException e) {
      throw key.corrupt("chunk kind 1 or 2", Integer.toString(kind));
    }
  }

  static byte[] shortenedLock(ShortenedLock lock) {
    return new ByteWriter(256)
        .text(lock.storeName())
        .text(lock.itemName())
        .id(lock.itemId())
        .u64(lock.atMillis())
        .u64(lock.beforeMillis())
        .u64(lock.afterMillis())
        .text(lock.by().user())
        .text(lock.by().reason())
        .toBytes();
  }

  static ShortenedLock readShortenedLock(byte[] bytes) throws CorruptDataException {
    ByteReader in = new ByteReader("shortened lock in the catalog", bytes);
    try {
      ShortenedLock lock =
          new ShortenedLock(
              in.text("store name", Names.MAX_STORE_NAME_BYTES),
              in.text("item name", Names.MAX_ITEM_NAME_BYTES),
              in.id(),
              in.positive("time"),
              in.positive("lock before"),
              in.positive("lock after"),
              new LockOverride(
                  in.text("user", Names.MAX_STORE_NAME_BYTES),
                  in.text("reason", LockOverride.MAX_REASON_BYTES)));
      in.end();
      return lock;
    } catch (IllegalArgumentException e) {
      CorruptDataException corrupt = in.corrupt("a user and a reason", "" + e.getMessage());
      corrupt.initCause(e);
      throw corrupt;
    }
  }

  /** An answer to be remembered: the command's id, then what was answered. */
  static byte[] answer(Id commandId, CatalogReply reply) {
    ByteWriter out = new ByteWriter(256).id(commandId);
    switch (reply) {
      case CatalogReply.Refused(Reason reason, String message) ->
          out.u8(REFUSED).u16(reason.code()).text(shortened(message));
      case CatalogReply.Done(CatalogReply.Result result) -> {
        switch (result) {
          case CatalogReply.Nothing() -> out.u8(NOTHING);
          case CatalogReply.DomainResult(DomainRecord domain) ->
              CatalogCommandFormat.writeDomain(out.u8(DOMAIN), domain);
          case CatalogReply.StoreResult(StoreRecord store) -> {
            CatalogCommandFormat.writeStore(out.u8(STORE), store);
            if (CatalogCommandFormat.hasPolicy(store)) {
              CatalogCommandFormat.writePolicy(out, store.policy());
            }
          }
          case CatalogReply.ShareResult(ShareRecord share) ->
              ShareValues.writeShare(out.u8(SHARE), share);
          case CatalogReply.ItemResult(ItemRecord item) ->
              itemFields(out.u8(ITEM).id(item.storeId()).text(item.name()), item);
          case CatalogReply.UploadResult(UnfinishedUpload upload) ->
              out.u8(UPLOAD).raw(new Upload(upload, CatalogCommand.NO_ID).encode());
        }
      }
    }
    return out.toBytes();
  }

  static Id answeredCommand(byte[] bytes) throws CorruptDataException {
    return new ByteReader("remembered answer", bytes).id();
  }

  static CatalogReply readAnswer(byte[] bytes) throws CorruptDataException {
    ByteReader in = new ByteReader("remembered answer", bytes);
    in.id();
    int type = in.u8();
    CatalogReply reply =
        switch (type) {
          case NOTHING -> new CatalogReply.Done(new CatalogReply.Nothing());
          case DOMAIN ->
              new CatalogReply.Done(
                  new CatalogReply.DomainResult(CatalogCommandFormat.readDomain(in)));
          case STORE -> {
            StoreRecord store = CatalogCommandFormat.readStore(in);
            yield new CatalogReply.Done(
                new CatalogReply.StoreResult(
                    in.left() == 0
                        ? store
                        : store.withPolicy(CatalogCommandFormat.readPolicy(in))));
          }
          case ITEM -> {
            Id storeId = in.id();
            String name = in.text("item name", Names.MAX_ITEM_NAME_BYTES);
            yield new CatalogReply.Done(
                new CatalogReply.ItemResult(readItemFields(in, storeId, name)));
          }
          case UPLOAD ->
              new CatalogReply.Done(new CatalogReply.UploadResult(Upload.read(in).upload()));
          case SHARE ->
              new CatalogReply.Done(new CatalogReply.ShareResult(ShareValues.readShare(in)));
          case REFUSED -> {
            Reason reason = reason(in);
            yield new CatalogReply.Refused(reason, in.text("message", 4 * MAX_MESSAGE_CHARACTERS));
          }
          default -> throw in.corrupt("answer of type 0 to 6", Integer.toString(type));
        };
    in.end();
    return reply;
  }

  private static Reason reason(ByteReader in) throws CorruptDataException {
    int code = in.u16();
    for (Reason reason : Reason.values()) {
      if (reason.code() == code) {
        return reason;
      }
    }
    throw in.corrupt("code of a refusal", Integer.toString(code));
  }

  private static String shortened(String message) {
    String cut =
        message.length() > MAX_MESSAGE_CHARACTERS
            ? message.substring(0, MAX_MESSAGE_CHARACTERS)
            : message;
    // Half a pair at the cut becomes a question mark.
    return new String(cut.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
  }
}
