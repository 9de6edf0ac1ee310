package onefold.nas;

import org.jspecify.annotations.Nullable;

/**
 * One name of a directory.
 *
 * @param name as it was given; nobody changes the array
 * @param fileId what it stands for
 * @param cookie its place in the listing: from {@link FileSystem#FIRST_COOKIE}, unique in the
 *     directory, never used again for another name, the same as long as the name exists
 * @param attributes of what it stands for, if they were asked for
 */
public record DirectoryEntry(
    byte[] name, long fileId, long cookie, @Nullable Attributes attributes) {}
