package onefold.catalyst.client;

import onefold.chunker.Fingerprint;
import onefold.chunker.Fingerprinter;

/**
 * A stretch of an item in memory, cut into whole chunks. Filled and cut by the caller's thread,
 * hashed by a worker, read by the negotiation and by workers that build blocks; handed over by
 * queues, so never touched by two at once until it only is read.
 */
final class Segment {
  /**
   * Bytes of one segment: a page less than 2 MiB, since an array of 2 MiB and its header takes two
   * regions of the collector, twice the memory that was meant.
   */
  static final int BYTES = (2 << 20) - 4096;

  /** Chunks of one segment at most; many only when the caller forces cuts. */
  static final int MAX_CHUNKS = 2048;

  final byte[] bytes = new byte[BYTES];
  final int[] lengths = new int[MAX_CHUNKS];
  final int[] starts = new int[MAX_CHUNKS];

  /** Where in the item each chunk begins; a gap between two is a hole. */
  final long[] offsets = new long[MAX_CHUNKS];

  final byte[] fingerprints = new byte[MAX_CHUNKS * Fingerprint.BYTES];

  int filledBytes;
  int chunkCount;
  boolean hashed;

  void reset() {
    filledBytes = 0;
    chunkCount = 0;
    hashed = false;
  }

  /** Returns where in the item the last chunk ends. */
  long endBytes() {
    return offsets[chunkCount - 1] + lengths[chunkCount - 1];
  }

  void hash(Fingerprinter fingerprinter) {
    for (int i = 0; i < chunkCount; i++) {
      fingerprinter.fingerprint(bytes, starts[i], lengths[i], fingerprints, i * Fingerprint.BYTES);
    }
  }
}
