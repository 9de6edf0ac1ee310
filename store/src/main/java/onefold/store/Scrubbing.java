package onefold.store;

import java.io.IOException;
import java.util.List;

/**
 * The scrub of one dedup domain: everything that is stored is read back and proven, again and
 * again; what is found damaged is listed, told apart by the items that need it, and repaired. Any
 * thread may call it.
 */
public interface Scrubbing {
  /** Where it stands. */
  ScrubStatus status() throws IOException;

  /** Begins a pass now; does nothing if one is under way. Returns at once. */
  void begin() throws IOException;

  /**
   * Runs a whole pass that begins after the call, with the repairs that follow from it, and waits
   * for its end.
   *
   * @throws IOException if it could not be finished
   */
  ScrubStatus run() throws IOException;

  /** Lets it rest, or go on where it was; lasts over a restart. */
  void pause(boolean paused) throws IOException;

  /**
   * What is damaged and not repaired yet, in the order in which it is to be repaired: what was put
   * first, then what locked or held items need, then what the newest item needs, then the rest.
   */
  List<Damage> damages() throws IOException;

  /**
   * Puts a damage before all others.
   *
   * @throws RefusedException {@code NOT_FOUND} if no damage of this container is listed
   */
  void repairFirst(long containerNumber) throws IOException;

  /** Finds out again which items need what is damaged, and tries every repair. Returns at once. */
  void repair() throws IOException;

  /** What is known of an item of this domain. */
  LastProven lastProven(ItemRecord item) throws IOException;

  /** Whether the domain keeps a parity for each container. */
  boolean keepsParity() throws IOException;

  /** Says whether it is to. Existing containers get theirs, or lose it, in the background. */
  void keepParity(boolean parity) throws IOException;
}
