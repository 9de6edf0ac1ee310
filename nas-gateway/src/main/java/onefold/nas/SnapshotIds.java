package onefold.nas;

/**
 * File ids as clients of a share see them, those in snapshots included: 19 bits say which snapshot,
 * 44 bits which file. So a file in a snapshot is another file than the one in the share, for tools
 * that compare files by their ids, and both are known again after a restart.
 */
final class SnapshotIds {
  private static final int FILE_BITS = 44;

  /** Largest id of a file. */
  static final long MAX_FILE_ID = (1L << FILE_BITS) - 1;

  /** Stands, with a directory's id, for the {@code .snapshots} in it. */
  static final long DIRECTORY = (1L << 19) - 1;

  /** Largest number of a snapshot; the first has 1, and 0 is the share itself. */
  static final long MAX_NUMBER = DIRECTORY - 1;

  private SnapshotIds() {}

  static long id(long number, long fileId) {
    return number << FILE_BITS | fileId;
  }

  static long number(long id) {
    return id >>> FILE_BITS;
  }

  static long fileId(long id) {
    return id & MAX_FILE_ID;
  }
}
