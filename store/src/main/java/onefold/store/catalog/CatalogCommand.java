package onefold.store.catalog;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.ObjectRoot;
import onefold.store.ChunkStore;
import onefold.store.CommitMode;
import onefold.store.DomainRecord;
import onefold.store.Id;
import onefold.store.ItemRecord;
import onefold.store.LockKind;
import onefold.store.LockOverride;
import onefold.store.Names;
import onefold.store.ShareChange;
import onefold.store.ShareStore;
import onefold.store.ShareTree;
import onefold.store.StoreRecord;
import org.jspecify.annotations.Nullable;

/**
 * One change of the catalog, as it stands in the journal. A command holds every id and time that
 * applying it needs, so that applying uses no clock, randomness or files and gives the same answer
 * wherever it is repeated.
 *
 * <p>The constructors reject what no door may let through (sizes beyond the format's limits);
 * whether a command can be done is the {@link Catalog}'s answer.
 */
public sealed interface CatalogCommand {
  /**
   * Stands for "no id": as a command's id, its answer is not remembered; as an upload, none is
   * ended.
   */
  Id NO_ID = new Id(0, 0);

  /** Most tags of an item. */
  int MAX_TAGS = 64;

  /** Most bytes of all keys and values of an item's tags together, in UTF-8. */
  int MAX_TAG_BYTES = 4096;

  /** Most bytes of the kind of a record, in UTF-8. */
  int MAX_KIND_BYTES = 64;

  /** Most bytes of the key of a record, in UTF-8. */
  int MAX_KEY_BYTES = 1024;

  /** Most deleted items that one command gives up. */
  int MAX_PURGED = 1000;

  /** Most containers that one command names. */
  int MAX_CONTAINERS = 4096;

  /**
   * What every command carries.
   *
   * @param commandId repeated with the same id, a command gives its first answer; {@link #NO_ID}
   *     for what only the engine itself asks for and what may be done twice
   * @param storeTimeMillis store time at which it was asked for; moves the catalog's store time
   *     forward
   * @param epoch of the asker; a command of a lower epoch than the catalog has seen is refused
   */
  record Stamp(Id commandId, long storeTimeMillis, long epoch) {
    public Stamp {
      if (storeTimeMillis < 0) {
        throw new IllegalArgumentException("storeTimeMillis " + storeTimeMillis);
      }
      if (epoch < 0) {
        throw new IllegalArgumentException("epoch " + epoch);
      }
    }
  }

  Stamp stamp();

  /** Makes a dedup domain; answered with {@link CatalogReply.DomainResult}. */
  record CreateDomain(Stamp stamp, DomainRecord domain) implements CatalogCommand {
    public CreateDomain {
      checkText("domain name", domain.name(), Names.MAX_STORE_NAME_BYTES);
    }
  }

  /**
   * Makes a store; answered with {@link CatalogReply.StoreResult}.
   *
   * @param store with its new id; the time of creation is the store time of the command whatever it
   *     says
   */
  record CreateStore(Stamp stamp, StoreRecord store) implements CatalogCommand {
    public CreateStore {
      checkText("store name", store.name(), Names.MAX_STORE_NAME_BYTES);
    }
  }

  /**
   * Changes quota, compression, lock days and policy of a store; answered with {@link
   * CatalogReply.StoreResult}.
   */
  record UpdateStore(Stamp stamp, StoreRecord settings) implements CatalogCommand {
    public UpdateStore {
      checkText("store name", settings.name(), Names.MAX_STORE_NAME_BYTES);
    }
  }

  /**
   * Deletes a store and ends its unfinished uploads; answered with {@link CatalogReply.Nothing}.
   */
  record DeleteStore(Stamp stamp, Id storeId, boolean withItems) implements CatalogCommand {}

  /**
   * Makes a store, or a snapshot, of a store's items by naming the roots of its trees again;
   * answered with {@link CatalogReply.StoreResult}.
   *
   * @param sourceId a store; or a snapshot, unless this is to be one
   * @param copyId of the new store
   * @param name of the new store, or of the snapshot without its store's name
   * @param snapshot whether it is one
   * @param trees roots of the source's trees in the pages, which hold all its items
   */
  record CopyStore(
      Stamp stamp, Id sourceId, Id copyId, String name, boolean snapshot, StoreTrees trees)
      implements CatalogCommand {
    public CopyStore {
      checkText("store name", name, Names.MAX_STORE_NAME_BYTES);
    }

    /** The same with the roots of the source's trees. */
    public CopyStore with(StoreTrees found) {
      return new CopyStore(stamp, sourceId, copyId, name, snapshot, found);
    }
  }

  /** Deletes a snapshot; answered with {@link CatalogReply.Nothing}. */
  record DeleteSnapshot(Stamp stamp, Id snapshotId) implements CatalogCommand {}

  /**
   * Locks a snapshot; answered with {@link CatalogReply.StoreResult}.
   *
   * @param lockedUntilMillis store time, from 1
   * @param override who may shorten a lock under way and why, or null
   */
  record LockSnapshot(
      Stamp stamp,
      Id snapshotId,
      long lockedUntilMillis,
      LockKind kind,
      @Nullable LockOverride override)
      implements CatalogCommand {
    public LockSnapshot {
      if (lockedUntilMillis < 1) {
        throw new IllegalArgumentException("lockedUntilMillis " + lockedUntilMillis);
      }
    }
  }

  /**
   * Gives an object a name; answered with {@link CatalogReply.ItemResult}.
   *
   * @param itemId id of the new version
   * @param lockDays days of store time to lock it; the store's own if that is more
   * @param newBytes raw bytes that the upload added to the domain
   * @param uploadId the upload whose unfinished root this ends, with any other of the same name, or
   *     {@link #NO_ID}
   */
  record CommitItem(
      Stamp stamp,
      Id storeId,
      String name,
      Id itemId,
      ObjectRoot root,
      CommitMode mode,
      SortedMap<String, String> tags,
      int lockDays,
      long newBytes,
      Id uploadId)
      implements CatalogCommand {
    public CommitItem {
      checkText("item name", name, Names.MAX_ITEM_NAME_BYTES);
      tags = checkedTags(tags);
      if (lockDays < 0) {
        throw new IllegalArgumentException("lockDays " + lockDays);
      }
      if (newBytes < 0) {
        throw new IllegalArgumentException("newBytes " + newBytes);
      }
    }
  }

  /**
   * Takes an item's name away; answered with {@link CatalogReply.ItemResult}, the item as it was.
   */
  record DeleteItem(Stamp stamp, Id storeId, String name) implements CatalogCommand {
    public DeleteItem {
      checkText("item name", name, Names.MAX_ITEM_NAME_BYTES);
    }
  }

  /**
   * Gives the object of an item a second name; answered with {@link CatalogReply.ItemResult}, the
   * new item.
   *
   * @param itemId id of the new version
   */
  record CloneItem(
      Stamp stamp,
      Id storeId,
      String name,
      Id targetStoreId,
      String targetName,
      Id itemId,
      CommitMode mode)
      implements CatalogCommand {
    public CloneItem {
      checkText("item name", name, Names.MAX_ITEM_NAME_BYTES);
      checkText("item name", targetName, Names.MAX_ITEM_NAME_BYTES);
    }
  }

  /**
   * Sets an item's tags, hold and lock; answered with {@link CatalogReply.ItemResult}.
   *
   * @param lockedUntilMillis store time, not before the lock it has; or 0 to leave that as it is
   */
  record UpdateItem(
      Stamp stamp,
      Id storeId,
      String name,
      SortedMap<String, String> tags,
      boolean held,
      long lockedUntilMillis)
      implements CatalogCommand {
    public UpdateItem {
      checkText("item name", name, Names.MAX_ITEM_NAME_BYTES);
      tags = checkedTags(tags);
      if (lockedUntilMillis < 0) {
        throw new IllegalArgumentException("lockedUntilMillis " + lockedUntilMillis);
      }
    }
  }

  /**
   * Locks an item; answered with {@link CatalogReply.ItemResult}.
   *
   * @param lockedUntilMillis store time, from 1
   * @param override who may shorten a lock under way and why, or null
   */
  record LockItem(
      Stamp stamp,
      Id storeId,
      String name,
      long lockedUntilMillis,
      LockKind kind,
      @Nullable LockOverride override)
      implements CatalogCommand {
    public LockItem {
      checkText("item name", name, Names.MAX_ITEM_NAME_BYTES);
      if (lockedUntilMillis < 1) {
        throw new IllegalArgumentException("lockedUntilMillis " + lockedUntilMillis);
      }
    }
  }

  /**
   * Brings a deleted item back; answered with {@link CatalogReply.ItemResult}.
   *
   * @param item as it was when it was deleted; refused if there is no such one
   * @param targetName its name from now on
   */
  record UndeleteItem(Stamp stamp, ItemRecord item, String targetName, CommitMode mode)
      implements CatalogCommand {
    public UndeleteItem {
      checkText("item name", item.name(), Names.MAX_ITEM_NAME_BYTES);
      checkText("item name", targetName, Names.MAX_ITEM_NAME_BYTES);
    }

    /**
     * Makes the command for an item that is not there: refused, unless it is a repeated one, which
     * gets its first answer.
     */
    public static UndeleteItem ofNone(
        Stamp stamp, Id storeId, String name, long version, String targetName, CommitMode mode) {
      ItemRecord none =
          new ItemRecord(
              storeId,
              name,
              NO_ID,
              version,
              new ObjectRoot(new Fingerprint(0, 0, 0, 0), 0, 0),
              0,
              Collections.emptySortedMap(),
              0,
              LockKind.GOVERNANCE,
              false,
              0);
      return new UndeleteItem(stamp, none, targetName, mode);
    }
  }

  /**
   * Gives up a deleted item; answered with {@link CatalogReply.Nothing}.
   *
   * @param override who may do so before its time and why, or null
   */
  record PurgeDeleted(
      Stamp stamp, Id storeId, String name, long version, @Nullable LockOverride override)
      implements CatalogCommand {
    public PurgeDeleted {
      checkText("item name", name, Names.MAX_ITEM_NAME_BYTES);
      if (version < 0) {
        throw new IllegalArgumentException("version " + version);
      }
    }
  }

  /**
   * Gives up those deleted items whose time has come; answered with {@link CatalogReply.Nothing}.
   *
   * @param most of them, 1 to {@link #MAX_PURGED}
   */
  record PurgeExpired(Stamp stamp, Id storeId, int most) implements CatalogCommand {
    public PurgeExpired {
      if (most < 1 || most > MAX_PURGED) {
        throw new IllegalArgumentException("most " + most + ", must be 1 to " + MAX_PURGED);
      }
    }
  }

  /**
   * Sets the unfinished root of an upload; the first checkpoint of an upload ends an older upload
   * of the same name. Answered with {@link CatalogReply.UploadResult}.
   *
   * @param root the tree so far
   * @param sequence counts from 1 in an upload; a checkpoint that comes after a later one changes
   *     nothing
   * @param createdAtMillis store time at which the upload was opened
   */
  record CheckpointUpload(
      Stamp stamp,
      Id uploadId,
      Id storeId,
      String name,
      ObjectRoot root,
      long sequence,
      long createdAtMillis)
      implements CatalogCommand {
    public CheckpointUpload {
      checkText("item name", name, Names.MAX_ITEM_NAME_BYTES);
      if (sequence < 1) {
        throw new IllegalArgumentException("sequence " + sequence);
      }
      if (createdAtMillis < 0) {
        throw new IllegalArgumentException("createdAtMillis " + createdAtMillis);
      }
      if (uploadId.equals(NO_ID)) {
        throw new IllegalArgumentException("uploadId is that for none");
      }
    }
  }

  /** Drops the unfinished root of an upload; answered with {@link CatalogReply.Nothing}. */
  record EndUpload(Stamp stamp, Id uploadId) implements CatalogCommand {}

  /**
   * Sets a small record; answered with {@link CatalogReply.Nothing}.
   *
   * @param value opaque to the catalog; kept as it is, so nobody may change it afterwards
   */
  record PutRecord(Stamp stamp, String kind, String key, byte[] value) implements CatalogCommand {
    public PutRecord {
      checkText("record kind", kind, MAX_KIND_BYTES);
      checkText("record key", key, MAX_KEY_BYTES);
      if (value.length > ChunkStore.MAX_RECORD_BYTES) {
        throw new IllegalArgumentException(
            "record of " + value.length + " bytes, at most " + ChunkStore.MAX_RECORD_BYTES);
      }
    }
  }

  /** Removes a small record if it is there; answered with {@link CatalogReply.Nothing}. */
  record RemoveRecord(Stamp stamp, String kind, String key) implements CatalogCommand {
    public RemoveRecord {
      checkText("record kind", kind, MAX_KIND_BYTES);
      checkText("record key", key, MAX_KEY_BYTES);
    }
  }

  /**
   * Moves store time to the stamp's, if that is later; answered with {@link CatalogReply.Nothing}.
   */
  record AdvanceStoreTime(Stamp stamp) implements CatalogCommand {}

  /**
   * Says that containers hold nothing any more and may be unlinked; answered with {@link
   * CatalogReply.Nothing}.
   *
   * @param containerNumbers 1 to {@link #MAX_CONTAINERS}; kept as it is
   */
  record ContainersGone(Stamp stamp, Id domainId, long[] containerNumbers)
      implements CatalogCommand {
    public ContainersGone {
      checkContainers(containerNumbers);
    }
  }

  /**
   * Says that the files of gone containers are unlinked, so that nothing need remember them;
   * answered with {@link CatalogReply.Nothing}.
   */
  record ContainersUnlinked(Stamp stamp, Id domainId, long[] containerNumbers)
      implements CatalogCommand {
    public ContainersUnlinked {
      checkContainers(containerNumbers);
    }
  }

  /**
   * Says that the stored bytes of a chunk were found damaged; answered with {@link
   * CatalogReply.Nothing}.
   *
   * @param lengthBytes plain length of the chunk
   */
  record QuarantineChunk(
      Stamp stamp,
      Id domainId,
      ChunkKind kind,
      Fingerprint fingerprint,
      int lengthBytes,
      long containerNumber,
      int slot)
      implements CatalogCommand {
    public QuarantineChunk {
      if (lengthBytes < 0) {
        throw new IllegalArgumentException("lengthBytes " + lengthBytes);
      }
      if (slot < 0) {
        throw new IllegalArgumentException("slot " + slot);
      }
    }
  }

  /**
   * Ends a quarantine because a sound copy has arrived or an operator says so; answered with {@link
   * CatalogReply.Nothing}.
   */
  record ReleaseChunk(Stamp stamp, Id domainId, ChunkKind kind, Fingerprint fingerprint)
      implements CatalogCommand {}

  /**
   * Sets the bounds on unfinished uploads of each store; answered with {@link
   * CatalogReply.Nothing}.
   *
   * @param maxUnfinishedCount uploads of one store, from 1
   * @param maxUnfinishedBytes their logical bytes together, from 1
   */
  record SetUnfinishedLimits(Stamp stamp, long maxUnfinishedCount, long maxUnfinishedBytes)
      implements CatalogCommand {
    public SetUnfinishedLimits {
      if (maxUnfinishedCount < 1) {
        throw new IllegalArgumentException("maxUnfinishedCount " + maxUnfinishedCount);
      }
      if (maxUnfinishedBytes < 1) {
        throw new IllegalArgumentException("maxUnfinishedBytes " + maxUnfinishedBytes);
      }
    }
  }

  /**
   * Makes a share with no entries; answered with {@link CatalogReply.ShareResult}.
   *
   * @param settings kept as they are, so nobody may change them afterwards
   */
  record CreateShare(Stamp stamp, Id shareId, String name, Id domainId, byte[] settings)
      implements CatalogCommand {
    public CreateShare {
      checkText("share name", name, Names.MAX_STORE_NAME_BYTES);
      checkSettings(settings);
    }
  }

  /** Sets the settings of a share; answered with {@link CatalogReply.ShareResult}. */
  record UpdateShare(Stamp stamp, Id shareId, byte[] settings) implements CatalogCommand {
    public UpdateShare {
      checkSettings(settings);
    }
  }

  /** Deletes a share or a snapshot of one; answered with {@link CatalogReply.Nothing}. */
  record DeleteShare(Stamp stamp, Id shareId, boolean withFiles) implements CatalogCommand {}

  /**
   * Makes a share, or a snapshot, of a share's entries by naming the roots of its trees again;
   * answered with {@link CatalogReply.ShareResult}.
   *
   * @param sourceId a share; or a snapshot, unless this is to be one
   * @param name of the new share, or of the snapshot without its share's name
   * @param trees roots of the source's trees in the pages, which hold all its entries
   */
  record CopyShare(
      Stamp stamp, Id sourceId, Id copyId, String name, boolean snapshot, StoreTrees trees)
      implements CatalogCommand {
    public CopyShare {
      checkText("share name", name, Names.MAX_STORE_NAME_BYTES);
    }

    /** The same with the roots of the source's trees. */
    public CopyShare with(StoreTrees found) {
      return new CopyShare(stamp, sourceId, copyId, name, snapshot, found);
    }
  }

  /**
   * Changes entries of a share, in the order of the list; answered with {@link
   * CatalogReply.Nothing}.
   *
   * @param sequence counts from 1 in a share; one that does not follow the last is refused, so that
   *     none is done twice, or without the one before
   * @param changes 1 to {@link ShareTree#MAX_CHANGES}, together at most {@link
   *     ShareTree#MAX_CHANGE_BYTES}; their arrays are kept as they are
   */
  record ChangeShare(Stamp stamp, Id shareId, long sequence, List<ShareChange> changes)
      implements CatalogCommand {
    public ChangeShare {
      if (sequence < 1) {
        throw new IllegalArgumentException("sequence " + sequence);
      }
      changes = List.copyOf(changes);
      ShareChange.check(changes);
    }
  }

  private static void checkSettings(byte[] settings) {
    if (settings.length > ShareStore.MAX_SETTINGS_BYTES) {
      throw new IllegalArgumentException(
          "settings of " + settings.length + " bytes, at most " + ShareStore.MAX_SETTINGS_BYTES);
    }
  }

  private static void checkText(String what, String text, int maxBytes) {
    int bytes = text.length() > maxBytes ? text.length() : ByteWriter.utf8(text).length;
    if (bytes < 1 || bytes > maxBytes) {
      throw new IllegalArgumentException(
          what + " of " + bytes + " bytes, must be 1 to " + maxBytes);
    }
  }

  private static void checkContainers(long[] containerNumbers) {
    if (containerNumbers.length < 1 || containerNumbers.length > MAX_CONTAINERS) {
      throw new IllegalArgumentException(
          containerNumbers.length + " containers in one command, must be 1 to " + MAX_CONTAINERS);
    }
  }

  /**
   * Returns an unmodifiable copy of {@code tags} in order of key.
   *
   * @throws IllegalArgumentException if they are more or longer than an item can have, which says
   *     by how much
   */
  static SortedMap<String, String> checkedTags(SortedMap<String, String> tags) {
    if (tags.size() > MAX_TAGS) {
      throw new IllegalArgumentException(tags.size() + " tags, at most " + MAX_TAGS);
    }
    long bytes = 0;
    for (Map.Entry<String, String> tag : tags.entrySet()) {
      if (tag.getKey().isEmpty()) {
        throw new IllegalArgumentException("a tag's key is empty");
      }
      bytes += ByteWriter.utf8(tag.getKey()).length + ByteWriter.utf8(tag.getValue()).length;
    }
    if (bytes > MAX_TAG_BYTES) {
      throw new IllegalArgumentException("tags of " + bytes + " bytes, at most " + MAX_TAG_BYTES);
    }
    return Collections.unmodifiableSortedMap(new TreeMap<>(tags));
  }
}
