package onefold.replication;

import onefold.store.Id;

/**
 * A store of this appliance that is kept in a store of a peer too.
 *
 * @param id random, never reused; stands in the copies, so that they are known as this mapping's
 * @param name unique on this appliance; checked as the name of a store
 * @param store here
 * @param peer where to
 * @param peerStore there
 * @param trigger when it syncs by itself
 * @param deletions whether a copy is deleted when its item is gone here; else it stays
 * @param copies whether items that are copies themselves go on, for chains and the way back
 * @param bytesPerSecond most bytes a second to the peer, 0 for no limit
 * @param paused whether it rests
 */
public record Mapping(
    Id id,
    String name,
    String store,
    Peer peer,
    String peerStore,
    Trigger trigger,
    boolean deletions,
    boolean copies,
    long bytesPerSecond,
    boolean paused) {
  /** Least limit of the bandwidth: below it a single block would take minutes. */
  public static final long LEAST_BYTES_PER_SECOND = 8 << 10;

  public Mapping {
    if (bytesPerSecond != 0 && bytesPerSecond < LEAST_BYTES_PER_SECOND) {
      throw new IllegalArgumentException(
          "a bandwidth of "
              + bytesPerSecond
              + " bytes a second, at least "
              + LEAST_BYTES_PER_SECOND
              + ", or 0 for no limit");
    }
  }

  /** Returns the mapping at rest, or not. */
  public Mapping withPaused(boolean value) {
    return new Mapping(
        id, name, store, peer, peerStore, trigger, deletions, copies, bytesPerSecond, value);
  }

  /** Returns the mapping with another limit. */
  public Mapping withBytesPerSecond(long value) {
    return new Mapping(id, name, store, peer, peerStore, trigger, deletions, copies, value, paused);
  }
}
