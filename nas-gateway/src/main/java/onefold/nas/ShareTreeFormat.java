package onefold.nas;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import onefold.store.CorruptDataException;
import onefold.store.Id;

/** Keys and values of a share's tree; docs/formats/share-tree.md. */
final class ShareTreeFormat {
  static final int VERSION = 1;

  static final byte SHARE = 's';
  static final byte INODE = 'i';
  static final byte NAME = 'd';
  static final byte COOKIE = 'c';
  static final byte FOLDED = 'f';
  static final byte ATTRIBUTE = 'x';
  static final byte STREAM = 'm';
  static final byte ACCESS_LIST = 'a';
  static final byte ORPHAN = 'o';
  static final byte SNAPSHOT = 'v';
  static final byte PENDING = 'q';

  /** Bytes of an inode before a link's target. */
  static final int INODE_BYTES = 104;

  /** Bytes of a note. */
  static final int NOTE_BYTES = 36;

  private static final int NAME_BYTES = 18;
  private static final int COOKIE_BYTES = 10;
  private static final int SHARE_BYTES = 20;
  private static final int STREAM_BYTES = 9;
  private static final int SNAPSHOT_BYTES = 17;
  private static final int PENDING_BYTES = 17;
  private static final int ACCESS_ENTRY_BYTES = 14;

  private static final int FLAG_EXCLUSIVE = 1;
  private static final int FLAG_SPARSE = 2;
  private static final int FLAG_ATTRIBUTES = 4;
  private static final int FLAG_ACCESS_LIST = 8;
  private static final int FLAG_COMMITTED = 16;
  private static final int FLAG_STREAMS = 32;
  private static final int FLAGS_KNOWN = 63;

  private static final byte[] NOTHING = {};

  private ShareTreeFormat() {}

  /** What a name stands for. */
  record NameValue(FileType type, long fileId, long cookie) {}

  /** What a place in a directory's listing stands for. */
  record CookieValue(FileType type, long fileId, byte[] name) {}

  /** What is kept with forced content. */
  record Note(boolean sparse, long change, Instant modifyTime, Instant changeTime) {}

  /**
   * A file that is not committed yet.
   *
   * @param change its change counter when it was last looked at
   * @param sinceMillis store time at which it was first seen with this counter
   */
  record PendingValue(long change, long sinceMillis) {}

  /**
   * What is kept of a share.
   *
   * @param rootId its root directory
   * @param idLimit no id from here on was ever used
   */
  record ShareValue(long rootId, long idLimit) {}

  // ---- keys

  static byte[] shareKey() {
    return new byte[] {SHARE};
  }

  static byte[] inodeKey(long fileId) {
    return key(INODE, fileId, NOTHING);
  }

  static byte[] orphanKey(long fileId) {
    return key(ORPHAN, fileId, NOTHING);
  }

  static byte[] streamKey(long fileId, byte[] name) {
    return key(STREAM, fileId, name);
  }

  static byte[] pendingKey(long fileId) {
    return key(PENDING, fileId, NOTHING);
  }

  static byte[] snapshotKey(long number) {
    return key(SNAPSHOT, number, NOTHING);
  }

  static byte[] accessListKey(long fileId) {
    return key(ACCESS_LIST, fileId, NOTHING);
  }

  static byte[] nameKey(long directoryId, byte[] name) {
    return key(NAME, directoryId, name);
  }

  static byte[] cookieKey(long directoryId, long cookie) {
    return ByteBuffer.allocate(1 + 2 * Long.BYTES)
        .put(COOKIE)
        .putLong(directoryId)
        .putLong(cookie)
        .array();
  }

  /** The beginning of the keys of all names in a directory that have this fold and are not it. */
  static byte[] foldedPrefix(long directoryId, byte[] fold) {
    byte[] terminated = Arrays.copyOf(fold, fold.length + 1); // No name has NUL.
    return key(FOLDED, directoryId, terminated);
  }

  static byte[] foldedKey(long directoryId, byte[] fold, long cookie) {
    byte[] prefix = foldedPrefix(directoryId, fold);
    return ByteBuffer.allocate(prefix.length + Long.BYTES).put(prefix).putLong(cookie).array();
  }

  /** The cookie of a key of kind {@link #FOLDED}. */
  static long keyFoldedCookie(byte[] key) throws CorruptDataException {
    if (key.length < 1 + 2 * Long.BYTES + 2) {
      throw wrong(key, "a key of 19 bytes or more", key.length + " bytes");
    }
    return ByteBuffer.wrap(key, key.length - Long.BYTES, Long.BYTES).getLong();
  }

  static byte[] attributeKey(long fileId, byte[] name) {
    return key(ATTRIBUTE, fileId, name);
  }

  /** The beginning that all names of a directory, or attributes of a file, have. */
  static byte[] prefix(byte kind, long id) {
    return key(kind, id, NOTHING);
  }

  /** The id of a key of those kinds that have one. */
  static long keyId(byte[] key) throws CorruptDataException {
    if (key.length < 1 + Long.BYTES) {
      throw wrong(key, "a key of 9 bytes or more", key.length + " bytes");
    }
    return ByteBuffer.wrap(key, 1, Long.BYTES).getLong();
  }

  /** The cookie of a key of kind {@link #COOKIE}. */
  static long keyCookie(byte[] key) throws CorruptDataException {
    if (key.length != 1 + 2 * Long.BYTES) {
      throw wrong(key, "a key of 17 bytes", key.length + " bytes");
    }
    return ByteBuffer.wrap(key, 1 + Long.BYTES, Long.BYTES).getLong();
  }

  /** The name of a key of kind {@link #ATTRIBUTE} or {@link #STREAM}. */
  static byte[] keyName(byte[] key) {
    return Arrays.copyOfRange(key, 1 + Long.BYTES, key.length);
  }

  /** Keys are big-endian, so that the tree keeps them in order. */
  private static byte[] key(byte kind, long id, byte[] more) {
    return ByteBuffer.allocate(1 + Long.BYTES + more.length)
        .put(kind)
        .putLong(id)
        .put(more)
        .array();
  }

  // ---- values

  static byte[] share(ShareValue share) {
    return ByteBuffer.allocate(SHARE_BYTES)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put((byte) VERSION)
        .put(new byte[3])
        .putLong(share.rootId)
        .putLong(share.idLimit)
        .array();
  }

  static ShareValue readShare(byte[] key, byte[] value) throws CorruptDataException {
    ByteBuffer in = open(key, value, SHARE_BYTES);
    in.position(4);
    return new ShareValue(in.getLong(), in.getLong());
  }

  static byte[] inode(Inode inode) {
    byte[] value = new byte[INODE_BYTES + inode.target().length];
    int flags =
        (inode.exclusive() ? FLAG_EXCLUSIVE : 0)
            | (inode.sparse() ? FLAG_SPARSE : 0)
            | (inode.hasAttributes() ? FLAG_ATTRIBUTES : 0)
            | (inode.hasAccessList() ? FLAG_ACCESS_LIST : 0)
            | (inode.committed() ? FLAG_COMMITTED : 0)
            | (inode.hasStreams() ? FLAG_STREAMS : 0);
    ByteBuffer out =
        littleEndian(value)
            .put((byte) VERSION)
            .put((byte) inode.type().code())
            .putShort((short) inode.mode())
            .putInt(inode.linkCount())
            .putInt((int) inode.uid())
            .putInt((int) inode.gid())
            .putInt(flags)
            .putInt(inode.dosAttributes())
            .putInt(inode.deviceMajor())
            .putInt(inode.deviceMinor())
            .putLong(inode.change());
    putTime(out, inode.accessTime());
    putTime(out, inode.modifyTime());
    putTime(out, inode.changeTime());
    putTime(out, inode.birthTime());
    out.putLong(inode.parentId()).putLong(inode.verifier()).put(inode.target());
    return value;
  }

  static Inode readInode(byte[] key, byte[] value) throws CorruptDataException {
    ByteBuffer in = open(key, value, INODE_BYTES);
    in.position(1);
    try {
      FileType type = FileType.ofCode(in.get());
      int mode = Short.toUnsignedInt(in.getShort());
      int linkCount = in.getInt();
      long uid = Integer.toUnsignedLong(in.getInt());
      long gid = Integer.toUnsignedLong(in.getInt());
      int flags = in.getInt();
      if ((flags & ~FLAGS_KNOWN) != 0) {
        throw wrong(key, "flags below 64", "flags " + flags);
      }
      int dosAttributes = in.getInt();
      int deviceMajor = in.getInt();
      int deviceMinor = in.getInt();
      long change = in.getLong();
      Instant accessTime = getTime(in);
      Instant modifyTime = getTime(in);
      Instant changeTime = getTime(in);
      Instant birthTime = getTime(in);
      long parentId = in.getLong();
      long verifier = in.getLong();
      byte[] target = new byte[in.remaining()];
      in.get(target);
      return new Inode(
          keyId(key),
          type,
          mode,
          linkCount,
          uid,
          gid,
          deviceMajor,
          deviceMinor,
          dosAttributes,
          accessTime,
          modifyTime,
          changeTime,
          birthTime,
          change,
          parentId,
          (flags & FLAG_EXCLUSIVE) != 0,
          verifier,
          (flags & FLAG_SPARSE) != 0,
          (flags & FLAG_ATTRIBUTES) != 0,
          (flags & FLAG_ACCESS_LIST) != 0,
          (flags & FLAG_COMMITTED) != 0,
          (flags & FLAG_STREAMS) != 0,
          target);
    } catch (IllegalArgumentException | DateTimeException e) {
      throw wrong(key, "an inode", String.valueOf(e.getMessage()));
    }
  }

  static byte[] name(NameValue name) {
    return ByteBuffer.allocate(NAME_BYTES)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put((byte) VERSION)
        .put((byte) name.type.code())
        .putLong(name.fileId)
        .putLong(name.cookie)
        .array();
  }

  static NameValue readName(byte[] key, byte[] value) throws CorruptDataException {
    ByteBuffer in = open(key, value, NAME_BYTES);
    in.position(1);
    return new NameValue(type(key, in.get()), in.getLong(), in.getLong());
  }

  static byte[] cookie(CookieValue cookie) {
    return ByteBuffer.allocate(COOKIE_BYTES + cookie.name.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put((byte) VERSION)
        .put((byte) cookie.type.code())
        .putLong(cookie.fileId)
        .put(cookie.name)
        .array();
  }

  static CookieValue readCookie(byte[] key, byte[] value) throws CorruptDataException {
    ByteBuffer in = open(key, value, COOKIE_BYTES + 1);
    in.position(1);
    FileType type = type(key, in.get());
    long fileId = in.getLong();
    byte[] name = new byte[in.remaining()];
    in.get(name);
    return new CookieValue(type, fileId, name);
  }

  static byte[] orphan() {
    return new byte[] {VERSION};
  }

  static byte[] stream(long streamId) {
    return ByteBuffer.allocate(STREAM_BYTES)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put((byte) VERSION)
        .putLong(streamId)
        .array();
  }

  static long readStream(byte[] key, byte[] value) throws CorruptDataException {
    ByteBuffer in = open(key, value, STREAM_BYTES);
    in.position(1);
    return in.getLong();
  }

  static byte[] snapshot(Id snapshotId) {
    return ByteBuffer.allocate(SNAPSHOT_BYTES)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put((byte) VERSION)
        .putLong(snapshotId.high())
        .putLong(snapshotId.low())
        .array();
  }

  static Id readSnapshot(byte[] key, byte[] value) throws CorruptDataException {
    ByteBuffer in = open(key, value, SNAPSHOT_BYTES);
    in.position(1);
    return new Id(in.getLong(), in.getLong());
  }

  static byte[] pending(PendingValue pending) {
    return ByteBuffer.allocate(PENDING_BYTES)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put((byte) VERSION)
        .putLong(pending.change)
        .putLong(pending.sinceMillis)
        .array();
  }

  static PendingValue readPending(byte[] key, byte[] value) throws CorruptDataException {
    ByteBuffer in = open(key, value, PENDING_BYTES);
    in.position(1);
    return new PendingValue(in.getLong(), in.getLong());
  }

  static byte[] note(Inode inode) {
    byte[] note = new byte[NOTE_BYTES];
    ByteBuffer out =
        littleEndian(note)
            .put((byte) VERSION)
            .put((byte) (inode.sparse() ? 1 : 0))
            .putShort((short) 0)
            .putLong(inode.change());
    putTime(out, inode.modifyTime());
    putTime(out, inode.changeTime());
    return note;
  }

  static Note readNote(byte[] key, byte[] note) throws CorruptDataException {
    ByteBuffer in = open(key, note, NOTE_BYTES);
    in.position(1);
    boolean sparse = in.get() != 0;
    in.position(4);
    try {
      return new Note(sparse, in.getLong(), getTime(in), getTime(in));
    } catch (DateTimeException e) {
      throw wrong(key, "a note", String.valueOf(e.getMessage()));
    }
  }

  static byte[] accessList(List<AccessEntry> entries) {
    byte[] value = new byte[4 + entries.size() * ACCESS_ENTRY_BYTES];
    ByteBuffer out = littleEndian(value);
    out.put((byte) VERSION).put((byte) 0).putShort((short) entries.size());
    for (AccessEntry entry : entries) {
      out.put((byte) entry.type().code());
      int who =
          switch (entry.who()) {
            case AccessEntry.Principal.Owner _ -> 0;
            case AccessEntry.Principal.OwningGroup _ -> 1;
            case AccessEntry.Principal.Everyone _ -> 2;
            case AccessEntry.Principal.User _ -> 3;
            case AccessEntry.Principal.Group _ -> 4;
          };
      long id =
          switch (entry.who()) {
            case AccessEntry.Principal.User(long uid) -> uid;
            case AccessEntry.Principal.Group(long gid) -> gid;
            case AccessEntry.Principal.Owner _ -> 0;
            case AccessEntry.Principal.OwningGroup _ -> 0;
            case AccessEntry.Principal.Everyone _ -> 0;
          };
      out.put((byte) who).putInt(entry.flags()).putInt(entry.mask()).putInt((int) id);
    }
    return value;
  }

  static List<AccessEntry> readAccessList(byte[] key, byte[] value) throws CorruptDataException {
    ByteBuffer in = open(key, value, 4);
    in.position(2);
    int count = Short.toUnsignedInt(in.getShort());
    if (in.remaining() != count * ACCESS_ENTRY_BYTES) {
      throw wrong(key, count + " entries", in.remaining() + " bytes");
    }
    List<AccessEntry> entries = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      int type = in.get();
      int who = in.get();
      int flags = in.getInt();
      int mask = in.getInt();
      long id = Integer.toUnsignedLong(in.getInt());
      AccessEntry.Principal principal =
          switch (who) {
            case 0 -> new AccessEntry.Principal.Owner();
            case 1 -> new AccessEntry.Principal.OwningGroup();
            case 2 -> new AccessEntry.Principal.Everyone();
            case 3 -> new AccessEntry.Principal.User(id);
            case 4 -> new AccessEntry.Principal.Group(id);
            default -> throw wrong(key, "principal 0 to 4", "principal " + who);
          };
      entries.add(new AccessEntry(accessType(key, type), flags, mask, principal));
    }
    return entries;
  }

  private static ByteBuffer littleEndian(byte[] value) {
    return ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static ByteBuffer open(byte[] key, byte[] value, int leastBytes)
      throws CorruptDataException {
    if (value.length < leastBytes) {
      throw wrong(key, leastBytes + " bytes", value.length + " bytes");
    }
    if (value[0] != VERSION) {
      throw wrong(key, "version " + VERSION, "version " + value[0]);
    }
    return littleEndian(value);
  }

  private static AccessEntry.Type accessType(byte[] key, int code) throws CorruptDataException {
    for (AccessEntry.Type type : AccessEntry.Type.values()) {
      if (type.code() == code) {
        return type;
      }
    }
    throw wrong(key, "type 0 to 3", "type " + code);
  }

  private static FileType type(byte[] key, byte code) throws CorruptDataException {
    try {
      return FileType.ofCode(code);
    } catch (IllegalArgumentException e) {
      throw wrong(key, "a file type", "type " + code);
    }
  }

  private static void putTime(ByteBuffer out, Instant time) {
    out.putLong(time.getEpochSecond()).putInt(time.getNano());
  }

  private static Instant getTime(ByteBuffer in) {
    long seconds = in.getLong();
    int nanos = in.getInt();
    if (nanos < 0 || nanos > 999_999_999) {
      throw new DateTimeException(nanos + " nanoseconds");
    }
    return Instant.ofEpochSecond(seconds, nanos);
  }

  private static CorruptDataException wrong(byte[] key, String expected, String found) {
    return new CorruptDataException(
        "share tree entry " + HexFormat.of().formatHex(key), -1, expected, found);
  }
}
