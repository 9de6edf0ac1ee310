package onefold.store.simulation;

/**
 * One call of a device, as a fault plan sees it.
 *
 * @param number counts the device's calls from 1
 * @param kind what is called
 * @param path the file or directory
 * @param positionBytes where in the file, or a size, or 0
 * @param lengthBytes how many bytes, or 0
 */
public record DeviceCall(long number, Kind kind, String path, long positionBytes, int lengthBytes) {
  /** What is called. */
  public enum Kind {
    CREATE,
    OPEN,
    EXISTS,
    LIST,
    CREATE_DIRECTORIES,
    RENAME,
    DELETE,
    FORCE_DIRECTORY,
    FREE_BYTES,
    SIZE,
    LOCK,
    WRITE,
    READ,
    FORCE,
    TRUNCATE,
    ALLOCATE,
    CLOSE;

    /**
     * Whether the call changes something, so that a crash after it may leave another state than
     * before it.
     */
    public boolean changes() {
      return switch (this) {
        case CREATE,
            CREATE_DIRECTORIES,
            RENAME,
            DELETE,
            FORCE_DIRECTORY,
            LOCK,
            WRITE,
            FORCE,
            TRUNCATE,
            ALLOCATE ->
            true;
        case OPEN, EXISTS, LIST, FREE_BYTES, SIZE, READ, CLOSE -> false;
      };
    }
  }
}
