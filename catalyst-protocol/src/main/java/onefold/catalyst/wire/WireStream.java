package onefold.catalyst.wire;

import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One request or session on a connection. Frames may be sent by several threads; what they receive
 * goes to the inbox. A sender waits for credit without holding up anybody else.
 */
public final class WireStream {
  private final FrameChannel channel;
  private final int id;
  private final Inbox inbox;
  private final Duration patience;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private long sendCredit; // guarded by lock
  private final InFlight inFlight = new InFlight(); // guarded by lock
  private @Nullable IOException ended; // guarded by lock
  private long receiveCredit; // guarded by lock
  private long sentBytes; // guarded by lock
  private long receivedBytes; // guarded by lock

  WireStream(FrameChannel channel, int id, Inbox inbox, Duration patience) {
    this.channel = channel;
    this.id = id;
    this.inbox = inbox;
    this.patience = patience;
  }

  /** Returns the stream's number. */
  public int id() {
    return id;
  }

  /** Returns the connection. */
  public FrameChannel channel() {
    return channel;
  }

  /** Returns bytes of frames sent, headers included. */
  public long sentBytes() {
    lock.lock();
    try {
      return sentBytes;
    } finally {
      lock.unlock();
    }
  }

  /** Returns bytes of frames received, headers included. */
  public long receivedBytes() {
    lock.lock();
    try {
      return receivedBytes;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Sends a message, waiting for credit if its type needs some, and for room in the connection.
   *
   * @throws WireException if the peer has ended the stream, or {@code TIMED_OUT}
   * @throws IOException if the connection has ended
   */
  public void send(Message message) throws IOException {
    sendEncoded(message.type(), channel.encode(id, message));
  }

  /**
   * Sends a frame made by {@link #encode}; the buffer is released in every case.
   *
   * @throws IOException as {@link #send}
   */
  public void sendEncoded(FrameType type, ByteBuf frame) throws IOException {
    int frameBytes = frame.readableBytes();
    try {
      reserve(type, frameBytes);
    } catch (IOException | RuntimeException e) {
      frame.release();
      throw e;
    }
    channel.send(frame);
  }

  /**
   * Sends a small free frame at once, on any thread, without waiting; dropped if the stream has
   * ended.
   */
  public void sendNow(Message message) {
    if (!hasEnded()) {
      channel.sendControl(id, message);
    }
  }

  /** Makes the frame of a message, on any thread, for {@link #sendEncoded}. */
  public ByteBuf encode(Message message) {
    return channel.encode(id, message);
  }

  private void reserve(FrameType type, int frameBytes) throws IOException {
    lock.lock();
    try {
      if (type.use() == FrameType.Use.CREDITED) {
        int cost = cost(frameBytes - FrameFormat.HEADER_BYTES);
        long nanos = patience.toNanos();
        while ((sendCredit <= 0 || !inFlight.allows(cost, System.nanoTime())) && ended == null) {
          if (nanos <= 0) {
            throw new WireException(
                ErrorCode.TIMED_OUT,
                "the peer gave no credit for " + patience.toSeconds() + " seconds");
          }
          nanos = changed.awaitNanos(nanos);
        }
        sendCredit -= cost;
        inFlight.sent(cost);
      }
      if (ended != null) {
        throw ended;
      }
      sentBytes += frameBytes;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new WireException(ErrorCode.CANCELLED, "interrupted while waiting for credit");
    } finally {
      lock.unlock();
    }
  }

  static int cost(int payloadBytes) {
    return payloadBytes + FrameFormat.CREDIT_PER_FRAME_BYTES;
  }

  /** Returns what a received frame took of the credit granted to the peer. */
  public static int cost(Frame frame) {
    return frame.type().use() == FrameType.Use.CREDITED ? cost(frame.payload().length) : 0;
  }

  /** Allows the peer to send so many bytes more; 0 does nothing. */
  public void grant(int bytes) {
    if (bytes == 0) {
      return;
    }
    lock.lock();
    try {
      if (ended != null) {
        return;
      }
      receiveCredit += bytes;
    } finally {
      lock.unlock();
    }
    channel.sendControl(id, new Message.Credit(bytes));
  }

  /** Ends the stream from this side with an error the peer is told. */
  public void fail(ErrorCode code, String text) {
    if (end(new WireException(code, text))) {
      channel.sendControl(id, new Message.Failure(code, text));
    }
    channel.forget(this);
  }

  /** Ends the stream from this side and tells the peer to stop. */
  public void cancel() {
    if (end(new WireException(ErrorCode.CANCELLED, "called off"))) {
      channel.sendControl(id, new Message.Cancel());
    }
    channel.forget(this);
  }

  /** Ends the stream whose last word has been said. */
  public void finish() {
    end(new WireException(ErrorCode.CANCELLED, "the stream is over"));
    channel.forget(this);
  }

  /** Returns whether the stream has ended, from either side. */
  public boolean hasEnded() {
    lock.lock();
    try {
      return ended != null;
    } finally {
      lock.unlock();
    }
  }

  /** Takes note of the stream's end; false if it had ended before. */
  boolean end(IOException why) {
    lock.lock();
    try {
      if (ended != null) {
        return false;
      }
      ended = why;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    inbox.ended(why);
    return true;
  }

  // ---- on the event loop

  void credit(int bytes) throws WireException {
    lock.lock();
    try {
      if (sendCredit + bytes > Integer.MAX_VALUE) {
        throw WireException.malformed("credit beyond 2^31 - 1 on stream " + id);
      }
      sendCredit += bytes;
      inFlight.credited(bytes, System.nanoTime());
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  void received(Frame frame) throws WireException {
    lock.lock();
    try {
      receivedBytes += FrameFormat.HEADER_BYTES + frame.payload().length;
      if (frame.type().use() == FrameType.Use.CREDITED) {
        if (receiveCredit <= 0) {
          throw WireException.malformed(frame.type() + " without credit on stream " + id);
        }
        receiveCredit -= cost(frame.payload().length);
      }
      if (ended != null) {
        return;
      }
    } finally {
      lock.unlock();
    }
    inbox.frame(frame);
  }
}
