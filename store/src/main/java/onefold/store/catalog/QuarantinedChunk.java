package onefold.store.catalog;

import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;

/**
 * A chunk whose stored bytes were found damaged and of which no sound copy has arrived since.
 *
 * @param lengthBytes plain length
 * @param containerNumber container of the damaged copy
 * @param slot its slot there
 */
public record QuarantinedChunk(
    ChunkKind kind, Fingerprint fingerprint, int lengthBytes, long containerNumber, int slot) {}
