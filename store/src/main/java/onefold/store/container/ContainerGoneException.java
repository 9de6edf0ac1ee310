package onefold.store.container;

import java.io.IOException;

/**
 * There is no container of this number: it has been deleted, and its live chunks are elsewhere.
 * Look the chunk up again; never an answer to somebody outside.
 */
public final class ContainerGoneException extends IOException {
  private static final long serialVersionUID = 1L;

  private final long containerNumber;

  /** Takes the number that was asked for. */
  public ContainerGoneException(long containerNumber) {
    super("there is no container " + containerNumber);
    this.containerNumber = containerNumber;
  }

  /** The number that was asked for. */
  public long containerNumber() {
    return containerNumber;
  }
}
