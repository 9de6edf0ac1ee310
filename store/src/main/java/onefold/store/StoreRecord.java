package onefold.store;

/**
 * An object store.
 *
 * @param id never reused
 * @param name unique on the appliance; checked by {@link Names#checkStoreName}
 * @param domainId the dedup domain it lives in
 * @param quotaBytes most logical bytes of all its items together, or 0 for no limit
 * @param compression of new blocks, unless a writer asks for another
 * @param lockDays items are locked for so many days of store time after their commit; 0 for none
 * @param createdAtMillis store time
 */
public record StoreRecord(
    Id id,
    String name,
    Id domainId,
    long quotaBytes,
    Compression compression,
    int lockDays,
    long createdAtMillis) {
  public StoreRecord {
    if (quotaBytes < 0) {
      throw new IllegalArgumentException("quotaBytes " + quotaBytes);
    }
    if (lockDays < 0) {
      throw new IllegalArgumentException("lockDays " + lockDays);
    }
  }
}
