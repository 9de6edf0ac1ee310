package onefold.appliance.tree;

import java.io.IOException;
import java.util.Arrays;

/** Writes and reads the index of an archive, entry by entry. */
public final class TreeIndex {
  private static final String TYPES = "-dlcbp";
  private static final byte[] NOTHING = new byte[0];

  private byte[] bytes = new byte[64 << 10];
  private int length;
  private long entryCount;
  private byte[] previousPath = new byte[0];

  TreeIndex() {}

  /** Told each entry of an archive in its order. */
  @FunctionalInterface
  public interface Visitor {
    /**
     * Takes one entry.
     *
     * @return whether to go on
     */
    boolean entry(IndexedEntry entry) throws IOException;
  }

  void add(TreeEntry entry, long memberBytes) {
    byte[] path = entry.path();
    int shared = Arrays.mismatch(previousPath, path);
    shared = shared < 0 ? Math.min(previousPath.length, path.length) : shared;
    ensure(128 + path.length + entry.linkTarget().length);
    varint(memberBytes);
    bytes[length++] = entry.hardLink() ? TreeIndexFormat.TYPE_HARD_LINK : typeCode(entry.type());
    varint(shared);
    append(path, shared);
    varint(entry.permissions());
    varint(Integer.toUnsignedLong(entry.userId()));
    varint(Integer.toUnsignedLong(entry.groupId()));
    varint((entry.modifiedSeconds() << 1) ^ (entry.modifiedSeconds() >> 63));
    varint(entry.sizeBytes());
    append(entry.linkTarget(), 0);
    previousPath = path;
    entryCount++;
  }

  /** Writes index and trailer behind an archive of {@code archiveBytes}. */
  void finish(TreeSink sink, long archiveBytes, long fileBytes) throws IOException {
    sink.cut();
    sink.write(bytes, 0, length);
    sink.cut();
    byte[] trailer =
        TreeIndexFormat.encode(
            new TreeIndexFormat.Trailer(
                archiveBytes,
                length,
                entryCount,
                fileBytes,
                TreeIndexFormat.checksum(bytes, 0, length)));
    sink.write(trailer, 0, trailer.length);
  }

  /**
   * Reads the index of a tree.
   *
   * @throws IOException if the item is no tree, or its index is damaged; says which and where
   */
  public static void read(TreeSource source, Visitor visitor) throws IOException {
    long itemBytes = source.lengthBytes();
    if (itemBytes < TreeIndexFormat.TRAILER_BYTES) {
      throw new IOException(
          "the item is no tree: it was not written by 'backup'; 'get' restores it as it is");
    }
    byte[] trailerBytes = new byte[TreeIndexFormat.TRAILER_BYTES];
    readFully(source, itemBytes - trailerBytes.length, trailerBytes);
    TreeIndexFormat.Trailer trailer = TreeIndexFormat.decode(trailerBytes, itemBytes);
    byte[] index = new byte[Math.toIntExact(trailer.indexBytes())];
    readFully(source, trailer.indexOffset(), index);
    int computed = TreeIndexFormat.checksum(index, 0, index.length);
    if (computed != trailer.indexChecksum()) {
      throw new IOException(
          "index of the tree: checksum "
              + trailer.indexChecksum()
              + " stored, "
              + computed
              + " computed");
    }
    new Reader(index).read(trailer.entryCount(), trailer.indexOffset(), visitor);
  }

  private static void readFully(TreeSource source, long position, byte[] target)
      throws IOException {
    int done = 0;
    while (done < target.length) {
      int read = source.read(position + done, target, done, target.length - done);
      if (read < 0) {
        throw new IOException(
            "the item ends at "
                + (position + done)
                + ", "
                + (target.length - done)
                + " bytes early");
      }
      done += read;
    }
  }

  private static byte typeCode(FileType type) {
    return switch (type) {
      case REGULAR -> 0;
      case DIRECTORY -> 1;
      case SYMBOLIC_LINK -> 2;
      case CHARACTER_DEVICE -> 3;
      case BLOCK_DEVICE -> 4;
      case FIFO -> 5;
      case SOCKET -> throw new IllegalArgumentException("a socket cannot be archived");
    };
  }

  private void append(byte[] source, int from) {
    varint(source.length - from);
    System.arraycopy(source, from, bytes, length, source.length - from);
    length += source.length - from;
  }

  private void varint(long value) {
    long rest = value;
    while ((rest & ~0x7fL) != 0) {
      bytes[length++] = (byte) (rest | 0x80);
      rest >>>= 7;
    }
    bytes[length++] = (byte) rest;
  }

  private void ensure(int more) {
    if (bytes.length - length < more) {
      bytes = Arrays.copyOf(bytes, Math.addExact(Math.max(bytes.length, more), bytes.length));
    }
  }

  private static final class Reader {
    private final byte[] index;
    private int at;

    Reader(byte[] index) {
      this.index = index;
    }

    void read(long entryCount, long archiveBytes, Visitor visitor) throws IOException {
      byte[] previous = new byte[0];
      long offset = 0;
      for (long i = 0; i < entryCount; i++) {
        long memberBytes = varint();
        int code = next();
        int shared = bounded(previous.length);
        byte[] path = joined(previous, shared);
        int permissions = (int) varint() & 07777;
        int userId = (int) varint();
        int groupId = (int) varint();
        long zigzag = varint();
        long sizeBytes = varint();
        byte[] link = joined(NOTHING, 0);
        boolean hardLink = code == TreeIndexFormat.TYPE_HARD_LINK;
        if (memberBytes < 0
            || memberBytes > archiveBytes - offset
            || (!hardLink && code >= TYPES.length())) {
          throw damaged();
        }
        IndexedEntry entry =
            new IndexedEntry(
                path,
                hardLink ? 'h' : TYPES.charAt(code),
                permissions,
                userId,
                groupId,
                (zigzag >>> 1) ^ -(zigzag & 1),
                sizeBytes,
                link,
                offset,
                memberBytes);
        if (!visitor.entry(entry)) {
          return;
        }
        offset += memberBytes;
        previous = path;
      }
    }

    private byte[] joined(byte[] previous, int shared) throws IOException {
      int suffix = bounded(index.length - at);
      byte[] joined = Arrays.copyOf(previous, shared + suffix);
      System.arraycopy(index, at, joined, shared, suffix);
      at += suffix;
      return joined;
    }

    private int bounded(int most) throws IOException {
      long value = varint();
      if (value < 0 || value > most) {
        throw damaged();
      }
      return (int) value;
    }

    private int next() throws IOException {
      if (at == index.length) {
        throw damaged();
      }
      return index[at++];
    }

    private long varint() throws IOException {
      long value = 0;
      for (int shift = 0; shift < 70; shift += 7) {
        int b = next();
        value |= (long) (b & 0x7f) << shift;
        if (b >= 0) {
          return value;
        }
      }
      throw damaged();
    }

    private IOException damaged() {
      return new IOException("index of the tree is malformed at byte " + at);
    }
  }
}
