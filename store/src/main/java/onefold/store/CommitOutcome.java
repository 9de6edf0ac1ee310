package onefold.store;

import onefold.chunker.FingerprintBatch;

/** What came of a commit. */
public sealed interface CommitOutcome {
  /** The item is durable. */
  record Committed(ItemRecord item) implements CommitOutcome {}

  /**
   * Chunks that were answered "present" since the last durable checkpoint are gone; they must be
   * sent, then the commit asked for again.
   *
   * @param nodes lacking nodes
   * @param data lacking data chunks
   */
  record Lacking(FingerprintBatch nodes, FingerprintBatch data) implements CommitOutcome {}
}
