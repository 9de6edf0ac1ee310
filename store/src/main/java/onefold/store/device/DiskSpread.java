package onefold.store.device;

import java.io.IOException;
import java.util.List;
import onefold.store.DiskRecord;
import onefold.store.DiskRole;
import onefold.store.Id;
import onefold.store.RefusedException;

/**
 * The other side of a {@link Device} that lies on several disks: which they are. {@link #list} and
 * {@link #isUnsettled} may be called by many threads; the rest by one at a time, as told at each.
 */
public interface DiskSpread {
  /**
   * Ends what a crash cut off, and moves files of an index or a journal to where they belong.
   * Called once, by whoever has the directory's lock, before any file is opened for writing.
   */
  void begin() throws IOException;

  /** As {@link onefold.store.Disks#list}. */
  List<DiskRecord> list() throws IOException;

  /**
   * As {@link onefold.store.Disks#add}. One of this, {@link #drain} and {@link #finish} at a time.
   *
   * @param directoryId for the list if there is none yet
   */
  DiskRecord add(Id directoryId, Id diskId, String path, DiskRole role) throws IOException;

  /** As {@link onefold.store.Disks#drain}; nothing is moved by it. */
  void drain(Id directoryId, Id diskId, boolean draining) throws IOException;

  /** Whether a disk for data is there from which everything is to be moved. */
  boolean isUnsettled();

  /** Names in a directory that lie on disks from which they are to be moved. */
  List<String> unsettled(String directory) throws IOException;

  /** Whether two files lie on one disk, or one of them nowhere. */
  boolean isTogether(String path, String other) throws IOException;

  /**
   * Moves a file to a disk that takes it, if it lies on one that does not. Nobody may write, rename
   * or delete it meanwhile; readers go on. Afterwards it lies there durably.
   *
   * @return bytes moved, 0 if it lay where it may
   * @throws onefold.store.StoreFullException if no disk has room for it; it stays where it is
   * @throws java.nio.file.NoSuchFileException if there is none
   */
  long settle(String path) throws IOException;

  /**
   * Takes disks off the list on which nothing is left that was to be moved.
   *
   * @return their paths
   * @throws RefusedException never for a disk that still has something: that stays
   */
  List<String> finish() throws IOException;
}
