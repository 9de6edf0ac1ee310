package onefold.replication;

import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import onefold.store.Id;
import onefold.store.ItemRecord;

/**
 * Items that a mapping's passes have found on the peer as they are here, or that are not its
 * business, so that a pass after a commit asks only about what has changed. In memory: a start, and
 * every pass that is asked for, looks at everything. The mapping's thread writes it; others may ask
 * {@link #isProven}.
 */
final class KnownItems {
  /** Most items remembered; in a larger store every pass looks at everything. */
  static final int MAX_ITEMS = 100_000;

  /**
   * A version, a hash of what may change about it, and whether the peer has it, or it is none of
   * the mapping's business.
   */
  private record Known(Id id, int hash, boolean proven) {
    boolean is(ItemRecord item) {
      return id.equals(item.id()) && hash == item.hashCode();
    }
  }

  private final Map<String, Known> items = new ConcurrentHashMap<>();
  private boolean complete;
  private boolean full;

  /** Forgets everything. */
  void clear() {
    items.clear();
    complete = false;
    full = false;
  }

  /** Takes note of an item that the peer has as it is here. */
  void putProven(ItemRecord item) {
    put(item, true);
  }

  /** Takes note of an item that is none of the mapping's business. */
  void putOther(ItemRecord item) {
    put(item, false);
  }

  private void put(ItemRecord item, boolean proven) {
    if (items.size() < MAX_ITEMS) {
      items.put(item.name(), new Known(item.id(), item.hashCode(), proven));
    } else {
      full = true;
    }
  }

  void remove(String name) {
    items.remove(name);
  }

  /** Whether an item is known, in this version and with these tags, lock and hold. */
  boolean has(ItemRecord item) {
    Known known = items.get(item.name());
    return known != null && known.is(item);
  }

  /** Whether the peer is known to have an item, in this version and with these tags. */
  boolean isProven(ItemRecord item) {
    Known known = items.get(item.name());
    return known != null && known.proven() && known.is(item);
  }

  /** Returns how many items are known. */
  int count() {
    return items.size();
  }

  /** Returns a copy of the names. */
  Set<String> names() {
    return new HashSet<>(items.keySet());
  }

  /** Says that a pass came to its end. */
  void completed() {
    complete = !full;
  }

  /** Whether what is not known is all there is to look at. */
  boolean isComplete() {
    return complete;
  }
}
