package onefold.store;

import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * The shares of one appliance: names of a front-end's own making, and content that is changed in
 * place. Files of all shares of a domain share chunks with all its items.
 */
public interface ShareStore {
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
   * @throws RefusedException {@code NOT_FOUND}; {@code NOT_EMPTY} unless {@code withFiles}, and
   *     while it has snapshots
   */
  void deleteShare(Id commandId, Id shareId, boolean withFiles) throws IOException;

  /**
   * Keeps a share as it is now, under a name, or makes another share of it; folds what is not
   * folded, else the work does not depend on the number of files.
   *
   * @param sourceId a share, or a snapshot if {@code snapshot} is false
   * @param name of the new share, or of the snapshot without its share's name
   */
  ShareRecord copyShare(Id commandId, Id sourceId, String name, boolean snapshot)
      throws IOException;

  /** Snapshots of a share in order of name. */
  List<ShareRecord> shareSnapshots(Id shareId) throws IOException;

  /** The entries of a share or a snapshot; {@code NOT_FOUND}. */
  ShareTree shareTree(Id shareId) throws IOException;

  /**
   * Opens the content of an entry; every opener gets the same object.
   *
   * @throws RefusedException {@code NOT_FOUND} if there is no such entry or it has no object
   */
  MutableObject openObject(Id shareId, byte[] key) throws IOException;

  /**
   * Returns length and note of an object that has changes which are not folded; empty if it has
   * none, and the entry says all.
   */
  Optional<Unfolded> unfolded(Id objectId);

  /** What an object is with changes that are not folded. */
  record Unfolded(long lengthBytes, byte[] note) {}

  /**
   * Changes with every start after which changes that were not forced may be lost: the write
   * verifier of front-ends.
   */
  long startNumber();
}
