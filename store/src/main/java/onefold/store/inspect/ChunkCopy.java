package onefold.store.inspect;

import java.util.Optional;
import onefold.chunker.ChunkKind;
import onefold.store.container.BlockLocation;
import onefold.store.container.ChunkPlace;

/**
 * One place of a chunk.
 *
 * @param block the block that holds it
 * @param lengthBytes of the chunk
 * @param damage what is wrong with its bytes there; empty if they are whole
 */
public record ChunkCopy(
    InspectedDomain domain,
    ChunkKind kind,
    ChunkPlace place,
    BlockLocation block,
    int lengthBytes,
    Optional<String> damage) {}
