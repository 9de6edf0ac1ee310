package onefold.store;

/**
 * What a store promises about its items beyond keeping them.
 *
 * @param lockKind of the locks that items get with their commit
 * @param undeleteDays items that are deleted or replaced can be brought back for so many days of
 *     store time; 0 for none
 */
public record StorePolicy(LockKind lockKind, int undeleteDays) {
  /** Of a store for which nothing was said. */
  public static final StorePolicy DEFAULT = new StorePolicy(LockKind.GOVERNANCE, 0);

  public StorePolicy {
    if (undeleteDays < 0) {
      throw new IllegalArgumentException("undeleteDays " + undeleteDays);
    }
  }

  /** The same with another kind of lock. */
  public StorePolicy withLockKind(LockKind kind) {
    return new StorePolicy(kind, undeleteDays);
  }

  /** The same with another number of days. */
  public StorePolicy withUndeleteDays(int days) {
    return new StorePolicy(lockKind, days);
  }
}
