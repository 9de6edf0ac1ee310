package onefold.replication;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import onefold.store.Id;
import onefold.store.ItemRecord;

/**
 * Items that a mapping's passes have found on the peer as they are here, or that are not its
 * business, so that a pass after a commit asks only about what has changed. In memory: a start, and
 * every pass that is asked for, looks at everything. Belongs to the mapping's thread.
 */
final class KnownItems {
  /** Most items remembered; in a larger store every pass looks at everything. */
  static final int MAX_ITEMS = 100_000;

  /** A version, and a hash of what may change about it. */
  private record Known(Id id, int hash) {
    static Known of(ItemRecord item) {
      return new Known(item.id(), item.hashCode());
    }
  }

  private final Map<String, Known> items = new HashMap<>();
  private boolean complete;
  private boolean full;

  /** Forgets everything. */
  void clear() {
    items.clear();
    complete = false;
    full = false;
  }

  void put(ItemRecord item) {
    if (items.size() < MAX_ITEMS) {
      items.put(item.name(), Known.of(item));
    } else {
      full = true;
    }
  }

  void remove(String name) {
    items.remove(name);
  }

  /** Whether an item is known, in this version and with these tags, lock and hold. */
  boolean has(ItemRecord item) {
    return Known.of(item).equals(items.get(item.name()));
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
