package onefold.store.container;

/**
 * Where a block has gone. It can be read from now on; it is durable after a force of the container.
 *
 * @param containerNumber the container
 * @param firstSlot slot of the block's first chunk; the others follow it
 * @param endBytes where the block ends in the container's file
 */
public record Appended(long containerNumber, int firstSlot, long endBytes) {}
