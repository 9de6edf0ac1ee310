package onefold.store.scrub;

import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import onefold.chunker.ChunkKind;
import onefold.chunker.EntryType;
import onefold.chunker.Fingerprint;
import onefold.chunker.NodeFormatException;
import onefold.chunker.NodeReader;
import onefold.chunker.ObjectRoot;
import onefold.store.CorruptDataException;
import onefold.store.Damage;
import onefold.store.Id;
import onefold.store.ItemRecord;
import onefold.store.catalog.QuarantinedChunk;
import onefold.store.container.BlockLocation;
import onefold.store.container.BlockVisitor;
import onefold.store.container.ContainerDirectory;
import onefold.store.container.ContainerGoneException;
import onefold.store.container.DecodedBlock;
import onefold.store.container.ReadPace;

/**
 * Which items need the chunks that are in quarantine.
 *
 * <p>Made without a walk through the items: the node containers are read from the oldest to the
 * youngest, once for nearly every store because a node is stored after its children, and each node
 * that refers to a missing chunk, or to such a node, is remembered. Only the items whose root is
 * among them are walked, and only down those nodes.
 *
 * <p>Bounds: {@value #MAX_NODES} nodes and {@value #MAX_ITEMS} items are remembered; beyond them
 * the map says that it is not complete.
 */
final class DamageMap {
  static final int MAX_NODES = 1 << 18;
  static final int MAX_ITEMS = 10_000;

  /** Nodes of one item that are walked; ranges behind them are not told. */
  private static final int MAX_WALKED = 1 << 16;

  /** Levels of a recipe are fewer, so that the passes come to an end. */
  private static final int MAX_PASSES = 32;

  private static final Comparator<Damage.Item> ORDER =
      Comparator.comparing((Damage.Item item) -> !item.kept())
          .thenComparing(Comparator.comparingLong(Damage.Item::createdAtMillis).reversed())
          .thenComparing(Damage.Item::name);

  private final long version;
  private final Set<Fingerprint> affected;
  private final Map<Long, List<Damage.Item>> items;
  private final Map<Long, Integer> itemCounts;
  private final boolean complete;

  private DamageMap(
      long version,
      Set<Fingerprint> affected,
      Map<Long, List<Damage.Item>> items,
      Map<Long, Integer> itemCounts,
      boolean complete) {
    this.version = version;
    this.affected = affected;
    this.items = items;
    this.itemCounts = itemCounts;
    this.complete = complete;
  }

  /** Of which version of the quarantine it is. */
  long version() {
    return version;
  }

  /** Whether it knows every item that needs a missing chunk. */
  boolean isComplete() {
    return complete;
  }

  /** Whether an object with this root needs a missing chunk. */
  boolean isAffected(Fingerprint root) {
    return affected.contains(root);
  }

  /** Items that need a chunk of a container, the first {@link Damage#MAX_ITEMS} in order. */
  List<Damage.Item> items(long containerNumber) {
    return items.getOrDefault(containerNumber, List.of());
  }

  /** How many they are. */
  int itemCount(long containerNumber) {
    return itemCounts.getOrDefault(containerNumber, 0);
  }

  /** Makes the map of what is in quarantine now. */
  static DamageMap make(ScrubGround ground, ReadPace pace) throws IOException {
    return new Maker(ground, pace).make();
  }

  /** Makes one map. */
  private static final class Maker {
    private final ScrubGround ground;
    private final ReadPace pace;
    private final Map<ChunkKind, Map<Fingerprint, Long>> missing = new HashMap<>();
    private final Set<Fingerprint> affected = new HashSet<>();

    /** The first two bytes of whatever is looked for, so that most entries cost no object. */
    private final BitSet firstBytes = new BitSet(1 << 16);

    private final NodeReader reader = new NodeReader();
    private boolean complete = true;

    // Of the item that is being walked.
    private final List<Damage.Range> ranges = new ArrayList<>();
    private final Set<Long> containers = new TreeSet<>();
    private int walked;

    Maker(ScrubGround ground, ReadPace pace) {
      this.ground = ground;
      this.pace = pace;
    }

    DamageMap make() throws IOException {
      long version = ground.quarantineVersion();
      for (ChunkKind kind : ChunkKind.values()) {
        missing.put(kind, new HashMap<>());
      }
      for (QuarantinedChunk chunk : ground.quarantined()) {
        if (!ground.isFound(chunk)) {
          of(chunk.kind()).put(chunk.fingerprint(), chunk.containerNumber());
          lookFor(chunk.fingerprint());
        }
      }
      Map<Long, List<Damage.Item>> items = new HashMap<>();
      Map<Long, Integer> counts = new HashMap<>();
      if (!firstBytes.isEmpty() && ground.holdsRecipes()) {
        readNodes();
        affected.addAll(of(ChunkKind.NODE).keySet());
        visitItems(items, counts);
      }
      return new DamageMap(version, affected, items, counts, complete);
    }

    private Map<Fingerprint, Long> of(ChunkKind kind) {
      return missing.getOrDefault(kind, Map.of());
    }

    private void lookFor(Fingerprint fingerprint) {
      byte[] bytes = fingerprint.toBytes();
      firstBytes.set(firstBytes(bytes, 0));
    }

    private static int firstBytes(byte[] bytes, int offset) {
      return (bytes[offset] & 0xff) << 8 | (bytes[offset + 1] & 0xff);
    }

    // ---- nodes

    private void readNodes() throws IOException {
      boolean more = true;
      for (int pass = 0; more && pass < MAX_PASSES; pass++) {
        int before = affected.size();
        for (long number : ground.containers().numbers(ChunkKind.NODE)) {
          try {
            pace.before(ground.containers().info(number).fileBytes());
            ground.containers().scan(number, new Nodes());
          } catch (ContainerGoneException e) {
            // What was live in it is in a younger one.
          }
        }
        more = affected.size() > before;
      }
    }

    /** Looks at every node of a container. */
    private final class Nodes implements BlockVisitor {
      @Override
      public void block(DecodedBlock block, ContainerDirectory directory)
          throws CorruptDataException {
        for (int i = 0; i < block.chunkCount(); i++) {
          int slot = block.firstSlot() + i;
          Fingerprint node = directory.chunks().fingerprint(slot);
          if (!affected.contains(node)
              && refersToMissing(
                  node, block.bytes(), block.offset(slot), block.lengthBytes(slot))) {
            if (affected.size() >= MAX_NODES) {
              complete = false;
              return;
            }
            affected.add(node);
            lookFor(node);
          }
        }
      }

      @Override
      public void damaged(
          BlockLocation location, ContainerDirectory directory, CorruptDataException why) {
        // Its nodes are missing themselves.
      }
    }

    private boolean refersToMissing(Fingerprint node, byte[] bytes, int offset, int length)
        throws CorruptDataException {
      open(node, bytes, offset, length);
      while (reader.next()) {
        if (isLookedFor(bytes)) {
          return true;
        }
      }
      return false;
    }

    private void open(Fingerprint node, byte[] bytes, int offset, int length)
        throws CorruptDataException {
      try {
        reader.reset(bytes, offset, length);
      } catch (NodeFormatException e) {
        throw new CorruptDataException(
            "node " + node, -1, "a recipe node", String.valueOf(e.getMessage()));
      }
    }

    /** Whether the reader's entry is a missing chunk, or a node that leads to one. */
    private boolean isLookedFor(byte[] bytes) {
      EntryType type = reader.entryType();
      if (type == EntryType.HOLE
          || type == EntryType.RESERVED
          || !firstBytes.get(firstBytes(bytes, reader.fingerprintOffset()))) {
        return false;
      }
      Fingerprint fingerprint = Fingerprint.of(bytes, reader.fingerprintOffset());
      return type == EntryType.CHILD
          ? affected.contains(fingerprint) || of(ChunkKind.NODE).containsKey(fingerprint)
          : of(ChunkKind.DATA).containsKey(fingerprint);
    }

    // ---- items

    private void visitItems(Map<Long, List<Damage.Item>> items, Map<Long, Integer> counts)
        throws IOException {
      int[] found = {0};
      ground.visitObjects((storeId, name, root) -> {
        if (!affected.contains(root.node())) {
          return;
        }
        if (found[0]++ >= MAX_ITEMS) {
          return; // Its root is known nevertheless.
        }
        visitItem(storeId, name, root, items, counts);
      });
      for (Map.Entry<Long, List<Damage.Item>> each : items.entrySet()) {
        List<Damage.Item> sorted = new ArrayList<>(each.getValue());
        sorted.sort(ORDER);
        each.setValue(List.copyOf(sorted.subList(0, Math.min(sorted.size(), Damage.MAX_ITEMS))));
      }
    }

    private void visitItem(
        Id storeId,
        String name,
        ObjectRoot root,
        Map<Long, List<Damage.Item>> items,
        Map<Long, Integer> counts)
        throws IOException {
      Optional<ItemRecord> item = ground.item(storeId, name);
      if (item.isEmpty() || !item.orElseThrow().root().equals(root)) {
        return; // An upload that is not finished, or gone meanwhile.
      }
      ranges.clear();
      containers.clear();
      walked = 0;
      Long rootContainer = of(ChunkKind.NODE).get(root.node());
      if (rootContainer != null) {
        containers.add(rootContainer);
        ranges.add(new Damage.Range(0, root.lengthBytes()));
      } else {
        walk(root.node(), 0);
      }
      ItemRecord found = item.orElseThrow();
      boolean kept = found.held() || found.lockedUntilMillis() > ground.storeTimeMillis();
      Damage.Item told =
          new Damage.Item(storeId, name, found.createdAtMillis(), kept, joined(ranges));
      for (long container : containers) {
        counts.merge(container, 1, Integer::sum);
        items.computeIfAbsent(container, key -> new ArrayList<>()).add(told);
      }
    }

    /** Walks down what leads to missing chunks. */
    private void walk(Fingerprint node, long startBytes) throws IOException {
      if (walked++ >= MAX_WALKED) {
        return;
      }
      byte[] bytes = ground.node(node.toBytes(), 0);
      open(node, bytes, 0, bytes.length);
      long at = startBytes;
      List<Fingerprint> children = new ArrayList<>();
      List<Long> childStarts = new ArrayList<>();
      while (reader.next()) {
        long length = reader.lengthBytes();
        if (isLookedFor(bytes)) {
          Fingerprint fingerprint = Fingerprint.of(bytes, reader.fingerprintOffset());
          ChunkKind kind = reader.entryType() == EntryType.CHILD ? ChunkKind.NODE : ChunkKind.DATA;
          Long container = of(kind).get(fingerprint);
          if (container == null) {
            children.add(fingerprint);
            childStarts.add(at);
          } else {
            containers.add(container);
            ranges.add(new Damage.Range(at, length));
          }
        }
        at += length;
      }
      for (int i = 0; i < children.size(); i++) {
        walk(children.get(i), childStarts.get(i));
      }
    }

    private static List<Damage.Range> joined(List<Damage.Range> found) {
      List<Damage.Range> sorted = new ArrayList<>(found);
      Collections.sort(sorted, Comparator.comparingLong(Damage.Range::offsetBytes));
      List<Damage.Range> joined = new ArrayList<>();
      for (Damage.Range range : sorted) {
        Damage.Range last = joined.isEmpty() ? null : joined.getLast();
        if (last != null && last.offsetBytes() + last.lengthBytes() == range.offsetBytes()) {
          joined.set(
              joined.size() - 1,
              new Damage.Range(last.offsetBytes(), last.lengthBytes() + range.lengthBytes()));
        } else if (joined.size() < Damage.MAX_RANGES) {
          joined.add(range);
        } else {
          break;
        }
      }
      return joined;
    }
  }
}
