package onefold.store.index;

import java.io.IOException;

/** Asked between the writes of a long piece of work: it may wait, or end the work. */
@FunctionalInterface
interface WriteGate {
  /**
   * Hears that so many bytes were written.
   *
   * @throws IOException if the work shall end
   */
  void wrote(int bytes) throws IOException;
}
