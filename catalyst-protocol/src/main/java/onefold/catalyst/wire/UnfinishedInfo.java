package onefold.catalyst.wire;

/**
 * An upload that has neither been committed nor aborted.
 *
 * @param uploadId names it when it is resumed or aborted
 * @param itemName the item it would become
 * @param durableBytes how far its last durable checkpoint reaches
 * @param createdAtMillis store time of its first checkpoint
 */
public record UnfinishedInfo(
    WireId uploadId, String itemName, long durableBytes, long createdAtMillis) {}
