package onefold.store.housekeeping;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import onefold.chunker.Fingerprint;

/**
 * Which chunks belong to one root alone, learned while a mark goes from the roots to the chunks.
 *
 * <p>Each node has an owner: nobody yet, one root, or several. A node hands its owner on to its
 * children. A mark reaches a node after all nodes above it, but for those that were copied forward;
 * if an owner changes after that the node is visited once more. Owners of data chunks are kept for
 * a sample: all of them up to {@value #MAX_SAMPLE}, then every second, every fourth and so on, by
 * bits of the fingerprint. So memory is bounded, figures of small domains are exact, and those of
 * large ones are off by about one part in the root of the number of an item's sampled chunks.
 *
 * <p>One task uses it.
 */
final class Owners {
  /** Data chunks whose owner is kept: 16 bytes each, in a table of twice as many places. */
  static final int MAX_SAMPLE = 1 << 20;

  /** Roots that are told apart; of those beyond it is only known that they share. */
  static final int MAX_ROOTS = 1 << 18;

  /** Nodes up to which owners are kept, at four bytes each; beyond nothing is known of any root. */
  static final long MAX_NODES = 1 << 24;

  /** Owner of what several roots reach, or something that is no root. */
  static final int SHARED = 1;

  private static final int NOBODY = 0;
  private static final int FIRST_ROOT = 2;

  private static final VarHandle BIG_ENDIAN =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

  private final int maxSample;
  private final boolean on;
  private final int[] nodes;
  private final BitSet again = new BitSet();
  private int againCount;

  private final Map<Long, Integer> roots = new HashMap<>();

  private long[] keys = new long[1 << 10];
  private int[] owners = new int[1 << 10];
  private int[] lengths = new int[1 << 10];
  private int count;
  private int shift;

  private long[] freed = {};
  private long[] freedAtOnce = {};

  /**
   * Begins with nothing.
   *
   * @param nodeCount one more than the greatest number of a node
   */
  Owners(long nodeCount) {
    this(nodeCount, MAX_SAMPLE);
  }

  /** Keeps nothing: of no root is anything known. */
  static Owners none() {
    return new Owners(Long.MAX_VALUE);
  }

  Owners(long nodeCount, int maxSample) {
    this.on = nodeCount <= MAX_NODES;
    this.nodes = new int[on ? (int) nodeCount : 0];
    this.maxSample = maxSample;
  }

  private static long key(byte[] fingerprints, int offset) {
    return (long) BIG_ENDIAN.get(fingerprints, offset + 8);
  }

  // ---- nodes

  /** The owner that a root's node hands down. A root that comes twice has two names: it shares. */
  int root(byte[] fingerprints, int offset) {
    if (!on) {
      return SHARED;
    }
    long key = key(fingerprints, offset);
    Integer known = roots.get(key);
    if (known != null) {
      roots.put(key, SHARED);
      return SHARED;
    }
    if (roots.size() >= MAX_ROOTS) {
      return SHARED;
    }
    int owner = FIRST_ROOT + roots.size();
    roots.put(key, owner);
    return owner;
  }

  /** Says that an owner reaches a node. */
  void reach(long node, int owner) {
    if (!on) {
      return;
    }
    int at = (int) node;
    int before = nodes[at];
    int now = before == NOBODY || before == owner ? owner : SHARED;
    if (now != before) {
      nodes[at] = now;
      if (!again.get(at)) {
        again.set(at);
        againCount++;
      }
    }
  }

  /** Whether the owner of some node has changed since it was visited. */
  boolean anyChanged() {
    return againCount > 0;
  }

  /** Whether a node's owner has. */
  boolean isChanged(long node) {
    return againCount > 0 && again.get((int) node);
  }

  /** Says that a node is being visited, and gives the owner that it hands down. */
  int visit(long node) {
    if (!on) {
      return SHARED;
    }
    int at = (int) node;
    if (again.get(at)) {
      again.clear(at);
      againCount--;
    }
    // What only an answer has marked belongs to an upload.
    return nodes[at] == NOBODY ? SHARED : nodes[at];
  }

  // ---- data

  /** Says that an owner reaches a data chunk. */
  void data(byte[] fingerprints, int offset, int lengthBytes, int owner) {
    if (!on) {
      return;
    }
    long key = key(fingerprints, offset);
    if (isSampled(key)) {
      put(key, lengthBytes, owner);
    }
  }

  private boolean isSampled(long key) {
    return (key & ((1L << shift) - 1)) == 0;
  }

  private void put(long key, int lengthBytes, int owner) {
    int at = place(key);
    if (owners[at] == NOBODY) {
      if (count >= maxSample) {
        halve();
        if (isSampled(key)) {
          put(key, lengthBytes, owner);
        }
        return;
      }
      keys[at] = key;
      owners[at] = owner;
      lengths[at] = lengthBytes;
      count++;
      if (count > keys.length / 2) {
        resize(keys.length * 2);
      }
    } else if (owners[at] != owner) {
      owners[at] = SHARED;
    }
  }

  /** Where a key is, or would be. */
  private int place(long key) {
    int mask = keys.length - 1;
    int at = (int) ((key * 0x9e3779b97f4a7c15L) >>> 32) & mask;
    while (owners[at] != NOBODY && keys[at] != key) {
      at = (at + 1) & mask;
    }
    return at;
  }

  private void halve() {
    while (count >= maxSample) {
      shift++;
      resize(keys.length);
    }
  }

  /** Makes the table anew with what is in the sample. */
  private void resize(int places) {
    long[] oldKeys = keys;
    int[] oldOwners = owners;
    int[] oldLengths = lengths;
    keys = new long[places];
    owners = new int[places];
    lengths = new int[places];
    count = 0;
    for (int i = 0; i < oldKeys.length; i++) {
      if (oldOwners[i] != NOBODY && isSampled(oldKeys[i])) {
        int at = place(oldKeys[i]);
        keys[at] = oldKeys[i];
        owners[at] = oldOwners[i];
        lengths[at] = oldLengths[i];
        count++;
      }
    }
  }

  /** The only root that reaches a data chunk, or {@link #SHARED} if that is not known. */
  int ownerOf(byte[] fingerprints, int offset) {
    long key = key(fingerprints, offset);
    if (!on || !isSampled(key)) {
      return SHARED;
    }
    int owner = owners[place(key)];
    return owner == NOBODY ? SHARED : owner;
  }

  /** Whether an owner is one root. */
  static boolean isRoot(int owner) {
    return owner >= FIRST_ROOT;
  }

  /** For how many chunks one of the sample stands. */
  long weight() {
    return 1L << shift;
  }

  // ---- what it comes to

  /**
   * Takes what a root alone keeps of a container.
   *
   * @param storedBytes of its chunks there
   * @param atOnce whether the next cycle would give them back if the root went
   */
  void keeps(int owner, long storedBytes, boolean atOnce) {
    int root = owner - FIRST_ROOT;
    if (freed.length < roots.size()) {
      freed = Arrays.copyOf(freed, roots.size());
      freedAtOnce = Arrays.copyOf(freedAtOnce, roots.size());
    }
    freed[root] += storedBytes;
    if (atOnce) {
      freedAtOnce[root] += storedBytes;
    }
  }

  /**
   * The figures of every root.
   *
   * @param asOfMillis store time of the mark
   */
  RootShares shares(long asOfMillis) {
    long[] unique = new long[roots.size()];
    for (int i = 0; i < owners.length; i++) {
      if (isRoot(owners[i])) {
        unique[owners[i] - FIRST_ROOT] += (long) lengths[i] << shift;
      }
    }
    return new RootShares(
        roots,
        unique,
        Arrays.copyOf(freed, roots.size()),
        Arrays.copyOf(freedAtOnce, roots.size()),
        asOfMillis,
        shift == 0);
  }

  /** What each root alone keeps, as of a finished mark. Does not change. */
  static final class RootShares {
    private final Map<Long, Integer> roots;
    private final long[] unique;
    private final long[] freed;
    private final long[] freedAtOnce;
    private final long asOfMillis;
    private final boolean exact;

    private RootShares(
        Map<Long, Integer> roots,
        long[] unique,
        long[] freed,
        long[] freedAtOnce,
        long asOfMillis,
        boolean exact) {
      this.roots = roots;
      this.unique = unique;
      this.freed = freed;
      this.freedAtOnce = freedAtOnce;
      this.asOfMillis = asOfMillis;
      this.exact = exact;
    }

    /** Whether the mark saw a root. */
    boolean knows(Fingerprint root) {
      return roots.containsKey(key(root.toBytes(), 0));
    }

    private int row(Fingerprint root) {
      Integer owner = roots.get(key(root.toBytes(), 0));
      return owner == null || !isRoot(owner) ? -1 : owner - FIRST_ROOT;
    }

    private static long of(long[] column, int row) {
      return row < 0 ? 0 : column[row];
    }

    /** Plain bytes of chunks that only this root reaches; 0 for a root with two names. */
    long uniqueBytes(Fingerprint root) {
      return of(unique, row(root));
    }

    /** Stored bytes of these chunks in sealed containers. */
    long freedBytes(Fingerprint root) {
      return of(freed, row(root));
    }

    /** The part of them that the next cycle would give back. */
    long freedAtOnceBytes(Fingerprint root) {
      return of(freedAtOnce, row(root));
    }

    long asOfMillis() {
      return asOfMillis;
    }

    boolean isExact() {
      return exact;
    }
  }
}
