package onefold.store.writeback;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import onefold.chunker.ObjectRoot;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.MutableObject;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;
import onefold.store.ShareChange;
import onefold.store.ShareEntry;
import onefold.store.ShareObject;
import onefold.store.ShareStore;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.SchedulerLock;
import onefold.store.writeback.Extent.Content;
import onefold.store.writeback.Extent.Logged;
import onefold.store.writeback.Extent.Memory;
import onefold.store.writeback.Extent.Source;
import onefold.store.writeback.WritebackFormat.LogRecord;
import onefold.store.writeback.WritebackFormat.Part;
import org.jspecify.annotations.Nullable;

/**
 * The content of one file: a recipe, and over it the changes that are not in it yet.
 *
 * <p>Changes are numbered. The tree's entry says up to which number they are in its recipe ({@code
 * folded}); the log's records of this object say what leads from one number to another. What is
 * above both is in memory only.
 *
 * <p>Three locks, taken in this order: {@code work} for whoever makes recipes, {@code logging} for
 * whoever appends to the log, {@code state} for looking at the state and changing it, held for no
 * longer than that. See the package for why this is safe.
 */
final class WritebackObject {
  /** Memory of one extent more, and of the one that it may cut in two. */
  private static final long CHANGE_BYTES = 2L * ExtentMap.EXTENT_BYTES;

  /** Runs of data that are worth folding at once instead of logging first. */
  private static final int LONG_RUN_BYTES = 256 << 10;

  // In units of the settings' streamBytes:

  /** Least data that is fed to a recipe under way at once. */
  private static final int STEP = 2;

  /** Most data that is collected for the recipe at once. */
  private static final int FEED = 8;

  /** Data that was fed and is kept for readers, before the recipe's beginning takes its place. */
  private static final int WINDOW = 16;

  /** Data that may wait to be fed before writers do it themselves, one after the other. */
  private static final int BACKLOG = 32;

  /** Changes that may be in memory only before the writer moves them on. */
  private static final int UNLOGGED = 32;

  /** Bytes that are logged a second time so that a recipe of the beginning can be named. */
  private static final int AGAIN_BYTES = 4 << 20;

  /** Times that a fold is tried when what it takes from has been swept meanwhile. */
  private static final int FOLD_TRIES = 3;

  final Id shareId;
  final Id objectId;
  private final byte[] key;
  private final boolean readOnly;
  private final Writeback owner;
  private final Scheduler scheduler;
  private final Ground ground;

  private final long unitBytes;
  private final SchedulerLock work;
  private final SchedulerLock logging;
  private final SchedulerLock state;

  /** How many have it open; guarded by the owner's lock. */
  int openers;

  /** The recipe under way that takes data at the end as it comes. */
  private @Nullable ObjectBuilder builder; // guarded by work

  // Guarded by state.
  private final ExtentMap extents = new ExtentMap();
  private final ArrayDeque<Needed> needed = new ArrayDeque<>();
  private Base base;

  /** How much of the recipe counts: what lies behind was cut off. */
  private long visible;

  private long length;
  private byte[] note;

  /** Numbers up to this one have been given; never one of a record that stands in the log. */
  private long number;

  private long lastChange;
  private long folded;

  /** Whether the tree has the recipe; if not, the builder keeps it. */
  private boolean named = true;

  private long lastLogged;
  private long loggedLength;

  /** The least length since {@code lastLogged}. */
  private long cutSinceLogged = Long.MAX_VALUE;

  /** The least length since the append that runs took what it logs. */
  private long cutSinceDelta = Long.MAX_VALUE;

  /** The least length since the fold that runs took what it folds. */
  private long cutSinceFold = Long.MAX_VALUE;

  private long unloggedBytes;
  private boolean streaming;
  private boolean streamBroken;

  /** Data from {@code visible} to here has been fed. */
  private long fedTo;

  private long generation;

  /** How often the content was changed; folding it is no change. */
  private long changes;

  // What dataBytes() found last, after how many changes.
  private long countedAt = -1;
  private long countedBytes;

  private long chargedBytes;
  private long lastChangeNanos;
  private boolean gone;

  /** What an append that is under way may need of the log. */
  private volatile long appendingFrom = Long.MAX_VALUE;

  /** A record of the log that this object needs until changes up to its number are folded. */
  private record Needed(long position, long number, long spanBytes) {}

  /**
   * An object as the tree has it.
   *
   * @param base used by this object until it ends
   * @param numberFloor no change gets this number or a lower one
   */
  WritebackObject(
      Writeback owner,
      Id shareId,
      byte[] key,
      ShareObject object,
      Base base,
      long numberFloor,
      boolean readOnly) {
    this.owner = owner;
    this.scheduler = owner.scheduler();
    this.ground = owner.ground();
    this.shareId = shareId;
    this.objectId = object.id();
    this.key = key;
    this.readOnly = readOnly;
    this.unitBytes = owner.settings().streamBytes();
    this.work = scheduler.lock("writeback-work");
    this.logging = scheduler.lock("writeback-logging");
    this.state = scheduler.lock("writeback-state");
    this.base = base;
    this.visible = base.lengthBytes();
    this.length = base.lengthBytes();
    this.note = object.note();
    this.folded = object.folded();
    this.lastChange = folded;
    this.lastLogged = folded;
    this.loggedLength = length;
    this.number = Math.max(folded, numberFloor);
    extents.freshFrom(lastLogged);
  }

  // ---- a start

  /**
   * Whether a record that was found in the log leads on from here. One that does not was never
   * acknowledged, or its changes are in the recipe.
   */
  boolean follows(LogRecord record) {
    return record.previous() <= lastChange && record.number() > lastChange;
  }

  /** Applies a record that {@link #follows}; before anybody else sees this object. */
  void recover(
      LogRecord record,
      long position,
      long spanBytes,
      long segmentNumber,
      long offsetBytes,
      List<Source> sources) {
    state.lock();
    try {
      cutTo(Math.min(record.cut(), record.length()));
      cutSinceLogged = Long.MAX_VALUE;
      int source = 0;
      for (Part part : record.parts()) {
        Content content =
            switch (part) {
              case Part.Data data ->
                  new Content.Data(
                      null,
                      0,
                      new Logged(
                          segmentNumber,
                          offsetBytes + data.offset(),
                          (int) data.length(),
                          data.crc()),
                      0);
              case Part.Zeros zeros ->
                  zeros.reserved() ? Content.Zeros.RESERVED : Content.Zeros.HOLE;
              case Part.Splice splice ->
                  new Content.Splice(sources.get(source++), splice.sourcePosition());
            };
        extents.put(new Extent(part.position(), part.length(), record.number(), content));
      }
      length = record.length();
      note = record.note();
      lastChange = record.number();
      lastLogged = lastChange;
      loggedLength = length;
      number = Math.max(number, lastChange);
      extents.freshFrom(lastLogged);
      extents.takeFresh();
      needed.add(new Needed(position, record.number(), spanBytes));
      lastChangeNanos = scheduler.nanoTime();
    } finally {
      unlockState();
    }
  }

  // ---- looking

  long lengthBytes() {
    state.lock();
    try {
      return length;
    } finally {
      state.unlock();
    }
  }

  byte[] note() {
    state.lock();
    try {
      return note.clone();
    } finally {
      state.unlock();
    }
  }

  Optional<ShareStore.Unfolded> unfolded() {
    state.lock();
    try {
      return isDirty()
          ? Optional.of(new ShareStore.Unfolded(length, note.clone()))
          : Optional.empty();
    } finally {
      state.unlock();
    }
  }

  private boolean isDirty() {
    return lastChange > folded || !named;
  }

  /** Whether it has changes that the tree's recipe has not. */
  boolean dirty() {
    state.lock();
    try {
      return isDirty();
    } finally {
      state.unlock();
    }
  }

  boolean isGone() {
    state.lock();
    try {
      return gone;
    } finally {
      state.unlock();
    }
  }

  /** Under the lock. */
  private ObjectView view(long from, long to) {
    base.enter();
    return new ObjectView(base, visible, length, extents.overlapping(from, to), generation);
  }

  private ObjectView lockedView(long from) {
    state.lock();
    try {
      return view(from, Long.MAX_VALUE);
    } finally {
      state.unlock();
    }
  }

  int read(long position, byte[] target, int offset, int wantedBytes) throws IOException {
    Objects.checkFromIndexSize(offset, wantedBytes, target.length);
    checkPosition(position, 0);
    while (true) {
      ObjectView view;
      int bytes;
      state.lock();
      try {
        if (position >= length) {
          return -1;
        }
        bytes = (int) Math.min(wantedBytes, length - position);
        view = view(position, position + bytes);
      } finally {
        state.unlock();
      }
      try (view) {
        return view.read(new LoggedBytes(owner.log()), position, target, offset, bytes);
      } catch (IOException e) {
        // A fold may have given back what the view needs; then there is a newer one.
        if (view.generation() == currentGeneration()) {
          throw e;
        }
      } finally {
        owner.read(this);
      }
    }
  }

  private long currentGeneration() {
    state.lock();
    try {
      return generation;
    } finally {
      state.unlock();
    }
  }

  /** How many readers its recipe has. */
  int readerCount() {
    state.lock();
    try {
      return base.readerCount();
    } finally {
      state.unlock();
    }
  }

  /** Closes the readers that nobody is reading with. */
  void closeIdleReaders() {
    Base current;
    state.lock();
    try {
      current = base;
      current.enter();
    } finally {
      state.unlock();
    }
    current.closeIdleReaders();
    current.leave();
  }

  long dataBytes() throws IOException {
    ObjectView view;
    long now;
    state.lock();
    try {
      now = changes;
      if (countedAt == now) {
        return countedBytes;
      }
      view = view(0, Long.MAX_VALUE);
    } finally {
      state.unlock();
    }
    long bytes;
    try (view) {
      bytes = view.dataBytes();
    }
    state.lock();
    try {
      countedAt = now;
      countedBytes = bytes;
    } finally {
      state.unlock();
    }
    return bytes;
  }

  /** Data in a range if it can be told at once, else -1; under the lock. */
  private long knownData(long from, long to) {
    long data = 0;
    long at = from;
    for (Extent extent : extents.overlapping(from, to)) {
      long start = Math.max(extent.start(), from);
      long below = knownBelow(at, start);
      if (below < 0 || extent.content() instanceof Content.Splice) {
        return -1;
      }
      at = Math.min(extent.end(), to);
      data += below + (extent.isData() ? at - start : 0);
    }
    long below = knownBelow(at, to);
    return below < 0 ? -1 : data + below;
  }

  /** As {@link #knownData}, of the recipe. */
  private long knownBelow(long from, long to) {
    long shown = Math.max(0, Math.min(to, visible) - from);
    return shown == 0 || base.isDense() ? shown : -1;
  }

  long nextData(long position) throws IOException {
    checkPosition(position, 0);
    try (ObjectView view = lockedView(position)) {
      long found = view.next(position, true);
      return found >= view.length() ? -1 : found;
    }
  }

  long nextHole(long position) throws IOException {
    checkPosition(position, 0);
    try (ObjectView view = lockedView(position)) {
      return Math.max(view.next(position, false), Math.min(position, view.length()));
    }
  }

  // ---- changing

  private static void checkPosition(long position, long lengthBytes) {
    if (position < 0 || lengthBytes < 0 || position > Long.MAX_VALUE - lengthBytes) {
      throw new IllegalArgumentException(lengthBytes + " bytes at " + position);
    }
  }

  private void checkWritable() throws IOException {
    if (readOnly) {
      throw new RefusedException(Reason.READ_ONLY, "the file belongs to a snapshot");
    }
    owner.checkUsable();
  }

  void write(long position, byte[] source, int offset, int lengthBytes) throws IOException {
    Objects.checkFromIndexSize(offset, lengthBytes, source.length);
    checkPosition(position, lengthBytes);
    if (lengthBytes > MutableObject.MAX_WRITE_BYTES) {
      throw new IllegalArgumentException(
          lengthBytes + " bytes, at most " + MutableObject.MAX_WRITE_BYTES);
    }
    checkWritable();
    if (lengthBytes == 0) {
      return;
    }
    ground.takeSpace(lengthBytes);
    int count = (lengthBytes - 1) / WritebackFormat.MAX_DATA_BYTES + 1;
    long room = lengthBytes + (long) (count - 1) * ExtentMap.EXTENT_BYTES + CHANGE_BYTES;
    owner.takeMemory(room);
    try {
      List<Memory> pieces = new ArrayList<>(count);
      for (int at = 0; at < lengthBytes; at += WritebackFormat.MAX_DATA_BYTES) {
        int end = Math.min(lengthBytes, at + WritebackFormat.MAX_DATA_BYTES);
        pieces.add(new Memory(Arrays.copyOfRange(source, offset + at, offset + end)));
      }
      state.lock();
      try {
        long had = countedAt == changes ? knownData(position, position + lengthBytes) : -1;
        change(position, position + lengthBytes);
        if (had >= 0) {
          countedAt = changes;
          countedBytes += lengthBytes - had;
        }
        long at = position;
        for (Memory piece : pieces) {
          int bytes = piece.bytes.length;
          extents.put(new Extent(at, bytes, number, new Content.Data(piece, 0, null, 0)));
          at += bytes;
        }
        length = Math.max(length, at);
        unloggedBytes += lengthBytes;
      } finally {
        unlockState();
      }
    } finally {
      owner.giveMemory(room);
    }
    owner.changed(this);
    moveOn();
  }

  /** Counts a change of a range; under the lock. */
  private void change(long from, long to) {
    changes++;
    lastChange = ++number;
    lastChangeNanos = scheduler.nanoTime();
    if (streaming && from < fedTo && to > visible) {
      streamBroken = true; // What was fed is not what is there.
    }
  }

  /** Takes everything from a length on away; under the lock. */
  private void cutTo(long end) {
    if (end < length) {
      extents.clear(end, Long.MAX_VALUE);
      visible = Math.min(visible, end);
      length = end;
    }
    cutSinceLogged = Math.min(cutSinceLogged, end);
    cutSinceDelta = Math.min(cutSinceDelta, end);
    cutSinceFold = Math.min(cutSinceFold, end);
  }

  void setLength(long newLength) throws IOException {
    checkPosition(newLength, 0);
    checkWritable();
    state.lock();
    try {
      if (newLength == length) {
        return;
      }
      change(newLength, Long.MAX_VALUE);
      if (newLength < length) {
        cutTo(newLength);
      }
      length = newLength;
    } finally {
      unlockState();
    }
    owner.changed(this);
  }

  void punch(long position, long lengthBytes) throws IOException {
    checkPosition(position, lengthBytes);
    checkWritable();
    owner.takeMemory(CHANGE_BYTES);
    try {
      state.lock();
      try {
        long end = Math.min(position + lengthBytes, length);
        if (position >= end) {
          return;
        }
        change(position, end);
        extents.put(new Extent(position, end - position, number, Content.Zeros.HOLE));
      } finally {
        unlockState();
      }
    } finally {
      owner.giveMemory(CHANGE_BYTES);
    }
    owner.changed(this);
  }

  void reserve(long position, long lengthBytes) throws IOException {
    checkPosition(position, lengthBytes);
    checkWritable();
    if (lengthBytes == 0) {
      return;
    }
    owner.takeMemory(CHANGE_BYTES);
    try {
      state.lock();
      try {
        long end = position + lengthBytes;
        List<long[]> holes;
        try (ObjectView view = view(position, end)) {
          holes = view.holes(position, end);
        }
        if (holes.isEmpty() && end <= length) {
          return;
        }
        change(position, end);
        for (long[] hole : holes) {
          extents.put(new Extent(hole[0], hole[1] - hole[0], number, Content.Zeros.RESERVED));
        }
        length = Math.max(length, end);
      } finally {
        unlockState();
      }
    } finally {
      owner.giveMemory(CHANGE_BYTES);
    }
    owner.changed(this);
  }

  void splice(long position, ObjectRoot source, long sourcePosition, long lengthBytes)
      throws IOException {
    checkPosition(position, lengthBytes);
    checkPosition(sourcePosition, lengthBytes);
    if (sourcePosition + lengthBytes > source.lengthBytes()) {
      throw new IllegalArgumentException(
          lengthBytes + " bytes at " + sourcePosition + " of " + source.lengthBytes());
    }
    checkWritable();
    if (lengthBytes == 0) {
      return;
    }
    owner.takeMemory(CHANGE_BYTES);
    try {
      Source held = new Source(Base.open(scheduler, ground, source, -1));
      state.lock();
      try {
        change(position, position + lengthBytes);
        extents.put(
            new Extent(position, lengthBytes, number, new Content.Splice(held, sourcePosition)));
        length = Math.max(length, position + lengthBytes);
      } finally {
        unlockState();
      }
    } finally {
      owner.giveMemory(CHANGE_BYTES);
    }
    owner.changed(this);
  }

  /** Unlocks, says what memory it takes, and lets go of sources that nobody refers to. */
  private void unlockState() {
    long charge = extents.chargeBytes();
    long more = charge - chargedBytes;
    chargedBytes = charge;
    List<Source> released = extents.takeReleased();
    state.unlock();
    owner.charge(more);
    for (Source source : released) {
      source.base.leave();
    }
  }

  // ---- moving changes on

  /** After a write: feeds a stream, or logs or folds when much is in memory only. */
  private void moveOn() throws IOException {
    long waiting;
    boolean log;
    boolean fold;
    state.lock();
    try {
      long from = streamFrom();
      waiting = extents.runEnd(from, from + BACKLOG * unitBytes) - from;
      log = unloggedBytes >= UNLOGGED * unitBytes && !streaming && waiting < STEP * unitBytes;
      fold = log && extents.dataBytes() >= (LONG_RUN_BYTES / 2L) * extents.count();
    } finally {
      state.unlock();
    }
    if (waiting >= STEP * unitBytes) {
      if (waiting >= BACKLOG * unitBytes) {
        work.lock();
      } else if (!work.tryLock()) {
        return; // Whoever works at it takes what was written with it, or the next writer does.
      }
      try {
        advance(false);
      } finally {
        work.unlock();
      }
    } else if (fold) {
      fold();
    } else if (log) {
      relieveIntoLog();
    }
  }

  /** Where a stream goes on, or would begin; under the lock. */
  private long streamFrom() {
    return streaming ? fedTo : Math.min(visible, base.dataEnd);
  }

  /** Logs what is in memory only, with the note that it has. */
  private void relieveIntoLog() throws IOException {
    owner.awaitLogRoom();
    if (!logChanges(null)) {
      work.lock();
      try {
        name(null);
      } finally {
        work.unlock();
      }
    }
  }

  /** Feeds data at the end to the recipe under way; work is held. */
  private void advance(boolean all) throws IOException {
    if (builder == null && !beginStream()) {
      return;
    }
    boolean done = false;
    try {
      ObjectBuilder into = Objects.requireNonNull(builder);
      while (feed(into, all ? 1 : STEP * unitBytes)) {
        if (windowBytes() >= WINDOW * unitBytes) {
          takeBeginning(into, false);
        }
      }
      if (all) {
        takeBeginning(into, true);
      }
      done = true;
    } finally {
      if (!done) {
        breakStream();
      }
    }
    boolean broken;
    state.lock();
    try {
      broken = streamBroken;
    } finally {
      state.unlock();
    }
    if (broken) {
      endStream();
    } else if (builder != null && builder.wantsName()) {
      name(null);
    }
  }

  private long windowBytes() {
    state.lock();
    try {
      return fedTo - visible;
    } finally {
      state.unlock();
    }
  }

  private void breakStream() {
    state.lock();
    try {
      streamBroken = true;
    } finally {
      state.unlock();
    }
  }

  private boolean beginStream() throws IOException {
    if (!owner.takeStream()) {
      return false;
    }
    boolean begun = false;
    try {
      Base from;
      long start;
      state.lock();
      try {
        start = streamFrom();
        if (gone || extents.runEnd(start, start + STEP * unitBytes) - start < STEP * unitBytes) {
          return false;
        }
        from = base;
        from.enter();
        visible = start; // Behind it there are only holes.
        fedTo = start;
        streaming = true;
        streamBroken = false;
      } finally {
        state.unlock();
      }
      ObjectBuilder made = null;
      try {
        made = ground.newBuilder();
        ObjectView.append(made, from, 0, start, true);
        builder = made;
        begun = true;
        return true;
      } finally {
        from.leave();
        if (!begun) {
          stopStreaming();
          if (made != null) {
            made.close();
          }
        }
      }
    } finally {
      if (!begun) {
        owner.giveStream();
      }
    }
  }

  private void stopStreaming() {
    state.lock();
    try {
      streaming = false;
      streamBroken = false;
    } finally {
      state.unlock();
    }
  }

  /** Feeds what goes on without a gap, if it is enough; says whether it was. */
  private boolean feed(ObjectBuilder into, long leastBytes) throws IOException {
    List<Extent> run = new ArrayList<>();
    state.lock();
    try {
      if (streamBroken) {
        return false;
      }
      long end = extents.runEnd(fedTo, fedTo + FEED * unitBytes);
      if (end - fedTo < leastBytes) {
        return false;
      }
      for (Extent extent : extents.overlapping(fedTo, end)) {
        run.add(extent.part(Math.max(extent.start(), fedTo), Math.min(extent.end(), end)));
      }
      fedTo = end;
    } finally {
      state.unlock();
    }
    LoggedBytes logged = new LoggedBytes(owner.log());
    for (Extent extent : run) {
      ObjectView.append(into, extent, logged);
    }
    return true;
  }

  /** Lets the beginning of the recipe under way take the place of the one below; work is held. */
  private void takeBeginning(ObjectBuilder into, boolean all) throws IOException {
    ObjectRoot root = into.prefix(all);
    long data;
    Base before;
    long start;
    state.lock();
    try {
      if (streamBroken || root.lengthBytes() <= visible) {
        return;
      }
      before = base;
      before.enter();
      start = visible;
    } finally {
      state.unlock();
    }
    Base next;
    try {
      data = before.dataBytes(0, start) + root.lengthBytes() - start;
      next = Base.open(scheduler, ground, root, data);
    } finally {
      before.leave();
    }
    Base unused = next;
    state.lock();
    try {
      if (!streamBroken && visible == start) {
        extents.clear(start, root.lengthBytes());
        unused = base;
        base = next;
        visible = root.lengthBytes();
        named = false;
        generation++;
        owner.streamed(root.lengthBytes() - start);
      }
    } finally {
      unlockState();
    }
    unused.leave();
  }

  /** Ends the recipe under way, after what it keeps has got its name; work is held. */
  private void endStream() throws IOException {
    if (builder == null) {
      return;
    }
    boolean mustName;
    state.lock();
    try {
      mustName = !named && !gone;
    } finally {
      state.unlock();
    }
    if (mustName) {
      name(null);
    }
    dropStream();
  }

  private void dropStream() {
    ObjectBuilder ended = builder;
    if (ended != null) {
      builder = null;
      stopStreaming();
      ended.close();
      owner.giveStream();
    }
  }

  // ---- making changes durable

  void force(byte[] newNote) throws IOException {
    if (newNote.length > ShareObject.MAX_NOTE_BYTES) {
      throw new IllegalArgumentException(
          "note of " + newNote.length + " bytes, at most " + ShareObject.MAX_NOTE_BYTES);
    }
    checkWritable();
    owner.awaitLogRoom();
    byte[] kept = newNote.clone();
    if (namesAtForce() || !logChanges(kept)) {
      work.lock();
      try {
        name(kept);
      } finally {
        work.unlock();
      }
    }
    owner.changed(this); // By the note, it may be.
  }

  /** Whether the recipe under way is to get a name, so that its data need not be logged. */
  private boolean namesAtForce() {
    state.lock();
    try {
      return !named
          || (streaming && !streamBroken && unloggedBytes >= owner.settings().streamBytes());
    } finally {
      state.unlock();
    }
  }

  /** Takes a new note; under the lock. */
  private void take(byte @Nullable [] newNote) {
    if (newNote != null && !Arrays.equals(newNote, note)) {
      note = newNote;
      lastChange = ++number;
    }
  }

  /** Logs what is not logged; false if a recipe must get its name first. */
  private boolean logChanges(byte @Nullable [] newNote) throws IOException {
    logging.lock();
    try {
      Delta delta;
      state.lock();
      try {
        if (gone) {
          return true;
        }
        if (!named) {
          return false;
        }
        take(newNote);
        if (lastChange <= lastLogged) {
          return true;
        }
        delta = delta();
      } finally {
        state.unlock();
      }
      log(delta);
      return true;
    } finally {
      logging.unlock();
    }
  }

  /** Takes what leads from the last state that is logged to this one; under the lock. */
  private Delta delta() {
    Delta delta =
        Delta.of(lastLogged, lastChange, cutSinceLogged, length, note, extents.takeFresh());
    cutSinceDelta = Long.MAX_VALUE;
    unloggedBytes = 0;
    return delta;
  }

  /** Appends records and waits until they are durable; logging is held. */
  private void log(Delta delta) throws IOException {
    List<WritebackLog.Appended> appended = new ArrayList<>();
    List<Long> positions = new ArrayList<>();
    boolean done = false;
    WritebackLog log = owner.log();
    appendingFrom = log.nextPosition();
    try {
      append(log, delta, appended, true);
      for (WritebackLog.Appended each : appended) {
        positions.add(awaited(each));
      }
      done = true;
    } finally {
      logged(delta, appended, positions, done);
      appendingFrom = Long.MAX_VALUE;
    }
  }

  private long awaited(WritebackLog.Appended appended) throws IOException {
    try {
      return appended.await();
    } catch (IOException e) {
      owner.broken(e);
      throw e;
    }
  }

  /**
   * Appends records.
   *
   * @param here whether the caller waits for them before it does anything else
   */
  private void append(
      WritebackLog log, Delta delta, List<WritebackLog.Appended> appended, boolean here)
      throws IOException {
    LoggedBytes logged = new LoggedBytes(log);
    for (int i = 0; i < delta.recordCount(); i++) {
      LogRecord record = delta.record(i, shareId, objectId, key, logged);
      ground.takeSpace(WritebackFormat.sizeOf(record));
      appended.add(log.append(record, here && i == delta.recordCount() - 1));
    }
  }

  /** Takes note of what came of an append. */
  private void logged(
      Delta delta, List<WritebackLog.Appended> appended, List<Long> positions, boolean done) {
    state.lock();
    try {
      if (!done) {
        extents.freshAgain();
        return;
      }
      for (int i = 0; i < appended.size(); i++) {
        long recordNumber = delta.number(i);
        long span = owner.appended(appended.get(i).payloadBytes);
        if (recordNumber > folded) {
          needed.add(new Needed(positions.get(i), recordNumber, span));
        }
        @Nullable Logged[] places = appended.get(i).places();
        for (int j = 0; j < places.length; j++) {
          Logged place = places[j];
          if (place != null) {
            placed(delta.extents(i).get(j), place);
          }
        }
      }
      if (delta.number() > lastLogged) {
        lastLogged = delta.number();
        loggedLength = delta.length();
        cutSinceLogged = cutSinceDelta;
        extents.freshFrom(lastLogged);
      }
    } finally {
      unlockState();
    }
  }

  /**
   * Says of what is left of an extent where it lies in the log; under the lock. What has its number
   * and lies in its range is a part of it.
   */
  private void placed(Extent extent, Logged place) {
    for (Extent left : extents.overlapping(extent.start(), extent.end())) {
      if (left.number() == extent.number() && left.content() instanceof Content.Data data) {
        int offset = (int) (left.start() - extent.start());
        extents.replace(
            left, left.with(new Content.Data(data.memory(), data.offset(), place, offset)));
      }
    }
    generation++;
  }

  /**
   * Gives the recipe under way its name, as far as it goes, and logs the rest; work is held. Only
   * logs, if there is none or it has the name.
   */
  private void name(byte @Nullable [] newNote) throws IOException {
    ObjectBuilder from = builder;
    if (from != null && isStreamWhole()) {
      advanceToEnd(from);
    }
    boolean again;
    state.lock();
    try {
      take(newNote);
      again = !named && !gone && againBytes() > AGAIN_BYTES;
    } finally {
      state.unlock();
    }
    if (again) {
      foldNow();
      return;
    }
    logging.lock();
    try {
      Delta delta;
      Base base;
      long now;
      byte[] itsNote;
      boolean first;
      state.lock();
      try {
        if (gone || (named && lastChange <= lastLogged)) {
          return;
        }
        if (named) {
          delta = delta();
          now = -1;
          first = true;
        } else {
          now = ++number;
          first = loggedLength > this.base.lengthBytes() || visible < this.base.lengthBytes();
          for (Extent extent : extents.all()) {
            first |= extent.content() instanceof Content.Data data && data.logged() != null;
            first |= !extent.isData();
          }
          delta = everything(now);
        }
        base = this.base;
        itsNote = note;
      } finally {
        state.unlock();
      }
      if (now < 0) {
        log(delta);
        return;
      }
      name(Objects.requireNonNull(from), base, now, itsNote, delta, first);
    } finally {
      logging.unlock();
    }
  }

  private boolean isStreamWhole() {
    state.lock();
    try {
      return streaming && !streamBroken;
    } finally {
      state.unlock();
    }
  }

  private void advanceToEnd(ObjectBuilder into) throws IOException {
    boolean done = false;
    try {
      while (feed(into, 1)) {
        // Until nothing is left.
      }
      takeBeginning(into, true);
      done = true;
    } finally {
      if (!done) {
        breakStream();
      }
    }
  }

  /** Bytes that would be logged although they have been before; under the lock. */
  private long againBytes() {
    long bytes = 0;
    for (Extent extent : extents.all()) {
      if (extent.content() instanceof Content.Data data && data.logged() != null) {
        bytes += extent.length();
      }
    }
    return bytes;
  }

  /** Takes all that lies over the recipe, which has a number; under the lock. */
  private Delta everything(long baseNumber) {
    extents.takeFresh();
    long cut = visible < base.lengthBytes() ? visible : Long.MAX_VALUE;
    boolean something = length != base.lengthBytes() || cut < Long.MAX_VALUE;
    Delta delta = Delta.everything(baseNumber, cut, length, note, extents.all(), something);
    number = delta.number();
    lastChange = number;
    cutSinceDelta = Long.MAX_VALUE;
    unloggedBytes = 0;
    return delta;
  }

  private void name(
      ObjectBuilder from, Base below, long now, byte[] itsNote, Delta rest, boolean restFirst)
      throws IOException {
    List<WritebackLog.Appended> appended = new ArrayList<>();
    List<Long> positions = new ArrayList<>();
    boolean done = false;
    WritebackLog log = owner.log();
    appendingFrom = log.nextPosition();
    try {
      from.check();
      Runnable naming = from.naming();
      append(log, rest, appended, restFirst);
      if (restFirst) {
        // Else the name could take away what has been forced before and lies in the rest.
        for (WritebackLog.Appended each : appended) {
          long _ = awaited(each);
        }
      }
      ShareObject object = new ShareObject(objectId, below.root, now, below.dataBytes, itsNote);
      boolean there = setObject(object);
      for (WritebackLog.Appended each : appended) {
        positions.add(awaited(each));
      }
      state.lock();
      try {
        gone |= !there;
        if (there) {
          named = true;
          takeFolded(now);
        }
      } finally {
        state.unlock();
      }
      done = there;
      if (there) {
        naming.run();
      }
    } finally {
      if (rest.recordCount() == 0) {
        nothingLogged(now, done);
      } else {
        logged(rest, appended, positions, done);
      }
      appendingFrom = Long.MAX_VALUE;
    }
  }

  private void nothingLogged(long now, boolean done) {
    state.lock();
    try {
      if (done) {
        lastLogged = now;
        loggedLength = length;
        cutSinceLogged = cutSinceDelta;
        extents.freshFrom(lastLogged);
      } else {
        extents.freshAgain();
      }
    } finally {
      state.unlock();
    }
  }

  /** Takes note that the tree has changes up to a number; under the lock. */
  private void takeFolded(long now) {
    folded = now;
    while (!needed.isEmpty() && needed.getFirst().number() <= now) {
      needed.removeFirst();
    }
  }

  /** Hands the tree a newer state and waits until it is durable; false if the entry is gone. */
  private boolean setObject(ShareObject object) throws IOException {
    try {
      owner.await(ground.tree(shareId).change(List.of(new ShareChange.SetObject(key, object))));
      return isInTree();
    } catch (RefusedException e) {
      if (e.reason() == Reason.NOT_FOUND && looksGone()) {
        return false; // The whole share is.
      }
      throw e;
    }
  }

  private boolean isInTree() throws IOException {
    return ground
        .tree(shareId)
        .find(key)
        .flatMap(ShareEntry::object)
        .filter(o -> o.id().equals(objectId))
        .isPresent();
  }

  // ---- folding

  ShareObject fold() throws IOException {
    checkWritable();
    work.lock();
    try {
      return foldNow();
    } finally {
      work.unlock();
    }
  }

  /** Folds everything; work is held. */
  private ShareObject foldNow() throws IOException {
    for (int tried = 1; ; tried++) {
      try {
        return foldOnce();
      } catch (RefusedException e) {
        if (e.reason() != Reason.NOT_FOUND || tried == FOLD_TRIES) {
          throw e;
        }
        // A source was let go, because it was overwritten meanwhile.
      } catch (CorruptDataException e) {
        if (tried == FOLD_TRIES) {
          throw e;
        }
        // What was found stored is damaged now; the next time it is not found.
      }
    }
  }

  private ShareObject foldOnce() throws IOException {
    Taken taken = takeAll();
    if (taken == null) {
      return asFolded();
    }
    try (taken;
        ObjectBuilder into = ground.newBuilder()) {
      taken.view.build(into, new LoggedBytes(owner.log()));
      Base next = taken.open(into.finish());
      boolean installed = false;
      try {
        into.check();
        ShareObject object = taken.folded(next);
        boolean there = !isGone() && setObject(object);
        install(taken, next, there);
        installed = true;
        dropStream();
        return object;
      } finally {
        if (!installed) {
          next.leave();
        }
      }
    }
  }

  private ShareObject asFolded() {
    state.lock();
    try {
      return new ShareObject(objectId, base.root, folded, base.dataBytes, note.clone());
    } finally {
      state.unlock();
    }
  }

  /**
   * What a fold under way has taken: all changes up to a number.
   *
   * @param note that goes with them
   */
  record Taken(WritebackObject object, ObjectView view, long number, byte[] note)
      implements AutoCloseable {
    /** Keeps the recipe that was made of it. */
    Base open(ObjectRoot root) throws IOException {
      return Base.open(object.scheduler, object.ground, root, view.dataBytes());
    }

    /** What the tree is to hold. */
    ShareObject folded(Base next) {
      return new ShareObject(object.objectId, next.root, number, next.dataBytes, note);
    }

    ShareChange change(Base next) {
      return new ShareChange.SetObject(object.key, folded(next));
    }

    @Override
    public void close() {
      view.close();
    }
  }

  /** Takes what is to be folded, null if nothing is; work is held. */
  private @Nullable Taken takeAll() {
    state.lock();
    try {
      if (!isDirty()) {
        return null;
      }
      cutSinceFold = Long.MAX_VALUE;
      return new Taken(this, view(0, Long.MAX_VALUE), lastChange, note);
    } finally {
      state.unlock();
    }
  }

  /** Begins to fold together with others; if it does, {@link #endTogether} must follow. */
  boolean beginTogether() {
    return work.tryLock();
  }

  void endTogether() {
    work.unlock();
  }

  /** Takes what is to be folded together with others'; null for nothing, and for a stream. */
  @Nullable Taken takeTogether() {
    return builder != null || isGone() ? null : takeAll();
  }

  /** Takes the place of the recipe below, after the tree has it or has no entry any more. */
  void install(Taken taken, Base next) throws IOException {
    install(taken, next, isInTree());
  }

  /** Puts a recipe that holds all changes up to a number in the place of the one below. */
  private void install(Taken taken, Base next, boolean there) {
    long now = taken.number;
    Base before;
    state.lock();
    try {
      before = base;
      base = next;
      visible = Math.min(next.lengthBytes(), cutSinceFold);
      for (Extent extent : extents.all()) {
        if (extent.number() <= now) {
          extents.clear(extent.start(), extent.end());
        }
      }
      if (lastLogged < now) {
        lastLogged = now;
        loggedLength = next.lengthBytes();
        cutSinceLogged = cutSinceFold;
        extents.freshFrom(now);
      }
      if (lastChange == now) {
        unloggedBytes = 0;
      }
      takeFolded(now);
      gone |= !there;
      named = true;
      generation++;
    } finally {
      unlockState();
    }
    before.leave();
    owner.folded(taken.view.replacedBytes());
  }

  // ---- what the owner asks

  /** The first position of the log that it needs, {@link Long#MAX_VALUE} for none. */
  long neededFrom() {
    long appending = appendingFrom; // Read first: what was appended is among the others then.
    state.lock();
    try {
      return Math.min(appending, needed.isEmpty() ? Long.MAX_VALUE : needed.getFirst().position());
    } finally {
      state.unlock();
    }
  }

  /** Where in the log's length, counted from the start, the first record lies that it needs. */
  long neededSpan() {
    state.lock();
    try {
      return needed.isEmpty() ? Long.MAX_VALUE : needed.getFirst().spanBytes();
    } finally {
      state.unlock();
    }
  }

  /** Memory that its changes take. */
  long chargedBytes() {
    state.lock();
    try {
      return chargedBytes;
    } finally {
      state.unlock();
    }
  }

  /** Nanoseconds since the last change. */
  long idleNanos() {
    state.lock();
    try {
      return scheduler.nanoTime() - lastChangeNanos;
    } finally {
      state.unlock();
    }
  }

  /** Bytes of changes that lie over the recipe. */
  long unfoldedBytes() {
    state.lock();
    try {
      return extents.dataBytes();
    } finally {
      state.unlock();
    }
  }

  /** Whether it is folded best together with others. */
  boolean isSmall() {
    state.lock();
    try {
      return length <= FoldTogether.SMALL_BYTES
          && key.length <= FoldTogether.SMALL_KEY_BYTES
          && !streaming
          && named
          && !gone;
    } finally {
      state.unlock();
    }
  }

  boolean isStreaming() {
    state.lock();
    try {
      return streaming;
    } finally {
      state.unlock();
    }
  }

  /** Lets go of what memory holds and the log has too; returns how many bytes. */
  long dropLogged() {
    state.lock();
    try {
      long before = extents.chargeBytes();
      for (Extent extent : extents.all()) {
        if (extent.content() instanceof Content.Data data
            && data.memory() != null
            && data.logged() != null) {
          extents.replace(
              extent, extent.with(new Content.Data(null, 0, data.logged(), data.loggedOffset())));
        }
      }
      return before - extents.chargeBytes();
    } finally {
      unlockState();
    }
  }

  /** Moves what is in memory only into the recipe under way, or into the log. */
  void relieve() throws IOException {
    if (isStreaming()) {
      work.lock();
      try {
        if (builder != null) {
          advance(true);
        }
      } finally {
        work.unlock();
      }
    }
    relieveIntoLog();
  }

  /** Ends the recipe under way; what it holds has its name then. */
  void endIdleStream() throws IOException {
    work.lock();
    try {
      endStream();
    } finally {
      work.unlock();
    }
  }

  /** Whether the entry is no longer there, asked of the tree. */
  boolean looksGone() throws IOException {
    boolean there;
    try {
      there = isInTree();
    } catch (RefusedException e) {
      if (e.reason() != Reason.NOT_FOUND) {
        throw e;
      }
      there = false;
    }
    if (!there) {
      state.lock();
      try {
        gone = true;
      } finally {
        state.unlock();
      }
    }
    return !there;
  }

  /** Ends it: nothing of it is needed any more. */
  void end() {
    work.lock();
    try {
      dropStream();
      Base last;
      state.lock();
      try {
        extents.clear(0, Long.MAX_VALUE);
        needed.clear();
        last = base;
      } finally {
        unlockState();
      }
      last.leave();
    } finally {
      work.unlock();
    }
  }
}
