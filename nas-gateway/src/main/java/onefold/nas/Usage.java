package onefold.nas;

import java.io.IOException;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Bytes of all files of a share, for its quota. Counted from the tree when a quota first asks, and
 * kept up to date from then on; a share without quota counts nothing.
 */
final class Usage {
  /** Adds up the lengths of all files. */
  interface Counter {
    long bytes() throws IOException;
  }

  private final Counter counter;
  private final ReentrantLock lock = new ReentrantLock();
  private volatile boolean counts; // written under lock
  private long bytes; // guarded by lock

  Usage(Counter counter) {
    this.counter = counter;
  }

  /** Whether changes must be told. */
  boolean counts() {
    return counts;
  }

  long bytes() throws IOException {
    lock.lock();
    try {
      if (!counts) {
        bytes = counter.bytes();
        counts = true;
      }
      return bytes;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Checks that a file may grow.
   *
   * @throws FileException {@code QUOTA}
   */
  void grow(ShareSettings settings, long moreBytes) throws IOException {
    if (settings.quotaBytes() == 0 || moreBytes <= 0) {
      return;
    }
    long used = bytes();
    if (moreBytes > settings.quotaBytes() - used) {
      throw new FileException(
          FileError.QUOTA,
          used + " bytes are used of the share's quota of " + settings.quotaBytes());
    }
  }

  /** Takes note of a change of lengths. */
  void changed(long moreBytes) {
    if (counts && moreBytes != 0) {
      lock.lock();
      try {
        bytes = Math.max(0, bytes + moreBytes);
      } finally {
        lock.unlock();
      }
    }
  }
}
