package onefold.nas;

/**
 * How much room a share has. The bytes are those of the disk, after deduplication, or of the
 * share's quota if that is less.
 *
 * @param totalBytes used and available
 * @param freeBytes for root
 * @param availableBytes for all others
 * @param totalFiles that could be
 * @param freeFiles that could be made yet
 */
public record SpaceStatus(
    long totalBytes, long freeBytes, long availableBytes, long totalFiles, long freeFiles) {}
