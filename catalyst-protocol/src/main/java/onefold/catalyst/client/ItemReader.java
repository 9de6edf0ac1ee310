package onefold.catalyst.client;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.SeekableByteChannel;
import java.util.Objects;
import onefold.catalyst.wire.ItemInfo;
import onefold.catalyst.wire.Message;
import onefold.catalyst.wire.QueueInbox;
import onefold.catalyst.wire.WireException;
import onefold.catalyst.wire.WireId;
import onefold.catalyst.wire.WireStream;
import onefold.chunker.ParameterSet;
import org.jspecify.annotations.Nullable;

/**
 * Reads one version of an item; it stays readable while this is open, even if its name is deleted
 * or replaced. Every byte handed out was checked against its fingerprint here, on this machine;
 * what differs is never handed out but reported as {@code CORRUPT_DATA}. When the connection breaks
 * it connects again by the client's retry policy and goes on.
 *
 * <p>One thread at a time calls it and the streams it hands out, which share its position.
 */
public final class ItemReader implements AutoCloseable {
  /** Stored bytes under way to this reader at most. */
  private static final int WINDOW_BYTES = 8 << 20;

  /** The first range asked for after a jump; each following one is twice as long. */
  private static final long FIRST_RANGE_BYTES = 256 << 10;

  private static final long MAX_RANGE_BYTES = 1L << 40;

  /** A jump ahead by less than this reads over what lies between. */
  private static final long SKIP_BYTES = 256 << 10;

  private final Connections connections;
  private final Workers workers;
  private final String store;
  private final ItemInfo item;
  private ParameterSet set = ParameterSet.SET_1;

  private @Nullable WireStream stream;
  private QueueInbox inbox = new QueueInbox();
  private @Nullable RangeReader range;
  private long positionBytes;
  private long rangeBytes = FIRST_RANGE_BYTES;
  private long readBefore;
  private boolean closed;

  ItemReader(Connections connections, Workers workers, String store, String name)
      throws IOException {
    this.connections = connections;
    this.workers = workers;
    this.store = store;
    this.item = connections.retrying(connection -> open(connection, name, WireId.NONE));
  }

  private ItemInfo open(Connection connection, String name, WireId id) throws IOException {
    var fresh = new QueueInbox();
    WireStream opening = connection.channel().open(new Message.OpenRead(store, name, id), fresh);
    try {
      Message answer = fresh.take(connections.settings().requestTime()).message();
      if (!(answer instanceof Message.ReadOpened(int parameterSet, ItemInfo found))) {
        throw WireException.malformed("OPEN_READ was answered by " + answer.type());
      }
      set = ParameterSet.of(parameterSet);
      opening.grant(WINDOW_BYTES);
      stream = opening;
      inbox = fresh;
      range = null;
      return found;
    } catch (IOException | RuntimeException e) {
      opening.cancel();
      throw e;
    }
  }

  /** Returns the item that is read. */
  public ItemInfo item() {
    return item;
  }

  /** Returns the item's length. */
  public long lengthBytes() {
    return item.lengthBytes();
  }

  /** Returns bytes of frames that came over the line for this reader. */
  public long receivedBytes() {
    WireStream there = stream;
    return readBefore + (there == null ? 0 : there.receivedBytes());
  }

  /** Returns where the next read begins. */
  public long positionBytes() {
    return positionBytes;
  }

  /** Sets where the next read begins; beyond the end nothing is read. */
  public void position(long newPositionBytes) {
    if (newPositionBytes < 0) {
      throw new IllegalArgumentException("position " + newPositionBytes);
    }
    positionBytes = newPositionBytes;
  }

  /**
   * Reads from the position on.
   *
   * @return how many bytes, at least 1; -1 at the end of the item
   */
  public int read(byte[] target, int offset, int lengthBytes) throws IOException {
    Objects.checkFromIndexSize(offset, lengthBytes, target.length);
    if (lengthBytes == 0) {
      return 0;
    }
    int done = 0;
    while (done < lengthBytes) {
      RangeReader.Piece piece = piece(lengthBytes - done);
      if (piece == null) {
        return done == 0 ? -1 : done;
      }
      int n = Math.min(piece.lengthBytes(), lengthBytes - done);
      System.arraycopy(piece.array(), piece.offset(), target, offset + done, n);
      advance(n);
      done += n;
    }
    return done;
  }

  /**
   * Writes everything from the position to the end to {@code target}, without a copy in between.
   *
   * @return how many bytes that was
   */
  public long transferTo(OutputStream target) throws IOException {
    long sum = 0;
    rangeBytes = MAX_RANGE_BYTES;
    while (true) {
      RangeReader.Piece piece = piece(Long.MAX_VALUE);
      if (piece == null) {
        return sum;
      }
      target.write(piece.array(), piece.offset(), piece.lengthBytes());
      advance(piece.lengthBytes());
      sum += piece.lengthBytes();
    }
  }

  /** Returns the next bytes, connecting again if need be; null at the end of the item. */
  private RangeReader.@Nullable Piece piece(long wishedBytes) throws IOException {
    if (closed) {
      throw new ClosedChannelException();
    }
    if (positionBytes >= item.lengthBytes()) {
      return null;
    }
    for (int failures = 0; ; failures++) {
      try {
        return rangeAtPosition(wishedBytes).peek();
      } catch (IOException e) {
        dropStream();
        if (!Connections.isWorthRetrying(cause(e))
            || failures >= connections.settings().retry().attempts()) {
          throw Connections.shown(cause(e));
        }
        connections.pause(connections.settings().retry().delay(failures));
      }
    }
  }

  /** What a worker found is wrapped once, with the stack of the reading thread. */
  private static IOException cause(IOException failure) {
    return failure.getCause() instanceof CatalystException inner ? inner : failure;
  }

  private void advance(int bytes) {
    positionBytes += bytes;
    if (range != null) {
      range.advance(bytes);
    }
  }

  private RangeReader rangeAtPosition(long wishedBytes) throws IOException {
    RangeReader there = range;
    if (there != null) {
      long ahead = positionBytes - there.positionBytes();
      if (ahead > 0 && ahead <= SKIP_BYTES && positionBytes < there.endBytes()) {
        skip(there, ahead);
      } else if (ahead != 0) {
        // A jump: what is left of the range is called off with its stream, unless it was all here.
        if (there.positionBytes() < there.endBytes() || !there.isExhausted()) {
          dropStream();
        }
        rangeBytes = FIRST_RANGE_BYTES;
        there = null;
      } else if (there.positionBytes() == there.endBytes()) {
        if (!there.isExhausted()) {
          throw WireException.malformed("bytes beyond the end of the range");
        }
        rangeBytes = Math.min(2 * rangeBytes, MAX_RANGE_BYTES);
        there = null;
      }
    }
    if (there == null) {
      WireStream open = stream;
      if (open == null) {
        open(connections.get(), item.name(), item.id());
        open = stream;
      }
      if (open == null) {
        throw new IllegalStateException("no stream after opening");
      }
      long end =
          Math.min(
              item.lengthBytes(),
              positionBytes + Math.max(rangeBytes, Math.min(wishedBytes, 64L << 20)));
      there =
          new RangeReader(open, inbox, workers, set, connections.settings(), positionBytes, end);
      range = there;
    }
    return there;
  }

  private static void skip(RangeReader reader, long bytes) throws IOException {
    long left = bytes;
    while (left > 0) {
      RangeReader.Piece piece = reader.peek();
      if (piece == null) {
        throw WireException.malformed("the range ended early");
      }
      int n = (int) Math.min(left, piece.lengthBytes());
      reader.advance(n);
      left -= n;
    }
  }

  private void dropStream() {
    WireStream there = stream;
    if (there != null) {
      readBefore += there.receivedBytes();
      there.cancel();
    }
    stream = null;
    range = null;
  }

  /** Returns a stream over the rest of the item; closing it closes this reader. */
  public InputStream inputStream() {
    rangeBytes = MAX_RANGE_BYTES;
    return new InputStream() {
      @Override
      public int read() throws IOException {
        byte[] one = new byte[1];
        return ItemReader.this.read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
      }

      @Override
      public int read(byte[] target, int offset, int length) throws IOException {
        return ItemReader.this.read(target, offset, length);
      }

      @Override
      public long skip(long bytes) {
        long n = Math.max(0, Math.min(bytes, lengthBytes() - positionBytes));
        positionBytes += n;
        return n;
      }

      @Override
      public int available() {
        return 0;
      }

      @Override
      public long transferTo(OutputStream target) throws IOException {
        return ItemReader.this.transferTo(target);
      }

      @Override
      public void close() {
        ItemReader.this.close();
      }
    };
  }

  /** Returns a read-only channel over the item; closing it closes this reader. */
  public SeekableByteChannel channel() {
    return new SeekableByteChannel() {
      @Override
      public int read(ByteBuffer target) throws IOException {
        if (!target.hasRemaining()) {
          return 0;
        }
        if (target.hasArray()) {
          int n =
              ItemReader.this.read(
                  target.array(), target.arrayOffset() + target.position(), target.remaining());
          if (n > 0) {
            target.position(target.position() + n);
          }
          return n;
        }
        byte[] copy = new byte[Math.min(target.remaining(), 256 << 10)];
        int n = ItemReader.this.read(copy, 0, copy.length);
        if (n > 0) {
          target.put(copy, 0, n);
        }
        return n;
      }

      @Override
      public int write(ByteBuffer source) {
        throw new NonWritableChannelException();
      }

      @Override
      public long position() {
        return positionBytes();
      }

      @Override
      public SeekableByteChannel position(long newPosition) {
        ItemReader.this.position(newPosition);
        return this;
      }

      @Override
      public long size() {
        return lengthBytes();
      }

      @Override
      public SeekableByteChannel truncate(long size) {
        throw new NonWritableChannelException();
      }

      @Override
      public boolean isOpen() {
        return !closed;
      }

      @Override
      public void close() {
        ItemReader.this.close();
      }
    };
  }

  /** Ends the reading. Safe to call again. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      dropStream();
    }
  }
}
