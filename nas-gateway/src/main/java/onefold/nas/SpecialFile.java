package onefold.nas;

/**
 * A device, socket or FIFO to be made; Onefold only keeps it for clients.
 *
 * @param type {@link FileType#BLOCK_DEVICE}, {@link FileType#CHARACTER_DEVICE}, {@link
 *     FileType#SOCKET} or {@link FileType#FIFO}
 * @param deviceMajor of a device, else 0
 * @param deviceMinor of a device, else 0
 */
public record SpecialFile(FileType type, int deviceMajor, int deviceMinor) {
  public SpecialFile {
    switch (type) {
      case BLOCK_DEVICE, CHARACTER_DEVICE, SOCKET, FIFO -> {}
      case REGULAR, DIRECTORY, SYMBOLIC_LINK ->
          throw new IllegalArgumentException("no special file: " + type);
    }
  }
}
