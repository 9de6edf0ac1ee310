package onefold.catalyst.wire;

/**
 * A frame as it came: its type, its stream and its bytes.
 *
 * @param type of frame
 * @param streamId the stream it belongs to
 * @param payload owned by whoever has the frame
 */
public record Frame(FrameType type, int streamId, byte[] payload) {
  /**
   * Reads what it says.
   *
   * @throws WireException if the payload is malformed
   */
  public Message message() throws WireException {
    return MessageFormat.decode(this);
  }
}
