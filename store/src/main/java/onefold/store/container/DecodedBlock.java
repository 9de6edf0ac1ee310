package onefold.store.container;

import java.util.Objects;

/**
 * A decompressed block. Does not change; the arrays that it hands out must not be written. Its
 * bytes passed the block's checksum; whoever hands out a chunk of it compares the fingerprint.
 */
public final class DecodedBlock {
  private final long containerNumber;
  private final int block;
  private final int firstSlot;
  private final byte[] bytes;
  private final int[] starts;

  DecodedBlock(long containerNumber, int block, int firstSlot, byte[] bytes, int[] starts) {
    this.containerNumber = containerNumber;
    this.block = block;
    this.firstSlot = firstSlot;
    this.bytes = bytes;
    this.starts = starts;
  }

  /** The container that it is from. */
  public long containerNumber() {
    return containerNumber;
  }

  /** Its index in the container. */
  public int block() {
    return block;
  }

  /** Slot of its first chunk. */
  public int firstSlot() {
    return firstSlot;
  }

  /** How many chunks it holds. */
  public int chunkCount() {
    return starts.length - 1;
  }

  /** Whether it holds a slot of a container. */
  public boolean holds(long container, int slot) {
    return container == containerNumber && slot >= firstSlot && slot - firstSlot < chunkCount();
  }

  /** Plain bytes of all its chunks, one behind another. */
  public byte[] bytes() {
    return bytes;
  }

  /** Where the chunk of a slot begins in {@link #bytes}. */
  public int offset(int slot) {
    return starts[index(slot)];
  }

  /** How long the chunk of a slot is. */
  public int lengthBytes(int slot) {
    return starts[index(slot) + 1] - starts[index(slot)];
  }

  private int index(int slot) {
    return Objects.checkIndex(slot - firstSlot, chunkCount());
  }

  /** Bytes of memory that it takes. */
  long memoryBytes() {
    return 96L + bytes.length + 4L * starts.length;
  }
}
