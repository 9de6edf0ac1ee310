package onefold.store;

/**
 * A version of an item that was deleted or replaced and can be brought back.
 *
 * @param item as it was
 * @param deletedAtMillis store time
 * @param purgeAtMillis store time from which on it goes by itself
 */
public record DeletedItem(ItemRecord item, long deletedAtMillis, long purgeAtMillis) {}
