package onefold.catalyst.client;

import java.io.IOException;
import java.time.Duration;
import java.util.function.Consumer;
import onefold.block.BlockCodec;
import onefold.catalyst.wire.Frame;
import onefold.catalyst.wire.Inbox;
import onefold.catalyst.wire.Message;
import onefold.catalyst.wire.QueueInbox;
import onefold.catalyst.wire.WireException;
import onefold.catalyst.wire.WireStream;

/**
 * A stream on which the server has opened an upload, or gone on with one.
 *
 * @param stream of the caller, who ends it
 * @param message what the server said of it
 */
record OpenedUpload(WireStream stream, Message.UploadOpened message) {
  /**
   * Opens an upload and waits for the answer.
   *
   * @param frames takes what comes behind the answer, on the event loop
   * @param ended told on the event loop that nothing more will come, and why
   * @throws IOException if it is refused, or not answered in time; then the stream is over
   */
  static OpenedUpload open(
      Connection connection,
      Message.OpenUpload request,
      Duration longest,
      Consumer<Frame> frames,
      Consumer<IOException> ended)
      throws IOException {
    var first = new QueueInbox();
    WireStream opening = connection.channel().open(request, new Redirect(first, frames, ended));
    try {
      Message answer = first.take(longest).message();
      if (!(answer instanceof Message.UploadOpened opened)) {
        throw WireException.malformed("OPEN_UPLOAD was answered by " + answer.type());
      }
      return new OpenedUpload(opening, opened);
    } catch (IOException | RuntimeException e) {
      opening.cancel();
      throw e;
    }
  }

  /** How the server wants blocks compressed. */
  BlockCodec codec() throws WireException {
    return switch (message.compression()) {
      case LZ4 -> BlockCodec.LZ4;
      case ZSTD -> BlockCodec.ZSTD;
      case NONE -> BlockCodec.NONE;
      case STORE_DEFAULT -> throw WireException.malformed("the server named no compression");
    };
  }

  /** Gives the first frame to whoever opens the stream, the others to whoever uses it. */
  private static final class Redirect implements Inbox {
    private final QueueInbox first;
    private final Consumer<Frame> frames;
    private final Consumer<IOException> ended;
    private boolean opened; // touched by the event loop only

    private Redirect(QueueInbox first, Consumer<Frame> frames, Consumer<IOException> ended) {
      this.first = first;
      this.frames = frames;
      this.ended = ended;
    }

    @Override
    public void frame(Frame frame) {
      if (opened) {
        frames.accept(frame);
      } else {
        opened = true;
        first.frame(frame);
      }
    }

    @Override
    public void ended(IOException why) {
      first.ended(why);
      ended.accept(why);
    }
  }
}
