package onefold.store;

import java.util.HexFormat;
import java.util.random.RandomGenerator;

/**
 * The 128-bit random id of a domain, tenant, store, item version, upload or user; never reused.
 *
 * @param high the first eight bytes, big-endian
 * @param low the last eight bytes
 */
public record Id(long high, long low) implements Comparable<Id> {
  /** Bytes of an id in formats. */
  public static final int BYTES = 16;

  public static Id random(RandomGenerator random) {
    return new Id(random.nextLong(), random.nextLong());
  }

  /** Reads 32 hexadecimal digits. */
  public static Id ofHex(String hex) {
    if (hex.length() != 2 * BYTES) {
      throw new IllegalArgumentException("id of " + hex.length() + " digits, must be 32: " + hex);
    }
    return new Id(
        HexFormat.fromHexDigitsToLong(hex, 0, 16), HexFormat.fromHexDigitsToLong(hex, 16, 32));
  }

  @Override
  public int compareTo(Id other) {
    int order = Long.compareUnsigned(high, other.high);
    return order == 0 ? Long.compareUnsigned(low, other.low) : order;
  }

  /** Returns 32 hexadecimal digits. */
  @Override
  public String toString() {
    HexFormat hex = HexFormat.of();
    return hex.toHexDigits(high) + hex.toHexDigits(low);
  }
}
