package onefold.store;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A page of a listing in some order.
 *
 * @param items in that order; a page may be empty although others follow it
 * @param next where the next page begins, or null after the last one
 * @param lost what could not be read between them; two pages may tell the same
 */
public record ItemListing(
    List<ItemRecord> items, ItemQuery.@Nullable Place next, List<LostNames> lost) {}
