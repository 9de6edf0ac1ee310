package onefold.store.container;

/**
 * A block as it is stored; its bytes passed the checksum in the container's directory.
 *
 * @param location where it came from
 * @param bytes the block and nothing else, in {@code onefold.block.BlockFormat}; the caller's own
 */
public record StoredBlock(BlockLocation location, byte[] bytes) {}
