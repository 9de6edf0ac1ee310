package onefold.replication;

import java.io.IOException;
import java.io.InputStream;
import onefold.catalyst.client.CopyOptions;
import onefold.store.ObjectReader;

/** An object's bytes from its first on, at a pace. Does not close the reader. */
final class ObjectBytes extends InputStream {
  private final ObjectReader reader;
  private final CopyOptions.Pace pace;
  private long positionBytes;

  ObjectBytes(ObjectReader reader, CopyOptions.Pace pace) {
    this.reader = reader;
    this.pace = pace;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] target, int offset, int lengthBytes) throws IOException {
    if (lengthBytes == 0) {
      return 0;
    }
    int n = reader.read(positionBytes, target, offset, lengthBytes);
    if (n > 0) {
      positionBytes += n;
      try {
        pace.before(n);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted", e);
      }
    }
    return n;
  }
}
