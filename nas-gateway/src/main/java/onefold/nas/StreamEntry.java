package onefold.nas;

/**
 * A named stream of a file.
 *
 * @param name as it was given
 * @param streamId to open it by, as a file's
 * @param sizeBytes length of its content
 * @param spaceBytes what it takes without deduplication and compression
 */
public record StreamEntry(byte[] name, long streamId, long sizeBytes, long spaceBytes) {}
