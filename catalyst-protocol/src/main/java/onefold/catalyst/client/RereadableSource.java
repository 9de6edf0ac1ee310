package onefold.catalyst.client;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/**
 * What a writer's bytes came from, if they can be read a second time: then an upload survives even
 * the loss of what the appliance had received and the client no longer has in its buffer.
 */
@FunctionalInterface
public interface RereadableSource {
  /**
   * Reads bytes of the item again.
   *
   * @param positionBytes in the item
   * @param target filled completely
   * @throws IOException if they cannot be read; the upload fails
   */
  void read(long positionBytes, ByteBuffer target) throws IOException;

  /**
   * Returns a source over a file whose first byte is the item's first; the caller keeps it open.
   */
  static RereadableSource of(FileChannel file) {
    return (position, target) -> {
      long at = position;
      while (target.hasRemaining()) {
        int n = file.read(target, at);
        if (n < 0) {
          throw new IOException("the file has become shorter: it ends before " + at);
        }
        at += n;
      }
    };
  }
}
