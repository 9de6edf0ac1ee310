package onefold.nas;

import java.io.IOException;
import java.time.Instant;
import java.util.List;

/** Who may what, by owner, group, mode and access control list. */
final class Permissions {
  static final int READ = 4;
  static final int WRITE = 2;
  static final int EXECUTE = 1;

  private static final int SET_UID = 04000;
  private static final int SET_GID = 02000;

  /** Finds the list that was set for a file. */
  interface Lists {
    List<AccessEntry> find(Inode inode) throws IOException;
  }

  private final Lists lists;

  Permissions(Lists lists) {
    this.lists = lists;
  }

  /**
   * Checks a right.
   *
   * @param wanted of {@link #READ}, {@link #WRITE} and {@link #EXECUTE}; all of them
   * @throws FileException {@code ACCESS}
   */
  void check(Inode inode, Credentials who, int wanted) throws IOException {
    if ((rights(inode, who, wanted) & wanted) != wanted) {
      throw refused(inode, who);
    }
  }

  /** Checks the right to read; who may execute may read too, because clients page programs in. */
  void checkRead(Inode inode, Credentials who) throws IOException {
    if (rights(inode, who, READ | EXECUTE) == 0) {
      throw refused(inode, who);
    }
  }

  private static FileException refused(Inode inode, Credentials who) {
    return new FileException(
        FileError.ACCESS,
        "file "
            + inode.fileId()
            + " of "
            + inode.uid()
            + ":"
            + inode.gid()
            + ", mode "
            + Integer.toOctalString(inode.mode())
            + ", does not allow it to "
            + who.uid()
            + ":"
            + who.gid());
  }

  private int rights(Inode inode, Credentials who, int wanted) throws IOException {
    if (who.isRoot()) {
      return wanted;
    }
    if (inode.hasAccessList()) {
      int mask =
          ((wanted & READ) != 0 ? AccessLists.READ_DATA : 0)
              | ((wanted & WRITE) != 0 ? AccessLists.WRITE_DATA : 0)
              | ((wanted & EXECUTE) != 0 ? AccessLists.EXECUTE : 0);
      int allowed = AccessLists.allowed(lists.find(inode), inode, who, mask);
      return ((allowed & AccessLists.READ_DATA) != 0 ? READ : 0)
          | ((allowed & AccessLists.WRITE_DATA) != 0 ? WRITE : 0)
          | ((allowed & AccessLists.EXECUTE) != 0 ? EXECUTE : 0);
    }
    int shift = who.uid() == inode.uid() ? 6 : who.isIn(inode.gid()) ? 3 : 0;
    return inode.mode() >> shift & wanted & 7;
  }

  boolean mayWriteList(Inode inode, Credentials who) throws IOException {
    return inode.hasAccessList()
        && AccessLists.allowed(lists.find(inode), inode, who, AccessLists.WRITE_LIST) != 0;
  }

  /** Bits of {@link Access} that somebody has of those wanted. */
  int access(Inode inode, Credentials who, int wanted) throws IOException {
    int rights = rights(inode, who, READ | WRITE | EXECUTE);
    boolean read = (rights & READ) != 0;
    boolean write = (rights & WRITE) != 0;
    boolean execute = (rights & EXECUTE) != 0;
    int may = 0;
    if (read) {
      may |= Access.READ | Access.ATTRIBUTE_READ | Access.ATTRIBUTE_LIST;
    }
    if (write) {
      may |= Access.MODIFY | Access.EXTEND | Access.ATTRIBUTE_WRITE;
    }
    if (inode.isDirectory()) {
      may |= execute ? Access.LOOKUP : 0;
      may |= write && execute ? Access.DELETE : 0;
    } else {
      // For root only what somebody may execute is a program.
      boolean program = !who.isRoot() || (inode.mode() & 0111) != 0;
      may |= execute && program ? Access.EXECUTE : 0;
    }
    return may & wanted;
  }

  /** Mode bits after a write by somebody who is not root. */
  static int withoutSetIds(int mode) {
    // Without the group's right to execute the bit means mandatory locks, and stays.
    int gone = SET_UID | ((mode & 010) != 0 ? SET_GID : 0);
    return mode & ~gone;
  }

  /**
   * Checks a change of attributes and makes it; size is only checked.
   *
   * @throws FileException {@code NOT_OWNER}, {@code ACCESS}
   */
  void apply(Inode inode, Credentials who, AttributeChange change, Instant now, Inode.Edit edit)
      throws IOException {
    boolean owner = who.isRoot() || who.uid() == inode.uid();
    Integer mode = change.mode();
    Long uid = change.uid();
    Long gid = change.gid();
    if (mode != null) {
      requireOwner(owner, inode, who);
      edit.mode = mode;
      if (!who.isRoot() && !who.isIn(gid == null ? inode.gid() : gid)) {
        edit.mode &= ~SET_GID;
      }
    }
    if (uid != null && uid != inode.uid()) {
      if (!who.isRoot()) {
        throw new FileException(FileError.NOT_OWNER, "only root gives files away");
      }
      edit.uid = uid;
    } else if (uid != null) {
      requireOwner(owner, inode, who);
    }
    if (gid != null) {
      requireOwner(owner, inode, who);
      if (gid != inode.gid() && !who.isRoot() && !who.isIn(gid)) {
        throw new FileException(FileError.NOT_OWNER, who.uid() + " is not in group " + gid);
      }
      edit.gid = gid;
    }
    if ((uid != null || gid != null) && mode == null && !inode.isDirectory()) {
      edit.mode = withoutSetIds(edit.mode);
    }
    if (change.sizeBytes() != null && !owner) {
      check(inode, who, WRITE);
    }
    TimeChange accessTime = change.accessTime();
    if (accessTime != null) {
      edit.accessTime = time(accessTime, inode, who, owner, now);
    }
    TimeChange modifyTime = change.modifyTime();
    if (modifyTime != null) {
      edit.modifyTime = time(modifyTime, inode, who, owner, now);
    }
    if (change.birthTime() != null) {
      requireOwner(owner, inode, who);
      edit.birthTime = change.birthTime();
    }
    if (change.changeTime() != null) {
      requireOwner(owner, inode, who);
    }
    Integer dosAttributes = change.dosAttributes();
    if (dosAttributes != null) {
      requireOwner(owner, inode, who);
      edit.dosAttributes = dosAttributes;
    }
  }

  private Instant time(TimeChange change, Inode inode, Credentials who, boolean owner, Instant now)
      throws IOException {
    return switch (change) {
      case TimeChange.Now _ -> {
        if (!owner) {
          check(inode, who, WRITE);
        }
        yield now;
      }
      case TimeChange.At(Instant time) -> {
        requireOwner(owner, inode, who);
        yield time;
      }
    };
  }

  private static void requireOwner(boolean owner, Inode inode, Credentials who)
      throws FileException {
    if (!owner) {
      throw new FileException(
          FileError.NOT_OWNER,
          "file " + inode.fileId() + " belongs to " + inode.uid() + ", not to " + who.uid());
    }
  }
}
