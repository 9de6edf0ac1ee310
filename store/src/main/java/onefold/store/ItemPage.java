package onefold.store;

import java.util.List;

/**
 * A page of a listing.
 *
 * @param items in order of the names' bytes
 * @param more whether items follow the last one
 */
public record ItemPage(List<ItemRecord> items, boolean more) {}
