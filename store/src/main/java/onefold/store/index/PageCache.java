package onefold.store.index;

import java.util.concurrent.atomic.AtomicLong;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.SchedulerLock;

/**
 * The pages read last, as many as fit: each page has one slot where it can be, so a new one drops
 * what stood there. The memory is taken with the first page. Any number of threads use it.
 */
public final class PageCache {
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

  private static final int SPACE_SHIFT = 40;

  private final Scheduler scheduler;
  private final AtomicLong spaces = new AtomicLong();
  private volatile Stripe[] stripes;

  /** Makes an empty cache of {@code cacheBytes}; below 64 KiB nothing is kept. */
  public PageCache(Scheduler scheduler, long cacheBytes) {
    this.scheduler = scheduler;
    this.stripes = stripes(cacheBytes);
  }

  private Stripe[] stripes(long cacheBytes) {
    int slots =
        Math.toIntExact(Math.min(Integer.MAX_VALUE, cacheBytes) / STRIPES / RunFormat.PAGE_BYTES);
    Stripe[] made = new Stripe[slots == 0 ? 0 : STRIPES];
    for (int i = 0; i < made.length; i++) {
      made[i] = new Stripe(scheduler.lock("index-cache"), slots);
    }
    return made;
  }

  /** Sets another bound, and forgets everything. */
  public void setBound(long cacheBytes) {
    stripes = stripes(cacheBytes);
  }

  /** Makes room for the runs of one index, whose numbers may be those of another's too. */
  Space newSpace() {
    return new Space(spaces.incrementAndGet());
  }

  /** The pages of one index in the cache. */
  final class Space {
    private final long number;

    private Space(long number) {
      this.number = number;
    }

    /** Copies a page to {@code target}, if it is there. */
    boolean get(long run, int page, byte[] target) {
      return isKept(run) && PageCache.this.get(key(run), page, target);
    }

    /** Keeps a copy of a page that has been checked. */
    void put(long run, int page, byte[] source) {
      if (isKept(run)) {
        PageCache.this.put(key(run), page, source);
      }
    }

    /** Nobody has so many runs; should it be, their pages are read anew. */
    private boolean isKept(long run) {
      return run >>> SPACE_SHIFT == 0 && number >>> (Long.SIZE - SPACE_SHIFT) == 0;
    }

    private long key(long run) {
      return number << SPACE_SHIFT | run;
    }
  }

  private boolean get(long run, int page, byte[] target) {
    Stripe[] all = stripes;
    if (all.length == 0) {
      return false;
    }
    long hash = hash(run, page);
    Stripe stripe = all[(int) hash & (STRIPES - 1)];
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

  private void put(long run, int page, byte[] source) {
    Stripe[] all = stripes;
    if (all.length == 0) {
      return;
    }
    long hash = hash(run, page);
    Stripe stripe = all[(int) hash & (STRIPES - 1)];
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

  /** Bytes that it holds now. */
  public long memoryBytes() {
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
