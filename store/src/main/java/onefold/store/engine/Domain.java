package onefold.store.engine;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;
import onefold.chunker.ObjectRoot;
import onefold.chunker.ParameterSet;
import onefold.store.CorruptDataException;
import onefold.store.DomainStatistics;
import onefold.store.HousekeepingStatus;
import onefold.store.Id;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;
import onefold.store.catalog.QuarantinedChunk;
import onefold.store.container.Appended;
import onefold.store.container.BlockLocation;
import onefold.store.container.ChunkPlace;
import onefold.store.container.ContainerDirectory;
import onefold.store.container.ContainerGoneException;
import onefold.store.container.ContainerInfo;
import onefold.store.container.Containers;
import onefold.store.container.SealListener;
import onefold.store.device.Device;
import onefold.store.index.ChunkIndex;
import onefold.store.index.IndexStatistics;
import onefold.store.index.Places;
import onefold.store.scheduler.Promise;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.SchedulerLock;

/**
 * One dedup domain: its containers, its index, and who is working with it.
 *
 * <p>Any number of threads.
 */
final class Domain implements AutoCloseable {
  /** Where the domains lie. */
  static final String DIRECTORY = "domains";

  private final Id id;
  private final ParameterSet set;
  private final Containers containers;
  private final ChunkIndex index;
  private final SealedSince sealedSince;

  /**
   * Held while a node is appended and while ends are taken, so that no committed end of a node
   * container lies behind a node whose children lie beyond theirs. Taken before {@link #lock}.
   */
  private final SchedulerLock nodeLock;

  private final SchedulerLock lock;

  private final Set<Upload> uploads = new HashSet<>(); // guarded by lock

  private final Map<Fingerprint, Integer> pins = new HashMap<>(); // guarded by lock

  /** Quarantined chunks; a sound copy takes them out. */
  private final Map<ChunkKind, Set<Fingerprint>> quarantined = new HashMap<>(); // guarded by lock

  /** How many those are, for a quick look without the lock. */
  private final AtomicInteger quarantinedCount = new AtomicInteger();

  private volatile DamageListener damageListener = DamageListener.NONE;

  /** Committed end of each container that is not known to be forced; the committer's task only. */
  private final Map<Long, Long> covered = new HashMap<>();

  /** Hears of damage and of healing, so that they are remembered. */
  interface DamageListener {
    DamageListener NONE =
        new DamageListener() {
          @Override
          public void damaged(Domain domain, QuarantinedChunk chunk) {}

          @Override
          public void healed(Domain domain, ChunkKind kind, Fingerprint fingerprint) {}
        };

    void damaged(Domain domain, QuarantinedChunk chunk);

    void healed(Domain domain, ChunkKind kind, Fingerprint fingerprint);
  }

  private Domain(
      Scheduler scheduler,
      Id id,
      ParameterSet set,
      Containers containers,
      ChunkIndex index,
      SealedSince sealedSince) {
    this.id = id;
    this.set = set;
    this.containers = containers;
    this.index = index;
    this.sealedSince = sealedSince;
    this.nodeLock = scheduler.lock("nodes");
    this.lock = scheduler.lock("domain");
  }

  static String directory(Id id) {
    return DIRECTORY + "/" + id;
  }

  /**
   * Opens a domain's files, which are made if they are missing.
   *
   * @param ends how far its containers are committed; what lies behind is cut off
   */
  static Domain open(
      Device device,
      Scheduler scheduler,
      EngineSettings settings,
      Id id,
      ParameterSet set,
      long epoch,
      CommittedEnds ends)
      throws IOException {
    if (!device.exists(DIRECTORY)) {
      device.createDirectories(DIRECTORY);
      device.forceDirectory("");
    }
    String directory = directory(id);
    SealedSince sealed = new SealedSince(scheduler);
    Containers containers =
        Containers.open(
            device, scheduler, directory, id, set, epoch, settings.containers(), ends, sealed);
    ChunkIndex index = null;
    boolean ready = false;
    try {
      index =
          ChunkIndex.open(device, scheduler, directory + "/index", settings.index(), what -> {});
      Domain domain = new Domain(scheduler, id, set, containers, index, sealed);
      domain.publishUncovered();
      ready = true;
      return domain;
    } finally {
      if (!ready) {
        if (index != null) {
          index.close();
        }
        containers.close();
      }
    }
  }

  /** Containers that were sealed since the last commit. */
  private static final class SealedSince implements SealListener {
    private final SchedulerLock lock;
    private List<Long> numbers = new ArrayList<>(); // guarded by lock

    SealedSince(Scheduler scheduler) {
      this.lock = scheduler.lock("sealed-containers");
    }

    @Override
    public void sealed(long containerNumber, ContainerDirectory directory) {
      lock.lock();
      try {
        numbers.add(containerNumber);
      } finally {
        lock.unlock();
      }
    }

    List<Long> take() {
      lock.lock();
      try {
        List<Long> taken = numbers;
        numbers = new ArrayList<>();
        return taken;
      } finally {
        lock.unlock();
      }
    }

    void giveBack(List<Long> untaken) {
      lock.lock();
      try {
        numbers.addAll(untaken);
      } finally {
        lock.unlock();
      }
    }
  }

  /** Brings the index to what the containers hold. */
  private void publishUncovered() throws IOException {
    Set<Long> uncovered = new TreeSet<>();
    for (ChunkKind kind : ChunkKind.values()) {
      uncovered.addAll(containers.numbers(kind));
    }
    boolean rebuild = index.rebuildNeeded();
    long rebuilding = rebuild ? index.beginRebuild() : 0;
    if (!rebuild) {
      for (long number : index.coveredContainers()) {
        if (!uncovered.remove(number)) {
          index.retract(number);
        }
      }
    }
    for (long number : uncovered) {
      publish(containers.directory(number));
      if (containers.isSealed(number)) {
        index.sealed(number);
      }
    }
    if (rebuild) {
      index.finishRebuild(rebuilding);
    }
  }

  /** Publishes a directory, but for the slots that are lost. */
  private void publish(ContainerDirectory directory) throws IOException {
    FingerprintBatch all = directory.chunks();
    FingerprintBatch run = new FingerprintBatch(all.kind(), Math.max(1, all.count()));
    int first = 0;
    for (int slot = 0; slot <= all.count(); slot++) {
      if (slot == all.count() || directory.isLost(slot)) {
        if (run.count() > 0) {
          index.publish(directory.containerNumber(), all.kind(), first, run);
        }
        run.clear();
        first = slot + 1;
      } else {
        run.add(all.fingerprints(), slot * Fingerprint.BYTES, all.lengths()[slot]);
      }
    }
  }

  /** Deletes the files of containers that nothing refers to any more. */
  void deleteGone(long[] numbers) throws IOException {
    List<Long> existing = new ArrayList<>();
    for (long number : numbers) {
      index.retract(number);
      if (containers.exists(number) && containers.isSealed(number)) {
        existing.add(number);
      }
    }
    containers.delete(existing);
  }

  Id id() {
    return id;
  }

  ParameterSet parameterSet() {
    return set;
  }

  // ---- finding

  /** Finds chunks for deduplication; a row that is present may be referred to once protected. */
  void lookup(FingerprintBatch batch, Places places) throws IOException {
    index.lookupForDedup(batch, places);
  }

  /** Finds chunks for reading. */
  void locate(FingerprintBatch batch, Places places) throws IOException {
    index.lookup(batch, places);
  }

  /**
   * Makes what was found safe from a cycle of housekeeping that runs. Called after the answers
   * stand in the asker's have-list; takes away what the cycle has already condemned.
   */
  void protect(FingerprintBatch batch, Places places) {
    // No cycle runs.
  }

  /** Says in which block of a container a slot lies, and at which place in it. */
  void blockOf(long containerNumber, int slot, Pieces into, int piece) throws IOException {
    try {
      int block = containers.blockOfSlot(containerNumber, slot);
      into.block[piece] = block;
      into.chunkInBlock[piece] = slot - containers.location(containerNumber, block).firstSlot();
    } catch (ContainerGoneException e) {
      // It went between the look-up and now; whoever reads the piece looks the chunk up again.
      into.block[piece] = Pieces.UNKNOWN;
    }
  }

  /** A block in stored form. */
  byte[] storedBlock(long containerNumber, int block) throws IOException {
    return containers.readBlock(containerNumber, block).bytes();
  }

  CorruptDataException absent(byte[] fingerprints, int offset) {
    return new CorruptDataException(
        "chunk " + Fingerprint.of(fingerprints, offset), -1, "a stored copy", "none that is sound");
  }

  /** Reads a node; as {@link #chunk}. */
  byte[] node(byte[] fingerprints, int offset) throws IOException {
    return chunk(ChunkKind.NODE, fingerprints, offset);
  }

  /**
   * Reads one chunk, by whichever copy is sound. A copy that is not is taken out of the index
   * before the next is tried.
   *
   * @throws CorruptDataException if there is none
   */
  byte[] chunk(ChunkKind kind, byte[] fingerprints, int offset) throws IOException {
    FingerprintBatch one = new FingerprintBatch(kind, 1);
    one.add(fingerprints, offset, 0);
    Places places = new Places(1);
    CorruptDataException damage = null;
    long goneBefore = Places.ABSENT;
    while (true) {
      locate(one, places);
      if (!places.isPresent(0)) {
        throw damage != null ? damage : absent(fingerprints, offset);
      }
      long number = places.containerNumbers()[0];
      int slot = places.slots()[0];
      try {
        return containers.readChunk(new ChunkPlace(number, slot), fingerprints, offset);
      } catch (ContainerGoneException e) {
        if (number == goneBefore) {
          throw new CorruptDataException(
              "container " + number, -1, "the container that the index names", "none");
        }
        goneBefore = number;
      } catch (CorruptDataException e) {
        damage = e;
        quarantine(
            new QuarantinedChunk(
                kind, Fingerprint.of(fingerprints, offset), places.lengths()[0], number, slot));
      }
    }
  }

  // ---- damage

  void onDamage(DamageListener listener) {
    damageListener = listener;
  }

  /** Takes every chunk of a damaged block out of reach. */
  void quarantineBlock(long containerNumber, int block) throws IOException {
    ContainerDirectory contents = containers.directory(containerNumber);
    FingerprintBatch all = contents.chunks();
    BlockLocation location = contents.block(block);
    for (int i = 0; i < location.chunkCount(); i++) {
      int slot = location.firstSlot() + i;
      if (!contents.isLost(slot)) {
        quarantine(
            new QuarantinedChunk(
                contents.kind(),
                all.fingerprint(slot),
                all.lengthBytes(slot),
                containerNumber,
                slot));
      }
    }
  }

  private void quarantine(QuarantinedChunk chunk) throws IOException {
    index.retractChunk(chunk.kind(), chunk.fingerprint(), chunk.containerNumber(), chunk.slot());
    if (remember(chunk)) {
      damageListener.damaged(this, chunk);
    }
  }

  /** Takes a chunk that was found damaged before the last start out of reach again. */
  void keepQuarantined(QuarantinedChunk chunk) throws IOException {
    index.retractChunk(chunk.kind(), chunk.fingerprint(), chunk.containerNumber(), chunk.slot());
    remember(chunk);
  }

  private boolean remember(QuarantinedChunk chunk) {
    lock.lock();
    try {
      boolean fresh =
          quarantined
              .computeIfAbsent(chunk.kind(), kind -> new HashSet<>())
              .add(chunk.fingerprint());
      if (fresh) {
        quarantinedCount.incrementAndGet();
      }
      return fresh;
    } finally {
      lock.unlock();
    }
  }

  private void heal(ChunkKind kind, FingerprintBatch chunks) {
    List<Fingerprint> healed = new ArrayList<>();
    lock.lock();
    try {
      Set<Fingerprint> sick = quarantined.getOrDefault(kind, Set.of());
      for (int i = 0; i < chunks.count(); i++) {
        Fingerprint fingerprint = chunks.fingerprint(i);
        if (sick.remove(fingerprint)) {
          quarantinedCount.decrementAndGet();
          healed.add(fingerprint);
        }
      }
    } finally {
      lock.unlock();
    }
    for (Fingerprint fingerprint : healed) {
      damageListener.healed(this, kind, fingerprint);
    }
  }

  // ---- storing

  /** Appends a block, after which its chunks are found. */
  void append(ChunkKind kind, byte[] block, int offset, int lengthBytes, FingerprintBatch chunks)
      throws IOException {
    switch (kind) {
      case DATA -> appendAndPublish(kind, block, offset, lengthBytes, chunks);
      case NODE -> {
        nodeLock.lock();
        try {
          appendAndPublish(kind, block, offset, lengthBytes, chunks);
        } finally {
          nodeLock.unlock();
        }
      }
    }
    if (quarantinedCount.get() > 0) {
      heal(kind, chunks);
    }
  }

  private void appendAndPublish(
      ChunkKind kind, byte[] block, int offset, int lengthBytes, FingerprintBatch chunks)
      throws IOException {
    Appended appended = containers.append(kind, block, offset, lengthBytes, chunks);
    index.publish(appended.containerNumber(), kind, appended.firstSlot(), chunks);
  }

  /** No data that is appended from now on gets a lower container number. */
  long lowestOpenDataContainer() throws IOException {
    long lowest = containers.nextContainerNumber();
    for (long number : containers.unsealedEnds().keySet()) {
      if (number < lowest && kindOf(number) == ChunkKind.DATA) {
        lowest = number;
      }
    }
    return lowest;
  }

  private ChunkKind kindOf(long number) {
    try {
      return containers.kind(number);
    } catch (ContainerGoneException e) {
      throw new IllegalStateException("container " + number + " was not sealed and has gone", e);
    }
  }

  // ---- committing, on the committer's task

  /** What has been appended since the last commit. */
  final class Growth {
    private final Map<Long, Long> ends;
    private final List<Long> sealed;
    private final long next;
    private long bytes;

    private Growth(Map<Long, Long> ends, List<Long> sealed, long next) {
      this.ends = ends;
      this.sealed = sealed;
      this.next = next;
      ends.forEach((number, end) -> bytes += end - coveredEnd(number));
    }

    /** Bytes that no commit covers yet. */
    long bytes() {
      return bytes;
    }

    private void force() throws IOException {
      containers.force(ends.keySet());
    }

    /**
     * What the journal is to say of it.
     *
     * @param redo whether with the bytes themselves, instead of a force
     */
    CommitRecord.DomainPart part(boolean redo) throws IOException {
      List<CommitRecord.ContainerEnd> parts = new ArrayList<>(ends.size());
      for (Map.Entry<Long, Long> end : ends.entrySet()) {
        long number = end.getKey();
        byte[] again =
            redo ? containers.range(number, coveredEnd(number), end.getValue()) : new byte[0];
        parts.add(new CommitRecord.ContainerEnd(number, kindOf(number), end.getValue(), again));
      }
      return new CommitRecord.DomainPart(id, next, parts);
    }

    /** Takes note that the record is durable. */
    void committed() {
      covered.clear();
      covered.putAll(ends);
      for (long number : sealed) {
        index.sealed(number);
      }
    }

    /** Takes note that the record is not durable and never will be. */
    void failed() {
      sealedSince.giveBack(sealed);
    }
  }

  private long coveredEnd(long containerNumber) {
    return covered.getOrDefault(containerNumber, 0L);
  }

  /**
   * What has been appended since the last commit, as one moment: whatever a node among it refers to
   * is among it too, or committed before. A container below the next number that is not named is
   * sealed and forced.
   */
  Growth growth() {
    nodeLock.lock();
    try {
      // No node is appended now; the data below the last one was appended before it. Sealed
      // containers first, then the next number, then the ends: what is sealed or opened in between
      // is named with its end, which is right as well.
      List<Long> sealed = sealedSince.take();
      long next = containers.nextContainerNumber();
      return new Growth(containers.unsealedEnds(), sealed, next);
    } finally {
      nodeLock.unlock();
    }
  }

  /** Forces all that has grown, of several domains at once. */
  static void force(Scheduler scheduler, List<Growth> growths) throws IOException {
    List<Promise<Boolean>> others = new ArrayList<>();
    for (Growth growth : growths.subList(1, growths.size())) {
      Promise<Boolean> done = scheduler.promise();
      others.add(done);
      scheduler.start(
          "force-domain",
          () -> {
            try {
              growth.force();
              done.complete(true);
            } catch (Throwable thrown) { // Handed to whoever asked for the force.
              done.fail(thrown);
            }
          });
    }
    growths.getFirst().force();
    for (Promise<Boolean> done : others) {
      done.await();
    }
  }

  // ---- who works with it

  void begin(Upload upload) {
    lock.lock();
    try {
      uploads.add(upload);
    } finally {
      lock.unlock();
    }
  }

  void end(Upload upload) {
    lock.lock();
    try {
      uploads.remove(upload);
    } finally {
      lock.unlock();
    }
  }

  /** Keeps an object while somebody reads it. */
  final class Pin {
    private final Fingerprint node;
    private boolean released;

    private Pin(Fingerprint node) {
      this.node = node;
    }

    void release() {
      lock.lock();
      try {
        if (!released) {
          released = true;
          pins.computeIfPresent(node, (key, count) -> count == 1 ? null : count - 1);
        }
      } finally {
        lock.unlock();
      }
    }
  }

  /**
   * Keeps an object from housekeeping until the pin is released.
   *
   * @throws RefusedException {@code NOT_FOUND} if its root is not here
   */
  Pin pin(ObjectRoot root) throws IOException {
    Pin pin = new Pin(root.node());
    lock.lock();
    try {
      pins.merge(root.node(), 1, Integer::sum);
    } finally {
      lock.unlock();
    }
    boolean here = false;
    try {
      FingerprintBatch one = new FingerprintBatch(ChunkKind.NODE, 1);
      one.add(root.node(), 0);
      Places places = new Places(1);
      locate(one, places);
      if (places.isPresent(0)) {
        protect(one, places);
      }
      here = places.isPresent(0);
      if (!here) {
        if (isQuarantined(ChunkKind.NODE, root.node())) {
          throw absent(one.fingerprints(), 0);
        }
        throw new RefusedException(
            Reason.NOT_FOUND, "there is no object with the root " + root.node());
      }
      return pin;
    } finally {
      if (!here) {
        pin.release();
      }
    }
  }

  private boolean isQuarantined(ChunkKind kind, Fingerprint fingerprint) {
    lock.lock();
    try {
      return quarantined.getOrDefault(kind, Set.of()).contains(fingerprint);
    } finally {
      lock.unlock();
    }
  }

  // ---- figures

  DomainStatistics statistics(long logicalBytes) throws IOException {
    long unique = 0;
    long nodes = 0;
    long stored = 0;
    long files = 0;
    long chunks = 0;
    long count = 0;
    for (ContainerInfo info : containers.list()) {
      count++;
      chunks += info.chunkCount();
      stored += info.storedBytes();
      files += info.fileBytes();
      switch (info.kind()) {
        case DATA -> unique += info.rawBytes();
        case NODE -> nodes += info.rawBytes();
      }
    }
    IndexStatistics figures = index.statistics();
    return new DomainStatistics(
        logicalBytes,
        unique,
        nodes,
        stored,
        files + figures.diskBytes(),
        chunks,
        count,
        figures.lookups(),
        figures.hits(),
        figures.pagesRead());
  }

  HousekeepingStatus housekeepingStatus() {
    return new HousekeepingStatus(HousekeepingStatus.Phase.IDLE, 0, 0, 0, 0, 0, "");
  }

  HousekeepingStatus runHousekeeping() throws IOException {
    return housekeepingStatus();
  }

  void pauseHousekeeping(boolean paused) {}

  void stopHousekeeping() {}

  void garbageLikely() {}

  /** Writes the index entries of sealed containers to disk. */
  void checkpointIndex() throws IOException {
    index.checkpoint();
  }

  @Override
  public void close() throws IOException {
    try {
      index.close();
    } finally {
      containers.close();
    }
  }
}
