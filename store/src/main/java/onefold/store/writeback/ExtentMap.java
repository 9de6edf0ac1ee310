package onefold.store.writeback;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import onefold.store.writeback.Extent.Content;
import onefold.store.writeback.Extent.Held;
import onefold.store.writeback.Extent.Memory;
import onefold.store.writeback.Extent.Source;
import org.jspecify.annotations.Nullable;

/**
 * Extents by position, none over another, and what they take of memory. Not safe for several
 * threads; its owner's lock guards it.
 */
final class ExtentMap {
  /** What an extent takes of memory besides its bytes, about. */
  static final int EXTENT_BYTES = 192;

  private static final int MIN_FRESH = 1024;

  /** Memory that nothing in the map refers to any more, but {@link #fresh} may, beside a part. */
  static final int MAX_STALE_BYTES = 2 << 20;

  /** So many times less than what the map itself holds may be stale beside that. */
  private static final int STALE_PART = 4;

  private final TreeMap<Long, Extent> byStart = new TreeMap<>();

  /** Those put, or left of one that was cut, since {@link #takeFresh}; some of them gone again. */
  private List<Extent> fresh = new ArrayList<>();

  private final List<Source> released = new ArrayList<>();
  private long memoryBytes;

  /** At most so much is held by {@link #fresh} alone. */
  private long staleBytes;

  private long dataBytes;
  private long freshFrom;

  /** Lays an extent over what is there. */
  void put(Extent extent) {
    clear(extent.start(), extent.end());
    insert(extent);
  }

  private void insert(Extent extent) {
    byStart.put(extent.start(), extent);
    hold(extent, 1);
    if (extent.number() > freshFrom) {
      fresh.add(extent);
      if (fresh.size() > MIN_FRESH + 2 * byStart.size()) {
        forgetStale();
      }
    }
  }

  private void forgetStale() {
    fresh.removeIf(each -> !isCurrent(each));
    staleBytes = 0;
  }

  private void remove(Extent extent) {
    byStart.remove(extent.start());
    hold(extent, -1);
  }

  private void hold(Extent extent, int count) {
    Held held =
        switch (extent.content()) {
          case Content.Data data -> data.memory();
          case Content.Zeros _ -> null;
          case Content.Splice splice -> splice.source();
        };
    dataBytes += extent.isData() ? count * extent.length() : 0;
    hold(held, count);
  }

  private void hold(@Nullable Held held, int count) {
    if (held == null) {
      return;
    }
    boolean before = held.extents > 0;
    held.extents += count;
    boolean after = held.extents > 0;
    if (before != after) {
      switch (held) {
        case Memory memory -> {
          memoryBytes += after ? memory.bytes.length : -memory.bytes.length;
          staleBytes += after ? 0 : memory.bytes.length;
          if (staleBytes > MAX_STALE_BYTES + memoryBytes / STALE_PART) {
            forgetStale();
          }
        }
        case Source source -> {
          if (after) {
            released.remove(source);
          } else {
            released.add(source);
          }
        }
      }
    }
  }

  /** Takes everything between two positions out. */
  void clear(long from, long to) {
    if (from >= to) {
      return;
    }
    Map.Entry<Long, Extent> before = byStart.lowerEntry(from);
    if (before != null && before.getValue().end() > from) {
      Extent cut = before.getValue();
      // The parts first: what they hold must not be let go in between.
      Extent left = cut.part(cut.start(), from);
      @Nullable Extent right = cut.end() > to ? cut.part(to, cut.end()) : null;
      replaceByParts(cut, left, right);
    }
    Map.Entry<Long, Extent> next;
    while ((next = byStart.ceilingEntry(from)) != null && next.getKey() < to) {
      Extent cut = next.getValue();
      if (cut.end() <= to) {
        remove(cut);
      } else {
        replaceByParts(cut, null, cut.part(to, cut.end()));
      }
    }
  }

  private void replaceByParts(Extent cut, @Nullable Extent left, @Nullable Extent right) {
    byStart.remove(cut.start());
    if (left != null) {
      insert(left);
    }
    if (right != null) {
      insert(right);
    }
    hold(cut, -1);
  }

  /** Puts another extent of the same range in the place of one that is there. */
  @SuppressWarnings("ReferenceEquality") // An equal one could be a later one of the same range.
  void replace(Extent old, Extent by) {
    if (byStart.put(old.start(), by) != old || by.length() != old.length()) {
      throw new IllegalStateException("extent at " + old.start() + " is another one");
    }
    hold(by, 1);
    hold(old, -1);
  }

  @SuppressWarnings("ReferenceEquality") // As above.
  boolean isCurrent(Extent extent) {
    return byStart.get(extent.start()) == extent;
  }

  int count() {
    return byStart.size();
  }

  /** Bytes of memory that it takes, about. */
  long chargeBytes() {
    return memoryBytes + (long) EXTENT_BYTES * byStart.size();
  }

  /** Bytes of object that are data here, wherever they lie. */
  long dataBytes() {
    return dataBytes;
  }

  /** All extents in order. */
  List<Extent> all() {
    return new ArrayList<>(byStart.values());
  }

  /** The extents that touch a range, in order, whole. */
  List<Extent> overlapping(long from, long to) {
    List<Extent> found = new ArrayList<>();
    Map.Entry<Long, Extent> before = byStart.lowerEntry(from);
    if (before != null && before.getValue().end() > from) {
      found.add(before.getValue());
    }
    found.addAll(byStart.subMap(from, to).values());
    return found;
  }

  /** The extent that holds a position. */
  @Nullable Extent at(long position) {
    Map.Entry<Long, Extent> floor = byStart.floorEntry(position);
    return floor != null && floor.getValue().end() > position ? floor.getValue() : null;
  }

  /**
   * Where the data ends that goes on without a gap from a position; looks no further than {@code
   * limit}.
   */
  long runEnd(long from, long limit) {
    long end = from;
    Extent next;
    while (end < limit && (next = at(end)) != null && next.isData()) {
      end = next.end();
    }
    return Math.min(end, Math.max(from, limit));
  }

  /**
   * Takes the extents with a number above {@link #freshFrom} that came since the last call, in
   * order of position.
   */
  List<Extent> takeFresh() {
    List<Extent> taken = new ArrayList<>();
    for (Extent extent : fresh) {
      if (extent.number() > freshFrom && isCurrent(extent)) {
        taken.add(extent);
      }
    }
    fresh = new ArrayList<>();
    staleBytes = 0;
    taken.sort((a, b) -> Long.compare(a.start(), b.start()));
    return taken;
  }

  /** Gives back what was taken and not used; all that is left of it is fresh again. */
  void freshAgain() {
    fresh = new ArrayList<>();
    staleBytes = 0;
    for (Extent extent : byStart.values()) {
      if (extent.number() > freshFrom) {
        fresh.add(extent);
      }
    }
  }

  /** Says up to which number extents need not be remembered as fresh. */
  void freshFrom(long number) {
    freshFrom = number;
  }

  /** Sources that no extent refers to any more, to be let go by the caller. */
  List<Source> takeReleased() {
    if (released.isEmpty()) {
      return List.of();
    }
    List<Source> taken = List.copyOf(released);
    released.clear();
    return taken;
  }
}
