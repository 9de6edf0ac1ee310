package onefold.store.catalog;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import onefold.chunker.Fingerprint;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.ShareEntry;
import onefold.store.ShareObject;
import onefold.store.ShareRecord;
import onefold.store.SnapshotRecord;
import onefold.store.catalog.ShareValues.Counts;
import onefold.store.catalog.ShareValues.Share;
import org.jspecify.annotations.Nullable;

/** The shares in a {@link CatalogView}; as immutable, and with the same errors. */
public final class ShareView {
  private final CatalogView view;

  ShareView(CatalogView view) {
    this.view = view;
  }

  // ---- shares

  /** Returns the shares, without snapshots, in order of name. */
  public List<ShareRecord> all() throws IOException {
    List<ShareRecord> shares = new ArrayList<>();
    CatalogView.Walk walk = view.walk(CatalogKeys.shareNames(), null);
    while (walk.next()) {
      shares.add(named(walk.value()));
    }
    return shares;
  }

  /** Tells whether there is any share. */
  public boolean isAny() throws IOException {
    return view.walk(CatalogKeys.shareNames(), null).next();
  }

  int count() throws IOException {
    int count = 0;
    CatalogView.Walk walk = view.walk(CatalogKeys.shareNames(), null);
    while (walk.next()) {
      count++;
    }
    return count;
  }

  /** Finds a share, or by {@code SHARE@SNAPSHOT} a snapshot of one. */
  public Optional<ShareRecord> find(String name) throws IOException {
    int mark = name.indexOf(SnapshotRecord.MARK);
    byte[] id = view.get(CatalogKeys.shareName(mark < 0 ? name : name.substring(0, mark)));
    if (id != null && mark >= 0) {
      id =
          view.get(
              CatalogKeys.shareSnapshotName(CatalogValues.readId(id), name.substring(mark + 1)));
    }
    return id == null ? Optional.empty() : Optional.of(named(id));
  }

  /** Returns a share or a snapshot by its id. */
  public Optional<ShareRecord> find(Id shareId) throws IOException {
    Share share = state(shareId);
    return share == null ? Optional.empty() : Optional.of(withSettings(share));
  }

  /** Tells whether there is a share or a snapshot of this id. */
  public boolean exists(Id shareId) throws IOException {
    return view.get(CatalogKeys.share(shareId)) != null;
  }

  /** Returns the snapshots of a share in order of name. */
  public List<ShareRecord> snapshots(Id shareId) throws IOException {
    List<ShareRecord> snapshots = new ArrayList<>();
    CatalogView.Walk walk = view.walk(CatalogKeys.shareSnapshotNames(shareId), null);
    while (walk.next()) {
      snapshots.add(named(walk.value()));
    }
    return snapshots;
  }

  /** Returns the number of the last change of a share's entries, 0 if there was none. */
  public long changes(Id shareId) throws IOException {
    return counts(shareId).changes();
  }

  /** Returns how many entries a share or a snapshot has. */
  public long entryCount(Id shareId) throws IOException {
    return counts(shareId).entries();
  }

  /** Returns how many of them have an object. */
  public long objectCount(Id shareId) throws IOException {
    return counts(shareId).objects();
  }

  /** Returns the sum of the lengths of these objects, as far as they are folded. */
  public long objectBytes(Id shareId) throws IOException {
    return counts(shareId).objectBytes();
  }

  /** Returns the sum of the lengths of all objects of a domain's shares, without snapshots. */
  long objectBytesOf(Id domainId) throws IOException {
    long bytes = 0;
    for (ShareRecord share : all()) {
      bytes += share.domainId().equals(domainId) ? objectBytes(share.id()) : 0;
    }
    return bytes;
  }

  // ---- entries

  /** Returns an entry of a share or a snapshot; empty also if there is no such share. */
  public Optional<ShareEntry> entry(Id shareId, byte[] key) throws IOException {
    byte[] value = exists(shareId) ? view.get(CatalogKeys.shareEntry(shareId, key)) : null;
    return value == null ? Optional.empty() : Optional.of(entry(shareId, key, value));
  }

  /**
   * Lists entries whose key begins with {@code prefix} and follows {@code after}, in order of key.
   *
   * @param after exclusive; empty for the start
   */
  public List<ShareEntry> entries(Id shareId, byte[] prefix, byte[] after, int limit)
      throws IOException {
    List<ShareEntry> entries = new ArrayList<>();
    if (!exists(shareId)) {
      return entries;
    }
    byte[] from = after.length == 0 ? null : CatalogKeys.shareEntry(shareId, after);
    CatalogView.Walk walk = view.walk(CatalogKeys.shareEntry(shareId, prefix), from);
    while (entries.size() < limit && walk.next()) {
      entries.add(entry(shareId, CatalogKeys.inTree(walk.key()), walk.value()));
    }
    return entries;
  }

  private ShareEntry entry(Id shareId, byte[] key, byte[] encoded) throws IOException {
    ShareValues.Entry entry = ShareValues.Entry.decode(encoded);
    byte[] value = entry.value();
    if (value == null) {
      value = view.get(CatalogKeys.shareValue(shareId, key));
      if (value == null) {
        throw new CorruptDataException("catalog", -1, "the long value of an entry", "none");
      }
    }
    return new ShareEntry(key, entry.object(), value);
  }

  /** Tells whether all of a share's entries, as they are in this view, are in the pages. */
  public boolean isFolded(Id shareId) {
    byte[] none = new byte[0];
    return view.isFolded(
        List.of(CatalogKeys.shareEntry(shareId, none), CatalogKeys.shareValue(shareId, none)));
  }

  /** Returns the roots of a share's trees in the pages: its entries and their long values. */
  public StoreTrees trees(Id shareId) throws IOException {
    byte[] none = new byte[0];
    return new StoreTrees(
        view.tree(CatalogKeys.shareEntry(shareId, none)),
        view.tree(CatalogKeys.shareValue(shareId, none)));
  }

  // ---- what a mark starts from

  /** Visits the objects of all entries of a domain's shares and their snapshots. */
  void visitObjects(Id domainId, CatalogView.ObjectVisitor visitor) throws IOException {
    byte[] none = new byte[0];
    for (ShareRecord share : all()) {
      if (share.domainId().equals(domainId)) {
        CatalogView.Walk walk = view.walk(CatalogKeys.shareEntry(share.id(), none), null);
        while (walk.next()) {
          visitObject(share.id(), walk.value(), visitor);
        }
      }
    }
    // Snapshots share most of their pages: each page is read once.
    Set<Fingerprint> seen = new HashSet<>();
    CatalogView.Walk walk =
        view.walk(new byte[] {CatalogKeys.ROOTS, CatalogKeys.SHARE_SNAPSHOT_NAME}, null);
    while (walk.next()) {
      ShareRecord snapshot = named(walk.value());
      PageTree.Root root = view.treeOf(CatalogKeys.shareEntry(snapshot.id(), none));
      if (root != null && snapshot.domainId().equals(domainId)) {
        view.pages()
            .visitNewPages(
                root,
                CatalogKeys.SHARE_ENTRIES,
                leaf -> {
                  for (int i = 0; i < leaf.count(); i++) {
                    visitObject(snapshot.id(), view.pages().value(leaf, i), visitor);
                  }
                },
                seen);
      }
    }
  }

  /** Visits the object of an entry that is not yet in the pages, if it lies in this domain. */
  void visitUnfoldedObject(
      Id domainId, byte[] fullKey, byte[] value, CatalogView.ObjectVisitor visitor)
      throws IOException {
    Id shareId = CatalogKeys.ownerId(fullKey);
    Share share = state(shareId);
    if (share != null && share.record().domainId().equals(domainId)) {
      visitObject(shareId, value, visitor);
    }
  }

  private static void visitObject(Id shareId, byte[] value, CatalogView.ObjectVisitor visitor)
      throws IOException {
    Optional<ShareObject> object = ShareValues.Entry.decode(value).object();
    if (object.isPresent() && ShareValues.refersToNode(object.get().root())) {
      visitor.object(shareId, "", object.get().root());
    }
  }

  // ---- for the catalog itself

  @Nullable Share state(Id shareId) throws IOException {
    byte[] value = view.get(CatalogKeys.share(shareId));
    return value == null ? null : Share.decode(shareId, value);
  }

  Counts counts(Id shareId) throws IOException {
    byte[] value = view.get(CatalogKeys.shareCounts(shareId));
    return value == null ? Counts.NONE : Counts.decode(value);
  }

  byte[] settings(Id shareId) throws IOException {
    byte[] settings = view.get(CatalogKeys.shareSettings(shareId));
    return settings == null ? new byte[0] : settings;
  }

  private ShareRecord named(byte[] encodedId) throws IOException {
    Id id = CatalogValues.readId(encodedId);
    Share share = state(id);
    if (share == null) {
      throw new CorruptDataException(
          "catalog", -1, "a share with the id " + id + " that a name stands for", "none");
    }
    return withSettings(share);
  }

  private ShareRecord withSettings(Share share) throws IOException {
    ShareRecord record = share.record();
    return new ShareRecord(
        record.id(),
        record.name(),
        record.domainId(),
        record.createdAtMillis(),
        settings(record.id()),
        record.snapshot());
  }

  /** Tells whether two arrays of bytes begin alike, for whoever merges lists of entries. */
  public static boolean startsWith(byte[] key, byte[] prefix) {
    return key.length >= prefix.length
        && Arrays.equals(key, 0, prefix.length, prefix, 0, prefix.length);
  }
}
