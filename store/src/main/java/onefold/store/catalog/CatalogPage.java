package onefold.store.catalog;

import java.util.Arrays;
import java.util.List;
import onefold.chunker.Fingerprint;
import onefold.store.CorruptDataException;
import onefold.store.Id;

/** A page that has been checked, over its bytes. Immutable; nobody may change the bytes. */
final class CatalogPage {
  /**
   * An entry of a page to be written.
   *
   * @param key whole key within the tree
   * @param source array that holds the value
   * @param external whether the value is the list of the value pages that hold it
   */
  record Entry(byte[] key, byte[] source, int offset, int length, boolean external) {
    Entry(byte[] key, byte[] value) {
      this(key, value, 0, value.length, false);
    }

    /**
     * Most bytes that the entry takes when {@code prefix} bytes of its key stand in the page's
     * prefix.
     */
    int bytes(int prefix) {
      return 2 + key.length - prefix + 2 + length;
    }

    Entry withKey(byte[] other) {
      return new Entry(other, source, offset, length, external);
    }
  }

  private final byte[] bytes;
  private final int length;
  private final int kind;
  private final int level;
  private final int prefixBytes;
  private final Id domainId;
  private final int[] suffixStart;
  private final int[] suffixEnd;
  private final int[] valueStart;

  private CatalogPage(
      byte[] bytes, int length, int kind, int level, int prefixBytes, Id domainId, int count) {
    this.bytes = bytes;
    this.length = length;
    this.kind = kind;
    this.level = level;
    this.prefixBytes = prefixBytes;
    this.domainId = domainId;
    this.suffixStart = new int[count];
    this.suffixEnd = new int[count];
    this.valueStart = new int[count];
  }

  /**
   * Checks a page.
   *
   * @param what names it in errors
   * @param bytes kept; the page starts at 0
   */
  static CatalogPage decode(String what, byte[] bytes, int length) throws CorruptDataException {
    if (length < CatalogPageFormat.HEAD_BYTES
        || length > Math.min(bytes.length, CatalogPageFormat.MAX_PAGE_BYTES)) {
      throw new CorruptDataException(
          what,
          0,
          CatalogPageFormat.HEAD_BYTES + " to " + CatalogPageFormat.MAX_PAGE_BYTES + " bytes",
          length + " bytes");
    }
    ByteReader in = new ByteReader(what, bytes, 0, length);
    int magic = in.u32();
    if (magic != CatalogPageFormat.MAGIC) {
      throw in.corrupt("head of a catalog page", Integer.toHexString(magic));
    }
    int version = in.u8();
    if (version != CatalogPageFormat.VERSION) {
      throw in.corrupt(
          "version " + CatalogPageFormat.VERSION + " of a catalog page", Integer.toString(version));
    }
    int kind = in.u8();
    if (kind < CatalogKeys.ROOTS || kind > CatalogKeys.SHARE_VALUES) {
      throw in.corrupt("kind 1 to 8", Integer.toString(kind));
    }
    int level = in.u8();
    int flags = in.u8();
    int count = in.u16();
    int prefixBytes = in.u16();
    Id domainId = in.id();
    if (flags != 0) {
      throw in.corrupt("flags 0", Integer.toString(flags));
    }
    if (!CatalogKeys.holdsObjects(kind) && !domainId.equals(CatalogCommand.NO_ID)) {
      throw in.corrupt("no domain in a page of kind " + kind, domainId.toString());
    }
    if (kind == CatalogPageFormat.VALUE) {
      if (level != 0 || count != 0 || prefixBytes != 0 || in.left() == 0) {
        throw in.corrupt(
            "value page", "level " + level + ", " + count + " entries, " + in.left() + " bytes");
      }
    } else if (level > CatalogPageFormat.MAX_LEVEL
        || count == 0
        || count > in.left() / 2
        || prefixBytes > Math.min(in.left(), CatalogKeys.MAX_KEY_BYTES)) {
      throw in.corrupt(
          "page",
          "level " + level + ", " + count + " entries, prefix of " + prefixBytes + " bytes");
    }
    CatalogPage page = new CatalogPage(bytes, length, kind, level, prefixBytes, domainId, count);
    if (count > 0) {
      page.readEntries(in);
    }
    return page;
  }

  private void readEntries(ByteReader in) throws CorruptDataException {
    in.skip(prefixBytes);
    for (int i = 0; i < count(); i++) {
      int suffixBytes = in.varint();
      if (suffixBytes > CatalogKeys.MAX_KEY_BYTES - prefixBytes) {
        throw in.corrupt(
            "key of at most " + CatalogKeys.MAX_KEY_BYTES, (prefixBytes + (long) suffixBytes) + "");
      }
      if (level == 0 && prefixBytes + suffixBytes == 0) {
        throw in.corrupt("key", "an empty one in a leaf");
      }
      suffixStart[i] = in.position();
      in.skip(suffixBytes);
      suffixEnd[i] = in.position();
      if (i > 0
          && Arrays.compareUnsigned(
                  bytes, suffixStart[i - 1], suffixEnd[i - 1], bytes, suffixStart[i], suffixEnd[i])
              >= 0) {
        throw in.corrupt("keys in ascending order", "entry " + i + " out of order");
      }
      int valueBytes = Fingerprint.BYTES;
      if (level == 0) {
        int head = in.varint();
        valueBytes = head >>> 1;
        if ((head & 1) != 0) {
          checkExternal(in, valueBytes);
        } else if (valueBytes > CatalogPageFormat.MAX_INLINE_BYTES) {
          throw in.corrupt(
              "value of at most " + CatalogPageFormat.MAX_INLINE_BYTES, valueBytes + "");
        }
      }
      valueStart[i] = in.position();
      in.skip(valueBytes);
    }
    in.end();
  }

  private void checkExternal(ByteReader in, int valueBytes) throws CorruptDataException {
    if (CatalogKeys.holdsObjects(kind)) {
      throw in.corrupt("value in a page of items", "a list of value pages");
    }
    int total = valueBytes < 4 ? 0 : in.peekU32();
    int pages = (valueBytes - 4) / Fingerprint.BYTES;
    if (total <= CatalogPageFormat.MAX_INLINE_BYTES
        || total > CatalogPageFormat.MAX_VALUE_BYTES
        || valueBytes != 4 + pages * Fingerprint.BYTES
        || pages != Math.ceilDiv(total, CatalogPageFormat.VALUE_PAGE_BYTES)) {
      throw in.corrupt(
          "list of value pages", "one of " + valueBytes + " bytes for a value of " + total);
    }
  }

  /** Returns the bytes of a page with these entries, in ascending order of key and at least one. */
  static byte[] encode(int kind, int level, Id domainId, List<Entry> entries) {
    byte[] first = entries.getFirst().key;
    int prefix = commonPrefix(first, entries.getLast().key);
    ByteWriter out = new ByteWriter(CatalogPageFormat.VALUE_PAGE_BYTES + 1024);
    writeHead(out, kind, level, entries.size(), prefix, domainId);
    out.raw(first, 0, prefix);
    for (Entry entry : entries) {
      out.varint(entry.key.length - prefix).raw(entry.key, prefix, entry.key.length - prefix);
      if (level == 0) {
        out.varint(entry.length << 1 | (entry.external ? 1 : 0));
      }
      out.raw(entry.source, entry.offset, entry.length);
    }
    if (out.length() > CatalogPageFormat.MAX_PAGE_BYTES) {
      throw new IllegalStateException(
          "catalog page of " + out.length() + " bytes with " + entries.size() + " entries");
    }
    return out.toBytes();
  }

  static byte[] encodeValue(byte[] value, int offset, int count) {
    ByteWriter out = new ByteWriter(CatalogPageFormat.HEAD_BYTES + count);
    writeHead(out, CatalogPageFormat.VALUE, 0, 0, 0, CatalogCommand.NO_ID);
    return out.raw(value, offset, count).toBytes();
  }

  private static void writeHead(
      ByteWriter out, int kind, int level, int count, int prefix, Id domainId) {
    out.u32(CatalogPageFormat.MAGIC)
        .u8(CatalogPageFormat.VERSION)
        .u8(kind)
        .u8(level)
        .u8(0)
        .u16(count)
        .u16(prefix)
        .id(domainId);
  }

  static int commonPrefix(byte[] a, byte[] b) {
    int different = Arrays.mismatch(a, b);
    return different < 0 ? a.length : different;
  }

  byte[] bytes() {
    return bytes;
  }

  int length() {
    return length;
  }

  int kind() {
    return kind;
  }

  int level() {
    return level;
  }

  Id domainId() {
    return domainId;
  }

  int count() {
    return suffixStart.length;
  }

  byte[] key(int index) {
    int suffix = suffixEnd[index] - suffixStart[index];
    byte[] key =
        Arrays.copyOfRange(
            bytes,
            CatalogPageFormat.HEAD_BYTES,
            CatalogPageFormat.HEAD_BYTES + prefixBytes + suffix);
    System.arraycopy(bytes, suffixStart[index], key, prefixBytes, suffix);
    return key;
  }

  /** Returns one byte of a key without making the key. */
  int keyByte(int index, int at) {
    return at < prefixBytes
        ? bytes[CatalogPageFormat.HEAD_BYTES + at]
        : bytes[suffixStart[index] + at - prefixBytes];
  }

  int valueStart(int index) {
    return valueStart[index];
  }

  int valueEnd(int index) {
    if (level > 0) {
      return valueStart[index] + Fingerprint.BYTES;
    }
    return index + 1 < count() ? startOfSuffixLength(index + 1) : length;
  }

  /** The length before a suffix is a varint in its shortest form. */
  private int startOfSuffixLength(int index) {
    int suffix = suffixEnd[index] - suffixStart[index];
    return suffixStart[index] - (suffix < 1 << 7 ? 1 : 2);
  }

  /** Tells whether a leaf's entry lists the value pages that hold its value. */
  boolean isExternal(int index) {
    return (bytes[suffixEnd[index]] & 1) != 0;
  }

  Fingerprint child(int index) {
    return Fingerprint.of(bytes, valueStart[index]);
  }

  Entry entry(int index) {
    int start = valueStart[index];
    return new Entry(
        key(index), bytes, start, valueEnd(index) - start, level == 0 && isExternal(index));
  }

  /** Returns the index of the last key that is not above {@code key}, or -1. */
  int floor(byte[] key) {
    int low = 0;
    int high = count() - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      if (compareKey(middle, key) <= 0) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return high;
  }

  int compareKey(int index, byte[] key) {
    int start = CatalogPageFormat.HEAD_BYTES;
    int compared = Math.min(prefixBytes, key.length);
    int order = Arrays.compareUnsigned(bytes, start, start + prefixBytes, key, 0, compared);
    return order != 0
        ? order
        : Arrays.compareUnsigned(
            bytes, suffixStart[index], suffixEnd[index], key, prefixBytes, key.length);
  }
}
