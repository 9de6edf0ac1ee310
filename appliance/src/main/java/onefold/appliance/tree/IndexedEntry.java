package onefold.appliance.tree;

/**
 * A line of an archive's index.
 *
 * @param path relative, without a leading or trailing slash
 * @param type what it is, as in {@code ls -l}: one of {@code - d l c b p}, or {@code h} for a hard
 *     link
 * @param permissions lower twelve bits of the mode
 * @param userId owner
 * @param groupId group
 * @param modifiedSeconds since 1970
 * @param sizeBytes of a regular file, holes included
 * @param linkTarget of links, else empty
 * @param memberOffsetBytes where its headers begin in the archive
 * @param memberBytes from there to the next member
 */
public record IndexedEntry(
    byte[] path,
    char type,
    int permissions,
    int userId,
    int groupId,
    long modifiedSeconds,
    long sizeBytes,
    byte[] linkTarget,
    long memberOffsetBytes,
    long memberBytes) {}
