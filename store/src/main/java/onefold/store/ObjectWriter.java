package onefold.store;

import java.io.IOException;
import onefold.chunker.ObjectRoot;

/**
 * Writes one item from a plain stream, server side: cuts, fingerprints, asks and compresses on the
 * store's pool, and checkpoints by itself. One thread at a time calls it.
 */
public interface ObjectWriter extends AutoCloseable {
  Id uploadId();

  /** Bytes taken so far, those before a resumed checkpoint included. */
  long positionBytes();

  /** Bytes covered by the last durable checkpoint; a resumed upload goes on from there. */
  long durableBytes();

  /**
   * Appends bytes; they are read before the method returns. Waits when the pipeline's bound is
   * reached.
   */
  void write(byte[] source, int offset, int lengthBytes) throws IOException;

  /** Forces a cut here, as an archive writer does at a member's end. */
  void cut() throws IOException;

  /** Appends zeros that cost nothing. */
  void hole(long lengthBytes) throws IOException;

  /**
   * Appends a range of an object of the same domain without reading its data (virtual synthetic
   * full).
   */
  void splice(ObjectRoot source, long offsetBytes, long lengthBytes) throws IOException;

  /** Makes what was written an item; durable when it returns. */
  ItemRecord commit(CommitRequest request) throws IOException;

  /** Raw bytes of chunks that this upload has added to the domain so far. */
  long newBytes();

  void abort() throws IOException;

  /** Leaves the upload as its last durable checkpoint has it. Safe to call again. */
  @Override
  void close();
}
