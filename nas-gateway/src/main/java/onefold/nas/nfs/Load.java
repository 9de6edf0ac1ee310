package onefold.nas.nfs;

import java.util.ArrayDeque;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The bound on calls that are being served, of all connections together. A connection that finds it
 * reached stops reading and is told, in order of arrival, when there is room again.
 */
final class Load {
  private final int maxCalls;
  private final long maxBytes;

  private final ReentrantLock lock = new ReentrantLock();
  private int calls; // guarded by lock
  private long bytes; // guarded by lock
  private final ArrayDeque<Runnable> waiting = new ArrayDeque<>(); // guarded by lock

  Load(int maxCalls, long maxBytes) {
    this.maxCalls = maxCalls;
    this.maxBytes = maxBytes;
  }

  /** Counts a call; it may be served whatever the bound says, since its bytes are here already. */
  void began(int recordBytes) {
    lock.lock();
    try {
      calls++;
      bytes += recordBytes;
    } finally {
      lock.unlock();
    }
  }

  void ended(int recordBytes) {
    Runnable next = null;
    lock.lock();
    try {
      calls--;
      bytes -= recordBytes;
      if (hasRoom()) {
        next = waiting.poll();
      }
    } finally {
      lock.unlock();
    }
    if (next != null) {
      next.run();
    }
  }

  private boolean hasRoom() {
    return calls < maxCalls && bytes < maxBytes;
  }

  /**
   * Returns whether there is room for another call; if not, {@code wake} is run when there is.
   * Somebody who was woken and does not need the room passes it on by {@link #pass}.
   */
  boolean roomOrWait(Runnable wake) {
    lock.lock();
    try {
      if (hasRoom()) {
        return true;
      }
      waiting.add(wake);
      return false;
    } finally {
      lock.unlock();
    }
  }

  /** Wakes the next who waits, if there is room. */
  void pass() {
    Runnable next = null;
    lock.lock();
    try {
      if (hasRoom()) {
        next = waiting.poll();
      }
    } finally {
      lock.unlock();
    }
    if (next != null) {
      next.run();
    }
  }

  int calls() {
    lock.lock();
    try {
      return calls;
    } finally {
      lock.unlock();
    }
  }
}
