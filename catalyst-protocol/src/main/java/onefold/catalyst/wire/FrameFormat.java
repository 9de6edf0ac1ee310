package onefold.catalyst.wire;

/** The twelve bytes before every payload, and the bounds of frames. */
public final class FrameFormat {
  /** Bytes of a frame's header. */
  public static final int HEADER_BYTES = 12;

  /** Longest payload after the login: a raw block of 1 MiB with its header, and slack. */
  public static final int MAX_PAYLOAD_BYTES = (1 << 20) + (64 << 10);

  /** Longest payload before the login is done. */
  public static final int MAX_LOGIN_PAYLOAD_BYTES = 16 << 10;

  /** Longest payload of a frame that opens a stream. */
  public static final int MAX_OPENING_PAYLOAD_BYTES = 128 << 10;

  /** Most padding of a PING. */
  public static final int MAX_PADDING_BYTES = 64 << 10;

  /** What a frame costs of credit besides its payload, so that empty frames are not free. */
  public static final int CREDIT_PER_FRAME_BYTES = 64;

  /** Bytes that a receiver may have worked off before it gives the credit back. */
  public static final int UNSAID_CREDIT_BYTES = 256 << 10;

  /** The number of the stream that stands for the connection itself. */
  public static final int CONNECTION_STREAM = 0;

  /** The only version of the protocol this release speaks. */
  public static final int VERSION = 1;

  /** First bytes of a HELLO, "OFC1" in order of bytes. */
  static final int HELLO_MAGIC = 0x3143464f;

  static final int LENGTH_OFFSET = 0;
  static final int STREAM_OFFSET = 4;
  static final int TYPE_OFFSET = 8;
  static final int FLAGS_OFFSET = 9;
  static final int ZERO_OFFSET = 10;

  private FrameFormat() {}
}
