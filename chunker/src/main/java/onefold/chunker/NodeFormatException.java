package onefold.chunker;

/** Thrown when bytes are not a well-formed recipe node; the message says where and why. */
public final class NodeFormatException extends IllegalArgumentException {
  private static final long serialVersionUID = 1;

  /** Makes an exception whose message names the place in the node, what is expected, and found. */
  public NodeFormatException(String message) {
    super(message);
  }
}
