package onefold.store.container;

/**
 * Where a block lies. Another generation of the container has other blocks with the same slots.
 *
 * @param containerNumber the container
 * @param generation the generation of the container in which it lies there
 * @param block index of the block in the container, from 0
 * @param firstSlot slot of its first chunk
 * @param chunkCount how many chunks it holds
 * @param offsetBytes where its first byte stands in the file
 * @param storedBytes its length there
 * @param rawBytes plain bytes of its chunks together; 0 if the block is lost
 * @param checksum CRC32C of its stored bytes
 */
public record BlockLocation(
    long containerNumber,
    long generation,
    int block,
    int firstSlot,
    int chunkCount,
    long offsetBytes,
    int storedBytes,
    int rawBytes,
    int checksum) {}
