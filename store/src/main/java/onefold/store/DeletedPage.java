package onefold.store;

import java.util.List;

/**
 * A page of a listing of deleted items.
 *
 * @param items in order of the names' bytes, of one name the newest version first
 * @param more whether others follow the last one
 */
public record DeletedPage(List<DeletedItem> items, boolean more) {}
