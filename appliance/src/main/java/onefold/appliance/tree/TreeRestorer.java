package onefold.appliance.tree;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Brings an archive, or parts of it, back to a file system. Whatever the archive holds, nothing is
 * written outside the target: parts of a path are opened one by one relative to their parent's
 * descriptor, links are never followed, and names with {@code ..} are gaps.
 */
public final class TreeRestorer implements AutoCloseable {
  private static final byte[] SELF = {'.'};

  private final TreeSource source;
  private final ExistingFiles existing;
  private final TreeProgress progress;
  private final Posix posix = new Posix();
  private final boolean root = posix.isRoot();
  private final Gaps gaps = new Gaps();
  private final byte[] buffer = new byte[Posix.TRANSFER_BYTES];
  private final Deque<OpenDirectory> open = new ArrayDeque<>();
  private long fileCount;
  private long directoryCount;
  private long fileBytes;

  /**
   * A directory that is being filled; its own metadata are set when it is left, or filling it would
   * change them.
   */
  private static final class OpenDirectory {
    final byte[] path;
    final byte[] name;
    final int descriptor;
    @Nullable TreeEntry entry;

    OpenDirectory(byte[] path, byte[] name, int descriptor) {
      this.path = path;
      this.name = name;
      this.descriptor = descriptor;
    }
  }

  /** Makes a restorer; {@code source} is not closed. */
  public TreeRestorer(TreeSource source, ExistingFiles existing, TreeProgress progress) {
    this.source = source;
    this.existing = existing;
    this.progress = progress;
  }

  /**
   * Restores below {@code target}, which is made if it is not there.
   *
   * @param only paths within the archive, each with everything below it; empty for all
   * @throws IOException if the archive has no readable index, a path of {@code only} is not in it,
   *     a file stands in the way and {@link ExistingFiles#REFUSE} was said, or the target fails;
   *     damaged members are gaps instead
   */
  public TreeSummary restore(Path target, List<byte[]> only) throws IOException {
    List<IndexedEntry> wanted = new ArrayList<>();
    boolean[] found = new boolean[only.size()];
    TreeIndex.read(
        source,
        entry -> {
          boolean take = only.isEmpty();
          for (int i = 0; i < found.length; i++) {
            if (isAtOrBelow(entry.path(), only.get(i))) {
              found[i] = true;
              take = true;
            }
          }
          if (take) {
            wanted.add(entry);
          }
          return true;
        });
    for (int i = 0; i < found.length; i++) {
      if (!found[i]) {
        throw new IOException(
            "'" + PathBytes.printable(only.get(i)) + "' is not in the backup; 'ls' shows what is");
      }
    }
    byte[] targetBytes = PathBytes.of(target);
    openTarget(targetBytes);
    try {
      if (existing == ExistingFiles.REFUSE) {
        refuseIfAnyExists(wanted);
      }
      for (IndexedEntry entry : wanted) {
        member(entry);
      }
      while (open.size() > 1) {
        leave();
      }
      finishRoot(targetBytes);
    } finally {
      while (!open.isEmpty()) {
        posix.close(open.pop().descriptor);
      }
    }
    return new TreeSummary(fileCount, directoryCount, fileBytes, gaps.count(), gaps.kept());
  }

  @Override
  public void close() {
    posix.close();
  }

  private static boolean isAtOrBelow(byte[] path, byte[] top) {
    boolean prefix =
        path.length >= top.length && Arrays.equals(path, 0, top.length, top, 0, top.length);
    return prefix && (path.length == top.length || path[top.length] == '/');
  }

  private void openTarget(byte[] target) throws IOException {
    int flags = Posix.O_RDONLY | Posix.O_DIRECTORY;
    int descriptor;
    try {
      descriptor = posix.openAt(Posix.AT_FDCWD, target, flags, 0);
    } catch (PosixException e) {
      if (e.errno() != Posix.ENOENT) {
        throw e;
      }
      posix.makeDirectory(Posix.AT_FDCWD, target, 0755);
      descriptor = posix.openAt(Posix.AT_FDCWD, target, flags, 0);
    }
    open.push(new OpenDirectory(new byte[0], target, descriptor));
  }

  private void refuseIfAnyExists(List<IndexedEntry> wanted) throws IOException {
    OpenDirectory top = open.getFirst();
    if (posix.names(top.descriptor, top.name).isEmpty()) {
      return;
    }
    for (IndexedEntry entry : wanted) {
      if (entry.type() == 'd') {
        continue;
      }
      try {
        posix.statusAt(top.descriptor, entry.path());
      } catch (PosixException e) {
        continue;
      }
      throw new IOException(
          "'"
              + PathBytes.printable(entry.path())
              + "' exists in the target; nothing was restored. Say --overwrite to replace"
              + " files or --keep-existing to leave them");
    }
  }

  private void member(IndexedEntry indexed) throws IOException {
    if (!isSafe(indexed.path())) {
      gaps.add(indexed.path(), "its name leads out of the target; not restored");
      return;
    }
    MemberReader reader = new MemberReader(indexed.memberOffsetBytes(), indexed.memberBytes());
    try {
      TreeEntry entry = PaxFormat.read(reader);
      if (entry == null || !Arrays.equals(entry.path(), indexed.path())) {
        gaps.add(indexed.path(), "the archive does not hold what its index says");
        return;
      }
      if (Arrays.equals(entry.path(), SELF)) {
        open.getLast().entry = entry;
        directoryCount++;
        return;
      }
      int slash = lastSlash(entry.path());
      enter(slash < 0 ? new byte[0] : Arrays.copyOf(entry.path(), slash));
      create(entry, PathBytes.lastName(entry.path()), reader);
    } catch (PosixException e) {
      boolean link = e.errno() == Posix.ELOOP || e.errno() == Posix.ENOTDIR;
      gaps.add(
          indexed.path(),
          link
              ? e.getMessage() + ": something else stands where a directory must be"
              : e.getMessage());
    } catch (DamagedRangeException e) {
      gaps.add(indexed.path(), e.getMessage());
    }
  }

  private static boolean isSafe(byte[] path) {
    if (Arrays.equals(path, SELF)) {
      return true;
    }
    int start = 0;
    for (int i = 0; i <= path.length; i++) {
      if (i < path.length && path[i] == 0) {
        return false;
      }
      if (i == path.length || path[i] == '/') {
        int length = i - start;
        boolean dots =
            (length == 1 && path[start] == '.')
                || (length == 2 && path[start] == '.' && path[start + 1] == '.');
        if (length == 0 || dots) {
          return false;
        }
        start = i + 1;
      }
    }
    return path.length > 0;
  }

  private static int lastSlash(byte[] path) {
    int slash = path.length - 1;
    while (slash >= 0 && path[slash] != '/') {
      slash--;
    }
    return slash;
  }

  /** Makes {@code directory} the top of the stack, leaving and entering what lies between. */
  private void enter(byte[] directory) throws IOException {
    while (!(open.getFirst().path.length == 0 || isAtOrBelow(directory, open.getFirst().path))) {
      leave();
    }
    while (open.getFirst().path.length < directory.length) {
      OpenDirectory parent = open.getFirst();
      int start = parent.path.length == 0 ? 0 : parent.path.length + 1;
      int end = start;
      while (end < directory.length && directory[end] != '/') {
        end++;
      }
      push(parent, Arrays.copyOf(directory, end), Arrays.copyOfRange(directory, start, end));
    }
  }

  private OpenDirectory push(OpenDirectory parent, byte[] path, byte[] name) throws IOException {
    int flags = Posix.O_RDONLY | Posix.O_DIRECTORY | Posix.O_NOFOLLOW;
    int descriptor;
    try {
      descriptor = posix.openAt(parent.descriptor, name, flags, 0);
    } catch (PosixException e) {
      if (e.errno() != Posix.ENOENT) {
        throw e;
      }
      posix.makeDirectory(parent.descriptor, name, 0700);
      descriptor = posix.openAt(parent.descriptor, name, flags, 0);
    }
    OpenDirectory directory = new OpenDirectory(path, name, descriptor);
    open.push(directory);
    return directory;
  }

  /** Sets the metadata of the top of the stack and goes back to its parent. */
  private void leave() throws IOException {
    OpenDirectory left = open.pop();
    try {
      TreeEntry entry = left.entry;
      if (entry != null) {
        metadata(open.getFirst().descriptor, left.name, left.descriptor, entry);
      }
    } finally {
      posix.close(left.descriptor);
    }
  }

  private void finishRoot(byte[] target) throws IOException {
    OpenDirectory top = open.getFirst();
    TreeEntry entry = top.entry;
    if (entry != null) {
      metadata(Posix.AT_FDCWD, target, top.descriptor, entry);
    }
  }

  private void create(TreeEntry entry, byte[] name, MemberReader reader) throws IOException {
    OpenDirectory parent = open.getFirst();
    if (entry.type() == FileType.DIRECTORY) {
      if (existing == ExistingFiles.OVERWRITE) {
        removeUnlessDirectory(parent.descriptor, name);
      }
      push(parent, entry.path(), name).entry = entry;
      directoryCount++;
      return;
    }
    if (existing != ExistingFiles.REFUSE && exists(parent.descriptor, name)) {
      if (existing == ExistingFiles.KEEP) {
        return;
      }
      posix.remove(
          parent.descriptor,
          name,
          posix.statusAt(parent.descriptor, name).type() == FileType.DIRECTORY);
    }
    if (entry.hardLink()) {
      hardLink(entry, parent.descriptor, name);
      fileCount++;
      return;
    }
    switch (entry.type()) {
      case REGULAR -> regular(entry, parent.descriptor, name, reader);
      case SYMBOLIC_LINK -> {
        posix.symbolicLink(entry.linkTarget(), parent.descriptor, name);
        metadata(parent.descriptor, name, -1, entry);
      }
      case CHARACTER_DEVICE, BLOCK_DEVICE, FIFO -> {
        posix.makeNode(
            parent.descriptor, name, entry.type(), 0600, entry.deviceMajor(), entry.deviceMinor());
        metadata(parent.descriptor, name, -1, entry);
      }
      case DIRECTORY, SOCKET -> throw new IllegalStateException(entry.type().name());
    }
    fileCount++;
    progress.at(fileCount, fileBytes);
  }

  private void regular(TreeEntry entry, int parent, byte[] name, MemberReader reader)
      throws IOException {
    int descriptor =
        posix.openAt(
            parent, name, Posix.O_WRONLY | Posix.O_CREAT | Posix.O_EXCL | Posix.O_NOFOLLOW, 0600);
    try {
      List<TreeEntry.Segment> segments = entry.segments();
      boolean whole = true;
      if (segments == null) {
        whole = data(reader, descriptor, 0, entry.sizeBytes(), entry.path());
      } else {
        for (TreeEntry.Segment segment : segments) {
          whole &=
              data(reader, descriptor, segment.offsetBytes(), segment.lengthBytes(), entry.path());
        }
      }
      if (segments != null || !whole) {
        posix.truncate(descriptor, entry.sizeBytes(), entry.path());
      }
      fileBytes += entry.sizeBytes();
      metadata(parent, name, descriptor, entry);
    } finally {
      posix.close(descriptor);
    }
  }

  /**
   * Writes a run of a file's bytes. What is damaged is left out and named, where the source can
   * tell how far it reaches; the file has a hole there.
   *
   * @return whether all is there
   */
  private boolean data(MemberReader reader, int descriptor, long offset, long length, byte[] path)
      throws IOException {
    boolean whole = true;
    long lostFrom = -1;
    String why = "";
    for (long done = 0; done < length; ) {
      int part = (int) Math.min(buffer.length, length - done);
      int read;
      try {
        read = reader.read(buffer, part);
      } catch (DamagedRangeException e) {
        long lost = Math.min(reader.damagedBytes(), length - done);
        if (lost == 0) {
          throw e;
        }
        reader.positionBytes += lost;
        if (lostFrom < 0) {
          lostFrom = offset + done;
          why = String.valueOf(e.getMessage());
        }
        whole = false;
        done += lost;
        continue;
      }
      posix.write(descriptor, offset + done, buffer, 0, read, path);
      addHole(path, lostFrom, offset + done, why);
      lostFrom = -1;
      done += read;
    }
    addHole(path, lostFrom, offset + length, why);
    return whole;
  }

  private void addHole(byte[] path, long fromBytes, long endBytes, String why) {
    if (fromBytes >= 0) {
      gaps.add(
          path, "hole of " + (endBytes - fromBytes) + " bytes from byte " + fromBytes + ": " + why);
    }
  }

  /** Links to the earlier name, reached from the target's top without following links. */
  private void hardLink(TreeEntry entry, int parent, byte[] name) throws IOException {
    byte[] first = entry.linkTarget();
    if (!isSafe(first)) {
      gaps.add(entry.path(), "its hard link leads out of the target; not restored");
      return;
    }
    int directory = open.getLast().descriptor;
    boolean opened = false;
    try {
      int start = 0;
      for (int i = 0; i < first.length; i++) {
        if (first[i] == '/') {
          int next =
              posix.openAt(
                  directory,
                  Arrays.copyOfRange(first, start, i),
                  Posix.O_RDONLY | Posix.O_DIRECTORY | Posix.O_NOFOLLOW,
                  0);
          if (opened) {
            posix.close(directory);
          }
          directory = next;
          opened = true;
          start = i + 1;
        }
      }
      posix.hardLink(directory, Arrays.copyOfRange(first, start, first.length), parent, name);
    } catch (PosixException e) {
      String hint =
          e.errno() == Posix.ENOENT
              ? "; restore '" + PathBytes.printable(first) + "' along with it"
              : "";
      gaps.add(entry.path(), e.getMessage() + hint);
    } finally {
      if (opened) {
        posix.close(directory);
      }
    }
  }

  /** Sets owner, attributes, mode and time, in the order in which one does not undo the other. */
  private void metadata(int parent, byte[] name, int descriptor, TreeEntry entry)
      throws IOException {
    try {
      if (root) {
        posix.changeOwner(parent, name, entry.userId(), entry.groupId());
      }
      for (TreeEntry.Attribute attribute : entry.attributes()) {
        attribute(parent, name, entry, attribute);
      }
      if (descriptor >= 0) {
        posix.changeMode(descriptor, entry.permissions(), name);
      } else if (entry.type() != FileType.SYMBOLIC_LINK) {
        posix.changeModeAt(parent, name, entry.permissions());
      }
      posix.changeTime(parent, name, entry.modifiedSeconds(), entry.modifiedNanos());
    } catch (PosixException e) {
      gaps.add(entry.path(), e.getMessage());
    }
  }

  private void attribute(int parent, byte[] name, TreeEntry entry, TreeEntry.Attribute attribute) {
    byte[] file =
        parent == Posix.AT_FDCWD
            ? name
            : PathBytes.join(PathBytes.utf8("/proc/self/fd/" + parent), name);
    try {
      posix.setAttribute(file, attribute.name(), attribute.value());
    } catch (PosixException e) {
      gaps.add(
          entry.path(),
          "attribute " + PathBytes.printable(attribute.name()) + ": " + e.getMessage());
    }
  }

  private boolean exists(int parent, byte[] name) throws PosixException {
    try {
      posix.statusAt(parent, name);
      return true;
    } catch (PosixException e) {
      if (e.errno() == Posix.ENOENT) {
        return false;
      }
      throw e;
    }
  }

  private void removeUnlessDirectory(int parent, byte[] name) throws PosixException {
    if (exists(parent, name) && posix.statusAt(parent, name).type() != FileType.DIRECTORY) {
      posix.remove(parent, name, false);
    }
  }

  /** Reads one member's bytes in order and never beyond its end. */
  private final class MemberReader implements PaxFormat.Source {
    private long positionBytes;
    private final long endBytes;

    MemberReader(long offsetBytes, long lengthBytes) {
      this.positionBytes = offsetBytes;
      this.endBytes = offsetBytes + lengthBytes;
    }

    @Override
    public void readFully(byte[] target, int length) throws IOException {
      if (length > endBytes - positionBytes) {
        throw new DamagedRangeException(
            "its member ends at " + endBytes + ", " + (positionBytes + length) + " was asked for");
      }
      int done = 0;
      while (done < length) {
        done += readSome(target, done, length - done);
      }
    }

    /** Reads up to {@code length} bytes, at least 1, of which all belong to the member. */
    int read(byte[] target, int length) throws IOException {
      if (positionBytes >= endBytes) {
        throw new DamagedRangeException(
            "its member ends at " + endBytes + ", within what its head says");
      }
      return readSome(target, 0, (int) Math.min(length, endBytes - positionBytes));
    }

    private int readSome(byte[] target, int offset, int length) throws IOException {
      int read = source.read(positionBytes, target, offset, length);
      if (read < 0) {
        throw new IOException("the archive ends at " + positionBytes + ", within a member");
      }
      positionBytes += read;
      return read;
    }

    /** How many bytes of the member cannot be read from here on; 0 if that is not known. */
    long damagedBytes() throws IOException {
      if (positionBytes >= endBytes) {
        return 0;
      }
      return Math.min(source.endOfDamage(positionBytes), endBytes) - positionBytes;
    }
  }
}
