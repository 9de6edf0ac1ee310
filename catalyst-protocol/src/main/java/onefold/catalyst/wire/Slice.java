package onefold.catalyst.wire;

import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A range of an array that travels as it is: the bytes of a node, a block or a write. Who makes one
 * says who may change the array; a message that was received owns its array.
 *
 * @param array holds the bytes
 * @param offset of the first
 * @param lengthBytes how many
 */
public record Slice(byte[] array, int offset, int lengthBytes) {
  public Slice {
    Objects.checkFromIndexSize(offset, lengthBytes, array.length);
  }

  /** Wraps a whole array. */
  public static Slice of(byte[] array) {
    return new Slice(array, 0, array.length);
  }

  /** Returns a copy of the bytes. */
  public byte[] toBytes() {
    return Arrays.copyOfRange(array, offset, offset + lengthBytes);
  }

  /** Compares the bytes, not the arrays. */
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Slice(byte[] bytes, int from, int length)
        && Arrays.equals(array, offset, offset + lengthBytes, bytes, from, from + length);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(toBytes());
  }

  @Override
  public String toString() {
    return lengthBytes + " bytes";
  }
}
