package onefold.store.device;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import onefold.store.StoreFullException;

/**
 * An open file of a {@link Device}. It is reached by itself, not by its name: after a rename or
 * delete it goes on as it was. All methods may be called by many threads at once; overlapping
 * writes are the caller's mistake.
 */
public interface DeviceFile extends AutoCloseable {
  /** The name it was opened by. */
  String path();

  /** Its size in bytes now. */
  long sizeBytes() throws IOException;

  /**
   * Writes all remaining bytes of {@code source}. A gap between the old end and the position reads
   * as zeros. When it throws, any part of the range may have been written, and so may nothing.
   *
   * @param positionBytes where in the file, from 0
   * @param source read before the method returns; its position ends at its limit
   * @throws StoreFullException if there is no space
   */
  void write(long positionBytes, ByteBuffer source) throws IOException;

  /**
   * Reads as much as there is, up to what {@code target} has room for.
   *
   * @param positionBytes where in the file, from 0
   * @return bytes read, fewer than there is room for only at the end of the file; -1 at or beyond
   *     the end, if there was room for at least one byte
   */
  int read(long positionBytes, ByteBuffer target) throws IOException;

  /**
   * Fills {@code target}.
   *
   * @param positionBytes where in the file, from 0
   * @throws EOFException if the file ends before that; the message says file, position, expected
   *     and found length
   */
  default void readFully(long positionBytes, ByteBuffer target) throws IOException {
    int wanted = target.remaining();
    int read = read(positionBytes, target);
    if (read != wanted) {
      throw new EOFException(
          path()
              + " at "
              + positionBytes
              + ": expected "
              + wanted
              + " bytes, found "
              + Math.max(read, 0));
    }
  }

  /**
   * Says that a range will be read soon, so that the disk may be at work on it while the caller
   * asks for more or does something else. A hint: it returns at once, reads nothing for the caller,
   * and a device that can do nothing with it does nothing. A caller has few of them open, each for
   * little: what is fetched ahead takes room in the operating system's cache.
   *
   * @param positionBytes where in the file, from 0; the range may lie beyond the end
   * @throws IOException if the file is closed; errors of the disk are left to the read
   */
  default void willRead(long positionBytes, int lengthBytes) throws IOException {}

  /**
   * Makes durable what had been written, truncated and allocated when the call began, the size
   * included. The file's name is the business of {@link Device#forceDirectory}.
   *
   * @throws DeviceForceException if the operating system reports an error; never try again
   */
  void force() throws IOException;

  /**
   * Cuts the file off.
   *
   * @param sizeBytes its new size; a file that is not longer stays as it is
   */
  void truncate(long sizeBytes) throws IOException;

  /**
   * Takes space for the first {@code sizeBytes} bytes, so that writes into them do not run out of
   * it. A shorter file grows to that size and reads as zeros there; a longer one keeps its size.
   *
   * @throws StoreFullException if there is no space; the file may have grown by a part of it
   */
  void allocate(long sizeBytes) throws IOException;

  /**
   * Closes the file without forcing it. Safe to call again; any other call afterwards is an {@code
   * IOException}.
   */
  @Override
  void close() throws IOException;
}
