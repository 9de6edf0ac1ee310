package onefold.store.container;

import onefold.chunker.ChunkKind;

/**
 * What a container holds, in numbers.
 *
 * @param number of the container in its domain
 * @param kind of its chunks
 * @param generation counts from 1; a recompressed container has a higher one and the same slots
 * @param sealed whether it is finished for ever
 * @param chunkCount slots
 * @param rawBytes plain bytes of its chunks
 * @param storedBytes bytes of its blocks as they are stored
 * @param fileBytes bytes of its file, directory included
 */
public record ContainerInfo(
    long number,
    ChunkKind kind,
    long generation,
    boolean sealed,
    int chunkCount,
    long rawBytes,
    long storedBytes,
    long fileBytes) {}
