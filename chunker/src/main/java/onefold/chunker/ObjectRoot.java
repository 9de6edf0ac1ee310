package onefold.chunker;

/**
 * The root of a recipe. Equal roots mean equal content.
 *
 * @param node fingerprint of the root node, a chunk of kind {@link ChunkKind#NODE}
 * @param level 0 if the root node is a leaf (its entries are chunks, slices and holes), else the
 *     number of levels below
 * @param lengthBytes length of the object
 */
public record ObjectRoot(Fingerprint node, int level, long lengthBytes) {
  /**
   * A tree of more levels is nonsense: 16 levels of the smallest nodes hold more than 2^63 bytes.
   */
  public static final int MAX_LEVEL = 15;

  public ObjectRoot {
    if (level < 0 || level > MAX_LEVEL) {
      throw new IllegalArgumentException("level " + level);
    }
    if (lengthBytes < 0) {
      throw new IllegalArgumentException("lengthBytes " + lengthBytes);
    }
  }
}
