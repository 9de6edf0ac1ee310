package onefold.store.catalog;

import onefold.chunker.Fingerprint;
import onefold.store.CorruptDataException;
import org.jspecify.annotations.Nullable;

/**
 * The roots of a store's or a share's trees in the pages. Whoever has them has all that was in it,
 * for as long as the pages below them are kept.
 *
 * @param items root of a store's items or a share's entries, or null if there are none
 * @param lookups root of the look-ups of items, or of the long values of entries, or null
 */
public record StoreTrees(@Nullable Tree items, @Nullable Tree lookups) {
  /** Of what is empty. */
  public static final StoreTrees NONE = new StoreTrees(null, null);

  /**
   * A tree.
   *
   * @param page its root page
   * @param level of that, 0 if it is a leaf
   */
  public record Tree(Fingerprint page, int level) {
    byte[] encode() {
      return new PageTree.Root(page, level).encode();
    }
  }

  void write(ByteWriter out) {
    write(out, items);
    write(out, lookups);
  }

  private static void write(ByteWriter out, @Nullable Tree tree) {
    out.u8(tree == null ? 0 : 1);
    if (tree != null) {
      out.fingerprint(tree.page()).u8(tree.level());
    }
  }

  static StoreTrees read(ByteReader in) throws CorruptDataException {
    return new StoreTrees(readTree(in), readTree(in));
  }

  private static @Nullable Tree readTree(ByteReader in) throws CorruptDataException {
    if (!in.bool("tree")) {
      return null;
    }
    Fingerprint page = in.fingerprint();
    int level = in.u8();
    if (level > CatalogPageFormat.MAX_LEVEL) {
      throw in.corrupt("level of at most " + CatalogPageFormat.MAX_LEVEL, Integer.toString(level));
    }
    return new Tree(page, level);
  }
}
