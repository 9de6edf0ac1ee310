package onefold.catalyst.server;

import java.util.concurrent.atomic.AtomicLong;

/** Shares the budget of receive windows among all streams of a server. */
final class Windows {
  private final ServerLimits limits;
  private final AtomicLong leftBytes;

  Windows(ServerLimits limits) {
    this.limits = limits;
    this.leftBytes = new AtomicLong(limits.windowBudgetBytes());
  }

  /**
   * Takes a window: the whole one while at least twice that is left, then less, at last the least.
   */
  int take() {
    while (true) {
      long left = leftBytes.get();
      int window =
          (int) Math.max(limits.leastWindowBytes(), Math.min(limits.windowBytes(), left / 2));
      if (leftBytes.compareAndSet(left, left - window)) {
        return window;
      }
    }
  }

  void giveBack(int window) {
    leftBytes.addAndGet(window);
  }
}
