package onefold.store.catalog;

import onefold.chunker.Fingerprint;
import onefold.store.CorruptDataException;

/**
 * Where the catalog stands on disk: everything up to a position of the journal is in the pages
 * below one page.
 *
 * @param page the root page of the tree of roots
 * @param level its level, 0 if it is a leaf
 * @param position of the last command that is in the pages, -1 if there is none; those after it are
 *     to be replayed
 * @param epoch highest epoch of a command in the pages
 * @param version commands done, a check on what is replayed
 */
public record CatalogRoot(Fingerprint page, int level, long position, long epoch, long version) {
  /** Bytes of a root in formats. */
  public static final int BYTES = Fingerprint.BYTES + 1 + 3 * Long.BYTES;

  /** Returns {@link #BYTES} bytes; whoever keeps them adds magic, version and checksum. */
  public byte[] toBytes() {
    return new ByteWriter(BYTES)
        .fingerprint(page)
        .u8(level)
        .u64(position)
        .u64(epoch)
        .u64(version)
        .toBytes();
  }

  /**
   * Reads {@link #BYTES} bytes from {@code offset}.
   *
   * @throws CorruptDataException if they are no root
   */
  public static CatalogRoot of(byte[] bytes, int offset) throws CorruptDataException {
    if (offset < 0 || bytes.length - offset < BYTES) {
      throw new CorruptDataException(
          "catalog root", offset, BYTES + " bytes", Math.max(0, bytes.length - offset) + " bytes");
    }
    ByteReader in = new ByteReader("catalog root", bytes, offset, offset + BYTES);
    Fingerprint page = in.fingerprint();
    int level = in.u8();
    if (level > CatalogPageFormat.MAX_LEVEL) {
      throw in.corrupt("level of at most " + CatalogPageFormat.MAX_LEVEL, Integer.toString(level));
    }
    long position = in.u64();
    if (position < -1) {
      throw in.corrupt("position from -1", Long.toString(position));
    }
    return new CatalogRoot(page, level, position, in.positive("epoch"), in.positive("version"));
  }
}
