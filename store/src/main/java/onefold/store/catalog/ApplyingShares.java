package onefold.store.catalog;

import java.io.IOException;
import java.util.Optional;
import onefold.store.Id;
import onefold.store.RefusedException.Reason;
import onefold.store.ShareChange;
import onefold.store.ShareEntry;
import onefold.store.ShareRecord;
import onefold.store.SnapshotRecord;
import onefold.store.catalog.ShareValues.Counts;
import onefold.store.catalog.ShareValues.Share;
import org.jspecify.annotations.Nullable;

/** The part of {@link Applying} that is about shares. */
final class ApplyingShares {
  private final Applying applying;

  ApplyingShares(Applying applying) {
    this.applying = applying;
  }

  private ShareView now() {
    return applying.view().shares();
  }

  CatalogReply create(CatalogCommand.CreateShare c) throws IOException {
    CatalogReply.Refused refusal = refusalOfName(c.name());
    if (refusal == null) {
      refusal = refusalOfId(c.shareId());
    }
    if (refusal != null) {
      return refusal;
    }
    if (applying.view().get(CatalogKeys.domain(c.domainId())) == null) {
      return refused(Reason.NOT_FOUND, "there is no domain with the id " + c.domainId());
    }
    return made(c.shareId(), c.name(), c.domainId(), c.settings(), null);
  }

  private CatalogReply.@Nullable Refused refusalOfName(String name) throws IOException {
    if (applying.view().get(CatalogKeys.shareName(name)) != null) {
      return refused(Reason.EXISTS, "there is a share '" + name + "' already");
    }
    if (now().count() >= Catalog.MAX_SHARES) {
      return refused(
          Reason.INVALID_REQUEST, "there are " + Catalog.MAX_SHARES + " shares, which is the most");
    }
    return null;
  }

  private CatalogReply.@Nullable Refused refusalOfId(Id id) throws IOException {
    return id.equals(CatalogCommand.NO_ID) || now().exists(id)
        ? refused(Reason.CONFLICT, "the share id " + id + " is taken")
        : null;
  }

  private CatalogReply made(Id id, String name, Id domainId, byte[] settings, @Nullable Id of)
      throws IOException {
    ShareRecord record =
        new ShareRecord(
            id, name, domainId, applying.state().storeTimeMillis(), settings, of != null);
    write(Share.fresh(record, of));
    applying.write(CatalogKeys.shareCounts(id), Counts.NONE.encode());
    applying.write(CatalogKeys.shareSettings(id), settings);
    applying.write(
        of == null
            ? CatalogKeys.shareName(name)
            : CatalogKeys.shareSnapshotName(
                of, name.substring(name.indexOf(SnapshotRecord.MARK) + 1)),
        CatalogValues.id(id));
    return done(record);
  }

  CatalogReply update(CatalogCommand.UpdateShare c) throws IOException {
    Share share = now().state(c.shareId());
    if (share == null || share.of() != null) {
      return unchangeable(share, c.shareId(), Reason.INVALID_REQUEST);
    }
    applying.write(CatalogKeys.shareSettings(c.shareId()), c.settings());
    ShareRecord was = share.record();
    return done(
        new ShareRecord(
            was.id(), was.name(), was.domainId(), was.createdAtMillis(), c.settings(), false));
  }

  CatalogReply delete(CatalogCommand.DeleteShare c) throws IOException {
    Share share = now().state(c.shareId());
    if (share == null) {
      return noShare(c.shareId());
    }
    String name = share.record().name();
    long entries = now().counts(c.shareId()).entries();
    if (entries > 0 && !c.withFiles()) {
      return refused(
          Reason.NOT_EMPTY,
          "share '" + name + "' has " + entries + " entries; delete it with its files");
    }
    if (share.snapshotCount() > 0) {
      return refused(
          Reason.NOT_EMPTY,
          "share '" + name + "' has " + share.snapshotCount() + " snapshots; delete them first");
    }
    Id of = share.of();
    if (of == null) {
      applying.remove(CatalogKeys.shareName(name));
    } else {
      Share source = now().state(of);
      if (source == null) {
        throw new IllegalStateException("snapshot " + c.shareId() + " of no share");
      }
      write(source.withSnapshots(-1));
      applying.remove(
          CatalogKeys.shareSnapshotName(of, name.substring(name.indexOf(SnapshotRecord.MARK) + 1)));
    }
    applying.remove(CatalogKeys.share(c.shareId()));
    applying.remove(CatalogKeys.shareCounts(c.shareId()));
    applying.remove(CatalogKeys.shareSettings(c.shareId()));
    // What of its entries lies above the pages is dropped by the next fold.
    applying.remove(CatalogKeys.treeRoot(CatalogKeys.SHARE_ENTRIES, c.shareId()));
    applying.remove(CatalogKeys.treeRoot(CatalogKeys.SHARE_VALUES, c.shareId()));
    return new CatalogReply.Done(new CatalogReply.Nothing());
  }

  CatalogReply copy(CatalogCommand.CopyShare c) throws IOException {
    Share source = now().state(c.sourceId());
    if (source == null) {
      return noShare(c.sourceId());
    }
    CatalogReply.Refused refusal = refusalOfId(c.copyId());
    if (refusal == null) {
      refusal = c.snapshot() ? refusalOfSnapshot(source, c) : refusalOfName(c.name());
    }
    if (refusal != null) {
      return refusal;
    }
    String name = c.snapshot() ? snapshotName(source, c) : c.name();
    if (c.snapshot()) {
      write(source.withSnapshots(1));
    }
    CatalogReply reply =
        made(
            c.copyId(),
            name,
            source.record().domainId(),
            now().settings(c.sourceId()),
            c.snapshot() ? c.sourceId() : null);
    applying.write(
        CatalogKeys.shareCounts(c.copyId()), now().counts(c.sourceId()).copied().encode());
    applying.writeTree(CatalogKeys.SHARE_ENTRIES, c.copyId(), c.trees().items());
    applying.writeTree(CatalogKeys.SHARE_VALUES, c.copyId(), c.trees().lookups());
    return reply;
  }

  private static String snapshotName(Share source, CatalogCommand.CopyShare c) {
    return source.record().name() + SnapshotRecord.MARK + c.name();
  }

  private CatalogReply.@Nullable Refused refusalOfSnapshot(Share source, CatalogCommand.CopyShare c)
      throws IOException {
    if (source.of() != null) {
      return unchangeable(source, c.sourceId(), Reason.INVALID_REQUEST);
    }
    return Applying.refusalOfSnapshot(
        "share",
        source.record().name(),
        snapshotName(source, c),
        applying.view().get(CatalogKeys.shareSnapshotName(c.sourceId(), c.name())) != null,
        source.snapshotCount());
  }

  // ---- entries

  CatalogReply change(CatalogCommand.ChangeShare c) throws IOException {
    Share share = now().state(c.shareId());
    if (share == null || share.of() != null) {
      return unchangeable(share, c.shareId(), Reason.READ_ONLY);
    }
    Counts counts = now().counts(c.shareId());
    if (c.sequence() != counts.changes() + 1) {
      // One before it was lost, or it was done already.
      return refused(
          Reason.CONFLICT,
          "change "
              + c.sequence()
              + " of share '"
              + share.record().name()
              + "' does not follow change "
              + counts.changes());
    }
    counts = counts.changed();
    for (ShareChange change : c.changes()) {
      Optional<ShareEntry> before = now().entry(c.shareId(), change.key());
      Optional<ShareEntry> after = change.applied(before);
      if (before.isPresent()) {
        counts = counts.without(before.get().object());
      }
      if (after.isPresent()) {
        counts = counts.with(after.get().object());
      }
      write(c.shareId(), change.key(), before, after);
    }
    applying.write(CatalogKeys.shareCounts(c.shareId()), counts.encode());
    return new CatalogReply.Done(new CatalogReply.Nothing());
  }

  private void write(
      Id shareId, byte[] key, Optional<ShareEntry> before, Optional<ShareEntry> after) {
    boolean wasLong = before.isPresent() && isLong(before.get());
    boolean isLong = after.isPresent() && isLong(after.get());
    if (after.isPresent()) {
      ShareEntry entry = after.get();
      applying.write(
          CatalogKeys.shareEntry(shareId, key),
          new ShareValues.Entry(entry.object(), isLong ? null : entry.value()).encode());
      if (isLong) {
        applying.write(CatalogKeys.shareValue(shareId, key), entry.value());
      }
    } else if (before.isPresent()) {
      applying.remove(CatalogKeys.shareEntry(shareId, key));
    }
    if (wasLong && !isLong) {
      applying.remove(CatalogKeys.shareValue(shareId, key));
    }
  }

  private static boolean isLong(ShareEntry entry) {
    return entry.value().length > ShareValues.MAX_ENTRY_VALUE_BYTES;
  }

  // ---- steps

  private void write(Share share) {
    applying.write(CatalogKeys.share(share.record().id()), share.encode());
  }

  private static CatalogReply done(ShareRecord share) {
    return new CatalogReply.Done(new CatalogReply.ShareResult(share));
  }

  private static CatalogReply.Refused refused(Reason reason, String message) {
    return new CatalogReply.Refused(reason, message);
  }

  private static CatalogReply.Refused noShare(Id shareId) {
    return refused(Reason.NOT_FOUND, "there is no share with the id " + shareId);
  }

  private static CatalogReply.Refused unchangeable(
      @Nullable Share share, Id shareId, Reason ofSnapshot) {
    return share == null
        ? noShare(shareId)
        : refused(
            ofSnapshot,
            "'"
                + share.record().name()
                + "' is a snapshot, which never changes; copy it to a share");
  }
}
