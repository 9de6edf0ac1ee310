package onefold.catalyst.wire;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import onefold.chunker.Fingerprint;
import org.jspecify.annotations.Nullable;

/**
 * Extents of a READ_EXTENTS frame, 48 bytes each, in one array, so that no object is made per
 * chunk. Not safe for several threads while it grows.
 */
public final class Extents {
  /** Bytes of one extent. */
  public static final int EXTENT_BYTES = 48;

  /** Most extents the server puts into one frame. */
  public static final int MAX_COUNT = 4096;

  private static final int BLOCK_OFFSET = 32;
  private static final int CHUNK_OFFSET = 36;
  private static final int ZERO_OFFSET = 38;
  private static final int SKIP_OFFSET = 40;
  private static final int LENGTH_OFFSET = 44;
  private static final int ZEROS_LENGTH_OFFSET = 40;
  private static final int ZEROS_CHUNK_INDEX = 0xffff;

  private static final VarHandle SHORT =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private byte[] slots;
  private int count;

  /** Makes an empty list. */
  public Extents() {
    this.slots = new byte[64 * EXTENT_BYTES];
  }

  /** Takes over an array of slots as they came from the wire and checks each. */
  static Extents received(byte[] slots, int count) throws WireException {
    var extents = new Extents(slots, count);
    for (int i = 0; i < count; i++) {
      if ((short) SHORT.get(slots, i * EXTENT_BYTES + ZERO_OFFSET) != 0) {
        throw WireException.malformed("extent " + i + " has a reserved field that is not zero");
      }
      if (extents.lengthBytes(i) <= 0) {
        throw WireException.malformed("extent " + i + " has length " + extents.lengthBytes(i));
      }
      if (!extents.isZeros(i) && (extents.blockDelta(i) < 0 || extents.skipBytes(i) < 0)) {
        throw WireException.malformed("extent " + i + " has a block or skip beyond 2^31");
      }
    }
    return extents;
  }

  private Extents(byte[] slots, int count) {
    this.slots = slots;
    this.count = count;
  }

  /** Adds a run of a chunk. */
  public void add(
      byte[] fingerprint, int blockDelta, int chunkIndex, int skipBytes, int lengthBytes) {
    int at = grow();
    System.arraycopy(fingerprint, 0, slots, at, Fingerprint.BYTES);
    INT.set(slots, at + BLOCK_OFFSET, blockDelta);
    SHORT.set(slots, at + CHUNK_OFFSET, (short) chunkIndex);
    INT.set(slots, at + SKIP_OFFSET, skipBytes);
    INT.set(slots, at + LENGTH_OFFSET, lengthBytes);
  }

  /** Adds zeros. */
  public void addZeros(long lengthBytes) {
    int at = grow();
    SHORT.set(slots, at + CHUNK_OFFSET, (short) ZEROS_CHUNK_INDEX);
    LONG.set(slots, at + ZEROS_LENGTH_OFFSET, lengthBytes);
  }

  private int grow() {
    int at = count * EXTENT_BYTES;
    if (at + EXTENT_BYTES > slots.length) {
      slots = Arrays.copyOf(slots, 2 * slots.length);
    }
    count++;
    Arrays.fill(slots, at, at + EXTENT_BYTES, (byte) 0);
    return at;
  }

  /** Empties the list. */
  public void clear() {
    count = 0;
  }

  /** Returns how many there are. */
  public int count() {
    return count;
  }

  /** Returns whether extent {@code i} is zeros that are not stored. */
  public boolean isZeros(int i) {
    return chunkIndex(i) == ZEROS_CHUNK_INDEX;
  }

  /** Returns the bytes of the object that extent {@code i} covers. */
  public long lengthBytes(int i) {
    return isZeros(i)
        ? (long) LONG.get(slots, at(i) + ZEROS_LENGTH_OFFSET)
        : (int) INT.get(slots, at(i) + LENGTH_OFFSET);
  }

  /** Returns the number of the block less the frame's base. */
  public int blockDelta(int i) {
    return (int) INT.get(slots, at(i) + BLOCK_OFFSET);
  }

  /** Returns the chunk's index in its block. */
  public int chunkIndex(int i) {
    return (short) SHORT.get(slots, at(i) + CHUNK_OFFSET) & 0xffff;
  }

  /** Returns the bytes of the chunk before the run. */
  public int skipBytes(int i) {
    return (int) INT.get(slots, at(i) + SKIP_OFFSET);
  }

  /** Returns where in {@link #array} the 32 bytes of the chunk's fingerprint begin. */
  public int fingerprintOffset(int i) {
    return at(i);
  }

  /** Returns the array of slots; valid until the list grows. */
  public byte[] array() {
    return slots;
  }

  private int at(int i) {
    if (i < 0 || i >= count) {
      throw new IndexOutOfBoundsException("extent " + i + " of " + count);
    }
    return i * EXTENT_BYTES;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Extents that
        && count == that.count
        && Arrays.equals(slots, 0, count * EXTENT_BYTES, that.slots, 0, count * EXTENT_BYTES);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(Arrays.copyOf(slots, count * EXTENT_BYTES));
  }

  @Override
  public String toString() {
    return count + " extents";
  }
}
