package onefold.store;

import java.util.SortedMap;

/**
 * How an upload is to become an item.
 *
 * @param commandId repeated after a broken connection it gives the first answer again
 * @param mode what to do if the name is taken
 * @param tags of the item
 * @param lockDays days of store time to lock it, at least the store's own; 0 for the store's own
 */
public record CommitRequest(
    Id commandId, CommitMode mode, SortedMap<String, String> tags, int lockDays) {}
