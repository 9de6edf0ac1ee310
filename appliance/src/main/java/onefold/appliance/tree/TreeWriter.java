package onefold.appliance.tree;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Writes directory trees as one pax archive with an index behind it. Names are taken in order of
 * their bytes, so that the same tree gives the same bytes.
 */
public final class TreeWriter implements AutoCloseable {
  /** Deepest directory that is entered; what lies deeper is a gap. */
  public static final int MAX_DEPTH = 1000;

  /**
   * Files with several hard links whose first name is remembered; beyond, further names become
   * copies.
   */
  static final int MAX_HARD_LINKS = 4 << 20;

  /** Members from this size on end at a chunk's border: what follows does not depend on them. */
  static final int CUT_MEMBER_BYTES = 64 << 10;

  private static final byte[] ZEROS = new byte[PaxFormat.BLOCK_BYTES];
  private static final byte[] SELF = {'.'};

  private record Inode(long device, long inode) {}

  private final TreeSink sink;
  private final Exclusions exclusions;
  private final boolean oneFileSystem;
  private final TreeProgress progress;
  private final Posix posix = new Posix();
  private final TreeIndex index = new TreeIndex();
  private final Gaps gaps = new Gaps();
  private final Map<Inode, byte[]> firstNames = new HashMap<>();
  private final byte[] buffer = new byte[Posix.TRANSFER_BYTES];
  private long positionBytes;
  private long fileCount;
  private long directoryCount;
  private long fileBytes;

  /**
   * Makes a writer.
   *
   * @param sink not closed
   * @param exclusions what to leave out
   * @param oneFileSystem whether to stay on the file system of each source; mount points become
   *     empty directories
   * @param progress told after each file
   */
  public TreeWriter(
      TreeSink sink, Exclusions exclusions, boolean oneFileSystem, TreeProgress progress) {
    this.sink = sink;
    this.exclusions = exclusions;
    this.oneFileSystem = oneFileSystem;
    this.progress = progress;
  }

  /**
   * Writes the whole archive. One directory becomes the archive's own root; several sources, and
   * files, keep their last name.
   *
   * @throws IOException if a source does not exist, two sources have the same last name, or the
   *     sink fails; what cannot be read below a source is a gap instead
   */
  public TreeSummary write(List<Path> sources) throws IOException {
    Set<String> names = new HashSet<>();
    for (Path source : sources) {
      byte[] absolute = PathBytes.of(source);
      FileStatus status = posix.statusAt(Posix.AT_FDCWD, absolute);
      boolean root = sources.size() == 1 && status.type() == FileType.DIRECTORY;
      byte[] name = PathBytes.lastName(absolute);
      if (!root && !names.add(PathBytes.printable(name))) {
        throw new IOException(
            "two sources are named '"
                + PathBytes.printable(name)
                + "'; back up their parent instead");
      }
      if (!root && name.length == 0) {
        throw new IOException("the file system's root can only be backed up alone");
      }
      member(Posix.AT_FDCWD, absolute, absolute, root ? SELF : name, status.device(), 0);
    }
    sink.write(ZEROS, 0, ZEROS.length);
    sink.write(ZEROS, 0, ZEROS.length);
    positionBytes += 2L * ZEROS.length;
    index.finish(sink, positionBytes, fileBytes);
    return new TreeSummary(fileCount, directoryCount, fileBytes, gaps.count(), gaps.kept());
  }

  @Override
  public void close() {
    posix.close();
  }

  /**
   * Writes one name and what is below it.
   *
   * @param parent descriptor that {@code name} is relative to
   * @param name as the parent knows it
   * @param absolute for messages
   * @param path within the archive
   * @param device of the source
   */
  private void member(int parent, byte[] name, byte[] absolute, byte[] path, long device, int depth)
      throws IOException {
    FileStatus status;
    List<TreeEntry.Attribute> attributes;
    try {
      status = posix.statusAt(parent, name);
      if (status.type() == FileType.SOCKET) {
        // Lives only as long as its server, which makes it anew; tar leaves it out as well.
        return;
      }
      attributes = attributes(parent, name);
    } catch (PosixException e) {
      gaps.add(absolute, e.getMessage());
      return;
    }
    switch (status.type()) {
      case DIRECTORY -> directory(parent, name, absolute, path, status, attributes, device, depth);
      case REGULAR -> {
        byte[] first =
            status.linkCount() > 1
                ? firstNames.get(new Inode(status.device(), status.inode()))
                : null;
        if (first != null) {
          header(entry(path, status, first, true, 0, List.of(), null), positionBytes);
          fileCount++;
        } else {
          regular(parent, name, absolute, path, status, attributes);
        }
      }
      case SYMBOLIC_LINK -> {
        try {
          byte[] target = posix.linkTarget(parent, name);
          header(entry(path, status, target, false, 0, attributes, null), positionBytes);
          fileCount++;
        } catch (PosixException e) {
          gaps.add(absolute, e.getMessage());
        }
      }
      case CHARACTER_DEVICE, BLOCK_DEVICE, FIFO -> {
        header(entry(path, status, new byte[0], false, 0, attributes, null), positionBytes);
        fileCount++;
      }
      case SOCKET -> throw new IllegalStateException("socket");
    }
  }

  private void directory(
      int parent,
      byte[] name,
      byte[] absolute,
      byte[] path,
      FileStatus status,
      List<TreeEntry.Attribute> attributes,
      long device,
      int depth)
      throws IOException {
    header(entry(path, status, new byte[0], false, 0, attributes, null), positionBytes);
    directoryCount++;
    if (oneFileSystem && status.device() != device) {
      return;
    }
    if (depth == MAX_DEPTH) {
      gaps.add(absolute, "deeper than " + MAX_DEPTH + " directories");
      return;
    }
    int descriptor;
    List<byte[]> names;
    try {
      descriptor =
          posix.openAt(parent, name, Posix.O_RDONLY | Posix.O_DIRECTORY | Posix.O_NOFOLLOW, 0);
    } catch (PosixException e) {
      gaps.add(absolute, e.getMessage());
      return;
    }
    try {
      names = posix.names(descriptor, absolute);
      for (byte[] child : names) {
        byte[] childPath = Arrays.equals(path, SELF) ? child : PathBytes.join(path, child);
        if (!exclusions.matches(childPath)) {
          member(descriptor, child, PathBytes.join(absolute, child), childPath, device, depth + 1);
        }
      }
    } catch (PosixException e) {
      gaps.add(absolute, e.getMessage());
    } finally {
      posix.close(descriptor);
    }
  }

  private void regular(
      int parent,
      byte[] name,
      byte[] absolute,
      byte[] path,
      FileStatus seen,
      List<TreeEntry.Attribute> attributes)
      throws IOException {
    int descriptor;
    FileStatus status;
    List<TreeEntry.Segment> segments;
    try {
      // Not blocking: the name may have become a FIFO meanwhile.
      descriptor =
          posix.openAt(parent, name, Posix.O_RDONLY | Posix.O_NOFOLLOW | Posix.O_NONBLOCK, 0);
    } catch (PosixException e) {
      gaps.add(absolute, e.getMessage());
      return;
    }
    try {
      try {
        status = posix.statusOf(descriptor, absolute);
        segments = status.maybeSparse() ? segments(descriptor, status.sizeBytes(), absolute) : null;
      } catch (PosixException e) {
        gaps.add(absolute, e.getMessage());
        return;
      }
      if (status.type() != FileType.REGULAR) {
        gaps.add(absolute, "became another kind of file while it was read");
        return;
      }
      long memberStart = positionBytes;
      TreeEntry entry =
          entry(path, status, new byte[0], false, status.sizeBytes(), attributes, segments);
      headerBytes(entry);
      if (segments == null) {
        data(descriptor, 0, status.sizeBytes(), absolute);
      } else {
        byte[] map = PaxFormat.sparseMap(segments);
        write(map, map.length);
        for (TreeEntry.Segment segment : segments) {
          data(descriptor, segment.offsetBytes(), segment.lengthBytes(), absolute);
        }
      }
      write(ZEROS, PaxFormat.padding(entry.dataBytes()));
      index.add(entry, positionBytes - memberStart);
      if (positionBytes - memberStart >= CUT_MEMBER_BYTES) {
        sink.cut();
      }
      reportChange(descriptor, seen, status, absolute);
      if (status.linkCount() > 1 && firstNames.size() < MAX_HARD_LINKS) {
        firstNames.put(new Inode(status.device(), status.inode()), path);
      }
      fileCount++;
      fileBytes += status.sizeBytes();
      progress.at(fileCount, fileBytes);
    } finally {
      posix.close(descriptor);
    }
  }

  private void reportChange(int descriptor, FileStatus seen, FileStatus before, byte[] absolute) {
    try {
      FileStatus after = posix.statusOf(descriptor, absolute);
      boolean same =
          after.sizeBytes() == before.sizeBytes()
              && after.modifiedSeconds() == before.modifiedSeconds()
              && after.modifiedNanos() == before.modifiedNanos()
              && seen.inode() == before.inode();
      if (!same) {
        gaps.add(absolute, "changed while it was read: the backup holds a mixture");
      }
    } catch (PosixException e) {
      gaps.add(absolute, e.getMessage());
    }
  }

  /** Copies a range; what the file lacks by now or cannot give is zeros, and a gap. */
  private void data(int descriptor, long offset, long length, byte[] absolute) throws IOException {
    long left = length;
    try {
      if (offset > 0) {
        posix.seekStart(descriptor, offset, absolute);
      }
      while (left > 0) {
        int read = posix.read(descriptor, buffer, 0, (int) Math.min(buffer.length, left), absolute);
        if (read == 0) {
          gaps.add(
              absolute,
              "became " + left + " bytes shorter while it was read; zeros stand in their place");
          break;
        }
        write(buffer, read);
        left -= read;
      }
    } catch (PosixException e) {
      gaps.add(absolute, e.getMessage() + "; zeros stand in place of " + left + " bytes");
    }
    if (left > 0) {
      Arrays.fill(buffer, (byte) 0);
      for (; left > 0; left -= Math.min(buffer.length, left)) {
        write(buffer, (int) Math.min(buffer.length, left));
      }
    }
  }

  private @Nullable List<TreeEntry.Segment> segments(
      int descriptor, long sizeBytes, byte[] absolute) throws PosixException {
    List<TreeEntry.Segment> segments = new ArrayList<>();
    long at = 0;
    while (at < sizeBytes) {
      long start = posix.nextData(descriptor, at, absolute);
      if (start < 0 || start >= sizeBytes) {
        break;
      }
      long end = Math.min(posix.nextHole(descriptor, start, absolute), sizeBytes);
      if (segments.size() == PaxFormat.MAX_SEGMENTS) {
        posix.seekStart(descriptor, 0, absolute);
        return null;
      }
      segments.add(new TreeEntry.Segment(start, end - start));
      at = end;
    }
    posix.seekStart(descriptor, 0, absolute);
    boolean whole = segments.size() == 1 && segments.getFirst().lengthBytes() == sizeBytes;
    return whole ? null : List.copyOf(segments);
  }

  private List<TreeEntry.Attribute> attributes(int parent, byte[] name) throws PosixException {
    byte[] file =
        parent == Posix.AT_FDCWD
            ? name
            : PathBytes.join(PathBytes.utf8("/proc/self/fd/" + parent), name);
    List<byte[]> names = posix.attributeNames(file);
    if (names.isEmpty()) {
      return List.of();
    }
    List<TreeEntry.Attribute> attributes = new ArrayList<>();
    for (byte[] attribute : names) {
      attributes.add(new TreeEntry.Attribute(attribute, posix.attribute(file, attribute)));
    }
    return List.copyOf(attributes);
  }

  private static TreeEntry entry(
      byte[] path,
      FileStatus status,
      byte[] link,
      boolean hardLink,
      long sizeBytes,
      List<TreeEntry.Attribute> attributes,
      @Nullable List<TreeEntry.Segment> segments) {
    return new TreeEntry(
        path,
        status.type(),
        hardLink,
        status.permissions(),
        status.userId(),
        status.groupId(),
        status.modifiedSeconds(),
        status.modifiedNanos(),
        sizeBytes,
        link,
        status.deviceMajor(),
        status.deviceMinor(),
        attributes,
        segments);
  }

  private void header(TreeEntry entry, long memberStart) throws IOException {
    headerBytes(entry);
    index.add(entry, positionBytes - memberStart);
  }

  private void headerBytes(TreeEntry entry) throws IOException {
    byte[] headers = PaxFormat.headers(entry);
    write(headers, headers.length);
  }

  private void write(byte[] bytes, int length) throws IOException {
    sink.write(bytes, 0, length);
    positionBytes += length;
  }
}
