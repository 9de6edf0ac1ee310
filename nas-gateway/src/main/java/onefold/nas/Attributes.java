package onefold.nas;

import java.time.Instant;

/**
 * What is known of a file besides its content.
 *
 * @param fileId never used again for another file of the share, and never 0
 * @param mode permission bits and set-uid, set-gid and sticky, 0 to 07777
 * @param linkCount names of it; for a directory 2 and one for each directory in it
 * @param uid owner, 0 to 2^32 - 1
 * @param gid group, 0 to 2^32 - 1
 * @param sizeBytes length of the content; of a link that of its target
 * @param spaceBytes what it takes without deduplication and compression; holes and what is only
 *     reserved are not counted
 * @param deviceMajor of a device, else 0
 * @param deviceMinor of a device, else 0
 * @param accessTime set by clients only; reading does not change it
 * @param modifyTime of the content
 * @param changeTime of content or attributes; clients of NT may set it
 * @param birthTime when it was made; clients of NT may set it
 * @param change grows with every change of content or attributes, restarts and crashes included
 * @param dosAttributes the FILE_ATTRIBUTE bits of NT that are stored: read-only 1, hidden 2, system
 *     4, archive 32
 */
public record Attributes(
    long fileId,
    FileType type,
    int mode,
    int linkCount,
    long uid,
    long gid,
    long sizeBytes,
    long spaceBytes,
    int deviceMajor,
    int deviceMinor,
    Instant accessTime,
    Instant modifyTime,
    Instant changeTime,
    Instant birthTime,
    long change,
    int dosAttributes) {}
