package onefold.store.engine;

import java.io.IOException;
import java.nio.ByteBuffer;
import onefold.store.CorruptDataException;
import onefold.store.StoreFullException;
import onefold.store.device.Device;
import onefold.store.device.DeviceFile;
import org.jspecify.annotations.Nullable;

/**
 * The superblock's two files. A write goes to the file with the older superblock, so that a torn
 * write leaves the other one whole; then the other file gets the same, so that damage of one of
 * them does no harm. One thread at a time.
 */
final class Superblocks {
  static final String FIRST = "superblock.0";
  static final String SECOND = "superblock.1";

  private final Device device;
  private @Nullable Superblock last;
  private String lastFile = SECOND;
  private long journalNeededFrom = 1;

  Superblocks(Device device) {
    this.device = device;
  }

  /** Whether at least one of the two files is there. */
  static boolean present(Device device) throws IOException {
    return device.exists(FIRST) || device.exists(SECOND);
  }

  /**
   * Reads both files and returns the younger one that is whole.
   *
   * @throws CorruptDataException if neither is; the message names both
   * @throws onefold.store.RefusedException if a newer release wrote one
   */
  Superblock read() throws IOException {
    CorruptDataException damage = null;
    for (String file : new String[] {FIRST, SECOND}) {
      try {
        Superblock found = readFile(file);
        if (found != null) {
          journalNeededFrom =
              last == null
                  ? found.journalPosition()
                  : Math.min(journalNeededFrom, found.journalPosition());
        }
        if (found != null && (last == null || found.sequence() > last.sequence())) {
          last = found;
          lastFile = file;
        }
      } catch (CorruptDataException e) {
        if (damage != null) {
          e.addSuppressed(damage);
        }
        damage = e;
      }
    }
    if (last == null) {
      throw damage != null
          ? damage
          : new CorruptDataException(
              FIRST, 0, "a superblock", "neither " + FIRST + " nor " + SECOND);
    }
    return last;
  }

  /**
   * Writes again what has been read, and forces it. A process that was killed while it wrote, or
   * whose force failed, may have left it in the page cache only, and there for clean. By what a
   * start has read, things are deleted that only an older superblock names; so no later start, not
   * after a power cut either, may find that one again. What is torn by a power cut now was not
   * durable before; then the other file is whole.
   */
  void writeAgain() throws IOException {
    Superblock read = last;
    if (read != null) {
      try {
        writeFile(lastFile, read);
      } catch (StoreFullException e) {
        // A file system that needs space to write in place; the next checkpoint does it.
      }
      device.forceDirectory("");
    }
  }

  /**
   * Makes a superblock durable in the file that holds the older one, then in the other one. If the
   * second write fails, the superblock counts all the same, and {@link #journalNeededFrom} stays.
   */
  void write(Superblock superblock) throws IOException {
    writeOver(superblock);
    try {
      writeFile(lastFile.equals(FIRST) ? SECOND : FIRST, superblock);
      journalNeededFrom = superblock.journalPosition();
    } catch (IOException e) {
      // The next superblock is written to that file first.
    }
  }

  /** The position from which a start may need the journal, whichever of the files it finds. */
  long journalNeededFrom() {
    return journalNeededFrom;
  }

  private void writeOver(Superblock superblock) throws IOException {
    if (last != null && superblock.sequence() <= last.sequence()) {
      throw new IllegalArgumentException(
          "superblock " + superblock.sequence() + " after " + last.sequence());
    }
    String file = lastFile.equals(FIRST) ? SECOND : FIRST;
    writeFile(file, superblock);
    last = superblock;
    lastFile = file;
  }

  private void writeFile(String file, Superblock superblock) throws IOException {
    boolean fresh = !device.exists(file);
    try (DeviceFile out = fresh ? device.create(file) : device.open(file, true)) {
      out.truncate(SuperblockFormat.FILE_BYTES);
      out.write(0, ByteBuffer.wrap(SuperblockFormat.encode(superblock)));
      out.force();
    }
    if (fresh) {
      device.forceDirectory("");
    }
  }

  private @Nullable Superblock readFile(String file) throws IOException {
    if (!device.exists(file)) {
      return null;
    }
    try (DeviceFile in = device.open(file, false)) {
      long size = in.sizeBytes();
      ByteBuffer bytes =
          ByteBuffer.allocate(Math.toIntExact(Math.min(size, SuperblockFormat.FILE_BYTES + 1L)));
      in.readFully(0, bytes);
      return SuperblockFormat.decode(file, bytes.array());
    }
  }
}
