package onefold.store.inspect;

import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import onefold.chunker.ChunkKind;
import onefold.chunker.EntryType;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;
import onefold.chunker.NodeFormatException;
import onefold.chunker.NodeReader;
import onefold.chunker.ObjectRoot;
import onefold.chunker.ParameterSet;
import onefold.store.ChunkStore;
import onefold.store.CorruptDataException;
import onefold.store.DomainRecord;
import onefold.store.Id;
import onefold.store.ItemPage;
import onefold.store.ItemRecord;
import onefold.store.StoreRecord;
import onefold.store.container.BlockLocation;
import onefold.store.container.BlockVisitor;
import onefold.store.container.ChunkPlace;
import onefold.store.container.ContainerDirectory;
import onefold.store.container.ContainerInfo;
import onefold.store.container.ContainerSettings;
import onefold.store.container.Containers;
import onefold.store.container.DecodedBlock;
import onefold.store.container.DurableEnds;
import onefold.store.container.SealListener;
import onefold.store.device.Device;
import onefold.store.index.ChunkIndex;
import onefold.store.index.IndexSettings;
import onefold.store.index.Places;
import onefold.store.inspect.ContainerReport.ItemName;
import onefold.store.inspect.ItemTree.Share;
import onefold.store.scheduler.Scheduler;

/**
 * A look inside a data directory. The store is asked for names only; everything else is read from
 * the containers. See the package for its promises.
 */
public final class Inspection implements Closeable {
  private static final int LOOKUP_BATCH = 4096;
  private static final int PAGE = 1000;

  private final ChunkStore store;
  private final Device device;
  private final Scheduler scheduler;
  private final List<InspectedDomain> domains = new ArrayList<>();

  /** Everything that is kept counts as far as it can be read. */
  private static final DurableEnds ALL =
      new DurableEnds() {
        @Override
        public long endBytes(long containerNumber) {
          return Long.MAX_VALUE;
        }

        @Override
        public long nextContainerNumber() {
          return 1;
        }
      };

  private Inspection(ChunkStore store, Device device, Scheduler scheduler) {
    this.store = store;
    this.device = device;
    this.scheduler = scheduler;
  }

  /**
   * Begins to look.
   *
   * @param store open over {@code device}, and not used for writing while this is; neither is
   *     closed with it
   */
  public static Inspection open(ChunkStore store, Device device, Scheduler scheduler)
      throws IOException {
    Inspection inspection = new Inspection(store, device, scheduler);
    boolean opened = false;
    try {
      for (DomainRecord record : store.domains()) {
        inspection.openDomain(record.id(), record.name(), ParameterSet.of(record.parameterSet()));
      }
      inspection.openDomain(InspectedDomain.CATALOG_ID, "(catalog)", ParameterSet.SET_1);
      opened = true;
      return inspection;
    } finally {
      if (!opened) {
        inspection.close();
      }
    }
  }

  private void openDomain(Id id, String name, ParameterSet set) throws IOException {
    domains.add(
        new InspectedDomain(
            id,
            name,
            Containers.open(
                device,
                scheduler,
                directory(id),
                id,
                set,
                Long.MAX_VALUE,
                ContainerSettings.ofSize(ContainerSettings.MAX_CONTAINER_BYTES),
                ALL,
                SealListener.NONE)));
  }

  private static String directory(Id id) {
    return "domains/" + id;
  }

  /** All domains, the catalog's last. */
  public List<InspectedDomain> domains() {
    return List.copyOf(domains);
  }

  /** A domain by its id, if there is one. */
  public Optional<InspectedDomain> domain(Id id) {
    return domains.stream().filter(domain -> domain.id().equals(id)).findFirst();
  }

  // ---- items

  /** Walks an item's recipe as far as it can be read, and says where its parts lie. */
  public ItemTree tree(InspectedDomain domain, ObjectRoot root) throws IOException {
    ItemTree tree = new ItemTree(root);
    walk(domain, tree, root.node(), root.level(), 0);
    place(domain, tree);
    return tree;
  }

  private static void walk(
      InspectedDomain domain, ItemTree tree, Fingerprint node, int level, long positionBytes)
      throws IOException {
    tree.nodesOfLevel.merge(level, 1L, Long::sum);
    tree.nodes.add(node);
    Optional<NodeReader> opened = node(domain, node, level, positionBytes, tree.damages);
    if (opened.isEmpty()) {
      return;
    }
    NodeReader reader = opened.orElseThrow();
    long position = positionBytes;
    while (reader.next()) {
      switch (reader.entryType()) {
        case CHILD -> walk(domain, tree, reader.fingerprint(), level - 1, position);
        case CHUNK, SLICE -> {
          tree.pieces++;
          tree.slices += reader.entryType() == EntryType.SLICE ? 1 : 0;
          tree.chunks.put(reader.fingerprint(), reader.chunkLengthBytes());
        }
        case HOLE, RESERVED -> {
          tree.holes++;
          tree.holeBytes += reader.lengthBytes();
        }
      }
      position += reader.lengthBytes();
    }
  }

  /** Reads a node from the first place where it is whole; empty, and why, if there is none. */
  private static Optional<NodeReader> node(
      InspectedDomain domain,
      Fingerprint node,
      int level,
      long positionBytes,
      Collection<String> damages)
      throws IOException {
    byte[] fingerprint = node.toBytes();
    String why = "it is in no container";
    for (ChunkPlace place : nodes(domain).getOrDefault(node, List.of())) {
      try {
        byte[] bytes = domain.containers().readChunk(place, fingerprint, 0);
        NodeReader reader = new NodeReader().reset(bytes, 0, bytes.length);
        if (reader.level() == level) {
          return Optional.of(reader);
        }
        why = "it is of level " + reader.level();
      } catch (CorruptDataException | NodeFormatException e) {
        why = String.valueOf(e.getMessage());
      }
    }
    damages.add(
        "from byte " + positionBytes + ": node " + node + " of level " + level + ": " + why);
    return Optional.empty();
  }

  private static Map<Fingerprint, List<ChunkPlace>> nodes(InspectedDomain domain)
      throws IOException {
    if (domain.nodes().isEmpty()) {
      Map<Fingerprint, List<ChunkPlace>> found = new HashMap<>();
      for (long number : domain.containers().numbers(ChunkKind.NODE)) {
        ContainerDirectory directory = domain.containers().directory(number);
        FingerprintBatch chunks = directory.chunks();
        for (int slot = 0; slot < chunks.count(); slot++) {
          if (!directory.isLost(slot)) {
            found
                .computeIfAbsent(chunks.fingerprint(slot), f -> new ArrayList<>(1))
                .add(new ChunkPlace(number, slot));
          }
        }
      }
      domain.setNodes(found);
    }
    return domain.nodes();
  }

  /** Says which containers hold how much of an item; chunks that are in none are damages. */
  private static void place(InspectedDomain domain, ItemTree tree) throws IOException {
    Set<Fingerprint> missing = new HashSet<>(tree.chunks.keySet());
    for (ChunkKind kind : ChunkKind.values()) {
      for (long number : domain.containers().numbers(kind)) {
        ContainerDirectory directory = domain.containers().directory(number);
        FingerprintBatch chunks = directory.chunks();
        int count = 0;
        long bytes = 0;
        for (int slot = 0; slot < chunks.count(); slot++) {
          Fingerprint fingerprint = chunks.fingerprint(slot);
          boolean of =
              switch (kind) {
                case NODE -> tree.nodes.contains(fingerprint);
                case DATA -> tree.chunks.containsKey(fingerprint);
              };
          if (of && !directory.isLost(slot)) {
            count++;
            bytes += chunks.lengthBytes(slot);
            missing.remove(fingerprint);
          }
        }
        if (count > 0) {
          tree.shares.put(number, new Share(count, bytes));
        }
      }
    }
    missing.stream()
        .sorted()
        .forEach(lost -> tree.damages.add("chunk " + lost + ": it is in no container"));
  }

  // ---- chunks

  /** Finds every place of a chunk, in all domains, and reads it there. */
  public List<ChunkCopy> copies(Fingerprint wanted) throws IOException {
    List<ChunkCopy> found = new ArrayList<>();
    for (InspectedDomain domain : domains) {
      for (ChunkKind kind : ChunkKind.values()) {
        for (long number : domain.containers().numbers(kind)) {
          ContainerDirectory directory = domain.containers().directory(number);
          FingerprintBatch chunks = directory.chunks();
          for (int slot = 0; slot < chunks.count(); slot++) {
            if (!directory.isLost(slot) && chunks.fingerprint(slot).equals(wanted)) {
              ChunkPlace place = new ChunkPlace(number, slot);
              found.add(
                  new ChunkCopy(
                      domain,
                      kind,
                      place,
                      directory.block(directory.blockOfSlot(slot)),
                      chunks.lengthBytes(slot),
                      damage(domain, place, wanted)));
            }
          }
        }
      }
    }
    return found;
  }

  private static Optional<String> damage(
      InspectedDomain domain, ChunkPlace place, Fingerprint wanted) throws IOException {
    try {
      domain.containers().readChunk(place, wanted.toBytes(), 0);
      return Optional.empty();
    } catch (CorruptDataException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }

  // ---- containers

  /** All containers of a domain, in order of number. */
  public List<ContainerInfo> containers(InspectedDomain domain) throws IOException {
    return domain.containers().list();
  }

  /** A container of this number and generation, if it counts. */
  public Optional<ContainerInfo> container(InspectedDomain domain, long number, long generation)
      throws IOException {
    if (!domain.containers().exists(number)) {
      return Optional.empty();
    }
    ContainerInfo info = domain.containers().info(number);
    return info.generation() == generation ? Optional.of(info) : Optional.empty();
  }

  /** Reads a whole container and finds out who depends on it. */
  public ContainerReport report(InspectedDomain domain, ContainerInfo info) throws IOException {
    long number = info.number();
    List<CorruptDataException> damages = new ArrayList<>();
    Set<Fingerprint> lost = new HashSet<>();
    domain.containers().verify(number, true, damages::add);
    ContainerDirectory contents = domain.containers().directory(number);
    Set<Fingerprint> only = new HashSet<>();
    for (int slot = 0; slot < contents.chunks().count(); slot++) {
      only.add(contents.chunks().fingerprint(slot));
      if (contents.isLost(slot)) {
        lost.add(contents.chunks().fingerprint(slot));
      }
    }
    domain
        .containers()
        .scan(
            number,
            new BlockVisitor() {
              @Override
              public void block(DecodedBlock block, ContainerDirectory directory) {
                // It is whole.
              }

              @Override
              public void damaged(
                  BlockLocation location, ContainerDirectory directory, CorruptDataException why) {
                for (int i = 0; i < location.chunkCount(); i++) {
                  lost.add(directory.chunks().fingerprint(location.firstSlot() + i));
                }
              }
            });
    removeHeldElsewhere(domain, number, only);
    lost.retainAll(only);
    boolean catalog = domain.isCatalog();
    return new ContainerReport(
        domain,
        info,
        damages,
        only.size(),
        lost.size(),
        catalog ? List.of() : needing(domain, info.kind(), only),
        catalog || lost.isEmpty() ? List.of() : needing(domain, info.kind(), lost));
  }

  /** Takes those out that another container of the domain holds too. */
  private static void removeHeldElsewhere(
      InspectedDomain domain, long number, Set<Fingerprint> wanted) throws IOException {
    Containers containers = domain.containers();
    for (long other : containers.numbers(containers.kind(number))) {
      if (other != number) {
        ContainerDirectory directory = containers.directory(other);
        for (int slot = 0; slot < directory.chunks().count(); slot++) {
          if (!directory.isLost(slot)) {
            wanted.remove(directory.chunks().fingerprint(slot));
          }
        }
      }
    }
  }

  /** The items of a domain that need one of these chunks, in order of name. */
  private List<ItemName> needing(InspectedDomain domain, ChunkKind kind, Set<Fingerprint> wanted)
      throws IOException {
    List<ItemName> found = new ArrayList<>();
    Map<Fingerprint, Boolean> known = new HashMap<>();
    for (StoreRecord each : store.stores()) {
      if (each.domainId().equals(domain.id())) {
        String after = "";
        boolean more = true;
        while (more) {
          ItemPage page = store.listItems(each.id(), "", after, PAGE);
          for (ItemRecord item : page.items()) {
            ObjectRoot root = item.root();
            if (needs(domain, root.node(), root.level(), kind, wanted, known)) {
              found.add(new ItemName(each.name(), item.name()));
            }
            after = item.name();
          }
          more = page.more();
        }
      }
    }
    return found;
  }

  private static boolean needs(
      InspectedDomain domain,
      Fingerprint node,
      int level,
      ChunkKind kind,
      Set<Fingerprint> wanted,
      Map<Fingerprint, Boolean> known)
      throws IOException {
    if (kind == ChunkKind.NODE && wanted.contains(node)) {
      return true;
    }
    Boolean before = known.get(node);
    if (before != null) {
      return before;
    }
    boolean needed = false;
    Optional<NodeReader> opened = node(domain, node, level, 0, new ArrayList<>());
    if (opened.isPresent()) {
      NodeReader reader = opened.orElseThrow();
      while (!needed && reader.next()) {
        needed =
            switch (reader.entryType()) {
              case CHILD -> needs(domain, reader.fingerprint(), level - 1, kind, wanted, known);
              case CHUNK, SLICE -> kind == ChunkKind.DATA && wanted.contains(reader.fingerprint());
              case HOLE, RESERVED -> false;
            };
      }
    }
    known.put(node, needed);
    return needed;
  }

  // ---- the index

  /**
   * Holds an index against the containers that it is derived from. The store of this inspection has
   * repaired what it found missing in the index, so the index is read through another layer.
   *
   * @param untouched the data directory as it lies; the index is opened over it, which may write
   */
  public IndexReport index(InspectedDomain domain, Device untouched) throws IOException {
    IndexSettings settings = new IndexSettings(1 << 20, 8 << 20, 1 << 20, 0);
    String directory = directory(domain.id()) + "/index";
    try (ChunkIndex index =
        ChunkIndex.open(untouched, scheduler, directory, settings, what -> {})) {
      Containers containers = domain.containers();
      long[] counts = new long[3];
      int number = 0;
      for (ChunkKind kind : ChunkKind.values()) {
        for (long each : containers.numbers(kind)) {
          number++;
          count(index, containers.directory(each), counts);
        }
      }
      return new IndexReport(
          domain,
          index.statistics(),
          counts[0],
          counts[1],
          counts[2],
          index.coveredContainers().size(),
          number,
          index.rebuildNeeded());
    }
  }

  private static void count(ChunkIndex index, ContainerDirectory directory, long[] counts)
      throws IOException {
    FingerprintBatch all = directory.chunks();
    FingerprintBatch batch = new FingerprintBatch(all.kind(), LOOKUP_BATCH);
    Places places = new Places(LOOKUP_BATCH);
    for (int slot = 0; slot <= all.count(); slot++) {
      boolean end = slot == all.count();
      if (!end && !directory.isLost(slot)) {
        batch.add(all.fingerprints(), slot * Fingerprint.BYTES, all.lengths()[slot]);
      }
      if (batch.count() == LOOKUP_BATCH || (end && batch.count() > 0)) {
        index.lookupForDedup(batch, places);
        for (int row = 0; row < batch.count(); row++) {
          counts[0]++;
          counts[places.isPresent(row) ? 1 : 2]++;
        }
        batch.clear();
      }
    }
  }

  @Override
  public void close() throws IOException {
    for (InspectedDomain domain : domains) {
      domain.containers().closeUnsealed();
    }
  }
}
