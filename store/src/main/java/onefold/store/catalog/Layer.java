package onefold.store.catalog;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Changes that lie above the pages: full key (see {@link CatalogKeys}) to value or {@link
 * #REMOVED}. Immutable.
 *
 * @param changes the changes in order of key
 * @param bytes about what they occupy in memory
 */
record Layer(PersistentMap<byte[], byte[]> changes, long bytes) {
  /** Stands for "this key is gone"; compared by identity. */
  static final byte[] REMOVED = new byte[0];

  static final Layer EMPTY = new Layer(PersistentMap.empty(Arrays::compareUnsigned), 0);

  /** Objects and references that an entry needs besides its bytes. */
  private static final int ENTRY_BYTES = 96;

  /**
   * Tells whether a value is {@link #REMOVED}; an empty value that is not that very array is a
   * value.
   */
  @SuppressWarnings("ReferenceEquality") // The array stands for itself, not for its content.
  static boolean isRemoved(byte[] value) {
    return value == REMOVED;
  }

  /** Returns the value, {@link #REMOVED}, or null if this layer does not know the key. */
  byte @Nullable [] get(byte[] key) {
    return changes.get(key);
  }

  Layer put(byte[] key, byte[] value) {
    byte[] old = changes.get(key);
    long more = old == null ? ENTRY_BYTES + key.length + value.length : value.length - old.length;
    return new Layer(changes.put(key, value), bytes + more);
  }

  /** Returns this layer with the changes of a newer one laid over it. */
  Layer withNewer(Layer newer) {
    if (isEmpty()) {
      return newer;
    }
    Layer both = this;
    PersistentMap.Walk<byte[], byte[]> walk = newer.changes.from(new byte[0]);
    while (walk.next()) {
      both = both.put(walk.key(), walk.value());
    }
    return both;
  }

  boolean isEmpty() {
    return changes.size() == 0;
  }
}
