package onefold.appliance.tree;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One member of an archive: a file with everything that is kept of it but its bytes.
 *
 * @param path relative, without a leading or trailing slash; {@code .} is the tree's own directory
 * @param type what it is
 * @param hardLink whether it is another name of the earlier member {@code linkTarget}
 * @param permissions lower twelve bits of the mode
 * @param userId owner
 * @param groupId group
 * @param modifiedSeconds since 1970
 * @param modifiedNanos 0 to 999,999,999
 * @param sizeBytes length of a regular file, holes included; 0 for others and for hard links
 * @param linkTarget of symbolic and hard links, else empty
 * @param deviceMajor of device files
 * @param deviceMinor of device files
 * @param attributes extended attributes, ACLs among them, sorted by name
 * @param segments where a sparse file has data, in order; null for a file without holes
 */
record TreeEntry(
    byte[] path,
    FileType type,
    boolean hardLink,
    int permissions,
    int userId,
    int groupId,
    long modifiedSeconds,
    int modifiedNanos,
    long sizeBytes,
    byte[] linkTarget,
    int deviceMajor,
    int deviceMinor,
    List<Attribute> attributes,
    @Nullable List<Segment> segments) {

  /**
   * An extended attribute.
   *
   * @param name with its namespace
   * @param value at most 64 KiB
   */
  record Attribute(byte[] name, byte[] value) {}

  /**
   * Data between holes.
   *
   * @param offsetBytes in the file
   * @param lengthBytes at least 1
   */
  record Segment(long offsetBytes, long lengthBytes) {}

  /** Bytes of the file that the archive holds. */
  long dataBytes() {
    List<Segment> data = segments;
    return data == null ? sizeBytes : data.stream().mapToLong(Segment::lengthBytes).sum();
  }
}
