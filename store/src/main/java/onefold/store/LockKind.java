package onefold.store;

/** How firm a lock is. A held item is another matter: it stays until it is released. */
public enum LockKind {
  /** May be shortened by who has a special right, and the reason is kept. */
  GOVERNANCE,
  /** Nobody, ever, can shorten it or turn it into the other kind. */
  COMPLIANCE
}
