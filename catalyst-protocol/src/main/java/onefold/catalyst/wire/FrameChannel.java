package onefold.catalyst.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.ScheduledFuture;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One end of a connection: cuts bytes into frames, hands them to the inboxes of their streams, and
 * lets the streams send in turn. The last handler of a Netty pipeline, behind TLS.
 */
public final class FrameChannel extends ChannelInboundHandlerAdapter {
  /** What the owner of a connection is told. On the event loop; must not block. */
  public interface Owner {
    /** The connection can be used: TLS stands. */
    void ready();

    /**
     * A frame asks for a new stream.
     *
     * @return where the stream's further frames go, or null to refuse it with {@code LIMIT_REACHED}
     */
    @Nullable Inbox opening(Frame frame);

    /** The stream for the inbox that {@link #opening} returned. */
    void opened(WireStream stream, Frame frame, Inbox inbox);

    /** A frame of the connection itself, of the login or a GOAWAY. */
    void connectionFrame(Frame frame);

    /** The connection has ended. Called once. */
    void closed(IOException why);
  }

  /** The two ends. */
  public enum Role {
    /** Opens streams. */
    CLIENT,
    /** Serves them. */
    SERVER
  }

  private final Role role;
  private final Owner owner;
  private final Duration patience;
  private final boolean directBuffers;

  private final ConcurrentHashMap<Integer, WireStream> streams = new ConcurrentHashMap<>();
  private final AtomicInteger lastStreamId = new AtomicInteger();

  /** Fair, so that the streams of a connection send in turn. */
  private final ReentrantLock sending = new ReentrantLock(true);

  private final Condition room = sending.newCondition();
  private @Nullable IOException closed; // guarded by sending
  private @Nullable Channel channel; // set once on the event loop, published by sending
  private volatile int maxPayloadBytes = FrameFormat.MAX_LOGIN_PAYLOAD_BYTES;
  private volatile boolean loggedIn;
  private volatile int idleSeconds;

  // ---- touched by the event loop only
  private final byte[] header = new byte[FrameFormat.HEADER_BYTES];
  private int headerBytes;
  private @Nullable FrameType type;
  private int streamId;
  private byte[] payload = new byte[0];
  private int payloadBytes;
  private boolean broken;
  private long lastReadNanos;
  private long pingToken;
  private volatile @Nullable PongListener pongListener;

  /** Is told of a PONG, on the event loop. */
  @FunctionalInterface
  public interface PongListener {
    /** The PONG with this token came. */
    void pong(long token);
  }

  /**
   * Makes one end.
   *
   * @param patience how long a sender waits for credit or room before it gives up
   * @param directBuffers whether frames are built off the heap, which the TLS provider decides
   */
  public FrameChannel(Role role, Owner owner, Duration patience, boolean directBuffers) {
    this.role = role;
    this.owner = owner;
    this.patience = patience;
    this.directBuffers = directBuffers;
  }

  // ---- sending

  ByteBuf encode(int id, Message message) {
    return MessageFormat.encode(this::buffer, id, message);
  }

  private ByteBuf buffer(int capacityBytes) {
    return directBuffers
        ? ByteBufAllocator.DEFAULT.directBuffer(capacityBytes)
        : ByteBufAllocator.DEFAULT.heapBuffer(capacityBytes);
  }

  /**
   * Opens a stream by its first frame.
   *
   * @throws IOException if the connection has ended
   */
  public WireStream open(Message opening, Inbox inbox) throws IOException {
    WireStream stream;
    sending.lock();
    try {
      awaitRoom();
      stream = new WireStream(this, lastStreamId.incrementAndGet(), inbox, patience);
      streams.put(stream.id(), stream);
      ByteBuf frame = encode(stream.id(), opening);
      writeNow(frame);
    } finally {
      sending.unlock();
    }
    return stream;
  }

  /** Sends a frame of the connection itself. */
  public void sendConnection(Message message) throws IOException {
    send(encode(FrameFormat.CONNECTION_STREAM, message));
  }

  /**
   * Sends a frame when it is its turn and the connection has room; the buffer is released in every
   * case.
   */
  void send(ByteBuf frame) throws IOException {
    sending.lock();
    try {
      awaitRoom();
    } catch (IOException | RuntimeException e) {
      sending.unlock();
      frame.release();
      throw e;
    }
    try {
      writeNow(frame);
    } finally {
      sending.unlock();
    }
  }

  /** Waits, holding the lock, until the connection can take a frame. */
  private void awaitRoom() throws IOException {
    try {
      long nanos = patience.toNanos();
      while (closed == null && (channel == null || !channel.isWritable())) {
        if (nanos <= 0) {
          throw new WireException(
              ErrorCode.TIMED_OUT,
              "the connection took nothing for " + patience.toSeconds() + " seconds");
        }
        nanos = room.awaitNanos(nanos);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new WireException(ErrorCode.CANCELLED, "interrupted while waiting for the connection");
    }
    if (closed != null) {
      throw closed;
    }
  }

  private void writeNow(ByteBuf frame) {
    Channel to = channel;
    if (to == null) {
      frame.release();
      throw new IllegalStateException("no channel");
    }
    var _ = to.writeAndFlush(frame, to.voidPromise());
  }

  /**
   * Sends a small frame at once, from any thread, without waiting; dropped if the connection has
   * ended.
   */
  void sendControl(int id, Message message) {
    Channel to = channelOrNull();
    if (to != null && to.isActive()) {
      var _ = to.writeAndFlush(encode(id, message), to.voidPromise());
    }
  }

  private @Nullable Channel channelOrNull() {
    sending.lock();
    try {
      return channel;
    } finally {
      sending.unlock();
    }
  }

  /** Sends a PING; its PONG goes to the listener. */
  public void ping(long token, int paddingBytes) {
    sendControl(FrameFormat.CONNECTION_STREAM, new Message.Ping(token, paddingBytes));
  }

  /** Sets who is told of PONGs. */
  public void onPong(PongListener listener) {
    pongListener = listener;
  }

  /** Says why and closes. */
  public void goAway(ErrorCode code, String text) {
    Channel to = channelOrNull();
    if (to != null) {
      var _ =
          to.writeAndFlush(encode(FrameFormat.CONNECTION_STREAM, new Message.GoAway(code, text)))
              .addListener(ChannelFutureListener.CLOSE);
    }
  }

  /** Closes without a word. */
  public void close() {
    Channel to = channelOrNull();
    if (to != null) {
      var _ = to.close();
    }
  }

  /** The login is done: long frames and streams are allowed from now on, and silence is limited. */
  public void loggedIn(int limitSeconds) {
    maxPayloadBytes = FrameFormat.MAX_PAYLOAD_BYTES;
    idleSeconds = limitSeconds;
    loggedIn = true;
    Channel to = channelOrNull();
    if (to != null) {
      long periodMillis = Math.max(1, limitSeconds * 1000L / 3);
      ScheduledFuture<?> watch =
          to.eventLoop()
              .scheduleAtFixedRate(
                  this::watchSilence, periodMillis, periodMillis, TimeUnit.MILLISECONDS);
      to.closeFuture().addListener(closedNow -> watch.cancel(false));
    }
  }

  /** Returns whether the connection can still be used. */
  public boolean isOpen() {
    sending.lock();
    try {
      return closed == null && channel != null && channel.isActive();
    } finally {
      sending.unlock();
    }
  }

  /** Returns how many streams are open. */
  public int streamCount() {
    return streams.size();
  }

  void forget(WireStream stream) {
    streams.remove(stream.id(), stream);
  }

  // ---- the event loop

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    lastReadNanos = System.nanoTime();
    sending.lock();
    try {
      channel = context.channel();
    } finally {
      sending.unlock();
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event instanceof SslHandshakeCompletionEvent handshake) {
      if (handshake.isSuccess()) {
        owner.ready();
      } else {
        end(
            new ConnectionLostException(
                "the TLS handshake failed: " + handshake.cause().getMessage(), handshake.cause()));
        var _ = context.close();
      }
    }
  }

  private void watchSilence() {
    Channel to = channelOrNull();
    if (to == null || !to.isActive()) {
      return;
    }
    long silentMillis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - lastReadNanos);
    if (silentMillis >= idleSeconds * 1000L) {
      end(new ConnectionLostException("the peer was silent for " + idleSeconds + " seconds", null));
      var _ = to.close();
    } else if (silentMillis >= idleSeconds * 1000L / 3) {
      ping(--pingToken, 0);
    }
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext context) {
    if (context.channel().isWritable()) {
      sending.lock();
      try {
        room.signalAll();
      } finally {
        sending.unlock();
      }
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (!(message instanceof ByteBuf bytes)) {
      ReferenceCountUtil.release(message);
      return;
    }
    lastReadNanos = System.nanoTime();
    try {
      while (!broken && bytes.isReadable()) {
        decode(bytes);
      }
    } catch (WireException e) {
      broken = true;
      if (role == Role.SERVER) {
        goAway(e.code(), String.valueOf(e.getMessage()));
      } else {
        var _ = context.close();
      }
      end(e);
    } finally {
      bytes.release();
    }
  }

  /** Takes what the next step of a frame needs, or all there is. */
  private void decode(ByteBuf bytes) throws WireException {
    if (type == null) {
      int n = Math.min(bytes.readableBytes(), FrameFormat.HEADER_BYTES - headerBytes);
      bytes.readBytes(header, headerBytes, n);
      headerBytes += n;
      if (headerBytes < FrameFormat.HEADER_BYTES) {
        return;
      }
      begin();
    }
    int n = Math.min(bytes.readableBytes(), payload.length - payloadBytes);
    bytes.readBytes(payload, payloadBytes, n);
    payloadBytes += n;
    if (payloadBytes == payload.length && type != null) {
      var frame = new Frame(type, streamId, payload);
      type = null;
      headerBytes = 0;
      payloadBytes = 0;
      payload = EMPTY;
      dispatch(frame);
    }
  }

  private static final byte[] EMPTY = new byte[0];

  /** Checks a header before anything is allocated for its payload. */
  private void begin() throws WireException {
    int lengthBytes = headerInt(FrameFormat.LENGTH_OFFSET);
    streamId = headerInt(FrameFormat.STREAM_OFFSET);
    int code = header[FrameFormat.TYPE_OFFSET] & 0xff;
    FrameType found = FrameType.of(code);
    if (header[FrameFormat.FLAGS_OFFSET] != 0
        || header[FrameFormat.ZERO_OFFSET] != 0
        || header[FrameFormat.ZERO_OFFSET + 1] != 0) {
      throw WireException.malformed("frame with flags or reserved bytes that are not zero");
    }
    if (found == null) {
      throw WireException.malformed("frame of unknown type " + code);
    }
    int bound =
        switch (found.use()) {
          case OPENING -> Math.min(maxPayloadBytes, FrameFormat.MAX_OPENING_PAYLOAD_BYTES);
          case CONNECTION -> FrameFormat.MAX_PADDING_BYTES + 8;
          case FREE -> role == Role.CLIENT ? maxPayloadBytes : 16;
          case CREDITED -> maxPayloadBytes;
        };
    if (!loggedIn) {
      bound = Math.min(bound, maxPayloadBytes);
    }
    if (lengthBytes < 0 || lengthBytes > bound) {
      throw new WireException(
          ErrorCode.TOO_LARGE,
          found + " of " + Integer.toUnsignedString(lengthBytes) + " bytes, at most " + bound);
    }
    boolean ofConnection = found.use() == FrameType.Use.CONNECTION;
    if (ofConnection != (streamId == FrameFormat.CONNECTION_STREAM)) {
      throw WireException.malformed(found + " on stream " + Integer.toUnsignedString(streamId));
    }
    if (!ofConnection && !loggedIn) {
      throw WireException.malformed(found + " before the login is done");
    }
    type = found;
    payload = new byte[lengthBytes];
  }

  private int headerInt(int at) {
    return (header[at] & 0xff)
        | (header[at + 1] & 0xff) << 8
        | (header[at + 2] & 0xff) << 16
        | (header[at + 3] & 0xff) << 24;
  }

  private void dispatch(Frame frame) throws WireException {
    if (frame.streamId() == FrameFormat.CONNECTION_STREAM) {
      dispatchConnection(frame);
      return;
    }
    WireStream stream = streams.get(frame.streamId());
    if (stream == null) {
      dispatchUnknown(frame);
      return;
    }
    switch (frame.type()) {
      case CREDIT -> stream.credit(((Message.Credit) frame.message()).bytes());
      case CANCEL -> {
        requireRole(frame, Role.SERVER);
        stream.end(new WireException(ErrorCode.CANCELLED, "called off by the client"));
        forget(stream);
      }
      case ERROR -> {
        requireRole(frame, Role.CLIENT);
        var failure = (Message.Failure) frame.message();
        stream.end(new WireException(failure.code(), failure.text()));
        forget(stream);
      }
      default -> {
        if (frame.type().opensStream()) {
          throw WireException.malformed(
              frame.type() + " on stream " + frame.streamId() + ", which is open");
        }
        if (frame.type().use() == FrameType.Use.FREE) {
          requireRole(frame, Role.CLIENT);
        }
        stream.received(frame);
      }
    }
  }

  private void requireRole(Frame frame, Role wanted) throws WireException {
    if (role != wanted) {
      throw WireException.malformed(frame.type() + " from the wrong side");
    }
  }

  private void dispatchConnection(Frame frame) throws WireException {
    switch (frame.type()) {
      case PING -> {
        var ping = (Message.Ping) frame.message();
        Channel to = channelOrNull();
        // A peer that asks and does not read gets no answers piled up for it.
        if (to != null && to.isWritable()) {
          sendControl(FrameFormat.CONNECTION_STREAM, new Message.Pong(ping.token()));
        }
      }
      case PONG -> {
        PongListener listener = pongListener;
        if (listener != null) {
          listener.pong(((Message.Pong) frame.message()).token());
        }
      }
      default -> owner.connectionFrame(frame);
    }
  }

  private void dispatchUnknown(Frame frame) throws WireException {
    if (role == Role.SERVER && frame.type().opensStream()) {
      if (Integer.compareUnsigned(frame.streamId(), lastStreamId.get()) <= 0) {
        throw WireException.malformed(
            "stream "
                + Integer.toUnsignedString(frame.streamId())
                + " opened after stream "
                + Integer.toUnsignedString(lastStreamId.get()));
      }
      lastStreamId.set(frame.streamId());
      Inbox inbox = owner.opening(frame);
      if (inbox == null) {
        sendControl(
            frame.streamId(),
            new Message.Failure(
                ErrorCode.LIMIT_REACHED, "too many streams are open on this connection"));
        return;
      }
      var stream = new WireStream(this, frame.streamId(), inbox, patience);
      streams.put(stream.id(), stream);
      owner.opened(stream, frame, inbox);
      return;
    }
    if (Integer.compareUnsigned(frame.streamId(), lastStreamId.get()) > 0) {
      throw WireException.malformed(
          frame.type()
              + " on stream "
              + Integer.toUnsignedString(frame.streamId())
              + ", which was never opened");
    }
    // Else it was under way when the stream ended.
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    end(new ConnectionLostException("the connection was closed", null));
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    broken = true;
    end(new ConnectionLostException("the connection broke: " + cause.getMessage(), cause));
    var _ = context.close();
  }

  /**
   * Ends everything with this reason; the first one counts. For owners too, who know a better one.
   */
  public void end(IOException why) {
    sending.lock();
    try {
      if (closed != null) {
        return;
      }
      closed = why;
      room.signalAll();
    } finally {
      sending.unlock();
    }
    for (WireStream stream : new ArrayList<>(streams.values())) {
      stream.end(why);
      forget(stream);
    }
    owner.closed(why);
  }
}
