package onefold.store.container;

import java.util.Arrays;

/**
 * Where the blocks of a container lie: the block table, 20 bytes a block. Does not change once it
 * has been handed out.
 */
final class ContainerLayout {
  private final long containerNumber;
  private final long generation;
  private final int blockCount;
  private final int[] offsets;
  private final int[] storedBytes;
  private final int[] rawBytes;
  private final int[] firstSlots;
  private final int[] checksums;
  private final int chunkCount;

  private ContainerLayout(Builder builder) {
    containerNumber = builder.containerNumber;
    generation = builder.generation;
    blockCount = builder.blockCount;
    offsets = Arrays.copyOf(builder.offsets, blockCount);
    storedBytes = Arrays.copyOf(builder.storedBytes, blockCount);
    rawBytes = Arrays.copyOf(builder.rawBytes, blockCount);
    firstSlots = Arrays.copyOf(builder.firstSlots, blockCount);
    checksums = Arrays.copyOf(builder.checksums, blockCount);
    chunkCount = builder.chunkCount;
  }

  /** A layout that still grows, one block behind the other. Not safe for several threads. */
  static final class Builder {
    private final long containerNumber;
    private final long generation;
    private int blockCount;
    private int[] offsets = new int[64];
    private int[] storedBytes = new int[64];
    private int[] rawBytes = new int[64];
    private int[] firstSlots = new int[64];
    private int[] checksums = new int[64];
    private int chunkCount;
    private long rawSum;
    private long storedSum;

    Builder(long containerNumber, long generation) {
      this.containerNumber = containerNumber;
      this.generation = generation;
    }

    /**
     * Adds a block.
     *
     * @param offset of its first stored byte
     * @param raw 0 for a block that is lost
     */
    void add(long offset, int stored, int raw, int chunks, int checksum) {
      if (blockCount == offsets.length) {
        int room = blockCount * 2;
        offsets = Arrays.copyOf(offsets, room);
        storedBytes = Arrays.copyOf(storedBytes, room);
        rawBytes = Arrays.copyOf(rawBytes, room);
        firstSlots = Arrays.copyOf(firstSlots, room);
        checksums = Arrays.copyOf(checksums, room);
      }
      offsets[blockCount] = Math.toIntExact(offset);
      storedBytes[blockCount] = stored;
      rawBytes[blockCount] = raw;
      firstSlots[blockCount] = chunkCount;
      checksums[blockCount] = checksum;
      chunkCount = Math.addExact(chunkCount, chunks);
      blockCount++;
      rawSum += raw;
      storedSum += stored;
    }

    int blockCount() {
      return blockCount;
    }

    int chunkCount() {
      return chunkCount;
    }

    long rawSum() {
      return rawSum;
    }

    long storedSum() {
      return storedSum;
    }

    BlockLocation location(int block) {
      return ContainerLayout.location(
          containerNumber,
          generation,
          block,
          blockCount,
          offsets,
          storedBytes,
          rawBytes,
          firstSlots,
          checksums,
          chunkCount);
    }

    int blockOf(int slot) {
      return ContainerLayout.blockOf(containerNumber, firstSlots, blockCount, chunkCount, slot);
    }

    ContainerLayout build() {
      return new ContainerLayout(this);
    }
  }

  int blockCount() {
    return blockCount;
  }

  int chunkCount() {
    return chunkCount;
  }

  /** Bytes of memory that it takes. */
  long memoryBytes() {
    return 120 + 20L * blockCount;
  }

  BlockLocation location(int block) {
    return location(
        containerNumber,
        generation,
        block,
        blockCount,
        offsets,
        storedBytes,
        rawBytes,
        firstSlots,
        checksums,
        chunkCount);
  }

  /** The block that holds a slot. */
  int blockOf(int slot) {
    return blockOf(containerNumber, firstSlots, blockCount, chunkCount, slot);
  }

  private static int blockOf(
      long containerNumber, int[] firstSlots, int blockCount, int chunkCount, int slot) {
    if (slot < 0 || slot >= chunkCount) {
      throw new IllegalArgumentException(
          "slot " + slot + " of container " + containerNumber + ", which has " + chunkCount);
    }
    int found = Arrays.binarySearch(firstSlots, 0, blockCount, slot);
    if (found < 0) {
      return -found - 2;
    }
    // Lost blocks may hold no slot: the last one that begins here holds it.
    while (found + 1 < blockCount && firstSlots[found + 1] == slot) {
      found++;
    }
    return found;
  }

  private static BlockLocation location(
      long containerNumber,
      long generation,
      int block,
      int blockCount,
      int[] offsets,
      int[] storedBytes,
      int[] rawBytes,
      int[] firstSlots,
      int[] checksums,
      int chunkCount) {
    if (block < 0 || block >= blockCount) {
      throw new IllegalArgumentException(
          "block " + block + " of container " + containerNumber + ", which has " + blockCount);
    }
    int end = block + 1 < blockCount ? firstSlots[block + 1] : chunkCount;
    return new BlockLocation(
        containerNumber,
        generation,
        block,
        firstSlots[block],
        end - firstSlots[block],
        offsets[block],
        storedBytes[block],
        rawBytes[block],
        checksums[block]);
  }
}
