package onefold.store.inspect;

import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import onefold.chunker.Fingerprint;
import onefold.store.Id;
import onefold.store.container.ChunkPlace;
import onefold.store.container.ContainerInfo;
import onefold.store.container.Containers;

/** One domain's containers. */
public final class InspectedDomain {
  /** The domain of the catalog's pages. */
  static final Id CATALOG_ID = new Id(0, 0);

  private final Id id;
  private final String name;
  private final Containers containers;

  /** Where each node lies; read when it is first asked for. */
  private Map<Fingerprint, List<ChunkPlace>> nodes = Map.of();

  InspectedDomain(Id id, String name, Containers containers) {
    this.id = id;
    this.name = name;
    this.containers = containers;
  }

  public Id id() {
    return id;
  }

  /** Its name, or {@code (catalog)}. */
  public String name() {
    return name;
  }

  /** Whether it holds the catalog's pages and no items. */
  public boolean isCatalog() {
    return id.equals(CATALOG_ID);
  }

  Containers containers() {
    return containers;
  }

  Map<Fingerprint, List<ChunkPlace>> nodes() {
    return nodes;
  }

  void setNodes(Map<Fingerprint, List<ChunkPlace>> found) {
    nodes = found;
  }

  /** The path of a container's file from the data directory. */
  public String path(ContainerInfo container, boolean sealed) {
    return "domains/"
        + id
        + "/"
        + container.kind().name().toLowerCase(Locale.ROOT)
        + "/"
        + HexFormat.of().toHexDigits(container.number())
        + "-"
        + Long.toHexString(container.generation())
        + (sealed ? ".container" : ".open");
  }
}
