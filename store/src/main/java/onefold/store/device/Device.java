package onefold.store.device;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import onefold.store.StoreFullException;

/**
 * One directory tree with the durability rules of POSIX and nothing more.
 *
 * <p>Paths are relative to the device, separated by {@code /}, with no empty part, {@code .} or
 * {@code ..}; the device itself is the empty path, allowed where a directory is meant. Anything
 * else is an {@code IllegalArgumentException}.
 *
 * <p>Written bytes are durable after {@link DeviceFile#force}. A name that was made, moved or
 * removed is durable after {@link #forceDirectory} of the directory it stands in; a rename between
 * two directories needs both. Before that a power loss may keep or lose each of them, in any
 * combination.
 *
 * <p>Every call may throw {@link DeviceForceException} once a force on this device has failed. All
 * methods may be called by many threads at once.
 */
public interface Device {
  /**
   * Makes an empty file and opens it for reading and writing. The caller owns it and closes it.
   *
   * @throws java.nio.file.FileAlreadyExistsException if the name is taken
   * @throws java.nio.file.NoSuchFileException if its directory does not exist
   * @throws StoreFullException if there is no space for the name
   */
  DeviceFile create(String path) throws IOException;

  /**
   * Opens a file that exists. The caller owns it and closes it.
   *
   * @param writable whether it may be written, truncated, allocated and forced
   * @throws java.nio.file.NoSuchFileException if there is none
   */
  DeviceFile open(String path, boolean writable) throws IOException;

  /** Says whether the name exists, as a file or directory. */
  boolean exists(String path) throws IOException;

  /**
   * Names in a directory, without the directory, in order of their UTF-16 units; directories
   * included.
   *
   * @throws java.nio.file.NoSuchFileException if there is no such directory
   * @throws java.nio.file.NotDirectoryException if it is a file
   */
  List<String> list(String directory) throws IOException;

  /**
   * Makes a directory and those above it, as far as they are missing. Their names are durable when
   * the directory above each of them has been forced.
   */
  void createDirectories(String directory) throws IOException;

  /**
   * As {@link #create}, on the disk on which another file lies if there are several, so that the
   * new file can take its name.
   *
   * @throws java.nio.file.NoSuchFileException if there is no such other file
   */
  default DeviceFile createBeside(String path, String other) throws IOException {
    return create(path);
  }

  /**
   * Gives a file or directory another name, in one step: whoever looks sees the old state or the
   * new. A file at the new name is replaced.
   *
   * @throws java.nio.file.NoSuchFileException if {@code from} or the directory of {@code to} does
   *     not exist
   */
  void rename(String from, String to) throws IOException;

  /**
   * Removes a file or an empty directory. Whoever has the file open goes on reading it; its space
   * returns when the last one closes it.
   *
   * @throws java.nio.file.NoSuchFileException if there is none
   * @throws java.nio.file.DirectoryNotEmptyException if it is a directory with something in it
   */
  void delete(String path) throws IOException;

  /**
   * Makes the names in a directory durable as they are now.
   *
   * @throws DeviceForceException if the operating system reports an error, after which nothing on
   *     this device works any more
   */
  void forceDirectory(String directory) throws IOException;

  /** Bytes that can still be written, as far as the file system tells. */
  long freeBytes() throws IOException;

  /**
   * Size of a file in bytes.
   *
   * @throws java.nio.file.NoSuchFileException if there is none
   */
  long sizeBytes(String path) throws IOException;

  /**
   * Takes the lock that a file stands for, exclusively, against every other process and against
   * this one; makes the file if it is missing. The lock ends with {@link DeviceLock#close} or with
   * the process, however that ends.
   *
   * @throws DirectoryInUseException if somebody has it; the message names the file and, if it is
   *     known, the process
   * @throws IOException if the file system cannot lock; the message says so
   */
  DeviceLock lock(String path) throws IOException;

  /** What its free bytes are shared with: equal for two devices on one file system. */
  default Object volume() {
    return this;
  }

  /** Which disks it lies on, if it may lie on several. */
  default Optional<DiskSpread> spread() {
    return Optional.empty();
  }
}
