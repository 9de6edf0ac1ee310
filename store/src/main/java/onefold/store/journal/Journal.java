package onefold.store.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.StoreFullException;
import onefold.store.device.Device;
import onefold.store.device.DeviceFile;
import onefold.store.device.DevicePaths;
import onefold.store.journal.JournalFormat.SegmentHeader;
import onefold.store.journal.JournalFormat.SegmentKind;
import onefold.store.journal.SegmentChain.Segment;
import onefold.store.journal.SegmentReader.Damage;
import onefold.store.scheduler.Promise;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.SchedulerCondition;
import onefold.store.scheduler.SchedulerLock;
import org.jspecify.annotations.Nullable;

/**
 * An append-only row of records with group commit. See the package for its promises.
 *
 * <p>Owns its open segment files; {@link #close} closes them. All methods may be called by many
 * threads at once.
 */
public final class Journal implements AutoCloseable {
  /** No record's payload is longer. */
  public static final int MAX_PAYLOAD_BYTES = JournalFormat.MAX_PAYLOAD_BYTES;

  /** The highest type of a record. */
  public static final int MAX_TYPE = JournalFormat.MAX_TYPE;

  /**
   * How far positions jump when a loss is accepted: more than the records that unreadable segments
   * can have held, so that no position is given twice.
   */
  public static final long LOSS_GAP = 1L << 24;

  private static final int SCRATCH_BYTES = 256 << 10;
  private static final int ZEROS_BYTES = 64 << 10;
  private static final int MAX_GROUP_RECORDS = 1024;
  private static final int WAITING_RECORD_BYTES = 256;
  private static final String TEMPORARY_SUFFIX = ".new";
  private static final String SPARE = "spare" + TEMPORARY_SUFFIX;

  private final Device device;
  private final Scheduler scheduler;
  private final String directory;
  private final Id owner;
  private final long epoch;
  private final JournalSettings settings;
  private final GroupBarrier barrier;
  private final SchedulerLock lock;
  private final SchedulerCondition changed;
  private final SchedulerLock trimming;

  // Guarded by lock.
  private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();
  private final List<Segment> finished = new ArrayList<>();
  private final List<Damage> damages = new ArrayList<>();
  private long waitingBytes;
  private boolean writerRuns;
  private boolean preparing;
  private boolean closed;
  private boolean spareExists;
  private long lastNumber;
  private long durableNext;
  private long lossAcceptedPosition;
  private @Nullable SegmentWriter next;
  private @Nullable Throwable failure;
  private @Nullable CorruptDataException damage;
  private long currentFirst = -1;
  private @Nullable String currentPath;

  // Owned by the writer task; the lock hands them from one writer to the next.
  private @Nullable SegmentWriter current;
  private long nextPosition;
  private long witnessedPosition;
  private @Nullable WitnessFile witness;
  private @Nullable ByteBuffer scratch;

  /** For records that nobody reads from the file. */
  private static final PlaceListener NOWHERE = (segmentNumber, offsetBytes) -> {};

  private record Waiting(
      int type,
      Supplier<byte[]> payload,
      long bytes,
      Set<Long> keys,
      PlaceListener place,
      Promise<JournalPosition> promise) {}

  private record Encoded(
      int type, byte[] payload, PlaceListener place, Promise<JournalPosition> promise) {}

  /** Hears where the payload of a record lies, on the writer's task; must not wait. */
  @FunctionalInterface
  public interface PlaceListener {
    /**
     * Says it, once the record is durable and before its promise is kept.
     *
     * @param segmentNumber for {@link Journal#read}, until the record is trimmed
     * @param offsetBytes of the payload's first byte
     */
    void placed(long segmentNumber, long offsetBytes);
  }

  private Journal(
      Device device,
      Scheduler scheduler,
      String directory,
      Id owner,
      long epoch,
      JournalSettings settings,
      GroupBarrier barrier) {
    this.device = device;
    this.scheduler = scheduler;
    this.directory = directory;
    this.owner = owner;
    this.epoch = epoch;
    this.settings = settings;
    this.barrier = barrier;
    this.lock = scheduler.lock("journal");
    this.changed = lock.newCondition();
    this.trimming = scheduler.lock("journal-trim");
  }

  /**
   * Opens the journal in a directory, which is made if it is missing, cuts its torn tail, and makes
   * what is left durable.
   *
   * @param owner the domain or appliance that the journal belongs to
   * @param epoch of this writer; a journal that has seen a higher one is refused
   * @param neededFrom the first position whose record the caller has not yet made part of a
   *     checkpoint; 1 for a journal that may be new. Damage before it does not matter
   * @param barrier what is forced before a group is written
   * @throws IOException if the directory holds the journal of another owner, of a higher epoch or
   *     of a newer release. Damage does not make opening fail: see {@link #damage}
   */
  public static Journal open(
      Device device,
      Scheduler scheduler,
      String directory,
      Id owner,
      long epoch,
      long neededFrom,
      JournalSettings settings,
      GroupBarrier barrier)
      throws IOException {
    if (epoch < 1 || neededFrom < 1) {
      throw new IllegalArgumentException("epoch " + epoch + ", neededFrom " + neededFrom);
    }
    device.createDirectories(directory);
    String above = directory;
    while (!above.isEmpty()) {
      above = DevicePaths.parent(above);
      device.forceDirectory(above); // A process that was killed may not have come to it.
    }
    Journal journal = new Journal(device, scheduler, directory, owner, epoch, settings, barrier);
    journal.recover(neededFrom);
    return journal;
  }

  /** Returns whose journal stands in a directory, if the header of any segment can be read. */
  public static Optional<Id> ownerOf(Device device, String directory) throws IOException {
    if (device.exists(directory)) {
      for (String name : device.list(directory)) {
        if (JournalFormat.segmentNumber(name) >= 0) {
          try {
            return Optional.of(SegmentReader.readHeader(device, directory + "/" + name).owner());
          } catch (CorruptDataException e) {
            // Another one may be whole.
          }
        }
      }
    }
    return Optional.empty();
  }

  private void recover(long neededFrom) throws IOException {
    SegmentChain chain = SegmentChain.read(device, directory, owner, epoch);
    finished.addAll(chain.segments);
    lastNumber = chain.highestNumber;
    lossAcceptedPosition = chain.lossAcceptedPosition;
    for (Damage found : chain.damages) {
      if (found.toPosition() > neededFrom) {
        damages.add(found);
      }
    }
    long first = firstPosition(chain);
    if (first > neededFrom) {
      damages.add(
          0, new Damage(neededFrom, first, missing(neededFrom, "its records begin at " + first)));
    }
    long end = chain.nextPosition < 0 ? 1 : chain.nextPosition;
    long forced = Math.max(neededFrom, WitnessFile.read(device, directory, owner));
    if (end < forced && (damages.isEmpty() || damages.getLast().toPosition() < forced)) {
      damages.add(
          new Damage(
              end,
              forced,
              new CorruptDataException(
                  chain.endPath,
                  chain.endOffset,
                  "the record of position " + end + ", and all before " + forced,
                  "the end of the journal")));
    }
    nextPosition = Math.max(end, forced);
    durableNext = nextPosition;
    for (Damage found : damages) {
      if (found.fromPosition() >= lossAcceptedPosition) {
        damage = found.why();
        return; // Nothing is changed before somebody has accepted the loss.
      }
    }
    start(SegmentKind.CUTS, Math.min(nextPosition, Math.max(chain.forcedPosition, 1)));
  }

  private CorruptDataException missing(long position, String found) {
    return new CorruptDataException(
        directory, -1, "a journal that has position " + position, found);
  }

  private static long firstPosition(SegmentChain chain) {
    for (Segment segment : chain.segments) {
      if (!segment.isEmpty()) {
        return segment.firstPosition();
      }
    }
    return chain.nextPosition;
  }

  /**
   * Begins a new segment that cuts all earlier ones at {@code cutPosition}, and writes what they
   * hold from there on again.
   */
  private void start(SegmentKind kind, long cutPosition) throws IOException {
    for (String name : device.list(directory)) {
      if (name.endsWith(TEMPORARY_SUFFIX)) {
        device.delete(directory + "/" + name);
      }
    }
    List<Encoded> tail = new ArrayList<>();
    List<Long> epochs = new ArrayList<>();
    long[] bytes = {0};
    if (kind == SegmentKind.CUTS && cutPosition < nextPosition) {
      SegmentChain.replay(
          device,
          finished,
          damages,
          lossAcceptedPosition,
          cutPosition,
          nextPosition,
          (position, type, payload) -> {
            tail.add(new Encoded(type, payload, NOWHERE, scheduler.promise()));
            epochs.add(position.epoch());
            bytes[0] += JournalFormat.recordBytes(payload.length);
          });
      if (tail.size() != nextPosition - cutPosition) {
        throw new IllegalStateException(
            directory
                + ": "
                + tail.size()
                + " records between positions "
                + cutPosition
                + " and "
                + nextPosition);
      }
    }
    current = makeSegment(kind, cutPosition, bytes[0], tail, epochs, false);
    witnessedPosition = nextPosition;
    witness = WitnessFile.open(device, directory, owner);
    sayForced();
    lock.lock();
    try {
      currentFirst = cutPosition;
      currentPath = current.path;
      List<Segment> cut = new ArrayList<>();
      for (Segment segment : finished) {
        if (segment.isEmpty() || segment.firstPosition() >= cutPosition) {
          device.delete(segment.path());
        } else {
          cut.add(
              new Segment(
                  segment.number(),
                  segment.path(),
                  segment.firstPosition(),
                  Math.min(segment.endPosition(), cutPosition),
                  Math.min(segment.limitPosition(), cutPosition)));
        }
      }
      finished.clear();
      finished.addAll(cut);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Says what acknowledged records are lost, if any are. Then nothing has been changed in the
   * directory, {@link #replay} hands out what stands before the damage and throws this, and {@code
   * append} is refused with it, until {@link #acceptLoss}.
   */
  public Optional<CorruptDataException> damage() {
    lock.lock();
    try {
      return Optional.ofNullable(damage);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Gives up what is lost: the journal goes on at a position at least {@link #LOSS_GAP} beyond
   * everything seen, and a replay hands out all that can be read, with {@link JournalVisitor#lost}
   * in between.
   *
   * @throws IllegalStateException if nothing is lost
   */
  public void acceptLoss() throws IOException {
    lock.lock();
    try {
      if (damage == null) {
        throw new IllegalStateException("the journal in " + directory + " is not damaged");
      }
      long highest = nextPosition;
      for (Segment segment : finished) {
        highest = Math.max(highest, segment.endPosition());
      }
      nextPosition = highest + LOSS_GAP;
      durableNext = nextPosition;
      lossAcceptedPosition = nextPosition;
      start(SegmentKind.LOSS_ACCEPTED, nextPosition);
      damage = null;
    } finally {
      lock.unlock();
    }
  }

  /** The position that the next record gets. */
  public long nextPosition() {
    lock.lock();
    try {
      return durableNext;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Appends a record.
   *
   * @param type 1 to {@link #MAX_TYPE}; the caller's own meaning
   * @param payload kept, and not to be changed, until the promise is kept; at most {@link
   *     #MAX_PAYLOAD_BYTES}
   * @return where the record stands, as soon as it is durable. It fails with an {@code IOException}
   *     if the record is not in the journal and never will be, and with {@code
   *     DeviceForceException} if nobody knows
   */
  public Promise<JournalPosition> append(int type, byte[] payload) {
    return append(type, payload, NOWHERE);
  }

  /** As {@link #append(int, byte[])}, and says where the payload lies in the file. */
  public Promise<JournalPosition> append(int type, byte[] payload, PlaceListener place) {
    checkLength(payload.length);
    return append(type, () -> payload, payload.length, Set.of(), place, false);
  }

  /**
   * As {@link #append(int, byte[], PlaceListener)}, for a caller that waits for it at once: if
   * nobody is writing, the caller's own task writes what waits, this record with it, and no other
   * task need be woken. What comes meanwhile is left to a task.
   *
   * @return kept, unless somebody else is writing
   */
  public Promise<JournalPosition> appendHere(int type, byte[] payload, PlaceListener place) {
    checkLength(payload.length);
    return append(type, () -> payload, payload.length, Set.of(), place, true);
  }

  /** As the other {@code appendHere}. */
  public Promise<JournalPosition> appendHere(int type, byte[] payload) {
    return appendHere(type, payload, NOWHERE);
  }

  /**
   * Appends a record that names things which must be durable before it.
   *
   * @param type 1 to {@link #MAX_TYPE}
   * @param payload asked once, by the writer, after the barrier has forced what the keys stand for
   *     and before the record is written; must not wait. What it throws fails this record only
   * @param keys for the {@link GroupBarrier}; may be empty
   */
  public Promise<JournalPosition> append(int type, Supplier<byte[]> payload, Set<Long> keys) {
    return append(type, payload, 0, Set.copyOf(keys), NOWHERE, false);
  }

  private Promise<JournalPosition> append(
      int type,
      Supplier<byte[]> payload,
      int payloadBytes,
      Set<Long> keys,
      PlaceListener place,
      boolean here) {
    if (type < 1 || type > MAX_TYPE) {
      throw new IllegalArgumentException("record type " + type + ", must be 1 to " + MAX_TYPE);
    }
    Promise<JournalPosition> promise = scheduler.promise();
    long bytes = payloadBytes + (long) WAITING_RECORD_BYTES;
    boolean writes = false;
    lock.lock();
    try {
      while (waitingBytes > 0 && waitingBytes + bytes > settings.maxWaitingBytes() && !isOver()) {
        changed.await();
      }
      if (isOver()) {
        promise.fail(reasonOfEnd());
        return promise;
      }
      waiting.add(new Waiting(type, payload, bytes, keys, place, promise));
      waitingBytes += bytes;
      if (!writerRuns) {
        writerRuns = true;
        writes = here;
        if (!here) {
          startWriter();
        }
      }
    } finally {
      lock.unlock();
    }
    if (writes) {
      writeHere();
    }
    return promise;
  }

  private void startWriter() {
    scheduler.start("journal-writer", this::runWriter);
  }

  private static void checkLength(int payloadBytes) {
    if (payloadBytes > MAX_PAYLOAD_BYTES) {
      throw new IllegalArgumentException(
          "record of " + payloadBytes + " bytes, at most " + MAX_PAYLOAD_BYTES);
    }
  }

  private boolean isOver() {
    return closed || failure != null || damage != null;
  }

  private Throwable reasonOfEnd() {
    if (failure != null) {
      return failure;
    }
    return damage != null ? damage : new IOException("the journal in " + directory + " is closed");
  }

  /**
   * Reads from the payload of a durable record. What is read is checked by nobody: a segment that
   * is trimmed meanwhile may hold something else.
   *
   * @param offsetBytes of the payload's first byte or a later one
   * @param target filled
   * @throws java.nio.file.NoSuchFileException if the segment has been trimmed
   */
  public void read(long segmentNumber, long offsetBytes, ByteBuffer target) throws IOException {
    String path = directory + "/" + JournalFormat.segmentName(segmentNumber);
    try (DeviceFile file = device.open(path, false)) {
      file.readFully(offsetBytes, target);
    }
  }

  /** Hands out records in order of position, as {@link #replay(long, long, JournalVisitor)}. */
  public void replay(long from, JournalVisitor visitor) throws IOException {
    replay(from, Long.MAX_VALUE, visitor);
  }

  /**
   * Hands out the durable records from position {@code from} (inclusive) to {@code to} (exclusive),
   * as far as there are any when it is called.
   *
   * @throws CorruptDataException after the records that stand before the damage, if records of the
   *     range are damaged or have been trimmed
   */
  public void replay(long from, long to, JournalVisitor visitor) throws IOException {
    trimming.lock(); // Or a segment could go between the list and the reading.
    try {
      replayUntrimmed(from, to, visitor);
    } finally {
      trimming.unlock();
    }
  }

  private void replayUntrimmed(long from, long to, JournalVisitor visitor) throws IOException {
    List<Segment> segments;
    List<Damage> known;
    long end;
    long accepted;
    lock.lock();
    try {
      segments = new ArrayList<>(finished);
      known = new ArrayList<>(damages);
      end = Math.min(to, durableNext);
      accepted = lossAcceptedPosition;
      if (currentPath != null) {
        segments.add(
            new Segment(
                JournalFormat.segmentNumber(DevicePaths.name(currentPath)),
                currentPath,
                currentFirst,
                durableNext,
                Long.MAX_VALUE));
      }
    } finally {
      lock.unlock();
    }
    segments.removeIf(Segment::isEmpty);
    if (from < end && !segments.isEmpty() && known.isEmpty()) {
      long first = segments.getFirst().firstPosition();
      if (from < first) {
        throw missing(from, "its records begin at " + first);
      }
    }
    SegmentChain.replay(device, segments, known, accepted, from, end, visitor);
    SegmentChain.passDamages(known, end, to, accepted, from, visitor);
  }

  /**
   * Gives back the space of records that are part of a checkpoint; whole segments only. Does
   * nothing for those that still hold a later record.
   *
   * @param upTo the last position that is not needed any more
   */
  public void trim(long upTo) throws IOException {
    trimming.lock();
    try {
      long keptNumber;
      boolean recycle;
      lock.lock();
      try {
        if (isOver()) {
          return;
        }
        int before = finished.size();
        while (!finished.isEmpty() && finished.getFirst().endPosition() - 1 <= upTo) {
          finished.removeFirst();
        }
        if (finished.size() == before || currentPath == null) {
          return;
        }
        keptNumber =
            finished.isEmpty()
                ? JournalFormat.segmentNumber(DevicePaths.name(currentPath))
                : finished.getFirst().number();
        recycle = next == null && !preparing && !spareExists;
      } finally {
        lock.unlock();
      }
      for (String name : device.list(directory)) {
        long number = JournalFormat.segmentNumber(name);
        String path = directory + "/" + name;
        if (number < 0 || number >= keptNumber) {
          continue;
        }
        if (recycle && device.sizeBytes(path) == settings.segmentBytes()) {
          recycle = false;
          device.rename(path, directory + "/" + SPARE);
          device.forceDirectory(directory);
          lock.lock();
          try {
            spareExists = true;
          } finally {
            lock.unlock();
          }
        } else {
          device.delete(path);
        }
      }
      device.forceDirectory(directory);
    } finally {
      trimming.unlock();
    }
  }

  /** Bytes of all segment files that hold records. */
  public long fileBytes() throws IOException {
    long sum = 0;
    for (String name : device.list(directory)) {
      if (JournalFormat.segmentNumber(name) >= 0) {
        try {
          sum += device.sizeBytes(directory + "/" + name);
        } catch (NoSuchFileException e) {
          // It has been trimmed since.
        }
      }
    }
    return sum;
  }

  /**
   * Waits until every record appended before is durable, ends the current segment and closes the
   * files. Records appended afterwards are refused. Safe to call again.
   */
  @Override
  public void close() throws IOException {
    SegmentWriter last;
    SegmentWriter unused;
    lock.lock();
    try {
      if (closed) {
        return;
      }
      closed = true;
      changed.signalAll();
      while (writerRuns || preparing) {
        changed.await();
      }
      last = current;
      unused = next;
      current = null;
      next = null;
      scratch = null;
    } finally {
      lock.unlock();
    }
    WitnessFile said = witness;
    witness = null;
    if (said != null) {
      said.close();
    }
    if (unused != null) {
      unused.close();
      if (failure == null) {
        device.delete(unused.path);
      }
    }
    if (last != null) {
      try (last) {
        if (failure == null) {
          end(last, durableNext);
          last.truncate(last.endBytes());
          last.force();
        }
      }
    }
  }

  // ---- the writer: a task of its own, or somebody's who waits

  private void runWriter() {
    write(false);
  }

  private void writeHere() {
    write(true);
  }

  /**
   * Writes what waits, until nothing does.
   *
   * @param once whether to leave what comes after the first group to a task
   */
  private void write(boolean once) {
    List<Waiting> group = new ArrayList<>();
    try {
      boolean leaves = false;
      while (take(group, leaves)) {
        write(group);
        group.clear();
        leaves = once;
      }
    } catch (Throwable thrown) { // Handed to everybody who waits; nothing is written after it.
      fail(thrown, group);
    }
  }

  /**
   * Takes what waits.
   *
   * @param leaves whether what waits is another writer's, which is started then
   * @return false if the caller is no longer the writer, because nothing waits or it leaves
   */
  private boolean take(List<Waiting> group, boolean leaves) throws IOException {
    while (true) {
      lock.lock();
      try {
        if (leaves && !waiting.isEmpty()) {
          startWriter();
          return false;
        }
        while (!waiting.isEmpty() && group.size() < MAX_GROUP_RECORDS) {
          Waiting first = waiting.removeFirst();
          waitingBytes -= first.bytes();
          group.add(first);
        }
        if (!group.isEmpty()) {
          changed.signalAll();
          return true;
        }
        if (current == null || witnessedPosition == nextPosition) {
          writerRuns = false;
          changed.signalAll();
          return false;
        }
      } finally {
        lock.unlock();
      }
      witness();
    }
  }

  /** Proves, not forced, that the last group had been forced: see the package. */
  private void witness() throws IOException {
    SegmentWriter segment = current;
    witnessedPosition = nextPosition;
    if (segment != null && segment.fits(JournalFormat.RECORD_HEADER_BYTES)) {
      try {
        segment.putControl(JournalFormat.TYPE_WITNESS, nextPosition);
        segment.flush();
      } catch (StoreFullException e) {
        abandon(segment); // Where a part of it may stand no record may follow.
      }
    }
  }

  /** Writes down what is forced, where the segment's own loss does not take it along. */
  private void sayForced() throws IOException {
    WitnessFile file = witness;
    if (file != null) {
      try {
        file.write(nextPosition);
      } catch (IOException e) {
        // The records are durable all the same; from now on nothing but they says so.
        witness = null;
        file.close();
      }
    }
  }

  private void write(List<Waiting> taken) throws IOException {
    Set<Long> keys = new HashSet<>();
    for (Waiting record : taken) {
      keys.addAll(record.keys());
    }
    IOException refused = null;
    if (!keys.isEmpty()) {
      try {
        barrier.force(keys);
      } catch (IOException e) {
        refused = e;
      }
    }
    List<Encoded> group = new ArrayList<>();
    long bytes = 0;
    for (Waiting record : taken) {
      if (refused != null && !record.keys().isEmpty()) {
        record.promise().fail(refused);
        continue;
      }
      byte[] payload;
      try {
        payload = record.payload().get();
        checkLength(payload.length);
      } catch (RuntimeException e) { // The record's own fault, told to whoever appended it.
        record.promise().fail(e);
        continue;
      }
      int recordBytes = JournalFormat.recordBytes(payload.length);
      if (bytes + recordBytes > capacityBytes() && !group.isEmpty()) {
        commit(group, bytes);
        group.clear();
        bytes = 0;
      }
      group.add(new Encoded(record.type(), payload, record.place(), record.promise()));
      bytes += recordBytes;
    }
    if (!group.isEmpty()) {
      commit(group, bytes);
    }
  }

  private int capacityBytes() {
    return settings.segmentBytes()
        - JournalFormat.HEADER_BYTES
        - 2 * JournalFormat.RECORD_HEADER_BYTES;
  }

  /** Writes one group and forces it, or fails its promises and writes nothing that counts. */
  private void commit(List<Encoded> group, long bytes) throws IOException {
    long groupPosition = nextPosition;
    long segmentNumber;
    long[] offsets = new long[group.size()];
    try {
      SegmentWriter segment = segmentFor(bytes);
      segmentNumber = segment.number;
      int groupStart = segment.endBytes();
      try {
        for (int i = 0; i < offsets.length; i++) {
          Encoded record = group.get(i);
          offsets[i] = segment.nextPayloadOffset();
          segment.put(record.type(), record.payload(), groupPosition + i, epoch, groupPosition);
        }
        segment.flush();
      } catch (StoreFullException e) {
        takeBack(segment, groupStart);
        throw e;
      }
      segment.force();
      nextPosition = groupPosition + group.size();
      sayForced();
    } catch (StoreFullException e) {
      for (Encoded record : group) {
        record.promise().fail(e);
      }
      return;
    } catch (Throwable thrown) { // Passed on; these promises are known here only.
      for (Encoded record : group) {
        record.promise().fail(thrown);
      }
      throw thrown;
    }
    boolean prepare;
    boolean written = current != null && current.hasSmallGroups();
    lock.lock();
    try {
      durableNext = nextPosition;
      prepare =
          current != null && current.isMoreThanHalfFull() && next == null && !preparing && !closed;
      preparing |= prepare;
    } finally {
      lock.unlock();
    }
    if (prepare) {
      scheduler.start("journal-prepare", () -> prepare(written));
    }
    for (int i = 0; i < group.size(); i++) {
      group.get(i).place().placed(segmentNumber, offsets[i]);
      group.get(i).promise().complete(new JournalPosition(epoch, groupPosition + i));
    }
  }

  /** The current segment if so many bytes fit, else a new one. */
  private SegmentWriter segmentFor(long bytes) throws IOException {
    SegmentWriter segment = current;
    if (segment != null && segment.fits(bytes)) {
      return segment;
    }
    SegmentWriter prepared;
    lock.lock();
    try {
      while (preparing) {
        changed.await();
      }
      prepared = next;
    } finally {
      lock.unlock();
    }
    SegmentWriter made;
    if (prepared != null && segment != null && prepared.fits(bytes)) {
      made = prepared;
    } else {
      discard(prepared); // Segments are used in the order of their numbers.
      made =
          makeSegment(
              segment == null ? SegmentKind.CUTS : SegmentKind.FOLLOWS,
              nextPosition,
              bytes,
              List.of(),
              List.of(),
              false);
    }
    if (segment != null) {
      end(segment, nextPosition);
      segment.close();
    }
    lock.lock();
    try {
      next = null;
      finishCurrent();
      current = made;
      currentFirst = nextPosition;
      currentPath = made.path;
    } finally {
      lock.unlock();
    }
    return made;
  }

  private void discard(@Nullable SegmentWriter prepared) throws IOException {
    if (prepared != null) {
      lock.lock();
      try {
        next = null;
      } finally {
        lock.unlock();
      }
      prepared.close();
      device.delete(prepared.path);
    }
  }

  private void finishCurrent() {
    if (currentPath != null) {
      finished.add(
          new Segment(
              JournalFormat.segmentNumber(DevicePaths.name(currentPath)),
              currentPath,
              currentFirst,
              nextPosition,
              nextPosition));
    }
    currentPath = null;
  }

  /**
   * Gives up a segment into which a part of a group may have been written: whole records of it,
   * even the last one but for its padding. They are refused, and must not come back with a restart.
   */
  private void takeBack(SegmentWriter segment, int groupStart) throws IOException {
    segment.dropUnwritten();
    try {
      segment.truncate(groupStart);
      segment.force();
    } catch (StoreFullException e) {
      // A file system that needs space to give some back: the next segment cuts the group off.
    }
    abandon(segment);
  }

  private void abandon(SegmentWriter segment) throws IOException {
    lock.lock();
    try {
      finishCurrent();
      current = null;
      segment.dropUnwritten();
    } finally {
      lock.unlock();
    }
    segment.close();
  }

  /** Ends a segment in good order; one without an end is as good where there is no space. */
  private static void end(SegmentWriter segment, long position) throws IOException {
    try {
      segment.putControl(JournalFormat.TYPE_END, position);
      segment.flush();
    } catch (StoreFullException e) {
      segment.dropUnwritten();
    }
  }

  private void fail(Throwable thrown, List<Waiting> group) {
    List<Waiting> refused = new ArrayList<>(group);
    lock.lock();
    try {
      failure = thrown;
      refused.addAll(waiting);
      waiting.clear();
      waitingBytes = 0;
      writerRuns = false;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    for (Waiting record : refused) {
      record.promise().fail(thrown);
    }
  }

  // ---- making segments

  private void prepare(boolean written) {
    SegmentWriter made = null;
    try {
      made = makeSegment(SegmentKind.FOLLOWS, nextPosition(), 0, List.of(), List.of(), written);
    } catch (IOException | RuntimeException e) {
      // The writer tries itself when it needs the segment, and tells whoever waits then.
      made = null;
    } finally {
      lock.lock();
      try {
        next = made;
        preparing = false;
        changed.signalAll();
      } finally {
        lock.unlock();
      }
    }
  }

  private static void writeZeros(DeviceFile file, long size) throws IOException {
    ByteBuffer zeros = ByteBuffer.allocateDirect((int) Math.min(size, ZEROS_BYTES));
    for (long at = 0; at < size; at += zeros.limit()) {
      zeros.clear().limit((int) Math.min(zeros.capacity(), size - at));
      file.write(at, zeros);
    }
  }

  /**
   * Makes a segment, durable with its name.
   *
   * @param recordBytes of records that must fit
   * @param tail records that are in it from the beginning
   * @param epochs of the records of the tail
   * @param written whether to write its space now: what is only allocated costs a commit of the
   *     file system's own with each force, which is twice the time of one of bytes that have been
   *     there before
   */
  private SegmentWriter makeSegment(
      SegmentKind kind,
      long firstPosition,
      long recordBytes,
      List<Encoded> tail,
      List<Long> epochs,
      boolean written)
      throws IOException {
    long needed = recordBytes + JournalFormat.HEADER_BYTES + 2L * JournalFormat.RECORD_HEADER_BYTES;
    if (needed > JournalSettings.MAX_SEGMENT_BYTES) {
      throw new IOException("a group of " + recordBytes + " bytes fits into no segment");
    }
    long size = Math.max(settings.segmentBytes(), needed);
    long number;
    boolean recycled;
    ByteBuffer buffer;
    lock.lock();
    try {
      number = ++lastNumber;
      recycled = spareExists && size == settings.segmentBytes();
      spareExists &= !recycled;
      if (scratch == null) {
        scratch = ByteBuffer.allocateDirect(SCRATCH_BYTES);
      }
      buffer = scratch;
    } finally {
      lock.unlock();
    }
    SegmentHeader header =
        new SegmentHeader(
            owner, epoch, number, firstPosition, scheduler.random().nextLong(), size, kind);
    String path = directory + "/" + JournalFormat.segmentName(number);
    String temporary = recycled ? directory + "/" + SPARE : path + TEMPORARY_SUFFIX;
    DeviceFile file = recycled ? device.open(temporary, true) : device.create(temporary);
    boolean made = false;
    try {
      if (!recycled) {
        file.allocate(size);
        if (written) {
          writeZeros(file, size);
        }
      }
      file.write(0, ByteBuffer.wrap(JournalFormat.encodeHeader(header)));
      SegmentWriter segment = new SegmentWriter(file, path, header, buffer);
      for (int i = 0; i < tail.size(); i++) {
        Encoded record = tail.get(i);
        segment.put(
            record.type(), record.payload(), firstPosition + i, epochs.get(i), firstPosition);
      }
      if (!tail.isEmpty()) {
        segment.flush();
      }
      file.force();
      device.rename(temporary, path);
      device.forceDirectory(directory);
      made = true;
      return segment;
    } finally {
      if (!made) {
        file.close();
        if (device.exists(temporary)) {
          device.delete(temporary);
        }
      }
    }
  }
}
