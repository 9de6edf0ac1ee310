package onefold.nas.nfs;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import onefold.nas.FileSystem;
import onefold.nas.OpenFile;
import org.jspecify.annotations.Nullable;

/**
 * One file that one owner has open. The file stays open underneath while requests use it, also
 * beyond its close. Fields are guarded by the client's lock.
 */
final class OpenState extends State {
  private final OpenOwner owner;
  private final FileKey key;
  private final FileSystem files;
  private final List<OpenFile> open = new ArrayList<>();
  private int users;
  private boolean closed;

  /** Bits of {@link OpenFile} that it may do, and that others must not. */
  int access;

  int deny;

  /** Who opened it last. */
  long uid;

  /** Bit n: it was opened with this access, this denial; what a downgrade may go back to. */
  int accessSeen;

  int denySeen;

  final Map<LockOwner, LockState> locks = new HashMap<>();

  OpenState(long number, OpenOwner owner, FileKey key, FileSystem files) {
    super(number, owner.client());
    this.owner = owner;
    this.key = key;
    this.files = files;
  }

  OpenOwner owner() {
    return owner;
  }

  FileKey key() {
    return key;
  }

  FileSystem files() {
    return files;
  }

  @Override
  OpenState open() {
    return this;
  }

  boolean isClosed() {
    return closed;
  }

  /**
   * Takes an open file over, to be closed with this one, unless there is one that does the same.
   */
  void add(OpenFile file) {
    for (OpenFile one : open) {
      if ((one.access() & file.access()) == file.access()) {
        return;
      }
    }
    open.add(file);
  }

  /** Whether an open file was taken over; until {@link #leave} has been called by who asks. */
  boolean owns(OpenFile file) {
    return open.contains(file);
  }

  /** The file, open for an access, or null if it is not; {@link #leave} must follow. */
  @Nullable OpenFile enter(int wanted) {
    if (closed || (access & wanted) != wanted) {
      return null;
    }
    for (OpenFile file : open) {
      if ((file.access() & wanted) == wanted) {
        users++;
        return file;
      }
    }
    return null;
  }

  /** Keeps it open until {@link #leave}. */
  void hold() {
    users++;
  }

  void leave() {
    users--;
    closeIfUnused();
  }

  void close() {
    closed = true;
    closeIfUnused();
  }

  private void closeIfUnused() {
    if (closed && users == 0) {
      open.forEach(OpenFile::close);
      open.clear();
    }
  }
}
