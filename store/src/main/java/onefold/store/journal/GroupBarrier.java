package onefold.store.journal;

import java.io.IOException;
import java.util.Set;

/** What must be durable before a group of records may name it. */
@FunctionalInterface
public interface GroupBarrier {
  /** For journals whose records name nothing outside. */
  GroupBarrier NONE = keys -> {};

  /**
   * Makes everything behind the keys durable, in parallel where it can. Called by the journal's
   * writer, once a group, before it takes the payloads of the group; not called when no record asks
   * for anything.
   *
   * @param keys what the group's records asked for, by {@link Journal#append(int,
   *     java.util.function.Supplier, Set)}; for the store these are container numbers
   * @throws IOException if it fails; every record of the group that asked for something fails with
   *     it
   */
  void force(Set<Long> keys) throws IOException;
}
