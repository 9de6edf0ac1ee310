package onefold.store.container;

/**
 * Where a chunk lies. The container's directory turns the slot into block, offset and length, so
 * that recompressing a container leaves every place valid.
 *
 * @param containerNumber number of the container in its domain, from 1; never reused
 * @param slot position of the chunk in the container's directory, from 0
 */
public record ChunkPlace(long containerNumber, int slot) {
  /** Checks both against nonsense. */
  public ChunkPlace {
    if (containerNumber < 1) {
      throw new IllegalArgumentException("containerNumber " + containerNumber);
    }
    if (slot < 0) {
      throw new IllegalArgumentException("slot " + slot);
    }
  }
}
