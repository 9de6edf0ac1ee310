package onefold.store.container;

import java.util.Map;
import onefold.chunker.ChunkKind;

/** How far the containers of a domain have been acknowledged, as the journal says. */
public interface DurableEnds {
  /** The containers that are named with an end: there must be a file of each that holds a block. */
  default Map<Long, ChunkKind> named() {
    return Map.of();
  }

  /** For a domain in which nothing has been acknowledged. */
  DurableEnds NONE =
      new DurableEnds() {
        @Override
        public long endBytes(long containerNumber) {
          return 0;
        }

        @Override
        public long nextContainerNumber() {
          return 1;
        }
      };

  /**
   * How many bytes of a container's file count. Asked only for containers that are not sealed.
   *
   * @return 0 if nobody refers to the container: its file is deleted; {@code Long.MAX_VALUE} if
   *     everything that can be read counts; else everything before is kept, and what is damaged
   *     before is damage, and everything behind is dropped
   */
  long endBytes(long containerNumber);

  /** A number, from 1, that no container referred to anywhere has reached. */
  long nextContainerNumber();
}
