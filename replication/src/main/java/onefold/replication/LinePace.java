package onefold.replication;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import onefold.catalyst.client.CopyOptions;

/**
 * Holds a mapping to its bandwidth: what is sent is paid for before the next bytes may follow, with
 * a tenth of a second in advance at most. Safe for many threads.
 */
final class LinePace implements CopyOptions.Pace {
  private static final long ADVANCE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  private final LongSupplier nanoTime;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private long bytesPerSecond; // guarded by lock; 0 for no limit
  private boolean ended; // guarded by lock

  /** When everything sent so far is paid for. */
  private long paidNanos; // guarded by lock

  LinePace(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
    this.paidNanos = nanoTime.getAsLong();
  }

  /** Sets the limit; whoever waits waits by the new one. */
  void limit(long newBytesPerSecond) {
    lock.lock();
    try {
      bytesPerSecond = newBytesPerSecond;
      paidNanos = nanoTime.getAsLong();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Lets nobody wait any more. */
  void end() {
    lock.lock();
    try {
      ended = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void before(int bytes) throws InterruptedException {
    lock.lock();
    try {
      while (!ended && bytesPerSecond > 0) {
        long aheadNanos = paidNanos - nanoTime.getAsLong() - ADVANCE_NANOS;
        if (aheadNanos <= 0) {
          break;
        }
        var _ = changed.awaitNanos(aheadNanos);
      }
      if (bytesPerSecond > 0) {
        long costNanos = (long) (bytes * 1e9 / bytesPerSecond);
        paidNanos = Math.max(paidNanos, nanoTime.getAsLong() - ADVANCE_NANOS) + costNanos;
      }
    } finally {
      lock.unlock();
    }
  }
}
