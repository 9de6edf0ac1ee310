package onefold.nas;

/** What a creation does if the name is taken. */
public sealed interface CreateMode {
  AttributeChange attributes();

  /**
   * Takes a file that is there, and sets its size if the attributes have one (which needs the right
   * to write); all other attributes are for a new file only.
   */
  record Unchecked(AttributeChange attributes) implements CreateMode {}

  /** Refuses: {@link FileError#EXISTS}. */
  record Guarded(AttributeChange attributes) implements CreateMode {}

  /**
   * Takes a file that was made with the same verifier, else refuses; so that a repeated request is
   * answered like the first. The verifier is durable.
   */
  record Exclusive(long verifier, AttributeChange attributes) implements CreateMode {}
}
