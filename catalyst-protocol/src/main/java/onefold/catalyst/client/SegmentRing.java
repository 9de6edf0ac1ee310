package onefold.catalyst.client;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import onefold.catalyst.wire.ErrorCode;
import org.jspecify.annotations.Nullable;

/**
 * The last stretches of an item. A segment is used again, oldest first, when everything in it is
 * known to be with the appliance and no unused one is left: until then it stays, in case the
 * appliance loses what it had. When all are in use the caller waits.
 */
final class SegmentRing {
  private final int maxSegments;
  private final Runnable onWaiting;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final ArrayDeque<Segment> live = new ArrayDeque<>(); // guarded by lock; in order
  private int segmentCount; // guarded by lock
  private long settledBytes; // guarded by lock
  private boolean waiting; // guarded by lock
  private @Nullable IOException failure; // guarded by lock

  /**
   * Makes a ring.
   *
   * @param onWaiting run, with the lock held, when the caller begins to wait
   */
  SegmentRing(long bufferBytes, Runnable onWaiting) {
    this.maxSegments = (int) Math.max(2, bufferBytes / Segment.BYTES);
    this.onWaiting = onWaiting;
  }

  /** Takes an empty segment, waiting for one. */
  Segment acquire() throws IOException {
    lock.lock();
    try {
      while (true) {
        if (failure != null) {
          throw failure;
        }
        if (segmentCount < maxSegments) {
          segmentCount++;
          return new Segment();
        }
        Segment oldest = live.peekFirst();
        if (oldest != null && isSettled(oldest)) {
          live.removeFirst();
          oldest.reset();
          return oldest;
        }
        waiting = true;
        onWaiting.run();
        changed.await();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CatalystException(ErrorCode.CANCELLED, "interrupted");
    } finally {
      waiting = false;
      lock.unlock();
    }
  }

  /** Takes a cut segment in; it has at least one chunk. */
  void add(Segment segment) throws IOException {
    lock.lock();
    try {
      if (failure != null) {
        throw failure;
      }
      live.addLast(segment);
    } finally {
      lock.unlock();
    }
  }

  /** Says up to where everything is with the appliance; may go back when it lost something. */
  void settled(long bytes) {
    lock.lock();
    try {
      settledBytes = bytes;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Whether the caller waits for more to be settled; not while it is on its way to wake up. */
  boolean isCallerWaiting() {
    lock.lock();
    try {
      Segment oldest = live.peekFirst();
      return waiting && (oldest == null || !isSettled(oldest));
    } finally {
      lock.unlock();
    }
  }

  /** Under the lock. */
  private boolean isSettled(Segment segment) {
    return segment.endBytes() <= settledBytes;
  }

  /** Makes every wait fail from now on; the first reason counts. */
  void fail(IOException why) {
    lock.lock();
    try {
      if (failure == null) {
        failure = why;
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  void check() throws IOException {
    lock.lock();
    try {
      if (failure != null) {
        throw failure;
      }
    } finally {
      lock.unlock();
    }
  }

  /** Where a chunk's bytes lie. */
  record ChunkBytes(byte[] array, int start, int lengthBytes) {}

  /** Finds the chunk that begins at {@code offset}; null if its segment has been used again. */
  @Nullable ChunkBytes find(long offset, int lengthBytes) {
    lock.lock();
    try {
      for (Segment segment : live) {
        if (segment.endBytes() > offset) {
          int i = Arrays.binarySearch(segment.offsets, 0, segment.chunkCount, offset);
          return i >= 0 && segment.lengths[i] == lengthBytes
              ? new ChunkBytes(segment.bytes, segment.starts[i], lengthBytes)
              : null;
        }
      }
      return null;
    } finally {
      lock.unlock();
    }
  }
}
