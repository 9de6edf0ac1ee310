package onefold.catalyst.client;

/** Who cuts, hashes and compresses an upload. */
public enum Bandwidth {
  /** The client; only what the appliance lacks crosses the line. */
  LOW,
  /** The appliance; all bytes cross the line. */
  HIGH,
  /**
   * HIGH if the item is expected to be no longer than {@value #SMALL_ITEM_BYTES} bytes (one round
   * trip instead of five), or if the line is measured to be faster than this machine's cores could
   * cut and hash (docs/protocol/catalyst.md, section 9) and does not end on this machine, or if the
   * store's domain compares bytes before it shares a chunk; else LOW.
   */
  AUTO;

  static final int SMALL_ITEM_BYTES = 64 << 10;
}
