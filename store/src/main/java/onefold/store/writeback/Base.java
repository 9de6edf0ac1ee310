package onefold.store.writeback;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import onefold.chunker.EntryType;
import onefold.chunker.ObjectRoot;
import onefold.store.ObjectReader;
import onefold.store.recipe.RecipeCursor;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.SchedulerCondition;
import onefold.store.scheduler.SchedulerLock;
import org.jspecify.annotations.Nullable;

/**
 * The recipe below an object's changes, with its readers. Kept from housekeeping until it is
 * retired and nobody uses it any more. Any number of threads.
 *
 * <p>At most {@value #MAX_READERS} readers: whoever reads on where one of them stopped gets that
 * one, so that streams are read ahead; others wait for the one used longest ago.
 */
final class Base {
  /** Readers of one recipe at a time. */
  static final int MAX_READERS = 4;

  final ObjectRoot root;

  /** Bytes that are neither hole nor reserved; -1 if nobody has counted them. */
  final long dataBytes;

  /** Behind it there are only holes. */
  final long dataEnd;

  private final Ground ground;
  private final Ground.Pin pin;
  private final SchedulerLock lock;
  private final SchedulerCondition freed;
  private final List<Slot> slots = new ArrayList<>(); // guarded by lock
  private int users = 1; // guarded by lock
  private long uses; // guarded by lock

  /** A reader; its fields but {@code reader} are guarded by the lock. */
  private static final class Slot {
    /** Owned by whoever has made the slot busy. */
    @Nullable ObjectReader reader;

    boolean busy;
    int waiting;
    long expectedPosition = -1;
    long lastUse;
  }

  /** The maker uses it until it calls {@link #leave}. */
  private Base(
      Scheduler scheduler,
      Ground ground,
      ObjectRoot root,
      long dataBytes,
      long dataEnd,
      Ground.Pin pin) {
    this.root = root;
    this.dataBytes = dataBytes;
    this.dataEnd = dataEnd;
    this.ground = ground;
    this.pin = pin;
    this.lock = scheduler.lock("writeback-base");
    this.freed = lock.newCondition();
  }

  /**
   * Keeps a recipe from now on. Whoever asks uses it until it calls {@link #leave}.
   *
   * @param dataBytes bytes that are neither hole nor reserved; -1 if they are not known
   * @throws onefold.store.RefusedException {@code NOT_FOUND} if it is not here
   */
  static Base open(Scheduler scheduler, Ground ground, ObjectRoot root, long dataBytes)
      throws IOException {
    boolean empty = root.lengthBytes() == 0; // Then nobody need have stored it.
    Ground.Pin pin = empty ? () -> {} : ground.pin(root);
    boolean ready = false;
    try {
      long dataEnd = root.lengthBytes();
      if (!empty && dataBytes >= 0 && dataBytes < root.lengthBytes()) {
        dataEnd = trailingHoleStart(ground, root);
      }
      Base base = new Base(scheduler, ground, root, dataBytes, dataEnd, pin);
      ready = true;
      return base;
    } finally {
      if (!ready) {
        pin.release();
      }
    }
  }

  long lengthBytes() {
    return root.lengthBytes();
  }

  boolean isDense() {
    return dataBytes == root.lengthBytes();
  }

  /** One more uses it. Called by somebody who uses it, or who holds what uses it. */
  void enter() {
    lock.lock();
    try {
      users++;
    } finally {
      lock.unlock();
    }
  }

  /** One less uses it; the last one ends it. */
  void leave() {
    List<Slot> all = List.of();
    boolean last;
    lock.lock();
    try {
      last = --users == 0;
      if (last) {
        all = List.copyOf(slots);
        slots.clear();
      }
    } finally {
      lock.unlock();
    }
    if (last) {
      for (Slot slot : all) {
        close(slot);
      }
      pin.release();
    }
  }

  private static void close(Slot slot) {
    ObjectReader reader = slot.reader;
    slot.reader = null;
    if (reader != null) {
      reader.close();
    }
  }

  /** Closes the readers that nobody is reading with. */
  void closeIdleReaders() {
    List<Slot> idle = new ArrayList<>();
    lock.lock();
    try {
      for (Slot slot : slots) {
        if (!slot.busy && slot.waiting == 0) {
          idle.add(slot);
        }
      }
      slots.removeAll(idle);
    } finally {
      lock.unlock();
    }
    for (Slot slot : idle) {
      close(slot);
    }
  }

  /** Fills a range of an array; the range lies inside the object. */
  void read(long position, byte[] target, int offset, int lengthBytes) throws IOException {
    Slot slot = acquire(position, lengthBytes);
    boolean done = false;
    try {
      ObjectReader reader = slot.reader;
      if (reader == null) {
        reader = ground.openReader(root);
        slot.reader = reader;
      }
      int read = 0;
      while (read < lengthBytes) {
        int n = reader.read(position + read, target, offset + read, lengthBytes - read);
        if (n < 1) {
          throw new IOException(
              "the object ends before " + (position + lengthBytes) + ", expected " + root);
        }
        read += n;
      }
      done = true;
    } finally {
      release(slot, done);
    }
  }

  private Slot acquire(long position, int lengthBytes) {
    lock.lock();
    try {
      Slot slot = choose(position);
      slot.waiting++;
      while (slot.busy) {
        freed.await();
      }
      slot.waiting--;
      slot.busy = true;
      slot.expectedPosition = position + lengthBytes;
      slot.lastUse = ++uses;
      return slot;
    } finally {
      lock.unlock();
    }
  }

  private Slot choose(long position) {
    Slot oldest = null;
    for (Slot slot : slots) {
      if (slot.expectedPosition == position) {
        return slot;
      }
      if (oldest == null || slot.lastUse < oldest.lastUse) {
        oldest = slot;
      }
    }
    if (oldest == null || slots.size() < MAX_READERS) {
      Slot made = new Slot();
      slots.add(made);
      return made;
    }
    return oldest;
  }

  private void release(Slot slot, boolean usable) {
    if (!usable) {
      close(slot);
    }
    lock.lock();
    try {
      slot.busy = false;
      freed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  // ---- what the recipe says

  /** Bytes of a range that are neither hole nor reserved. */
  long dataBytes(long from, long to) throws IOException {
    long end = Math.min(to, root.lengthBytes());
    if (from >= end) {
      return 0;
    }
    if (isDense()) {
      return end - from;
    }
    if (from == 0 && end == root.lengthBytes() && dataBytes >= 0) {
      return dataBytes;
    }
    return count(from, end);
  }

  private long count(long from, long to) throws IOException {
    RecipeCursor cursor = new RecipeCursor(ground.nodes(), root);
    cursor.seek(from);
    long count = 0;
    while (cursor.next() && cursor.positionBytes() < to) {
      if (isData(cursor.type())) {
        count +=
            Math.min(to, cursor.positionBytes() + cursor.lengthBytes()) - cursor.positionBytes();
      }
    }
    return count;
  }

  static boolean isData(EntryType type) {
    return switch (type) {
      case CHUNK, SLICE -> true;
      case HOLE, RESERVED -> false;
      case CHILD -> throw new IllegalStateException("a child entry in a leaf");
    };
  }

  /**
   * Returns the first position from one on, and before another, that is data, or is not.
   *
   * @return {@code to} if there is none
   */
  long next(long from, long to, boolean data) throws IOException {
    if (from >= to) {
      return to;
    }
    if (isDense()) {
      return data ? from : to;
    }
    RecipeCursor cursor = new RecipeCursor(ground.nodes(), root);
    cursor.seek(from);
    while (cursor.next() && cursor.positionBytes() < to) {
      if (isData(cursor.type()) == data) {
        return Math.max(from, cursor.positionBytes());
      }
    }
    return to;
  }

  /** Where the last chunk begins; the object's end if that is no whole chunk. */
  long lastChunkStart() throws IOException {
    long length = root.lengthBytes();
    if (length == 0) {
      return 0;
    }
    RecipeCursor cursor = new RecipeCursor(ground.nodes(), root);
    cursor.seek(length - 1);
    if (!cursor.next() || cursor.type() != EntryType.CHUNK) {
      return length;
    }
    return length - cursor.chunkLengthBytes();
  }

  /** Where the holes begin that an object ends with; its end if it ends with something else. */
  private static long trailingHoleStart(Ground ground, ObjectRoot root) throws IOException {
    long start = root.lengthBytes();
    RecipeCursor cursor = new RecipeCursor(ground.nodes(), root);
    while (start > 0) {
      cursor.seek(start - 1);
      if (!cursor.next() || cursor.type() != EntryType.HOLE) {
        return start;
      }
      start = cursor.entryStartBytes();
    }
    return start;
  }
}
