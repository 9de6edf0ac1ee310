package onefold.store.engine;

import java.io.IOException;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import onefold.chunker.EntryType;
import onefold.chunker.Fingerprint;
import onefold.chunker.NodeFormatException;
import onefold.chunker.NodeReader;
import onefold.chunker.ObjectRoot;
import onefold.store.CommitMode;
import onefold.store.Compression;
import onefold.store.CorruptDataException;
import onefold.store.DomainRecord;
import onefold.store.Id;
import onefold.store.StoreRecord;
import onefold.store.catalog.Catalog;
import onefold.store.catalog.CatalogCommand;
import onefold.store.catalog.CatalogPageFormat;
import onefold.store.scheduler.Scheduler;

/**
 * Names for objects when all names are lost: every node of a recipe that no other node refers to is
 * the root of an item. Among them are items that were deleted and not yet freed, and the beginnings
 * of uploads that never ended.
 */
final class RecipeRoots {
  /** The store of the items found; with the domain's id behind it if there are several domains. */
  static final String STORE = "recovered";

  private final Catalog catalog;
  private final Scheduler scheduler;
  private final long storeTimeMillis;
  private long position;

  RecipeRoots(Catalog catalog, Scheduler scheduler, long storeTimeMillis) {
    this.catalog = catalog;
    this.scheduler = scheduler;
    this.storeTimeMillis = storeTimeMillis;
  }

  /**
   * Makes a domain, a store in it, and an item {@code root-FINGERPRINT} for each root.
   *
   * @param only whether there is no other domain
   * @return how many items
   */
  long name(Id domain, boolean only, NodesOnDisk nodes, Rebuild.Progress progress)
      throws IOException {
    String suffix = "-" + domain.toString().substring(0, 8);
    String domainName = only ? Engine.DEFAULT_NAME : "domain" + suffix;
    apply(new CatalogCommand.CreateDomain(stamp(), new DomainRecord(domain, domainName, 1)));
    StoreRecord store =
        new StoreRecord(
            newId(), only ? STORE : STORE + suffix, domain, 0, Compression.LZ4, 0, storeTimeMillis);
    apply(new CatalogCommand.CreateStore(stamp(), store));
    Set<Fingerprint> roots = roots(nodes, progress);
    long named = 0;
    for (Fingerprint root : roots) {
      Optional<ObjectRoot> object = object(nodes, root);
      if (object.isPresent()) {
        apply(
            new CatalogCommand.CommitItem(
                stamp(),
                store.id(),
                "root-" + root,
                newId(),
                object.get(),
                CommitMode.IF_ABSENT,
                new TreeMap<>(),
                0,
                0,
                CatalogCommand.NO_ID));
        named++;
      }
    }
    return named;
  }

  private static Set<Fingerprint> roots(NodesOnDisk nodes, Rebuild.Progress progress)
      throws IOException {
    Set<Fingerprint> roots = new HashSet<>(nodes.fingerprints());
    long done = 0;
    for (Fingerprint fingerprint : nodes.fingerprints()) {
      if (done++ % 1000 == 0) {
        progress.at("reading recipes", done, nodes.fingerprints().size());
      }
      Optional<NodeReader> node = read(nodes, fingerprint);
      if (node.isEmpty()) {
        roots.remove(fingerprint);
        continue;
      }
      NodeReader reader = node.get();
      while (reader.next()) {
        if (reader.entryType() == EntryType.CHILD) {
          roots.remove(reader.fingerprint());
        }
      }
    }
    return roots;
  }

  private static Optional<ObjectRoot> object(NodesOnDisk nodes, Fingerprint root)
      throws IOException {
    return read(nodes, root).map(node -> new ObjectRoot(root, node.level(), node.coveredBytes()));
  }

  /** Reads a node of a recipe; empty if it is none or damaged. */
  private static Optional<NodeReader> read(NodesOnDisk nodes, Fingerprint fingerprint)
      throws IOException {
    try {
      byte[] node = nodes.node(fingerprint);
      if (CatalogPageFormat.isPage(node, 0, node.length)) {
        return Optional.empty();
      }
      return Optional.of(new NodeReader().reset(node, 0, node.length));
    } catch (CorruptDataException | NodeFormatException e) {
      return Optional.empty();
    }
  }

  /** The nodes below some roots, themselves included, as far as they can be read. */
  static void addReachable(NodesOnDisk nodes, ObjectRoot root, Set<Fingerprint> reached)
      throws IOException {
    addReachable(nodes, root.node(), reached);
  }

  private static void addReachable(NodesOnDisk nodes, Fingerprint node, Set<Fingerprint> reached)
      throws IOException {
    if (!reached.add(node)) {
      return;
    }
    Optional<NodeReader> read = read(nodes, node);
    if (read.isEmpty() || read.get().level() == 0) {
      return;
    }
    NodeReader reader = read.get();
    while (reader.next()) {
      addReachable(nodes, reader.fingerprint(), reached); // As deep as the tree, at most 24.
    }
  }

  private void apply(CatalogCommand command) throws IOException {
    catalog.apply(command, ++position);
  }

  private CatalogCommand.Stamp stamp() {
    return new CatalogCommand.Stamp(newId(), storeTimeMillis, 1);
  }

  private Id newId() {
    return Id.random(scheduler.random());
  }
}
