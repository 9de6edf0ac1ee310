package onefold.appliance.tree;

/**
 * What statx says of a file.
 *
 * @param type what it is
 * @param permissions the lower twelve bits of the mode
 * @param linkCount hard links
 * @param userId owner
 * @param groupId group
 * @param device device it lies on
 * @param inode number on that device
 * @param sizeBytes length
 * @param blocks allocated blocks of 512 bytes
 * @param modifiedSeconds of its content, since 1970
 * @param modifiedNanos 0 to 999,999,999
 * @param changedSeconds of its inode, since 1970
 * @param changedNanos 0 to 999,999,999
 * @param deviceMajor of a device file
 * @param deviceMinor of a device file
 */
record FileStatus(
    FileType type,
    int permissions,
    int linkCount,
    int userId,
    int groupId,
    long device,
    long inode,
    long sizeBytes,
    long blocks,
    long modifiedSeconds,
    int modifiedNanos,
    long changedSeconds,
    int changedNanos,
    int deviceMajor,
    int deviceMinor) {

  /** Whether it may have holes: fewer blocks than its length asks for. */
  boolean maybeSparse() {
    return blocks < (sizeBytes + 511) / 512;
  }
}
