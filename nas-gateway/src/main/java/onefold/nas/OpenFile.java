package onefold.nas;

import java.io.IOException;

/**
 * A regular file that somebody has opened; the right to do so was checked then. Many threads may
 * use it at once, {@link #close} last.
 */
public interface OpenFile extends AutoCloseable {
  int READ = 1;
  int WRITE = 2;

  /** Most bytes of one read or write. */
  int MAX_TRANSFER_BYTES = 4 << 20;

  FileSystem fileSystem();

  long fileId();

  /** Bits {@link #READ} and {@link #WRITE}. */
  int access();

  Attributes attributes() throws IOException;

  /**
   * Reads; holes read as zeros.
   *
   * @param lengthBytes 0 to {@link #MAX_TRANSFER_BYTES}; fewer are returned only at the end
   * @throws FileException {@code ACCESS} if it was not opened for that; {@code IO} for damage
   */
  ReadResult read(long positionBytes, byte[] target, int offset, int lengthBytes)
      throws IOException;

  /**
   * Writes; the array is read before the method returns. Size, times and change counter move at
   * once, and become durable with the bytes.
   *
   * @param lengthBytes 0 to {@link #MAX_TRANSFER_BYTES}
   * @throws FileException {@code ACCESS}, {@code TOO_BIG}, {@code NO_SPACE}, {@code QUOTA}
   */
  Change write(long positionBytes, byte[] source, int offset, int lengthBytes, Stability stability)
      throws IOException;

  /** Makes all that was written to the file so far durable, whoever wrote it. */
  Change commit() throws IOException;

  /** Sets the length; durable when it returns. */
  Change setLength(long lengthBytes) throws IOException;

  /** Keeps room for a range, the file grows if need be; costs nothing. Durable. */
  Change allocate(long positionBytes, long lengthBytes) throws IOException;

  /** Makes a range a hole; the size stays. Durable. */
  Change punch(long positionBytes, long lengthBytes) throws IOException;

  /**
   * Returns the first position from this one on that holds data.
   *
   * @throws FileException {@code NO_SUCH_POSITION} if none does
   */
  long nextData(long positionBytes) throws IOException;

  /**
   * Returns the first position from this one on that is in a hole; the end counts as one.
   *
   * @throws FileException {@code NO_SUCH_POSITION} at or behind the end
   */
  long nextHole(long positionBytes) throws IOException;

  /**
   * Writes a range of another file, or of this one, without reading or copying data. Durable.
   *
   * @param lengthBytes 0 for all to the source's end; the range must lie within the source
   * @throws FileException {@code INVALID} if it does not, or if the ranges overlap in one file;
   *     {@code CROSS_SHARE} if the files lie in different dedup domains
   */
  Change copyFrom(OpenFile source, long sourcePositionBytes, long positionBytes, long lengthBytes)
      throws IOException;

  @Override
  void close();
}
