package onefold.store.container;

import onefold.store.CorruptDataException;

/**
 * Something that is wrong with a container.
 *
 * @param what file, place, what was expected and what was found
 * @param block the block that is wrong, or -1 if it is something else, or the directory that says
 *     which blocks there are
 * @param chunksUnknown whether chunks are lost with it of which nothing says which they were
 * @param beforeSealing whether the container was sealed with it, because recovery had found it in
 *     what had been written before a crash
 */
public record Finding(
    CorruptDataException what, int block, boolean chunksUnknown, boolean beforeSealing) {
  /** Something that is wrong and costs no chunk. */
  static Finding of(CorruptDataException what) {
    return new Finding(what, -1, false, false);
  }

  /** Something with which chunks are lost that nothing names. */
  public static Finding withChunks(CorruptDataException what) {
    return new Finding(what, -1, true, false);
  }

  static Finding ofBlock(CorruptDataException what, BlockLocation location) {
    boolean before = location.rawBytes() == 0;
    return new Finding(what, location.block(), before, before);
  }
}
