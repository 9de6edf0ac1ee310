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
 * @param policy what else it promises about its items
 */
public record StoreRecord(
    Id id,
    String name,
    Id domainId,
    long quotaBytes,
    Compression compression,
    int lockDays,
    long createdAtMillis,
    StorePolicy policy) {
  public StoreRecord {
    if (quotaBytes < 0) {
      throw new IllegalArgumentException("quotaBytes " + quotaBytes);
    }
    if (lockDays < 0) {
      throw new IllegalArgumentException("lockDays " + lockDays);
    }
  }

  /** Makes one with the policy {@link StorePolicy#DEFAULT}. */
  public StoreRecord(
      Id id,
      String name,
      Id domainId,
      long quotaBytes,
      Compression compression,
      int lockDays,
      long createdAtMillis) {
    this(
        id,
        name,
        domainId,
        quotaBytes,
        compression,
        lockDays,
        createdAtMillis,
        StorePolicy.DEFAULT);
  }

  /** The same with another quota. */
  public StoreRecord withQuotaBytes(long bytes) {
    return new StoreRecord(
        id, name, domainId, bytes, compression, lockDays, createdAtMillis, policy);
  }

  /** The same with another policy. */
  public StoreRecord withPolicy(StorePolicy newPolicy) {
    return new StoreRecord(
        id, name, domainId, quotaBytes, compression, lockDays, createdAtMillis, newPolicy);
  }

  /** The same as another store: made at this time, under this id. */
  public StoreRecord as(Id newId, long newCreatedAtMillis) {
    return new StoreRecord(
        newId, name, domainId, quotaBytes, compression, lockDays, newCreatedAtMillis, policy);
  }
}
