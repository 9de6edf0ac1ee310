package onefold.store.index;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.UnaryOperator;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;
import onefold.store.CorruptDataException;
import onefold.store.StoreFullException;
import onefold.store.device.Device;
import onefold.store.device.DeviceForceException;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.SchedulerCondition;
import onefold.store.scheduler.SchedulerLock;
import onefold.store.scheduler.TaskHandle;
import org.jspecify.annotations.Nullable;

/**
 * Finds the place of a chunk by its fingerprint: exact, and derived from the containers'
 * directories, so that it can always be thrown away and built again.
 *
 * <p>It is a set of facts "this slot of this container holds this chunk". Publishing adds facts and
 * may be repeated; the order does not matter. A container that is not known, because it was never
 * published or has been retracted, has no facts. When several known containers hold a chunk the
 * answer is the one with the highest number, always: two look-ups that see the same containers
 * never disagree about which copy counts. Container numbers are unsigned, not 0 and never reused.
 *
 * <p>Any number of threads may call any method at any time. Look-ups wait for nobody; publishing
 * waits for other publishing, and for the disk when it has got too far ahead of it.
 */
public final class ChunkIndex implements AutoCloseable {
  /** With so many runs in one partition no more are made until merging has caught up. */
  private static final int MAX_RUNS = 24;

  /** When the retracted containers reach this share of all, everything is merged once. */
  private static final int SWEEP_SHARE = 4;

  private static final int MIN_SWEPT_CONTAINERS = 8;
  private static final Duration THROTTLE_STEP = Duration.ofMillis(50);

  private final Device device;
  private final Scheduler scheduler;
  private final String directory;
  private final IndexSettings settings;
  private final IndexDamageListener listener;
  private final PageCache cache;
  private final RunMaker maker;
  private final AtomicLong nextRunId;

  /** Held by whoever replaces the manifest, from its snapshot to the change of the version. */
  private final SchedulerLock changeLock;

  /** Held by whoever opens a run. */
  private final SchedulerLock loadLock;

  /** Guards what follows; held for work in memory only. Taken inside changeLock, never around. */
  private final SchedulerLock lock;

  private final SchedulerCondition changed; // of what waiters for a flush look at
  private final SchedulerCondition hurry; // somebody waits, or the index is being closed
  private final Versions versions;
  private final ContainerSet known = new ContainerSet(); // changed under lock
  private final ContainerSet covered; // guarded by lock
  private final ContainerSet sealed = new ContainerSet(); // not covered yet; guarded by lock
  private ContainerSet flushable = new ContainerSet(); // sealed at the freeze; guarded by lock
  private final Map<Long, Integer> openRecords = new HashMap<>(); // of active; guarded by lock
  private long openRecordSum; // guarded by lock
  private final List<TaskHandle> tasks = new ArrayList<>(); // guarded by lock
  private boolean flushing; // guarded by lock
  private boolean merging; // guarded by lock

  /** Counts retracted containers, so that a search sees that one went while it ran. */
  private final AtomicLong containerRetractions = new AtomicLong();

  private @Nullable IOException flushFailure; // of the last flush; guarded by lock
  private @Nullable IOException mergeFailure; // of the last merge; guarded by lock
  private @Nullable RuntimeException fatal; // guarded by lock
  private int waiting; // who waits for a flush or a merge; guarded by lock
  private long lossGeneration; // guarded by lock
  private long retractedSinceSweep; // guarded by lock
  private long sweep; // guarded by lock
  private volatile boolean closing;

  private final LongAdder lookups = new LongAdder();
  private final LongAdder hits = new LongAdder();
  private final LongAdder pagesRead = new LongAdder();
  private final LongAdder missPagesRead = new LongAdder();
  private final LongAdder bytesWritten = new LongAdder();

  private final PageReader.Owner runOwner =
      new PageReader.Owner() {
        @Override
        public Run.Loaded load(Run run) throws IOException {
          loadLock.lock();
          try {
            return run.load();
          } finally {
            loadLock.unlock();
          }
        }

        @Override
        public boolean damaged(Run run, IOException damage) {
          return markDamaged(run, damage);
        }

        @Override
        public void pagesRead(int pages) {
          pagesRead.add(pages);
        }
      };

  private ChunkIndex(
      Device device,
      Scheduler scheduler,
      String directory,
      IndexSettings settings,
      IndexDamageListener listener,
      Manifests.Found found) {
    this.device = device;
    this.scheduler = scheduler;
    this.directory = directory;
    this.settings = settings;
    this.listener = listener;
    this.cache = new PageCache(scheduler, settings.cacheBytes());
    this.nextRunId = new AtomicLong(found.nextRunId());
    this.maker = new RunMaker(device, directory, nextRunId::getAndIncrement);
    this.changeLock = scheduler.lock("index-change");
    this.loadLock = scheduler.lock("index-load");
    this.lock = scheduler.lock("index");
    this.changed = lock.newCondition();
    this.hurry = lock.newCondition();
    this.covered = found.covered();
    known.addAll(covered);
    for (Partition partition : found.partitions()) {
      lossGeneration = Math.max(lossGeneration, partition.lostAt());
    }
    this.versions = new Versions(lock, new IndexVersion(newTable(), null, found.partitions()));
  }

  private MemoryTable newTable() {
    return new MemoryTable(scheduler.random().nextLong());
  }

  /**
   * Opens the index of a directory, which is made if it is missing. Never fails because of what
   * stands there: what is damaged is left out, {@link #rebuildNeeded} says so and the listener
   * hears it. No run is read before it is needed.
   *
   * <p>The caller then retracts the {@linkplain #knownContainers known} containers that no longer
   * exist, publishes those that exist and are not {@linkplain #coveredContainers covered}, and says
   * again which single places are retracted, before anything relies on an answer. If a rebuild is
   * needed that was one, between {@link #beginRebuild} and {@link #finishRebuild}.
   *
   * @param directory within the device; nobody else uses it
   * @param listener hears of lost parts, from now until the index is closed
   * @throws IOException if the device fails
   */
  public static ChunkIndex open(
      Device device,
      Scheduler scheduler,
      String directory,
      IndexSettings settings,
      IndexDamageListener listener)
      throws IOException {
    Manifests.Found found = Manifests.open(device, directory);
    var index = new ChunkIndex(device, scheduler, directory, settings, listener, found);
    for (String what : found.damage()) {
      index.startTask("index-damage", () -> listener.indexDamaged(what));
    }
    return index;
  }

  /**
   * Finds chunks for reading. While a rebuild is needed a chunk of a damaged part may be answered
   * with a place that has been retracted, or that is not the highest: then no copy of it may be
   * deleted because of this answer.
   *
   * @param batch read before the method returns
   * @param places gets one row for each chunk of the batch
   * @throws CorruptDataException if a part of the index is damaged and a chunk that was not found
   *     may have stood there: it is not known to be absent. The damage has been reported; after the
   *     rebuild the answer is known again. Rows that were found name true places even then
   */
  public void lookup(FingerprintBatch batch, Places places) throws IOException {
    long unknown = find(batch, places, InLostPart.ANY_PLACE);
    if (unknown != 0) {
      throw new CorruptDataException(
          directory,
          -1,
          "the whole index",
          "a damaged part, in which "
              + unknown
              + " of "
              + batch.count()
              + " chunks may have stood"
              + " that are not found elsewhere");
    }
  }

  /**
   * Finds chunks for deduplication: as {@link #lookup}, but every chunk that belongs to a damaged
   * part is answered absent, for there its retractions may be lost too. That costs space, never
   * data.
   */
  public void lookupForDedup(FingerprintBatch batch, Places places) {
    find(batch, places, InLostPart.ABSENT);
  }

  /** What is wanted of chunks in a part of the index that is not whole. */
  private enum InLostPart {
    /** Places that are still named, be they retracted or not the highest. */
    ANY_PLACE,
    /** Nothing. */
    ABSENT
  }

  /** Finds chunks; returns how many of those that are absent may have been lost. */
  private long find(FingerprintBatch batch, Places places, InLostPart inLostPart) {
    var found = new Found(0, 0);
    boolean done = false;
    while (!done) {
      long retractionsBefore = containerRetractions.get();
      IndexVersion now = versions.acquire();
      try {
        var lookup = new Lookup(known, places);
        var reader = new PageReader(runOwner, cache, lookup);
        find(now, batch, places, lookup, reader);
        // A chunk that moved meanwhile: its new place was published behind the search, and its old
        // one retracted before it. Whoever begins after the retraction finds the new one.
        boolean moved =
            containerRetractions.get() != retractionsBefore && isAnyAbsent(places, batch.count());
        done = !reader.isStale() && !moved;
        if (done) {
          found = count(now, batch, places, reader, inLostPart);
          missPagesRead.add(reader.missPagesRead(places));
        }
      } finally {
        versions.release(now);
      }
    }
    lookups.add(batch.count());
    hits.add(found.present);
    return found.lost;
  }

  private static boolean isAnyAbsent(Places places, int count) {
    for (int row = 0; row < count; row++) {
      if (!places.isPresent(row)) {
        return true;
      }
    }
    return false;
  }

  private void find(
      IndexVersion now, FingerprintBatch batch, Places places, Lookup lookup, PageReader reader) {
    int count = batch.count();
    places.reset(count);
    byte[] fingerprints = batch.fingerprints();
    long kindBit = Locations.kindBit(batch.kind());
    now.find(fingerprints, 0, count, kindBit, reader);
    for (int row = 0; lookup.anyRetraction() && row < count; row++) {
      if (lookup.isRetracted(row)) {
        var single = new Lookup.Single();
        reader.sendTo(single);
        now.find(fingerprints, row, 1, kindBit, reader);
        single.resolve(known, places, row);
      }
    }
  }

  /**
   * Rows of a look-up.
   *
   * @param present found
   * @param lost absent, but may have been lost
   */
  private record Found(int present, int lost) {}

  private static Found count(
      IndexVersion now,
      FingerprintBatch batch,
      Places places,
      PageReader reader,
      InLostPart inLostPart) {
    boolean anyLost = reader.anyLost() || now.anyLost();
    int present = 0;
    int lost = 0;
    for (int row = 0; row < batch.count(); row++) {
      boolean isPresent = places.containerNumbers()[row] != Places.ABSENT;
      if (anyLost) {
        long first = (long) RunFormat.BIG_ENDIAN.get(batch.fingerprints(), row * Fingerprint.BYTES);
        Partition partition = now.partitions().get(now.partitionOf(first));
        if (partition.lostAt() != 0 || reader.hasLost(partition)) {
          if (inLostPart == InLostPart.ABSENT) {
            places.containerNumbers()[row] = Places.ABSENT;
            isPresent = false;
          }
          lost += isPresent ? 0 : 1;
        }
      }
      present += isPresent ? 1 : 0;
    }
    return new Found(present, lost);
  }

  /**
   * Makes the chunks of a container known, from one slot on. An open container is published as it
   * grows; the entries go to disk only after {@link #sealed}. May be repeated; a covered container
   * costs nothing then.
   *
   * @param containerNumber not 0
   * @param kind the batch's kind
   * @param firstSlot slot of the batch's first chunk; the others follow it
   * @param chunks read before the method returns
   * @throws IllegalArgumentException if a slot is above 2^26 - 1 or a chunk is longer than 1 MiB
   * @throws IOException if the entries that wait for the disk could not be written there; nothing
   *     was published
   */
  public void publish(long containerNumber, ChunkKind kind, int firstSlot, FingerprintBatch chunks)
      throws IOException {
    checkContainer(containerNumber);
    if (kind != chunks.kind()) {
      throw new IllegalArgumentException("batch of kind " + chunks.kind() + " as " + kind);
    }
    int count = chunks.count();
    int[] lengths = chunks.lengths();
    for (int i = 0; i < count; i++) {
      Locations.of(kind, Math.addExact(firstSlot, i), lengths[i]);
    }
    lock.lock();
    try {
      checkUsable();
      boolean onlyLost = covered.contains(containerNumber);
      if (onlyLost && !versions.current().anyLost()) {
        return;
      }
      waitForRoom();
      known.add(containerNumber);
      int added = 0;
      IndexVersion now = versions.current();
      MemoryTable table = now.active();
      for (int i = 0; i < count; i++) {
        int offset = i * Fingerprint.BYTES;
        if (onlyLost && !isLost(now, chunks.fingerprints(), offset)) {
          continue;
        }
        long location = Locations.of(kind, firstSlot + i, lengths[i]);
        if (table.add(chunks.fingerprints(), offset, containerNumber, location)) {
          added++;
        }
      }
      if (!onlyLost && !sealed.contains(containerNumber)) {
        openRecords.merge(containerNumber, added, Integer::sum);
        openRecordSum += added;
      }
      freezeIfFull();
    } finally {
      lock.unlock();
    }
  }

  private static boolean isLost(IndexVersion now, byte[] fingerprints, int offset) {
    long first = (long) RunFormat.BIG_ENDIAN.get(fingerprints, offset);
    return now.partitions().get(now.partitionOf(first)).lostAt() != 0;
  }

  /**
   * Waits while the active table is full and cannot be frozen yet. Called under lock.
   *
   * @throws IOException if that has been tried since the call and has failed; what failed before it
   *     may go well now
   */
  private void waitForRoom() throws IOException {
    boolean tried = false;
    while (isFull(versions.current()) && (versions.current().frozen() != null || isBehind())) {
      if (tried && flushFailure != null) {
        throw failed("index entries cannot be written: ", flushFailure);
      }
      if (tried && versions.current().frozen() == null && mergeFailure != null) {
        throw failed("index runs cannot be merged: ", mergeFailure);
      }
      tried = true;
      startFlush();
      startMerge();
      waitForChange();
    }
  }

  /** What a waiting caller is told; that the disk is full stays that. */
  private static IOException failed(String what, IOException failure) {
    String message = what + failure.getMessage();
    return failure instanceof StoreFullException
        ? new StoreFullException(message, failure)
        : new IOException(message, failure);
  }

  private void waitForChange() {
    waiting++;
    hurry.signal();
    try {
      changed.await();
    } finally {
      waiting--;
    }
    checkUsable();
  }

  private boolean isFull(IndexVersion now) {
    return now.active().memoryBytes() >= settings.tableBytes();
  }

  /** Whether merging has too much before it. */
  private boolean isBehind() {
    if (mergeFailure != null) {
      return false;
    }
    for (Partition partition : versions.current().partitions()) {
      if (partition.runs().size() >= MAX_RUNS && partition.lostAt() == 0) {
        return true;
      }
    }
    return false;
  }

  private void freezeIfFull() {
    IndexVersion now = versions.current();
    long flushableRecords = now.active().recordCount() - openRecordSum;
    if (isFull(now)
        && now.frozen() == null
        && flushableRecords >= now.active().recordCount() / 4
        && !isBehind()) {
      freeze();
    }
  }

  /** Freezes the active table and starts to write it. Called under lock, when none is frozen. */
  private void freeze() {
    IndexVersion now = versions.current();
    flushable = sealed.copy();
    openRecords.clear();
    openRecordSum = 0;
    versions.install(new IndexVersion(newTable(), now.active(), now.partitions()));
    startFlush();
  }

  /**
   * Says that a container is complete, published in full, and durable: its entries may go to disk.
   */
  public void sealed(long containerNumber) {
    checkContainer(containerNumber);
    lock.lock();
    try {
      checkUsable();
      known.add(containerNumber);
      if (!covered.contains(containerNumber)) {
        sealed.add(containerNumber);
      }
      Integer records = openRecords.remove(containerNumber);
      openRecordSum -= records == null ? 0 : records;
      freezeIfFull();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Takes all entries of a container out of reach, at once. Cheap: the entries themselves vanish
   * when their runs are merged. Call it when the container's living chunks have been published at
   * their new places, and before the container is deleted. Who decides by look-ups which of several
   * copies may go does so for one container after the other, each retracted before the next is
   * asked for.
   */
  public void retract(long containerNumber) {
    checkContainer(containerNumber);
    lock.lock();
    try {
      checkUsable();
      sealed.remove(containerNumber);
      covered.remove(containerNumber);
      containerRetractions.incrementAndGet(); // Before searches can miss its entries.
      if (known.remove(containerNumber)) {
        retractedSinceSweep++;
      }
      Integer records = openRecords.remove(containerNumber);
      openRecordSum -= records == null ? 0 : records;
      if (retractedSinceSweep >= MIN_SWEPT_CONTAINERS
          && retractedSinceSweep * SWEEP_SHARE >= known.count() + retractedSinceSweep) {
        retractedSinceSweep = 0;
        sweep++;
        startMerge();
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Takes one place of a chunk out of reach for as long as its container exists; publishing it
   * again does not bring it back. Other places of the chunk stay. Lasts over a restart only if a
   * {@link #checkpoint} came before it: who must remember it does so himself and says it again.
   */
  public void retractChunk(
      ChunkKind kind, Fingerprint fingerprint, long containerNumber, int slot) {
    checkContainer(containerNumber);
    byte[] bytes = fingerprint.toBytes();
    long location = Locations.retraction(kind, slot);
    lock.lock();
    try {
      checkUsable();
      versions.current().active().add(bytes, 0, containerNumber, location);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Takes the place that a look-up answers now out of reach, as the other {@code retractChunk}.
   *
   * @return whether there was one
   */
  public boolean retractChunk(ChunkKind kind, Fingerprint fingerprint) {
    var batch = new FingerprintBatch(kind, 1);
    batch.add(fingerprint, 0);
    var places = new Places(1);
    find(batch, places, InLostPart.ANY_PLACE);
    if (!places.isPresent(0)) {
      return false;
    }
    retractChunk(kind, fingerprint, places.containerNumbers()[0], places.slots()[0]);
    return true;
  }

  /**
   * Writes the entries of all containers sealed before the call to disk, and waits for that. After
   * it they are {@linkplain #coveredContainers covered} even if the power fails.
   *
   * @throws IOException if they could not be written; they stay in memory
   */
  public void checkpoint() throws IOException {
    lock.lock();
    try {
      awaitFlush();
      if (versions.current().active().recordCount() > openRecordSum || sealed.count() > 0) {
        freeze();
        awaitFlush();
      }
    } finally {
      lock.unlock();
    }
    versions.disposeUnused();
  }

  /** Waits until no table is frozen. Called under lock. */
  private void awaitFlush() throws IOException {
    checkUsable();
    flushFailure = null;
    while (versions.current().frozen() != null) {
      startFlush();
      waitForChange();
      IOException failure = flushFailure;
      if (failure != null && !flushing) {
        throw failed("index entries cannot be written: ", failure);
      }
    }
  }

  /**
   * Waits until nothing is left to merge. For whoever measures or tests.
   *
   * @throws IOException if merging has failed
   */
  public void settle() throws IOException {
    lock.lock();
    try {
      checkUsable();
      startMerge();
      while (merging) {
        waitForChange();
      }
      IOException failure = mergeFailure;
      if (failure != null) {
        throw failed("index runs cannot be merged: ", failure);
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * The containers whose entries are all on disk and need not be published after a restart. Empty
   * while a rebuild is needed.
   */
  public Set<Long> coveredContainers() {
    lock.lock();
    try {
      return versions.current().anyLost() ? new TreeSet<>() : covered.numbers();
    } finally {
      lock.unlock();
    }
  }

  /**
   * The containers that are known: published, or on disk when the index was opened, and not
   * retracted. Those that no longer exist must be retracted after opening.
   */
  public Set<Long> knownContainers() {
    lock.lock();
    try {
      return known.numbers();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Whether a container has been {@link #sealed} and not been retracted since, so that a {@link
   * #checkpoint} makes all its entries durable, and the retractions of its places.
   */
  public boolean isComplete(long containerNumber) {
    lock.lock();
    try {
      return covered.contains(containerNumber) || sealed.contains(containerNumber);
    } finally {
      lock.unlock();
    }
  }

  /** Whether entries have been lost to damage and not yet been published again. */
  public boolean rebuildNeeded() {
    return versions.current().anyLost();
  }

  /**
   * Begins to publish everything again: from now on {@link #publish} takes entries of covered
   * containers too, as far as they belong to what was lost.
   *
   * @return what {@link #finishRebuild} wants
   */
  public long beginRebuild() {
    lock.lock();
    try {
      checkUsable();
      return lossGeneration;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Says that every container has been published, and sealed if it is, since {@code beginRebuild}
   * returned {@code rebuild}. Forces the entries and takes the lost parts as whole again. Damage
   * found after the beginning needs another rebuild.
   *
   * @throws IOException if the entries could not be written; the rebuild must be finished again
   */
  public void finishRebuild(long rebuild) throws IOException {
    checkpoint();
    changeLock.lock();
    try {
      change(
          partitions -> {
            var next = new ArrayList<Partition>();
            for (Partition partition : partitions) {
              next.add(partition.lostAt() > rebuild ? partition : partition.healed());
            }
            return next;
          },
          null,
          new ContainerSet());
    } finally {
      changeLock.unlock();
    }
    versions.disposeUnused();
    lock.lock();
    try {
      startMerge();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Closes the files and gives back the memory of filters and cache; the next look-up that needs
   * them opens them again. For a domain that nobody uses. Entries that are not on disk stay in
   * memory: a {@link #checkpoint} before it makes it thorough.
   */
  public void quiesce() {
    changeLock.lock();
    try {
      lock.lock();
      try {
        checkUsable();
        IndexVersion now = versions.current();
        var next = new ArrayList<Partition>();
        for (Partition partition : now.partitions()) {
          next.add(partition.withRuns(partition.runs().stream().map(Run::unloaded).toList()));
        }
        versions.install(new IndexVersion(now.active(), now.frozen(), next));
      } finally {
        lock.unlock();
      }
    } finally {
      changeLock.unlock();
    }
    versions.disposeUnused();
    cache.clear();
  }

  /** What the index holds and has done. */
  public IndexStatistics statistics() {
    IndexVersion now = versions.acquire();
    try {
      MemoryTable frozen = now.frozen();
      long entries =
          (long) now.active().recordCount() + (frozen == null ? 0 : frozen.recordCount());
      long diskBytes = 0;
      long filterBytes = 0;
      int runs = 0;
      for (Partition partition : now.partitions()) {
        for (Run run : partition.runs()) {
          runs++;
          entries += run.identity().entryCount();
          diskBytes += run.identity().fileBytes();
          Run.Loaded loaded = run.loaded();
          filterBytes += loaded == null ? 0 : loaded.filter().memoryBytes();
        }
      }
      return new IndexStatistics(
          entries,
          lookups.sum(),
          hits.sum(),
          pagesRead.sum(),
          missPagesRead.sum(),
          runs,
          now.partitions().size(),
          diskBytes,
          filterBytes,
          now.active().memoryBytes() + (frozen == null ? 0 : frozen.memoryBytes()),
          cache.memoryBytes(),
          bytesWritten.sum());
    } finally {
      versions.release(now);
    }
  }

  /** Stops merging and closes the files, without a checkpoint. Nothing may use the index then. */
  @Override
  public void close() {
    var running = new ArrayList<TaskHandle>();
    lock.lock();
    try {
      if (closing) {
        return;
      }
      closing = true;
      running.addAll(tasks);
      changed.signalAll();
      hurry.signalAll();
    } finally {
      lock.unlock();
    }
    for (TaskHandle task : running) {
      task.join();
    }
    versions.close();
    cache.clear();
  }

  /** Throws what a task of the index died of. Called under lock. */
  private void checkUsable() {
    RuntimeException broken = fatal;
    if (broken instanceof DeviceForceException) {
      throw broken;
    }
    if (broken != null) {
      throw new IllegalStateException("the index has stopped", broken);
    }
    if (closing) {
      throw new IllegalStateException("the index is closed");
    }
  }

  /** Starts a task that {@link #close} waits for. */
  private void startTask(String name, Runnable body) {
    lock.lock();
    try {
      if (!closing) {
        tasks.removeIf(TaskHandle::isDone);
        tasks.add(scheduler.start(name, body));
      }
    } finally {
      lock.unlock();
    }
  }

  /** Called under lock. */
  private void startFlush() {
    if (!flushing && !closing && versions.current().frozen() != null) {
      flushing = true;
      flushFailure = null;
      startTask("index-flush", this::runFlush);
    }
  }

  /** Called under lock. */
  private void startMerge() {
    if (!merging && !closing) {
      merging = true;
      mergeFailure = null;
      startTask("index-merge", this::runMerges);
    }
  }

  private void runFlush() {
    IOException failure = null;
    RuntimeException broken = null;
    try {
      flush();
    } catch (IOException e) {
      failure = e;
    } catch (RuntimeException e) { // a failed force, or an invariant of ours: nothing goes on
      broken = e;
    }
    lock.lock();
    try {
      flushing = false;
      flushFailure = failure;
      fatal = fatal == null ? broken : fatal;
      if (failure == null) {
        startMerge();
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Writes the frozen table's entries of sealed containers; the others join the active table. */
  private void flush() throws IOException {
    changeLock.lock();
    try {
      IndexVersion now = versions.acquire();
      try {
        MemoryTable frozen = now.frozen();
        if (frozen == null) {
          return;
        }
        ContainerSet written;
        lock.lock();
        try {
          // A retracted container's records go nowhere; a rebuild's are of covered containers.
          written = known.copy();
          written.retain(number -> flushable.contains(number) || covered.contains(number));
        } finally {
          lock.unlock();
        }
        List<RunMaker.Made> made =
            maker.flush(
                new SortedRecords(frozen), frozen, now, written::contains, this::countWritten);
        replace(made, List.of(), frozen, written);
      } finally {
        versions.release(now);
      }
    } finally {
      changeLock.unlock();
    }
    versions.disposeUnused();
  }

  private void countWritten(int bytes) throws IOException {
    bytesWritten.add(bytes);
    if (closing) {
      throw new IOException("the index is being closed");
    }
  }

  /** Takes the records that were not written over into the active table. Called under lock. */
  private void endFlush(MemoryTable frozen, ContainerSet written) {
    MemoryTable active = versions.current().active();
    int count = frozen.recordCount();
    for (int i = 0; i < count; i++) {
      long container = frozen.field(i, MemoryTable.CONTAINER);
      if (!written.contains(container)
          && known.contains(container)
          && frozen.copyRecord(i, active)
          && !sealed.contains(container)) {
        openRecords.merge(container, 1, Integer::sum);
        openRecordSum++;
      }
    }
    written.ranges((first, last) -> {
      for (long number = first; number != last + 1; number++) {
        if (known.contains(number)) {
          covered.add(number);
        }
        sealed.remove(number);
      }
    });
  }

  /**
   * Makes new runs durable and part of the index in place of others. Called under changeLock.
   *
   * @param made runs whose files are forced; removed if this fails
   * @param replaced runs that are no longer needed
   * @param flushed the frozen table if the runs hold what it held
   * @param written containers that are covered by that
   */
  private void replace(
      List<RunMaker.Made> made,
      List<Run> replaced,
      @Nullable MemoryTable flushed,
      ContainerSet written)
      throws IOException {
    Set<Long> ids = ids(replaced);
    boolean done = false;
    try {
      change(
          partitions -> {
            var next = new ArrayList<Partition>();
            for (Partition partition : partitions) {
              var runs = new ArrayList<>(partition.runs());
              runs.removeIf(run -> ids.contains(run.identity().id()));
              for (RunMaker.Made one : made) {
                if (one.partition().samePrefix(partition)) {
                  runs.add(one.run());
                }
              }
              next.add(partition.withRuns(runs));
            }
            return next;
          },
          flushed,
          written);
      done = true;
    } finally {
      if (!done) {
        RunMaker.discard(made);
      }
    }
  }

  private static Set<Long> ids(List<Run> runs) {
    var ids = new HashSet<Long>();
    for (Run run : runs) {
      ids.add(run.identity().id());
    }
    return ids;
  }

  /**
   * Changes the partitions, durably first, then in memory. Runs that fall out are removed when the
   * last look-up that uses them ends. Called under changeLock.
   *
   * @param step what changes; called twice, because damage may be noted meanwhile
   */
  private void change(
      UnaryOperator<List<Partition>> step, @Nullable MemoryTable flushed, ContainerSet written)
      throws IOException {
    byte[] manifest;
    lock.lock();
    try {
      ContainerSet coveredNext = covered.copy();
      written.ranges((first, last) -> {
        for (long number = first; number != last + 1; number++) {
          if (known.contains(number)) {
            coveredNext.add(number);
          }
        }
      });
      List<Partition> next = step.apply(versions.current().partitions());
      manifest = ManifestFormat.encode(nextRunId.get(), next, coveredNext);
    } finally {
      lock.unlock();
    }
    Manifests.replace(device, directory, manifest);
    lock.lock();
    try {
      if (flushed != null) {
        endFlush(flushed, written);
      }
      IndexVersion now = versions.current();
      List<Partition> next = step.apply(now.partitions());
      var kept = new HashSet<Long>();
      next.forEach(partition -> kept.addAll(ids(partition.runs())));
      for (Partition partition : now.partitions()) {
        for (Run run : partition.runs()) {
          if (!kept.contains(run.identity().id())) {
            run.obsolete();
          }
        }
      }
      versions.install(new IndexVersion(now.active(), flushed == null ? now.frozen() : null, next));
    } finally {
      lock.unlock();
    }
  }

  private void runMerges() {
    IOException failure = null;
    RuntimeException broken = null;
    while (true) {
      MergePolicy.Merge merge;
      IndexVersion now;
      ContainerSet knownNow;
      lock.lock();
      try {
        now = versions.current();
        merge = MergePolicy.next(now.partitions(), settings.partitionEntries(), sweep);
        if (merge == null || closing || failure != null || broken != null) {
          merging = false;
          mergeFailure = failure;
          fatal = fatal == null ? broken : fatal;
          changed.signalAll();
          return;
        }
        now.tryRetain();
        knownNow = known.copy();
      } finally {
        lock.unlock();
      }
      try {
        merge(merge, knownNow);
      } catch (RunMaker.RunDamagedException e) {
        markDamaged(e.run(), e.damage());
      } catch (IOException e) {
        failure = e;
      } catch (RuntimeException e) { // as in runFlush
        broken = e;
      } finally {
        versions.release(now);
      }
      lock.lock();
      try {
        changed.signalAll(); // publishers may wait for fewer runs
      } finally {
        lock.unlock();
      }
    }
  }

  private void merge(MergePolicy.Merge merge, ContainerSet knownNow) throws IOException {
    Partition partition = merge.partition();
    List<Partition> targets =
        merge.split() ? List.of(partition.half(0), partition.half(1)) : List.of(partition);
    long sweepNow = merge.all() ? currentSweep() : partition.sweptAt();
    long startNanos = scheduler.nanoTime();
    var bytes = new AtomicLong();
    var made =
        new ArrayList<>(
            maker.merge(
                load(merge.inputs()),
                targets,
                knownNow,
                written -> {
                  countWritten(written);
                  throttle(startNanos, bytes.addAndGet(written));
                }));
    changeLock.lock();
    try {
      if (merge.split()) {
        split(partition, merge.inputs(), targets, made);
      } else {
        replace(made, merge.inputs(), null, new ContainerSet());
      }
      markSwept(targets, sweepNow);
    } finally {
      changeLock.unlock();
    }
    versions.disposeUnused();
  }

  private List<Run> load(List<Run> runs) throws IOException {
    for (Run run : runs) {
      try {
        runOwner.load(run);
      } catch (IOException e) { // whatever it is, the run cannot be read
        throw new RunMaker.RunDamagedException(run, e);
      }
    }
    return runs;
  }

  private long currentSweep() {
    lock.lock();
    try {
      return sweep;
    } finally {
      lock.unlock();
    }
  }

  /** Notes that all runs of partitions have been merged. Nothing of that is durable. */
  private void markSwept(List<Partition> merged, long sweepNow) {
    lock.lock();
    try {
      IndexVersion now = versions.current();
      var next = new ArrayList<Partition>();
      for (Partition partition : now.partitions()) {
        boolean isMerged = merged.stream().anyMatch(partition::samePrefix);
        next.add(isMerged ? partition.swept(sweepNow) : partition);
      }
      versions.install(new IndexVersion(now.active(), now.frozen(), next));
    } finally {
      lock.unlock();
    }
  }

  /** Puts two halves in the place of a partition, with the runs flushed to it meanwhile. */
  private void split(
      Partition partition, List<Run> inputs, List<Partition> halves, List<RunMaker.Made> made)
      throws IOException {
    Set<Long> merged = ids(inputs);
    var late = new ArrayList<Run>();
    IndexVersion now = versions.acquire();
    boolean done = false;
    try {
      for (Partition found : now.partitions()) {
        if (found.samePrefix(partition)) {
          late.addAll(found.runs());
        }
      }
      late.removeIf(run -> merged.contains(run.identity().id()));
      if (!late.isEmpty()) {
        ContainerSet knownLater;
        lock.lock();
        try {
          knownLater = known.copy();
        } finally {
          lock.unlock();
        }
        made.addAll(maker.merge(load(late), halves, knownLater, this::countWritten));
      }
      change(
          partitions -> {
            var next = new ArrayList<Partition>();
            for (Partition found : partitions) {
              if (!found.samePrefix(partition)) {
                next.add(found);
                continue;
              }
              for (int bit = 0; bit < 2; bit++) {
                Partition half = found.half(bit);
                for (RunMaker.Made one : made) {
                  half = one.partition().samePrefix(half) ? half.with(one.run()) : half;
                }
                next.add(half);
              }
            }
            return next;
          },
          null,
          new ContainerSet());
      done = true;
    } finally {
      versions.release(now);
      if (!done) {
        RunMaker.discard(made);
      }
    }
  }

  /** Waits until so many bytes may have been written since the start, unless somebody waits. */
  private void throttle(long startNanos, long bytes) {
    long limit = settings.mergeBytesPerSecond();
    if (limit == 0) {
      return;
    }
    long dueNanos = (long) (bytes * 1e9 / limit);
    lock.lock();
    try {
      while (waiting == 0 && !closing && scheduler.nanoTime() - startNanos < dueNanos) {
        hurry.await(THROTTLE_STEP);
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Notes that a run cannot be read, in memory, then in the manifest, then to the listener.
   *
   * @return false if no partition has the run any more: it was merged away, with all its entries,
   *     or published again
   */
  private boolean markDamaged(Run run, IOException damage) {
    long id = run.identity().id();
    lock.lock();
    try {
      IndexVersion now = versions.current();
      var next = new ArrayList<Partition>();
      long generation = lossGeneration + 1;
      boolean found = false;
      for (Partition partition : now.partitions()) {
        Partition changedPartition = partition;
        for (Run other : partition.runs()) {
          if (other.identity().id() == id) {
            if (other.damagedAt() != 0) {
              return true;
            }
            other.markDamaged(generation);
            changedPartition = partition.lost(generation);
            found = true;
          }
        }
        next.add(changedPartition);
      }
      if (!found) {
        return false;
      }
      lossGeneration = generation;
      versions.install(new IndexVersion(now.active(), now.frozen(), next));
      String what = String.valueOf(damage.getMessage());
      startTask("index-damage", () -> reportDamage(what));
    } finally {
      lock.unlock();
    }
    versions.disposeUnused();
    return true;
  }

  private void reportDamage(String what) {
    try {
      changeLock.lock();
      try {
        change(partitions -> partitions, null, new ContainerSet());
      } finally {
        changeLock.unlock();
      }
      versions.disposeUnused();
    } catch (IOException e) {
      // The manifest goes on naming the run; the damage will be found again after a restart.
    } catch (RuntimeException e) { // as in runFlush
      lock.lock();
      try {
        fatal = fatal == null ? e : fatal;
        changed.signalAll();
      } finally {
        lock.unlock();
      }
    }
    listener.indexDamaged(what);
  }

  private static void checkContainer(long containerNumber) {
    if (containerNumber == Places.ABSENT) {
      throw new IllegalArgumentException("container number 0");
    }
  }
}
