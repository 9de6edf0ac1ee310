package onefold.catalyst.client;

import java.io.IOException;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.concurrent.atomic.AtomicLong;
import onefold.block.BlockBuilder;
import onefold.block.BlockCodec;
import onefold.block.BlockFormat;
import onefold.block.BlockFormatException;
import onefold.block.BlockReader;
import onefold.catalyst.wire.ErrorCode;
import onefold.chunker.ChunkKind;

/**
 * Turns ranges of a {@link CopySource} that the peer lacks into blocks for it: a stored block goes
 * as it is when {@value #AS_IT_IS_PERCENT} percent of its bytes are lacking, else its lacking
 * chunks are packed together with others. Belongs to the copy's thread. Owns native memory.
 */
final class CopyBlocks implements AutoCloseable {
  /** So much of a stored block must be lacking for it to be sent as it is. */
  static final int AS_IT_IS_PERCENT = 90;

  /** Where finished blocks go. */
  @FunctionalInterface
  interface Sink {
    void block(byte[] bytes, int offset, int lengthBytes) throws IOException;
  }

  /** Where ranges come from: as {@link CopySource#range}. */
  @FunctionalInterface
  interface Ranges {
    void range(long startBytes, long endBytes, CopySource.Taker taker) throws IOException;
  }

  /** A block of the range that is being read. */
  private static final class Held {
    private final byte[] stored;
    private final int rawBytes;
    private final BitSet wanted = new BitSet();
    private boolean passed;

    /** Chunks that were sent or packed. */
    private final BitSet done = new BitSet();

    private Held(byte[] stored, int rawBytes) {
      this.stored = stored;
      this.rawBytes = rawBytes;
    }

    static Held of(byte[] stored) throws CatalystException {
      try {
        return new Held(stored, BlockFormat.rawBytes(stored, 0, stored.length));
      } catch (BlockFormatException e) {
        throw damaged(e);
      }
    }
  }

  private final Sink sink;
  private final BlockReader reader = new BlockReader();
  private final BlockCodec codec;
  private final BlockBuilder packing;

  /** Number of the packed block that is open; those below were sent. */
  private long openNumber = 1;

  // Read by other threads.
  private final AtomicLong sentRawBytes = new AtomicLong();
  private final AtomicLong readCount = new AtomicLong();
  private final AtomicLong storedCount = new AtomicLong();
  private final AtomicLong packedCount = new AtomicLong();

  CopyBlocks(BlockCodec codec, Sink sink) {
    this.codec = codec;
    this.sink = sink;
    this.packing = new BlockBuilder(ChunkKind.DATA, codec, BlockBuilder.INLINE_ZSTD_LEVEL);
  }

  /** Sends or packs everything in a range. */
  void send(Ranges source, long startBytes, long endBytes) throws IOException {
    var range = new Range();
    source.range(startBytes, endBytes, range);
    range.passAll();
  }

  /** The last blocks of a range; the source may refer to so many, as {@link BlockWindow} says. */
  private final class Range implements CopySource.Taker {
    private final SequencedMap<Long, Held> held = new LinkedHashMap<>();
    private long heldRawBytes;

    @Override
    public void block(long number, byte[] stored, int offset, int lengthBytes) throws IOException {
      passAll();
      readCount.addAndGet(1);
      Held block = Held.of(Arrays.copyOfRange(stored, offset, offset + lengthBytes));
      held.put(number, block);
      heldRawBytes += block.rawBytes;
      while (held.size() > BlockWindow.BLOCKS
          || (heldRawBytes > BlockWindow.BYTES && held.size() > 1)) {
        heldRawBytes -= held.pollFirstEntry().getValue().rawBytes;
      }
    }

    @Override
    public void chunk(long blockNumber, int chunkIndex, byte[] fingerprint) throws IOException {
      Held block = held.get(blockNumber);
      if (block == null) {
        throw new IllegalStateException("a chunk of block " + blockNumber + ", which is not held");
      }
      block.wanted.set(chunkIndex);
      if (block.passed && !block.done.get(chunkIndex)) {
        pass(block);
      }
    }

    void passAll() throws IOException {
      for (Held block : held.values()) {
        if (!block.passed) {
          pass(block);
        }
      }
    }
  }

  private void pass(Held block) throws IOException {
    boolean first = !block.passed;
    block.passed = true;
    try {
      reader.parse(block.stored, 0, block.stored.length);
      int wantedBytes = 0;
      for (int i = 0; i < reader.chunkCount(); i++) {
        if (block.wanted.get(i)) {
          wantedBytes += reader.chunkLengths()[i];
        }
      }
      if (first && wantedBytes * 100L >= reader.rawBytes() * (long) AS_IT_IS_PERCENT) {
        sink.block(block.stored, 0, block.stored.length);
        block.done.set(0, reader.chunkCount());
        storedCount.addAndGet(1);
        sentRawBytes.addAndGet(reader.rawBytes());
        return;
      }
      byte[] raw = reader.decompress();
      int at = 0;
      for (int i = 0; i < reader.chunkCount(); i++) {
        int length = reader.chunkLengths()[i];
        if (block.wanted.get(i) && !block.done.get(i)) {
          pack(raw, at, length);
          block.done.set(i);
        }
        at += length;
      }
    } catch (BlockFormatException e) {
      throw damaged(e);
    }
  }

  private static CatalystException damaged(BlockFormatException why) {
    return new CatalystException(
        ErrorCode.CORRUPT_DATA, "a stored block is damaged: " + why.getMessage());
  }

  private void pack(byte[] raw, int offset, int lengthBytes) throws IOException {
    if (packing.chunkCount() > 0
        && (!packing.fits(lengthBytes)
            || packing.rawBytes() + lengthBytes > codec.wishedRawBytes())) {
      endOpen();
    }
    packing.add(raw, offset, lengthBytes);
    if (packing.rawBytes() >= codec.wishedRawBytes()) {
      endOpen();
    }
  }

  /** Sends the packed block that is open, however small. */
  void endOpen() throws IOException {
    if (packing.chunkCount() == 0) {
      return;
    }
    int length = packing.encode();
    sink.block(packing.bytes(), 0, length);
    sentRawBytes.addAndGet(packing.rawBytes());
    packedCount.addAndGet(1);
    packing.reset();
    openNumber++;
  }

  /** Forgets the packed block that is open. */
  void drop() {
    packing.reset();
  }

  private boolean hasOpen() {
    return packing.chunkCount() > 0;
  }

  /** Returns the number of the packed block after which everything given so far was sent. */
  long lastNumber() {
    return hasOpen() ? openNumber : openNumber - 1;
  }

  /** Returns the number of the last packed block that was sent. */
  long sentNumber() {
    return openNumber - 1;
  }

  long sentRawBytes() {
    return sentRawBytes.get();
  }

  long readCount() {
    return readCount.get();
  }

  long storedCount() {
    return storedCount.get();
  }

  long packedCount() {
    return packedCount.get();
  }

  @Override
  public void close() {
    reader.close();
    packing.close();
  }
}
