package onefold.appliance.tree;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * The index of an archive and the trailer that finds it; see docs/formats/backup-tree.md. The index
 * holds lengths, not positions, so that a file inserted in front leaves the bytes for all later
 * ones as they were, and they deduplicate.
 */
final class TreeIndexFormat {
  static final int TRAILER_BYTES = 512;
  static final int VERSION = 1;
  static final byte TYPE_HARD_LINK = 8;

  /** Largest index that is read into memory: about ten million files. */
  static final long MAX_INDEX_BYTES = 1L << 30;

  private static final byte[] MAGIC = "ONEFTREE".getBytes(StandardCharsets.US_ASCII);

  private TreeIndexFormat() {}

  /**
   * What the trailer says.
   *
   * @param indexOffset where the index begins
   * @param indexBytes its length
   * @param entryCount members
   * @param fileBytes bytes of all regular files
   * @param indexChecksum CRC32C of the index
   */
  record Trailer(
      long indexOffset, long indexBytes, long entryCount, long fileBytes, int indexChecksum) {}

  static byte[] encode(Trailer trailer) {
    ByteBuffer out = ByteBuffer.allocate(TRAILER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    out.put(MAGIC).putInt(VERSION).putInt(0).putInt(0).putInt(trailer.indexChecksum());
    out.putLong(trailer.indexOffset()).putLong(trailer.indexBytes());
    out.putLong(trailer.entryCount()).putLong(trailer.fileBytes());
    out.putInt(TRAILER_BYTES - 4, checksum(out.array(), 0, TRAILER_BYTES - 4));
    return out.array();
  }

  /**
   * Reads a trailer.
   *
   * @param itemBytes length of the whole item
   * @throws IOException if the bytes are no trailer: the item was not written by {@code backup}, is
   *     damaged, or newer
   */
  static Trailer decode(byte[] bytes, long itemBytes) throws IOException {
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    if (!Arrays.equals(bytes, 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
      throw new IOException(
          "the item is no tree: it was not written by 'backup'; 'get' restores it as it is");
    }
    int stored = in.getInt(TRAILER_BYTES - 4);
    int computed = checksum(bytes, 0, TRAILER_BYTES - 4);
    if (stored != computed) {
      throw new IOException(
          "trailer of the tree: checksum " + stored + " stored, " + computed + " computed");
    }
    if (in.getInt(8) != VERSION || in.getInt(12) != 0) {
      throw new IOException("tree of format " + in.getInt(8) + ", this release reads " + VERSION);
    }
    Trailer trailer =
        new Trailer(in.getLong(24), in.getLong(32), in.getLong(40), in.getLong(48), in.getInt(20));
    boolean sane =
        trailer.indexBytes() >= 0
            && trailer.indexBytes() <= MAX_INDEX_BYTES
            && trailer.indexOffset() >= 0
            && trailer.indexOffset() == itemBytes - TRAILER_BYTES - trailer.indexBytes();
    if (!sane) {
      throw new IOException(
          "trailer of the tree: index at "
              + trailer.indexOffset()
              + "+"
              + trailer.indexBytes()
              + " of "
              + itemBytes);
    }
    return trailer;
  }

  static int checksum(byte[] bytes, int offset, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, offset, length);
    return (int) crc.getValue();
  }
}
