package onefold.store;

import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * The shares of one appliance: ordered entries of a front-end's own making, some with an object.
 * Objects of all shares of a domain share chunks with all its items.
 */
public interface ShareStore {
  /** Most bytes of a share's settings. */
  int MAX_SETTINGS_BYTES = 32 << 10;

  /** Shares without snapshots, in order of name. */
  List<ShareRecord> shares() throws IOException;

  /** Finds a share, or by {@code SHARE@SNAPSHOT} a snapshot of one. */
  Optional<ShareRecord> findShare(String name) throws IOException;

  /**
   * Makes a share with an empty tree.
   *
   * @throws RefusedException {@code EXISTS}, {@code INVALID_NAME}, {@code NOT_FOUND} for the domain
   */
  ShareRecord createShare(Id commandId, String name, Id domainId, byte[] settings)
      throws IOException;

  /** Sets the settings of a share; {@code NOT_FOUND}, {@code INVALID_REQUEST} for a snapshot. */
  ShareRecord updateShare(Id commandId, Id shareId, byte[] settings) throws IOException;

  /**
   * Deletes a share, or a snapshot.
   *
   * @throws RefusedException {@code NOT_FOUND}; {@code NOT_EMPTY} if it has entries, unless {@code
   *     withFiles}, and in any case while it has snapshots
   */
  void deleteShare(Id commandId, Id shareId, boolean withFiles) throws IOException;

  /**
   * Keeps a share as it is now, under a name, or makes another share of it, with the same settings.
   * It has all changes whose call had returned, of entries and of objects, and none in part. The
   * work depends on what was changed lately, not on the number of entries: objects are folded, the
   * catalog is written. Entries of a copy hold objects of the same ids as those of the source.
   *
   * @param sourceId a share, or a snapshot if {@code snapshot} is false
   * @param name of the new share, or of the snapshot without its share's name
   * @throws RefusedException {@code NOT_FOUND}, {@code EXISTS}, {@code INVALID_NAME}; {@code
   *     INVALID_REQUEST} for a snapshot of a snapshot and at a bound
   */
  ShareRecord copyShare(Id commandId, Id sourceId, String name, boolean snapshot)
      throws IOException;

  /** Snapshots of a share in order of name. */
  List<ShareRecord> shareSnapshots(Id shareId) throws IOException;

  /**
   * The entries of a share or a snapshot; everybody who asks for those of one share sees the same.
   * After the share is deleted every call of it throws {@code NOT_FOUND}.
   *
   * @throws RefusedException {@code NOT_FOUND}
   */
  ShareTree shareTree(Id shareId) throws IOException;

  /**
   * Opens the content of an entry; every opener gets the same object. That of a snapshot can be
   * read only.
   *
   * @param key of an entry that stays under it as long as it has this object
   * @throws RefusedException {@code NOT_FOUND} if there is no such entry or it has no object
   */
  MutableObject openObject(Id shareId, byte[] key) throws IOException;

  /**
   * Returns length and note of an object that has changes which are not folded; empty if it has
   * none, and the entry says all. Copies of a share hold the same object ids, so both are needed.
   */
  Optional<Unfolded> unfolded(Id shareId, Id objectId);

  /**
   * What an object is with changes that are not folded.
   *
   * @param note what {@link MutableObject#force} was given last
   */
  record Unfolded(long lengthBytes, byte[] note) {}

  /**
   * Changes with every start after which changes that were not forced may be lost: the write
   * verifier of front-ends.
   */
  long startNumber();

  /** Store time in milliseconds since 1970; only moves forward. */
  long storeTimeMillis();

  /** Figures of the changes of a domain's files, for showing. */
  default WritebackStatistics writebackStatistics(Id domainId) throws IOException {
    return WritebackStatistics.NONE;
  }
}
