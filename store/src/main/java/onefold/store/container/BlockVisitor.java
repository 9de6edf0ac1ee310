package onefold.store.container;

import java.io.IOException;
import onefold.store.CorruptDataException;

/** Takes the blocks of a container in order. */
public interface BlockVisitor {
  /**
   * Takes one block.
   *
   * @param block decompressed; the visitor's own
   * @param directory of the container, for the fingerprints of the block's slots
   */
  void block(DecodedBlock block, ContainerDirectory directory) throws IOException;

  /**
   * Hears of a block that cannot be read; the scan goes on behind it.
   *
   * @param location of the block
   * @param directory of the container: which chunks are damaged
   */
  void damaged(BlockLocation location, ContainerDirectory directory, CorruptDataException why)
      throws IOException;
}
