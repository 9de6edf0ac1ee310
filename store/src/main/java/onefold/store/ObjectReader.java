package onefold.store;

import java.io.IOException;

/**
 * Reads one object. Every byte returned was checked against its fingerprint. The object stays
 * readable while a reader is open even if its name is deleted. One thread at a time calls it.
 */
public interface ObjectReader extends AutoCloseable {
  long lengthBytes();

  /**
   * Reads from {@code positionBytes}.
   *
   * @return bytes read, at least 1; -1 at or beyond the end
   * @throws CorruptDataException if a chunk in the range is damaged; ranges without it can still be
   *     read
   */
  int read(long positionBytes, byte[] target, int offset, int lengthBytes) throws IOException;

  /**
   * Hands out the object's stored blocks in reading order, each once as far as the read-ahead
   * window sees, from {@code positionBytes} to {@code endBytes}. The caller decompresses and
   * checks.
   */
  StoredChunks storedChunks(long positionBytes, long endBytes) throws IOException;

  @Override
  void close();
}
