package onefold.catalyst.wire;

/**
 * Why a peer refuses or gives up; the numbers stand on the wire. The first thirteen are those of
 * the store's face.
 */
public enum ErrorCode {
  /** No such store, item or upload. */
  NOT_FOUND(1),
  /** The name is taken. */
  EXISTS(2),
  /** The name breaks the rules for names. */
  INVALID_NAME(3),
  /** Understood, but nonsense. */
  INVALID_REQUEST(4),
  /** The item is locked or held. */
  LOCKED(5),
  /** The store's quota does not allow it. */
  QUOTA_EXCEEDED(6),
  /** What is to be deleted still holds something. */
  NOT_EMPTY(7),
  /** Too many unfinished uploads; the text lists them. */
  TOO_MANY_UNFINISHED(8),
  /** It changed meanwhile, or somebody else has it open. */
  CONFLICT(9),
  /** The appliance takes no writes now. */
  READ_ONLY(10),
  /** The appliance is going down. */
  SHUTTING_DOWN(11),
  /** The user lacks the right. */
  NOT_PERMITTED(12),
  /** The domain compares bytes before it shares a chunk: the upload must be in high bandwidth. */
  BYTES_NEEDED(13),
  /** There is no space for new data. */
  FULL(32),
  /** Stored bytes are wrong; never retried as it is. */
  CORRUPT_DATA(33),
  /** A malformed, unknown or out-of-order frame. */
  PROTOCOL_ERROR(48),
  /** A length beyond its bound. */
  TOO_LARGE(49),
  /** User or password wrong, or the channel binding does not fit. */
  AUTHENTICATION_FAILED(50),
  /** No version of the protocol is known to both. */
  VERSION_UNSUPPORTED(51),
  /** Too many connections or streams. */
  LIMIT_REACHED(52),
  /** A time-out. */
  TIMED_OUT(53),
  /** The other side called it off. */
  CANCELLED(54),
  /** The server's own fault. */
  INTERNAL(64);

  private final int code;

  ErrorCode(int code) {
    this.code = code;
  }

  /** Returns the number on the wire. */
  public int code() {
    return code;
  }

  /**
   * Returns the code with this number; {@link #INTERNAL} for one that this release does not know.
   */
  public static ErrorCode of(int code) {
    for (ErrorCode error : values()) {
      if (error.code == code) {
        return error;
      }
    }
    return INTERNAL;
  }
}
