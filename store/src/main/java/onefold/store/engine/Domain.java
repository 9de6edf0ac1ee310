package onefold.store.engine;

import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntPredicate;
import java.util.function.UnaryOperator;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;
import onefold.chunker.ObjectRoot;
import onefold.chunker.ParameterSet;
import onefold.store.CorruptDataException;
import onefold.store.DomainStatistics;
import onefold.store.Id;
import onefold.store.ItemRecord;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;
import onefold.store.StoreFullException;
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
import onefold.store.housekeeping.Cycle;
import onefold.store.housekeeping.Ground;
import onefold.store.housekeeping.Housekeeper;
import onefold.store.index.ChunkIndex;
import onefold.store.index.IndexDamageListener;
import onefold.store.index.IndexStatistics;
import onefold.store.index.Places;
import onefold.store.scheduler.Promise;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.SchedulerLock;
import onefold.store.scheduler.TaskHandle;
import onefold.store.scrub.DomainOptions;
import onefold.store.scrub.ScrubGround;
import onefold.store.scrub.Scrubber;
import org.jspecify.annotations.Nullable;

/**
 * One dedup domain: its containers, its index, and who is working with it.
 *
 * <p>Any number of threads.
 */
final class Domain implements AutoCloseable, Ground {
  /** Where the domains lie. */
  static final String DIRECTORY = "domains";

  private final Id id;
  private final ParameterSet set;
  private final Scheduler scheduler;
  private final Containers containers;
  private final ChunkIndex index;
  private final SealedSince sealedSince;

  /**
   * Held while a node is appended and while ends are taken, so that no committed end of a node
   * container lies behind a node whose children lie beyond theirs. Taken before {@link #lock}.
   */
  private final SchedulerLock nodeLock;

  private boolean closing; // guarded by nodeLock

  private final SchedulerLock lock;

  private final Set<Upload> uploads = new LinkedHashSet<>(); // guarded by lock

  private final Map<Fingerprint, Integer> pins = new HashMap<>(); // guarded by lock

  /** Quarantined chunks; a sound copy takes them out. */
  private final Map<ChunkKind, Map<Fingerprint, QuarantinedChunk>> quarantined =
      new EnumMap<>(ChunkKind.class); // guarded by lock

  /**
   * Slots of damaged blocks of which nothing but the index tells what was in them; each chunk that
   * it finds there is taken out of reach when it is asked for.
   */
  private final Map<Long, BitSet> lostSlots = new HashMap<>(); // guarded by lock

  /** Whether there are such, for a quick look without the lock. */
  private volatile boolean anyLostSlot;

  /** Containers that the index knew and whose files were missing at the start; for messages. */
  private final Set<Long> missing = new TreeSet<>(); // guarded by lock

  /** The most that are kept of those. */
  private static final int MAX_MISSING = 64;

  private @Nullable TaskHandle rebuilding; // guarded by lock

  /** Times that a look-up waits for an index that is damaged again and again. */
  private static final int MAX_REBUILDS = 3;

  private volatile boolean stopped;

  /** How many those are, for a quick look without the lock. */
  private final AtomicInteger quarantinedCount = new AtomicInteger();

  /** Committed end of each container that is not known to be forced; the committer's task only. */
  private final Map<Long, Long> covered = new HashMap<>();

  private final SchedulerLock laneLock;
  private final int[] laneUses; // guarded by laneLock

  /** The cycle of housekeeping that runs. */
  private volatile @Nullable Cycle cycle;

  /** Counts sweeps that have ended: what was looked up before one and kept after it may be gone. */
  private final AtomicLong endedSweeps = new AtomicLong();

  /** Whether dead nodes may be in the index again, because it was built anew; set under lock. */
  private volatile boolean resurrected;

  private long rebuilds; // guarded by lock
  private long rebuildsBeforeCycle; // guarded by lock

  private final Names names;
  private final EngineMemory memory;
  private final Housekeeper housekeeper;
  private final DomainScrub scrubGround;
  private final Scrubber scrubber;

  /** Held while the options are changed. */
  private final SchedulerLock optionsLock;

  private volatile @Nullable DomainOptions options; // changed under optionsLock

  /**
   * Held by an upload that compares bytes from its last look for a chunk until the chunk is stored,
   * so that no two store different bytes under one fingerprint.
   */
  private final SchedulerLock matching;

  /** Changes with every chunk that is put into quarantine or leaves it. */
  private final AtomicLong quarantineVersion = new AtomicLong();

  /** What the domain asks of the catalog and the committer. */
  interface Names {
    /** Remembers that a chunk's stored bytes are damaged; does not wait. */
    void damaged(Domain domain, QuarantinedChunk chunk);

    /** Forgets that, because a sound copy has been stored; does not wait. */
    void healed(Domain domain, ChunkKind kind, Fingerprint fingerprint);

    /** Returns when everything appended before the call is committed. */
    void commitAppended(Domain domain) throws IOException;

    /** Visits what has a name, and what is about to get one. */
    void visitRoots(Domain domain, Ground.RootVisitor visitor) throws IOException;

    /** Makes it durable that containers are gone. */
    void gone(Domain domain, List<Long> containerNumbers) throws IOException;

    /** Forgets that, because their files are deleted. */
    void unlinked(Domain domain, List<Long> containerNumbers) throws IOException;

    /** Shows the operator what could not be done. */
    void problem(String what, IOException why);

    /** Store time, for showing. */
    long storeTimeMillis();

    /** Makes it durable that a cycle of housekeeping has been finished. */
    void finished(Domain domain, Ground.FinishedCycle cycle) throws IOException;

    /** Says that nothing of a domain is left on a disk that is drained. */
    void settled() throws IOException;

    /** Takes note of bytes that an upload or a reader has moved. */
    void moved(long bytes);

    /** All these bytes so far, of every domain. */
    long movedBytes();

    /** Whether there is little free space left above the reserve. */
    boolean isSpaceShort();

    /** Whether so many bytes can be written without coming near the reserve. */
    boolean hasRoom(long bytes);

    // ---- for the scrub

    /** Visits every object of a domain that has a name. */
    void visitObjects(Domain domain, ScrubGround.ItemVisitor visitor) throws IOException;

    /** Finds an item. */
    Optional<ItemRecord> item(Id storeId, String name) throws IOException;

    /** Small records of a kind, by key. */
    SortedMap<String, byte[]> records(String kind) throws IOException;

    /** Sets a small record, or removes it; durable when it returns. */
    void putRecord(String kind, String key, Optional<byte[]> value) throws IOException;
  }

  private Domain(
      Scheduler scheduler,
      EngineSettings settings,
      Id id,
      ParameterSet set,
      Containers containers,
      ChunkIndex index,
      SealedSince sealedSince,
      Names names,
      EngineMemory memory,
      boolean flat) {
    this.id = id;
    this.memory = memory;
    this.set = set;
    this.scheduler = scheduler;
    this.containers = containers;
    this.index = index;
    this.sealedSince = sealedSince;
    this.nodeLock = scheduler.lock("nodes");
    this.lock = scheduler.lock("domain");
    this.laneLock = scheduler.lock("lanes");
    this.laneUses = new int[settings.containers().lanes()];
    this.names = names;
    this.housekeeper =
        new Housekeeper(
            scheduler,
            this,
            set,
            flat,
            settings.containers().containerBytes(),
            settings.backgroundHousekeeping(),
            settings.recompression(),
            names::storeTimeMillis);
    this.optionsLock = scheduler.lock("domain-options");
    this.matching = scheduler.lock("matching");
    this.scrubGround = new DomainScrub(this, names, flat);
    this.scrubber = new Scrubber(scheduler, scrubGround, settings.containers().containerBytes());
  }

  static String directory(Id id) {
    return DIRECTORY + "/" + id;
  }

  /**
   * Opens a domain's files, which are made if they are missing.
   *
   * @param ends how far its containers are committed; what lies behind is cut off
   * @param names asked only when the domain is used
   * @param flat whether its nodes refer to no chunks, as the catalog's pages
   */
  static Domain open(
      Device device,
      Scheduler scheduler,
      EngineSettings settings,
      Id id,
      ParameterSet set,
      long epoch,
      CommittedEnds ends,
      Names names,
      EngineMemory memory,
      boolean flat)
      throws IOException {
    if (!device.exists(DIRECTORY)) {
      device.createDirectories(DIRECTORY);
      device.forceDirectory("");
    }
    String directory = directory(id);
    SealedSince sealed = new SealedSince(scheduler);
    Containers containers =
        Containers.open(
            device,
            scheduler,
            directory,
            id,
            set,
            epoch,
            settings.containers(),
            memory.containers(),
            ends,
            sealed);
    containers.hold(ChunkKind.NODE);
    ChunkIndex index = null;
    boolean ready = false;
    DamageDoor door = new DamageDoor();
    try {
      index =
          ChunkIndex.open(
              device, scheduler, directory + "/index", settings.index(), memory.indexPages(), door);
      Domain domain =
          new Domain(scheduler, settings, id, set, containers, index, sealed, names, memory, flat);
      domain.publishUncovered();
      door.domain = domain;
      sealed.also = domain.scrubber::sealed;
      memory.add(domain);
      ready = true;
      return domain;
    } finally {
      if (!ready) {
        if (index != null) {
          index.close();
        }
        containers.closeUnsealed();
      }
    }
  }

  /** Hears of damage of the index; before the domain is open that is seen by asking. */
  private static final class DamageDoor implements IndexDamageListener {
    private volatile @Nullable Domain domain;

    @Override
    public void indexDamaged(String what) {
      Domain open = domain;
      if (open != null) {
        open.indexDamaged(what);
      }
    }
  }

  /**
   * Containers that were sealed since the last commit and are published in full: a container may be
   * sealed while whoever filled it has not published its last block yet.
   */
  private static final class SealedSince implements SealListener {
    private final SchedulerLock lock;
    private final TreeSet<Long> publishing = new TreeSet<>(); // guarded by lock
    private final Set<Long> retracted = new HashSet<>(); // guarded by lock
    private long lastTicket; // guarded by lock
    private List<Sealed> waiting = new ArrayList<>(); // guarded by lock

    /** Called when a container has been sealed; set when the domain is open. */
    private volatile @Nullable Runnable also;

    /** A container, and the last append that may have gone to it. */
    private record Sealed(long number, long lastTicket) {}

    SealedSince(Scheduler scheduler) {
      this.lock = scheduler.lock("sealed-containers");
    }

    /** Says that a block is about to be appended and published. */
    long begin() {
      lock.lock();
      try {
        publishing.add(++lastTicket);
        return lastTicket;
      } finally {
        lock.unlock();
      }
    }

    /** Says that it is published, or will not be. */
    void end(long ticket) {
      lock.lock();
      try {
        publishing.remove(ticket);
      } finally {
        lock.unlock();
      }
    }

    @Override
    public void sealed(long containerNumber, ContainerDirectory directory) {
      lock.lock();
      try {
        waiting.add(new Sealed(containerNumber, lastTicket));
      } finally {
        lock.unlock();
      }
      Runnable told = also;
      if (told != null) {
        told.run();
      }
    }

    /** Takes those that are published in full. */
    List<Sealed> take() {
      lock.lock();
      try {
        long oldest = publishing.isEmpty() ? Long.MAX_VALUE : publishing.first();
        List<Sealed> taken = new ArrayList<>();
        List<Sealed> kept = new ArrayList<>();
        for (Sealed sealed : waiting) {
          (sealed.lastTicket() < oldest ? taken : kept).add(sealed);
        }
        waiting = kept;
        return taken;
      } finally {
        lock.unlock();
      }
    }

    /** Tells the index that a container is complete, unless it has been taken out meanwhile. */
    void tell(ChunkIndex index, long containerNumber) {
      lock.lock();
      try {
        if (!retracted.contains(containerNumber)) {
          index.sealed(containerNumber);
        }
      } finally {
        lock.unlock();
      }
    }

    boolean isRetracted(long containerNumber) {
      lock.lock();
      try {
        return retracted.contains(containerNumber);
      } finally {
        lock.unlock();
      }
    }

    void retract(ChunkIndex index, long containerNumber) {
      lock.lock();
      try {
        retracted.add(containerNumber);
        index.retract(containerNumber);
      } finally {
        lock.unlock();
      }
    }

    void restored(ChunkIndex index, long containerNumber) {
      lock.lock();
      try {
        retracted.remove(containerNumber);
        index.sealed(containerNumber);
      } finally {
        lock.unlock();
      }
    }

    void giveBack(List<Sealed> untaken) {
      lock.lock();
      try {
        waiting.addAll(untaken);
      } finally {
        lock.unlock();
      }
    }
  }

  /** Brings the index to what the containers hold. */
  private void publishUncovered() throws IOException {
    if (index.isFresh()) {
      // An index has been written down before there is the first container; so if there is one, it
      // has been lost, and nothing says any more which nodes are dead.
      boolean lost = !allNumbers().isEmpty();
      index.sayDeadNodes(lost);
      if (!lost) {
        writeDownIndex();
      }
    }
    resurrected = index.mayNameDeadNodes();
    if (index.rebuildNeeded()) {
      rebuild();
      return;
    }
    Set<Long> uncovered = allNumbers();
    for (long number : index.coveredContainers()) {
      if (!uncovered.remove(number)) {
        noteMissing(number);
        index.retract(number);
      }
    }
    publish(uncovered);
  }

  private void writeDownIndex() throws IOException {
    try {
      index.writeDown();
    } catch (StoreFullException e) {
      // A start before the next change of the index does not trust nodes; that costs space only.
    }
  }

  private void noteMissing(long containerNumber) {
    lock.lock();
    try {
      if (missing.size() < MAX_MISSING) {
        missing.add(containerNumber);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Publishes everything again; the index leaves out what it has not lost. */
  private void rebuild() throws IOException {
    long rebuilding = index.beginRebuild();
    // What was taken out of reach may be in reach again: dead nodes until a cycle of housekeeping
    // has found them, damaged chunks until the end of this method.
    lock.lock();
    try {
      rebuilds++;
      resurrected = true;
      index.sayDeadNodes(true);
    } finally {
      lock.unlock();
    }
    // Covered is none now. Known, read first: what appears in between is not taken for deleted.
    Set<Long> known = index.knownContainers();
    Set<Long> existing = allNumbers();
    for (long number : known) {
      if (!existing.contains(number)) {
        index.retract(number);
      }
    }
    publish(existing);
    for (QuarantinedChunk chunk : quarantinedChunks()) {
      retract(chunk);
    }
    index.finishRebuild(rebuilding);
  }

  private Set<Long> allNumbers() {
    Set<Long> numbers = new TreeSet<>();
    for (ChunkKind kind : ChunkKind.values()) {
      numbers.addAll(containers.numbers(kind));
    }
    return numbers;
  }

  private void publish(Set<Long> numbers) throws IOException {
    for (long number : numbers) {
      if (stopped) {
        throw new IOException("the store is closing");
      }
      if (sealedSince.isRetracted(number)) {
        continue;
      }
      try {
        // First: one that is sealed behind the reading has blocks that were not read.
        boolean sealed = containers.isSealed(number);
        publish(containers.directory(number));
        if (sealed) {
          sealedSince.tell(index, number);
        }
      } catch (ContainerGoneException e) {
        index.retract(number);
      }
      if (sealedSince.isRetracted(number)) {
        // Swept meanwhile; what was live in it has been published elsewhere.
        index.retract(number);
      }
    }
  }

  /** Builds the index again beside everything else; until then what it misses is not known. */
  private void indexDamaged(String what) {
    lock.lock();
    try {
      if (stopped || (rebuilding != null && !rebuilding.isDone())) {
        return;
      }
      rebuilding =
          scheduler.start(
              "rebuild-index",
              () -> {
                try {
                  rebuild();
                } catch (IOException e) {
                  names.problem("the index could not be built again after " + what, e);
                }
              });
    } finally {
      lock.unlock();
    }
  }

  private void publish(ContainerDirectory directory) throws IOException {
    publish(index, directory, slot -> true);
  }

  /** Publishes a directory, but for the slots that are lost or not wanted. */
  static void publish(ChunkIndex index, ContainerDirectory directory, IntPredicate wanted)
      throws IOException {
    publish(index::publish, directory, wanted);
  }

  /** One of an index's ways to take chunks. */
  @FunctionalInterface
  private interface Publishing {
    void publish(long containerNumber, ChunkKind kind, int firstSlot, FingerprintBatch chunks)
        throws IOException;
  }

  private static void publish(Publishing index, ContainerDirectory directory, IntPredicate wanted)
      throws IOException {
    FingerprintBatch all = directory.chunks();
    FingerprintBatch run = new FingerprintBatch(all.kind(), Math.max(1, all.count()));
    int first = 0;
    for (int slot = 0; slot <= all.count(); slot++) {
      if (slot == all.count() || directory.isLost(slot) || !wanted.test(slot)) {
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
      lock.lock();
      try {
        missing.remove(number);
      } finally {
        lock.unlock();
      }
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

  /**
   * Finds chunks for deduplication; a row that is present may be referred to once protected. While
   * a part of the index is lost, what lies in it is answered absent, be it stored a moment ago; so
   * the caller waits until the part has been built again.
   */
  void lookup(FingerprintBatch batch, Places places) throws IOException {
    long bytes = 0;
    for (int i = 0; i < batch.count(); i++) {
      bytes += batch.lengths()[i];
    }
    names.moved(bytes);
    do {
      index.lookupForDedup(batch, places);
      for (int tried = 0; tried < MAX_REBUILDS && index.rebuildNeeded(); tried++) {
        awaitRebuild();
        index.lookupForDedup(batch, places);
      }
    } while (anyLostSlot && quarantineLost(batch, places));
    if (quarantinedCount.get() > 0) {
      endAbsence(batch, places);
    }
  }

  /** Forgets of chunks that are here now that they were found nowhere. */
  private void endAbsence(FingerprintBatch batch, Places places) {
    List<Fingerprint> found = new ArrayList<>();
    lock.lock();
    try {
      Map<Fingerprint, QuarantinedChunk> sick = quarantined.getOrDefault(batch.kind(), Map.of());
      for (int i = 0; i < batch.count() && !sick.isEmpty(); i++) {
        QuarantinedChunk chunk = places.isPresent(i) ? sick.get(batch.fingerprint(i)) : null;
        if (chunk != null && chunk.isNowhere()) {
          sick.remove(chunk.fingerprint());
          found.add(chunk.fingerprint());
        }
      }
    } finally {
      lock.unlock();
    }
    tellHealed(batch.kind(), found);
  }

  /** Waits for the building that runs; begins one if parts were lost after the last. */
  private void awaitRebuild() {
    indexDamaged("a part of it was lost");
    TaskHandle running;
    lock.lock();
    try {
      running = rebuilding;
    } finally {
      lock.unlock();
    }
    if (running != null) {
      running.join();
    }
  }

  /**
   * Finds chunks for reading. Of a chunk that may have stood in a lost part of the index it is not
   * known whether it is absent; so the caller waits until the part has been built again.
   *
   * @throws CorruptDataException if it could not be
   */
  void locate(FingerprintBatch batch, Places places) throws IOException {
    do {
      locateOnce(batch, places);
    } while (anyLostSlot && quarantineLost(batch, places));
  }

  private void locateOnce(FingerprintBatch batch, Places places) throws IOException {
    for (int tried = 0; tried < MAX_REBUILDS; tried++) {
      try {
        index.lookup(batch, places);
        return;
      } catch (CorruptDataException e) {
        awaitRebuild();
      }
    }
    index.lookup(batch, places);
  }

  /**
   * Makes what was found safe from a cycle of housekeeping that runs. Called after the answers
   * stand in the asker's have-list; takes away what the cycle has already condemned.
   */
  void protect(FingerprintBatch batch, Places places) throws IOException {
    Cycle running = cycle;
    if (running != null) {
      running.protect(batch, places);
    }
  }

  /**
   * Whether a node that is found stands for everything below it. Not while a chunk is known to be
   * damaged, which may lie below any node, and not before the first cycle of housekeeping on an
   * index that was built anew.
   */
  boolean trustsNodes() {
    return quarantinedCount.get() == 0 && !resurrected;
  }

  /**
   * How many sweeps have ended. An answer holds if there are as many before the look-up as there
   * are after {@link #protect}: otherwise the sweep may have passed in between, and the chunk is
   * looked up again.
   */
  long endedSweeps() {
    return endedSweeps.get();
  }

  /** Says in which block of a container a slot lies, and at which place in it. */
  void blockOf(long containerNumber, int slot, Pieces into, int piece) throws IOException {
    try {
      BlockLocation location = containers.locationOfSlot(containerNumber, slot);
      into.block[piece] = location.block();
      into.generation[piece] = location.generation();
      into.blockRawBytes[piece] = location.rawBytes();
      into.chunkInBlock[piece] = slot - location.firstSlot();
    } catch (ContainerGoneException e) {
      // It went between the look-up and now; whoever reads the piece looks the chunk up again.
      into.block[piece] = Pieces.UNKNOWN;
    } catch (CorruptDataException e) {
      // Only whoever reads this piece is told; it finds another copy or none.
      quarantine(
          new QuarantinedChunk(
              ChunkKind.DATA,
              into.fingerprint(piece),
              into.chunkLengthBytes(piece),
              containerNumber,
              slot));
      into.block[piece] = Pieces.UNKNOWN;
    }
  }

  /**
   * A block in stored form.
   *
   * @throws ContainerGoneException if the container or this generation of it has gone since
   */
  byte[] storedBlock(RecipeReader.BlockKey key) throws IOException {
    byte[] bytes =
        containers.readBlock(key.containerNumber(), key.generation(), key.block()).bytes();
    names.moved(bytes.length);
    return bytes;
  }

  /**
   * What a reader is told who needs a chunk that is nowhere. From then on no node is trusted, as
   * after damage that was found: one of them stands for this chunk.
   */
  CorruptDataException lost(ChunkKind kind, byte[] fingerprints, int offset, int lengthBytes)
      throws IOException {
    Fingerprint fingerprint = Fingerprint.of(fingerprints, offset);
    if (quarantinedChunk(kind, fingerprint) == null) {
      quarantine(new QuarantinedChunk(kind, fingerprint, lengthBytes, QuarantinedChunk.NOWHERE, 0));
    }
    return absent(kind, fingerprints, offset);
  }

  /** What whoever needs a chunk is told that is nowhere: where it was, as far as that is known. */
  private CorruptDataException absent(ChunkKind kind, byte[] fingerprints, int offset) {
    CorruptDataException known = damageBehind(kind, fingerprints, offset);
    return known != null ? known : notStored(Fingerprint.of(fingerprints, offset));
  }

  /**
   * The damage that may be why a chunk is nowhere, or null if none is known: then it has gone with
   * the last that referred to it.
   */
  @Nullable CorruptDataException damageBehind(ChunkKind kind, byte[] fingerprints, int offset) {
    Fingerprint fingerprint = Fingerprint.of(fingerprints, offset);
    String wanted = "a sound copy of chunk " + fingerprint;
    QuarantinedChunk quarantinedChunk = quarantinedChunk(kind, fingerprint);
    if (quarantinedChunk != null && !quarantinedChunk.isNowhere()) {
      return new CorruptDataException(
          containers.nameInErrors(kind, quarantinedChunk.containerNumber()),
          offsetOf(quarantinedChunk),
          wanted,
          "a damaged one");
    }
    FingerprintBatch one = new FingerprintBatch(kind, 1);
    one.add(fingerprints, offset, 0);
    long forgotten = index.forgottenContainer(one);
    if (forgotten != Places.ABSENT) {
      return new CorruptDataException(
          containers.nameInErrors(kind, forgotten), -1, wanted, "no container of this number");
    }
    for (CorruptDataException damage : containers.recoveryDamages()) {
      return new CorruptDataException(
          damage.file(), damage.offsetBytes(), wanted, "none, and damage there");
    }
    lock.lock();
    try {
      for (long number : missing) {
        return new CorruptDataException(
            containers.nameInErrors(kind, number), -1, wanted, "none, and no such file");
      }
    } finally {
      lock.unlock();
    }
    return quarantinedChunk == null ? null : notStored(fingerprint);
  }

  private static CorruptDataException notStored(Fingerprint fingerprint) {
    return new CorruptDataException(
        "chunk " + fingerprint, -1, "a stored copy", "none that is sound");
  }

  private @Nullable QuarantinedChunk quarantinedChunk(ChunkKind kind, Fingerprint fingerprint) {
    lock.lock();
    try {
      return quarantined.getOrDefault(kind, Map.of()).get(fingerprint);
    } finally {
      lock.unlock();
    }
  }

  /** Where the block of a damaged chunk begins in its file, or -1 if nothing tells. */
  private long offsetOf(QuarantinedChunk chunk) {
    try {
      return containers.offsetOfSlot(chunk.containerNumber(), chunk.slot());
    } catch (IOException e) {
      return -1;
    }
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
        throw damage != null ? damage : lost(kind, fingerprints, offset, 0);
      }
      long number = places.containerNumbers()[0];
      int slot = places.slots()[0];
      try {
        return containers.readChunk(new ChunkPlace(number, slot), fingerprints, offset);
      } catch (ContainerGoneException e) {
        if (number == goneBefore) {
          throw new CorruptDataException(
              containers.nameInErrors(kind, number), -1, "what the index names", "nothing");
        }
        goneBefore = number;
      } catch (CorruptDataException e) {
        damage = e;
        quarantineWhatIsDamaged(
            new QuarantinedChunk(
                kind, Fingerprint.of(fingerprints, offset), places.lengths()[0], number, slot));
      }
    }
  }

  // ---- damage

  /**
   * Takes a chunk that could not be read out of reach, with all others of its block if the block is
   * damaged. Of a container that was cut short nothing may be left that says which these are; then
   * each is found out by itself.
   */
  private void quarantineWhatIsDamaged(QuarantinedChunk chunk) throws IOException {
    if (!isWhole(chunk.containerNumber(), chunk.slot())) {
      try {
        quarantineBlock(containers.locationOfSlot(chunk.containerNumber(), chunk.slot()));
      } catch (CorruptDataException e) {
        // No block is known for it.
      }
    }
    // Also if its block does not count it among its own: what was just found bad is not found
    // again.
    quarantine(chunk);
    endIfMadeGood(chunk.containerNumber(), chunk.slot());
  }

  /**
   * Ends a quarantine that has come late: between the reading of a damage and what was said of it a
   * repair may have ended, which could not know of it.
   */
  private void endIfMadeGood(long containerNumber, int slot) throws IOException {
    try {
      if (isWhole(containerNumber, slot)) {
        scrubGround.restoreQuarantined(containerNumber);
      }
    } catch (ContainerGoneException | StoreFullException | RefusedException e) {
      // Gone: nobody looks there any more. Else the next scrub ends it.
    }
  }

  /** Whether the block of a slot is sound, so that only the chunk in it is another one. */
  private boolean isWhole(long containerNumber, int slot) throws IOException {
    try {
      return containers.decodedBlock(containerNumber, slot).holds(containerNumber, slot);
    } catch (CorruptDataException e) {
      return false;
    }
  }

  /** As the other, for a block that a reader has met. */
  void quarantineBlock(RecipeReader.BlockKey key) throws IOException {
    ContainerDirectory contents = containers.directory(key.containerNumber());
    if (key.block() >= contents.blockCount()) {
      return; // The directory has been lost since, and what is left of it does not reach so far.
    }
    BlockLocation location = contents.block(0);
    if (location.generation() == key.generation()) {
      quarantineBlock(contents, contents.block(key.block()));
    }
    // Else the container has been written anew, of which every chunk was proven.
  }

  /** Takes every chunk of a damaged block out of reach. */
  void quarantineBlock(BlockLocation location) throws IOException {
    // The slots are the same in every generation.
    quarantineBlock(containers.directory(location.containerNumber()), location);
  }

  private void quarantineBlock(ContainerDirectory contents, BlockLocation location)
      throws IOException {
    FingerprintBatch all = contents.chunks();
    for (int i = 0; i < location.chunkCount(); i++) {
      int slot = location.firstSlot() + i;
      if (slot >= all.count() || contents.isLost(slot)) {
        noteLost(contents.containerNumber(), slot);
      } else {
        quarantine(
            new QuarantinedChunk(
                contents.kind(),
                all.fingerprint(slot),
                all.lengthBytes(slot),
                contents.containerNumber(),
                slot));
      }
    }
    if (location.chunkCount() > 0) {
      endIfMadeGood(contents.containerNumber(), location.firstSlot());
    }
  }

  private void noteLost(long containerNumber, int slot) {
    lock.lock();
    try {
      lostSlots.computeIfAbsent(containerNumber, number -> new BitSet()).set(slot);
      anyLostSlot = true;
    } finally {
      lock.unlock();
    }
  }

  /** Takes chunks that were found in lost slots out of reach; says whether there were any. */
  private boolean quarantineLost(FingerprintBatch batch, Places places) throws IOException {
    List<QuarantinedChunk> found = new ArrayList<>();
    lock.lock();
    try {
      for (int row = 0; row < batch.count(); row++) {
        long number = places.containerNumbers()[row];
        BitSet lost = number == Places.ABSENT ? null : lostSlots.get(number);
        if (lost != null && lost.get(places.slots()[row])) {
          found.add(
              new QuarantinedChunk(
                  batch.kind(),
                  batch.fingerprint(row),
                  places.lengths()[row],
                  number,
                  places.slots()[row]));
        }
      }
    } finally {
      lock.unlock();
    }
    for (QuarantinedChunk chunk : found) {
      quarantine(chunk);
    }
    return !found.isEmpty();
  }

  /** Says that a container has been found whole: whatever was lost in it is there again. */
  void foundWhole(long containerNumber) {
    lock.lock();
    try {
      BitSet ignored = lostSlots.remove(containerNumber);
      anyLostSlot = !lostSlots.isEmpty();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Publishes what a container holds and is found nowhere: while its directory was damaged it may
   * have been read for the index, which has only what blocks said of themselves.
   */
  void publishForgotten(long containerNumber) throws IOException {
    ContainerDirectory directory = containers.directory(containerNumber);
    FingerprintBatch all = directory.chunks();
    Places places = new Places(Math.max(1, all.count()));
    locate(all, places);
    BitSet forgotten = new BitSet();
    for (int slot = 0; slot < all.count(); slot++) {
      QuarantinedChunk sick = quarantinedChunk(all.kind(), all.fingerprint(slot));
      forgotten.set(slot, !places.isPresent(slot) && (sick == null || sick.isNowhere()));
    }
    if (forgotten.isEmpty()) {
      return;
    }
    if (all.kind() == ChunkKind.NODE) {
      nodesResurrected(); // Some may have been dead for long.
    }
    publish(index::publishMissed, directory, forgotten::get);
    index.checkpoint();
    if (sealedSince.isRetracted(containerNumber)) {
      index.retract(containerNumber); // Swept meanwhile.
    }
  }

  /**
   * As {@link #quarantineBlock}, for the chunks that are found there: of the others there is a
   * younger copy, or they are dead.
   */
  void quarantineFound(long containerNumber, int block) throws IOException {
    ContainerDirectory contents = containers.directory(containerNumber);
    if (block >= contents.blockCount()) {
      return; // The directory has been lost since; the next look at the container sees that.
    }
    FingerprintBatch all = contents.chunks();
    BlockLocation location = contents.block(block);
    int first = location.firstSlot();
    int end = Math.min(first + location.chunkCount(), all.count());
    FingerprintBatch batch = new FingerprintBatch(all.kind(), Math.max(1, location.chunkCount()));
    for (int slot = first; slot < end; slot++) {
      batch.add(all.fingerprints(), slot * Fingerprint.BYTES, all.lengths()[slot]);
    }
    Places places = new Places(Math.max(1, batch.count()));
    locate(batch, places);
    for (int slot = first; slot < end; slot++) {
      int i = slot - first;
      if (!contents.isLost(slot)
          && places.isPresent(i)
          && places.containerNumbers()[i] == containerNumber
          && places.slots()[i] == slot) {
        quarantine(
            new QuarantinedChunk(
                all.kind(), all.fingerprint(slot), all.lengthBytes(slot), containerNumber, slot));
      }
    }
  }

  private void retract(QuarantinedChunk chunk) throws IOException {
    if (!chunk.isNowhere()) {
      index.retractChunk(chunk.kind(), chunk.fingerprint(), chunk.containerNumber(), chunk.slot());
    }
  }

  private void quarantine(QuarantinedChunk chunk) throws IOException {
    retract(chunk);
    if (remember(chunk)) {
      names.damaged(this, chunk);
      if (!chunk.isNowhere()) {
        scrubber.suspect(chunk.containerNumber());
      }
    }
  }

  /** Whether a chunk can be found. */
  boolean isFound(ChunkKind kind, Fingerprint fingerprint) throws IOException {
    FingerprintBatch one = new FingerprintBatch(kind, 1);
    one.add(fingerprint, 0);
    Places places = new Places(1);
    locate(one, places);
    return places.isPresent(0);
  }

  /**
   * Says that nodes that may be dead are about to be found again: until the next cycle of
   * housekeeping has ended a node does not stand for what is below it, not after a restart either.
   */
  void nodesResurrected() throws IOException {
    lock.lock();
    try {
      rebuilds++;
      resurrected = true;
      index.sayDeadNodes(true);
    } finally {
      lock.unlock();
    }
    index.writeDown();
  }

  /**
   * Ends the quarantine of chunks of which the damaged copy is sound again, and another copy has
   * been stored.
   */
  void release(List<QuarantinedChunk> chunks) {
    for (QuarantinedChunk chunk : chunks) {
      boolean ended;
      lock.lock();
      try {
        ended = quarantined.getOrDefault(chunk.kind(), Map.of()).remove(chunk.fingerprint(), chunk);
      } finally {
        lock.unlock();
      }
      if (ended) {
        tellHealed(chunk.kind(), List.of(chunk.fingerprint()));
      }
    }
  }

  long quarantineVersion() {
    return quarantineVersion.get();
  }

  /** Takes a chunk that was found damaged before the last start out of reach again. */
  void keepQuarantined(QuarantinedChunk chunk) throws IOException {
    retract(chunk);
    remember(chunk);
  }

  private boolean remember(QuarantinedChunk chunk) {
    lock.lock();
    try {
      boolean fresh =
          quarantined
                  .computeIfAbsent(chunk.kind(), kind -> new HashMap<>())
                  .put(chunk.fingerprint(), chunk)
              == null;
      if (fresh) {
        quarantinedCount.incrementAndGet();
        quarantineVersion.incrementAndGet();
      }
      return fresh;
    } finally {
      lock.unlock();
    }
  }

  /** A copy of what is in quarantine. */
  List<QuarantinedChunk> quarantinedChunks() {
    if (quarantinedCount.get() == 0) {
      return List.of();
    }
    List<QuarantinedChunk> all = new ArrayList<>();
    lock.lock();
    try {
      for (Map<Fingerprint, QuarantinedChunk> ofKind : quarantined.values()) {
        all.addAll(ofKind.values());
      }
    } finally {
      lock.unlock();
    }
    return all;
  }

  /**
   * Ends the quarantine of chunks of which a sound copy was stored in a younger container than the
   * damaged one's. A copy in an older one is found as long as the damaged one is out of the index;
   * but an index that is built anew would prefer the damaged one and let housekeeping sweep the
   * sound one. There the quarantine stays until the damaged copy's container is dropped.
   */
  private void heal(ChunkKind kind, FingerprintBatch chunks, long containerNumber) {
    List<Fingerprint> healed = new ArrayList<>();
    lock.lock();
    try {
      Map<Fingerprint, QuarantinedChunk> sick = quarantined.getOrDefault(kind, Map.of());
      for (int i = 0; i < chunks.count() && !sick.isEmpty(); i++) {
        Fingerprint fingerprint = chunks.fingerprint(i);
        QuarantinedChunk damaged = sick.get(fingerprint);
        if (damaged != null
            && Long.compareUnsigned(damaged.containerNumber(), containerNumber) < 0) {
          sick.remove(fingerprint);
          healed.add(fingerprint);
        }
      }
    } finally {
      lock.unlock();
    }
    tellHealed(kind, healed);
  }

  /**
   * Ends the quarantine of chunks whose damaged copy lay in one of these containers, which are
   * dropped, and of which there is another copy. Where there is none the node above still stands
   * for a chunk that is not there.
   */
  private void healDropped(List<Long> containerNumbers) throws IOException {
    for (QuarantinedChunk chunk : quarantinedChunks()) {
      if (!containerNumbers.contains(chunk.containerNumber())) {
        continue;
      }
      FingerprintBatch one = new FingerprintBatch(chunk.kind(), 1);
      one.add(chunk.fingerprint(), chunk.lengthBytes());
      Places places = new Places(1);
      locate(one, places);
      if (!places.isPresent(0)) {
        continue;
      }
      boolean ended;
      lock.lock();
      try {
        ended = quarantined.getOrDefault(chunk.kind(), Map.of()).remove(chunk.fingerprint(), chunk);
      } finally {
        lock.unlock();
      }
      if (ended) {
        tellHealed(chunk.kind(), List.of(chunk.fingerprint()));
      }
    }
  }

  private void tellHealed(ChunkKind kind, List<Fingerprint> healed) {
    quarantinedCount.addAndGet(-healed.size());
    if (!healed.isEmpty()) {
      quarantineVersion.incrementAndGet();
    }
    for (Fingerprint fingerprint : healed) {
      names.healed(this, kind, fingerprint);
    }
  }

  // ---- storing

  /**
   * Appends a block, after which its chunks are found.
   *
   * @param lane blocks of one lane lie together
   */
  void append(
      ChunkKind kind, int lane, byte[] block, int offset, int lengthBytes, FingerprintBatch chunks)
      throws IOException {
    long containerNumber =
        switch (kind) {
          case DATA -> appendAndPublish(kind, lane, block, offset, lengthBytes, chunks);
          case NODE -> {
            nodeLock.lock();
            try {
              if (closing) {
                throw new RefusedException(Reason.SHUTTING_DOWN, "the store is closing");
              }
              yield appendAndPublish(kind, 0, block, offset, lengthBytes, chunks);
            } finally {
              nodeLock.unlock();
            }
          }
        };
    if (quarantinedCount.get() > 0) {
      heal(kind, chunks, containerNumber);
    }
  }

  /** Returns the number of the container that the block is in. */
  private long appendAndPublish(
      ChunkKind kind, int lane, byte[] block, int offset, int lengthBytes, FingerprintBatch chunks)
      throws IOException {
    long ticket = sealedSince.begin();
    try {
      Appended appended = containers.append(kind, lane, block, offset, lengthBytes, chunks);
      index.publish(appended.containerNumber(), kind, appended.firstSlot(), chunks);
      return appended.containerNumber();
    } finally {
      sealedSince.end(ticket);
    }
  }

  /** No data that is appended from now on gets a lower container number. */
  long lowestOpenDataContainer() {
    long next = containers.nextContainerNumber();
    for (long number : containers.unsealedEnds(ChunkKind.DATA).keySet()) {
      return Math.min(number, next);
    }
    return next;
  }

  // ---- committing, on the committer's task

  /** What has been appended since the last commit. */
  final class Growth {
    private final Map<ChunkKind, Map<Long, Long>> ends;
    private final List<SealedSince.Sealed> sealed;
    private final long next;
    private long bytes;

    private Growth(
        Map<ChunkKind, Map<Long, Long>> ends, List<SealedSince.Sealed> sealed, long next) {
      this.ends = ends;
      this.sealed = sealed;
      this.next = next;
      for (Map<Long, Long> ofKind : ends.values()) {
        ofKind.forEach((number, end) -> bytes += end - coveredEnd(number));
      }
    }

    /** Bytes that no commit covers yet. */
    long bytes() {
      return bytes;
    }

    private void force() throws IOException {
      List<Long> numbers = new ArrayList<>();
      ends.values().forEach(ofKind -> numbers.addAll(ofKind.keySet()));
      containers.force(numbers);
    }

    /**
     * What the journal is to say of it.
     *
     * @param redo whether with the bytes themselves, instead of a force
     */
    CommitRecord.DomainPart part(boolean redo) throws IOException {
      List<CommitRecord.ContainerEnd> parts = new ArrayList<>();
      for (Map.Entry<ChunkKind, Map<Long, Long>> ofKind : ends.entrySet()) {
        for (Map.Entry<Long, Long> end : ofKind.getValue().entrySet()) {
          long number = end.getKey();
          byte[] again = new byte[0];
          if (redo) {
            try {
              again = containers.range(number, coveredEnd(number), end.getValue());
            } catch (ContainerGoneException e) {
              continue; // It was empty and has been discarded since.
            }
          }
          parts.add(new CommitRecord.ContainerEnd(number, ofKind.getKey(), end.getValue(), again));
        }
      }
      return new CommitRecord.DomainPart(id, next, parts);
    }

    /** Takes note that the record is durable. */
    void committed() {
      covered.clear();
      for (Map<Long, Long> ofKind : ends.values()) {
        covered.putAll(ofKind);
      }
      for (SealedSince.Sealed each : sealed) {
        sealedSince.tell(index, each.number());
      }
      containers.sealHeld(ends.getOrDefault(ChunkKind.NODE, Map.of()));
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
      List<SealedSince.Sealed> sealed = sealedSince.take();
      long next = containers.nextContainerNumber();
      Map<ChunkKind, Map<Long, Long>> ends = new EnumMap<>(ChunkKind.class);
      for (ChunkKind kind : List.of(ChunkKind.NODE, ChunkKind.DATA)) {
        ends.put(kind, containers.unsealedEnds(kind));
      }
      return new Growth(ends, sealed, next);
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

  /** Takes a lane that few use. */
  int takeLane() {
    laneLock.lock();
    try {
      int best = 0;
      for (int lane = 1; lane < laneUses.length; lane++) {
        if (laneUses[lane] < laneUses[best]) {
          best = lane;
        }
      }
      laneUses[best]++;
      return best;
    } finally {
      laneLock.unlock();
    }
  }

  private void giveLane(int lane) {
    laneLock.lock();
    try {
      laneUses[lane]--;
    } finally {
      laneLock.unlock();
    }
  }

  void begin(Upload upload) {
    lock.lock();
    try {
      uploads.add(upload);
    } finally {
      lock.unlock();
    }
  }

  void end(Upload upload) {
    boolean was;
    lock.lock();
    try {
      was = uploads.remove(upload);
    } finally {
      lock.unlock();
    }
    if (was) {
      giveLane(upload.lane());
      if (upload.leavesGarbage()) {
        housekeeper.garbageLikely();
      }
      housekeeper.coldLater();
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
   * @throws RefusedException {@code NOT_FOUND} if its root is not here and nothing has it
   * @throws CorruptDataException if it is not here though it must be
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
      long sweeps;
      do {
        sweeps = endedSweeps();
        locate(one, places);
        if (places.isPresent(0)) {
          protect(one, places);
        }
      } while (endedSweeps() != sweeps);
      here = places.isPresent(0);
      if (!here) {
        if (quarantinedChunk(ChunkKind.NODE, root.node()) != null || isNamed(root.node())) {
          throw absent(ChunkKind.NODE, one.fingerprints(), 0);
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

  /** Whether something with a name has this root. Goes through all of them. */
  private boolean isNamed(Fingerprint root) throws IOException {
    boolean[] found = {false};
    names.visitRoots(
        this,
        new RootVisitor() {
          @Override
          public void namedRoots(FingerprintBatch chunks) {
            for (int i = 0; i < chunks.count(); i++) {
              found[0] |= chunks.fingerprint(i).equals(root);
            }
          }

          @Override
          public void sessionRoots(FingerprintBatch chunks) {
            // Nobody reads by what an upload was told.
          }
        });
    return found[0];
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
      files += info.fileBytes() + containers.parityBytes(info);
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

  // ---- options

  /** What the domain is to do. */
  DomainOptions options() throws IOException {
    DomainOptions known = options;
    if (known != null) {
      return known;
    }
    optionsLock.lock();
    try {
      return load();
    } finally {
      optionsLock.unlock();
    }
  }

  /** Under {@link #optionsLock}. */
  private DomainOptions load() throws IOException {
    DomainOptions known = options;
    if (known == null) {
      byte[] kept = names.records(DomainOptions.KIND).get(id.toString());
      known = kept == null ? DomainOptions.NONE : DomainOptions.decode(kept);
      options = known;
    }
    return known;
  }

  /** Changes what it is to do; durable when it returns. */
  void change(UnaryOperator<DomainOptions> change) throws IOException {
    optionsLock.lock();
    try {
      DomainOptions next = change.apply(load());
      names.putRecord(DomainOptions.KIND, id.toString(), Optional.of(next.encode()));
      options = next;
    } finally {
      optionsLock.unlock();
    }
  }

  /** Held by an upload that compares bytes while it stores. */
  SchedulerLock matching() {
    return matching;
  }

  Scrubber scrubber() {
    return scrubber;
  }

  /** The domain as a source of repairs sees it. */
  ScrubGround scrubGround() {
    return scrubGround;
  }

  // ---- housekeeping

  Housekeeper housekeeper() {
    return housekeeper;
  }

  @Override
  public Containers containers() {
    return containers;
  }

  @Override
  public ChunkIndex index() {
    return index;
  }

  @Override
  public void sealNodes() throws IOException {
    containers.endOpen(ChunkKind.NODE);
    names.commitAppended(this); // After which they may be sealed.
    containers.awaitSealing();
    names.commitAppended(this); // After which the index knows that they are.
  }

  @Override
  public void sealData() throws IOException {
    containers.endOpen(ChunkKind.DATA);
    containers.awaitSealing();
    names.commitAppended(this); // After which the index knows that they are sealed.
  }

  @Override
  public boolean settle(Containers.Settling between) throws IOException {
    if (containers.isUnsettled(true) && !isStoring()) {
      sealData();
    }
    containers.settle(between);
    containers.releaseCaches(); // What was moved is not read on the disk that is to be taken out.
    if (containers.isUnsettled(false)) {
      return false;
    }
    names.settled();
    return true;
  }

  @Override
  public void needsChanged() {
    memory.rebalance();
  }

  @Override
  public boolean isStoring() {
    lock.lock();
    try {
      return !uploads.isEmpty();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public long foregroundBytes() {
    return names.movedBytes();
  }

  @Override
  public boolean isSpaceShort() {
    return names.isSpaceShort();
  }

  @Override
  public boolean hasRoom(long bytes) {
    return names.hasRoom(bytes);
  }

  @Override
  public void finished(FinishedCycle finishedCycle) throws IOException {
    writeDownIndex();
    names.finished(this, finishedCycle);
  }

  @Override
  public boolean isCandidate(long containerNumber) throws IOException {
    return containers.isSealed(containerNumber)
        && (index.isComplete(containerNumber) || sealedSince.isRetracted(containerNumber));
  }

  @Override
  public void attach(Cycle running) {
    lock.lock();
    try {
      rebuildsBeforeCycle = rebuilds;
    } finally {
      lock.unlock();
    }
    cycle = running;
  }

  @Override
  public void detach(boolean finished) {
    endedSweeps.incrementAndGet(); // Before the cycle goes, so that who misses it sees this.
    cycle = null;
    lock.lock();
    try {
      if (finished && rebuilds == rebuildsBeforeCycle) {
        resurrected = false;
        index.sayDeadNodes(false);
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void visitSessions(RootVisitor visitor) throws IOException {
    List<Upload> now;
    FingerprintBatch pinned = new FingerprintBatch(ChunkKind.NODE, 16);
    lock.lock();
    try {
      now = new ArrayList<>(uploads);
      for (Fingerprint node : pins.keySet()) {
        pinned.add(node, 0);
      }
    } finally {
      lock.unlock();
    }
    for (Upload upload : now) {
      for (ChunkKind kind : ChunkKind.values()) {
        visitor.sessionRoots(upload.kept(kind));
      }
    }
    visitor.sessionRoots(pinned);
  }

  @Override
  public long lowestUnnamedDataContainer() {
    List<Upload> now;
    lock.lock();
    try {
      now = new ArrayList<>(uploads);
    } finally {
      lock.unlock();
    }
    long lowest = Long.MAX_VALUE;
    for (Upload upload : now) {
      lowest = Math.min(lowest, upload.lowestOwnDataContainer());
    }
    return lowest;
  }

  @Override
  public void visitNamed(RootVisitor visitor) throws IOException {
    names.visitRoots(this, visitor);
  }

  @Override
  public void append(
      ChunkKind kind, byte[] block, int offset, int lengthBytes, FingerprintBatch chunks)
      throws IOException {
    append(kind, laneUses.length - 1, block, offset, lengthBytes, chunks);
  }

  @Override
  public void retract(long containerNumber) {
    sealedSince.retract(index, containerNumber);
  }

  @Override
  public void restored(long containerNumber) {
    sealedSince.restored(index, containerNumber);
  }

  @Override
  public void damaged(BlockLocation block) throws IOException {
    quarantineBlock(block);
  }

  @Override
  public void drop(List<Long> containerNumbers) throws IOException {
    names.gone(this, containerNumbers);
    containers.delete(containerNumbers);
    names.unlinked(this, containerNumbers);
    if (quarantinedCount.get() > 0) {
      healDropped(containerNumbers);
    }
  }

  // ---- the end

  /** Ends what runs by itself. */
  void stop() {
    scrubber.stop();
    housekeeper.stop();
    endRebuilding();
  }

  /** Begins no building of the index any more, and waits for the one that runs. */
  private void endRebuilding() {
    TaskHandle running;
    lock.lock();
    try {
      stopped = true;
      running = rebuilding;
    } finally {
      lock.unlock();
    }
    if (running != null) {
      running.join();
    }
  }

  /** Takes no more nodes, so that the last commit covers all there are. */
  void refuseNodes() {
    nodeLock.lock();
    try {
      closing = true;
    } finally {
      nodeLock.unlock();
    }
  }

  /** Writes the index entries of sealed containers to disk. */
  void checkpointIndex() throws IOException {
    index.checkpoint();
  }

  @Override
  public void close() throws IOException {
    scrubber.stop();
    memory.remove(this);
    endRebuilding();
    try {
      index.close();
    } finally {
      containers.close();
    }
  }

  /** Closes the files after a failure: what is not committed must not look as if it were. */
  void abandon() throws IOException {
    scrubber.stop();
    memory.remove(this);
    endRebuilding();
    try {
      index.close();
    } finally {
      containers.closeUnsealed();
    }
  }
}
