package onefold.store.catalog;

import java.util.Optional;
import onefold.chunker.ObjectRoot;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.Names;
import onefold.store.ShareObject;
import onefold.store.ShareRecord;
import onefold.store.ShareStore;
import onefold.store.ShareTree;
import org.jspecify.annotations.Nullable;

/** Values of shares in the catalog's trees, as docs/formats/catalog-page.md says. */
final class ShareValues {
  // Flags of an entry.
  static final int HAS_OBJECT = 1;
  static final int LONG_VALUE = 2;

  /** Longest value that stands in its entry, beside an object; longer ones have a tree. */
  static final int MAX_ENTRY_VALUE_BYTES = 4096;

  private ShareValues() {}

  /** Tells whether a root is that of a node; an object of no bytes needs none. */
  static boolean refersToNode(ObjectRoot root) {
    return root.lengthBytes() > 0;
  }

  /**
   * A share, or a snapshot of one, without its settings.
   *
   * @param record its settings are empty
   * @param snapshotCount snapshots of it
   * @param of the share that this is a snapshot of; null for a share
   */
  record Share(ShareRecord record, int snapshotCount, @Nullable Id of) {
    static Share fresh(ShareRecord record, @Nullable Id of) {
      return new Share(record, 0, of);
    }

    Share withSnapshots(int more) {
      return new Share(record, snapshotCount + more, of);
    }

    byte[] encode() {
      ByteWriter out =
          new ByteWriter(96)
              .text(record.name())
              .id(record.domainId())
              .u64(record.createdAtMillis())
              .u32(snapshotCount);
      if (of != null) {
        out.id(of);
      }
      return out.toBytes();
    }

    static Share decode(Id id, byte[] bytes) throws CorruptDataException {
      ByteReader in = new ByteReader("share in the catalog", bytes);
      String name = in.text("share name", Names.MAX_STORE_NAME_BYTES);
      Id domainId = in.id();
      long createdAtMillis = in.positive("creation time");
      int snapshotCount = in.count("snapshots", Integer.MAX_VALUE);
      Id of = in.left() > 0 ? in.id() : null;
      in.end();
      return new Share(
          new ShareRecord(id, name, domainId, createdAtMillis, new byte[0], of != null),
          snapshotCount,
          of);
    }
  }

  /**
   * Counters of a share.
   *
   * @param changes calls of {@link ShareTree#change} that were done; the next one has the number
   *     above
   * @param entries entries
   * @param objects entries with an object
   * @param objectBytes sum of the lengths of these, as far as they are folded
   */
  record Counts(long changes, long entries, long objects, long objectBytes) {
    static final Counts NONE = new Counts(0, 0, 0, 0);

    Counts changed() {
      return new Counts(changes + 1, entries, objects, objectBytes);
    }

    /** The same entries in a tree of its own. */
    Counts copied() {
      return new Counts(0, entries, objects, objectBytes);
    }

    Counts with(Optional<ShareObject> object) {
      return new Counts(
          changes,
          entries + 1,
          objects + (object.isPresent() ? 1 : 0),
          objectBytes + object.map(o -> o.root().lengthBytes()).orElse(0L));
    }

    Counts without(Optional<ShareObject> object) {
      return new Counts(
          changes,
          entries - 1,
          objects - (object.isPresent() ? 1 : 0),
          objectBytes - object.map(o -> o.root().lengthBytes()).orElse(0L));
    }

    byte[] encode() {
      return new ByteWriter(32).u64(changes).u64(entries).u64(objects).u64(objectBytes).toBytes();
    }

    static Counts decode(byte[] bytes) throws CorruptDataException {
      ByteReader in = new ByteReader("counters of a share in the catalog", bytes);
      Counts counts =
          new Counts(
              in.positive("changes"),
              in.positive("entries"),
              in.positive("objects"),
              in.u64()); // A sum of lengths, of which each may be nearly 2^63.
      in.end();
      return counts;
    }
  }

  /**
   * An entry as its page holds it.
   *
   * @param value null if it stands in the tree of long values
   */
  record Entry(Optional<ShareObject> object, byte @Nullable [] value) {
    /** The root comes before everything but the flags, so that a mark finds it. */
    byte[] encode() {
      ByteWriter out = new ByteWriter(96 + (value == null ? 0 : value.length));
      out.u8((object.isPresent() ? HAS_OBJECT : 0) | (value == null ? LONG_VALUE : 0));
      object.ifPresent(o -> writeObject(out, o));
      if (value != null) {
        out.raw(value);
      }
      return out.toBytes();
    }

    static Entry decode(byte[] bytes) throws CorruptDataException {
      ByteReader in = new ByteReader("entry of a share in the catalog", bytes);
      int flags = in.u8();
      if (flags > (HAS_OBJECT | LONG_VALUE)) {
        throw in.corrupt("flags 0 to 3", Integer.toString(flags));
      }
      Optional<ShareObject> object =
          (flags & HAS_OBJECT) == 0 ? Optional.empty() : Optional.of(readObject(in));
      byte[] value = (flags & LONG_VALUE) == 0 ? in.rest() : null;
      in.end();
      return new Entry(object, value);
    }
  }

  static ByteWriter writeObject(ByteWriter out, ShareObject object) {
    return out.root(object.root())
        .id(object.id())
        .u64(object.folded())
        .u64(object.dataBytes())
        .bytes(object.note());
  }

  static ShareObject readObject(ByteReader in) throws CorruptDataException {
    ObjectRoot root = in.root();
    return new ShareObject(
        in.id(),
        root,
        in.positive("changes folded"),
        in.positive("data bytes"),
        in.bytes("note", ShareObject.MAX_NOTE_BYTES));
  }

  static void writeShare(ByteWriter out, ShareRecord share) {
    out.id(share.id())
        .text(share.name())
        .id(share.domainId())
        .u64(share.createdAtMillis())
        .bytes(share.settings())
        .u8(share.snapshot() ? 1 : 0);
  }

  static ShareRecord readShare(ByteReader in) throws CorruptDataException {
    return new ShareRecord(
        in.id(),
        in.text("share name", Names.MAX_STORE_NAME_BYTES),
        in.id(),
        in.positive("creation time"),
        in.bytes("settings", ShareStore.MAX_SETTINGS_BYTES),
        in.bool("snapshot"));
  }
}
