package onefold.store.container;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import onefold.block.BlockFormat;
import onefold.block.BlockFormatException;
import onefold.block.BlockReader;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;
import onefold.chunker.Fingerprinter;
import onefold.chunker.ParameterSet;
import onefold.store.CorruptDataException;
import onefold.store.container.ContainerFormat.Identity;
import onefold.store.container.ContainerStore.StoredContainer;
import org.jspecify.annotations.Nullable;

/**
 * Makes a directory from the blocks themselves: for a container that was not sealed, or whose
 * directory is damaged. Every block is decompressed and fingerprinted. Where a frame is damaged the
 * next one is searched; frames carry their first slot, so that no slot behind a damage moves. What
 * a scan takes of memory is bounded by the bytes that it reads: a chunk has its length in its
 * block.
 */
final class BlockScan {
  private static final int WINDOW_BYTES = 2 * BlockFormat.MAX_BLOCK_BYTES;

  private final StoredContainer file;
  private final Identity identity;
  private final long endBytes;
  private final byte[] window;
  private long windowStart;
  private int windowBytes;

  /**
   * What a scan found.
   *
   * @param endBytes where the last block ends
   * @param damage the first damage met, or null
   */
  record Found(
      ContainerLayout.Builder layout,
      FingerprintBatch chunks,
      long endBytes,
      @Nullable CorruptDataException damage) {}

  private BlockScan(StoredContainer file, Identity identity, long endBytes) {
    this.file = file;
    this.identity = identity;
    this.endBytes = endBytes;
    this.window = new byte[(int) Math.min(WINDOW_BYTES, endBytes)];
  }

  /**
   * Scans the blocks before {@code endBytes}.
   *
   * @param exact whether everything before {@code endBytes} is known to have been whole, so that
   *     what cannot be read is damage; otherwise the scan ends where nothing more can be read
   */
  static Found scan(StoredContainer file, Identity identity, long endBytes, boolean exact)
      throws IOException {
    return new BlockScan(file, identity, endBytes).scan(exact);
  }

  /**
   * Reads the blocks of a layout that is known to be right, and finds out what is in those that are
   * sound.
   *
   * @return the chunks; those of damaged blocks are lost, and keep their slots
   */
  static FingerprintBatch along(StoredContainer file, Identity identity, ContainerLayout layout)
      throws IOException {
    return new BlockScan(file, identity, file.sizeBytes()).along(layout);
  }

  private FingerprintBatch along(ContainerLayout layout) throws IOException {
    FingerprintBatch chunks =
        new FingerprintBatch(identity.kind(), Math.max(1, layout.chunkCount()));
    Fingerprinter fingerprinter = new Fingerprinter(ParameterSet.of(identity.parameterSet()));
    try (BlockReader reader = new BlockReader()) {
      for (int block = 0; block < layout.blockCount(); block++) {
        BlockLocation at = layout.location(block);
        boolean sound =
            at.rawBytes() > 0
                && at.storedBytes() <= BlockFormat.MAX_BLOCK_BYTES
                && read(reader, at.offsetBytes(), at.storedBytes(), at.chunkCount(), at.checksum())
                    == null;
        if (sound) {
          addFound(reader, fingerprinter, chunks);
        } else {
          addLost(chunks, at.chunkCount());
        }
      }
    }
    return chunks;
  }

  /** Adds the chunks of the block that was read last. */
  private void addFound(BlockReader reader, Fingerprinter fingerprinter, FingerprintBatch chunks) {
    int first = chunks.count();
    int count = reader.chunkCount();
    chunks.setCount(first + count);
    System.arraycopy(reader.chunkLengths(), 0, chunks.lengths(), first, count);
    fingerprinter.fingerprint(
        decompressed,
        0,
        reader.chunkLengths(),
        0,
        count,
        chunks.fingerprints(),
        first * Fingerprint.BYTES);
  }

  private Found scan(boolean exact) throws IOException {
    ContainerLayout.Builder layout =
        new ContainerLayout.Builder(identity.number(), identity.generation());
    FingerprintBatch chunks = new FingerprintBatch(identity.kind(), 1024);
    Fingerprinter fingerprinter = new Fingerprinter(ParameterSet.of(identity.parameterSet()));
    CorruptDataException damage = null;
    long offset = ContainerFormat.HEADER_BYTES;
    try (BlockReader reader = new BlockReader()) {
      while (offset < endBytes) {
        if (!isFrameAt(offset, layout.chunkCount())) {
          long next = nextFrame(offset, offset + 1, layout.chunkCount());
          if (next < 0 && !exact) {
            break;
          }
          CorruptDataException here =
              new CorruptDataException(
                  file.path(), offset, "the frame of a block", "bytes that are none");
          damage = damage == null ? here : damage;
          long lostEnd = next < 0 ? endBytes : next;
          if (lostEnd - offset < ContainerFormat.FRAME_BYTES) {
            break; // Too short to have been a block.
          }
          int lostSlots = next < 0 ? 0 : frameFirstSlot(next) - layout.chunkCount();
          long lostFrom = offset + ContainerFormat.FRAME_BYTES;
          layout.add(lostFrom, Math.toIntExact(lostEnd - lostFrom), 0, lostSlots, 0);
          addLost(chunks, lostSlots);
          offset = lostEnd;
          continue;
        }
        int at = (int) (offset - windowStart);
        int stored = ContainerFormat.frameStoredBytes(window, at);
        int count = ContainerFormat.frameChunkCount(window, at);
        int crc = ContainerFormat.frameBlockCrc(window, at);
        long blockAt = offset + ContainerFormat.FRAME_BYTES;
        CorruptDataException here = read(reader, blockAt, stored, count, crc);
        if (here == null) {
          int raw = reader.rawBytes();
          layout.add(blockAt, stored, raw, count, crc);
          addFound(reader, fingerprinter, chunks);
        } else if (!exact && nextFrame(0, blockAt + stored, 0) < 0) {
          break;
        } else {
          damage = damage == null ? here : damage;
          layout.add(blockAt, stored, 0, count, crc);
          addLost(chunks, count);
        }
        offset = blockAt + stored;
      }
    }
    return new Found(layout, chunks, offset, damage);
  }

  private byte[] decompressed = new byte[0];

  /** Checks and decompresses a block; answers what is wrong with it. */
  private @Nullable CorruptDataException read(
      BlockReader reader, long blockAt, int stored, int count, int crc) throws IOException {
    fill(blockAt, stored);
    int at = (int) (blockAt - windowStart);
    int found = ContainerFormat.crc(window, at, stored);
    if (found != crc) {
      return new CorruptDataException(
          file.path(),
          blockAt,
          "a block with checksum " + ContainerFormat.hex(crc),
          ContainerFormat.hex(found));
    }
    try {
      reader.parse(window, at, stored);
      decompressed = reader.decompress();
    } catch (BlockFormatException e) {
      return corrupt(file.path(), blockAt, e);
    }
    if (reader.chunkCount() != count || reader.kind() != identity.kind()) {
      return new CorruptDataException(
          file.path(),
          blockAt,
          count + " chunks of kind " + identity.kind(),
          reader.chunkCount() + " of kind " + reader.kind());
    }
    return null;
  }

  static CorruptDataException corrupt(String path, long offset, BlockFormatException e) {
    return new CorruptDataException(
        path, offset, "block: " + e.what() + " " + e.expected(), e.found());
  }

  private static void addLost(FingerprintBatch chunks, int count) {
    int first = chunks.count();
    chunks.setCount(first + count);
    Arrays.fill(chunks.lengths(), first, first + count, 0);
    Arrays.fill(
        chunks.fingerprints(),
        first * Fingerprint.BYTES,
        (first + count) * Fingerprint.BYTES,
        (byte) 0);
  }

  private int frameFirstSlot(long offset) {
    return ContainerFormat.frameFirstSlot(window, (int) (offset - windowStart));
  }

  /** Whether a frame that ends before the end and goes on at this slot stands at an offset. */
  private boolean isFrameAt(long offset, int slot) throws IOException {
    return isWholeFrame(offset) && frameFirstSlot(offset) == slot;
  }

  private boolean isWholeFrame(long offset) throws IOException {
    if (endBytes - offset < ContainerFormat.FRAME_BYTES) {
      return false;
    }
    fill(offset, ContainerFormat.FRAME_BYTES);
    int at = (int) (offset - windowStart);
    return ContainerFormat.isFrame(window, at, windowBytes, identity, offset)
        && offset + ContainerFormat.FRAME_BYTES + ContainerFormat.frameStoredBytes(window, at)
            <= endBytes;
  }

  /**
   * Finds the next frame from an offset on whose slot is not below; it is in the window then.
   *
   * @param lostFrom where what has no frame begins: the slots between have room there
   */
  private long nextFrame(long lostFrom, long from, int slot) throws IOException {
    for (long offset = from; offset + ContainerFormat.FRAME_BYTES <= endBytes; offset++) {
      fill(offset, ContainerFormat.FRAME_BYTES);
      if (ContainerFormat.hasFrameMagic(window, (int) (offset - windowStart))
          && isWholeFrame(offset)
          && frameFirstSlot(offset) >= slot
          && frameFirstSlot(offset) - slot <= (offset - lostFrom) / BlockFormat.LENGTH_BYTES) {
        return offset;
      }
    }
    return -1;
  }

  /** Sees to it that the window holds a range. */
  private void fill(long offset, int length) throws IOException {
    if (offset >= windowStart && offset + length <= windowStart + windowBytes) {
      return;
    }
    int wanted = (int) Math.min(window.length, endBytes - offset);
    file.readFully(offset, ByteBuffer.wrap(window, 0, wanted));
    windowStart = offset;
    windowBytes = wanted;
  }
}
