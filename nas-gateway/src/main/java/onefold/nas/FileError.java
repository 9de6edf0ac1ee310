package onefold.nas;

/** Why the file layer does not do something; each front-end has a number for each of them. */
public enum FileError {
  /** Only the owner or root may (EPERM). */
  NOT_OWNER,
  /** Permissions do not allow it (EACCES). */
  ACCESS,
  /** No such name (ENOENT). */
  NOT_FOUND,
  /** The name is taken (EEXIST). */
  EXISTS,
  /** The file id stands for nothing any more (ESTALE). */
  STALE,
  /** Not a directory (ENOTDIR). */
  NOT_DIRECTORY,
  /** A directory, where something else is needed (EISDIR). */
  IS_DIRECTORY,
  /** A symbolic link, where something else is needed (NFS4ERR_SYMLINK, else EINVAL). */
  IS_SYMBOLIC_LINK,
  /** Neither file, directory nor link, where a regular file is needed (EINVAL). */
  WRONG_TYPE,
  /** An argument that cannot be (EINVAL). */
  INVALID,
  /**
   * A name that cannot be: empty, {@code .}, {@code ..}, with slash or NUL (NFS4ERR_BADNAME, else
   * EINVAL).
   */
  BAD_NAME,
  /** More than 255 bytes of name, or 4,095 of a link's target (ENAMETOOLONG). */
  NAME_TOO_LONG,
  /** The directory holds something (ENOTEMPTY). */
  NOT_EMPTY,
  /** Two shares, of which the operation needs one (EXDEV). */
  CROSS_SHARE,
  /** More than {@link FileSystem#MAX_LINKS} (EMLINK). */
  TOO_MANY_LINKS,
  /** Beyond {@link FileSystem#MAX_FILE_BYTES} (EFBIG). */
  TOO_BIG,
  /** No space (ENOSPC). */
  NO_SPACE,
  /** The share's quota is used up (EDQUOT). */
  QUOTA,
  /** The share, or this client's way to it, is read-only (EROFS). */
  READ_ONLY,
  /** Kept until a time by a WORM share (EPERM; NT: ACCESS_DENIED). */
  RETAINED,
  /** The guard of a change of attributes does not hold (NFS3ERR_NOT_SYNC). */
  NOT_SAME,
  /** A cookie that no listing of this directory has given (NFS3ERR_BAD_COOKIE). */
  BAD_COOKIE,
  /** Somebody else's share mode forbids it (NFS4ERR_SHARE_DENIED, SHARING_VIOLATION). */
  SHARE_DENIED,
  /** Somebody else's byte range lock forbids it (NFS4ERR_LOCKED, FILE_LOCK_CONFLICT). */
  LOCKED,
  /** At a bound of the lock manager or of open files (ENOLCK, NFS4ERR_RESOURCE). */
  TOO_MANY_LOCKS,
  /** No such extended attribute (ENODATA, NFS4ERR_NOXATTR). */
  NO_ATTRIBUTE,
  /**
   * An extended attribute's value beyond {@link FileSystem#MAX_EXTENDED_ATTRIBUTE_BYTES} (E2BIG).
   */
  ATTRIBUTE_TOO_BIG,
  /** No such position: nothing but a hole, or the end, behind it (ENXIO). */
  NO_SUCH_POSITION,
  /** Not for this share or this kind of file (ENOTSUPP). */
  NOT_SUPPORTED,
  /** The server cannot now; the client may come again (NFS3ERR_JUKEBOX, NFS4ERR_DELAY). */
  DELAY,
  /** Stored bytes are wrong, or the disk failed (EIO). */
  IO
}
