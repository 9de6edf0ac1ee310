package onefold.store.inspect;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import onefold.chunker.Fingerprint;
import onefold.chunker.ObjectRoot;

/** What an item is made of, as far as its recipe can be read. */
public final class ItemTree {
  final ObjectRoot root;
  final SortedMap<Integer, Long> nodesOfLevel = new TreeMap<>();
  final Map<Fingerprint, Integer> chunks = new HashMap<>();
  final Set<Fingerprint> nodes = new HashSet<>();
  final List<String> damages = new ArrayList<>();
  final SortedMap<Long, Share> shares = new TreeMap<>();
  long pieces;
  long slices;
  long holes;
  long holeBytes;

  /** What the item has in one container. */
  public record Share(int chunks, long plainBytes) {}

  ItemTree(ObjectRoot root) {
    this.root = root;
  }

  public ObjectRoot root() {
    return root;
  }

  /** Nodes of each level, those that are used twice counted twice. */
  public SortedMap<Integer, Long> nodesOfLevel() {
    return nodesOfLevel;
  }

  /** Distinct nodes. */
  public int nodeCount() {
    return nodes.size();
  }

  /** Distinct chunks of data. */
  public int chunkCount() {
    return chunks.size();
  }

  /** Entries that stand for chunks or parts of them. */
  public long pieces() {
    return pieces;
  }

  /** Of those, for parts. */
  public long slices() {
    return slices;
  }

  public long holes() {
    return holes;
  }

  public long holeBytes() {
    return holeBytes;
  }

  /**
   * By container number, how many of its chunks and nodes lie there; one that two containers hold
   * counts in both.
   */
  public SortedMap<Long, Share> shares() {
    return shares;
  }

  /** What is missing, or cannot be read, of nodes; which chunks are nowhere. */
  public List<String> damages() {
    return damages;
  }
}
