package onefold.catalyst.wire;

import java.util.HexFormat;
import java.util.random.RandomGenerator;

/**
 * A 128-bit random id of an item's version, an upload, a domain or a command.
 *
 * @param high the first eight bytes, big-endian
 * @param low the last eight bytes
 */
public record WireId(long high, long low) {
  /** Bytes of an id on the wire. */
  public static final int BYTES = 16;

  /** Stands for "none" where the protocol says so. */
  public static final WireId NONE = new WireId(0, 0);

  /** Draws an id. */
  public static WireId random(RandomGenerator random) {
    return new WireId(random.nextLong(), random.nextLong());
  }

  /** Reads 32 hexadecimal digits. */
  public static WireId ofHex(String hex) {
    if (hex.length() != 2 * BYTES) {
      throw new IllegalArgumentException("id of " + hex.length() + " digits, must be 32: " + hex);
    }
    return new WireId(
        HexFormat.fromHexDigitsToLong(hex, 0, 16), HexFormat.fromHexDigitsToLong(hex, 16, 32));
  }

  /** Returns 32 hexadecimal digits. */
  @Override
  public String toString() {
    HexFormat hex = HexFormat.of();
    return hex.toHexDigits(high) + hex.toHexDigits(low);
  }
}
