package onefold.store.catalog;

import java.util.concurrent.atomic.AtomicReferenceArray;
import onefold.chunker.Fingerprint;
import org.jspecify.annotations.Nullable;

/**
 * The last pages read. Bounded by the number of its slots, each holding a page of at most {@link
 * CatalogPageFormat#MAX_PAGE_BYTES}; a page lies in one of {@link #WAYS} slots that its fingerprint
 * chooses, and a new one takes the place of that not used for longest. Safe for many threads
 * without a lock: two that miss the same page both read it, and one copy stays.
 */
final class PageCache {
  private static final int WAYS = 4;

  /** About what a page occupies with its columns; pages are split beyond 8 KiB. */
  private static final int SLOT_BYTES = 10 << 10;

  private static final class Slot {
    private final Fingerprint fingerprint;
    private final CatalogPage page;

    /**
     * When it was last used; several threads may write it, and losing one of the writes does no
     * harm.
     */
    private volatile long lastUse;

    private Slot(Fingerprint fingerprint, CatalogPage page, long lastUse) {
      this.fingerprint = fingerprint;
      this.page = page;
      this.lastUse = lastUse;
    }
  }

  private final AtomicReferenceArray<@Nullable Slot> slots;
  private final int setMask;

  /**
   * Counts look-ups, roughly: threads may lose some of each other's steps, which only blurs the
   * order of use.
   */
  private long clock;

  /**
   * @param capacityBytes about how much memory it may hold, at least one set of slots
   */
  PageCache(long capacityBytes) {
    long sets = Math.max(1, capacityBytes / (WAYS * (long) SLOT_BYTES));
    int rounded = Math.toIntExact(Math.min(1 << 20, Long.highestOneBit(sets)));
    slots = new AtomicReferenceArray<>(rounded * WAYS);
    setMask = rounded - 1;
  }

  @Nullable CatalogPage get(Fingerprint fingerprint) {
    int set = set(fingerprint);
    for (int way = 0; way < WAYS; way++) {
      Slot slot = slots.get(set + way);
      if (slot != null && slot.fingerprint.equals(fingerprint)) {
        slot.lastUse = ++clock;
        return slot.page;
      }
    }
    return null;
  }

  void put(Fingerprint fingerprint, CatalogPage page) {
    int set = set(fingerprint);
    int victim = set;
    long oldest = Long.MAX_VALUE;
    for (int way = 0; way < WAYS; way++) {
      Slot slot = slots.get(set + way);
      long lastUse = slot == null ? -1 : slot.fingerprint.equals(fingerprint) ? -2 : slot.lastUse;
      if (lastUse < oldest) {
        oldest = lastUse;
        victim = set + way;
      }
    }
    slots.set(victim, new Slot(fingerprint, page, ++clock));
  }

  private int set(Fingerprint fingerprint) {
    return ((int) fingerprint.first() & setMask) * WAYS;
  }
}
