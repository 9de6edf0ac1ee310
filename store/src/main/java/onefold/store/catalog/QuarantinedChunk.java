package onefold.store.catalog;

import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;

/**
 * A chunk whose stored bytes were found damaged, or that is needed and was found nowhere, and of
 * which no sound copy has arrived since.
 *
 * @param lengthBytes plain length
 * @param containerNumber container of the damaged copy, or {@link #NOWHERE}
 * @param slot its slot there
 */
public record QuarantinedChunk(
    ChunkKind kind, Fingerprint fingerprint, int lengthBytes, long containerNumber, int slot) {
  /** Stands for the container of a chunk that was found nowhere; no container has this number. */
  public static final long NOWHERE = 0;

  /** Whether nobody knows where it was. */
  public boolean isNowhere() {
    return containerNumber == NOWHERE;
  }
}
