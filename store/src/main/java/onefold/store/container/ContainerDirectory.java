package onefold.store.container;

import onefold.chunker.ChunkKind;
import onefold.chunker.FingerprintBatch;

/**
 * What a container holds: its blocks, and fingerprint and length of the chunk in each slot. Does
 * not change once it has been handed out; the columns of {@link #chunks} must not be written.
 *
 * <p>A slot of length 0 is lost: its block was damaged when the directory had to be made again from
 * the blocks. Whoever publishes a directory leaves such slots out.
 */
public final class ContainerDirectory {
  private final long containerNumber;
  private final ContainerLayout layout;
  private final FingerprintBatch chunks;
  private final boolean salvaged;

  ContainerDirectory(long containerNumber, ContainerLayout layout, FingerprintBatch chunks) {
    this(containerNumber, layout, chunks, false);
  }

  private ContainerDirectory(
      long containerNumber, ContainerLayout layout, FingerprintBatch chunks, boolean salvaged) {
    this.containerNumber = containerNumber;
    this.layout = layout;
    this.chunks = chunks;
    this.salvaged = salvaged;
  }

  /** A directory made again from the blocks, because the one on disk is damaged. */
  static ContainerDirectory salvaged(
      long containerNumber, ContainerLayout layout, FingerprintBatch chunks) {
    return new ContainerDirectory(containerNumber, layout, chunks, true);
  }

  /**
   * Whether it was made again from the blocks that can still be read: then the container may have
   * held chunks of which it says nothing.
   */
  public boolean isSalvaged() {
    return salvaged;
  }

  /** Number of the container. */
  public long containerNumber() {
    return containerNumber;
  }

  /** Kind of all its chunks. */
  public ChunkKind kind() {
    return chunks.kind();
  }

  /** The chunks in order of their slots, from 0. */
  public FingerprintBatch chunks() {
    return chunks;
  }

  /** How many blocks it has. */
  public int blockCount() {
    return layout.blockCount();
  }

  /** Where a block lies. */
  public BlockLocation block(int block) {
    return layout.location(block);
  }

  /** The block that holds a slot. */
  public int blockOfSlot(int slot) {
    return layout.blockOf(slot);
  }

  /** Whether a slot's chunk is lost. */
  public boolean isLost(int slot) {
    return chunks.lengthBytes(slot) == 0;
  }

  /** How many of its slots say what they hold. */
  public int knownCount() {
    int count = chunks.count();
    if (salvaged) {
      for (int slot = 0; slot < chunks.count(); slot++) {
        count -= isLost(slot) ? 1 : 0;
      }
    }
    return count;
  }

  ContainerLayout layout() {
    return layout;
  }
}
