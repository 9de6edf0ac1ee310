package onefold.store;

/**
 * A place where files of the data directory lie: the directory itself, or a disk that was added.
 *
 * @param id {@link Disks#MAIN} for the data directory itself
 * @param role what it is for; of the data directory {@link DiskRole#DATA}, though it holds all that
 *     no other disk is for
 * @param path where it is mounted; empty for the data directory
 * @param takes whether new files go there; if not, what it has is moved away
 * @param waits whether it counts from the next start on
 * @param freeBytes of its file system
 * @param fileCount files of its role that lie there
 * @param fileBytes their bytes
 */
public record DiskRecord(
    Id id,
    DiskRole role,
    String path,
    boolean takes,
    boolean waits,
    long freeBytes,
    long fileCount,
    long fileBytes) {}
