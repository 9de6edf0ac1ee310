package onefold.store.catalog;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import onefold.chunker.Fingerprint;
import onefold.store.Id;
import onefold.store.catalog.CatalogPage.Entry;
import org.jspecify.annotations.Nullable;

/**
 * Brings a batch of changes into one tree, copy-on-write: pages on the way to a change are written
 * anew, children before parents, all others stay. Used once.
 *
 * <p>A page is split when it would exceed {@link #TARGET_BYTES} and laid together with a neighbour
 * below the same parent when it falls below {@link #SMALL_BYTES}. Inner pages hold, for each child,
 * the shortest key that tells it from the child before; the first one of a level holds the empty
 * key.
 */
final class PageTreeWriter {
  /** Pages are split to stay below this, unless a single entry leads beyond. */
  static final int TARGET_BYTES = 8 << 10;

  /** A page below this is laid together with a neighbour. */
  static final int SMALL_BYTES = 2 << 10;

  private static final byte[] LOWEST = new byte[0];

  /** A key in the tree and its new value, or {@link Layer#REMOVED}. */
  record Change(byte[] key, byte[] value) {}

  /** What an inner page will hold: a child that stays as it is, or one that is to be written. */
  private sealed interface Part {
    byte[] low();
  }

  private record Kept(byte[] low, Fingerprint page) implements Part {}

  private record Draft(byte[] low, int level, List<Entry> entries) implements Part {}

  private final PageTree tree;
  private final int kind;
  private final Id domainId;
  private final List<Change> changes;

  /**
   * @param domainId domain of the objects that a tree of items names, else {@link
   *     CatalogCommand#NO_ID}
   * @param changes in ascending order of key, each key once
   */
  PageTreeWriter(PageTree tree, int kind, Id domainId, List<Change> changes) {
    this.tree = tree;
    this.kind = kind;
    this.domainId = domainId;
    this.changes = changes;
  }

  /** Writes the changed pages and returns the tree's new root, or null if the tree is empty. */
  PageTree.@Nullable Root update(PageTree.@Nullable Root old) throws IOException {
    List<Draft> drafts =
        old == null
            ? split(LOWEST, 0, merged(List.of(), 0, changes.size()))
            : rewritten(tree.page(old.page(), kind, old.level()), LOWEST, 0, changes.size());
    while (drafts.size() > 1) {
      List<Entry> entries = new ArrayList<>(drafts.size());
      for (Draft draft : drafts) {
        entries.add(written(draft));
      }
      drafts = split(LOWEST, drafts.getFirst().level + 1, entries);
    }
    if (drafts.isEmpty()) {
      return null;
    }
    Draft top = drafts.getFirst();
    int level = top.level;
    if (level == 0 || top.entries.size() > 1) {
      return new PageTree.Root(Fingerprint.of(written(top).source(), 0), level);
    }
    // An inner page with a single child is no root: the child is.
    Entry only = top.entries.getFirst();
    Fingerprint page = Fingerprint.of(only.source(), only.offset());
    level--;
    while (level > 0) {
      CatalogPage child = tree.page(page, kind, level);
      if (child.count() > 1) {
        break;
      }
      page = child.child(0);
      level--;
    }
    return new PageTree.Root(page, level);
  }

  /**
   * Returns what becomes of a page with the changes from {@code from} to {@code to}: none, one or
   * several pages.
   */
  private List<Draft> rewritten(CatalogPage page, byte[] low, int from, int to) throws IOException {
    if (page.level() == 0) {
      return split(low, 0, merged(PageTree.entries(page), from, to));
    }
    int childLevel = page.level() - 1;
    List<Part> parts = new ArrayList<>();
    int next = from;
    for (int i = 0; i < page.count(); i++) {
      int first = next;
      if (i + 1 < page.count()) {
        while (next < to && page.compareKey(i + 1, changes.get(next).key) > 0) {
          next++;
        }
      } else {
        next = to;
      }
      byte[] childLow = i == 0 ? low : page.key(i);
      if (next == first) {
        parts.add(new Kept(childLow, page.child(i)));
      } else {
        parts.addAll(rewritten(tree.page(page.child(i), kind, childLevel), childLow, first, next));
      }
    }
    layTogether(parts, childLevel);
    List<Entry> entries = new ArrayList<>(parts.size());
    for (Part part : parts) {
      // The first child answers for everything from the page's own lower end, whatever has vanished
      // before it.
      byte[] partLow = entries.isEmpty() ? low : part.low();
      entries.add(
          switch (part) {
            case Kept kept -> new Entry(partLow, kept.page.toBytes());
            case Draft draft -> written(draft).withKey(partLow);
          });
    }
    return split(low, page.level(), entries);
  }

  private void layTogether(List<Part> parts, int level) throws IOException {
    int i = 0;
    while (i < parts.size() && parts.size() > 1) {
      if (parts.get(i) instanceof Draft draft && bytes(draft.entries, 0) < SMALL_BYTES) {
        int left = Math.max(0, i - 1);
        Part first = parts.get(left);
        Part second = parts.get(left + 1);
        List<Entry> both = new ArrayList<>(entries(first, level));
        List<Entry> right = entries(second, level);
        both.add(level > 0 ? right.getFirst().withKey(second.low()) : right.getFirst());
        both.addAll(right.subList(1, right.size()));
        List<Draft> joined = split(first.low(), level, both);
        parts.subList(left, left + 2).clear();
        parts.addAll(left, joined);
        // One page may still be small and is looked at again; two are each about half of more than
        // one full page.
        i = joined.size() == 1 ? left : left + joined.size();
      } else {
        i++;
      }
    }
  }

  private List<Entry> entries(Part part, int level) throws IOException {
    return switch (part) {
      case Kept kept -> PageTree.entries(tree.page(kept.page, kind, level));
      case Draft draft -> draft.entries;
    };
  }

  /** Lays the changes over a leaf's entries. */
  private List<Entry> merged(List<Entry> old, int from, int to) throws IOException {
    List<Entry> entries = new ArrayList<>(old.size() + to - from);
    int at = 0;
    for (int i = from; i < to; i++) {
      Change change = changes.get(i);
      while (at < old.size() && Arrays.compareUnsigned(old.get(at).key(), change.key) < 0) {
        entries.add(old.get(at++));
      }
      if (at < old.size() && Arrays.equals(old.get(at).key(), change.key)) {
        at++;
      }
      if (!Layer.isRemoved(change.value)) {
        entries.add(entry(change));
      }
    }
    entries.addAll(old.subList(at, old.size()));
    return entries;
  }

  private Entry entry(Change change) throws IOException {
    byte[] value = change.value;
    if (value.length <= CatalogPageFormat.MAX_INLINE_BYTES) {
      return new Entry(change.key, value);
    }
    if (CatalogKeys.holdsObjects(kind) || value.length > CatalogPageFormat.MAX_VALUE_BYTES) {
      throw new IllegalStateException(
          "catalog value of " + value.length + " bytes in a tree of kind " + kind);
    }
    ByteWriter list = new ByteWriter(4 + 9 * Fingerprint.BYTES).u32(value.length);
    for (int at = 0; at < value.length; at += CatalogPageFormat.VALUE_PAGE_BYTES) {
      int count = Math.min(CatalogPageFormat.VALUE_PAGE_BYTES, value.length - at);
      byte[] page = CatalogPage.encodeValue(value, at, count);
      list.fingerprint(tree.nodes().put(page, page.length));
    }
    byte[] listed = list.toBytes();
    return new Entry(change.key, listed, 0, listed.length, true);
  }

  /** Divides entries into pages of about equal size, as few as stay below the target. */
  private static List<Draft> split(byte[] low, int level, List<Entry> entries) {
    if (entries.isEmpty()) {
      return List.of();
    }
    int prefix = CatalogPage.commonPrefix(entries.getFirst().key(), entries.getLast().key());
    long total = bytes(entries, prefix);
    if (total <= TARGET_BYTES) {
      return List.of(new Draft(low, level, entries));
    }
    long goal = Math.ceilDiv(total, Math.ceilDiv(total, TARGET_BYTES));
    List<Draft> drafts = new ArrayList<>();
    int start = 0;
    long size = 0;
    for (int i = 0; i < entries.size(); i++) {
      size += entries.get(i).bytes(prefix);
      if (size >= goal || i == entries.size() - 1) {
        byte[] draftLow =
            start == 0
                ? low
                : separator(level, entries.get(start - 1).key(), entries.get(start).key());
        drafts.add(new Draft(draftLow, level, entries.subList(start, i + 1)));
        start = i + 1;
        size = 0;
      }
    }
    return drafts;
  }

  /**
   * Returns the shortest key above {@code before} and not above {@code key}; in inner pages the
   * keys are that already.
   */
  private static byte[] separator(int level, byte[] before, byte[] key) {
    return level > 0 ? key : Arrays.copyOf(key, CatalogPage.commonPrefix(before, key) + 1);
  }

  private static long bytes(List<Entry> entries, int prefix) {
    long total = 0;
    for (Entry entry : entries) {
      total += entry.bytes(prefix);
    }
    return total;
  }

  /** Writes a page and returns what its parent holds of it. */
  private Entry written(Draft draft) throws IOException {
    byte[] page = CatalogPage.encode(kind, draft.level, domainId, draft.entries);
    return new Entry(draft.low, tree.nodes().put(page, page.length).toBytes());
  }
}
