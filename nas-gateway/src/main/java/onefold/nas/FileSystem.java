package onefold.nas;

import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import onefold.store.Id;
import org.jspecify.annotations.Nullable;

/**
 * The files of one share.
 *
 * <p>Every method that changes something is durable when it returns, what {@link OpenFile#write}
 * does unstably excepted. Many threads may call it at once. Names are 1 to {@link #MAX_NAME_BYTES}
 * bytes without slash and NUL, UTF-8 or not, neither {@code .} nor {@code ..}; arrays that are
 * passed in are not kept.
 *
 * <p>All methods throw {@link FileException}; errors that each of them may give are not repeated
 * below: {@code STALE} for a file id that stands for nothing, {@code NOT_DIRECTORY} where a
 * directory is needed, the errors of names, {@code ACCESS} and {@code NOT_OWNER} by the
 * permissions, {@code READ_ONLY}, {@code NO_SPACE} and {@code QUOTA} for what needs room, {@code
 * IO} for damage and a failed disk.
 */
public interface FileSystem {
  int MAX_NAME_BYTES = 255;

  /** Most bytes of a symbolic link's target. */
  int MAX_TARGET_BYTES = 4095;

  int MAX_LINKS = 65_000;

  /** Largest file. */
  long MAX_FILE_BYTES = 1L << 60;

  /** Most bytes of an extended attribute's value. */
  int MAX_EXTENDED_ATTRIBUTE_BYTES = 64 << 10;

  /** Most extended attributes of one file. */
  int MAX_EXTENDED_ATTRIBUTES = 1024;

  /** Most named streams of one file. */
  int MAX_STREAMS = 100;

  /** Most entries of an access control list. */
  int MAX_ACCESS_ENTRIES = 256;

  /** Most entries of one page of a directory. */
  int MAX_PAGE_ENTRIES = 1000;

  /** Cookies of entries are at least this; the smaller ones are the front-end's own. */
  long FIRST_COOKIE = 16;

  /** The share's id, never used again. */
  Id shareId();

  /** File id of the directory that everything is in. */
  long rootId();

  /** Differs after every start that may have lost unstable writes. */
  long writeVerifier();

  // ---- looking

  Attributes attributes(long fileId) throws IOException;

  /**
   * Finds a name.
   *
   * @throws FileException {@code NOT_FOUND}
   */
  Attributes lookup(Credentials who, long directoryId, byte[] name) throws IOException;

  /**
   * Finds a name whatever the case of its letters, in the same time however many names there are:
   * the name itself, else its form in small letters, else the oldest that has the same. For clients
   * of NT, where what is found is then used by the name that it has.
   *
   * @return the entry with its attributes
   * @throws FileException {@code NOT_FOUND}
   */
  DirectoryEntry lookupIgnoringCase(Credentials who, long directoryId, byte[] name)
      throws IOException;

  /**
   * Finds the directory that a directory is in.
   *
   * @throws FileException {@code NOT_FOUND} for the root
   */
  Attributes lookupParent(Credentials who, long directoryId) throws IOException;

  /**
   * Says what somebody may do.
   *
   * @param wanted bits of {@link Access}
   * @return those of the wanted that he may
   */
  int access(Credentials who, long fileId, int wanted) throws IOException;

  /**
   * Lists a directory in order of cookie. What is there all the time while somebody goes through
   * the pages is given once; what comes or goes meanwhile once or not at all.
   *
   * @param after cookie; 0 for the start. One whose name is gone is as good as any other
   * @param limit 1 to {@link #MAX_PAGE_ENTRIES}
   * @param withAttributes whether entries have theirs; an entry whose file is just being removed
   *     may be without
   */
  DirectoryPage list(
      Credentials who, long directoryId, long after, int limit, boolean withAttributes)
      throws IOException;

  /**
   * Returns a symbolic link's target.
   *
   * @throws FileException {@code INVALID} if it is none
   */
  byte[] readLink(Credentials who, long fileId) throws IOException;

  SpaceStatus space() throws IOException;

  // ---- names

  /**
   * Makes a regular file, or takes the one that is there, as the mode says.
   *
   * @throws FileException {@code EXISTS}; for an unchecked one {@code IS_DIRECTORY}, {@code
   *     IS_SYMBOLIC_LINK} or {@code WRONG_TYPE} if the name stands for such
   */
  Created create(Credentials who, long directoryId, byte[] name, CreateMode mode)
      throws IOException;

  /** Makes a directory; {@code EXISTS}. */
  Created makeDirectory(Credentials who, long directoryId, byte[] name, AttributeChange attributes)
      throws IOException;

  /**
   * Makes a symbolic link.
   *
   * @param target any bytes, 1 to {@link #MAX_TARGET_BYTES}, without NUL; {@code INVALID}, {@code
   *     NAME_TOO_LONG}
   */
  Created makeSymbolicLink(
      Credentials who, long directoryId, byte[] name, byte[] target, AttributeChange attributes)
      throws IOException;

  /** Makes a special file; devices only root may. */
  Created makeSpecialFile(
      Credentials who, long directoryId, byte[] name, SpecialFile file, AttributeChange attributes)
      throws IOException;

  /**
   * Gives a file another name.
   *
   * @return {@code file} has the new link count
   * @throws FileException {@code IS_DIRECTORY}, {@code EXISTS}, {@code TOO_MANY_LINKS}
   */
  Created link(Credentials who, long fileId, long directoryId, byte[] name) throws IOException;

  /**
   * Removes the name of what is no directory. The last name's file stays while somebody holds it
   * open.
   *
   * @throws FileException {@code NOT_FOUND}, {@code IS_DIRECTORY}, {@code RETAINED}
   */
  Removed remove(Credentials who, long directoryId, byte[] name) throws IOException;

  /**
   * Removes an empty directory.
   *
   * @throws FileException {@code NOT_FOUND}, {@code NOT_DIRECTORY}, {@code NOT_EMPTY}
   */
  Removed removeDirectory(Credentials who, long directoryId, byte[] name) throws IOException;

  /**
   * Changes a name, and the directory it is in. What has the new name already is replaced, if it is
   * an empty directory for a directory, or no directory for what is none. Two names of one file:
   * nothing is done.
   *
   * @throws FileException {@code NOT_FOUND}, {@code NOT_EMPTY}, {@code IS_DIRECTORY}, {@code
   *     NOT_DIRECTORY}; {@code INVALID} for a directory into itself
   */
  Renamed rename(
      Credentials who, long fromDirectoryId, byte[] fromName, long toDirectoryId, byte[] toName)
      throws IOException;

  // ---- attributes

  /**
   * Changes attributes, all or none.
   *
   * @param guard the change time that it must have, or null for any
   * @throws FileException {@code NOT_SAME} if the guard does not hold; {@code IS_DIRECTORY}, {@code
   *     WRONG_TYPE} for a size of what has none; {@code TOO_BIG}
   */
  Change setAttributes(
      Credentials who, long fileId, AttributeChange change, @Nullable Instant guard)
      throws IOException;

  /** Returns the access control list, made of the mode if none was set. */
  List<AccessEntry> accessList(Credentials who, long fileId) throws IOException;

  /**
   * Sets the access control list, and the mode that follows from it.
   *
   * @param entries at most {@link #MAX_ACCESS_ENTRIES}; empty for none but the mode
   */
  Change setAccessList(Credentials who, long fileId, List<AccessEntry> entries) throws IOException;

  /** Reads an extended attribute of the user's name space; {@code NO_ATTRIBUTE}. */
  byte[] extendedAttribute(Credentials who, long fileId, byte[] name) throws IOException;

  /**
   * Sets an extended attribute.
   *
   * @param name checked like a file's, slashes allowed
   * @throws FileException {@code EXISTS}, {@code NO_ATTRIBUTE}, {@code ATTRIBUTE_TOO_BIG}; {@code
   *     NO_SPACE} beyond {@link #MAX_EXTENDED_ATTRIBUTES}
   */
  Change setExtendedAttribute(
      Credentials who, long fileId, byte[] name, byte[] value, AttributeMode mode)
      throws IOException;

  /** Removes an extended attribute; {@code NO_ATTRIBUTE}. */
  Change removeExtendedAttribute(Credentials who, long fileId, byte[] name) throws IOException;

  /**
   * Lists extended attributes in order of name.
   *
   * @param after exclusive; empty for the start
   * @param limit 1 to {@link #MAX_PAGE_ENTRIES}
   */
  AttributeNames extendedAttributes(Credentials who, long fileId, byte[] after, int limit)
      throws IOException;

  // ---- named streams

  /**
   * Lists the named streams of a file or directory in order of name, those in which its content
   * lies not; at most {@link #MAX_STREAMS}.
   */
  List<StreamEntry> streams(Credentials who, long fileId) throws IOException;

  /**
   * Makes a named stream, or takes the one that is there whatever the case of its letters, as the
   * mode says. It is opened, read and written by its own id, with the rights to the file that has
   * it, and goes with that file. Of its attributes only the size can be set.
   *
   * @param name 1 to {@link #MAX_NAME_BYTES} bytes without NUL, slash and colon
   * @return {@code file} are the stream's attributes, {@code directory} those of the file before
   *     and after
   * @throws FileException {@code EXISTS}; {@code WRONG_TYPE} for what is neither regular file nor
   *     directory; {@code NO_SPACE} beyond {@link #MAX_STREAMS}
   */
  Created createStream(Credentials who, long fileId, byte[] name, CreateMode mode)
      throws IOException;

  /**
   * Removes a named stream; who has it open can use it until it is closed.
   *
   * @throws FileException {@code NO_ATTRIBUTE}, {@code RETAINED}
   */
  Change removeStream(Credentials who, long fileId, byte[] name) throws IOException;

  // ---- content

  /**
   * Opens a regular file. It stays readable by this after its last name is gone, until it is closed
   * or the server ends. Opening is cheap: a stateless front-end opens and closes for each request.
   *
   * @param access {@link OpenFile#READ}, {@link OpenFile#WRITE} or both
   * @param asOwner whether the owner may whatever the mode says: for clients without open, whose
   *     owner was asked at their own open, and for who has just made the file
   * @throws FileException {@code IS_DIRECTORY}, {@code IS_SYMBOLIC_LINK}, {@code WRONG_TYPE}
   */
  OpenFile open(Credentials who, long fileId, int access, boolean asOwner) throws IOException;

  /** Share modes and byte range locks of this share's files, for all protocols. */
  LockManager locks();

  /** Why the share cannot be written to, by settings; empty if it can. */
  Optional<String> readOnlyReason();
}
