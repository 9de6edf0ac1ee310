package onefold.nas;

import java.time.Instant;

/**
 * A file as its entry in the share's tree describes it, content and its length left out.
 *
 * @param parentId the directory that a directory is in, its own id for the root; of a stream the
 *     file that has it; 0 for all else
 * @param verifier of the exclusive creation that made it, if {@code exclusive}
 * @param sparse whether there may be holes in it, or room that is only reserved
 * @param hasAttributes whether it may have extended attributes
 * @param hasAccessList whether an access control list was set
 * @param committed whether it is kept as it is, and not removed before its access time is reached
 * @param hasStreams whether it may have named streams
 * @param target of a symbolic link; empty for all else; nobody changes the array
 */
record Inode(
    long fileId,
    FileType type,
    int mode,
    int linkCount,
    long uid,
    long gid,
    int deviceMajor,
    int deviceMinor,
    int dosAttributes,
    Instant accessTime,
    Instant modifyTime,
    Instant changeTime,
    Instant birthTime,
    long change,
    long parentId,
    boolean exclusive,
    long verifier,
    boolean sparse,
    boolean hasAttributes,
    boolean hasAccessList,
    boolean committed,
    boolean hasStreams,
    byte[] target) {
  private static final byte[] NO_TARGET = {};

  /** Makes a file of one name, a directory with two links. */
  static Inode make(
      long fileId, FileType type, int mode, long uid, long gid, long parentId, Instant now) {
    boolean directory = type == FileType.DIRECTORY;
    return new Inode(
        fileId,
        type,
        mode,
        directory ? 2 : 1,
        uid,
        gid,
        0,
        0,
        0,
        now,
        now,
        now,
        now,
        nextChange(0, now),
        directory ? parentId : 0,
        false,
        0,
        false,
        false,
        false,
        false,
        false,
        NO_TARGET);
  }

  /** What the change counter becomes: more than before, also if a crash took changes back. */
  static long nextChange(long change, Instant now) {
    return Math.max(change + 1, now.getEpochSecond() * 1_000_000_000L + now.getNano());
  }

  boolean isDirectory() {
    return type == FileType.DIRECTORY;
  }

  boolean isRegular() {
    return type == FileType.REGULAR;
  }

  /** Whether it is a named stream of another file, and has no name in a directory. */
  boolean isStream() {
    return isRegular() && parentId != 0;
  }

  Edit edit() {
    return new Edit(this);
  }

  Attributes attributes(long sizeBytes, long spaceBytes) {
    return new Attributes(
        fileId,
        type,
        mode,
        linkCount,
        uid,
        gid,
        sizeBytes,
        spaceBytes,
        deviceMajor,
        deviceMinor,
        accessTime,
        modifyTime,
        changeTime,
        birthTime,
        change,
        dosAttributes);
  }

  /** Another state of a file on its way. */
  static final class Edit {
    private final Inode from;
    int mode;
    int linkCount;
    long uid;
    long gid;
    int deviceMajor;
    int deviceMinor;
    int dosAttributes;
    Instant accessTime;
    Instant modifyTime;
    Instant changeTime;
    Instant birthTime;
    long change;
    long parentId;
    boolean exclusive;
    long verifier;
    boolean sparse;
    boolean hasAttributes;
    boolean hasAccessList;
    boolean committed;
    boolean hasStreams;
    byte[] target;

    private Edit(Inode from) {
      this.from = from;
      this.mode = from.mode;
      this.linkCount = from.linkCount;
      this.uid = from.uid;
      this.gid = from.gid;
      this.deviceMajor = from.deviceMajor;
      this.deviceMinor = from.deviceMinor;
      this.dosAttributes = from.dosAttributes;
      this.accessTime = from.accessTime;
      this.modifyTime = from.modifyTime;
      this.changeTime = from.changeTime;
      this.birthTime = from.birthTime;
      this.change = from.change;
      this.parentId = from.parentId;
      this.exclusive = from.exclusive;
      this.verifier = from.verifier;
      this.sparse = from.sparse;
      this.hasAttributes = from.hasAttributes;
      this.hasAccessList = from.hasAccessList;
      this.committed = from.committed;
      this.hasStreams = from.hasStreams;
      this.target = from.target;
    }

    /** Something besides content has changed. */
    Edit changed(Instant now) {
      changeTime = now;
      change = nextChange(from.change, now);
      return this;
    }

    /** Content, or what is in a directory, has changed. */
    Edit modified(Instant now) {
      modifyTime = now;
      return changed(now);
    }

    Inode done() {
      return new Inode(
          from.fileId,
          from.type,
          mode,
          linkCount,
          uid,
          gid,
          deviceMajor,
          deviceMinor,
          dosAttributes,
          accessTime,
          modifyTime,
          changeTime,
          birthTime,
          change,
          parentId,
          exclusive,
          verifier,
          sparse,
          hasAttributes,
          hasAccessList,
          committed,
          hasStreams,
          target);
    }
  }
}
