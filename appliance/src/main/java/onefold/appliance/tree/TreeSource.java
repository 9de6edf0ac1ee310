package onefold.appliance.tree;

import java.io.IOException;

/** An archive that can be read anywhere: an item's reader, or a file. */
public interface TreeSource {
  long lengthBytes() throws IOException;

  /**
   * Reads from a position.
   *
   * @return bytes read, at least 1, or -1 at the end
   */
  int read(long positionBytes, byte[] target, int offset, int lengthBytes) throws IOException;

  /**
   * Says where reading may go on after a {@link DamagedRangeException} at a position; that position
   * itself if the source cannot tell.
   *
   * @throws IOException if it cannot be found out
   */
  default long endOfDamage(long positionBytes) throws IOException {
    return positionBytes;
  }
}
