package onefold.store.engine;

import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import onefold.chunker.Fingerprint;
import onefold.chunker.Fingerprinter;
import onefold.chunker.ParameterSet;
import onefold.store.CorruptDataException;
import onefold.store.catalog.Catalog;
import onefold.store.catalog.CatalogFold;
import onefold.store.catalog.CatalogRoot;
import onefold.store.catalog.CatalogView;
import onefold.store.catalog.NodeStore;

/**
 * Pages of a catalog as they are found on disk, with those of one fold in memory above them. One
 * thread at a time; {@code nodes} is closed by whoever opened it.
 */
final class SalvagedPages implements NodeStore {
  private final NodesOnDisk nodes;
  private final Fingerprinter fingerprinter = new Fingerprinter(ParameterSet.SET_1);

  /** The pages of the fold: as much as the journal's commands have changed. */
  private final Map<Fingerprint, byte[]> fresh = new HashMap<>();

  SalvagedPages(NodesOnDisk nodes) {
    this.nodes = nodes;
  }

  Set<Fingerprint> fingerprints() {
    return nodes.fingerprints();
  }

  @Override
  public Fingerprint put(byte[] page, int lengthBytes) {
    Fingerprint fingerprint = fingerprinter.fingerprint(page, 0, lengthBytes);
    fresh.put(fingerprint, Arrays.copyOf(page, lengthBytes));
    return fingerprint;
  }

  @Override
  public byte[] get(Fingerprint fingerprint) throws IOException {
    byte[] page = fresh.get(fingerprint);
    return page != null ? page.clone() : nodes.node(fingerprint);
  }

  /** Opens a catalog if every page of it can be read. */
  Optional<Catalog> wholeCatalog(CatalogRoot root, long cacheBytes) throws IOException {
    try {
      Catalog catalog = Catalog.open(this, root, cacheBytes);
      for (Fingerprint page : pagesOf(catalog.view())) {
        get(page);
      }
      return Optional.of(catalog);
    } catch (CorruptDataException e) {
      return Optional.empty();
    }
  }

  private static Set<Fingerprint> pagesOf(CatalogView view) throws IOException {
    Set<Fingerprint> pages = new HashSet<>();
    view.visitPages(pages::add);
    return pages;
  }

  /** Folds a catalog and puts every page of it into another store, which gets the root returned. */
  CatalogRoot writeTo(Catalog catalog, NodeStore target) throws IOException {
    CatalogFold fold = catalog.fold();
    CatalogRoot root = fold.write();
    catalog.finish(fold);
    for (Fingerprint fingerprint : pagesOf(catalog.view())) {
      byte[] page = get(fingerprint);
      target.put(page, page.length);
    }
    return root;
  }
}
