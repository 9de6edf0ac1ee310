package onefold.store.index;

import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.SchedulerLock;

/**
 * The pages read last, as many as fit: each page has one slot where it can be, so a new one drops
 * what stood there. The memory is taken with the first page. Any number of threads use it.
 */
final class PageCache {
  private static final int STRIPES = 16;
  private static final long MIX = 0x9e3779b97f4a7c15L;

  /** Every slot whose number has the same lowest bits. */
  private static final class Stripe {
    private final SchedulerLock lock;
    private final int slots;
    private byte[] bytes = {}; // guarded by lock
    private long[] runs = {}; // guarded by lock; 0 is free
    private int[] pages = {}; // guarded by lock

    Stripe(SchedulerLock lock, int slots) {
      this.lock = lock;
      this.slots = slots;
    }
  }

  private final Stripe[] stripes;

  /** Makes an empty cache of {@code cacheBytes}; below 64 KiB nothing is kept. */
  PageCache(Scheduler scheduler, long cacheBytes) {
    int slots =
        Math.toIntExact(Math.min(Integer.MAX_VALUE, cacheBytes) / STRIPES / RunFormat.PAGE_BYTES);
    stripes = new Stripe[slots == 0 ? 0 : STRIPES];
    for (int i = 0; i < stripes.length; i++) {
      stripes[i] = new Stripe(scheduler.lock("index-cache"), slots);
    }
  }

  /** Copies a page to {@code target}, if it is there. */
  boolean get(long run, int page, byte[] target) {
    if (stripes.length == 0) {
      return false;
    }
    long hash = hash(run, page);
    Stripe stripe = stripes[(int) hash & (STRIPES - 1)];
    int slot = (int) (((hash >>> 32) * stripe.slots) >>> 32);
    stripe.lock.lock();
    try {
      if (stripe.runs.length == 0 || stripe.runs[slot] != run || stripe.pages[slot] != page) {
        return false;
      }
      System.arraycopy(stripe.bytes, slot * RunFormat.PAGE_BYTES, target, 0, RunFormat.PAGE_BYTES);
      return true;
    } finally {
      stripe.lock.unlock();
    }
  }

  /** Keeps a copy of a page that has been checked. */
  void put(long run, int page, byte[] source) {
    if (stripes.length == 0) {
      return;
    }
    long hash = hash(run, page);
    Stripe stripe = stripes[(int) hash & (STRIPES - 1)];
    int slot = (int) (((hash >>> 32) * stripe.slots) >>> 32);
    stripe.lock.lock();
    try {
      if (stripe.runs.length == 0) {
        stripe.bytes = new byte[Math.multiplyExact(stripe.slots, RunFormat.PAGE_BYTES)];
        stripe.runs = new long[stripe.slots];
        stripe.pages = new int[stripe.slots];
      }
      System.arraycopy(source, 0, stripe.bytes, slot * RunFormat.PAGE_BYTES, RunFormat.PAGE_BYTES);
      stripe.runs[slot] = run;
      stripe.pages[slot] = page;
    } finally {
      stripe.lock.unlock();
    }
  }

  /** Gives the memory back. */
  void clear() {
    for (Stripe stripe : stripes) {
      stripe.lock.lock();
      try {
        stripe.bytes = new byte[0];
        stripe.runs = new long[0];
        stripe.pages = new int[0];
      } finally {
        stripe.lock.unlock();
      }
    }
  }

  long memoryBytes() {
    long sum = 0;
    for (Stripe stripe : stripes) {
      stripe.lock.lock();
      try {
        sum += stripe.bytes.length;
      } finally {
        stripe.lock.unlock();
      }
    }
    return sum;
  }

  private static long hash(long run, int page) {
    long mixed = (run * MIX ^ page) * MIX;
    return mixed ^ mixed >>> 29;
  }
}
