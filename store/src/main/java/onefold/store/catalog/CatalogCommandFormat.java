package onefold.store.catalog;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import onefold.chunker.ChunkKind;
import onefold.store.ChunkStore;
import onefold.store.CommitMode;
import onefold.store.Compression;
import onefold.store.CorruptDataException;
import onefold.store.DomainRecord;
import onefold.store.Id;
import onefold.store.LockKind;
import onefold.store.LockOverride;
import onefold.store.Names;
import onefold.store.ShareChange;
import onefold.store.ShareEntry;
import onefold.store.ShareObject;
import onefold.store.ShareStore;
import onefold.store.ShareTree;
import onefold.store.StorePolicy;
import onefold.store.StoreRecord;
import onefold.store.catalog.CatalogCommand.Stamp;
import org.jspecify.annotations.Nullable;

/**
 * Commands as bytes, as docs/formats/catalog-command.md says. The journal's record carries the
 * checksum.
 */
public final class CatalogCommandFormat {
  /** The version that this release writes, and the newest it reads. */
  public static final int VERSION = 3;

  /** No command is longer. */
  public static final int MAX_COMMAND_BYTES = 640 << 10;

  private static final String WHAT = "catalog command";

  private static final int CREATE_DOMAIN = 1;
  private static final int CREATE_STORE = 2;
  private static final int UPDATE_STORE = 3;
  private static final int DELETE_STORE = 4;
  private static final int COMMIT_ITEM = 5;
  private static final int DELETE_ITEM = 6;
  private static final int CLONE_ITEM = 7;
  private static final int UPDATE_ITEM = 8;
  private static final int CHECKPOINT_UPLOAD = 9;
  private static final int END_UPLOAD = 10;
  private static final int PUT_RECORD = 11;
  private static final int REMOVE_RECORD = 12;
  private static final int ADVANCE_STORE_TIME = 13;
  private static final int CONTAINERS_GONE = 14;
  private static final int CONTAINERS_UNLINKED = 15;
  private static final int QUARANTINE_CHUNK = 16;
  private static final int RELEASE_CHUNK = 17;
  private static final int SET_UNFINISHED_LIMITS = 18;
  private static final int LOCK_ITEM = 19;
  private static final int UNDELETE_ITEM = 20;
  private static final int PURGE_DELETED = 21;
  private static final int PURGE_EXPIRED = 22;
  private static final int COPY_STORE = 23;
  private static final int DELETE_SNAPSHOT = 24;
  private static final int LOCK_SNAPSHOT = 25;
  private static final int CREATE_SHARE = 26;
  private static final int UPDATE_SHARE = 27;
  private static final int DELETE_SHARE = 28;
  private static final int COPY_SHARE = 29;
  private static final int CHANGE_SHARE = 30;
  private static final int LAST = CHANGE_SHARE;

  // Types of changes in a share.
  private static final int SET_VALUE = 1;
  private static final int SET_ENTRY = 2;
  private static final int SET_OBJECT = 3;
  private static final int REMOVE = 4;

  private CatalogCommandFormat() {}

  /** Returns the encoding of a command, at most {@link #MAX_COMMAND_BYTES}. */
  public static byte[] encode(CatalogCommand command) {
    ByteWriter out = new ByteWriter(256);
    out.u8(version(command)).u8(type(command)).u16(0);
    Stamp stamp = command.stamp();
    out.id(stamp.commandId()).u64(stamp.storeTimeMillis()).u64(stamp.epoch());
    switch (command) {
      case CatalogCommand.CreateDomain c -> writeDomain(out, c.domain());
      case CatalogCommand.CreateStore c -> writeStoreWithPolicy(out, c.store());
      case CatalogCommand.UpdateStore c -> writeStoreWithPolicy(out, c.settings());
      case CatalogCommand.DeleteStore c -> out.id(c.storeId()).u8(c.withItems() ? 1 : 0);
      case CatalogCommand.CommitItem c ->
          out.id(c.storeId())
              .text(c.name())
              .id(c.itemId())
              .root(c.root())
              .u8(modeCode(c.mode()))
              .tags(c.tags())
              .u32(c.lockDays())
              .u64(c.newBytes())
              .id(c.uploadId());
      case CatalogCommand.DeleteItem c -> out.id(c.storeId()).text(c.name());
      case CatalogCommand.CloneItem c ->
          out.id(c.storeId())
              .text(c.name())
              .id(c.targetStoreId())
              .text(c.targetName())
              .id(c.itemId())
              .u8(modeCode(c.mode()));
      case CatalogCommand.UpdateItem c ->
          out.id(c.storeId())
              .text(c.name())
              .tags(c.tags())
              .u8(c.held() ? 1 : 0)
              .u64(c.lockedUntilMillis());
      case CatalogCommand.LockItem c -> {
        out.id(c.storeId()).text(c.name()).u64(c.lockedUntilMillis()).u8(lockKindCode(c.kind()));
        writeOverride(out, c.override());
      }
      case CatalogCommand.UndeleteItem c ->
          CatalogValues.itemFields(out.id(c.item().storeId()).text(c.item().name()), c.item())
              .text(c.targetName())
              .u8(modeCode(c.mode()));
      case CatalogCommand.PurgeDeleted c ->
          writeOverride(out.id(c.storeId()).text(c.name()).u64(c.version()), c.override());
      case CatalogCommand.PurgeExpired c -> out.id(c.storeId()).u32(c.most());
      case CatalogCommand.CopyStore c ->
          c.trees()
              .write(out.id(c.sourceId()).id(c.copyId()).text(c.name()).u8(c.snapshot() ? 1 : 0));
      case CatalogCommand.DeleteSnapshot c -> out.id(c.snapshotId());
      case CatalogCommand.LockSnapshot c ->
          writeOverride(
              out.id(c.snapshotId()).u64(c.lockedUntilMillis()).u8(lockKindCode(c.kind())),
              c.override());
      case CatalogCommand.CheckpointUpload c ->
          out.id(c.uploadId())
              .id(c.storeId())
              .text(c.name())
              .root(c.root())
              .u64(c.sequence())
              .u64(c.createdAtMillis());
      case CatalogCommand.EndUpload c -> out.id(c.uploadId());
      case CatalogCommand.PutRecord c -> out.text(c.kind()).text(c.key()).bytes(c.value());
      case CatalogCommand.RemoveRecord c -> out.text(c.kind()).text(c.key());
      case CatalogCommand.AdvanceStoreTime c -> {}
      case CatalogCommand.ContainersGone c ->
          writeContainers(out, c.domainId(), c.containerNumbers());
      case CatalogCommand.ContainersUnlinked c ->
          writeContainers(out, c.domainId(), c.containerNumbers());
      case CatalogCommand.QuarantineChunk c ->
          out.id(c.domainId())
              .u8(c.kind().code())
              .fingerprint(c.fingerprint())
              .u32(c.lengthBytes())
              .u64(c.containerNumber())
              .u32(c.slot());
      case CatalogCommand.ReleaseChunk c ->
          out.id(c.domainId()).u8(c.kind().code()).fingerprint(c.fingerprint());
      case CatalogCommand.SetUnfinishedLimits c ->
          out.u64(c.maxUnfinishedCount()).u64(c.maxUnfinishedBytes());
      case CatalogCommand.CreateShare c ->
          out.id(c.shareId()).text(c.name()).id(c.domainId()).bytes(c.settings());
      case CatalogCommand.UpdateShare c -> out.id(c.shareId()).bytes(c.settings());
      case CatalogCommand.DeleteShare c -> out.id(c.shareId()).u8(c.withFiles() ? 1 : 0);
      case CatalogCommand.CopyShare c ->
          c.trees()
              .write(out.id(c.sourceId()).id(c.copyId()).text(c.name()).u8(c.snapshot() ? 1 : 0));
      case CatalogCommand.ChangeShare c -> {
        out.id(c.shareId()).u64(c.sequence()).u32(c.changes().size());
        c.changes().forEach(change -> writeChange(out, change));
      }
    }
    return out.toBytes();
  }

  /**
   * Reads a command back.
   *
   * @throws CorruptDataException if the bytes are no command
   * @throws IOException if a newer release wrote it
   */
  public static CatalogCommand decode(byte[] bytes, int offset, int lengthBytes)
      throws IOException {
    if (lengthBytes > MAX_COMMAND_BYTES) {
      throw new CorruptDataException(
          WHAT, 0, "at most " + MAX_COMMAND_BYTES + " bytes", lengthBytes + " bytes");
    }
    ByteReader in = new ByteReader(WHAT, bytes, offset, offset + lengthBytes);
    int version = in.u8();
    if (version > VERSION) {
      throw new IOException(
          "catalog command of format version "
              + version
              + ", this release reads "
              + VERSION
              + "; use a newer release");
    }
    if (version < 1) {
      throw in.corrupt("version from 1", Integer.toString(version));
    }
    int type = in.u8();
    int flags = in.u16();
    if (flags != 0) {
      throw new IOException(
          "catalog command with flags " + flags + " that this release does not know");
    }
    try {
      Stamp stamp = new Stamp(in.id(), in.u64(), in.u64());
      CatalogCommand command =
          switch (type) {
            case CREATE_DOMAIN -> new CatalogCommand.CreateDomain(stamp, readDomain(in));
            case CREATE_STORE ->
                new CatalogCommand.CreateStore(stamp, readStoreWithPolicy(in, version));
            case UPDATE_STORE ->
                new CatalogCommand.UpdateStore(stamp, readStoreWithPolicy(in, version));
            case DELETE_STORE ->
                new CatalogCommand.DeleteStore(stamp, in.id(), in.bool("with items"));
            case COMMIT_ITEM ->
                new CatalogCommand.CommitItem(
                    stamp,
                    in.id(),
                    itemName(in),
                    in.id(),
                    in.root(),
                    mode(in),
                    in.tags(),
                    in.count("lock days", Integer.MAX_VALUE),
                    in.u64(),
                    in.id());
            case DELETE_ITEM -> new CatalogCommand.DeleteItem(stamp, in.id(), itemName(in));
            case CLONE_ITEM ->
                new CatalogCommand.CloneItem(
                    stamp, in.id(), itemName(in), in.id(), itemName(in), in.id(), mode(in));
            case UPDATE_ITEM ->
                new CatalogCommand.UpdateItem(
                    stamp, in.id(), itemName(in), in.tags(), in.bool("held"), in.u64());
            case CHECKPOINT_UPLOAD ->
                new CatalogCommand.CheckpointUpload(
                    stamp, in.id(), in.id(), itemName(in), in.root(), in.u64(), in.u64());
            case END_UPLOAD -> new CatalogCommand.EndUpload(stamp, in.id());
            case PUT_RECORD ->
                new CatalogCommand.PutRecord(
                    stamp,
                    recordKind(in),
                    recordKey(in),
                    in.bytes("record", ChunkStore.MAX_RECORD_BYTES));
            case REMOVE_RECORD ->
                new CatalogCommand.RemoveRecord(stamp, recordKind(in), recordKey(in));
            case ADVANCE_STORE_TIME -> new CatalogCommand.AdvanceStoreTime(stamp);
            case CONTAINERS_GONE ->
                new CatalogCommand.ContainersGone(stamp, in.id(), readContainers(in));
            case CONTAINERS_UNLINKED ->
                new CatalogCommand.ContainersUnlinked(stamp, in.id(), readContainers(in));
            case QUARANTINE_CHUNK ->
                new CatalogCommand.QuarantineChunk(
                    stamp,
                    in.id(),
                    ChunkKind.ofCode(in.u8()),
                    in.fingerprint(),
                    in.u32(),
                    in.u64(),
                    in.u32());
            case RELEASE_CHUNK ->
                new CatalogCommand.ReleaseChunk(
                    stamp, in.id(), ChunkKind.ofCode(in.u8()), in.fingerprint());
            case SET_UNFINISHED_LIMITS ->
                new CatalogCommand.SetUnfinishedLimits(stamp, in.u64(), in.u64());
            case LOCK_ITEM ->
                new CatalogCommand.LockItem(
                    stamp, in.id(), itemName(in), in.u64(), lockKind(in), lockOverride(in));
            case UNDELETE_ITEM ->
                new CatalogCommand.UndeleteItem(
                    stamp,
                    CatalogValues.readItemFields(in, in.id(), itemName(in)),
                    itemName(in),
                    mode(in));
            case PURGE_DELETED ->
                new CatalogCommand.PurgeDeleted(
                    stamp, in.id(), itemName(in), in.u64(), lockOverride(in));
            case PURGE_EXPIRED -> new CatalogCommand.PurgeExpired(stamp, in.id(), in.u32());
            case COPY_STORE ->
                new CatalogCommand.CopyStore(
                    stamp,
                    in.id(),
                    in.id(),
                    in.text("store name", Names.MAX_STORE_NAME_BYTES),
                    in.bool("snapshot"),
                    StoreTrees.read(in));
            case DELETE_SNAPSHOT -> new CatalogCommand.DeleteSnapshot(stamp, in.id());
            case LOCK_SNAPSHOT ->
                new CatalogCommand.LockSnapshot(
                    stamp, in.id(), in.u64(), lockKind(in), lockOverride(in));
            case CREATE_SHARE ->
                new CatalogCommand.CreateShare(
                    stamp, in.id(), shareName(in), in.id(), settings(in));
            case UPDATE_SHARE -> new CatalogCommand.UpdateShare(stamp, in.id(), settings(in));
            case DELETE_SHARE ->
                new CatalogCommand.DeleteShare(stamp, in.id(), in.bool("with files"));
            case COPY_SHARE ->
                new CatalogCommand.CopyShare(
                    stamp,
                    in.id(),
                    in.id(),
                    shareName(in),
                    in.bool("snapshot"),
                    StoreTrees.read(in));
            case CHANGE_SHARE ->
                new CatalogCommand.ChangeShare(stamp, in.id(), in.u64(), readChanges(in));
            default ->
                throw new IOException(
                    "catalog command of type " + type + ", this release knows 1 to " + LAST);
          };
      in.end();
      if (version != version(command)) {
        throw in.corrupt("version " + version(command), "version " + version);
      }
      return command;
    } catch (IllegalArgumentException e) {
      CorruptDataException corrupt =
          in.corrupt("fields in their range", String.valueOf(e.getMessage()));
      corrupt.initCause(e);
      throw corrupt;
    }
  }

  /** Returns the lowest version that has what the command says. */
  private static int version(CatalogCommand command) {
    return switch (command) {
      case CatalogCommand.CreateStore c -> hasPolicy(c.store()) ? 2 : 1;
      case CatalogCommand.UpdateStore c -> hasPolicy(c.settings()) ? 2 : 1;
      case CatalogCommand.LockItem _,
          CatalogCommand.UndeleteItem _,
          CatalogCommand.PurgeDeleted _,
          CatalogCommand.PurgeExpired _,
          CatalogCommand.CopyStore _,
          CatalogCommand.DeleteSnapshot _,
          CatalogCommand.LockSnapshot _ ->
          2;
      case CatalogCommand.CreateShare _,
          CatalogCommand.UpdateShare _,
          CatalogCommand.DeleteShare _,
          CatalogCommand.CopyShare _,
          CatalogCommand.ChangeShare _ ->
          3;
      case CatalogCommand.CreateDomain _,
          CatalogCommand.DeleteStore _,
          CatalogCommand.CommitItem _,
          CatalogCommand.DeleteItem _,
          CatalogCommand.CloneItem _,
          CatalogCommand.UpdateItem _,
          CatalogCommand.CheckpointUpload _,
          CatalogCommand.EndUpload _,
          CatalogCommand.PutRecord _,
          CatalogCommand.RemoveRecord _,
          CatalogCommand.AdvanceStoreTime _,
          CatalogCommand.ContainersGone _,
          CatalogCommand.ContainersUnlinked _,
          CatalogCommand.QuarantineChunk _,
          CatalogCommand.ReleaseChunk _,
          CatalogCommand.SetUnfinishedLimits _ ->
          1;
    };
  }

  private static int type(CatalogCommand command) {
    return switch (command) {
      case CatalogCommand.CreateDomain c -> CREATE_DOMAIN;
      case CatalogCommand.CreateStore c -> CREATE_STORE;
      case CatalogCommand.UpdateStore c -> UPDATE_STORE;
      case CatalogCommand.DeleteStore c -> DELETE_STORE;
      case CatalogCommand.CommitItem c -> COMMIT_ITEM;
      case CatalogCommand.DeleteItem c -> DELETE_ITEM;
      case CatalogCommand.CloneItem c -> CLONE_ITEM;
      case CatalogCommand.UpdateItem c -> UPDATE_ITEM;
      case CatalogCommand.CheckpointUpload c -> CHECKPOINT_UPLOAD;
      case CatalogCommand.EndUpload c -> END_UPLOAD;
      case CatalogCommand.PutRecord c -> PUT_RECORD;
      case CatalogCommand.RemoveRecord c -> REMOVE_RECORD;
      case CatalogCommand.AdvanceStoreTime c -> ADVANCE_STORE_TIME;
      case CatalogCommand.ContainersGone c -> CONTAINERS_GONE;
      case CatalogCommand.ContainersUnlinked c -> CONTAINERS_UNLINKED;
      case CatalogCommand.QuarantineChunk c -> QUARANTINE_CHUNK;
      case CatalogCommand.ReleaseChunk c -> RELEASE_CHUNK;
      case CatalogCommand.SetUnfinishedLimits c -> SET_UNFINISHED_LIMITS;
      case CatalogCommand.LockItem c -> LOCK_ITEM;
      case CatalogCommand.UndeleteItem c -> UNDELETE_ITEM;
      case CatalogCommand.PurgeDeleted c -> PURGE_DELETED;
      case CatalogCommand.PurgeExpired c -> PURGE_EXPIRED;
      case CatalogCommand.CopyStore c -> COPY_STORE;
      case CatalogCommand.DeleteSnapshot c -> DELETE_SNAPSHOT;
      case CatalogCommand.LockSnapshot c -> LOCK_SNAPSHOT;
      case CatalogCommand.CreateShare c -> CREATE_SHARE;
      case CatalogCommand.UpdateShare c -> UPDATE_SHARE;
      case CatalogCommand.DeleteShare c -> DELETE_SHARE;
      case CatalogCommand.CopyShare c -> COPY_SHARE;
      case CatalogCommand.ChangeShare c -> CHANGE_SHARE;
    };
  }

  private static void writeChange(ByteWriter out, ShareChange change) {
    switch (change) {
      case ShareChange.SetValue(byte[] key, byte[] value) ->
          out.u8(SET_VALUE).bytes(key).bytes(value);
      case ShareChange.SetEntry(ShareEntry entry) -> {
        out.u8(SET_ENTRY).bytes(entry.key()).u8(entry.object().isPresent() ? 1 : 0);
        entry.object().ifPresent(object -> ShareValues.writeObject(out, object));
        out.bytes(entry.value());
      }
      case ShareChange.SetObject(byte[] key, ShareObject object) ->
          ShareValues.writeObject(out.u8(SET_OBJECT).bytes(key), object);
      case ShareChange.Remove(byte[] key) -> out.u8(REMOVE).bytes(key);
    }
  }

  private static List<ShareChange> readChanges(ByteReader in) throws CorruptDataException {
    int count = in.count("changes", ShareTree.MAX_CHANGES);
    List<ShareChange> changes = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int type = in.u8();
      byte[] key = in.bytes("key", ShareTree.MAX_KEY_BYTES);
      changes.add(
          switch (type) {
            case SET_VALUE -> new ShareChange.SetValue(key, shareValue(in));
            case SET_ENTRY -> {
              Optional<ShareObject> object =
                  in.bool("object")
                      ? Optional.of(ShareValues.readObject(in))
                      : Optional.<ShareObject>empty();
              yield new ShareChange.SetEntry(new ShareEntry(key, object, shareValue(in)));
            }
            case SET_OBJECT -> new ShareChange.SetObject(key, ShareValues.readObject(in));
            case REMOVE -> new ShareChange.Remove(key);
            default -> throw in.corrupt("change of type 1 to 4", Integer.toString(type));
          });
    }
    return changes;
  }

  private static byte[] shareValue(ByteReader in) throws CorruptDataException {
    return in.bytes("value", ShareTree.MAX_VALUE_BYTES);
  }

  private static String shareName(ByteReader in) throws CorruptDataException {
    return in.text("share name", Names.MAX_STORE_NAME_BYTES);
  }

  private static byte[] settings(ByteReader in) throws CorruptDataException {
    return in.bytes("settings", ShareStore.MAX_SETTINGS_BYTES);
  }

  static int modeCode(CommitMode mode) {
    return switch (mode) {
      case IF_ABSENT -> 1;
      case REPLACE -> 2;
    };
  }

  private static CommitMode mode(ByteReader in) throws CorruptDataException {
    int code = in.u8();
    return switch (code) {
      case 1 -> CommitMode.IF_ABSENT;
      case 2 -> CommitMode.REPLACE;
      default -> throw in.corrupt("commit mode 1 or 2", Integer.toString(code));
    };
  }

  static int compressionCode(Compression compression) {
    return switch (compression) {
      case NONE -> 0;
      case LZ4 -> 1;
      case ZSTD -> 2;
    };
  }

  private static Compression compression(ByteReader in) throws CorruptDataException {
    int code = in.u8();
    return switch (code) {
      case 0 -> Compression.NONE;
      case 1 -> Compression.LZ4;
      case 2 -> Compression.ZSTD;
      default -> throw in.corrupt("compression 0 to 2", Integer.toString(code));
    };
  }

  static void writeDomain(ByteWriter out, DomainRecord domain) {
    out.id(domain.id()).text(domain.name()).u32(domain.parameterSet());
  }

  static DomainRecord readDomain(ByteReader in) throws CorruptDataException {
    return new DomainRecord(
        in.id(),
        in.text("domain name", Names.MAX_STORE_NAME_BYTES),
        in.count("parameter set", Integer.MAX_VALUE));
  }

  static void writeStore(ByteWriter out, StoreRecord store) {
    out.id(store.id())
        .text(store.name())
        .id(store.domainId())
        .u64(store.quotaBytes())
        .u8(compressionCode(store.compression()))
        .u32(store.lockDays())
        .u64(store.createdAtMillis());
  }

  static StoreRecord readStore(ByteReader in) throws CorruptDataException {
    Id id = in.id();
    String name = in.text("store name", Names.MAX_STORE_NAME_BYTES);
    Id domainId = in.id();
    long quotaBytes = in.positive("quota");
    Compression compression = compression(in);
    int lockDays = in.count("lock days", Integer.MAX_VALUE);
    return new StoreRecord(
        id, name, domainId, quotaBytes, compression, lockDays, in.positive("creation time"));
  }

  static boolean hasPolicy(StoreRecord store) {
    return !store.policy().equals(StorePolicy.DEFAULT);
  }

  /** A store's fixed fields, then its policy if it is not the default. */
  private static void writeStoreWithPolicy(ByteWriter out, StoreRecord store) {
    writeStore(out, store);
    if (hasPolicy(store)) {
      writePolicy(out, store.policy());
    }
  }

  private static StoreRecord readStoreWithPolicy(ByteReader in, int version)
      throws CorruptDataException {
    StoreRecord store = readStore(in);
    return version == 1 ? store : store.withPolicy(readPolicy(in));
  }

  static void writePolicy(ByteWriter out, StorePolicy policy) {
    out.u8(lockKindCode(policy.lockKind())).u32(policy.undeleteDays()).u64(policy.softQuotaBytes());
  }

  static StorePolicy readPolicy(ByteReader in) throws CorruptDataException {
    return new StorePolicy(
        lockKind(in), in.count("undelete days", Integer.MAX_VALUE), in.positive("soft quota"));
  }

  static int lockKindCode(LockKind kind) {
    return switch (kind) {
      case GOVERNANCE -> 0;
      case COMPLIANCE -> 1;
    };
  }

  static LockKind lockKind(ByteReader in) throws CorruptDataException {
    return in.bool("lock kind") ? LockKind.COMPLIANCE : LockKind.GOVERNANCE;
  }

  private static void writeOverride(ByteWriter out, @Nullable LockOverride override) {
    out.text(override == null ? "" : override.user());
    out.text(override == null ? "" : override.reason());
  }

  private static @Nullable LockOverride lockOverride(ByteReader in) throws CorruptDataException {
    String user = in.text("user", Names.MAX_STORE_NAME_BYTES);
    String reason = in.text("reason", LockOverride.MAX_REASON_BYTES);
    return user.isEmpty() && reason.isEmpty() ? null : new LockOverride(user, reason);
  }

  private static void writeContainers(ByteWriter out, Id domainId, long[] containerNumbers) {
    out.id(domainId).u32(containerNumbers.length);
    for (long number : containerNumbers) {
      out.u64(number);
    }
  }

  private static long[] readContainers(ByteReader in) throws CorruptDataException {
    int count = in.count("containers", CatalogCommand.MAX_CONTAINERS);
    if (in.left() < count * Long.BYTES) {
      throw in.corrupt(count * Long.BYTES + " more bytes", in.left() + " bytes");
    }
    long[] numbers = new long[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = in.u64();
    }
    return numbers;
  }

  private static String itemName(ByteReader in) throws CorruptDataException {
    return in.text("item name", Names.MAX_ITEM_NAME_BYTES);
  }

  private static String recordKind(ByteReader in) throws CorruptDataException {
    return in.text("record kind", CatalogCommand.MAX_KIND_BYTES);
  }

  private static String recordKey(ByteReader in) throws CorruptDataException {
    return in.text("record key", CatalogCommand.MAX_KEY_BYTES);
  }
}
