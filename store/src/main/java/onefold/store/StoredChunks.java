package onefold.store;

import java.io.IOException;

/**
 * A walk over a range of an object in stored form. Extents come in order of the object's bytes. An
 * extent either names a run in a block, or a hole. A block is handed out before the first extent
 * that uses it and may be used by later extents as long as it is among the last {@link
 * #WINDOW_BLOCKS} blocks handed out, and it and those after it have at most {@link #WINDOW_BYTES}
 * plain bytes together. One thread at a time calls it.
 */
public interface StoredChunks extends AutoCloseable {
  /** How many of the last blocks extents may refer to: the bound of the receiver's cache. */
  int WINDOW_BLOCKS = 192;

  /** How many plain bytes those may have; the last block of all may be used whatever it has. */
  long WINDOW_BYTES = 64 << 20;

  /** One step of the walk. */
  sealed interface Step {
    /**
     * A block in stored form, valid until the next step.
     *
     * @param blockNumber counts from 0 in this walk
     * @param bytes array that holds it
     * @param offset where it starts
     * @param lengthBytes its length
     */
    record Block(long blockNumber, byte[] bytes, int offset, int lengthBytes) implements Step {}

    /**
     * A run of object bytes inside one chunk of a block already handed out.
     *
     * @param objectOffsetBytes where in the object
     * @param blockNumber which block
     * @param chunkIndex which chunk of the block, from 0
     * @param fingerprint 32 bytes the whole chunk must have, valid until the next step
     * @param skipBytes bytes of the chunk before the run
     * @param lengthBytes bytes of the run
     */
    record Extent(
        long objectOffsetBytes,
        long blockNumber,
        int chunkIndex,
        byte[] fingerprint,
        int skipBytes,
        int lengthBytes)
        implements Step {}

    /** Zeros that are not stored. */
    record Zeros(long objectOffsetBytes, long lengthBytes) implements Step {}

    /** The range has been walked. */
    record End() implements Step {}
  }

  /**
   * Takes the next step of the walk.
   *
   * @throws CorruptDataException if a block or node of the range cannot be read; the walk is over
   */
  Step next() throws IOException;

  @Override
  void close();
}
