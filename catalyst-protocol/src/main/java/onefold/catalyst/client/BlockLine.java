package onefold.catalyst.client;

import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import onefold.block.BlockBuilder;
import onefold.block.BlockCodec;
import onefold.block.BlockFormat;
import onefold.catalyst.wire.FrameType;
import onefold.catalyst.wire.Message;
import onefold.catalyst.wire.Slice;
import onefold.catalyst.wire.WireStream;
import org.jspecify.annotations.Nullable;

/**
 * Gathers lacking chunks into blocks, has workers compress them, and sends them in order. Belongs
 * to the negotiation's thread; workers only hand finished blocks to {@code ready}.
 */
final class BlockLine {
  /** A block that a worker has finished. */
  record Finished(
      BlockLine line,
      long number,
      @Nullable ByteBuf frame,
      int rawBytes,
      @Nullable RuntimeException failure) {
    void release() {
      if (frame != null) {
        frame.release();
      }
    }
  }

  private record Gathered(long number, List<SegmentRing.ChunkBytes> chunks, int rawBytes) {}

  private final WireStream stream;
  private final Workers workers;
  private final BlockCodec codec;
  private final Consumer<Finished> ready;
  private final int maxAtWork;

  private List<SegmentRing.ChunkBytes> open = new ArrayList<>();
  private int openBytes;
  private long openNumber = 1;

  private final ArrayDeque<Gathered> waiting = new ArrayDeque<>();
  private int atWork;
  private final Map<Long, Finished> finished = new HashMap<>();
  private long sentNumber;
  private final AtomicLong sentRawBytes = new AtomicLong();

  BlockLine(WireStream stream, Workers workers, BlockCodec codec, Consumer<Finished> ready) {
    this.stream = stream;
    this.workers = workers;
    this.codec = codec;
    this.ready = ready;
    this.maxAtWork = workers.count() + 2;
  }

  /** Adds a chunk and returns the number of the block it will be in. */
  long add(SegmentRing.ChunkBytes chunk) {
    if (!open.isEmpty()
        && (openBytes + chunk.lengthBytes() > codec.wishedRawBytes()
            || open.size() == BlockFormat.MAX_CHUNKS)) {
      endOpen();
    }
    open.add(chunk);
    openBytes += chunk.lengthBytes();
    long number = openNumber;
    if (openBytes >= codec.wishedRawBytes()) {
      endOpen();
    }
    return number;
  }

  /** Ends the block that is being gathered, however small. */
  void endOpen() {
    if (!open.isEmpty()) {
      waiting.addLast(new Gathered(openNumber, open, openBytes));
      openNumber++;
      open = new ArrayList<>();
      openBytes = 0;
    }
  }

  boolean hasOpen() {
    return !open.isEmpty();
  }

  /** Returns whether every gathered chunk was sent. */
  boolean isEmpty() {
    return open.isEmpty() && sentNumber == openNumber - 1;
  }

  /** Returns the number of the last block sent; all before it were sent too. */
  long sentNumber() {
    return sentNumber;
  }

  long sentRawBytes() {
    return sentRawBytes.get();
  }

  /** Starts workers on gathered blocks, as many as are allowed at once. */
  void start() {
    while (atWork < maxAtWork && !waiting.isEmpty()) {
      Gathered next = waiting.removeFirst();
      atWork++;
      workers.run(tools -> ready.accept(encode(tools, next)));
    }
  }

  private Finished encode(Workers.Tools tools, Gathered block) {
    try {
      BlockBuilder builder = tools.blockBuilder(codec);
      for (SegmentRing.ChunkBytes chunk : block.chunks) {
        builder.add(chunk.array(), chunk.start(), chunk.lengthBytes());
      }
      int length = builder.encode();
      ByteBuf frame = stream.encode(new Message.Block(new Slice(builder.bytes(), 0, length)));
      return new Finished(this, block.number, frame, block.rawBytes, null);
    } catch (RuntimeException e) {
      return new Finished(this, block.number, null, block.rawBytes, e);
    }
  }

  /** Takes what a worker has finished. */
  void take(Finished block) {
    atWork--;
    if (block.failure != null) {
      throw block.failure;
    }
    finished.put(block.number, block);
  }

  /** Sends finished blocks in order. */
  void send() throws IOException {
    for (Finished next = finished.remove(sentNumber + 1);
        next != null;
        next = finished.remove(sentNumber + 1)) {
      ByteBuf frame = next.frame;
      if (frame == null) {
        throw new IllegalStateException("block without a frame");
      }
      stream.sendEncoded(FrameType.BLOCK, frame);
      sentNumber++;
      sentRawBytes.addAndGet(next.rawBytes);
    }
  }

  /** Lets go of everything; blocks still at work are released when they come. */
  void drop() {
    finished.values().forEach(Finished::release);
    finished.clear();
    waiting.clear();
    open.clear();
  }
}
