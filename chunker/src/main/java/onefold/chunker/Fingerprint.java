package onefold.chunker;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.HexFormat;

/**
 * The full-width hash of a chunk's plain bytes, 32 bytes. For the edges of the system: on hot paths
 * fingerprints travel as 32-byte slots of a {@link FingerprintBatch}.
 *
 * @param first bytes 0 to 7, big-endian, so that the order of records is the order of bytes
 * @param second bytes 8 to 15
 * @param third bytes 16 to 23
 * @param fourth bytes 24 to 31
 */
public record Fingerprint(long first, long second, long third, long fourth)
    implements Comparable<Fingerprint> {
  /** Bytes of a fingerprint. */
  public static final int BYTES = 32;

  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

  /** Reads the 32 bytes of {@code source} from {@code offset}. */
  public static Fingerprint of(byte[] source, int offset) {
    return new Fingerprint(
        (long) LONG.get(source, offset),
        (long) LONG.get(source, offset + 8),
        (long) LONG.get(source, offset + 16),
        (long) LONG.get(source, offset + 24));
  }

  /** Reads 64 hexadecimal digits. */
  public static Fingerprint ofHex(String hex) {
    if (hex.length() != 2 * BYTES) {
      throw new IllegalArgumentException(
          "fingerprint of " + hex.length() + " digits, must be 64: " + hex);
    }
    return of(HexFormat.of().parseHex(hex), 0);
  }

  /** Writes the 32 bytes to {@code target} from {@code offset}. */
  public void writeTo(byte[] target, int offset) {
    LONG.set(target, offset, first);
    LONG.set(target, offset + 8, second);
    LONG.set(target, offset + 16, third);
    LONG.set(target, offset + 24, fourth);
  }

  /** Returns a new array with the 32 bytes. */
  public byte[] toBytes() {
    byte[] bytes = new byte[BYTES];
    writeTo(bytes, 0);
    return bytes;
  }

  @Override
  public int compareTo(Fingerprint other) {
    int order = Long.compareUnsigned(first, other.first);
    if (order == 0) {
      order = Long.compareUnsigned(second, other.second);
    }
    if (order == 0) {
      order = Long.compareUnsigned(third, other.third);
    }
    return order == 0 ? Long.compareUnsigned(fourth, other.fourth) : order;
  }

  /** Returns 64 hexadecimal digits. */
  @Override
  public String toString() {
    return HexFormat.of().formatHex(toBytes());
  }
}
