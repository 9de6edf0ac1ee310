package onefold.catalyst.server;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import onefold.catalyst.wire.ErrorCode;
import onefold.catalyst.wire.WireException;

/**
 * Shares what clients may have under way among all streams, of one endpoint or several. As more is
 * taken windows get smaller; beyond twice the budget a stream waits until another ends, and is
 * refused when that takes too long. Any number of threads.
 */
public final class TransferBudget {
  /** However little memory is left, so much may be under way. */
  public static final long LEAST_BYTES = 8L << 20;

  private static final Duration SLICE = Duration.ofMillis(100);

  private final LongSupplier missingBytes;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition returned = lock.newCondition();
  private long budgetBytes; // guarded by lock
  private long takenBytes; // guarded by lock

  /**
   * Makes one.
   *
   * @param budgetBytes windows of all streams together before they shrink to the least
   * @param missingBytes what the budget is to be less by, asked for each stream
   */
  public TransferBudget(long budgetBytes, LongSupplier missingBytes) {
    this.budgetBytes = budgetBytes;
    this.missingBytes = missingBytes;
  }

  /** Sets another budget; streams that are open keep their windows. */
  public void setBudgetBytes(long bytes) {
    lock.lock();
    try {
      budgetBytes = bytes;
      returned.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** What may be under way before windows shrink to the least. */
  public long budgetBytes() {
    long missing = missingBytes.getAsLong();
    lock.lock();
    try {
      return missing == 0
          ? budgetBytes
          : Math.max(Math.min(LEAST_BYTES, budgetBytes), budgetBytes - missing);
    } finally {
      lock.unlock();
    }
  }

  /** Windows of all streams that are open. */
  public long takenBytes() {
    lock.lock();
    try {
      return takenBytes;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Takes a window: the whole one while at least twice that is left, then less, at last the least;
   * waits when even that is too much.
   *
   * @param ended whether nobody waits for the stream any more
   * @throws WireException {@code LIMIT_REACHED} if none was given back in time
   */
  int take(ServerLimits limits, BooleanSupplier ended) throws WireException {
    long until = System.nanoTime() + limits.patience().toNanos();
    while (true) {
      long budget = budgetBytes();
      lock.lock();
      try {
        boolean fits = takenBytes + limits.leastWindowBytes() <= 2 * budget;
        if (fits || takenBytes == 0) {
          int window =
              (int)
                  Math.max(
                      limits.leastWindowBytes(),
                      Math.min(limits.windowBytes(), (budget - takenBytes) / 2));
          takenBytes += window;
          return window;
        }
        if (ended.getAsBoolean() || System.nanoTime() - until > 0) {
          throw new WireException(
              ErrorCode.LIMIT_REACHED,
              "the server's memory for transfers, "
                  + budget
                  + " bytes, is used up by others; run fewer at a time, or give it more memory");
        }
        returned.await(SLICE.toNanos(), TimeUnit.NANOSECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new WireException(ErrorCode.SHUTTING_DOWN, "interrupted while it waited for memory");
      } finally {
        lock.unlock();
      }
    }
  }

  void giveBack(int window) {
    lock.lock();
    try {
      takenBytes -= window;
      returned.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
