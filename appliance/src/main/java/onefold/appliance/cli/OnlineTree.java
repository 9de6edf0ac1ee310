package onefold.appliance.cli;

import java.io.IOException;
import onefold.appliance.tree.DamagedRangeException;
import onefold.appliance.tree.TreeSource;
import onefold.catalyst.client.CatalystException;
import onefold.catalyst.client.ItemReader;
import onefold.catalyst.wire.ErrorCode;

/** A tree in an item of a running appliance. Owned by whoever owns the reader. */
record OnlineTree(ItemReader reader) implements TreeSource {
  @Override
  public long lengthBytes() {
    return reader.lengthBytes();
  }

  @Override
  public int read(long positionBytes, byte[] target, int offset, int lengthBytes)
      throws IOException {
    if (reader.positionBytes() != positionBytes) {
      reader.position(positionBytes);
    }
    try {
      return reader.read(target, offset, lengthBytes);
    } catch (CatalystException e) {
      if (e.code() == ErrorCode.CORRUPT_DATA) {
        throw new DamagedRangeException(String.valueOf(e.getMessage()), e);
      }
      throw e;
    }
  }
}
