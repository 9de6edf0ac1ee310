package onefold.catalyst.wire;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.SortedMap;
import java.util.TreeMap;
import onefold.chunker.Fingerprint;
import onefold.chunker.ObjectRoot;

/**
 * A cursor over one payload that checks every length before it reads or allocates. Not safe for
 * several threads.
 */
final class PayloadReader {
  private static final VarHandle SHORT =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONG_BIG_ENDIAN =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

  private final FrameType type;
  private final byte[] payload;
  private int position;

  PayloadReader(FrameType type, byte[] payload) {
    this.type = type;
    this.payload = payload;
  }

  int position() {
    return position;
  }

  int remaining() {
    return payload.length - position;
  }

  private int take(int lengthBytes, String what) throws WireException {
    if (lengthBytes < 0 || lengthBytes > payload.length - position) {
      throw WireException.malformed(
          type
              + ": "
              + what
              + " at "
              + position
              + " needs "
              + Integer.toUnsignedString(lengthBytes)
              + " bytes, the payload of "
              + payload.length
              + " has "
              + (payload.length - position)
              + " left");
    }
    int at = position;
    position += lengthBytes;
    return at;
  }

  int u8(String what) throws WireException {
    return payload[take(1, what)] & 0xff;
  }

  int u16(String what) throws WireException {
    return (short) SHORT.get(payload, take(2, what)) & 0xffff;
  }

  /** Reads a u32 that is used as a length or count; more than 2^31 - 1 is refused. */
  int u32(String what) throws WireException {
    int value = (int) INT.get(payload, take(4, what));
    if (value < 0) {
      throw WireException.malformed(type + ": " + what + " " + Integer.toUnsignedString(value));
    }
    return value;
  }

  int rawInt(String what) throws WireException {
    return (int) INT.get(payload, take(4, what));
  }

  /** Reads a u64 position or length; more than 2^63 - 1 is refused. */
  long u64(String what) throws WireException {
    long value = (long) LONG.get(payload, take(8, what));
    if (value < 0) {
      throw WireException.malformed(type + ": " + what + " " + Long.toUnsignedString(value));
    }
    return value;
  }

  long rawLong(String what) throws WireException {
    return (long) LONG.get(payload, take(8, what));
  }

  boolean flag(String what) throws WireException {
    int value = u8(what);
    if (value > 1) {
      throw WireException.malformed(type + ": " + what + " " + value + ", must be 0 or 1");
    }
    return value == 1;
  }

  String str(String what) throws WireException {
    int lengthBytes = u16(what);
    int at = take(lengthBytes, what);
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(payload, at, lengthBytes))
          .toString();
    } catch (CharacterCodingException e) {
      throw new WireException(ErrorCode.INVALID_NAME, type + ": " + what + " is not valid UTF-8");
    }
  }

  byte[] bytes(String what) throws WireException {
    int lengthBytes = u32(what);
    int at = take(lengthBytes, what);
    return Arrays.copyOfRange(payload, at, at + lengthBytes);
  }

  /** Reads {@code count} fields of {@code eachBytes} and returns them as one array. */
  byte[] slots(int count, int eachBytes, String what) throws WireException {
    long lengthBytes = (long) count * eachBytes;
    if (lengthBytes > remaining()) {
      throw WireException.malformed(
          type + ": " + count + " " + what + " do not fit into the " + remaining() + " bytes left");
    }
    int at = take((int) lengthBytes, what);
    return Arrays.copyOfRange(payload, at, at + (int) lengthBytes);
  }

  /**
   * Reads a count of things of at least {@code leastBytes} each, so that it cannot allocate beyond
   * the payload.
   */
  int count(int value, int leastBytes, String what) throws WireException {
    if ((long) value * leastBytes > remaining()) {
      throw WireException.malformed(
          type + ": " + value + " " + what + " do not fit into the " + remaining() + " bytes left");
    }
    return value;
  }

  WireId id(String what) throws WireException {
    int at = take(WireId.BYTES, what);
    return new WireId(
        (long) LONG_BIG_ENDIAN.get(payload, at), (long) LONG_BIG_ENDIAN.get(payload, at + 8));
  }

  ObjectRoot root(String what) throws WireException {
    Fingerprint node = Fingerprint.of(payload, take(Fingerprint.BYTES, what));
    int level = u8(what);
    long lengthBytes = u64(what);
    if (level > ObjectRoot.MAX_LEVEL) {
      throw WireException.malformed(type + ": " + what + " has level " + level);
    }
    return new ObjectRoot(node, level, lengthBytes);
  }

  SortedMap<String, String> tags() throws WireException {
    int n = count(u16("tags"), 4, "tags");
    var tags = new TreeMap<String, String>();
    for (int i = 0; i < n; i++) {
      tags.put(str("tag key"), str("tag value"));
    }
    try {
      return Tags.checked(tags);
    } catch (IllegalArgumentException e) {
      throw new WireException(ErrorCode.INVALID_REQUEST, String.valueOf(e.getMessage()));
    }
  }

  Bits bits(String what) throws WireException {
    int n = u32(what);
    int lengthBytes = (int) (((long) n + 7) / 8);
    int at = take(lengthBytes, what);
    long[] words = new long[(int) (((long) n + 63) / 64)];
    for (int i = 0; i < lengthBytes; i++) {
      words[i >> 3] |= (payload[at + i] & 0xffL) << (8 * (i & 7));
    }
    if (n % 64 != 0 && (words[words.length - 1] >>> (n % 64)) != 0) {
      throw WireException.malformed(type + ": " + what + " has bits beyond its " + n);
    }
    return new Bits(n, words);
  }

  /** Takes what is left as (offset, length) of the payload: the caller reads the array itself. */
  Slice rest() {
    var slice = new Slice(payload, position, payload.length - position);
    position = payload.length;
    return slice;
  }

  void end() throws WireException {
    if (position != payload.length) {
      throw WireException.malformed(
          type + ": " + (payload.length - position) + " bytes after the last field");
    }
  }
}
