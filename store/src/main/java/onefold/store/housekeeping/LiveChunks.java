package onefold.store.housekeeping;

import onefold.chunker.ChunkKind;

/**
 * Which chunks of a fixed set are live. Marks may be set and read by many threads at once; a mark
 * is never taken back.
 */
interface LiveChunks {
  /** Stands for a chunk that is not in the set. */
  long UNKNOWN = -1;

  /** The number of a chunk in the set, or {@link #UNKNOWN}. */
  long find(ChunkKind kind, byte[] fingerprints, int offset);

  /** Marks a chunk, and says whether it was not marked before. */
  boolean mark(long chunk);

  /**
   * Marks those of many data chunks that are in the set: much faster than one at a time.
   *
   * @param fingerprints 32 bytes each, from the start
   * @param count how many
   */
  void markData(byte[] fingerprints, int count);

  boolean isMarked(long chunk);

  /** How many are marked. */
  long markedCount();

  /** How many there are. */
  long chunkCount();
}
