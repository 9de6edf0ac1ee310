package onefold.nas.nfs;

/** Bounds that all versions share. */
final class NfsLimits {
  /** Most bytes of one read or write: what clients ask for at most. */
  static final int MAX_TRANSFER_BYTES = 1 << 20;

  /** Longest reply: a read, or a page of a directory, with room for what else is in a compound. */
  static final int MAX_REPLY_BYTES = MAX_TRANSFER_BYTES + (64 << 10);

  /** Longest name on the wire; what is longer than a name may be is told so by the file layer. */
  static final int MAX_NAME_BYTES = 4096;

  /** Longest target of a symbolic link on the wire. */
  static final int MAX_TARGET_BYTES = 8192;

  /** Longest handle on the wire (NFSv4; NFSv3 has 64). */
  static final int MAX_HANDLE_BYTES = 128;

  private NfsLimits() {}
}
