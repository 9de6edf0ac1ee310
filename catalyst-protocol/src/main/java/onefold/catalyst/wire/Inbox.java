package onefold.catalyst.wire;

import java.io.IOException;

/** Where a stream's frames go. Called on the event loop; must not block. */
public interface Inbox {
  /** Takes a frame. */
  void frame(Frame frame);

  /** Nothing follows: the stream or its connection has ended. Called once. */
  void ended(IOException why);
}
