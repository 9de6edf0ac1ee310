package onefold.block;

import java.io.IOException;

/** Thrown when bytes are not a whole, undamaged block of a version that this release reads. */
public final class BlockFormatException extends IOException {
  private static final long serialVersionUID = 1;

  /** What is the matter, so that a caller can tell the cases apart. */
  public enum Reason {
    /** The bytes do not begin with a block's magic. */
    NOT_A_BLOCK,
    /** A newer release wrote the block: its version, codec, kind or a flag is unknown. */
    NEWER,
    /** The bytes end before the block does. */
    TRUNCATED,
    /** A checksum or length is wrong, or the payload does not decompress to what it should. */
    DAMAGED
  }

  private final Reason reason;
  private final String what;
  private final String expected;
  private final String found;

  BlockFormatException(Reason reason, String what, Object expected, Object found) {
    super("block: " + what + ": expected " + expected + ", found " + found);
    this.reason = reason;
    this.what = what;
    this.expected = String.valueOf(expected);
    this.found = String.valueOf(found);
  }

  public Reason reason() {
    return reason;
  }

  /** Returns which part of the block is wrong. */
  public String what() {
    return what;
  }

  public String expected() {
    return expected;
  }

  public String found() {
    return found;
  }
}
