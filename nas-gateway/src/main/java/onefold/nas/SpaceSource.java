package onefold.nas;

import java.io.IOException;

/** Says how much room the disk has. */
@FunctionalInterface
public interface SpaceSource {
  /**
   * Room on the disk.
   *
   * @param totalBytes used and free
   * @param freeBytes that new data may take
   */
  record Room(long totalBytes, long freeBytes) {}

  Room room() throws IOException;
}
