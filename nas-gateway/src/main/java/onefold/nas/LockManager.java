package onefold.nas;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Share modes and byte range locks of one share, of all protocols: what one sets, the others meet.
 * Kept in memory; a front-end whose clients expect locks to outlive a restart lets them reclaim.
 *
 * <p>An owner is any object with {@code equals} and {@code hashCode} of the front-end's own; it is
 * handed back as the holder of what is in the way. Two owners conflict if they are not equal.
 *
 * <p>Ranges are those of POSIX: a new lock of an owner replaces what he has of its range, and may
 * be partly released. Nobody waits in here. At most {@link #MAX_LOCKS} ranges and {@link
 * #MAX_OPENS} share modes are held; beyond that {@link FileError#TOO_MANY_LOCKS}.
 */
public final class LockManager {
  public static final int MAX_LOCKS = 200_000;
  public static final int MAX_OPENS = 200_000;

  /** Length that reaches to the end, wherever that will be. */
  public static final long TO_END = -1;

  /** A share mode or range that is held. */
  public record Held(
      Object owner, long fileId, long positionBytes, long lengthBytes, boolean exclusive) {}

  private record Mode(Object owner, int access, int deny) {}

  /** A range: {@code end} is exclusive, {@link Long#MAX_VALUE} for no end. */
  private record Range(Object owner, long start, long end, boolean exclusive) {
    boolean meets(long otherStart, long otherEnd) {
      return start < otherEnd && otherStart < end;
    }
  }

  private static final class FileLocks {
    private final List<Mode> modes = new ArrayList<>();
    private final List<Range> ranges = new ArrayList<>();
  }

  private final ReentrantLock lock = new ReentrantLock();
  // Guarded by lock.
  private final Map<Long, FileLocks> files = new HashMap<>();
  private int rangeCount;
  private int modeCount;

  /**
   * Sets an owner's share mode; one that he has on the file is replaced.
   *
   * @param access {@link OpenFile#READ} and {@link OpenFile#WRITE}: what he does
   * @param deny the same bits: what others must not do meanwhile
   * @throws FileException {@code SHARE_DENIED}; his mode is as before
   */
  public void open(long fileId, Object owner, int access, int deny) throws FileException {
    lock.lock();
    try {
      FileLocks file = files.computeIfAbsent(fileId, id -> new FileLocks());
      boolean had = false;
      for (Mode mode : file.modes) {
        if (mode.owner.equals(owner)) {
          had = true;
        } else if ((mode.deny & access) != 0 || (mode.access & deny) != 0) {
          throw new FileException(
              FileError.SHARE_DENIED, "file " + fileId + " is open by " + mode.owner);
        }
      }
      if (!had && modeCount >= MAX_OPENS) {
        dropIfEmpty(fileId, file);
        throw new FileException(
            FileError.TOO_MANY_LOCKS, MAX_OPENS + " files are open in this share");
      }
      modeCount -= file.modes.size();
      file.modes.removeIf(mode -> mode.owner.equals(owner));
      file.modes.add(new Mode(owner, access, deny));
      modeCount += file.modes.size();
    } finally {
      lock.unlock();
    }
  }

  /** Takes back an owner's share mode, if he has one. */
  public void close(long fileId, Object owner) {
    lock.lock();
    try {
      FileLocks file = files.get(fileId);
      if (file != null) {
        modeCount -= file.modes.size();
        file.modes.removeIf(mode -> mode.owner.equals(owner));
        modeCount += file.modes.size();
        dropIfEmpty(fileId, file);
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Whether another owner's share mode forbids an access.
   *
   * @param owner who wants it; any object that holds nothing for somebody without open
   */
  public boolean denies(long fileId, Object owner, int access) {
    lock.lock();
    try {
      FileLocks file = files.get(fileId);
      return file != null
          && file.modes.stream()
              .anyMatch(mode -> (mode.deny & access) != 0 && !mode.owner.equals(owner));
    } finally {
      lock.unlock();
    }
  }

  /**
   * Locks a range, or changes the kind of what the owner has of it.
   *
   * @param lengthBytes from 1, or {@link #TO_END}
   * @return what is in the way; empty if it was locked
   * @throws FileException {@code INVALID} for a range that cannot be, {@code TOO_MANY_LOCKS}
   */
  public Optional<Held> lock(
      long fileId, Object owner, long positionBytes, long lengthBytes, boolean exclusive)
      throws FileException {
    long end = end(positionBytes, lengthBytes);
    lock.lock();
    try {
      FileLocks file = files.computeIfAbsent(fileId, id -> new FileLocks());
      Optional<Held> conflict = conflict(file, fileId, owner, positionBytes, end, exclusive);
      if (conflict.isPresent()) {
        return conflict;
      }
      if (rangeCount >= MAX_LOCKS) {
        dropIfEmpty(fileId, file);
        throw new FileException(
            FileError.TOO_MANY_LOCKS, MAX_LOCKS + " ranges are locked in this share");
      }
      rangeCount -= file.ranges.size();
      cut(file, owner, positionBytes, end);
      // What touches it and is of the same kind becomes one range.
      long start = positionBytes;
      for (int i = file.ranges.size() - 1; i >= 0; i--) {
        Range range = file.ranges.get(i);
        if (range.owner.equals(owner)
            && range.exclusive == exclusive
            && (range.end == start || range.start == end)) {
          start = Math.min(start, range.start);
          end = Math.max(end, range.end);
          file.ranges.remove(i);
        }
      }
      file.ranges.add(new Range(owner, start, end, exclusive));
      rangeCount += file.ranges.size();
      return Optional.empty();
    } finally {
      lock.unlock();
    }
  }

  /** Says what would be in the way of a lock. */
  public Optional<Held> test(
      long fileId, Object owner, long positionBytes, long lengthBytes, boolean exclusive)
      throws FileException {
    long end = end(positionBytes, lengthBytes);
    lock.lock();
    try {
      FileLocks file = files.get(fileId);
      return file == null
          ? Optional.empty()
          : conflict(file, fileId, owner, positionBytes, end, exclusive);
    } finally {
      lock.unlock();
    }
  }

  /** Releases what an owner has of a range; nothing, if he has nothing. */
  public void unlock(long fileId, Object owner, long positionBytes, long lengthBytes)
      throws FileException {
    long end = end(positionBytes, lengthBytes);
    lock.lock();
    try {
      FileLocks file = files.get(fileId);
      if (file != null) {
        rangeCount -= file.ranges.size();
        cut(file, owner, positionBytes, end);
        rangeCount += file.ranges.size();
        dropIfEmpty(fileId, file);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Releases all that an owner has locked of a file; his share mode stays. */
  public void unlockAll(long fileId, Object owner) {
    lock.lock();
    try {
      FileLocks file = files.get(fileId);
      if (file != null) {
        rangeCount -= file.ranges.size();
        file.ranges.removeIf(range -> range.owner.equals(owner));
        rangeCount += file.ranges.size();
        dropIfEmpty(fileId, file);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Whether an owner holds a range of a file. */
  public boolean holds(long fileId, Object owner) {
    lock.lock();
    try {
      FileLocks file = files.get(fileId);
      return file != null && file.ranges.stream().anyMatch(range -> range.owner.equals(owner));
    } finally {
      lock.unlock();
    }
  }

  /** Share modes and ranges that are held, for statistics. */
  public int heldCount() {
    lock.lock();
    try {
      return rangeCount + modeCount;
    } finally {
      lock.unlock();
    }
  }

  private static Optional<Held> conflict(
      FileLocks file, long fileId, Object owner, long start, long end, boolean exclusive) {
    for (Range range : file.ranges) {
      if (range.meets(start, end) && (exclusive || range.exclusive) && !range.owner.equals(owner)) {
        long length = range.end == Long.MAX_VALUE ? TO_END : range.end - range.start;
        return Optional.of(new Held(range.owner, fileId, range.start, length, range.exclusive));
      }
    }
    return Optional.empty();
  }

  /** Takes a range out of what an owner has. */
  private static void cut(FileLocks file, Object owner, long start, long end) {
    List<Range> kept = new ArrayList<>(file.ranges.size() + 1);
    for (Range range : file.ranges) {
      if (!range.owner.equals(owner) || !range.meets(start, end)) {
        kept.add(range);
        continue;
      }
      if (range.start < start) {
        kept.add(new Range(owner, range.start, start, range.exclusive));
      }
      if (range.end > end) {
        kept.add(new Range(owner, end, range.end, range.exclusive));
      }
    }
    file.ranges.clear();
    file.ranges.addAll(kept);
  }

  private void dropIfEmpty(long fileId, FileLocks file) {
    if (file.modes.isEmpty() && file.ranges.isEmpty()) {
      files.remove(fileId);
    }
  }

  private static long end(long positionBytes, long lengthBytes) throws FileException {
    if (positionBytes < 0 || lengthBytes == 0 || lengthBytes < TO_END) {
      throw new FileException(
          FileError.INVALID, "range of " + lengthBytes + " at " + positionBytes);
    }
    if (lengthBytes == TO_END || lengthBytes >= Long.MAX_VALUE - positionBytes) {
      return Long.MAX_VALUE;
    }
    return positionBytes + lengthBytes;
  }
}
