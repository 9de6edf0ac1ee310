package onefold.store.engine;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicLong;
import onefold.store.StoreFullException;
import onefold.store.device.Device;

/**
 * Keeps uploads from using the reserve that deletes, housekeeping and the journal need when the
 * disk is full. Asks the file system again after a part of the reserve. Any thread may ask.
 */
final class SpaceGuard {
  /** Most bytes written before the file system is asked again. */
  private static final long MAX_STEP_BYTES = 16L << 20;

  /**
   * The step is this part of the reserve, so that what others write meanwhile does not use it up.
   */
  private static final int STEP_PART = 8;

  private final Device device;
  private final long reserveBytes;

  /** Bytes that may be written before the file system is asked again. */
  private final AtomicLong allowance = new AtomicLong();

  SpaceGuard(Device device, long reserveBytes) {
    this.device = device;
    this.reserveBytes = reserveBytes;
  }

  /**
   * Takes room for new data.
   *
   * @throws StoreFullException if it would come out of the reserve
   */
  void take(int bytes) throws IOException {
    if (allowance.addAndGet(-bytes) >= 0) {
      return;
    }
    long free = device.freeBytes();
    if (free - bytes < reserveBytes) {
      allowance.set(0);
      throw new StoreFullException(
          "the disk has "
              + free
              + " bytes left, of which "
              + reserveBytes
              + " are kept for deletes and housekeeping; delete items, or add space");
    }
    long step = reserveBytes == 0 ? MAX_STEP_BYTES : reserveBytes / STEP_PART;
    allowance.set(Math.min(Math.min(step, MAX_STEP_BYTES), (free - reserveBytes) / 4));
  }

  boolean isEnough() throws IOException {
    return device.freeBytes() >= reserveBytes;
  }

  /** Whether uploads will be refused soon; false if that cannot be asked. */
  boolean isShort() {
    try {
      return device.freeBytes() < 2 * reserveBytes;
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * Whether so much can be written and twice the reserve is left; false if that cannot be asked.
   */
  boolean hasRoom(long bytes) {
    try {
      return device.freeBytes() - bytes >= 2 * reserveBytes;
    } catch (IOException e) {
      return false;
    }
  }
}
