package onefold.block;

import static onefold.block.BlockFormatException.Reason.DAMAGED;

/** The two ways in which a payload can fail to decompress, told alike by all codecs. */
final class DecompressionFailures {
  private DecompressionFailures() {}

  static BlockFormatException malformed(String what, int rawBytes, RuntimeException cause) {
    BlockFormatException failure =
        new BlockFormatException(DAMAGED, what, rawBytes + " bytes", cause);
    failure.initCause(cause);
    return failure;
  }

  static void checkLength(String what, int rawBytes, int written) throws BlockFormatException {
    if (written != rawBytes) {
      throw new BlockFormatException(DAMAGED, what, rawBytes + " bytes", written + " bytes");
    }
  }
}
