package onefold.store;

import java.io.IOException;
import java.util.List;

/**
 * The disks of one appliance. Containers of data lie on the data directory's own and on those that
 * were added, each on the one that had the most room; nothing above the files knows. All methods
 * may be called by many threads at once; changes are durable when they return.
 */
public interface Disks {
  /** Stands for the data directory itself. */
  Id MAIN = new Id(0, 0);

  /** Most disks beside the data directory. */
  int MAX_DISKS = 64;

  /** The data directory first, then the others in the order in which they were added. */
  List<DiskRecord> list() throws IOException;

  /**
   * Adds a disk. One for data takes new containers from now on; one for an index or the journal
   * gets its files at the next start.
   *
   * @param path an empty directory that exists, absolute
   * @throws RefusedException {@code INVALID_REQUEST} if it is not, {@code EXISTS} if it is a disk
   *     already or there is one of this role
   */
  DiskRecord add(String path, DiskRole role) throws IOException;

  /**
   * Moves everything away from a disk while work goes on, or stops that. An added disk for data
   * leaves the list when nothing is left on it; for an index or the journal that happens at the
   * next start.
   *
   * @param diskId {@link #MAIN} for the containers of data in the data directory
   * @throws RefusedException {@code NOT_FOUND}; {@code INVALID_REQUEST} if no other disk would take
   *     data
   */
  void drain(Id diskId, boolean draining) throws IOException;

  /** Why what is to be moved cannot be; empty if all is well. */
  String problem();
}
