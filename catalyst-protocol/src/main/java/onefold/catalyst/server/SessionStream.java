package onefold.catalyst.server;

import java.io.IOException;
import java.time.Duration;
import onefold.catalyst.wire.Frame;
import onefold.catalyst.wire.FrameFormat;
import onefold.catalyst.wire.Message;
import onefold.catalyst.wire.QueueInbox;
import onefold.catalyst.wire.WireException;
import onefold.catalyst.wire.WireStream;

/**
 * A session's side of its stream: gives credit back as frames are worked off, a quarter of the
 * window at a time. The session's thread calls it.
 */
final class SessionStream implements AutoCloseable {
  private final WireStream stream;
  private final QueueInbox inbox;
  private final TransferBudget windows;
  private final int window;
  private final Duration patience;
  private int workedOffBytes;
  private int lastCost;

  /** Waits for a window, see {@link TransferBudget#take}. */
  SessionStream(WireStream stream, QueueInbox inbox, TransferBudget windows, ServerLimits limits)
      throws WireException {
    this.stream = stream;
    this.inbox = inbox;
    this.windows = windows;
    this.patience = limits.uploadPatience();
    this.window = windows.take(limits, stream::hasEnded);
    stream.grant(window);
  }

  WireStream wire() {
    return stream;
  }

  /** Takes the next message; the one before counts as worked off. */
  Message next() throws IOException {
    workedOffBytes += lastCost;
    lastCost = 0;
    if (workedOffBytes >= Math.min(window / 4, FrameFormat.UNSAID_CREDIT_BYTES)) {
      stream.grant(workedOffBytes);
      workedOffBytes = 0;
    }
    Frame frame = inbox.take(patience);
    lastCost = WireStream.cost(frame);
    return frame.message();
  }

  /**
   * Sends an answer. When the stream has ended nobody hears it; the session goes on with the frames
   * that had arrived, so that they need not be sent again.
   */
  void reply(Message message) throws IOException {
    try {
      stream.send(message);
    } catch (IOException e) {
      if (!stream.hasEnded()) {
        throw e;
      }
    }
  }

  @Override
  public void close() {
    windows.giveBack(window);
  }
}
