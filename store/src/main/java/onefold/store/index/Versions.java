package onefold.store.index;

import java.util.ArrayDeque;
import onefold.store.scheduler.SchedulerLock;

/** The version that counts now, and the end of those that no longer do. */
final class Versions {
  private final SchedulerLock lock;
  private final ArrayDeque<Shared> unused = new ArrayDeque<>(); // guarded by lock
  private volatile IndexVersion current; // changed under lock
  private volatile boolean closed;

  /**
   * @param lock the index's lock
   */
  Versions(SchedulerLock lock, IndexVersion first) {
    this.lock = lock;
    this.current = first;
    retainAll(first);
  }

  /** The version now; under the lock it stays alive, elsewhere use {@link #acquire}. */
  IndexVersion current() {
    return current;
  }

  /** The version now, kept alive until {@link #release}. Waits for nobody. */
  IndexVersion acquire() {
    while (true) {
      IndexVersion now = current;
      if (now.tryRetain()) {
        return now;
      }
      if (closed) {
        throw new IllegalStateException("the index is closed");
      }
    }
  }

  void release(IndexVersion used) {
    if (used.release()) {
      lock.lock();
      try {
        releaseAll(used);
      } finally {
        lock.unlock();
      }
      disposeUnused();
    }
  }

  /** Replaces the version. Called under the lock; {@link #disposeUnused} is due afterwards. */
  void install(IndexVersion next) {
    IndexVersion old = current;
    retainAll(next);
    current = next;
    if (old.release()) {
      releaseAll(old);
    }
  }

  /** Disposes of what no version uses any more. Called without the lock. */
  void disposeUnused() {
    while (true) {
      Shared part;
      lock.lock();
      try {
        part = unused.poll();
      } finally {
        lock.unlock();
      }
      if (part == null) {
        return;
      }
      part.dispose();
    }
  }

  /** Disposes of everything, as soon as nobody uses it. */
  void close() {
    closed = true;
    lock.lock();
    try {
      if (current.release()) {
        releaseAll(current);
      }
    } finally {
      lock.unlock();
    }
    disposeUnused();
  }

  private static void retainAll(IndexVersion made) {
    made.active().retain();
    MemoryTable frozen = made.frozen();
    if (frozen != null) {
      frozen.retain();
    }
    for (Partition partition : made.partitions()) {
      partition.runs().forEach(Run::retain);
    }
  }

  private void releaseAll(IndexVersion gone) {
    release(gone.active());
    MemoryTable frozen = gone.frozen();
    if (frozen != null) {
      release(frozen);
    }
    for (Partition partition : gone.partitions()) {
      partition.runs().forEach(this::release);
    }
  }

  private void release(Shared part) {
    if (part.release()) {
      unused.add(part);
    }
  }
}
