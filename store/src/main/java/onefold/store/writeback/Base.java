package onefold.store.writeback;

import java.io.IOException;
import java.time.Duration;
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
 * <p>At most {@value #MAX_READERS} readers: whoever reads on where the last who waits for one of
 * them will stop gets that one, so that streams are read ahead, by as many requests at a time as
 * there may be; others wait for the one used longest ago. A request that has overtaken the one
 * before it is held up for a moment.
 */
final class Base {
  /** Readers of one recipe at a time. */
  static final int MAX_READERS = 4;

  /** How far ahead of a stream a request may be that waits for those in between. */
  private static final long NEAR_BYTES = 16 << 20;

  /** How long it waits for them. */
  private static final Duration PATIENCE = Duration.ofMillis(5);

  /** Requests in order after which one waits again, when one has waited in vain. */
  private static final int ORDERLY = 4;

  final ObjectRoot root;

  /** Bytes that are neither hole nor reserved; -1 if nobody has counted them. */
  final long dataBytes;

  /** Behind it there are only holes. */
  final long dataEnd;

  private final Ground ground;
  private final Ground.Pin pin;
  private final SchedulerLock lock;
  private final Scheduler scheduler;
  private final SchedulerCondition moved;
  private final List<Slot> slots = new ArrayList<>(); // guarded by lock
  private int users = 1; // guarded by lock
  private long uses; // guarded by lock

  /** How many requests came in order since one waited in vain; guarded by lock. */
  private int orderly = ORDERLY;

  /** A reader; its fields but {@code reader} are guarded by the lock. */
  private static final class Slot {
    /** Owned by whoever has made the slot busy. */
    @Nullable ObjectReader reader;

    /** Numbers given to those who want to read with it, and how many of them are through. */
    long tickets;

    long served;

    /** Where the last of them will stop. */
    long endPosition = -1;

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
    this.scheduler = scheduler;
    this.moved = lock.newCondition();
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

  /** How many readers there are. */
  int readerCount() {
    lock.lock();
    try {
      return slots.size();
    } finally {
      lock.unlock();
    }
  }

  /** Closes the readers that nobody is reading with. */
  void closeIdleReaders() {
    List<Slot> idle = new ArrayList<>();
    lock.lock();
    try {
      for (Slot slot : slots) {
        if (slot.served == slot.tickets) {
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
      slot.endPosition = position + lengthBytes;
      slot.lastUse = ++uses;
      long ticket = slot.tickets++;
      moved.signalAll(); // Somebody may go on where this one stops.
      while (slot.served != ticket) {
        moved.await();
      }
      return slot;
    } finally {
      lock.unlock();
    }
  }

  private Slot choose(long position) {
    Slot next = streamAt(position);
    if (next == null && orderly >= ORDERLY && isNear(position)) {
      long start = scheduler.nanoTime();
      while (next == null && scheduler.nanoTime() - start < PATIENCE.toNanos()) {
        boolean _ = moved.await(PATIENCE);
        next = streamAt(position);
      }
      if (next == null) {
        orderly = 0;
      }
    } else if (next != null) {
      orderly++;
    }
    if (next != null) {
      return next;
    }
    Slot oldest = null;
    for (Slot slot : slots) {
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

  private @Nullable Slot streamAt(long position) {
    for (Slot slot : slots) {
      if (slot.endPosition == position) {
        return slot;
      }
    }
    return null;
  }

  private boolean isNear(long position) {
    for (Slot slot : slots) {
      if (slot.endPosition < position && position <= slot.endPosition + NEAR_BYTES) {
        return true;
      }
    }
    return false;
  }

  private void release(Slot slot, boolean usable) {
    if (!usable) {
      close(slot);
    }
    lock.lock();
    try {
      slot.served++;
      moved.signalAll();
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
