package onefold.nas.nfs;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.concurrent.ScheduledFuture;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * One client's connection: puts records together from their fragments (RFC 5531, 11) and hands each
 * to a virtual thread of its own. It stops reading while {@link #MAX_CALLS} of its calls are being
 * served, while {@link Load} has no room, and while the client does not take its replies.
 */
final class RpcConnection extends ChannelInboundHandlerAdapter {
  /** Most calls of one connection that are served at the same time. */
  static final int MAX_CALLS = 64;

  /**
   * Longest record: the largest write and compound with room to spare. A longer one is answered by
   * closing the connection, for nothing tells where the next begins.
   */
  static final int MAX_RECORD_BYTES = (4 << 20) + (64 << 10);

  /** A record of more fragments is no client's. */
  private static final int MAX_FRAGMENTS = 1024;

  /** What is allocated for a record before as many of its bytes are there. */
  private static final int FIRST_BYTES = 64 << 10;

  /** How long a record may take from its first to its last byte. */
  private static final int RECORD_SECONDS = 60;

  private static final int LAST = 0x8000_0000;
  private static final System.Logger LOG = System.getLogger(RpcConnection.class.getName());
  private static final byte[] NONE = new byte[0];

  private final RpcServer server;
  private final Channel channel;
  private final Load load;

  private final AtomicInteger calls = new AtomicInteger();
  private volatile boolean paused;

  // Touched by the event loop only.
  private final ArrayDeque<ByteBuf> unread = new ArrayDeque<>();
  private byte[] record = NONE;
  private int recordLength;
  private int mark;
  private int markBytes;
  private int fragmentLeft;
  private int fragments;
  private boolean waitsForRoom;
  private boolean over;
  private @Nullable ScheduledFuture<?> deadline;

  RpcConnection(RpcServer server, Channel channel, Load load) {
    this.server = server;
    this.channel = channel;
    this.load = load;
  }

  InetAddress clientAddress() {
    return channel.remoteAddress() instanceof InetSocketAddress address
        ? address.getAddress()
        : InetAddress.getLoopbackAddress();
  }

  boolean isOpen() {
    return channel.isActive();
  }

  void close() {
    var _ = channel.close();
  }

  // ---- on the event loop

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (message instanceof ByteBuf bytes) {
      unread.add(bytes);
      readOn();
    }
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext context) {
    if (channel.isWritable()) {
      resume();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    over = true;
    unread.forEach(ByteBuf::release);
    unread.clear();
    record = NONE;
    stopDeadline();
    if (waitsForRoom) {
      load.pass();
    }
    server.ended(this);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    LOG.log(
        System.Logger.Level.DEBUG, () -> "connection of " + channel.remoteAddress() + ": " + cause);
    close();
  }

  private boolean mayServe() {
    if (calls.get() >= MAX_CALLS || !channel.isWritable()) {
      return false;
    }
    if (waitsForRoom) {
      return false;
    }
    if (!load.roomOrWait(() -> channel.eventLoop().execute(this::roomCame))) {
      waitsForRoom = true;
      return false;
    }
    return true;
  }

  private void roomCame() {
    waitsForRoom = false;
    if (over || unread.isEmpty()) {
      load.pass();
    }
    resume();
  }

  private void resume() {
    if (paused && !over) {
      paused = false;
      readOn();
      if (!paused) {
        channel.config().setAutoRead(true);
      }
    }
  }

  private void readOn() {
    while (!over && !paused) {
      ByteBuf bytes = unread.peek();
      if (bytes == null) {
        return;
      }
      if (!mayServe()) {
        pause();
        continue;
      }
      if (!readFrom(bytes)) {
        over = true;
        close();
        return;
      }
      if (!bytes.isReadable()) {
        unread.remove();
        bytes.release();
      }
    }
  }

  private void pause() {
    paused = true;
    channel.config().setAutoRead(false);
    // What ended in between did not see that somebody waits.
    if (!waitsForRoom && calls.get() < MAX_CALLS && channel.isWritable()) {
      paused = false;
      channel.config().setAutoRead(true);
    }
  }

  /** Reads until a record is whole or the bytes end; false if they make no sense. */
  private boolean readFrom(ByteBuf bytes) {
    while (bytes.isReadable()) {
      if (markBytes < 4) {
        mark = mark << 8 | bytes.readUnsignedByte();
        markBytes++;
        if (markBytes == 4) {
          fragmentLeft = mark & ~LAST;
          if (++fragments > MAX_FRAGMENTS || fragmentLeft > MAX_RECORD_BYTES - recordLength) {
            String what =
                "a record of more than "
                    + MAX_RECORD_BYTES
                    + " bytes or "
                    + MAX_FRAGMENTS
                    + " fragments (mark "
                    + Integer.toHexString(mark)
                    + ") from "
                    + channel.remoteAddress();
            LOG.log(System.Logger.Level.WARNING, () -> what + ", connection closed");
            return false;
          }
          startDeadline();
        }
      }
      if (markBytes == 4) {
        int count = Math.min(fragmentLeft, bytes.readableBytes());
        if (count > 0) {
          makeRoom(count);
          bytes.readBytes(record, recordLength, count);
          recordLength += count;
          fragmentLeft -= count;
        }
        if (fragmentLeft == 0) {
          boolean whole = (mark & LAST) != 0;
          mark = 0;
          markBytes = 0;
          if (whole) {
            recordIsWhole();
            return true;
          }
        }
      }
    }
    return true;
  }

  private void makeRoom(int count) {
    int needed = recordLength + count;
    if (needed <= record.length) {
      return;
    }
    int whole = recordLength + fragmentLeft;
    int size = whole <= FIRST_BYTES || needed > FIRST_BYTES ? whole : FIRST_BYTES;
    record = Arrays.copyOf(record, Math.max(size, needed));
  }

  private void recordIsWhole() {
    byte[] whole = record;
    int length = recordLength;
    record = NONE;
    recordLength = 0;
    fragments = 0;
    stopDeadline();
    calls.incrementAndGet();
    load.began(length);
    server.start(() -> serve(whole, length));
  }

  private void startDeadline() {
    if (deadline == null) {
      deadline = channel.eventLoop().schedule(this::close, RECORD_SECONDS, TimeUnit.SECONDS);
    }
  }

  private void stopDeadline() {
    if (deadline != null) {
      deadline.cancel(false);
      deadline = null;
    }
  }

  // ---- on the call's own thread

  private void serve(byte[] whole, int length) {
    try {
      XdrWriter reply = server.reply(this, whole, length);
      if (reply != null) {
        reply.patchInt(0, LAST | (reply.position() - 4));
        var _ = channel.writeAndFlush(Unpooled.wrappedBuffer(reply.array(), 0, reply.position()));
      }
    } finally {
      calls.decrementAndGet();
      load.ended(length);
      if (paused) {
        channel.eventLoop().execute(this::resume);
      }
    }
  }
}
