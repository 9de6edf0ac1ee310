package onefold.nas;

import java.io.IOException;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.UnaryOperator;
import onefold.store.MutableObject;

/**
 * The content of a regular file that is open, or was until a moment ago, and its attributes, which
 * may be ahead of what the tree holds.
 *
 * <p>Locks, in this order: {@code writing} for one change of content at a time, {@code forcing} for
 * one force at a time, {@code state} for attributes, which is never held while anything waits.
 */
final class FileContent {
  /** Attributes and length at one moment. */
  record State(Inode inode, long lengthBytes) {}

  private final MutableObject object;
  final ReentrantLock writing = new ReentrantLock();
  private final ReentrantLock forcing = new ReentrantLock();
  final ReentrantLock stateLock = new ReentrantLock();

  private volatile State state; // written under stateLock
  // Changes that a force must make durable, and those that are; changed under stateLock.
  private final AtomicLong version = new AtomicLong();
  private final AtomicLong durableVersion = new AtomicLong();

  // Guarded by the lock of OpenFiles.
  int holders;
  boolean unlinked;
  long idleSinceMillis;

  FileContent(MutableObject object, State state) {
    this.object = object;
    this.state = state;
  }

  MutableObject object() {
    return object;
  }

  long fileId() {
    return state.inode.fileId();
  }

  State state() {
    return state;
  }

  /** Takes note of a change of content; under {@code writing}. */
  State modified(Instant now, long lengthBytes, boolean sparse) {
    stateLock.lock();
    try {
      Inode.Edit edit = state.inode.edit().modified(now);
      edit.sparse |= sparse;
      state = new State(edit.done(), lengthBytes);
      version.incrementAndGet();
      return state;
    } finally {
      stateLock.unlock();
    }
  }

  /** Takes over attributes that were put into the tree; under {@code stateLock}. */
  void put(Inode inode) {
    state = new State(inode, state.lengthBytes);
  }

  /** Changes what is only in the note; for {@link #force}. */
  void note(UnaryOperator<Inode> change) {
    stateLock.lock();
    try {
      state = new State(change.apply(state.inode), state.lengthBytes);
      version.incrementAndGet();
    } finally {
      stateLock.unlock();
    }
  }

  boolean isDirty() {
    return durableVersion.get() < version.get();
  }

  /** Makes all changes so far durable, attributes along with them. No other lock may be held. */
  void force() throws IOException {
    forcing.lock();
    try {
      long wanted;
      byte[] note;
      stateLock.lock();
      try {
        if (!isDirty()) {
          return;
        }
        wanted = version.get();
        note = ShareTreeFormat.note(state.inode);
      } finally {
        stateLock.unlock();
      }
      try {
        object.force(note);
      } catch (IOException e) {
        throw Entries.translated(e);
      }
      stateLock.lock();
      try {
        durableVersion.set(wanted);
      } finally {
        stateLock.unlock();
      }
    } finally {
      forcing.unlock();
    }
  }
}
