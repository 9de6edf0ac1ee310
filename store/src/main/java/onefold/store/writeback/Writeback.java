package onefold.store.writeback;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.MutableObject;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;
import onefold.store.ShareEntry;
import onefold.store.ShareObject;
import onefold.store.ShareStore;
import onefold.store.StoreFullException;
import onefold.store.WritebackStatistics;
import onefold.store.device.Device;
import onefold.store.scheduler.Promise;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.SchedulerCondition;
import onefold.store.scheduler.SchedulerLock;
import onefold.store.scheduler.TaskHandle;
import onefold.store.writeback.Extent.Source;
import onefold.store.writeback.WritebackFormat.LogRecord;
import onefold.store.writeback.WritebackFormat.Part;
import org.jspecify.annotations.Nullable;

/**
 * The objects of a domain that are open or have changes which are not folded, what they may take,
 * and the task that folds them.
 *
 * <p>Owns the log. Any number of threads.
 */
public final class Writeback implements AutoCloseable {
  /** How long whoever finds nothing to make room with waits for others. */
  private static final Duration RETRY = Duration.ofMillis(1);

  /** How long the task leaves an object alone that could not be folded. */
  private static final Duration AFTER_FAILURE = Duration.ofSeconds(10);

  /** Replaced bytes after which housekeeping is told. */
  private static final long GARBAGE_BYTES = 64L << 20;

  private final Device device;
  private final Scheduler scheduler;
  private final String directory;
  private final Id domainId;
  private final long epoch;
  private final WritebackSettings settings;
  private final Ground ground;

  private final SchedulerLock lock;
  private final SchedulerCondition wake;
  private final Map<Content, WritebackObject> objects = new HashMap<>(); // guarded by lock
  private @Nullable WritebackLog log; // guarded by lock
  private @Nullable TaskHandle task; // guarded by lock
  private boolean taskRuns; // guarded by lock
  private int streams; // guarded by lock

  /** How many objects have been ended: what was seen in the tree before may be older. */
  private long endedObjects; // guarded by lock

  /** Objects with open readers, the least recently read first. */
  private final Map<WritebackObject, Boolean> readers = // guarded by lock
      new LinkedHashMap<>(16, 0.75f, true);

  private final Map<WritebackObject, Long> failedAtNanos = new HashMap<>(); // the task's

  /** Held by the one that makes room; taken before any object's locks. */
  private final SchedulerLock roomLock;

  /** Held by the one that trims the log; taken before the objects' state locks. */
  private final SchedulerLock trimLock;

  private long keptFrom; // guarded by trimLock

  /** Records from here on stay whatever happens: of objects that cannot be opened. */
  private long stuckFrom = Long.MAX_VALUE; // written before anybody else is here

  /** Files whose changes cannot be had, and why. */
  private final Map<Content, String> unreadable = new HashMap<>(); // as well

  private long numberFloor; // as well
  private int recoveredObjects; // as well

  private final AtomicLong memoryBytes = new AtomicLong();
  private final AtomicLong appendedBytes = new AtomicLong();
  private final AtomicLong folds = new AtomicLong();
  private final AtomicLong streamedBytes = new AtomicLong();
  private final AtomicLong replaced = new AtomicLong();

  /** No record is needed that was appended before so many bytes; found out when trimming. */
  private volatile long unneededBytes;

  private volatile boolean closing;
  private volatile @Nullable Throwable broken;

  /** Which content: copies of a share hold the same object ids. */
  private record Content(Id shareId, Id objectId) {}

  private Writeback(
      Device device,
      Scheduler scheduler,
      String directory,
      Id domainId,
      long epoch,
      WritebackSettings settings,
      Ground ground) {
    this.device = device;
    this.scheduler = scheduler;
    this.directory = directory;
    this.domainId = domainId;
    this.epoch = epoch;
    this.settings = settings;
    this.ground = ground;
    this.lock = scheduler.lock("writeback");
    this.wake = lock.newCondition();
    this.roomLock = scheduler.lock("writeback-room");
    this.trimLock = scheduler.lock("writeback-trim");
  }

  /**
   * Opens the write-back of a domain and takes from its log the changes that are not folded.
   *
   * @param directory of the log, which is made when it is needed
   * @throws onefold.store.CorruptDataException if records of the log are lost that were durable
   */
  public static Writeback open(
      Device device,
      Scheduler scheduler,
      String directory,
      Id domainId,
      long epoch,
      WritebackSettings settings,
      Ground ground)
      throws IOException {
    Writeback writeback =
        new Writeback(device, scheduler, directory, domainId, epoch, settings, ground);
    long keptFrom = ground.keptFrom();
    writeback.keptFrom = keptFrom;
    if (keptFrom > 1 || WritebackLog.exists(device, directory)) {
      boolean ready = false;
      try {
        writeback.recover(keptFrom);
        ready = true;
      } finally {
        if (!ready) {
          writeback.abandon();
        }
      }
    }
    return writeback;
  }

  /**
   * Gives up records of a domain's log that are lost, so that it can be opened; does nothing if
   * there is no log.
   *
   * @param keptFrom see {@link Ground#keptFrom}
   * @return what is lost; empty if nothing is
   */
  public static Optional<CorruptDataException> acceptLoss(
      Device device,
      Scheduler scheduler,
      String directory,
      Id domainId,
      long epoch,
      long keptFrom,
      WritebackSettings settings)
      throws IOException {
    if (keptFrom <= 1 && !WritebackLog.exists(device, directory)) {
      return Optional.empty();
    }
    return WritebackLog.acceptLoss(
        device, scheduler, directory, domainId, epoch, keptFrom, settings.segmentBytes());
  }

  // ---- a start

  private void recover(long from) throws IOException {
    WritebackLog opened = log();
    Set<Content> unknown = new HashSet<>();
    // First the highest number: no change may get one that stands in the log.
    opened.scan(
        from,
        (record, position, bytes, segment, offset) ->
            numberFloor = Math.max(numberFloor, record.number()));
    opened.scan(
        from,
        (record, position, bytes, segment, offset) -> {
          long span = appended(bytes);
          Content content = new Content(record.shareId(), record.objectId());
          WritebackObject object = objects.get(content);
          if (object == null && !unknown.contains(content)) {
            object = find(record, position);
            if (object == null) {
              unknown.add(content);
            } else {
              objects.put(content, object);
            }
          }
          if (object != null && object.follows(record)) {
            List<Source> sources = sources(record, position);
            if (sources == null) {
              objects.remove(content);
              unknown.add(content);
              object.end();
            } else {
              object.recover(record, position, span, segment, offset, sources);
            }
          }
        });
    List<WritebackObject> unchanged = new ArrayList<>();
    objects.values().removeIf(object -> !object.dirty() && unchanged.add(object));
    for (WritebackObject object : unchanged) {
      object.end();
    }
    recoveredObjects = objects.size();
    for (WritebackObject object : objects.values()) {
      changed(object);
    }
  }

  /** Finds the object of a record; null if its entry is gone. */
  private @Nullable WritebackObject find(LogRecord record, long position) throws IOException {
    try {
      Optional<ShareObject> object = inTree(record.shareId(), record.key());
      if (object.isEmpty() || !object.get().id().equals(record.objectId())) {
        return null;
      }
      return make(record.shareId(), record.key(), object.get(), false);
    } catch (RefusedException | CorruptDataException e) {
      isUnreadable(record, position, e);
      return null;
    }
  }

  /** Leaves an object and its records alone, because something that it needs is not there. */
  private void isUnreadable(LogRecord record, long position, IOException why) {
    unreadable.put(
        new Content(record.shareId(), record.objectId()), String.valueOf(why.getMessage()));
    stuckFrom = Math.min(stuckFrom, position);
    ground.problem(
        "changes of the file " + record.objectId() + " stay in the log: " + why.getMessage());
  }

  private Optional<ShareObject> inTree(Id shareId, byte[] key) throws IOException {
    try {
      return ground.tree(shareId).find(key).flatMap(ShareEntry::object);
    } catch (RefusedException e) {
      if (e.reason() == Reason.NOT_FOUND) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /** The objects that a record takes from; null if one is not there. */
  private @Nullable List<Source> sources(LogRecord record, long position) throws IOException {
    List<Source> sources = new ArrayList<>();
    try {
      for (Part part : record.parts()) {
        if (part instanceof Part.Splice splice) {
          sources.add(new Source(Base.open(scheduler, ground, splice.source(), -1)));
        }
      }
      return sources;
    } catch (RefusedException | CorruptDataException e) {
      for (Source source : sources) {
        source.base.leave();
      }
      isUnreadable(record, position, e);
      return null;
    }
  }

  private WritebackObject make(Id shareId, byte[] key, ShareObject object, boolean readOnly)
      throws IOException {
    Base base = Base.open(scheduler, ground, object.root(), object.dataBytes());
    return new WritebackObject(this, shareId, key, object, base, numberFloor, readOnly);
  }

  // ---- the face

  /**
   * Opens the content of an entry.
   *
   * @param readOnly whether the share is a snapshot
   * @throws RefusedException {@code NOT_FOUND} if there is no such entry or it has no object
   */
  public MutableObject open(Id shareId, byte[] key, boolean readOnly) throws IOException {
    while (true) {
      checkUsable();
      long before;
      lock.lock();
      try {
        before = endedObjects;
      } finally {
        lock.unlock();
      }
      ShareObject found =
          inTree(shareId, key)
              .orElseThrow(
                  () -> new RefusedException(Reason.NOT_FOUND, "there is no file under this key"));
      Content content = new Content(shareId, found.id());
      String why = unreadable.get(content);
      if (why != null) {
        throw new CorruptDataException(
            "file " + found.id(), -1, "what its changes in the log refer to", why);
      }
      Optional<MutableObject> open = openHere(content);
      if (open.isPresent()) {
        return open.get();
      }
      WritebackObject made = make(shareId, key.clone(), found, readOnly);
      lock.lock();
      try {
        // If none has ended since the look, this one was not here and what was seen still holds.
        if (endedObjects == before && objects.putIfAbsent(content, made) == null) {
          made.openers++;
          return new OpenedObject(this, made);
        }
      } finally {
        lock.unlock();
      }
      made.end();
    }
  }

  private Optional<MutableObject> openHere(Content content) {
    lock.lock();
    try {
      WritebackObject object = objects.get(content);
      if (object == null) {
        return Optional.empty();
      }
      object.openers++;
      return Optional.of(new OpenedObject(this, object));
    } finally {
      lock.unlock();
    }
  }

  /** As {@link ShareStore#unfolded}. */
  public Optional<ShareStore.Unfolded> unfolded(Id shareId, Id objectId) {
    WritebackObject object;
    lock.lock();
    try {
      object = objects.get(new Content(shareId, objectId));
    } finally {
      lock.unlock();
    }
    return object == null ? Optional.empty() : object.unfolded();
  }

  /** Folds all changes of a share that were made before the call. */
  public void fold(Id shareId) throws IOException {
    for (WritebackObject object : all()) {
      if (object.shareId.equals(shareId) && object.dirty()) {
        object.fold();
      }
    }
    trim();
  }

  /** Memory that changes take. */
  public long memoryBytes() {
    return memoryBytes.get();
  }

  /** Figures for showing. */
  public WritebackStatistics statistics() throws IOException {
    List<WritebackObject> now = all();
    long dirty = 0;
    long unfolded = 0;
    for (WritebackObject object : now) {
      dirty += object.dirty() ? 1 : 0;
      unfolded += object.unfoldedBytes();
    }
    WritebackLog open;
    lock.lock();
    try {
      open = log;
    } finally {
      lock.unlock();
    }
    return new WritebackStatistics(
        now.size(),
        dirty,
        memoryBytes.get(),
        unfolded,
        appendedBytes.get() - neededSpan(),
        open == null ? 0 : open.fileBytes(),
        appendedBytes.get(),
        streamedBytes.get(),
        folds.get(),
        recoveredObjects);
  }

  private List<WritebackObject> all() {
    lock.lock();
    try {
      return new ArrayList<>(objects.values());
    } finally {
      lock.unlock();
    }
  }

  // ---- what objects ask

  Scheduler scheduler() {
    return scheduler;
  }

  Ground ground() {
    return ground;
  }

  WritebackSettings settings() {
    return settings;
  }

  /** The log, which is made with the first change that is forced. */
  WritebackLog log() throws IOException {
    lock.lock();
    try {
      WritebackLog open = log;
      if (open == null) {
        open =
            WritebackLog.open(
                device, scheduler, directory, domainId, epoch, keptFrom, settings.segmentBytes());
        log = open;
      }
      return open;
    } finally {
      lock.unlock();
    }
  }

  void checkUsable() throws IOException {
    Throwable reason = broken;
    if (reason != null) {
      throw new IOException("the store has stopped: " + reason.getMessage(), reason);
    }
    if (closing) {
      throw new RefusedException(Reason.SHUTTING_DOWN, "the store is closing");
    }
  }

  /** Waits until a change of a tree is durable. */
  void await(CompletionStage<Void> stage) throws IOException {
    Promise<Boolean> promise = scheduler.promise();
    var _ =
        stage.whenComplete((value, thrown) -> {
          if (thrown == null) {
            promise.complete(true);
          } else {
            promise.fail(
                thrown instanceof CompletionException wrapper && wrapper.getCause() != null
                    ? wrapper.getCause()
                    : thrown);
          }
        });
    try {
      promise.await();
    } catch (IOException e) {
      broken(e);
      throw e;
    }
  }

  /** Says that something could not be made durable and nobody knows whether it is. */
  void broken(IOException reason) {
    if (!(reason instanceof StoreFullException) && !(reason instanceof RefusedException)) {
      broken = reason;
      ground.problem("changes of files could not be made durable: " + reason.getMessage());
    }
  }

  /** Takes note of a record; returns how many bytes there were before it. */
  long appended(int payloadBytes) {
    return appendedBytes.getAndAdd(payloadBytes);
  }

  void streamed(long bytes) {
    streamedBytes.addAndGet(bytes);
  }

  /**
   * Takes note of a fold.
   *
   * @param replacedBytes of older recipes that are not in the new one
   */
  void folded(long replacedBytes) {
    folds.incrementAndGet();
    long all = replaced.addAndGet(replacedBytes);
    if (all >= GARBAGE_BYTES && replaced.compareAndSet(all, 0)) {
      ground.garbageLikely();
    }
  }

  boolean takeStream() {
    lock.lock();
    try {
      if (streams >= settings.streams()) {
        return false;
      }
      streams++;
      return true;
    } finally {
      lock.unlock();
    }
  }

  void giveStream() {
    lock.lock();
    try {
      streams--;
    } finally {
      lock.unlock();
    }
  }

  /** Takes note that an object's recipe was read, and closes readers used longest ago. */
  void read(WritebackObject object) {
    List<WritebackObject> all;
    lock.lock();
    try {
      readers.put(object, true);
      if (readers.size() * Base.MAX_READERS <= settings.readers()) {
        return;
      }
      all = List.copyOf(readers.keySet());
    } finally {
      lock.unlock();
    }
    int count = 0;
    for (WritebackObject each : all.reversed()) {
      count += each.readerCount();
      if (count > settings.readers()) {
        closeReaders(each);
      }
    }
  }

  /** Whoever reads with one at this moment takes note of it afterwards. */
  private void closeReaders(WritebackObject object) {
    lock.lock();
    try {
      readers.remove(object);
    } finally {
      lock.unlock();
    }
    object.closeIdleReaders();
  }

  // ---- memory

  /** Counts what changes take of memory. */
  void charge(long bytes) {
    memoryBytes.addAndGet(bytes);
  }

  /**
   * Waits until so much more fits, and counts it until {@link #giveMemory}. What does not fit alone
   * is let in when there is nothing else. The caller holds no lock.
   */
  void takeMemory(long bytes) throws IOException {
    while (true) {
      long used = memoryBytes.addAndGet(bytes);
      if (used <= settings.memoryBytes() || used == bytes) {
        return;
      }
      memoryBytes.addAndGet(-bytes);
      makeRoom(bytes);
    }
  }

  void giveMemory(long bytes) {
    memoryBytes.addAndGet(-bytes);
  }

  private void makeRoom(long bytes) throws IOException {
    roomLock.lock();
    try {
      long before = memoryBytes.get();
      if (before == 0 || before + bytes <= settings.memoryBytes()) {
        return;
      }
      WritebackObject largest = null;
      long most = 0;
      for (WritebackObject object : all()) {
        long charge = object.chargedBytes();
        if (charge > most) {
          most = charge;
          largest = object;
        }
      }
      if (largest == null) {
        scheduler.park(RETRY); // Others are about to write.
        return;
      }
      if (largest.dropLogged() > 0) {
        return;
      }
      largest.relieve();
      if (largest.dropLogged() == 0 && memoryBytes.get() >= before) {
        largest.fold();
      }
    } finally {
      roomLock.unlock();
    }
  }

  // ---- the log's length

  /** Waits until the log is not too long. The caller holds no lock. */
  void awaitLogRoom() throws IOException {
    while (appendedBytes.get() - unneededBytes > settings.logBytes()) {
      roomLock.lock();
      try {
        trim();
        if (appendedBytes.get() - unneededBytes <= settings.logBytes()) {
          return;
        }
        WritebackObject oldest = oldest();
        if (oldest == null) {
          return; // It is held by what cannot be opened.
        }
        oldest.fold();
        trim();
      } finally {
        roomLock.unlock();
      }
    }
  }

  /** The object that needs the oldest record. */
  private @Nullable WritebackObject oldest() {
    WritebackObject oldest = null;
    long least = Long.MAX_VALUE;
    for (WritebackObject object : all()) {
      long span = object.neededSpan();
      if (span < least) {
        least = span;
        oldest = object;
      }
    }
    return oldest;
  }

  private long neededSpan() {
    long least = appendedBytes.get();
    for (WritebackObject object : all()) {
      least = Math.min(least, object.neededSpan());
    }
    return least;
  }

  /** Gives back what nobody needs of the log. */
  private void trim() throws IOException {
    trimLock.lock();
    try {
      WritebackLog open;
      lock.lock();
      try {
        open = log;
      } finally {
        lock.unlock();
      }
      if (open == null) {
        return;
      }
      // First: what is appended from now on lies behind it.
      long next = open.nextPosition();
      long span = neededSpan();
      long needed = Math.min(next, stuckFrom);
      for (WritebackObject object : all()) {
        needed = Math.min(needed, object.neededFrom());
      }
      boolean much = span - unneededBytes >= settings.segmentBytes();
      if (needed > keptFrom && (much || needed == next)) {
        ground.keepFrom(needed);
        keptFrom = needed;
        open.trim(needed);
      }
      if (much || needed == next) {
        unneededBytes = span;
      }
    } finally {
      trimLock.unlock();
    }
  }

  // ---- the task that folds

  /** Says that an object has changes, which are to be folded some time. */
  void changed(WritebackObject object) {
    if (taskRuns(object)) {
      return;
    }
    lock.lock();
    try {
      if (!taskRuns && !closing) {
        taskRuns = true;
        task = scheduler.start("writeback", this::run);
      }
    } finally {
      lock.unlock();
    }
  }

  private boolean taskRuns(WritebackObject object) {
    lock.lock();
    try {
      if (object.unfoldedBytes() >= settings.foldBytes()) {
        wake.signalAll();
      }
      return taskRuns;
    } finally {
      lock.unlock();
    }
  }

  private void run() {
    try {
      while (rest()) {
        boolean isLong = appendedBytes.get() - unneededBytes > settings.logBytes() / 2;
        WritebackObject oldest = isLong ? oldest() : null;
        List<WritebackObject> small = new ArrayList<>();
        for (WritebackObject object : all()) {
          if (closing || broken != null) {
            break;
          }
          if (!isDue(object, object == oldest)) {
            continue;
          }
          if (object.isSmall()) {
            small.add(object);
          } else {
            fold(object);
          }
          if (small.size() == FoldTogether.OBJECTS) {
            foldTogether(small);
            small.clear();
          }
        }
        foldTogether(small);
        if (!closing && broken == null) {
          trim();
        }
      }
    } catch (IOException | RuntimeException e) {
      ground.problem("changes of shares could not be folded: " + e.getMessage());
      lock.lock();
      try {
        taskRuns = false;
      } finally {
        lock.unlock();
      }
    }
  }

  /** Waits for the next time; false, and the task has ended, when there is nothing to do. */
  private boolean rest() {
    List<WritebackObject> ended = new ArrayList<>();
    boolean more;
    lock.lock();
    try {
      var each = objects.values().iterator();
      while (each.hasNext()) {
        WritebackObject object = each.next();
        if (object.openers == 0 && !object.dirty()) {
          each.remove();
          readers.remove(object);
          endedObjects++;
          ended.add(object);
        }
      }
      more = false;
      for (WritebackObject object : objects.values()) {
        more |= object.dirty() || object.isStreaming();
      }
      more &= !closing && broken == null;
      if (more) {
        wake.await(settings.idle().dividedBy(4).plusMillis(1));
      } else {
        taskRuns = false;
      }
    } finally {
      lock.unlock();
    }
    for (WritebackObject object : ended) {
      object.end();
      failedAtNanos.remove(object);
    }
    return more;
  }

  private boolean isDue(WritebackObject object, boolean holdsLog) {
    boolean idle = object.idleNanos() >= settings.idle().toNanos();
    boolean due =
        idle
            || (object.unfoldedBytes() >= settings.foldBytes() && !object.isStreaming())
            || holdsLog;
    Long failed = failedAtNanos.get(object);
    return due
        && (failed == null || scheduler.nanoTime() - failed >= AFTER_FAILURE.toNanos())
        && (object.dirty() || object.isStreaming());
  }

  private void fold(WritebackObject object) {
    try {
      if (endIfGone(object)) {
        return;
      }
      object.fold();
      object.endIdleStream();
      failedAtNanos.remove(object);
    } catch (IOException e) {
      failedAtNanos.put(object, scheduler.nanoTime());
      if (!closing) {
        ground.problem(
            "changes of the object " + object.objectId + " could not be folded: " + e.getMessage());
      }
    }
  }

  private boolean endIfGone(WritebackObject object) throws IOException {
    boolean gone = !isOpen(object) && object.looksGone();
    if (gone) {
      forget(object);
    }
    return gone;
  }

  /** Folds small objects at once, or one by one if that fails because of one of them. */
  private void foldTogether(List<WritebackObject> small) {
    if (small.isEmpty() || closing || broken != null) {
      return;
    }
    if (small.size() > 1) {
      try {
        List<WritebackObject> there = new ArrayList<>();
        for (WritebackObject object : small) {
          if (!endIfGone(object)) {
            there.add(object);
          }
        }
        FoldTogether.fold(this, there);
        return;
      } catch (IOException e) {
        // Each by itself, it is known whose fault it is.
        if (closing || broken != null) {
          return;
        }
      }
    }
    small.forEach(this::fold);
  }

  private boolean isOpen(WritebackObject object) {
    lock.lock();
    try {
      return object.openers > 0;
    } finally {
      lock.unlock();
    }
  }

  /** Lets go of an object whose entry is gone, unless somebody has opened it meanwhile. */
  private void forget(WritebackObject object) {
    lock.lock();
    try {
      if (object.openers > 0
          || !objects.remove(new Content(object.shareId, object.objectId), object)) {
        return;
      }
      readers.remove(object);
      endedObjects++;
    } finally {
      lock.unlock();
    }
    object.end();
  }

  // ---- the end

  /** One opener leaves an object. */
  void close(WritebackObject object) throws IOException {
    boolean last;
    lock.lock();
    try {
      last = --object.openers == 0;
    } finally {
      lock.unlock();
    }
    if (!last || closing || broken != null) {
      return;
    }
    if (object.dirty() && !object.looksGone()) {
      object.force(object.note());
      return; // The task folds it, and ends it then.
    }
    if (object.isGone() || !object.isStreaming()) {
      endIfUnused(object);
    }
  }

  private void endIfUnused(WritebackObject object) {
    lock.lock();
    try {
      if (object.openers > 0
          || (object.dirty() && !object.isGone())
          || !objects.remove(new Content(object.shareId, object.objectId), object)) {
        return;
      }
      readers.remove(object);
      endedObjects++;
    } finally {
      lock.unlock();
    }
    object.end();
  }

  /** Makes all changes durable, in the log, and ends everything. Safe to call again. */
  @Override
  public void close() throws IOException {
    if (closing) {
      return;
    }
    IOException failure = null;
    if (broken == null) {
      for (WritebackObject object : all()) {
        try {
          if (object.dirty() && !object.isGone()) {
            object.force(object.note());
          }
        } catch (IOException e) {
          failure = failure == null ? e : failure;
        }
      }
    }
    abandon();
    if (failure != null) {
      throw failure;
    }
  }

  /** Ends everything as it is. */
  public void abandon() throws IOException {
    closing = true;
    TaskHandle running;
    List<WritebackObject> ended;
    WritebackLog open;
    lock.lock();
    try {
      running = task;
      wake.signalAll();
    } finally {
      lock.unlock();
    }
    if (running != null) {
      running.join();
    }
    lock.lock();
    try {
      ended = new ArrayList<>(objects.values());
      objects.clear();
      readers.clear();
      open = log;
      log = null;
    } finally {
      lock.unlock();
    }
    for (WritebackObject object : ended) {
      object.end();
    }
    if (open != null) {
      open.close();
    }
  }
}
