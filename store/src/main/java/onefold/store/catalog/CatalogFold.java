package onefold.store.catalog;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import onefold.store.Id;
import onefold.store.catalog.CatalogValues.State;
import onefold.store.catalog.PageTreeWriter.Change;
import org.jspecify.annotations.Nullable;

/**
 * One batch of changes on its way into pages: those frozen when it began. Written by one thread,
 * which may be another than the one that began it, while the catalog goes on.
 */
public final class CatalogFold {
  private final CatalogView view;
  private final State state;
  private final long position;
  private volatile PageTree.@Nullable Root base;

  CatalogFold(CatalogView view, State state, long position) {
    this.view = view;
    this.state = state;
    this.position = position;
  }

  /**
   * Writes the changed pages of each tree, children before parents, and the tree of roots last. It
   * may be called again after a failure, and gives the same pages.
   *
   * @return the catalog's new root; whoever makes it durable makes the pages durable before
   * @throws IOException if a page cannot be read or written; the catalog is as it was
   */
  public CatalogRoot write() throws IOException {
    TreeMap<byte[], byte[]> roots = new TreeMap<>(Arrays::compareUnsigned);
    List<Change> changes = new ArrayList<>();
    byte[] tree = new byte[0];
    PersistentMap.Walk<byte[], byte[]> walk = view.frozen().changes().from(new byte[0]);
    while (walk.next()) {
      byte[] key = walk.key();
      if (key[0] == CatalogKeys.ROOTS) {
        roots.put(CatalogKeys.inTree(key), walk.value());
        continue;
      }
      byte[] address = Arrays.copyOf(key, CatalogKeys.addressBytes(key));
      if (!Arrays.equals(address, tree)) {
        writeTree(tree, changes, roots);
        changes = new ArrayList<>();
        tree = address;
      }
      changes.add(new Change(CatalogKeys.inTree(key), walk.value()));
    }
    writeTree(tree, changes, roots);

    List<Change> rootChanges = new ArrayList<>(roots.size());
    for (Map.Entry<byte[], byte[]> entry : roots.entrySet()) {
      rootChanges.add(new Change(entry.getKey(), entry.getValue()));
    }
    PageTree.Root written =
        rootChanges.isEmpty()
            ? view.base()
            : new PageTreeWriter(view.pages(), CatalogKeys.ROOTS, CatalogCommand.NO_ID, rootChanges)
                .update(view.base());
    if (written == null) {
      throw new IllegalStateException(
          "the tree of roots is empty, but the catalog's state always stands in it");
    }
    base = written;
    return new CatalogRoot(
        written.page(), written.level(), position, state.epoch(), state.version());
  }

  /** Writes one tree and notes its new root among the changes of the tree of roots. */
  private void writeTree(byte[] address, List<Change> changes, Map<byte[], byte[]> roots)
      throws IOException {
    if (changes.isEmpty()) {
      return;
    }
    Id domainId = CatalogCommand.NO_ID;
    if (CatalogKeys.isOwned(address)) {
      Id ownersDomain = view.domainOfOwner(address);
      if (ownersDomain == null) {
        return; // The store or share was deleted, and what was in it too.
      }
      if (CatalogKeys.holdsObjects(address[0])) {
        domainId = ownersDomain;
      }
    }
    PageTree.Root root =
        new PageTreeWriter(view.pages(), address[0], domainId, changes)
            .update(view.treeOf(address));
    roots.put(
        CatalogKeys.inTree(CatalogKeys.treeRoot(address)),
        root == null ? Layer.REMOVED : root.encode());
  }

  /** Returns the root of the tree of roots in the written pages. */
  PageTree.Root base() {
    PageTree.Root written = base;
    if (written == null) {
      throw new IllegalArgumentException("the pages of this fold are not written");
    }
    return written;
  }
}
