package onefold.store.device;

import java.io.IOException;

/** A lock on a device's directory that somebody holds. The file that stands for it remains. */
public interface DeviceLock extends AutoCloseable {
  /** Gives the lock back. Safe to call again. */
  @Override
  void close() throws IOException;
}
