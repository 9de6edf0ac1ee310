package onefold.store.container;

import java.io.IOException;

/** Decides how fast something is read that nobody waits for. */
@FunctionalInterface
public interface ReadPace {
  /** As fast as it goes. */
  ReadPace NONE = bytes -> {};

  /**
   * Called before so many bytes are read; returns when they may be.
   *
   * @throws IOException to end the reading
   */
  void before(long bytes) throws IOException;
}
