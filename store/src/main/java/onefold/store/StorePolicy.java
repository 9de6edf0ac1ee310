package onefold.store;

/**
 * What a store promises about its items beyond keeping them, and when it warns.
 *
 * @param lockKind of the locks that items get with their commit
 * @param undeleteDays items that are deleted or replaced can be brought back for so many days of
 *     store time; 0 for none
 * @param softQuotaBytes logical bytes of all its items together from which on it warns, or 0 for
 *     never; nothing is refused
 */
public record StorePolicy(LockKind lockKind, int undeleteDays, long softQuotaBytes) {
  /** Of a store for which nothing was said. */
  public static final StorePolicy DEFAULT = new StorePolicy(LockKind.GOVERNANCE, 0, 0);

  public StorePolicy {
    if (undeleteDays < 0) {
      throw new IllegalArgumentException("undeleteDays " + undeleteDays);
    }
    if (softQuotaBytes < 0) {
      throw new IllegalArgumentException("softQuotaBytes " + softQuotaBytes);
    }
  }

  /** The same with another kind of lock. */
  public StorePolicy withLockKind(LockKind kind) {
    return new StorePolicy(kind, undeleteDays, softQuotaBytes);
  }

  /** The same with another number of days. */
  public StorePolicy withUndeleteDays(int days) {
    return new StorePolicy(lockKind, days, softQuotaBytes);
  }

  /** The same with another soft quota. */
  public StorePolicy withSoftQuotaBytes(long bytes) {
    return new StorePolicy(lockKind, undeleteDays, bytes);
  }
}
