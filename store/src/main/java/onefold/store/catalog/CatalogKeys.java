package onefold.store.catalog;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.store.Id;
import onefold.store.ItemRecord;

/**
 * Keys of the catalog's trees. A full key is the tree's address (its kind; for a tree of a store or
 * a share also its id) and the key within the tree, so that full keys of one tree lie together.
 */
final class CatalogKeys {
  // Kinds of trees, as in the head of a page.
  static final int ROOTS = 1;
  static final int SYSTEM = 2;
  static final int ITEMS = 3;
  static final int LOOKUPS = 5;
  static final int TRASH = 6;
  static final int SHARE_ENTRIES = 7;
  static final int SHARE_VALUES = 8;

  // First byte of a key in the tree of roots.
  static final int STATE = 1;
  static final int DOMAIN = 2;
  static final int STORE = 3;
  static final int DOMAIN_NAME = 4;
  static final int STORE_NAME = 5;
  static final int TREE_ROOT = 6;
  static final int SNAPSHOT_NAME = 7;
  static final int SHARE = 8;
  static final int SHARE_NAME = 9;
  static final int SHARE_SNAPSHOT_NAME = 10;
  static final int SHARE_COUNTS = 11;

  // First byte of a key in the system tree.
  static final int UPLOAD = 1;
  static final int UPLOAD_NAME = 2;
  static final int RECORD = 3;
  static final int ANSWER = 4;
  static final int GONE = 5;
  static final int QUARANTINE = 6;
  static final int SHORTENED_LOCK = 7;
  static final int SHARE_SETTINGS = 8;

  // First byte of a key among a store's deleted items.
  static final int DELETED = 1;
  static final int PURGE = 2;

  // First byte of a key in a store's look-ups.
  static final int BY_AGE = 1;
  static final int BY_SIZE = 2;
  static final int BY_TAG = 3;

  /** Longest key within a tree: kind and key of a record, with what stands before them. */
  static final int MAX_KEY_BYTES = 2 + CatalogCommand.MAX_KIND_BYTES + CatalogCommand.MAX_KEY_BYTES;

  /** How much of a tag's hash stands in its look-ups; what is found is checked against the item. */
  private static final int TAG_HASH_BYTES = Long.BYTES;

  private CatalogKeys() {}

  /** Returns how many bytes of a full key are the tree's address. */
  static int addressBytes(byte[] full) {
    return isOwned(full) ? 1 + Id.BYTES : 1;
  }

  /** Tells whether a full key belongs to a tree that each store, or each share, has one of. */
  static boolean isOwned(byte[] full) {
    return isOfStore(full) || isOfShare(full);
  }

  private static boolean isOfStore(byte[] full) {
    return full[0] == ITEMS || full[0] == LOOKUPS || full[0] == TRASH;
  }

  /** Tells whether a full key belongs to a tree that each share has one of. */
  static boolean isOfShare(byte[] full) {
    return full[0] == SHARE_ENTRIES || full[0] == SHARE_VALUES;
  }

  /** Returns the store or share to which the tree of a full key belongs, or the id for none. */
  static Id ownerId(byte[] full) {
    return isOwned(full)
        ? new Id(ByteBuffer.wrap(full, 1, 8).getLong(), ByteBuffer.wrap(full, 9, 8).getLong())
        : CatalogCommand.NO_ID;
  }

  static byte[] inTree(byte[] full) {
    return Arrays.copyOfRange(full, addressBytes(full), full.length);
  }

  static byte[] state() {
    return new byte[] {ROOTS, STATE};
  }

  static byte[] domain(Id id) {
    return ofId(ROOTS, DOMAIN, id);
  }

  static byte[] store(Id id) {
    return ofId(ROOTS, STORE, id);
  }

  static byte[] domainName(String name) {
    return new ByteWriter(64).u8(ROOTS).u8(DOMAIN_NAME).raw(ByteWriter.utf8(name)).toBytes();
  }

  static byte[] storeName(String name) {
    return new ByteWriter(64).u8(ROOTS).u8(STORE_NAME).raw(ByteWriter.utf8(name)).toBytes();
  }

  static byte[] snapshotName(Id storeId, String name) {
    return new ByteWriter(64).raw(snapshotNames(storeId)).raw(ByteWriter.utf8(name)).toBytes();
  }

  static byte[] snapshotNames(Id storeId) {
    return ofId(ROOTS, SNAPSHOT_NAME, storeId);
  }

  /** Returns the key under which the root of a tree stands, from any full key of that tree. */
  static byte[] treeRoot(byte[] full) {
    return treeRoot(full[0], ownerId(full));
  }

  static byte[] treeRoot(int kind, Id ownerId) {
    return new ByteWriter(19).u8(ROOTS).u8(TREE_ROOT).u8(kind).id(ownerId).toBytes();
  }

  static byte[] share(Id shareId) {
    return ofId(ROOTS, SHARE, shareId);
  }

  static byte[] shareName(String name) {
    return new ByteWriter(64).u8(ROOTS).u8(SHARE_NAME).raw(ByteWriter.utf8(name)).toBytes();
  }

  static byte[] shareNames() {
    return new byte[] {ROOTS, SHARE_NAME};
  }

  static byte[] shareSnapshotName(Id shareId, String name) {
    return new ByteWriter(64).raw(shareSnapshotNames(shareId)).raw(ByteWriter.utf8(name)).toBytes();
  }

  static byte[] shareSnapshotNames(Id shareId) {
    return ofId(ROOTS, SHARE_SNAPSHOT_NAME, shareId);
  }

  static byte[] shareCounts(Id shareId) {
    return ofId(ROOTS, SHARE_COUNTS, shareId);
  }

  static byte[] shareSettings(Id shareId) {
    return ofId(SYSTEM, SHARE_SETTINGS, shareId);
  }

  static byte[] shareEntry(Id shareId, byte[] key) {
    return new ByteWriter(17 + key.length).u8(SHARE_ENTRIES).id(shareId).raw(key).toBytes();
  }

  /** Where a value stands that is too long for its entry. */
  static byte[] shareValue(Id shareId, byte[] key) {
    return new ByteWriter(17 + key.length).u8(SHARE_VALUES).id(shareId).raw(key).toBytes();
  }

  static byte[] upload(Id uploadId) {
    return ofId(SYSTEM, UPLOAD, uploadId);
  }

  static byte[] uploadName(Id storeId, String name) {
    return new ByteWriter(128).raw(uploadNames(storeId)).raw(ByteWriter.utf8(name)).toBytes();
  }

  static byte[] uploadNames(Id storeId) {
    return ofId(SYSTEM, UPLOAD_NAME, storeId);
  }

  static byte[] record(String kind, String key) {
    return new ByteWriter(128).raw(records(kind)).raw(ByteWriter.utf8(key)).toBytes();
  }

  static byte[] records(String kind) {
    byte[] bytes = ByteWriter.utf8(kind);
    return new ByteWriter(64).u8(SYSTEM).u8(RECORD).u8(bytes.length).raw(bytes).toBytes();
  }

  static byte[] answer(long sequence) {
    return new ByteWriter(10).u8(SYSTEM).u8(ANSWER).u64BigEndian(sequence).toBytes();
  }

  static byte[] answers() {
    return new byte[] {SYSTEM, ANSWER};
  }

  static byte[] gone(Id domainId, long containerNumber) {
    return new ByteWriter(32).raw(goneIn(domainId)).u64BigEndian(containerNumber).toBytes();
  }

  static byte[] goneIn(Id domainId) {
    return ofId(SYSTEM, GONE, domainId);
  }

  static byte[] quarantine(Id domainId, ChunkKind kind, Fingerprint fingerprint) {
    return new ByteWriter(64)
        .raw(quarantineIn(domainId))
        .u8(kind.code())
        .fingerprint(fingerprint)
        .toBytes();
  }

  static byte[] quarantineIn(Id domainId) {
    return ofId(SYSTEM, QUARANTINE, domainId);
  }

  /** Keys that begin with {@link #shortenedLocks} come in the order in which it was done. */
  static byte[] shortenedLock(long version) {
    return new ByteWriter(10).raw(shortenedLocks()).u64BigEndian(version).toBytes();
  }

  static byte[] shortenedLocks() {
    return new byte[] {SYSTEM, SHORTENED_LOCK};
  }

  static byte[] item(Id storeId, byte[] name) {
    return new ByteWriter(128).raw(items(storeId)).raw(name).toBytes();
  }

  static byte[] items(Id storeId) {
    return new ByteWriter(17).u8(ITEMS).id(storeId).toBytes();
  }

  /** Tells whether values of a tree begin with the roots of objects, of one domain. */
  static boolean holdsObjects(int kind) {
    return kind == ITEMS || kind == TRASH || kind == SHARE_ENTRIES;
  }

  /** Of one name the newest version comes first. */
  static byte[] deleted(Id storeId, byte[] name, long version) {
    return new ByteWriter(128).raw(deletedOf(storeId, name)).u8(0).u64BigEndian(~version).toBytes();
  }

  static byte[] deletedOf(Id storeId, byte[] namePrefix) {
    return new ByteWriter(128).u8(TRASH).id(storeId).u8(DELETED).raw(namePrefix).toBytes();
  }

  /** Keys that begin with {@link #purges} come in the order in which deleted items go. */
  static byte[] purge(Id storeId, long purgeAtMillis, byte[] name, long version) {
    return new ByteWriter(128)
        .raw(purgesFrom(storeId, purgeAtMillis))
        .raw(name)
        .u8(0)
        .u64BigEndian(~version)
        .toBytes();
  }

  static byte[] purges(Id storeId) {
    return new ByteWriter(18).u8(TRASH).id(storeId).u8(PURGE).toBytes();
  }

  static byte[] purgesFrom(Id storeId, long purgeAtMillis) {
    return new ByteWriter(26).raw(purges(storeId)).u64BigEndian(purgeAtMillis).toBytes();
  }

  /** Returns the name in a key of a deleted item or of its purge. */
  static byte[] deletedName(byte[] full) {
    int head = 1 + Id.BYTES + 1 + (full[1 + Id.BYTES] == PURGE ? Long.BYTES : 0);
    return Arrays.copyOfRange(full, head, full.length - 1 - Long.BYTES);
  }

  /** Returns the version in a key of a deleted item or of its purge. */
  static long deletedVersion(byte[] full) {
    return ~ByteBuffer.wrap(full).getLong(full.length - Long.BYTES);
  }

  static long purgeAtMillis(byte[] full) {
    return ByteBuffer.wrap(full).getLong(1 + Id.BYTES + 1);
  }

  /** Keys that begin so come youngest first, those of one millisecond in order of name. */
  static byte[] byAge(Id storeId, long createdAtMillis) {
    return descending(storeId, BY_AGE, createdAtMillis);
  }

  /** Keys that begin so come largest first, those of one length in order of name. */
  static byte[] bySize(Id storeId, long lengthBytes) {
    return descending(storeId, BY_SIZE, lengthBytes);
  }

  /**
   * Keys that begin so are of items with this tag, or one whose hash begins with the same bytes.
   */
  static byte[] byTag(Id storeId, String key, String value) {
    ByteWriter pair = new ByteWriter(64).text(key).text(value);
    byte[] hash = sha256(pair.toBytes());
    return lookups(storeId).u8(BY_TAG).raw(hash, 0, TAG_HASH_BYTES).toBytes();
  }

  static byte[] withName(byte[] lookup, byte[] name) {
    return new ByteWriter(lookup.length + name.length).raw(lookup).raw(name).toBytes();
  }

  /** Returns all look-ups of an item, each full key with the item's name at its end. */
  static SortedSet<byte[]> lookups(ItemRecord item) {
    byte[] name = ByteWriter.utf8(item.name());
    SortedSet<byte[]> keys = new TreeSet<>(Arrays::compareUnsigned);
    keys.add(withName(byAge(item.storeId(), item.createdAtMillis()), name));
    keys.add(withName(bySize(item.storeId(), item.root().lengthBytes()), name));
    for (Map.Entry<String, String> tag : item.tags().entrySet()) {
      keys.add(withName(byTag(item.storeId(), tag.getKey(), tag.getValue()), name));
    }
    return keys;
  }

  /** Returns the item's name at the end of a look-up. */
  static byte[] lookedUpName(byte[] full) {
    return Arrays.copyOfRange(full, 1 + Id.BYTES + 1 + Long.BYTES, full.length);
  }

  private static byte[] descending(Id storeId, int first, long value) {
    return lookups(storeId).u8(first).u64BigEndian(~value).toBytes();
  }

  static byte[] allLookups(Id storeId) {
    return lookups(storeId).toBytes();
  }

  private static ByteWriter lookups(Id storeId) {
    return new ByteWriter(64).u8(LOOKUPS).id(storeId);
  }

  private static byte[] sha256(byte[] bytes) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(bytes);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("this Java has no SHA-256, which every Java must have", e);
    }
  }

  private static byte[] ofId(int tree, int first, Id id) {
    return new ByteWriter(18).u8(tree).u8(first).id(id).toBytes();
  }
}
