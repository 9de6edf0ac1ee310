package onefold.store.catalog;

import onefold.chunker.Fingerprint;
import onefold.store.CorruptDataException;
import onefold.store.Id;

/**
 * The catalog's pages as bytes, as docs/formats/catalog-page.md says: what others need to tell a
 * page from a recipe node and to find what it refers to.
 */
public final class CatalogPageFormat {
  /** No page is longer. */
  public static final int MAX_PAGE_BYTES = 16 << 10;

  /** No page is higher above the leaves: pages of two entries would hold 2^24 leaves. */
  public static final int MAX_LEVEL = 24;

  static final int HEAD_BYTES = 28;
  static final int MAGIC = 0x50434fc7; // The bytes c7 4f 43 50.
  static final int VERSION = 1;

  /**
   * Kind of a page that holds a part of a long value; the other kinds are those of {@link
   * CatalogKeys}.
   */
  static final int VALUE = 4;

  /** Longest value that lies in its leaf; longer ones lie in value pages. */
  static final int MAX_INLINE_BYTES = 5 << 10;

  /** How much of a long value lies in each of its value pages but the last. */
  static final int VALUE_PAGE_BYTES = 8 << 10;

  /** Longest value of all. */
  static final int MAX_VALUE_BYTES = 72 << 10;

  private CatalogPageFormat() {}

  /** Takes what a page refers to. All arrays are valid until the method returns. */
  public interface ReferenceVisitor {
    /**
     * Takes a page below this one.
     *
     * @param bytes holds its fingerprint, 32 bytes from {@code fingerprintOffset}
     */
    void page(byte[] bytes, int fingerprintOffset);

    /**
     * Takes the root of an object that the page names.
     *
     * @param domainId the domain in which the object lies
     * @param bytes holds the fingerprint of its root node, 32 bytes from {@code fingerprintOffset}
     * @param level level of the root node
     * @param lengthBytes length of the object
     */
    void object(Id domainId, byte[] bytes, int fingerprintOffset, int level, long lengthBytes);
  }

  /** Tells whether a node chunk is a page of a catalog and no node of a recipe. */
  public static boolean isPage(byte[] bytes, int offset, int lengthBytes) {
    return lengthBytes >= HEAD_BYTES
        && (bytes[offset] & 0xff) == 0xc7
        && bytes[offset + 1] == 'O'
        && bytes[offset + 2] == 'C'
        && bytes[offset + 3] == 'P';
  }

  /**
   * Returns how far a page is above the leaves of its tree.
   *
   * @throws CorruptDataException if the bytes are no page
   */
  public static int level(byte[] bytes, int offset, int lengthBytes) throws CorruptDataException {
    if (!isPage(bytes, offset, lengthBytes)) {
      throw new CorruptDataException("catalog page", 0, "head of a catalog page", "another");
    }
    return bytes[offset + 6];
  }

  /** Returns of which tree a page is. */
  static int kind(byte[] bytes, int offset) {
    return bytes[offset + 5];
  }

  /**
   * Visits everything that a page refers to: pages below it, the roots of the trees that it names,
   * and the roots of the objects that it names.
   *
   * @param lengthBytes length of the page, which starts at 0
   * @throws CorruptDataException if the bytes are no page
   */
  public static void visitReferences(byte[] bytes, int lengthBytes, ReferenceVisitor visitor)
      throws CorruptDataException {
    CatalogPage page = CatalogPage.decode("catalog page", bytes, lengthBytes);
    for (int i = 0; i < page.count(); i++) {
      int value = page.valueStart(i);
      if (page.level() > 0) {
        visitor.page(bytes, value);
      } else if (page.isExternal(i)) {
        for (int at = value + 4; at < page.valueEnd(i); at += Fingerprint.BYTES) {
          visitor.page(bytes, at);
        }
      } else {
        visitValue(page, i, visitor);
      }
    }
  }

  private static void visitValue(CatalogPage page, int index, ReferenceVisitor visitor)
      throws CorruptDataException {
    byte[] bytes = page.bytes();
    int value = page.valueStart(index);
    ByteReader in = new ByteReader("catalog page", bytes, value, page.valueEnd(index));
    switch (page.kind()) {
      case CatalogKeys.ROOTS -> {
        if (page.keyByte(index, 0) == CatalogKeys.TREE_ROOT) {
          PageTree.Root.read(in);
          visitor.page(bytes, value);
        }
      }
      case CatalogKeys.SYSTEM -> {
        if (page.keyByte(index, 0) == CatalogKeys.UPLOAD) {
          var root = in.root();
          visitor.object(in.id(), bytes, value, root.level(), root.lengthBytes());
        }
      }
      case CatalogKeys.ITEMS -> {
        var root = in.root();
        visitor.object(page.domainId(), bytes, value, root.level(), root.lengthBytes());
      }
      case CatalogKeys.TRASH -> {
        if (page.keyByte(index, 0) == CatalogKeys.DELETED) {
          var root = in.root();
          visitor.object(page.domainId(), bytes, value, root.level(), root.lengthBytes());
        }
      }
      case CatalogKeys.SHARE_ENTRIES -> {
        if ((in.u8() & ShareValues.HAS_OBJECT) != 0) {
          var root = in.root();
          if (ShareValues.refersToNode(root)) {
            visitor.object(page.domainId(), bytes, value + 1, root.level(), root.lengthBytes());
          }
        }
      }
      case CatalogKeys.LOOKUPS, CatalogKeys.SHARE_VALUES -> {}
      default -> throw in.corrupt("page with entries", "kind " + page.kind());
    }
  }
}
