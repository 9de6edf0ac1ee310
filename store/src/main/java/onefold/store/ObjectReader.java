package onefold.store;

import java.io.IOException;
import java.util.List;

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
   * @throws CorruptDataException if the byte at the position cannot be read; {@link #endOfPart}
   *     says where the next may be
   */
  int read(long positionBytes, byte[] target, int offset, int lengthBytes) throws IOException;

  /**
   * Says where reading may go on when the byte at a position cannot be read: behind the piece of
   * chunk that holds it, or behind all that a damaged part of the recipe stands for.
   *
   * @param positionBytes from 0 to before the object's end
   * @return above {@code positionBytes}, at most the object's length
   */
  long endOfPart(long positionBytes) throws IOException;

  /**
   * Hands out the object's stored blocks in reading order, each once as far as the read-ahead
   * window sees, from {@code positionBytes} to {@code endBytes}. The caller decompresses and
   * checks.
   */
  StoredChunks storedChunks(long positionBytes, long endBytes) throws IOException;

  /**
   * Returns what proves the bytes at a position to somebody who knows the root: the recipe's nodes
   * from the root down to the leaf that covers the position, and behind them, unless it lies in a
   * hole, the whole chunk. Each was checked against its fingerprint.
   *
   * @param positionBytes from 0 to before the object's end
   */
  List<byte[]> pathTo(long positionBytes) throws IOException;

  /**
   * Returns a node of the object's recipe, checked against its fingerprint.
   *
   * @param fingerprints array that holds the node's fingerprint at {@code offset}
   * @throws CorruptDataException if it cannot be read
   */
  byte[] node(byte[] fingerprints, int offset) throws IOException;

  /**
   * Returns how many pieces of chunks the object is made of; holes do not count. Reads the whole
   * recipe.
   */
  long chunkCount() throws IOException;

  @Override
  void close();
}
