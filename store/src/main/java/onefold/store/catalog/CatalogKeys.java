package onefold.store.catalog;

import java.nio.ByteBuffer;
import java.util.Arrays;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.store.Id;

/**
 * Keys of the catalog's trees. A full key is the tree's address (its kind; for a store's items also
 * the store's id) and the key within the tree, so that full keys of one tree lie together.
 */
final class CatalogKeys {
  // Kinds of trees, as in the head of a page.
  static final int ROOTS = 1;
  static final int SYSTEM = 2;
  static final int ITEMS = 3;

  // First byte of a key in the tree of roots.
  static final int STATE = 1;
  static final int DOMAIN = 2;
  static final int STORE = 3;
  static final int DOMAIN_NAME = 4;
  static final int STORE_NAME = 5;
  static final int TREE_ROOT = 6;

  // First byte of a key in the system tree.
  static final int UPLOAD = 1;
  static final int UPLOAD_NAME = 2;
  static final int RECORD = 3;
  static final int ANSWER = 4;
  static final int GONE = 5;
  static final int QUARANTINE = 6;

  /** Id under which the root of the system tree stands. */
  static final Id SYSTEM_TREE = new Id(0, 0);

  /** Longest key within a tree: kind and key of a record, with what stands before them. */
  static final int MAX_KEY_BYTES = 2 + CatalogCommand.MAX_KIND_BYTES + CatalogCommand.MAX_KEY_BYTES;

  private CatalogKeys() {}

  /** Returns how many bytes of a full key are the tree's address. */
  static int addressBytes(byte[] full) {
    return full[0] == ITEMS ? 1 + Id.BYTES : 1;
  }

  static Id treeId(byte[] full) {
    return full[0] == ITEMS
        ? new Id(ByteBuffer.wrap(full, 1, 8).getLong(), ByteBuffer.wrap(full, 9, 8).getLong())
        : SYSTEM_TREE;
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

  static byte[] treeRoot(Id treeId) {
    return ofId(ROOTS, TREE_ROOT, treeId);
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

  static byte[] item(Id storeId, byte[] name) {
    return new ByteWriter(128).raw(items(storeId)).raw(name).toBytes();
  }

  static byte[] items(Id storeId) {
    return new ByteWriter(17).u8(ITEMS).id(storeId).toBytes();
  }

  private static byte[] ofId(int tree, int first, Id id) {
    return new ByteWriter(18).u8(tree).u8(first).id(id).toBytes();
  }
}
