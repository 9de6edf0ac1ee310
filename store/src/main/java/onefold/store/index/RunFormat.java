package onefold.store.index;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.zip.CRC32C;
import onefold.chunker.Fingerprint;
import onefold.store.CorruptDataException;

/**
 * The file of a sorted run, as docs/formats/index.md fixes it: header page, pages of entries,
 * container table, filter, footer.
 */
final class RunFormat {
  static final int PAGE_BYTES = 4096;

  /** Checksum, and room for the tag of an encrypted page. */
  static final int PAGE_HEADER_BYTES = 20;

  static final int FOOTER_BYTES = 72;
  static final int LOCATION_BYTES = Locations.BITS / 8;
  static final int NARROW_CONTAINER_BYTES = 3;
  static final int WIDE_CONTAINER_BYTES = 4;

  /** The deepest partition: its prefix is cut off from the fingerprint by whole bytes. */
  static final int MAX_PREFIX_BITS = 16;

  /** Entries of one run: ranks are 31 bits. */
  static final long MAX_ENTRIES = Integer.MAX_VALUE;

  private static final int VERSION = 1;
  private static final long EPOCH = 1;
  private static final long HEADER_MAGIC = 0x4e55_5244_4e49_464fL; // "OFINDRUN"
  private static final long FOOTER_MAGIC = 0x444e_4544_4e49_464fL; // "OFINDEND"
  private static final int HEADER_CRC_OFFSET = PAGE_BYTES - 4;

  static final VarHandle BIG_ENDIAN =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle SHORT =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);

  private RunFormat() {}

  /**
   * What the header says: how entries are packed.
   *
   * @param runId number of the run in its index; never reused
   * @param prefixBits how many first bits all fingerprints share
   * @param prefix those bits, at the top of the number
   * @param containerBytes width of the container column
   */
  record Layout(long runId, int prefixBits, long prefix, int containerBytes) {
    Layout {
      if (prefixBits < 0 || prefixBits > MAX_PREFIX_BITS) {
        throw new IllegalArgumentException("prefix of " + prefixBits + " bits");
      }
      if (prefixBits == 0 ? prefix != 0 : prefix << prefixBits != 0) {
        throw new IllegalArgumentException("prefix " + Long.toHexString(prefix));
      }
      if (containerBytes != NARROW_CONTAINER_BYTES && containerBytes != WIDE_CONTAINER_BYTES) {
        throw new IllegalArgumentException("container column of " + containerBytes + " bytes");
      }
    }

    /** Bytes of the prefix that entries leave out. */
    int droppedBytes() {
      return prefixBits >>> 3;
    }

    int fingerprintBytes() {
      return Fingerprint.BYTES - droppedBytes();
    }

    int entryBytes() {
      return fingerprintBytes() + containerBytes + LOCATION_BYTES;
    }

    int entriesPerPage() {
      return (PAGE_BYTES - PAGE_HEADER_BYTES) / entryBytes();
    }

    int maxContainerParts() {
      return 1 << (8 * containerBytes - 16);
    }

    /** The key of the run's filter: the fingerprint's 64 bits behind the prefix. */
    long filterKey(byte[] fingerprints, int offset) {
      return suffixKey((long) BIG_ENDIAN.get(fingerprints, offset + droppedBytes()));
    }

    /** The same from the first eight bytes that entries keep. */
    long suffixKey(long firstKept) {
      return firstKept << (prefixBits & 7);
    }
  }

  /**
   * What the footer says.
   *
   * @param entryCount entries of the run
   * @param containerParts entries of the container table
   * @param remainderBits of the filter
   * @param groups of the filter
   * @param tableCrc of the container table
   * @param filterCrc of the filter's bytes
   */
  record Footer(
      int entryCount,
      int containerParts,
      int remainderBits,
      int groups,
      int tableCrc,
      int filterCrc) {
    long filterBytes() {
      return RankFilter.bytesFor(groups, entryCount, remainderBits);
    }
  }

  static int pageCount(Layout layout, int entryCount) {
    int perPage = layout.entriesPerPage();
    return Math.toIntExact(((long) entryCount + perPage - 1) / perPage);
  }

  static long pageOffset(int page) {
    return (page + 1L) * PAGE_BYTES;
  }

  static long tableOffset(Layout layout, Footer footer) {
    return pageOffset(pageCount(layout, footer.entryCount));
  }

  static long filterOffset(Layout layout, Footer footer) {
    return tableOffset(layout, footer) + 8L * footer.containerParts;
  }

  static long fileBytes(Layout layout, Footer footer) {
    return filterOffset(layout, footer) + footer.filterBytes() + FOOTER_BYTES;
  }

  static byte[] encodeHeader(Layout layout) {
    byte[] page = new byte[PAGE_BYTES];
    LONG.set(page, 0, HEADER_MAGIC);
    INT.set(page, 8, VERSION);
    LONG.set(page, 24, EPOCH);
    LONG.set(page, 32, layout.runId);
    LONG.set(page, 40, layout.prefix);
    INT.set(page, 48, layout.prefixBits);
    INT.set(page, 52, layout.containerBytes);
    INT.set(page, HEADER_CRC_OFFSET, crc(page, 0, HEADER_CRC_OFFSET));
    return page;
  }

  /**
   * Reads a header.
   *
   * @throws CorruptDataException if it is damaged, or of another format or version
   */
  static Layout decodeHeader(String file, byte[] page) throws CorruptDataException {
    expect(file, 0, "magic", HEADER_MAGIC, (long) LONG.get(page, 0));
    expect(
        file,
        HEADER_CRC_OFFSET,
        "CRC of the header",
        crc(page, 0, HEADER_CRC_OFFSET),
        (int) INT.get(page, HEADER_CRC_OFFSET));
    expect(file, 8, "version", VERSION, (int) INT.get(page, 8));
    expect(file, 12, "flags", 0, (int) INT.get(page, 12));
    expect(file, 16, "flags", 0, (int) INT.get(page, 16));
    expect(file, 20, "key id", 0, (int) INT.get(page, 20));
    expect(file, 24, "epoch", EPOCH, (long) LONG.get(page, 24));
    try {
      return new Layout(
          (long) LONG.get(page, 32),
          (int) INT.get(page, 48),
          (long) LONG.get(page, 40),
          (int) INT.get(page, 52));
    } catch (IllegalArgumentException e) {
      throw new CorruptDataException(file, 32, "a layout of entries", String.valueOf(e));
    }
  }

  static byte[] encodeFooter(Layout layout, Footer footer) {
    byte[] bytes = new byte[FOOTER_BYTES];
    LONG.set(bytes, 0, layout.runId);
    INT.set(bytes, 8, footer.entryCount);
    INT.set(bytes, 12, pageCount(layout, footer.entryCount));
    INT.set(bytes, 16, footer.containerParts);
    INT.set(bytes, 20, footer.remainderBits);
    INT.set(bytes, 24, footer.groups);
    INT.set(bytes, 28, footer.tableCrc);
    LONG.set(bytes, 32, footer.filterBytes());
    INT.set(bytes, 40, footer.filterCrc);
    INT.set(bytes, 44, VERSION);
    LONG.set(bytes, 48, fileBytes(layout, footer));
    LONG.set(bytes, 56, FOOTER_MAGIC);
    INT.set(bytes, FOOTER_BYTES - 4, crc(bytes, 0, FOOTER_BYTES - 4));
    return bytes;
  }

  /**
   * Reads a footer; what it returns fits a file of {@code fileBytes}.
   *
   * @throws CorruptDataException if it is damaged or belongs to another file
   */
  static Footer decodeFooter(String file, Layout layout, byte[] bytes, long fileBytes)
      throws CorruptDataException {
    long at = fileBytes - FOOTER_BYTES;
    expect(file, at + 56, "magic of the footer", FOOTER_MAGIC, (long) LONG.get(bytes, 56));
    expect(
        file,
        at + FOOTER_BYTES - 4,
        "CRC of the footer",
        crc(bytes, 0, FOOTER_BYTES - 4),
        (int) INT.get(bytes, FOOTER_BYTES - 4));
    expect(file, at, "run", layout.runId, (long) LONG.get(bytes, 0));
    expect(file, at + 44, "version", VERSION, (int) INT.get(bytes, 44));
    int entryCount = (int) INT.get(bytes, 8);
    int parts = (int) INT.get(bytes, 16);
    int remainderBits = (int) INT.get(bytes, 20);
    int groups = (int) INT.get(bytes, 24);
    if (entryCount < 1
        || parts < 1
        || parts > layout.maxContainerParts()
        || groups < 1
        || remainderBits < RankFilter.MIN_REMAINDER_BITS
        || remainderBits > RankFilter.MAX_REMAINDER_BITS) {
      throw new CorruptDataException(
          file,
          at + 8,
          "counts of a run",
          "entries "
              + entryCount
              + ", parts "
              + parts
              + ", groups "
              + groups
              + ", remainder bits "
              + remainderBits);
    }
    var footer =
        new Footer(
            entryCount,
            parts,
            remainderBits,
            groups,
            (int) INT.get(bytes, 28),
            (int) INT.get(bytes, 40));
    expect(file, at + 12, "pages", pageCount(layout, entryCount), (int) INT.get(bytes, 12));
    expect(file, at + 32, "filter bytes", footer.filterBytes(), (long) LONG.get(bytes, 32));
    expect(file, at + 48, "file bytes", fileBytes, (long) LONG.get(bytes, 48));
    expect(file, at + 48, "file bytes", fileBytes(layout, footer), fileBytes);
    return footer;
  }

  static byte[] encodeTable(long[] parts) {
    byte[] bytes = new byte[8 * parts.length];
    for (int i = 0; i < parts.length; i++) {
      LONG.set(bytes, 8 * i, parts[i]);
    }
    return bytes;
  }

  static long[] decodeTable(String file, Layout layout, Footer footer, byte[] bytes)
      throws CorruptDataException {
    expect(
        file,
        tableOffset(layout, footer),
        "CRC of the container table",
        footer.tableCrc,
        crc(bytes, 0, bytes.length));
    long[] parts = new long[bytes.length / 8];
    for (int i = 0; i < parts.length; i++) {
      parts[i] = (long) LONG.get(bytes, 8 * i);
    }
    return parts;
  }

  /** Writes an entry; its fingerprint stands there already. */
  static void putEntry(Layout layout, byte[] page, int offset, int containerField, long location) {
    int at = offset + layout.fingerprintBytes();
    page[at] = (byte) containerField;
    page[at + 1] = (byte) (containerField >>> 8);
    page[at + 2] = (byte) (containerField >>> 16);
    if (layout.containerBytes == WIDE_CONTAINER_BYTES) {
      page[at + 3] = (byte) (containerField >>> 24);
    }
    at += layout.containerBytes;
    INT.set(page, at, (int) location);
    SHORT.set(page, at + 4, (short) (location >>> 32));
  }

  static int containerField(Layout layout, byte[] page, int offset) {
    int at = offset + layout.fingerprintBytes();
    int field = (page[at] & 0xff) | (page[at + 1] & 0xff) << 8 | (page[at + 2] & 0xff) << 16;
    return layout.containerBytes == WIDE_CONTAINER_BYTES
        ? field | (page[at + 3] & 0xff) << 24
        : field;
  }

  static long location(Layout layout, byte[] page, int offset) {
    int at = offset + layout.fingerprintBytes() + layout.containerBytes;
    return ((int) INT.get(page, at) & 0xffff_ffffL)
        | ((short) SHORT.get(page, at + 4) & 0xffffL) << 32;
  }

  /** Ends a page: zeros behind the entries, checksum. */
  static void sealPage(Layout layout, byte[] pages, int offset, int page, int entryCount) {
    int end = PAGE_HEADER_BYTES + entryCount * layout.entryBytes();
    Arrays.fill(pages, offset, offset + PAGE_HEADER_BYTES, (byte) 0);
    Arrays.fill(pages, offset + end, offset + PAGE_BYTES, (byte) 0);
    INT.set(pages, offset, pageCrc(layout.runId, page, pages, offset));
  }

  /**
   * Checks a page.
   *
   * @throws CorruptDataException if it is damaged, or another page
   */
  static void checkPage(String file, Layout layout, byte[] pages, int offset, int page)
      throws CorruptDataException {
    int crc = pageCrc(layout.runId, page, pages, offset);
    int found = (int) INT.get(pages, offset);
    if (crc != found) {
      expect(file, pageOffset(page), "CRC of page " + page, crc, found);
    }
  }

  private static int pageCrc(long runId, int page, byte[] pages, int offset) {
    var crc = new CRC32C();
    byte[] identity = new byte[12];
    LONG.set(identity, 0, runId);
    INT.set(identity, 8, page);
    crc.update(identity, 0, identity.length);
    crc.update(pages, offset + 4, PAGE_BYTES - 4);
    return (int) crc.getValue();
  }

  static int crc(byte[] bytes, int offset, int length) {
    var crc = new CRC32C();
    crc.update(bytes, offset, length);
    return (int) crc.getValue();
  }

  static int crc(MemorySegment bytes) {
    var crc = new CRC32C();
    crc.update(bytes.asByteBuffer());
    return (int) crc.getValue();
  }

  private static void expect(String file, long offset, String what, int expected, int found)
      throws CorruptDataException {
    expect(file, offset, what, Integer.toUnsignedLong(expected), Integer.toUnsignedLong(found));
  }

  private static void expect(String file, long offset, String what, long expected, long found)
      throws CorruptDataException {
    if (expected != found) {
      throw new CorruptDataException(
          file, offset, what + " " + Long.toHexString(expected), Long.toHexString(found));
    }
  }
}
