package onefold.store;

/**
 * A lock that was shortened, as it is kept. The item may be gone since.
 *
 * @param storeName the store or snapshot
 * @param itemName the item; empty for a snapshot
 * @param itemId the item's version, or the snapshot
 * @param atMillis store time at which it was done
 * @param beforeMillis store time until which the item was locked before
 * @param afterMillis store time until which it was locked then
 * @param by who did it, and why
 */
public record ShortenedLock(
    String storeName,
    String itemName,
    Id itemId,
    long atMillis,
    long beforeMillis,
    long afterMillis,
    LockOverride by) {}
