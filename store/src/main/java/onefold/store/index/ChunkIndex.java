package onefold.store.index;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;
import onefold.store.CorruptDataException;
import onefold.store.StoreFullException;
import onefold.store.device.Device;
import onefold.store.index.IndexSearch.InLostPart;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.SchedulerLock;
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

  private final Scheduler scheduler;
  private final String directory;
  private final IndexSettings settings;
  private final PageCache cache;

  /** Whether the cache is this index's alone. */
  private final boolean ownsCache;

  private final RunMaker maker;
  private final RunChanges changes;
  private final IndexTasks tasks;
  private final IndexMerging merging;
  private final IndexDamage damage;
  private final IndexSearch search;
  private final boolean fresh;

  /** Held by whoever opens a run. */
  private final SchedulerLock loadLock;

  /** Guards what follows; held for work in memory only. Taken inside {@link #changes}' lock. */
  private final SchedulerLock lock;

  private final Versions versions;
  private final ContainerSet known = new ContainerSet(); // changed under lock
  private final ContainerSet covered; // guarded by lock
  private final ContainerSet sealed = new ContainerSet(); // not covered yet; guarded by lock
  private ContainerSet flushable = new ContainerSet(); // sealed at the freeze; guarded by lock
  private final Map<Long, Integer> openRecords = new HashMap<>(); // of active; guarded by lock
  private long openRecordSum; // guarded by lock
  private boolean flushing; // guarded by lock
  private @Nullable IOException flushFailure; // of the last flush; guarded by lock
  private long begunFlushes; // guarded by lock

  private final LongAdder pagesRead = new LongAdder();
  private final LongAdder bytesWritten = new LongAdder();

  /** How searches and merging reach runs. */
  private final class RunOwner implements PageReader.Owner {
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
    public boolean damaged(Run run, IOException found) {
      return damage.damaged(run, found);
    }

    @Override
    public void pagesRead(int pages) {
      pagesRead.add(pages);
    }
  }

  private ChunkIndex(
      Device device,
      Scheduler scheduler,
      String directory,
      IndexSettings settings,
      @Nullable PageCache shared,
      IndexDamageListener listener,
      Manifests.Found found) {
    this.scheduler = scheduler;
    this.directory = directory;
    this.settings = settings;
    this.cache = shared == null ? new PageCache(scheduler, settings.cacheBytes()) : shared;
    this.ownsCache = shared == null;
    var nextRunId = new AtomicLong(found.nextRunId());
    this.maker = new RunMaker(device, directory, nextRunId::getAndIncrement);
    SchedulerLock changeLock = scheduler.lock("index-change");
    this.loadLock = scheduler.lock("index-load");
    this.lock = scheduler.lock("index");
    this.tasks = new IndexTasks(scheduler, lock);
    this.fresh = found.fresh();
    this.covered = found.covered();
    known.addAll(covered);
    this.versions = new Versions(lock, new IndexVersion(newTable(), null, found.partitions()));
    this.changes =
        new RunChanges(
            device,
            directory,
            changeLock,
            lock,
            versions,
            nextRunId,
            known,
            covered,
            found.deadNodes(),
            !found.fresh() && found.damage().isEmpty());
    this.damage = new IndexDamage(lock, tasks, versions, changes, listener);
    var runOwner = new RunOwner();
    this.merging =
        new IndexMerging(
            scheduler,
            lock,
            settings,
            tasks,
            versions,
            maker,
            changes,
            runOwner,
            this::countWritten,
            known);
    this.search = new IndexSearch(versions, known, cache.newSpace(), runOwner);
  }

  private MemoryTable newTable() {
    return new MemoryTable(scheduler.random().nextLong(), settings.tableBytes());
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
    return open(device, scheduler, directory, settings, null, listener);
  }

  /**
   * The same with a cache of pages.
   *
   * @param shared with other indexes; null for one of its own, as the settings say
   */
  public static ChunkIndex open(
      Device device,
      Scheduler scheduler,
      String directory,
      IndexSettings settings,
      @Nullable PageCache shared,
      IndexDamageListener listener)
      throws IOException {
    Manifests.Found found = Manifests.open(device, directory);
    var index = new ChunkIndex(device, scheduler, directory, settings, shared, listener, found);
    for (String what : found.damage()) {
      index.damage.foundAtOpening(what);
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
    long unknown = search.find(batch, places, InLostPart.ANY_PLACE);
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
    search.find(batch, places, InLostPart.ABSENT);
  }

  /**
   * The highest container that some entry still names for a chunk though it is not known any more:
   * retracted, or its file is missing. For messages only.
   *
   * @param one a batch of one chunk
   * @return {@link Places#ABSENT} if there is none
   */
  public long forgottenContainer(FingerprintBatch one) {
    return search.findForgotten(one);
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
    publish(containerNumber, kind, firstSlot, chunks, false);
  }

  /**
   * As {@link #publish}, of a container that may be covered: for chunks of which it was not known
   * that it holds them when it was published. Durable with the next {@link #checkpoint}.
   */
  public void publishMissed(
      long containerNumber, ChunkKind kind, int firstSlot, FingerprintBatch chunks)
      throws IOException {
    publish(containerNumber, kind, firstSlot, chunks, true);
  }

  private void publish(
      long containerNumber, ChunkKind kind, int firstSlot, FingerprintBatch chunks, boolean missed)
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
      tasks.checkUsable();
      boolean isCovered = covered.contains(containerNumber);
      boolean onlyLost = isCovered && !missed;
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
      if (!isCovered && !sealed.contains(containerNumber)) {
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
    long flushesBefore = begunFlushes;
    while (isFull(versions.current()) && (versions.current().frozen() != null || isBehind())) {
      if (begunFlushes > flushesBefore && flushFailure != null) {
        throw failed("index entries cannot be written: ", flushFailure);
      }
      IOException mergeFailure = merging.failure();
      if (tried && versions.current().frozen() == null && mergeFailure != null) {
        throw failed("index runs cannot be merged: ", mergeFailure);
      }
      tried = true;
      startFlush();
      merging.start();
      tasks.awaitChange();
    }
  }

  /** What a waiting caller is told; that the disk is full stays that. */
  static IOException failed(String what, IOException failure) {
    String message = what + failure.getMessage();
    return failure instanceof StoreFullException
        ? new StoreFullException(message, failure)
        : new IOException(message, failure);
  }

  private boolean isFull(IndexVersion now) {
    return now.active().memoryBytes() >= settings.tableBytes();
  }

  /** Whether merging has too much before it. */
  private boolean isBehind() {
    if (merging.failure() != null) {
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
      tasks.checkUsable();
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
      tasks.checkUsable();
      sealed.remove(containerNumber);
      covered.remove(containerNumber);
      search.containerRetracted(); // Before searches can miss its entries.
      boolean wasKnown = known.remove(containerNumber);
      Integer records = openRecords.remove(containerNumber);
      openRecordSum -= records == null ? 0 : records;
      merging.containerRetracted(wasKnown);
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
      tasks.checkUsable();
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
    search.find(batch, places, InLostPart.ANY_PLACE);
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

  /**
   * Waits until no table is frozen. Called under lock.
   *
   * @throws IOException if a flush that has begun since the call has failed
   */
  private void awaitFlush() throws IOException {
    tasks.checkUsable();
    long flushesBefore = begunFlushes;
    while (versions.current().frozen() != null) {
      startFlush();
      tasks.awaitChange();
      IOException failure = flushFailure;
      if (failure != null && begunFlushes > flushesBefore) {
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
      tasks.checkUsable();
      merging.settle();
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
   * Whether nothing was there when it was opened: it is new, or has been lost as a whole. The
   * caller, who knows whether there are containers, then says {@link #sayDeadNodes} and {@link
   * #writeDown}.
   */
  public boolean isFresh() {
    return fresh;
  }

  /**
   * Whether entries may name nodes that were taken out of reach before: the index, or a part of it,
   * has been built again from containers, where those still stand. What lies below them may have
   * been swept. Lasts until {@link #sayDeadNodes} says otherwise, over restarts too.
   */
  public boolean mayNameDeadNodes() {
    return changes.deadNodes();
  }

  /**
   * Says whether entries may name dead nodes. Durable with the next change of the runs, and so no
   * later than any entry that is published after it; or by {@link #writeDown}.
   */
  public void sayDeadNodes(boolean may) {
    changes.sayDeadNodes(may);
  }

  /**
   * Makes durable that there is an index, and what has been said of dead nodes, if it is not yet.
   *
   * @throws IOException if it could not be written; what was durable still is
   */
  public void writeDown() throws IOException {
    changes.writeDeadNodes();
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
      tasks.checkUsable();
      return damage.generation();
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
    damage.healed(rebuild);
    lock.lock();
    try {
      merging.start();
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
    changes.lock().lock();
    try {
      lock.lock();
      try {
        tasks.checkUsable();
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
      changes.lock().unlock();
    }
    versions.disposeUnused();
    if (ownsCache) {
      cache.clear();
    }
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
          search.lookups(),
          search.hits(),
          pagesRead.sum(),
          search.missPagesRead(),
          runs,
          now.partitions().size(),
          diskBytes,
          filterBytes,
          now.active().memoryBytes() + (frozen == null ? 0 : frozen.memoryBytes()),
          ownsCache ? cache.memoryBytes() : 0,
          bytesWritten.sum());
    } finally {
      versions.release(now);
    }
  }

  /** Stops merging and closes the files, without a checkpoint. Nothing may use the index then. */
  @Override
  public void close() {
    if (tasks.close()) {
      versions.close();
      if (ownsCache) {
        cache.clear();
      }
    }
  }

  /** Called under lock. */
  private void startFlush() {
    if (!flushing && !tasks.isClosing() && versions.current().frozen() != null) {
      flushing = true;
      begunFlushes++;
      flushFailure = null;
      tasks.start("index-flush", this::runFlush);
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
      tasks.broke(broken);
      if (failure == null) {
        merging.start();
      }
      tasks.changed();
    } finally {
      lock.unlock();
    }
  }

  /** Writes the frozen table's entries of sealed containers; the others join the active table. */
  private void flush() throws IOException {
    changes.lock().lock();
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
        changes.replaceFrozen(made, written, () -> takeBack(frozen, written));
      } finally {
        versions.release(now);
      }
    } finally {
      changes.lock().unlock();
    }
    versions.disposeUnused();
  }

  private void countWritten(int bytes) throws IOException {
    bytesWritten.add(bytes);
    if (tasks.isClosing()) {
      throw new IOException("the index is being closed");
    }
  }

  /** Takes the records that were not written over into the active table. Called under lock. */
  private void takeBack(MemoryTable frozen, ContainerSet written) {
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
        sealed.remove(number);
      }
    });
  }

  private static void checkContainer(long containerNumber) {
    if (containerNumber == Places.ABSENT) {
      throw new IllegalArgumentException("container number 0");
    }
  }
}
