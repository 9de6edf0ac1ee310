package onefold.nas;

/** What is durable when a write returns. */
public enum Stability {
  /** Nothing, until {@link OpenFile#commit}. */
  UNSTABLE,
  /** The bytes and what is needed to read them. */
  DATA,
  /** Bytes and attributes. */
  FILE
}
