package onefold.store.index;

/** Hears that a part of the index is lost and must be built again from the containers. */
@FunctionalInterface
public interface IndexDamageListener {
  /**
   * Called once for each piece of damage, on a task of its own; no lock is held. Answer it, now or
   * later, with {@link ChunkIndex#beginRebuild}, publishing all containers, {@link
   * ChunkIndex#finishRebuild}.
   *
   * @param what file, position, expected and found
   */
  void indexDamaged(String what);
}
