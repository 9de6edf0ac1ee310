package onefold.store;

import java.io.IOException;
import onefold.chunker.ObjectRoot;

/**
 * Content that is changed in place: the object of one entry of a {@link ShareTree}. Everybody who
 * opens the same entry sees the same bytes at once. Changes are kept in memory, made durable in the
 * write-back journal by {@link #force}, and folded into the recipe in the background.
 *
 * <p>Many threads may call it at once; a read beside a write of the same bytes gives those before
 * or after it, each byte for itself.
 */
public interface MutableObject extends AutoCloseable {
  /** Most bytes of one write. */
  int MAX_WRITE_BYTES = 4 << 20;

  Id objectId();

  long lengthBytes();

  /** Bytes that are neither hole nor reserved. */
  long dataBytes() throws IOException;

  /** What {@link #force} was given last, that which was recovered included; empty for none. */
  byte[] note();

  /**
   * Reads from a position; holes and what is reserved read as zeros.
   *
   * @return bytes read, at least 1; -1 at or beyond the end
   * @throws CorruptDataException if the byte at the position cannot be read
   */
  int read(long positionBytes, byte[] target, int offset, int lengthBytes) throws IOException;

  /**
   * Writes; the bytes are read before the method returns. What lies between the old end and the
   * position becomes a hole. Waits while the bound on changes that are not folded is reached.
   *
   * @param lengthBytes at most {@link #MAX_WRITE_BYTES}
   * @throws StoreFullException if there is no space
   */
  void write(long positionBytes, byte[] source, int offset, int lengthBytes) throws IOException;

  /** Cuts the end off, or makes the object longer by a hole. */
  void setLength(long lengthBytes) throws IOException;

  /** Makes a range that lies before the end a hole. */
  void punch(long positionBytes, long lengthBytes) throws IOException;

  /** Keeps room for a range: what was a hole is reserved, data stays; longer if need be. */
  void reserve(long positionBytes, long lengthBytes) throws IOException;

  /**
   * Writes a range of a recipe of the same domain without reading its data.
   *
   * @param source see {@link #fold}
   */
  void splice(long positionBytes, ObjectRoot source, long sourcePositionBytes, long lengthBytes)
      throws IOException;

  /** Returns the first position from this one on that holds data, -1 if none. */
  long nextData(long positionBytes) throws IOException;

  /** Returns the first position from this one on that is in a hole, or the end. */
  long nextHole(long positionBytes) throws IOException;

  /**
   * Makes all changes so far durable, with a note of the caller's own, which comes back by {@link
   * #note} and in {@link ShareObject}.
   *
   * @param note at most {@link ShareObject#MAX_NOTE_BYTES}
   * @throws StoreFullException if there is no space; changes stay readable, not durable
   */
  void force(byte[] note) throws IOException;

  /** Folds all changes made before the call and returns the recipe, which the tree holds then. */
  ShareObject fold() throws IOException;

  /**
   * Leaves it; changes that are not durable stay until the last opener leaves, then they are
   * forced.
   */
  @Override
  void close() throws IOException;
}
