package onefold.store;

/**
 * A share, or a snapshot of one.
 *
 * @param id never reused
 * @param name unique among shares; checked by {@link Names#checkStoreName}; {@code SHARE@SNAPSHOT}
 *     for a snapshot
 * @param domainId the dedup domain its files live in
 * @param createdAtMillis store time
 * @param settings opaque to the store, at most {@link ShareStore#MAX_SETTINGS_BYTES}; nobody
 *     changes the array
 * @param snapshot whether it is one: its tree cannot be changed
 */
public record ShareRecord(
    Id id, String name, Id domainId, long createdAtMillis, byte[] settings, boolean snapshot) {}
