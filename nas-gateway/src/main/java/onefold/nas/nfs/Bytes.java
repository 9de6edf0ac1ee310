package onefold.nas.nfs;

import java.util.Arrays;

/** A key of bytes; nobody changes the array. */
record Bytes(byte[] array) {
  @Override
  public boolean equals(Object other) {
    return other instanceof Bytes that && Arrays.equals(array, that.array);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(array);
  }

  @Override
  public String toString() {
    return java.util.HexFormat.of().formatHex(array);
  }
}
