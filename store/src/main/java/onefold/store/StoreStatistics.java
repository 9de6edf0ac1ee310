package onefold.store;

/**
 * Figures of one store. {@code logical} counts what applications wrote; the rest is counted for the
 * domain.
 *
 * @param itemCount items
 * @param logicalBytes sum of the items' lengths
 * @param unfinishedCount unfinished uploads
 * @param unfinishedBytes their logical bytes
 * @param deletedCount items that were deleted or replaced and can be brought back
 * @param deletedBytes sum of their lengths
 */
public record StoreStatistics(
    long itemCount,
    long logicalBytes,
    long unfinishedCount,
    long unfinishedBytes,
    long deletedCount,
    long deletedBytes) {}
