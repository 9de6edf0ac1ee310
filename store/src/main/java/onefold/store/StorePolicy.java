package onefold.store;

/**
 * What a store promises about its items beyond keeping them.
 *
 * @param lockKind of the locks that items get with their commit
 */
public record StorePolicy(LockKind lockKind) {
  /** Of a store for which nothing was said. */
  public static final StorePolicy DEFAULT = new StorePolicy(LockKind.GOVERNANCE);

  /** The same with another kind of lock. */
  public StorePolicy withLockKind(LockKind kind) {
    return new StorePolicy(kind);
  }
}
