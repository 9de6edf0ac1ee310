package onefold.store.scrub;

import onefold.chunker.ChunkKind;

/**
 * A damaged container as it is kept in the catalog.
 *
 * @param containerNumber which
 * @param kind of its chunks
 * @param chunksUnknown whether it has lost chunks of which nothing says which they were
 * @param foundAtMillis store time
 * @param firstAtMillis store time at which somebody put it first, or 0
 * @param offsetBytes of the first thing that is wrong, or -1
 * @param file where it lies
 * @param what was expected and found
 */
record DamageRecord(
    long containerNumber,
    ChunkKind kind,
    boolean chunksUnknown,
    long foundAtMillis,
    long firstAtMillis,
    long offsetBytes,
    String file,
    String what) {
  DamageRecord putFirst(long atMillis) {
    return new DamageRecord(
        containerNumber, kind, chunksUnknown, foundAtMillis, atMillis, offsetBytes, file, what);
  }
}
