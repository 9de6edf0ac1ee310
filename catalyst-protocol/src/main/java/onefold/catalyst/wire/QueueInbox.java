package onefold.catalyst.wire;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * An inbox from which one thread takes frames. Its bound is the credit that was granted to the
 * sender: the event loop ends a connection that sends beyond it.
 */
public final class QueueInbox implements Inbox {
  private sealed interface Entry {
    record Arrived(Frame frame) implements Entry {}

    record Ended(IOException why) implements Entry {}
  }

  private final LinkedBlockingQueue<Entry> entries = new LinkedBlockingQueue<>();
  private @Nullable IOException ended; // touched by the taking thread only

  /** Makes an empty one. */
  public QueueInbox() {}

  @Override
  public void frame(Frame frame) {
    entries.add(new Entry.Arrived(frame));
  }

  @Override
  public void ended(IOException why) {
    entries.add(new Entry.Ended(why));
  }

  /**
   * Takes the next frame, waiting for it.
   *
   * @throws WireException {@code TIMED_OUT} after {@code patience}, or what the peer gave as the
   *     stream's end
   * @throws IOException if the connection has ended
   */
  public Frame take(Duration patience) throws IOException {
    if (ended != null) {
      throw ended;
    }
    Entry entry;
    try {
      entry = entries.poll(patience.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new WireException(ErrorCode.CANCELLED, "interrupted while waiting for the peer");
    }
    if (entry == null) {
      throw new WireException(
          ErrorCode.TIMED_OUT, "nothing came for " + patience.toSeconds() + " seconds");
    }
    return open(entry);
  }

  /** Takes the next frame if it is there. */
  public @Nullable Frame poll() throws IOException {
    if (ended != null) {
      throw ended;
    }
    Entry entry = entries.poll();
    return entry == null ? null : open(entry);
  }

  private Frame open(Entry entry) throws IOException {
    return switch (entry) {
      case Entry.Arrived(Frame frame) -> frame;
      case Entry.Ended(IOException why) -> {
        ended = why;
        throw why;
      }
    };
  }
}
