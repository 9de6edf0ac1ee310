package onefold.catalyst.client;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import onefold.catalyst.wire.ErrorCode;
import onefold.catalyst.wire.Extents;
import onefold.catalyst.wire.Frame;
import onefold.catalyst.wire.Message;
import onefold.catalyst.wire.QueueInbox;
import onefold.catalyst.wire.WireException;
import onefold.catalyst.wire.WireStream;
import onefold.chunker.ParameterSet;
import org.jspecify.annotations.Nullable;

/**
 * Takes one range of an item off a read stream, in order. A few runs ahead are decompressed and
 * checked by the workers while the caller uses the first. One thread calls it.
 */
final class RangeReader {
  /** Bytes of the object that lie in one block, or zeros. */
  private static final class Run {
    private final BlockWindow.@Nullable Opened block;
    private final Extents extents;
    private final int from;
    private final int to;
    private final int[] positions;
    private final CompletableFuture<Boolean> checked = new CompletableFuture<>();

    private Run(BlockWindow.@Nullable Opened block, Extents extents, int from, int to) {
      this.block = block;
      this.extents = extents;
      this.from = from;
      this.to = to;
      this.positions = new int[to - from];
    }
  }

  private static final byte[] ZEROS = new byte[64 << 10];

  private final WireStream stream;
  private final QueueInbox inbox;
  private final Workers workers;
  private final ParameterSet set;
  private final ClientSettings settings;
  private final long endBytes;

  private final BlockWindow window = new BlockWindow();
  private final ArrayDeque<Run> ahead = new ArrayDeque<>();
  private final int maxAhead;
  private long nextOffsetBytes;
  private boolean ended;

  // The extent that is being handed out.
  private @Nullable Run run;
  private int extent;
  private long usedBytes;
  private long positionBytes;

  RangeReader(
      WireStream stream,
      QueueInbox inbox,
      Workers workers,
      ParameterSet set,
      ClientSettings settings,
      long fromBytes,
      long endBytes)
      throws IOException {
    this.stream = stream;
    this.inbox = inbox;
    this.workers = workers;
    this.set = set;
    this.settings = settings;
    this.endBytes = endBytes;
    this.positionBytes = fromBytes;
    this.nextOffsetBytes = fromBytes;
    this.maxAhead = 2 * workers.count() + 2;
    stream.send(new Message.ReadRange(fromBytes, endBytes));
  }

  long positionBytes() {
    return positionBytes;
  }

  long endBytes() {
    return endBytes;
  }

  /** Where the next bytes are; valid until {@link #advance}. */
  record Piece(byte[] array, int offset, int lengthBytes) {}

  /** Returns the next bytes, at least one, or null at the end of the range. */
  @Nullable Piece peek() throws IOException {
    while (true) {
      Run current = run;
      if (current == null) {
        current = nextRun();
        if (current == null) {
          return null;
        }
        run = current;
        extent = current.from;
        usedBytes = 0;
      }
      long left = current.extents.lengthBytes(extent) - usedBytes;
      if (left > 0) {
        BlockWindow.Opened block = current.block;
        if (block == null) {
          return new Piece(ZEROS, 0, (int) Math.min(left, ZEROS.length));
        }
        int at = current.positions[extent - current.from] + (int) usedBytes;
        return new Piece(block.raw(), at, (int) left);
      }
      usedBytes = 0;
      extent++;
      if (extent == current.to) {
        run = null;
      }
    }
  }

  /** Moves on over bytes that {@link #peek} has shown. */
  void advance(int bytes) {
    usedBytes += bytes;
    positionBytes += bytes;
  }

  private @Nullable Run nextRun() throws IOException {
    fill();
    Run first = ahead.pollFirst();
    if (first == null) {
      return null;
    }
    fill();
    try {
      first.checked.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new WireException(ErrorCode.CANCELLED, "interrupted");
    } catch (ExecutionException e) {
      if (e.getCause() instanceof IOException failure) {
        throw new IOException(failure.getMessage(), failure);
      }
      throw new IllegalStateException(e.getCause());
    }
    return first;
  }

  /** Starts work on frames that are there; waits for one only if nothing is under way. */
  private void fill() throws IOException {
    while (!ended && ahead.size() < maxAhead) {
      Frame frame = ahead.isEmpty() ? inbox.take(settings.requestTime()) : inbox.poll();
      if (frame == null) {
        return;
      }
      stream.grant(WireStream.cost(frame));
      switch (frame.message()) {
        case Message.ReadBlock block -> window.add(block.blockNumber(), block.block());
        case Message.ReadExtents extents -> start(extents);
        case Message.RangeEnd() -> {
          ended = true;
          if (nextOffsetBytes != endBytes) {
            throw WireException.malformed(
                "the range ended at " + nextOffsetBytes + ", expected " + endBytes);
          }
        }
        case Message other -> throw WireException.malformed(other.type() + " while reading");
      }
    }
  }

  /** Splits extents into runs of one block and hands them to the workers. */
  private void start(Message.ReadExtents message) throws IOException {
    Extents extents = message.extents();
    if (message.offsetBytes() != nextOffsetBytes) {
      throw WireException.malformed(
          "extents at " + message.offsetBytes() + ", expected " + nextOffsetBytes);
    }
    int from = 0;
    while (from < extents.count()) {
      int to = from + 1;
      while (to < extents.count()
          && extents.isZeros(to) == extents.isZeros(from)
          && (extents.isZeros(to) || extents.blockDelta(to) == extents.blockDelta(from))) {
        to++;
      }
      for (int i = from; i < to; i++) {
        long length = extents.lengthBytes(i);
        if (length > endBytes - nextOffsetBytes) {
          throw WireException.malformed("extents go beyond the range's end at " + endBytes);
        }
        nextOffsetBytes += length;
      }
      begin(message, from, to);
      from = to;
    }
  }

  private void begin(Message.ReadExtents message, int from, int to) throws IOException {
    Extents extents = message.extents();
    if (extents.isZeros(from)) {
      var zeros = new Run(null, extents, from, to);
      zeros.checked.complete(true);
      ahead.addLast(zeros);
      return;
    }
    BlockWindow.Opened block =
        window.get(Math.addExact(message.baseBlockNumber(), extents.blockDelta(from)));
    var fresh = new Run(block, extents, from, to);
    ahead.addLast(fresh);
    workers.run(tools -> {
      try {
        block.check(tools, set, extents, from, to, fresh.positions);
        fresh.checked.complete(true);
      } catch (IOException | RuntimeException e) {
        fresh.checked.completeExceptionally(e);
      }
    });
  }

  /** Returns whether the whole range has been taken off the stream. */
  boolean isExhausted() throws IOException {
    return peek() == null;
  }
}
