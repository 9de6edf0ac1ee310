package onefold.nas.nfs;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Reads XDR (RFC 4506) from a range of an array. Every length is held against its bound and against
 * what is left before anything is allocated. Not for several threads.
 */
final class XdrReader {
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

  private final byte[] array;
  private final int end;
  private int position;

  /** Reads {@code length} bytes from {@code offset}; the array is kept, not copied. */
  XdrReader(byte[] array, int offset, int length) {
    if (offset < 0 || length < 0 || length > array.length - offset) {
      throw new IllegalArgumentException(offset + " + " + length + " of " + array.length);
    }
    this.array = array;
    this.position = offset;
    this.end = offset + length;
  }

  XdrReader(byte[] array) {
    this(array, 0, array.length);
  }

  /** A range of the array that is read; good as long as that is. */
  record Range(byte[] array, int offset, int length) {
    byte[] copy() {
      return Arrays.copyOfRange(array, offset, offset + length);
    }
  }

  int position() {
    return position;
  }

  int remaining() {
    return end - position;
  }

  byte[] array() {
    return array;
  }

  private int take(int bytes) throws XdrException {
    if (bytes > end - position) {
      throw new XdrException(
          bytes + " bytes expected at " + position + ", " + (end - position) + " left");
    }
    int at = position;
    position += bytes;
    return at;
  }

  int readInt() throws XdrException {
    return (int) INT.get(array, take(4));
  }

  /** Reads an unsigned 32-bit number. */
  long readUint() throws XdrException {
    return readInt() & 0xffff_ffffL;
  }

  long readLong() throws XdrException {
    return (long) LONG.get(array, take(8));
  }

  boolean readBoolean() throws XdrException {
    int value = readInt();
    if (value != 0 && value != 1) {
      throw new XdrException("boolean " + value + " at " + (position - 4));
    }
    return value == 1;
  }

  /** Reads a count of at most {@code max}. */
  int readCount(int max, String what) throws XdrException {
    long value = readUint();
    if (value > max) {
      throw new XdrException(what + " " + value + " at " + (position - 4) + ", at most " + max);
    }
    return (int) value;
  }

  /** Reads the length and the bytes of a variable opaque, without copying them. */
  Range readRange(int maxBytes, String what) throws XdrException {
    int length = readCount(maxBytes, what);
    int at = take(length);
    take(-length & 3);
    return new Range(array, at, length);
  }

  byte[] readOpaque(int maxBytes, String what) throws XdrException {
    return readRange(maxBytes, what).copy();
  }

  byte[] readFixed(int bytes) throws XdrException {
    int at = take(bytes);
    take(-bytes & 3);
    return Arrays.copyOfRange(array, at, at + bytes);
  }

  void skip(int bytes) throws XdrException {
    take(bytes);
  }
}
