package onefold.store.container;

/** Hears of containers that are finished. */
@FunctionalInterface
public interface SealListener {
  /** For whoever does not care. */
  SealListener NONE = (containerNumber, directory) -> {};

  /**
   * Hears that a container is sealed: all of it, its name included, is durable and will not change.
   * Called by the task that sealed it; for containers that recovery seals, before the opening
   * returns. Must not wait.
   *
   * @param directory what it holds
   */
  void sealed(long containerNumber, ContainerDirectory directory);
}
