package onefold.store;

/**
 * An upload that has neither been committed nor aborted.
 *
 * @param checkpoint its last durable checkpoint
 * @param storeId where the item would be
 * @param itemName the item's name
 * @param createdAtMillis store time of the first checkpoint
 */
public record UnfinishedUpload(
    Checkpoint checkpoint, Id storeId, String itemName, long createdAtMillis) {}
