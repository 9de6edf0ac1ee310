package onefold.nas;

/**
 * What a removal did.
 *
 * @param directory that lost the name
 * @param fileId what the name stood for
 */
public record Removed(Change directory, long fileId) {}
