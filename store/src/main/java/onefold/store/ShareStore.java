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
   * It has all changes whose call had returned, and none in part. The work depends on what was
   * changed since the catalog was last written, not on the number of entries. Entries of a copy
   * hold objects of the same ids as those of the source.
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
}
