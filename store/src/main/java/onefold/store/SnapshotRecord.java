package onefold.store;

/**
 * A store as it was at one moment. It is read like a store, by its {@link #store} and the name
 * {@code STORE@NAME}, and never changes.
 *
 * @param store what it is read by; its name is that of the store, an @, and that of the snapshot
 * @param of the store it was taken of
 * @param lockedUntilMillis store time before which nobody can delete it; 0 for not locked
 * @param lockKind how firm the lock is
 * @param itemCount items
 * @param logicalBytes sum of their lengths
 */
public record SnapshotRecord(
    StoreRecord store,
    Id of,
    long lockedUntilMillis,
    LockKind lockKind,
    long itemCount,
    long logicalBytes) {
  /** Stands between the store's name and the snapshot's. */
  public static final char MARK = '@';

  /** Returns the name of the store from that of a store or of a snapshot. */
  public static String storeName(String name) {
    int mark = name.indexOf(MARK);
    return mark < 0 ? name : name.substring(0, mark);
  }

  /** Returns its own name, what follows the @. */
  public String name() {
    return store.name().substring(store.name().indexOf(MARK) + 1);
  }
}
