package onefold.appliance.cli;

import java.io.IOException;
import onefold.appliance.tree.DamagedRangeException;
import onefold.appliance.tree.TreeSource;
import onefold.store.CorruptDataException;
import onefold.store.ObjectReader;

/** A tree in an object of a data directory. Owned by whoever owns the reader. */
record OfflineTree(ObjectReader reader) implements TreeSource {
  @Override
  public long lengthBytes() {
    return reader.lengthBytes();
  }

  @Override
  public int read(long positionBytes, byte[] target, int offset, int lengthBytes)
      throws IOException {
    try {
      return reader.read(positionBytes, target, offset, lengthBytes);
    } catch (CorruptDataException e) {
      throw new DamagedRangeException(String.valueOf(e.getMessage()), e);
    }
  }

  @Override
  public long endOfDamage(long positionBytes) throws IOException {
    return reader.endOfPart(positionBytes);
  }
}
