package onefold.store;

import org.jspecify.annotations.Nullable;

/**
 * A part of a listing that cannot be read: names may have stood there that are not listed.
 *
 * @param from the first name that may be missing; empty if the damage begins with the listing
 * @param until the first name after it from which on the listing is whole again, or null if it ends
 *     in the damage
 * @param damage file, place, what was expected and found
 */
public record LostNames(String from, @Nullable String until, String damage) {}
