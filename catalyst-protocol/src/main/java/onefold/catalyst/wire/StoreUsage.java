package onefold.catalyst.wire;

/**
 * Figures of one store.
 *
 * @param itemCount items
 * @param logicalBytes sum of their lengths
 * @param unfinishedCount unfinished uploads
 * @param unfinishedBytes their logical bytes
 */
public record StoreUsage(
    long itemCount, long logicalBytes, long unfinishedCount, long unfinishedBytes) {}
