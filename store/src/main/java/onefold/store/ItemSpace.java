package onefold.store;

/**
 * What an item alone keeps on the disk, as of the last finished mark of housekeeping.
 *
 * @param asOfMillis store time of that mark
 * @param exact whether every chunk was counted; else a sample, off by about one part in the root of
 *     the number of the item's chunks in it
 * @param uniqueBytes plain bytes of chunks that nothing else refers to; 0 if another item has the
 *     same content
 * @param freedBytes stored bytes of these that lie in sealed containers
 * @param freedAtOnceBytes the part of them that one cycle of housekeeping gives back after the item
 *     is deleted; the rest lies in containers that stay until more in them is dead
 * @param freedByMillis store time at which that cycle would end, if the item were deleted now, or
 *     when its lock ends; 0 while it is held
 */
public record ItemSpace(
    long asOfMillis,
    boolean exact,
    long uniqueBytes,
    long freedBytes,
    long freedAtOnceBytes,
    long freedByMillis) {}
