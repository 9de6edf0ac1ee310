package onefold.catalyst.wire;

import org.jspecify.annotations.Nullable;

/** Every type of frame with its number; {@code docs/protocol/catalyst.md} gives the payloads. */
public enum FrameType {
  HELLO(0x01, Use.CONNECTION),
  WELCOME(0x02, Use.CONNECTION),
  AUTH_BEGIN(0x03, Use.CONNECTION),
  AUTH_CHALLENGE(0x04, Use.CONNECTION),
  AUTH_PROOF(0x05, Use.CONNECTION),
  AUTH_OUTCOME(0x06, Use.CONNECTION),
  PING(0x07, Use.CONNECTION),
  PONG(0x08, Use.CONNECTION),
  GOAWAY(0x09, Use.CONNECTION),
  CREDIT(0x10, Use.FREE),
  CANCEL(0x11, Use.FREE),
  ERROR(0x12, Use.FREE),
  LIST_STORES(0x20, Use.OPENING),
  FIND_ITEM(0x21, Use.OPENING),
  LIST_ITEMS(0x22, Use.OPENING),
  DELETE_ITEM(0x23, Use.OPENING),
  CLONE_ITEM(0x24, Use.OPENING),
  UPDATE_ITEM(0x25, Use.OPENING),
  LIST_UNFINISHED(0x26, Use.OPENING),
  ABORT_UPLOAD(0x27, Use.OPENING),
  STORE_STATISTICS(0x28, Use.OPENING),
  STORES(0x30, Use.FREE),
  ITEM(0x31, Use.FREE),
  ITEM_PAGE(0x32, Use.FREE),
  DONE(0x33, Use.FREE),
  UNFINISHED(0x34, Use.FREE),
  STATISTICS(0x35, Use.FREE),
  OPEN_UPLOAD(0x40, Use.OPENING),
  UPLOAD_OPENED(0x41, Use.FREE),
  HAVE(0x42, Use.CREDITED),
  HAVE_ANSWER(0x43, Use.FREE),
  NODE(0x44, Use.CREDITED),
  SETTLE(0x45, Use.CREDITED),
  NODE_ANSWER(0x46, Use.FREE),
  BLOCK(0x47, Use.CREDITED),
  CHECKPOINT(0x48, Use.CREDITED),
  CHECKPOINTED(0x49, Use.FREE),
  WRITE(0x4a, Use.CREDITED),
  CUT(0x4b, Use.CREDITED),
  HOLE(0x4c, Use.CREDITED),
  SPLICE(0x4d, Use.CREDITED),
  POSITION(0x4e, Use.FREE),
  COMMIT(0x4f, Use.CREDITED),
  COMMITTED(0x50, Use.FREE),
  LACKING(0x51, Use.FREE),
  ABORT(0x52, Use.CREDITED),
  OPEN_READ(0x60, Use.OPENING),
  READ_OPENED(0x61, Use.FREE),
  READ_RANGE(0x62, Use.CREDITED),
  READ_BLOCK(0x63, Use.CREDITED),
  READ_EXTENTS(0x64, Use.CREDITED),
  RANGE_END(0x65, Use.FREE),
  CLOSE_READ(0x66, Use.CREDITED);

  /** Where a type of frame may stand and whether it uses up credit. */
  enum Use {
    /** On stream 0. */
    CONNECTION,
    /** Opens a stream; free. */
    OPENING,
    /** On a stream, free. */
    FREE,
    /** On a stream, uses up credit. */
    CREDITED
  }

  private static final @Nullable FrameType[] BY_CODE = new @Nullable FrameType[128];

  static {
    for (FrameType type : values()) {
      BY_CODE[type.code] = type;
    }
  }

  private final int code;
  private final Use use;

  FrameType(int code, Use use) {
    this.code = code;
    this.use = use;
  }

  /** Returns the number on the wire. */
  public int code() {
    return code;
  }

  Use use() {
    return use;
  }

  /** Returns whether a frame of this type may be the first on its stream. */
  public boolean opensStream() {
    return use == Use.OPENING;
  }

  static @Nullable FrameType of(int code) {
    return code < 0 || code >= BY_CODE.length ? null : BY_CODE[code];
  }
}
