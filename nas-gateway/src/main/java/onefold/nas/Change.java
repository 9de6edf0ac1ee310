package onefold.nas;

/**
 * Attributes of a file right before and right after a change; nothing came between.
 *
 * @param before as they were
 * @param after as they are now
 */
public record Change(Attributes before, Attributes after) {}
