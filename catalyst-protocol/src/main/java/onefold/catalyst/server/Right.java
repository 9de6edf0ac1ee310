package onefold.catalyst.server;

/** What a user may do in a store; each includes those before it. */
public enum Right {
  /** List and read. */
  READ,
  /** Write new items. */
  APPEND,
  /** Replace, delete, tag, lock and hold. */
  WRITE,
  /** Release what is held. */
  RELEASE
}
