package onefold.store.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import onefold.store.Id;
import onefold.store.StoreFullException;
import onefold.store.device.Device;
import onefold.store.device.DeviceFile;
import org.jspecify.annotations.Nullable;

/**
 * The file beside the segments that says up to which position records have been forced, so that a
 * newest segment that is missing, cut short or wiped at its end is not taken for a tail that nobody
 * was told of.
 *
 * <p>It is written in place after each group, and never forced: whatever of it reaches the disk
 * became true before it was written. What is torn, stale or missing says less, or nothing. Owns the
 * file. One task at a time uses it.
 */
final class WitnessFile implements AutoCloseable {
  private static final String NAME = "witness";

  private final DeviceFile file;
  private final byte[] bytes;
  private final ByteBuffer buffer;

  private WitnessFile(DeviceFile file, Id owner) {
    this.file = file;
    this.bytes = JournalFormat.newWitness(owner);
    this.buffer = ByteBuffer.wrap(bytes);
  }

  static String path(String directory) {
    return directory + "/" + NAME;
  }

  /** Everything before this position has been forced; 0 if nothing that is whole says so. */
  static long read(Device device, String directory, Id owner) throws IOException {
    String path = path(directory);
    if (!device.exists(path)) {
      return 0;
    }
    try (DeviceFile file = device.open(path, false)) {
      ByteBuffer found = ByteBuffer.allocate(JournalFormat.WITNESS_BYTES);
      int length = file.read(0, found);
      return length < JournalFormat.WITNESS_BYTES
          ? 0
          : JournalFormat.decodeWitness(found.array(), owner);
    }
  }

  /** Opens the file, which is made if it is missing; answers null if there is no space for it. */
  static @Nullable WitnessFile open(Device device, String directory, Id owner) throws IOException {
    String path = path(directory);
    try {
      return new WitnessFile(
          device.exists(path) ? device.open(path, true) : device.create(path), owner);
    } catch (StoreFullException e) {
      return null;
    }
  }

  /** Says that everything before a position has been forced. */
  void write(long position) throws IOException {
    JournalFormat.putWitness(bytes, position);
    buffer.clear();
    file.write(0, buffer);
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
