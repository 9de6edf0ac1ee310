package onefold.store.catalog;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.SortedMap;
import onefold.chunker.Fingerprint;
import onefold.chunker.ObjectRoot;
import onefold.store.Id;

/** Appends little-endian fields to an array that grows. Not thread-safe. */
final class ByteWriter {
  private byte[] bytes;
  private int length;

  ByteWriter(int capacity) {
    bytes = new byte[capacity];
  }

  /**
   * Returns the UTF-8 form of a text.
   *
   * @throws IllegalArgumentException if it holds half a surrogate pair
   */
  static byte[] utf8(String text) {
    try {
      ByteBuffer encoded =
          StandardCharsets.UTF_8
              .newEncoder()
              .onMalformedInput(CodingErrorAction.REPORT)
              .onUnmappableCharacter(CodingErrorAction.REPORT)
              .encode(CharBuffer.wrap(text));
      return Arrays.copyOfRange(
          encoded.array(), encoded.arrayOffset(), encoded.arrayOffset() + encoded.limit());
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException("text is not valid Unicode: " + e.getMessage(), e);
    }
  }

  ByteWriter u8(int value) {
    ensure(1);
    bytes[length++] = (byte) value;
    return this;
  }

  ByteWriter u16(int value) {
    return u8(value).u8(value >>> 8);
  }

  ByteWriter u32(int value) {
    return u16(value).u16(value >>> 16);
  }

  ByteWriter u64(long value) {
    return u32((int) value).u32((int) (value >>> 32));
  }

  /** Big-endian, for keys whose order of bytes must be the order of numbers. */
  ByteWriter u64BigEndian(long value) {
    return u64(Long.reverseBytes(value));
  }

  /** As in an {@link Id}'s text: 16 bytes, big-endian. */
  ByteWriter id(Id id) {
    return u64BigEndian(id.high()).u64BigEndian(id.low());
  }

  ByteWriter fingerprint(Fingerprint fingerprint) {
    ensure(Fingerprint.BYTES);
    fingerprint.writeTo(bytes, length);
    length += Fingerprint.BYTES;
    return this;
  }

  ByteWriter root(ObjectRoot root) {
    return fingerprint(root.node()).u8(root.level()).u64(root.lengthBytes());
  }

  /** Seven bits a byte, low ones first, the high bit says that more follow. */
  ByteWriter varint(int value) {
    int rest = value;
    while ((rest & ~0x7f) != 0) {
      u8((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    return u8(rest);
  }

  ByteWriter raw(byte[] source) {
    return raw(source, 0, source.length);
  }

  ByteWriter raw(byte[] source, int offset, int count) {
    ensure(count);
    System.arraycopy(source, offset, bytes, length, count);
    length += count;
    return this;
  }

  /** A length as u32, then the bytes. */
  ByteWriter bytes(byte[] source) {
    return u32(source.length).raw(source);
  }

  /** A text in UTF-8, its length before it as u32. */
  ByteWriter text(String text) {
    return bytes(utf8(text));
  }

  ByteWriter tags(SortedMap<String, String> tags) {
    u16(tags.size());
    for (Map.Entry<String, String> tag : tags.entrySet()) {
      text(tag.getKey());
      text(tag.getValue());
    }
    return this;
  }

  int length() {
    return length;
  }

  byte[] toBytes() {
    return Arrays.copyOf(bytes, length);
  }

  private void ensure(int more) {
    if (bytes.length - length < more) {
      bytes = Arrays.copyOf(bytes, Math.max(Math.addExact(length, more), bytes.length * 2));
    }
  }
}
