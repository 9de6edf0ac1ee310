package onefold.store.catalog;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.function.Consumer;
import onefold.chunker.Fingerprint;
import onefold.store.CorruptDataException;
import onefold.store.catalog.CatalogPage.Entry;
import org.jspecify.annotations.Nullable;

/**
 * Reads ordered trees of pages: finds a key, walks from a key. Pages are loaded when they are
 * needed and kept in a bounded cache. Safe for many threads; a tree that is known by its root never
 * changes.
 */
final class PageTree {
  /** The root page of a tree. */
  record Root(Fingerprint page, int level) {
    byte[] encode() {
      return new ByteWriter(Fingerprint.BYTES + 1).fingerprint(page).u8(level).toBytes();
    }

    static Root read(ByteReader in) throws CorruptDataException {
      Fingerprint page = in.fingerprint();
      int level = in.u8();
      if (level > CatalogPageFormat.MAX_LEVEL) {
        throw in.corrupt(
            "level of at most " + CatalogPageFormat.MAX_LEVEL, Integer.toString(level));
      }
      in.end();
      return new Root(page, level);
    }
  }

  private final NodeStore nodes;
  private final PageCache cache;

  PageTree(NodeStore nodes, long cacheBytes) {
    this.nodes = nodes;
    this.cache = new PageCache(cacheBytes);
  }

  NodeStore nodes() {
    return nodes;
  }

  /** Returns a page that must be of this kind and level. */
  CatalogPage page(Fingerprint fingerprint, int kind, int level) throws IOException {
    CatalogPage page = cache.get(fingerprint);
    if (page == null) {
      byte[] bytes = nodes.get(fingerprint);
      page = CatalogPage.decode("catalog page " + fingerprint, bytes, bytes.length);
      cache.put(fingerprint, page);
    }
    if (page.kind() != kind || page.level() != level) {
      throw new CorruptDataException(
          "catalog page " + fingerprint,
          -1,
          "kind " + kind + ", level " + level,
          "kind " + page.kind() + ", level " + page.level());
    }
    return page;
  }

  /** Returns the value of a key, or null. */
  byte @Nullable [] find(Root root, int kind, byte[] key) throws IOException {
    CatalogPage page = page(root.page, kind, root.level);
    while (true) {
      int index = page.floor(key);
      if (index < 0) {
        return null;
      }
      if (page.level() == 0) {
        return page.compareKey(index, key) == 0 ? value(page, index) : null;
      }
      page = page(page.child(index), kind, page.level() - 1);
    }
  }

  /** Returns a leaf's value, put together from its value pages if it is long. */
  byte[] value(CatalogPage leaf, int index) throws IOException {
    int start = leaf.valueStart(index);
    int end = leaf.valueEnd(index);
    if (!leaf.isExternal(index)) {
      return Arrays.copyOfRange(leaf.bytes(), start, end);
    }
    ByteReader in = new ByteReader("catalog page", leaf.bytes(), start, end);
    byte[] value = new byte[in.count("value", CatalogPageFormat.MAX_VALUE_BYTES)];
    int done = 0;
    while (in.left() > 0) {
      Fingerprint fingerprint = in.fingerprint();
      CatalogPage part = page(fingerprint, CatalogPageFormat.VALUE, 0);
      int count = part.length() - CatalogPageFormat.HEAD_BYTES;
      int wanted = Math.min(CatalogPageFormat.VALUE_PAGE_BYTES, value.length - done);
      if (count != wanted) {
        throw new CorruptDataException(
            "catalog page " + fingerprint, -1, wanted + " bytes of a value", count + " bytes");
      }
      System.arraycopy(part.bytes(), CatalogPageFormat.HEAD_BYTES, value, done, count);
      done += count;
    }
    return value;
  }

  /** Hears of pages that a walk cannot read. */
  interface Holes {
    /** For walks that need every key. */
    Holes NONE =
        (from, until, damage) -> {
          throw damage;
        };

    /**
     * A page is damaged, and with it all keys of a range. The walk goes on behind it.
     *
     * @param from the first key of the range within the tree; empty if it begins with the tree
     * @param until the first key behind the range, or null if it ends with the tree
     * @throws CorruptDataException to end the walk
     */
    void hole(byte[] from, byte @Nullable [] until, CorruptDataException damage)
        throws CorruptDataException;
  }

  /** Starts a walk at the first key that is not below {@code from}. */
  Walk walk(Root root, int kind, byte[] from, Holes holes) throws IOException {
    Walk walk = new Walk(kind, holes);
    CatalogPage page;
    try {
      page = page(root.page, kind, root.level);
    } catch (CorruptDataException e) {
      holes.hole(new byte[0], null, e);
      return walk;
    }
    while (true) {
      int index = page.floor(from);
      if (page.level() == 0) {
        boolean exact = index >= 0 && page.compareKey(index, from) == 0;
        walk.steps.push(new Step(page, exact ? index - 1 : index));
        return walk;
      }
      Step step = new Step(page, Math.max(index, 0));
      walk.steps.push(step);
      CatalogPage child = walk.child(step);
      if (child == null) {
        return walk;
      }
      page = child;
    }
  }

  private static final class Step {
    private final CatalogPage page;
    private int index;

    private Step(CatalogPage page, int index) {
      this.page = page;
      this.index = index;
    }
  }

  /** A walk in ascending order of key. Holds one page of each level. Not thread-safe. */
  final class Walk {
    private final int kind;
    private final Holes holes;
    private final ArrayDeque<Step> steps = new ArrayDeque<>();

    private Walk(int kind, Holes holes) {
      this.kind = kind;
      this.holes = holes;
    }

    /** The page that a step of an inner page stands at, or null if it is a hole. */
    private @Nullable CatalogPage child(Step step) throws IOException {
      try {
        return page(step.page.child(step.index), kind, step.page.level() - 1);
      } catch (CorruptDataException e) {
        holes.hole(step.page.key(step.index), keyBehind(), e);
        return null;
      }
    }

    /** The first key behind the page at which the last inner page stands, or null. */
    private byte @Nullable [] keyBehind() {
      for (Step step : steps) { // The deepest first.
        if (step.index + 1 < step.page.count()) {
          return step.page.key(step.index + 1);
        }
      }
      return null;
    }

    boolean next() throws IOException {
      while (!steps.isEmpty()) {
        Step step = steps.peek();
        if (step.index + 1 >= step.page.count()) {
          steps.pop();
          continue;
        }
        step.index++;
        if (step.page.level() == 0) {
          return true;
        }
        CatalogPage child = child(step);
        if (child != null) {
          steps.push(new Step(child, -1));
        }
      }
      return false;
    }

    byte[] key() {
      Step step = leaf();
      return step.page.key(step.index);
    }

    byte[] value() throws IOException {
      Step step = leaf();
      return PageTree.this.value(step.page, step.index);
    }

    private Step leaf() {
      Step step = steps.peek();
      if (step == null) {
        throw new NoSuchElementException("the walk has ended");
      }
      return step;
    }
  }

  /** Returns a page's entries, to be written anew. */
  static List<Entry> entries(CatalogPage page) {
    List<Entry> entries = new ArrayList<>(page.count());
    for (int i = 0; i < page.count(); i++) {
      entries.add(page.entry(i));
    }
    return entries;
  }

  /**
   * Visits the leaves of a tree that are below none of the pages seen, and notes all its pages as
   * seen.
   */
  void visitNewPages(Root root, int kind, LeafVisitor leaves, Set<Fingerprint> seen)
      throws IOException {
    if (!seen.add(root.page)) {
      return;
    }
    CatalogPage page = page(root.page, kind, root.level);
    if (root.level == 0) {
      leaves.leaf(page);
      return;
    }
    for (int i = 0; i < page.count(); i++) {
      visitNewPages(new Root(page.child(i), root.level - 1), kind, leaves, seen);
    }
  }

  /**
   * Visits the fingerprint of every page of a tree, parents first; leaves are read only if {@code
   * leaves} wants them. What is below an inner page that was visited before is left out.
   *
   * @param inner inner pages visited before; those of this tree are added
   */
  void visitPages(
      Root root,
      int kind,
      @Nullable LeafVisitor leaves,
      Consumer<Fingerprint> pages,
      Set<Fingerprint> inner)
      throws IOException {
    if (root.level > 0 && !inner.add(root.page)) {
      return;
    }
    pages.accept(root.page);
    if (root.level == 0) {
      if (leaves != null) {
        leaves.leaf(page(root.page, kind, 0));
      }
      return;
    }
    CatalogPage page = page(root.page, kind, root.level);
    for (int i = 0; i < page.count(); i++) {
      visitPages(new Root(page.child(i), root.level - 1), kind, leaves, pages, inner);
    }
  }

  /** Takes the leaves of a tree. */
  interface LeafVisitor {
    void leaf(CatalogPage leaf) throws IOException;
  }

  static Root rootOf(byte[] encoded) throws CorruptDataException {
    return Root.read(new ByteReader("root of a catalog tree", encoded));
  }
}
