package onefold.store;

import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import onefold.chunker.FingerprintBatch;
import onefold.chunker.ObjectRoot;
import onefold.chunker.ParameterSet;

/**
 * One upload of one item, source side: the caller has cut and fingerprinted and asks before it
 * sends. All three ways into the store end here. One thread at a time calls it; other sessions go
 * on beside it.
 *
 * <p>Promise: what was answered "present" stays present until the session ends or a checkpoint that
 * covers it is durable, whatever housekeeping does meanwhile; the rare answer that a commit finds
 * gone comes back as {@link CommitOutcome.Lacking}.
 */
public interface IngestSession extends AutoCloseable {
  /** Id of the upload; names it when it is resumed, listed or ended by an operator. */
  Id uploadId();

  /** The domain's parameter set. */
  ParameterSet parameterSet();

  /** The checkpoint this upload was resumed from, if it was. */
  Optional<Checkpoint> resumedFrom();

  /**
   * Says which chunks of a batch the domain has. A node is answered present only while everything
   * below it is.
   *
   * <p>At the bound on answers since the last durable checkpoint the call waits for a checkpoint
   * under way and, if none is, is refused with {@code INVALID_REQUEST}: the caller must checkpoint
   * at least every {@link #MAX_HAVE_ANSWERS} answers.
   *
   * @param batch fingerprints of one kind
   * @return one bit per chunk, set = present, least significant bit first
   */
  long[] have(FingerprintBatch batch) throws IOException;

  /**
   * Takes a recipe node. Each child that the domain lacks is answered with a set bit and the node
   * is not kept; if nothing is lacking the node is stored. The answers about children count as
   * have-answers.
   *
   * @param level 0 for a leaf
   * @param node the node's encoding, read before the method returns
   * @return one bit per entry of the node, set = lacking; all zero: the node is stored
   * @throws RefusedException {@code INVALID_REQUEST} if the bytes are no node of this level
   */
  long[] putNode(int level, byte[] node, int offset, int lengthBytes) throws IOException;

  /**
   * Takes one block of data chunks in stored form (see {@code onefold.block.BlockFormat}). The
   * chunks are decompressed once and fingerprinted; those already there are not stored again, and a
   * block of which at least one chunk is new is appended as it came unless most of it is known.
   *
   * @param block header, chunk lengths and payload; read before the method returns
   * @return the fingerprints of its chunks, in order, for the caller to compare with what it meant
   *     to send; valid until the next call
   * @throws RefusedException {@code INVALID_REQUEST} if the block is malformed
   * @throws StoreFullException if there is no space
   */
  FingerprintBatch putBlock(byte[] block, int offset, int lengthBytes) throws IOException;

  /**
   * Asks that the tree so far become a durable unfinished root. Does not wait; the stage completes
   * when it is durable, on a thread of the store, and exceptionally with an {@link IOException} if
   * it cannot be.
   *
   * @param root a tree whose nodes have all been stored or answered present
   */
  CompletionStage<Checkpoint> checkpoint(ObjectRoot root);

  /**
   * Makes the upload an item. When it returns {@link CommitOutcome.Committed}, the item is durable.
   *
   * @throws RefusedException {@code EXISTS}, {@code LOCKED}, {@code QUOTA_EXCEEDED}, or {@code
   *     INVALID_REQUEST} if the root is unknown or its length is not that of its tree
   */
  CommitOutcome commit(ObjectRoot root, CommitRequest request) throws IOException;

  /** Ends the upload and drops its unfinished root. */
  void abort() throws IOException;

  /** Raw bytes of chunks that this session has added to the domain so far. */
  long newBytes();

  /** Leaves the upload as its last durable checkpoint has it. Safe to call again. */
  @Override
  void close();

  /** Have-answers after which an upload must checkpoint; there is room for two such intervals. */
  int MAX_HAVE_ANSWERS = 32_768;

  /** Logical bytes after which an upload checkpoints. */
  long CHECKPOINT_BYTES = 256L << 20;
}
