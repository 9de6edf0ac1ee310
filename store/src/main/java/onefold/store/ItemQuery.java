package onefold.store;

import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Which items of a store a listing shows, and in which order.
 *
 * @param order of the listing
 * @param prefix the names begin with it; empty for all
 * @param tags the items have all of these, at most {@link #MAX_TAGS}; empty for all
 */
public record ItemQuery(Order order, String prefix, SortedMap<String, String> tags) {
  /** Every item in order of name. */
  public static final ItemQuery ALL = new ItemQuery(Order.NAME, "", Collections.emptySortedMap());

  /** As many as an item can have. */
  public static final int MAX_TAGS = 64;

  public ItemQuery {
    if (tags.size() > MAX_TAGS) {
      throw new IllegalArgumentException(tags.size() + " tags, at most " + MAX_TAGS);
    }
    tags = Collections.unmodifiableSortedMap(new TreeMap<>(tags));
  }

  /** In which order items are listed. */
  public enum Order {
    /** By the names' bytes. */
    NAME,
    /** The youngest first, those of the same millisecond by name. */
    AGE,
    /** The largest first, those of the same length by name. */
    SIZE
  }

  /**
   * The place of one item in a listing; the listing goes on behind it, whether or not the item is
   * still there.
   *
   * @param value time of creation or length by which the listing is ordered; not looked at in order
   *     of name
   * @param name the item's name; empty for the start
   */
  public record Place(long value, String name) {
    /** Before the first item of every order. */
    public static final Place START = new Place(Long.MAX_VALUE, "");
  }

  /** Returns the place of an item in a listing of this order. */
  public Place placeOf(ItemRecord item) {
    return switch (order) {
      case NAME -> new Place(0, item.name());
      case AGE -> new Place(item.createdAtMillis(), item.name());
      case SIZE -> new Place(item.root().lengthBytes(), item.name());
    };
  }

  /** Tells whether an item belongs into the listing. */
  public boolean shows(ItemRecord item) {
    for (Map.Entry<String, String> tag : tags.entrySet()) {
      if (!tag.getValue().equals(item.tags().get(tag.getKey()))) {
        return false;
      }
    }
    return item.name().startsWith(prefix);
  }
}
