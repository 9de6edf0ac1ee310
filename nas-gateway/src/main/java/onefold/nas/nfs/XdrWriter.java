package onefold.nas.nfs;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Writes XDR (RFC 4506) into an array that grows up to a bound; beyond it {@link Full} is thrown
 * and what was written stays. Not for several threads.
 */
final class XdrWriter {
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

  private byte[] array;
  private int maxBytes;
  private int position;

  /** What is written does not fit into the bound. */
  static final class Full extends RuntimeException {
    @java.io.Serial private static final long serialVersionUID = 1;

    Full(int bytes) {
      super("more than " + bytes + " bytes", null, false, false);
    }
  }

  XdrWriter(int firstBytes, int maxBytes) {
    this.array = new byte[Math.min(firstBytes, maxBytes)];
    this.maxBytes = maxBytes;
  }

  /** Where the next byte goes. */
  int position() {
    return position;
  }

  /** Most bytes it will hold. */
  int maxBytes() {
    return maxBytes;
  }

  /** Sets another bound, from the present position on. */
  void limit(int bytes) {
    maxBytes = Math.max(bytes, position);
  }

  /** Forgets what was written from this position on. */
  void rewind(int to) {
    if (to < 0 || to > position) {
      throw new IllegalArgumentException(to + " of " + position);
    }
    position = to;
  }

  byte[] array() {
    return array;
  }

  byte[] copy(int from) {
    return Arrays.copyOfRange(array, from, position);
  }

  byte[] toBytes() {
    return copy(0);
  }

  private int room(int bytes) {
    int at = position;
    if (bytes > maxBytes - at) {
      throw new Full(maxBytes);
    }
    if (bytes > array.length - at) {
      long grown = Math.max(at + (long) bytes, array.length * 2L);
      array = Arrays.copyOf(array, (int) Math.min(grown, maxBytes));
    }
    position = at + bytes;
    return at;
  }

  XdrWriter writeInt(int value) {
    int at = room(4);
    INT.set(array, at, value);
    return this;
  }

  XdrWriter writeLong(long value) {
    int at = room(8);
    LONG.set(array, at, value);
    return this;
  }

  XdrWriter writeBoolean(boolean value) {
    return writeInt(value ? 1 : 0);
  }

  /** Writes bytes with padding, without a length. */
  XdrWriter writeFixed(byte[] bytes) {
    return writeFixed(bytes, 0, bytes.length);
  }

  XdrWriter writeFixed(byte[] bytes, int offset, int length) {
    int at = room(length + (-length & 3));
    System.arraycopy(bytes, offset, array, at, length);
    Arrays.fill(array, at + length, position, (byte) 0);
    return this;
  }

  /** Writes a variable opaque: length, bytes, padding. */
  XdrWriter writeOpaque(byte[] bytes) {
    return writeOpaque(bytes, 0, bytes.length);
  }

  XdrWriter writeOpaque(byte[] bytes, int offset, int length) {
    writeInt(length);
    return writeFixed(bytes, offset, length);
  }

  XdrWriter writeString(String text) {
    return writeOpaque(text.getBytes(java.nio.charset.StandardCharsets.UTF_8));
  }

  /** Overwrites a number that was written before. */
  void patchInt(int at, int value) {
    if (at < 0 || at > position - 4) {
      throw new IllegalArgumentException(at + " of " + position);
    }
    INT.set(array, at, value);
  }

  /**
   * Makes room for an opaque of up to {@code maxLength} bytes, length included, and returns where
   * its bytes begin in {@link #array()}; {@link #endOpaque} says how many there are.
   */
  int beginOpaque(int maxLength) {
    writeInt(0);
    int at = room(maxLength + (-maxLength & 3));
    return at;
  }

  /** Ends what {@link #beginOpaque} began, which must be the last thing written. */
  void endOpaque(int at, int length) {
    int end = at + length + (-length & 3);
    if (length < 0 || end > position) {
      throw new IllegalArgumentException(length + " at " + at + ", position " + position);
    }
    INT.set(array, at - 4, length);
    Arrays.fill(array, at + length, end, (byte) 0);
    position = end;
  }
}
