package onefold.store.catalog;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;
import onefold.chunker.Fingerprint;
import onefold.chunker.ObjectRoot;
import onefold.store.CorruptDataException;
import onefold.store.Id;

/**
 * Takes little-endian fields from a range of an array. Every length is checked against its bound
 * and against what is left before anything is allocated for it. Not thread-safe.
 */
final class ByteReader {
  private final String what;
  private final byte[] bytes;
  private final int start;
  private final int end;
  private int position;

  /**
   * @param what names the bytes in errors
   */
  ByteReader(String what, byte[] bytes, int start, int end) {
    this.what = what;
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.position = start;
  }

  ByteReader(String what, byte[] bytes) {
    this(what, bytes, 0, bytes.length);
  }

  CorruptDataException corrupt(String expected, String found) {
    return new CorruptDataException(what, position - start, expected, found);
  }

  int left() {
    return end - position;
  }

  int position() {
    return position;
  }

  void skip(int count) throws CorruptDataException {
    need(count);
    position += count;
  }

  int peekU32() throws CorruptDataException {
    int value = u32();
    position -= 4;
    return value;
  }

  int u8() throws CorruptDataException {
    need(1);
    return bytes[position++] & 0xff;
  }

  int u16() throws CorruptDataException {
    need(2);
    return u8() | u8() << 8;
  }

  int u32() throws CorruptDataException {
    need(4);
    return u16() | u16() << 16;
  }

  /** A u32 that must lie between 0 and {@code max}. */
  int count(String field, int max) throws CorruptDataException {
    int value = u32();
    if (value < 0 || value > max) {
      throw corrupt(field + " of at most " + max, Integer.toUnsignedString(value));
    }
    return value;
  }

  long u64() throws CorruptDataException {
    need(8);
    return (u32() & 0xffffffffL) | (long) u32() << 32;
  }

  /** A u64 that must not be negative when taken as signed. */
  long positive(String field) throws CorruptDataException {
    long value = u64();
    if (value < 0) {
      throw corrupt(field + " of at most 2^63 - 1", Long.toUnsignedString(value));
    }
    return value;
  }

  long u64BigEndian() throws CorruptDataException {
    return Long.reverseBytes(u64());
  }

  Id id() throws CorruptDataException {
    return new Id(u64BigEndian(), u64BigEndian());
  }

  Fingerprint fingerprint() throws CorruptDataException {
    need(Fingerprint.BYTES);
    Fingerprint fingerprint = Fingerprint.of(bytes, position);
    position += Fingerprint.BYTES;
    return fingerprint;
  }

  ObjectRoot root() throws CorruptDataException {
    Fingerprint node = fingerprint();
    int level = u8();
    if (level > ObjectRoot.MAX_LEVEL) {
      throw corrupt("level of at most " + ObjectRoot.MAX_LEVEL, Integer.toString(level));
    }
    return new ObjectRoot(node, level, positive("object length"));
  }

  /** A varint of at most 28 bits. */
  int varint() throws CorruptDataException {
    int value = 0;
    for (int shift = 0; shift < 28; shift += 7) {
      int next = u8();
      value |= (next & 0x7f) << shift;
      if ((next & 0x80) == 0) {
        if (next == 0 && shift > 0) {
          throw corrupt("shortest form of a varint", "a last byte of 0");
        }
        return value;
      }
    }
    throw corrupt("varint of at most 4 bytes", "a longer one");
  }

  boolean bool(String field) throws CorruptDataException {
    int value = u8();
    if (value > 1) {
      throw corrupt(field + " 0 or 1", Integer.toString(value));
    }
    return value == 1;
  }

  byte[] bytes(String field, int maxBytes) throws CorruptDataException {
    return raw(count(field + " bytes", maxBytes));
  }

  byte[] raw(int count) throws CorruptDataException {
    need(count);
    byte[] taken = Arrays.copyOfRange(bytes, position, position + count);
    position += count;
    return taken;
  }

  byte[] rest() throws CorruptDataException {
    return raw(left());
  }

  String text(String field, int maxBytes) throws CorruptDataException {
    return utf8(field, bytes(field, maxBytes));
  }

  String utf8(String field, byte[] encoded) throws CorruptDataException {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(encoded)).toString();
    } catch (CharacterCodingException e) {
      CorruptDataException corrupt = corrupt(field + " in UTF-8", e.getMessage() + "");
      corrupt.initCause(e);
      throw corrupt;
    }
  }

  SortedMap<String, String> tags() throws CorruptDataException {
    int count = u16();
    if (count > CatalogCommand.MAX_TAGS) {
      throw corrupt("at most " + CatalogCommand.MAX_TAGS + " tags", Integer.toString(count));
    }
    TreeMap<String, String> tags = new TreeMap<>();
    for (int i = 0; i < count; i++) {
      String key = text("tag key", CatalogCommand.MAX_TAG_BYTES);
      if (!tags.isEmpty() && tags.lastKey().compareTo(key) >= 0) {
        throw corrupt("tags in order of key", key);
      }
      tags.put(key, text("tag value", CatalogCommand.MAX_TAG_BYTES));
    }
    return Collections.unmodifiableSortedMap(tags);
  }

  void end() throws CorruptDataException {
    if (position != end) {
      throw corrupt("the end", left() + " more bytes");
    }
  }

  private void need(int count) throws CorruptDataException {
    if (count < 0 || left() < count) {
      throw corrupt(count + " more bytes", left() + " bytes");
    }
  }
}
