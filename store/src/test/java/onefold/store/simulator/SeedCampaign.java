package onefold.store.simulator;

import java.util.ArrayList;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Seeds that some threads run, each one whole, until the time is over, there are no more, or too
 * many have failed.
 */
abstract class SeedCampaign {
  final ReentrantLock guard = new ReentrantLock();
  final long firstSeed;
  private final long count;
  private final int atATime;
  private final int mostFailures;
  private final long startNanos = System.nanoTime();
  private final long endNanos;
  long nextSeed; // guarded by guard
  int failures; // guarded by guard

  /**
   * Takes the arguments MINUTES FIRST_SEED [AT_A_TIME [COUNT]]; ends the process with 2 if they are
   * others.
   */
  SeedCampaign(String[] arguments, String usage, int mostFailures) {
    if (arguments.length < 2 || arguments.length > 4) {
      System.err.println("usage: " + usage);
      System.exit(2);
    }
    this.mostFailures = mostFailures;
    this.endNanos = startNanos + (long) (Double.parseDouble(arguments[0]) * 60e9);
    this.firstSeed = Long.parseLong(arguments[1]);
    this.atATime =
        arguments.length > 2
            ? Integer.parseInt(arguments[2])
            : Runtime.getRuntime().availableProcessors();
    this.count = arguments.length > 3 ? Long.parseLong(arguments[3]) : Long.MAX_VALUE;
    this.nextSeed = firstSeed;
  }

  /** Runs one seed; several threads at once, each with another. */
  abstract void run(long seed);

  /** Runs them all and returns when that is done. */
  final void runAll(String threadName) throws InterruptedException {
    var threads = new ArrayList<Thread>();
    for (int i = 0; i < atATime; i++) {
      threads.add(Thread.ofPlatform().name(threadName + i).start(this::runSeeds));
    }
    for (Thread thread : threads) {
      thread.join();
    }
  }

  final double seconds() {
    return (System.nanoTime() - startNanos) / 1e9;
  }

  private void runSeeds() {
    while (true) {
      long seed;
      guard.lock();
      try {
        if (System.nanoTime() >= endNanos
            || failures >= mostFailures
            || nextSeed - firstSeed >= count) {
          return;
        }
        seed = nextSeed++;
      } finally {
        guard.unlock();
      }
      run(seed);
    }
  }
}
