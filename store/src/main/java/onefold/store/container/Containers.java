package onefold.store.container;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import onefold.block.BlockFormatException;
import onefold.block.BlockReader;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;
import onefold.chunker.Fingerprinter;
import onefold.chunker.ParameterSet;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.StoreFullException;
import onefold.store.container.ContainerFormat.Footer;
import onefold.store.container.ContainerFormat.Identity;
import onefold.store.container.ContainerStore.Name;
import onefold.store.container.ContainerStore.StoredContainer;
import onefold.store.device.Device;
import onefold.store.scheduler.Promise;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.SchedulerCondition;
import onefold.store.scheduler.SchedulerLock;
import org.jspecify.annotations.Nullable;

/**
 * The containers of one dedup domain. See the package for promises and threads.
 *
 * <p>Owns its open files; {@link #close} seals what is open and closes them. All methods may be
 * called by many threads at once.
 */
public final class Containers implements AutoCloseable {
  /** A container with so many chunks is sealed though it is short: its directory is in memory. */
  public static final int MAX_CHUNKS_PER_CONTAINER = 1 << 18;

  /** Containers being sealed at a time; more wait, and whoever fills one with them. */
  public static final int MAX_SEALING = 4;

  private static final long FIRST_GENERATION = 1;
  private static final int SCAN_BYTES = 1 << 20;
  private static final int MAX_IDLE_DECODERS = 8;

  /** Damages that are kept in mind for those who miss something. */
  private static final int MAX_NOTED = 64;

  private final ContainerStore store;
  private final Scheduler scheduler;
  private final Id domain;
  private final ParameterSet parameterSet;
  private final long epoch;
  private final ContainerSettings settings;
  private final SealListener listener;
  private final OpenFiles files;
  private final ContainerCaches caches;
  private final Map<ChunkKind, List<Lane>> lanes = new EnumMap<>(ChunkKind.class);

  private final SchedulerLock lock;
  private final SchedulerCondition sealed;

  /**
   * Held while a sealed container or its parity gets another file: by a move to another disk, or by
   * a draft that takes its place. Taken before {@link #lock}.
   */
  private final SchedulerLock replacing;

  // Guarded by lock.
  private final Map<Long, Entry> entries = new HashMap<>();
  private final Map<BlockKey, Promise<DecodedBlock>> decoding = new HashMap<>();
  private final ArrayDeque<Decoder> decoders = new ArrayDeque<>();
  private final List<Growing> unfinished = new ArrayList<>();
  private final Map<Long, OpenContainer> unsealed = new TreeMap<>();
  private final Set<ChunkKind> heldKinds = EnumSet.noneOf(ChunkKind.class);
  private final List<CorruptDataException> recoveryDamages = new ArrayList<>();

  /** Files of other generations that could not be deleted. */
  private final Map<Long, List<Name>> leftOver = new HashMap<>();

  /** Containers whose parity is whole as far as is known. */
  private final Set<Name> covered = new HashSet<>();

  private volatile boolean keepsParity;

  private long nextNumber = 1;
  private int sealing;
  private int nextLane;
  private boolean closed;
  private @Nullable IOException sealFailure;

  private record BlockKey(OpenFiles.Key file, int block) {}

  /** One generation of a container that exists. */
  private static final class Entry {
    final Name name;

    /** How many files before this one had its name: one more with each repair. */
    final int repairs;

    final @Nullable OpenContainer open;
    volatile @Nullable ContainerInfo info;

    /** When somebody last read it for an application, or it came to be. */
    volatile long usedNanos;

    /** Whether making it smaller has been tried in vain. */
    volatile boolean isAsSmallAsItGets;

    Entry(Name name, int repairs, @Nullable OpenContainer open, long nowNanos) {
      this.name = name;
      this.repairs = repairs;
      this.open = open;
      this.usedNanos = nowNanos;
    }

    OpenFiles.Key key() {
      return new OpenFiles.Key(name.number(), name.generation(), repairs);
    }
  }

  private Entry newEntry(Name name, @Nullable OpenContainer open) {
    return new Entry(name, 0, open, scheduler.nanoTime());
  }

  private static OpenFiles.Key key(Identity identity) {
    return new OpenFiles.Key(identity.number(), identity.generation(), 0);
  }

  /** An unsealed container, with the use of its file that keeps it open. */
  private record Growing(OpenContainer container, OpenFiles.Handle handle) {}

  /** A place for one writer at a time. */
  private static final class Lane {
    final SchedulerLock lock;
    // Guarded by lock.
    @Nullable Growing growing;

    Lane(SchedulerLock lock) {
      this.lock = lock;
    }
  }

  /** What reading a block takes; used by one task at a time. */
  private static final class Decoder {
    final BlockReader reader = new BlockReader();
    final Fingerprinter fingerprinter;
    final byte[] fingerprint = new byte[Fingerprint.BYTES];

    Decoder(ParameterSet set) {
      fingerprinter = new Fingerprinter(set);
    }
  }

  private Containers(
      ContainerStore store,
      Scheduler scheduler,
      Id domain,
      ParameterSet parameterSet,
      long epoch,
      ContainerSettings settings,
      ContainerCaches caches,
      SealListener listener) {
    this.store = store;
    this.caches = caches;
    this.scheduler = scheduler;
    this.domain = domain;
    this.parameterSet = parameterSet;
    this.epoch = epoch;
    this.settings = settings;
    this.listener = listener;
    this.lock = scheduler.lock("containers");
    this.sealed = lock.newCondition();
    this.replacing = scheduler.lock("container-file");
    this.files = new OpenFiles(scheduler.lock("container-files"), settings.openFiles());
    for (ChunkKind kind : ChunkKind.values()) {
      List<Lane> ofKind = new ArrayList<>();
      for (int i = 0; i < settings.lanes(); i++) {
        ofKind.add(new Lane(scheduler.lock("lane")));
      }
      lanes.put(kind, ofKind);
    }
  }

  /**
   * Opens the containers of a domain. Directories that are missing are made. Containers that are
   * not sealed are cut at their durable ends and sealed; those that nobody refers to are deleted.
   *
   * @param domainDirectory the domain's directory on the device
   * @param domain whose containers they are; another's are refused
   * @param epoch of this writer, from 1
   * @param caches shared with the other domains of an engine
   * @param ends how far unsealed containers count
   * @param listener hears of each container that is sealed, from now on
   * @throws IOException if a file cannot be read, belongs to another domain, or is of a newer
   *     release
   */
  public static Containers open(
      Device device,
      Scheduler scheduler,
      String domainDirectory,
      Id domain,
      ParameterSet parameterSet,
      long epoch,
      ContainerSettings settings,
      ContainerCaches caches,
      DurableEnds ends,
      SealListener listener)
      throws IOException {
    Containers containers =
        new Containers(
            DeviceContainerStore.open(device, domainDirectory),
            scheduler,
            domain,
            parameterSet,
            epoch,
            settings,
            caches,
            listener);
    caches.removeIf(domain, container -> true); // Of files that may have been cut since.
    boolean recovered = false;
    try {
      containers.recover(ends);
      recovered = true;
      return containers;
    } finally {
      if (!recovered) {
        containers.files.close();
      }
    }
  }

  /** The same with caches of its own, as the settings say. */
  public static Containers open(
      Device device,
      Scheduler scheduler,
      String domainDirectory,
      Id domain,
      ParameterSet parameterSet,
      long epoch,
      ContainerSettings settings,
      DurableEnds ends,
      SealListener listener)
      throws IOException {
    return open(
        device,
        scheduler,
        domainDirectory,
        domain,
        parameterSet,
        epoch,
        settings,
        new ContainerCaches(scheduler, settings.blockCacheBytes(), settings.layoutCacheBytes()),
        ends,
        listener);
  }

  /**
   * The path of the file of a container that is not sealed. Recovery may write bytes that the
   * journal holds to it before the containers are opened; if the container has been sealed
   * meanwhile the file is not looked at, and deleted.
   */
  public static String path(String domainDirectory, ChunkKind kind, long containerNumber) {
    return DeviceContainerStore.path(
        domainDirectory, new Name(kind, containerNumber, FIRST_GENERATION, false));
  }

  // ---- recovery

  private void recover(DurableEnds ends) throws IOException {
    nextNumber = Math.max(1, ends.nextContainerNumber());
    for (ChunkKind kind : ChunkKind.values()) {
      List<Name> names = store.list(kind);
      Map<Long, Name> newest = new TreeMap<>();
      for (Name name : names) {
        nextNumber = Math.max(nextNumber, name.number() + 1);
        if (name.sealed()) {
          newest.merge(name.number(), name, this::better);
        }
      }
      boolean deleted = false;
      for (Name name : names) {
        Name sealedName = newest.get(name.number());
        boolean superseded = sealedName != null && !sealedName.equals(name);
        if (name.sealed() && !superseded) {
          entries.put(name.number(), newEntry(name, null));
        } else if (superseded || !recover(name, ends.endBytes(name.number()))) {
          store.delete(name);
          deleted = true;
        }
      }
      if (deleted) {
        store.forceNames(kind);
      }
      Set<Name> sealedNames = new HashSet<>();
      for (Entry entry : entries.values()) {
        if (entry.name.kind() == kind && entry.open == null) {
          sealedNames.add(entry.name);
        }
      }
      covered.addAll(store.tidy(kind, sealedNames));
    }
    for (Map.Entry<Long, ChunkKind> named : ends.named().entrySet()) {
      long endBytes = ends.endBytes(named.getKey());
      if (endBytes > ContainerFormat.HEADER_BYTES && !exists(named.getKey())) {
        String file = nameInErrors(named.getValue(), named.getKey());
        note(new CorruptDataException(file, -1, "a container of " + endBytes + " bytes", "none"));
      }
    }
  }

  private void note(CorruptDataException damage) {
    lock.lock();
    try {
      if (recoveryDamages.size() < MAX_NOTED
          && recoveryDamages.stream().noneMatch(other -> other.file().equals(damage.file()))) {
        recoveryDamages.add(damage);
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Which of two sealed generations counts: the younger one, which was proven to hold the same
   * before it got its name, unless that cannot be seen any more and the older one is whole.
   */
  private Name better(Name older, Name younger) {
    Optional<Footer> before = footer(older);
    Optional<Footer> after = footer(younger);
    boolean same =
        before.isPresent()
            && after.isPresent()
            && Arrays.equals(before.get().contentRoot(), after.get().contentRoot());
    return before.isEmpty() || same ? younger : older;
  }

  private Optional<Footer> footer(Name name) {
    try (StoredContainer file = store.open(name)) {
      return Optional.of(ContainerFile.readSoundFooter(file, identity(name)));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** Cuts and seals one container; answers false if nothing in it counts. */
  private boolean recover(Name name, long endBytes) throws IOException {
    if (endBytes <= ContainerFormat.HEADER_BYTES) {
      return false;
    }
    Identity identity = identity(name);
    StoredContainer file = store.open(name);
    boolean kept = false;
    try {
      long size = file.sizeBytes();
      boolean exact = endBytes != Long.MAX_VALUE;
      if (exact && size < endBytes) {
        note(
            new CorruptDataException(
                file.path(), size, "a file of " + endBytes + " bytes", size + " bytes"));
      }
      BlockScan.Found found = BlockScan.scan(file, identity, Math.min(size, endBytes), exact);
      CorruptDataException damage = found.damage();
      if (damage != null) {
        note(damage);
      }
      if (found.layout().blockCount() == 0) {
        return false;
      }
      OpenContainer container =
          OpenContainer.recovered(store, file, identity, scheduler.lock("container"), found);
      file.truncate(found.endBytes());
      try {
        repairHeader(file, identity);
        ContainerDirectory directory = container.seal();
        entries.put(name.number(), newEntry(sealedName(name), null));
        listener.sealed(name.number(), directory);
      } catch (StoreFullException e) {
        // It can be read; sealing it is tried again with the next one.
        OpenFiles.Handle handle = files.acquire(key(identity), () -> file);
        unfinished.add(new Growing(container, handle));
        entries.put(name.number(), newEntry(name, container));
        unsealed.put(name.number(), container);
        kept = true;
      }
      return true;
    } finally {
      if (!kept) {
        file.close();
      }
    }
  }

  /** Nothing but the file's name is needed to write the header anew. */
  private void repairHeader(StoredContainer file, Identity identity) throws IOException {
    byte[] header = ContainerFile.read(file, 0, ContainerFormat.HEADER_BYTES);
    try {
      ContainerFormat.checkHeader(file.path(), header, identity);
    } catch (CorruptDataException e) {
      ContainerFile.writeHeader(file, identity, Id.random(scheduler.random()));
    }
  }

  private static Name sealedName(Name name) {
    return new Name(name.kind(), name.number(), name.generation(), true);
  }

  private static Name sealedName(Identity identity) {
    return new Name(identity.kind(), identity.number(), identity.generation(), true);
  }

  private Identity identity(Name name) {
    return new Identity(
        domain, name.kind(), parameterSet.number(), name.number(), name.generation(), epoch);
  }

  /**
   * What was found damaged in parts that say what a container holds: before durable ends by
   * recovery, in directories since; at most 64.
   */
  public List<CorruptDataException> recoveryDamages() {
    lock.lock();
    try {
      return List.copyOf(recoveryDamages);
    } finally {
      lock.unlock();
    }
  }

  // ---- writing

  /**
   * Appends a block to an open container of its kind that nobody else is appending to, or waits for
   * one.
   *
   * @param block in {@code onefold.block.BlockFormat}; read before the method returns
   * @param chunks fingerprints and lengths of the block's chunks, in order; read before the method
   *     returns
   * @throws IllegalArgumentException if the block is not whole or its chunks are not those
   * @throws StoreFullException if there is no space; nothing has changed
   */
  public Appended append(
      ChunkKind kind, byte[] block, int offset, int lengthBytes, FingerprintBatch chunks)
      throws IOException {
    List<Lane> ofKind = lanes(kind);
    for (Lane lane : ofKind) {
      if (lane.lock.tryLock()) {
        try {
          return append(lane, kind, block, offset, lengthBytes, chunks);
        } finally {
          lane.lock.unlock();
        }
      }
    }
    int lane;
    lock.lock();
    try {
      lane = nextLane++;
    } finally {
      lock.unlock();
    }
    return append(kind, lane, block, offset, lengthBytes, chunks);
  }

  /**
   * Appends a block to the open container of a lane, so that blocks of one stream lie together.
   *
   * @param lane any number; taken modulo the lanes of the settings
   */
  public Appended append(
      ChunkKind kind, int lane, byte[] block, int offset, int lengthBytes, FingerprintBatch chunks)
      throws IOException {
    List<Lane> ofKind = lanes(kind);
    Lane chosen = ofKind.get(Math.floorMod(lane, ofKind.size()));
    chosen.lock.lock();
    try {
      return append(chosen, kind, block, offset, lengthBytes, chunks);
    } finally {
      chosen.lock.unlock();
    }
  }

  private List<Lane> lanes(ChunkKind kind) {
    List<Lane> ofKind = lanes.get(kind);
    if (ofKind == null) {
      throw new IllegalArgumentException("no lanes for " + kind);
    }
    return ofKind;
  }

  private Appended append(
      Lane lane, ChunkKind kind, byte[] block, int offset, int lengthBytes, FingerprintBatch chunks)
      throws IOException {
    Growing growing = lane.growing;
    if (growing == null) {
      growing = create(kind);
      lane.growing = growing;
    }
    OpenContainer container = growing.container();
    boolean appended = false;
    try {
      Appended where = container.append(block, offset, lengthBytes, chunks);
      appended = true;
      if (where.endBytes() >= settings.containerBytes()
          || container.chunkCount() >= MAX_CHUNKS_PER_CONTAINER) {
        lane.growing = null;
        container.full();
        ended(growing);
      }
      return where;
    } catch (IllegalArgumentException | StoreFullException e) {
      appended = true; // Nothing is wrong with the container.
      throw e;
    } finally {
      if (!appended) {
        lane.growing = null;
        container.full();
        keepUnfinished(growing);
      }
    }
  }

  private Growing create(ChunkKind kind) throws IOException {
    long number;
    lock.lock();
    try {
      if (closed) {
        throw new IOException("the containers of domain " + domain + " are closed");
      }
      number = nextNumber++;
    } finally {
      lock.unlock();
    }
    Name name = new Name(kind, number, FIRST_GENERATION, false);
    Identity identity = identity(name);
    StoredContainer file = store.create(kind, number, FIRST_GENERATION);
    boolean made = false;
    try {
      ContainerFile.writeHeader(file, identity, Id.random(scheduler.random()));
      OpenContainer container =
          new OpenContainer(store, file, identity, scheduler.lock("container"));
      OpenFiles.Handle handle = files.acquire(key(identity), () -> file);
      lock.lock();
      try {
        entries.put(number, newEntry(name, container));
        unsealed.put(number, container);
      } finally {
        lock.unlock();
      }
      made = true;
      return new Growing(container, handle);
    } finally {
      if (!made) {
        file.close();
        store.delete(name);
      }
    }
  }

  /**
   * Makes everything appended to these containers before the call durable, all at once. Numbers
   * that are sealed already, or unknown, are durable as they are.
   */
  public void force(Collection<Long> containerNumbers) throws IOException {
    List<OpenContainer> dirty = new ArrayList<>();
    lock.lock();
    try {
      for (long number : containerNumbers) {
        Entry entry = entries.get(number);
        OpenContainer open = entry == null ? null : entry.open;
        if (open != null && open.isDirty()) {
          dirty.add(open);
        }
      }
    } finally {
      lock.unlock();
    }
    if (dirty.isEmpty()) {
      return;
    }
    List<Promise<Boolean>> others = new ArrayList<>();
    for (OpenContainer container : dirty.subList(1, dirty.size())) {
      Promise<Boolean> done = scheduler.promise();
      others.add(done);
      scheduler.start(
          "force-container",
          () -> {
            try {
              force(container);
              done.complete(true);
            } catch (Throwable thrown) { // Handed to whoever asked for the force.
              done.fail(thrown);
            }
          });
    }
    force(dirty.getFirst());
    for (Promise<Boolean> done : others) {
      done.await();
    }
  }

  private void force(OpenContainer container) throws IOException {
    try (OpenFiles.Handle handle = files.use(key(container.identity))) {
      if (handle != null) {
        container.force();
      }
      // Else it has been sealed meanwhile, all of it is durable, and nobody has it open.
    }
  }

  /** Where each container that is not durable as it stands ends now. */
  public Map<Long, Long> dirtyEnds() {
    Map<Long, Long> ends = new TreeMap<>();
    for (OpenContainer container : unsealed()) {
      if (container.isDirty()) {
        ends.put(container.identity.number(), container.endBytes());
      }
    }
    return ends;
  }

  /** Where each container that is not sealed ends now. */
  public Map<Long, Long> unsealedEnds() {
    Map<Long, Long> ends = new TreeMap<>();
    for (OpenContainer container : unsealed()) {
      ends.put(container.identity.number(), container.endBytes());
    }
    return ends;
  }

  /** As {@link #unsealedEnds()}, for the containers of one kind. */
  public Map<Long, Long> unsealedEnds(ChunkKind kind) {
    Map<Long, Long> ends = new TreeMap<>();
    for (OpenContainer container : unsealed()) {
      if (container.identity.kind() == kind) {
        ends.put(container.identity.number(), container.endBytes());
      }
    }
    return ends;
  }

  private List<OpenContainer> unsealed() {
    lock.lock();
    try {
      return new ArrayList<>(unsealed.values());
    } finally {
      lock.unlock();
    }
  }

  /**
   * Where an unsealed container ends now; for a sealed one {@code Long.MAX_VALUE}.
   *
   * @throws ContainerGoneException if there is none of this number
   */
  public long endBytes(long containerNumber) throws ContainerGoneException {
    OpenContainer open = entry(containerNumber).open;
    return open == null ? Long.MAX_VALUE : open.endBytes();
  }

  /** The number that the next container gets. */
  public long nextContainerNumber() {
    lock.lock();
    try {
      return nextNumber;
    } finally {
      lock.unlock();
    }
  }

  // ---- sealing

  /**
   * Leaves it to {@link #sealHeld} when full containers of a kind are sealed, from now on. A sealed
   * container counts as a whole after a crash; whoever stores chunks that refer to others, which a
   * crash may take away, seals them when that can no longer happen.
   */
  public void hold(ChunkKind kind) {
    lock.lock();
    try {
      heldKinds.add(kind);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Begins to seal containers that were held and are full, as far as they are acknowledged.
   *
   * @param ends acknowledged ends of containers; one that has grown beyond is still held
   */
  public void sealHeld(Map<Long, Long> ends) {
    List<Growing> now = new ArrayList<>();
    lock.lock();
    try {
      for (Iterator<Growing> each = unfinished.iterator(); each.hasNext(); ) {
        Growing growing = each.next();
        OpenContainer container = growing.container();
        Long end = ends.get(container.identity.number());
        if (isHeld(growing) && end != null && end >= container.endBytes()) {
          each.remove();
          now.add(growing);
        }
      }
      sealing += now.size();
    } finally {
      lock.unlock();
    }
    startSealing(now);
  }

  /** Ends the open containers of a kind: what is appended from now on goes to new ones. */
  public void endOpen(ChunkKind kind) throws IOException {
    for (Lane lane : lanes(kind)) {
      Growing growing;
      lane.lock.lock();
      try {
        growing = lane.growing;
        lane.growing = null;
      } finally {
        lane.lock.unlock();
      }
      if (growing != null) {
        growing.container().full();
        if (growing.container().isEmpty()) {
          discard(growing);
        } else {
          ended(growing);
        }
      }
    }
  }

  /** Waits until no container is being sealed. */
  public void awaitSealing() {
    lock.lock();
    try {
      while (sealing > 0) {
        sealed.await();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Under the lock. */
  private boolean isHeld(Growing growing) {
    return heldKinds.contains(growing.container().identity.kind());
  }

  /** Sees to a container that takes no more blocks. */
  private void ended(Growing growing) {
    boolean held;
    lock.lock();
    try {
      held = isHeld(growing);
    } finally {
      lock.unlock();
    }
    if (held) {
      keepUnfinished(growing);
    } else {
      sealLater(growing);
    }
  }

  private void sealLater(Growing growing) {
    List<Growing> now = new ArrayList<>();
    lock.lock();
    try {
      for (Iterator<Growing> each = unfinished.iterator(); each.hasNext(); ) {
        Growing before = each.next();
        if (!isHeld(before)) {
          each.remove(); // There may be space for it now.
          now.add(before);
        }
      }
      now.add(growing);
      while (sealing >= MAX_SEALING) {
        sealed.await();
      }
      sealing += now.size();
    } finally {
      lock.unlock();
    }
    startSealing(now);
  }

  private void startSealing(List<Growing> now) {
    for (Growing each : now) {
      scheduler.start("seal-container", () -> seal(each));
    }
  }

  private void keepUnfinished(Growing growing) {
    lock.lock();
    try {
      unfinished.add(growing);
    } finally {
      lock.unlock();
    }
  }

  /** Seals a container. If that fails it stays as it is, and recovery or the next try seals it. */
  private void seal(Growing growing) {
    boolean done = false;
    try {
      OpenContainer container = growing.container();
      ContainerDirectory directory = container.seal();
      boolean covers = keepsParity && cover(container);
      long number = container.identity.number();
      caches.put(domain, key(container.identity), directory.layout());
      lock.lock();
      try {
        Entry before = entries.get(number);
        if (before != null) {
          entries.put(number, newEntry(sealedName(before.name), null));
        }
        if (covers) {
          covered.add(sealedName(container.identity));
        }
        unsealed.remove(number);
      } finally {
        lock.unlock();
      }
      done = true;
      listener.sealed(number, directory);
      growing.handle().close();
    } catch (IOException e) {
      keepSealFailure(e);
    } finally {
      lock.lock();
      try {
        if (!done) {
          unfinished.add(growing);
        }
        sealing--;
        sealed.signalAll();
      } finally {
        lock.unlock();
      }
    }
  }

  private void keepSealFailure(IOException failure) {
    lock.lock();
    try {
      sealFailure = failure;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Why the last container that could not be sealed could not, while there are such; else empty.
   */
  public Optional<IOException> sealFailure() {
    lock.lock();
    try {
      return unfinished.isEmpty() ? Optional.empty() : Optional.ofNullable(sealFailure);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Seals every open container, the held ones too, and waits until that is done. A container that
   * cannot be sealed for want of space stays open; it is tried again with the next one.
   */
  public void sealAll() throws IOException {
    lock.lock();
    try {
      heldKinds.clear();
    } finally {
      lock.unlock();
    }
    for (ChunkKind kind : ChunkKind.values()) {
      endOpen(kind);
    }
    List<Growing> rest;
    lock.lock();
    try {
      rest = new ArrayList<>(unfinished);
      unfinished.clear();
      sealing += rest.size();
    } finally {
      lock.unlock();
    }
    startSealing(rest);
    awaitSealing();
  }

  private void discard(Growing growing) throws IOException {
    long number = growing.container().identity.number();
    Entry entry;
    lock.lock();
    try {
      entry = entries.remove(number);
      unsealed.remove(number);
    } finally {
      lock.unlock();
    }
    if (entry != null) {
      store.delete(entry.name);
    }
    growing.handle().close();
    files.forget(key(growing.container().identity));
  }

  /** Seals what is open and closes the files. Readers that are under way finish. */
  @Override
  public void close() throws IOException {
    close(true);
  }

  /**
   * Closes the files and leaves what is open as it is, for recovery: after a failure nobody knows
   * what of it counts.
   */
  public void closeUnsealed() throws IOException {
    close(false);
  }

  private void close(boolean seal) throws IOException {
    lock.lock();
    try {
      if (closed) {
        return;
      }
      closed = true;
    } finally {
      lock.unlock();
    }
    try {
      if (seal) {
        sealAll();
      } else {
        awaitSealing();
      }
    } finally {
      for (ChunkKind kind : ChunkKind.values()) {
        for (Lane lane : lanes(kind)) {
          lane.lock.lock();
          try {
            if (lane.growing != null) {
              lane.growing.handle().close();
              lane.growing = null;
            }
          } finally {
            lane.lock.unlock();
          }
        }
      }
      for (Growing growing : unfinished) {
        growing.handle().close();
      }
      files.close();
      for (Decoder decoder : decoders) {
        decoder.reader.close();
      }
    }
  }

  // ---- reading

  /**
   * Where the block lies that holds a slot, in the generation that counts now.
   *
   * @throws CorruptDataException if the container has no such slot: it has lost its end
   * @throws ContainerGoneException if there is no container of this number
   */
  public BlockLocation locationOfSlot(long containerNumber, int slot) throws IOException {
    return current(containerNumber, entry -> location(entry, blockOfSlot(entry, slot)));
  }

  private int blockOfSlot(Entry entry, int slot) throws IOException {
    OpenContainer open = entry.open;
    if (open != null) {
      checkSlot(entry.name, slot, open.chunkCount());
      return open.blockOf(slot);
    }
    ContainerLayout layout = layout(entry);
    checkSlot(entry.name, slot, layout.chunkCount());
    return layout.blockOf(slot);
  }

  /** What is asked of one generation of a container. */
  @FunctionalInterface
  private interface Asking<T> {
    /** Throws {@link ContainerGoneException} if that generation is gone. */
    T of(Entry entry) throws IOException;
  }

  /** Asks the generation that counts; one that was replaced meanwhile is asked no more. */
  private <T> T current(long containerNumber, Asking<T> asking) throws IOException {
    while (true) {
      Entry entry = entry(containerNumber);
      try {
        return asking.of(entry);
      } catch (ContainerGoneException e) {
        if (entry(containerNumber).name.generation() == entry.name.generation()) {
          throw e;
        }
      }
    }
  }

  /**
   * Where in its file the block of a slot begins.
   *
   * @throws ContainerGoneException if there is no container of this number
   */
  public long offsetOfSlot(long containerNumber, int slot) throws IOException {
    return current(
        containerNumber, entry -> location(entry, blockOfSlot(entry, slot)).offsetBytes());
  }

  /**
   * What errors name for a container: its file, or, if there is none, the beginning of the names
   * that its file may have had.
   */
  public String nameInErrors(ChunkKind kind, long containerNumber) {
    Entry entry;
    lock.lock();
    try {
      entry = entries.get(containerNumber);
    } finally {
      lock.unlock();
    }
    if (entry != null) {
      return store.path(entry.name);
    }
    String path = store.path(new Name(kind, containerNumber, FIRST_GENERATION, true));
    return path.substring(0, path.lastIndexOf('-'));
  }

  private void checkSlot(Name name, int slot, int count) throws CorruptDataException {
    if (slot >= count) {
      throw new CorruptDataException(
          store.path(name), -1, "a container with slot " + slot, count + " slots");
    }
  }

  private BlockLocation location(Entry entry, int block) throws IOException {
    OpenContainer open = entry.open;
    return open != null ? open.location(block) : layout(entry).location(block);
  }

  /**
   * Reads a block as it is stored.
   *
   * @throws CorruptDataException if it is not what the directory says
   * @throws ContainerGoneException if there is no container of this number, or the container has
   *     another generation now: then its slots lie in other blocks
   */
  public StoredBlock readBlock(long containerNumber, long generation, int block)
      throws IOException {
    Entry entry = entry(containerNumber);
    if (entry.name.generation() != generation) {
      throw new ContainerGoneException(containerNumber);
    }
    entry.usedNanos = scheduler.nanoTime();
    return readBlock(entry, block);
  }

  /** As the other, for a block of a directory; says nothing of how warm the container is. */
  public StoredBlock readBlock(BlockLocation location) throws IOException {
    Entry entry = entry(location.containerNumber());
    if (entry.name.generation() != location.generation()) {
      throw new ContainerGoneException(location.containerNumber());
    }
    return readBlock(entry, location.block());
  }

  private StoredBlock readBlock(Entry entry, int block) throws IOException {
    BlockLocation location = location(entry, block);
    try (OpenFiles.Handle handle = file(entry)) {
      checkNotLost(handle.file.path(), location);
      byte[] bytes =
          ContainerFile.read(handle.file, location.offsetBytes(), location.storedBytes());
      checkChecksum(handle.file.path(), location, bytes, 0);
      return new StoredBlock(location, bytes);
    }
  }

  /**
   * Says that a block of a sealed container will be read soon. A hint: whoever reads blocks one
   * after another says it of some that are still to come, so that the disk is at work meanwhile.
   *
   * @param location from the container's directory
   */
  public void willRead(BlockLocation location) throws IOException {
    try (OpenFiles.Handle handle = file(entry(location.containerNumber()))) {
      handle.file.willRead(location.offsetBytes(), location.storedBytes());
    }
  }

  /**
   * A decompressed block, from the cache if it is there. Two that ask for the same block at the
   * same time share the work.
   *
   * @throws CorruptDataException if it is damaged
   * @throws ContainerGoneException if there is no container of this number
   */
  public DecodedBlock decodedBlock(long containerNumber, int slot) throws IOException {
    return current(containerNumber, entry -> decodedBlock(entry, slot));
  }

  private DecodedBlock decodedBlock(Entry entry, int slot) throws IOException {
    BlockKey key = new BlockKey(entry.key(), blockOfSlot(entry, slot));
    DecodedBlock cached = caches.block(domain, key.file(), key.block());
    if (cached != null) {
      return cached;
    }
    Promise<DecodedBlock> promise = null;
    boolean mine = false;
    lock.lock();
    try {
      promise = decoding.get(key);
      if (promise == null) {
        promise = scheduler.promise();
        decoding.put(key, promise);
        mine = true;
      }
    } finally {
      lock.unlock();
    }
    if (!mine) {
      return promise.await();
    }
    try {
      StoredBlock stored = readBlock(entry, key.block());
      DecodedBlock block = decode(store.path(entry.name), stored.location(), stored.bytes(), 0);
      caches.put(domain, entry.key(), key.block(), block);
      promise.complete(block);
      return block;
    } catch (Throwable thrown) { // Passed on, to those who wait for the same block too.
      promise.fail(thrown);
      throw thrown;
    } finally {
      lock.lock();
      try {
        decoding.remove(key);
      } finally {
        lock.unlock();
      }
    }
  }

  /**
   * Reads one chunk and checks it.
   *
   * @param fingerprints holds the fingerprint that the chunk must have, 32 bytes from {@code
   *     offset}
   * @return the chunk's plain bytes; the caller's own
   * @throws CorruptDataException if the place holds another chunk or none
   * @throws ContainerGoneException if there is no container of this number
   */
  public byte[] readChunk(ChunkPlace place, byte[] fingerprints, int offset) throws IOException {
    DecodedBlock block = decodedBlock(place.containerNumber(), place.slot());
    warm(place.containerNumber());
    int from = block.offset(place.slot());
    int length = block.lengthBytes(place.slot());
    Decoder decoder = takeDecoder();
    try {
      decoder.fingerprinter.fingerprint(block.bytes(), from, length, decoder.fingerprint, 0);
      if (!Arrays.equals(
          decoder.fingerprint,
          0,
          Fingerprint.BYTES,
          fingerprints,
          offset,
          offset + Fingerprint.BYTES)) {
        int slot = place.slot();
        throw new CorruptDataException(
            pathOf(place.containerNumber()),
            offsetOfSlot(place.containerNumber(), slot),
            "chunk " + Fingerprint.of(fingerprints, offset) + " in slot " + slot,
            "chunk " + Fingerprint.of(decoder.fingerprint, 0));
      }
    } finally {
      giveBack(decoder);
    }
    return Arrays.copyOfRange(block.bytes(), from, from + length);
  }

  /** Takes note that a container is read for an application. */
  private void warm(long containerNumber) {
    long now = scheduler.nanoTime();
    lock.lock();
    try {
      Entry entry = entries.get(containerNumber);
      if (entry != null) {
        entry.usedNanos = now;
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Reads bytes of a container's file as they are, header included.
   *
   * @param fromBytes the first
   * @param toBytes one past the last; at most the container's end
   */
  public byte[] range(long containerNumber, long fromBytes, long toBytes) throws IOException {
    if (fromBytes < 0 || fromBytes > toBytes || toBytes > Integer.MAX_VALUE) {
      throw new IllegalArgumentException("range " + fromBytes + " to " + toBytes);
    }
    try (OpenFiles.Handle handle = file(entry(containerNumber))) {
      return ContainerFile.read(handle.file, fromBytes, (int) (toBytes - fromBytes));
    }
  }

  /**
   * What a container holds. For one that is not sealed, what it holds now. If the directory on disk
   * is damaged it is made again from the blocks, in memory.
   *
   * @throws ContainerGoneException if there is no container of this number
   */
  public ContainerDirectory directory(long containerNumber) throws IOException {
    return current(containerNumber, this::directory);
  }

  private ContainerDirectory directory(Entry entry) throws IOException {
    if (entry.open != null) {
      return entry.open.directory();
    }
    try (OpenFiles.Handle handle = file(entry)) {
      try {
        return ContainerFile.readDirectory(handle.file, identity(entry.name));
      } catch (CorruptDataException e) {
        note(e);
        return salvage(handle.file, entry.name);
      }
    }
  }

  /** The directory of a sealed container whose own is damaged. */
  private ContainerDirectory salvage(StoredContainer file, Name name) throws IOException {
    try {
      // As long as the block table is whole, every block has its place and its slots.
      ContainerLayout layout = ContainerFile.readLayout(file, identity(name));
      FingerprintBatch chunks = BlockScan.along(file, identity(name), layout);
      return ContainerDirectory.salvaged(name.number(), layout, chunks);
    } catch (CorruptDataException e) {
      return salvageByFrames(file, name);
    }
  }

  private ContainerDirectory salvageByFrames(StoredContainer file, Name name) throws IOException {
    BlockScan.Found found = BlockScan.scan(file, identity(name), file.sizeBytes(), false);
    return ContainerDirectory.salvaged(name.number(), found.layout().build(), found.chunks());
  }

  private ContainerLayout layout(Entry entry) throws IOException {
    ContainerLayout cached = caches.layout(domain, entry.key());
    if (cached != null) {
      return cached;
    }
    ContainerLayout layout;
    try (OpenFiles.Handle handle = file(entry)) {
      try {
        layout = ContainerFile.readLayout(handle.file, identity(entry.name));
      } catch (CorruptDataException e) {
        layout = salvageByFrames(handle.file, entry.name).layout();
      }
    }
    caches.put(domain, entry.key(), layout);
    return layout;
  }

  /** A container's directory, and the file that it is of. */
  private record Opened(ContainerDirectory directory, OpenFiles.Handle handle) {}

  /**
   * Hands the blocks of a container to a visitor, in order, read sequentially. Blocks appended
   * after the call began are left out.
   *
   * @throws ContainerGoneException if there is no container of this number
   */
  public void scan(long containerNumber, BlockVisitor visitor) throws IOException {
    Opened opened = current(containerNumber, entry -> new Opened(directory(entry), file(entry)));
    ContainerDirectory directory = opened.directory();
    try (OpenFiles.Handle handle = opened.handle()) {
      int first = 0;
      while (first < directory.blockCount()) {
        long start = directory.block(first).offsetBytes();
        int end = first + 1;
        while (end < directory.blockCount() && end(directory.block(end)) - start <= SCAN_BYTES) {
          end++;
        }
        scan(handle.file, directory, first, end, visitor);
        first = end;
      }
    }
  }

  private static long end(BlockLocation location) {
    return location.offsetBytes() + location.storedBytes();
  }

  private void scan(
      StoredContainer file, ContainerDirectory directory, int first, int end, BlockVisitor visitor)
      throws IOException {
    long start = directory.block(first).offsetBytes();
    byte[] span = null;
    for (int block = first; block < end; block++) {
      BlockLocation location = directory.block(block);
      DecodedBlock decoded = null;
      CorruptDataException damage = null;
      try {
        checkNotLost(file.path(), location);
        if (span == null) {
          span =
              ContainerFile.read(
                  file, start, Math.toIntExact(end(directory.block(end - 1)) - start));
        }
        int at = (int) (location.offsetBytes() - start);
        checkChecksum(file.path(), location, span, at);
        decoded = decode(file.path(), location, span, at);
      } catch (CorruptDataException e) {
        damage = e;
      }
      if (decoded != null) {
        visitor.block(decoded, directory);
      } else if (damage != null) {
        visitor.damaged(location, directory, damage);
      }
    }
  }

  private static void checkNotLost(String path, BlockLocation location)
      throws CorruptDataException {
    if (location.rawBytes() == 0) {
      throw new CorruptDataException(
          path,
          location.offsetBytes(),
          "a block with " + location.chunkCount() + " chunks",
          "bytes that were damaged before the container was sealed");
    }
  }

  private static void checkChecksum(String path, BlockLocation location, byte[] bytes, int at)
      throws CorruptDataException {
    int found = ContainerFormat.crc(bytes, at, location.storedBytes());
    if (found != location.checksum()) {
      throw new CorruptDataException(
          path,
          location.offsetBytes(),
          "a block with checksum " + ContainerFormat.hex(location.checksum()),
          ContainerFormat.hex(found));
    }
  }

  private DecodedBlock decode(String path, BlockLocation location, byte[] bytes, int at)
      throws IOException {
    Decoder decoder = takeDecoder();
    try {
      BlockReader reader = decoder.reader;
      reader.parse(bytes, at, location.storedBytes());
      int count = reader.chunkCount();
      if (count != location.chunkCount() || reader.rawBytes() != location.rawBytes()) {
        throw new CorruptDataException(
            path,
            location.offsetBytes(),
            location.chunkCount() + " chunks of " + location.rawBytes() + " bytes",
            count + " of " + reader.rawBytes());
      }
      int[] starts = new int[count + 1];
      for (int i = 0; i < count; i++) {
        starts[i + 1] = starts[i] + reader.chunkLengths()[i];
      }
      byte[] raw = Arrays.copyOf(reader.decompress(), reader.rawBytes());
      return new DecodedBlock(
          location.containerNumber(), location.block(), location.firstSlot(), raw, starts);
    } catch (BlockFormatException e) {
      throw BlockScan.corrupt(path, location.offsetBytes(), e);
    } finally {
      giveBack(decoder);
    }
  }

  private Decoder takeDecoder() {
    lock.lock();
    try {
      Decoder idle = decoders.pollFirst();
      if (idle != null) {
        return idle;
      }
    } finally {
      lock.unlock();
    }
    return new Decoder(parameterSet);
  }

  private void giveBack(Decoder decoder) {
    lock.lock();
    try {
      if (decoders.size() < MAX_IDLE_DECODERS && !closed) {
        decoders.addFirst(decoder);
        return;
      }
    } finally {
      lock.unlock();
    }
    decoder.reader.close();
  }

  /** Opens the file of one generation; {@link ContainerGoneException} if it has been replaced. */
  private OpenFiles.Handle file(Entry entry) throws IOException {
    OpenFiles.Handle handle = fileAsItIs(entry);
    Entry now;
    lock.lock();
    try {
      now = entries.get(entry.name.number());
    } finally {
      lock.unlock();
    }
    if (now != null && now.key().equals(entry.key())) {
      return handle;
    }
    // Its file went since the entry was read. Whoever took it away may have let go of what was
    // open before this use of it came about, so the last reader has to close it.
    files.forget(entry.key());
    if (now == null || entry.open != null || !now.name.equals(entry.name)) {
      return handle;
    }
    handle.close(); // It has been repaired, and the damaged file must not be read any more.
    return file(now);
  }

  private OpenFiles.Handle fileAsItIs(Entry entry) throws IOException {
    try {
      return files.acquire(entry.key(), () -> store.open(entry.name));
    } catch (NoSuchFileException | FileNotFoundException e) {
      long number = entry.name.number();
      Name now = entry(number).name; // Deleted meanwhile: then it is gone.
      if (now.generation() != entry.name.generation()) {
        throw new ContainerGoneException(number);
      }
      if (!now.equals(entry.name)) {
        return files.acquire(entry.key(), () -> store.open(now));
      }
      throw new CorruptDataException(
          store.path(entry.name), -1, "a container's file", "none: " + e.getMessage());
    }
  }

  private String pathOf(long containerNumber) throws ContainerGoneException {
    return store.path(entry(containerNumber).name);
  }

  private Entry entry(long containerNumber) throws ContainerGoneException {
    lock.lock();
    try {
      Entry entry = entries.get(containerNumber);
      if (entry == null) {
        throw new ContainerGoneException(containerNumber);
      }
      return entry;
    } finally {
      lock.unlock();
    }
  }

  // ---- recompression

  /**
   * Sealed containers of data that nobody has read for an application for some time and that have
   * not been written anew, the ones not read for longest first.
   *
   * @param nanos for how long, since they came to be or since the start
   */
  public List<Long> cold(long nanos) {
    long now = scheduler.nanoTime();
    List<Entry> found = new ArrayList<>();
    lock.lock();
    try {
      for (Entry entry : entries.values()) {
        if (entry.open == null
            && entry.name.kind() == ChunkKind.DATA
            && entry.name.generation() == FIRST_GENERATION
            && !entry.isAsSmallAsItGets
            && now - entry.usedNanos >= nanos) {
          found.add(entry);
        }
      }
    } finally {
      lock.unlock();
    }
    found.sort(
        Comparator.<Entry>comparingLong(entry -> entry.usedNanos - now)
            .thenComparingLong(entry -> entry.name.number()));
    return found.stream().map(entry -> entry.name.number()).toList();
  }

  /**
   * Writes a sealed container anew, with a stronger codec and larger blocks: the next generation,
   * in which every chunk has the slot it had. What cannot be proven, in the old file or in the new
   * one, leaves the container as it is. Nobody may delete the container meanwhile; reading goes on.
   *
   * <p>The new file is written, forced, read back and proven, renamed, its name is forced; then
   * readers are sent to it, and the old file is deleted. A crash before the rename leaves an
   * unsealed file beside a sealed one, which recovery deletes; a crash after it leaves two sealed
   * ones, of which recovery keeps the younger. If the old generation has a parity the new one gets
   * its own before it counts.
   *
   * @return how much smaller the file is; 0 if it would not be worth it, and nothing has changed
   * @throws CorruptDataException if the old file is damaged; the visitor has heard in which block
   * @throws StoreFullException if there is no space
   */
  public long recompress(long containerNumber, Recompression how) throws IOException {
    Entry entry = entry(containerNumber);
    if (entry.open != null) {
      throw new IllegalArgumentException("container " + containerNumber + " is not sealed");
    }
    Name name = new Name(entry.name.kind(), containerNumber, entry.name.generation() + 1, false);
    Identity identity = identity(name);
    long saved;
    ContainerLayout layout;
    boolean covers = false;
    boolean done = false;
    try (OpenFiles.Handle old = file(entry)) {
      StoredContainer file = store.create(name.kind(), containerNumber, name.generation());
      try {
        ContainerFile.writeHeader(file, identity, Id.random(scheduler.random()));
        OpenContainer next = new OpenContainer(store, file, identity, scheduler.lock("container"));
        Optional<ContainerDirectory> written =
            how.write(old.file, identity(entry.name), parameterSet, scheduler, next);
        if (written.isEmpty()) {
          entry.isAsSmallAsItGets = true;
          return 0;
        }
        if (hasParity(containerNumber)) {
          writeParity(file, identity);
          covers = true;
        }
        layout = written.get().layout();
        saved = old.file.sizeBytes() - file.sizeBytes();
        done = true;
      } catch (CorruptDataException e) {
        entry.isAsSmallAsItGets = true; // It stays until somebody has healed what is in it.
        throw e;
      } finally {
        file.close();
        if (!done) {
          discard(name);
        }
      }
    }
    replace(entry, sealedName(name), layout, covers);
    return saved;
  }

  /**
   * Deletes what has become of a generation that is not to be; if that fails, with its container.
   */
  private void discard(Name name) {
    for (Name either : List.of(name, sealedName(name))) {
      try {
        store.delete(either);
      } catch (NoSuchFileException e) {
        // It has the other name.
      } catch (IOException e) {
        keepLeftOver(either);
      }
    }
  }

  private void keepLeftOver(Name name) {
    lock.lock();
    try {
      leftOver.computeIfAbsent(name.number(), key -> new ArrayList<>()).add(name);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Sends readers to another generation and deletes the one before.
   *
   * @param covers whether the new one has a parity
   */
  private void replace(Entry before, Name name, ContainerLayout layout, boolean covers)
      throws IOException {
    boolean uncovered;
    Entry current;
    Entry now = newEntry(name, null);
    now.usedNanos = before.usedNanos;
    caches.put(domain, now.key(), layout);
    lock.lock();
    try {
      current = entries.get(name.number()); // Repaired, perhaps, while it was written anew.
      if (current == null || !current.name.equals(before.name)) {
        throw new IllegalStateException("container " + name.number() + " was deleted meanwhile");
      }
      entries.put(name.number(), now);
      uncovered = !covered.remove(before.name) && covers; // Nobody wants parities any more.
      if (covers && !uncovered) {
        covered.add(name);
      }
    } finally {
      lock.unlock();
    }
    if (uncovered) {
      store.deleteParity(name);
    }
    keepLeftOver(before.name); // Until it is gone.
    forgetFile(before);
    forgetFile(current);
    store.delete(before.name);
    lock.lock();
    try {
      leftOver.remove(name.number());
    } finally {
      lock.unlock();
    }
    store.forceNames(name.kind());
  }

  /** Lets go of what is open or cached of a file that does not count any more. */
  private void forgetFile(Entry entry) throws IOException {
    files.forget(entry.key());
    caches.removeIf(domain, key -> key.equals(entry.key()));
  }

  // ---- the whole

  /** Numbers of all containers of a kind, ascending. */
  public List<Long> numbers(ChunkKind kind) {
    List<Long> numbers = new ArrayList<>();
    lock.lock();
    try {
      for (Entry entry : entries.values()) {
        if (entry.name.kind() == kind) {
          numbers.add(entry.name.number());
        }
      }
    } finally {
      lock.unlock();
    }
    Collections.sort(numbers);
    return numbers;
  }

  /** Whether there is a container of this number. */
  public boolean exists(long containerNumber) {
    lock.lock();
    try {
      return entries.containsKey(containerNumber);
    } finally {
      lock.unlock();
    }
  }

  /** The kind of a container's chunks. */
  public ChunkKind kind(long containerNumber) throws ContainerGoneException {
    return entry(containerNumber).name.kind();
  }

  /** Whether a container is sealed. */
  public boolean isSealed(long containerNumber) throws ContainerGoneException {
    return entry(containerNumber).open == null;
  }

  /**
   * What a container holds, in numbers; the footer is read once.
   *
   * @throws ContainerGoneException if there is no container of this number
   */
  public ContainerInfo info(long containerNumber) throws IOException {
    return current(containerNumber, this::info);
  }

  private ContainerInfo info(Entry entry) throws IOException {
    if (entry.open != null) {
      return entry.open.info();
    }
    ContainerInfo info = entry.info;
    if (info != null) {
      return info;
    }
    try (OpenFiles.Handle handle = file(entry)) {
      info = readInfo(handle.file, entry.name);
    }
    entry.info = info;
    return info;
  }

  private ContainerInfo readInfo(StoredContainer file, Name name) throws IOException {
    int chunkCount;
    long rawBytes;
    long storedBytes;
    try {
      Footer footer = ContainerFile.readFooter(file, identity(name));
      chunkCount = footer.chunkCount();
      rawBytes = footer.rawBytes();
      storedBytes = footer.storedBytes();
    } catch (CorruptDataException e) {
      BlockScan.Found found = BlockScan.scan(file, identity(name), file.sizeBytes(), false);
      chunkCount = found.layout().chunkCount();
      rawBytes = found.layout().rawSum();
      storedBytes = found.layout().storedSum();
    }
    return new ContainerInfo(
        name.number(),
        name.kind(),
        name.generation(),
        true,
        chunkCount,
        rawBytes,
        storedBytes,
        file.sizeBytes());
  }

  /** All containers in order of number. Reads the footer of each that nobody has asked for yet. */
  public List<ContainerInfo> list() throws IOException {
    List<Long> numbers = new ArrayList<>();
    for (ChunkKind kind : ChunkKind.values()) {
      numbers.addAll(numbers(kind));
    }
    Collections.sort(numbers);
    List<ContainerInfo> infos = new ArrayList<>();
    for (long number : numbers) {
      try {
        infos.add(info(number));
      } catch (ContainerGoneException e) {
        // Deleted since the list was made.
      }
    }
    return infos;
  }

  /**
   * Deletes sealed containers. From now on they are gone for new readers; those under way finish.
   * When the method returns the files cannot come back. The caller has made it durable before that
   * nobody refers to them. Unknown numbers are left out.
   *
   * @throws IllegalArgumentException if one is not sealed
   */
  public void delete(Collection<Long> containerNumbers) throws IOException {
    List<Name> gone = new ArrayList<>();
    List<OpenFiles.Key> open = new ArrayList<>();
    lock.lock();
    try {
      for (long number : containerNumbers) {
        Entry entry = entries.get(number);
        if (entry != null && entry.open != null) {
          throw new IllegalArgumentException("container " + number + " is not sealed");
        }
      }
      for (long number : containerNumbers) {
        Entry entry = entries.remove(number);
        if (entry != null) {
          gone.add(entry.name);
          open.add(entry.key());
          gone.addAll(leftOver.getOrDefault(number, List.of()));
          leftOver.remove(number);
          covered.remove(entry.name);
        }
      }
    } finally {
      lock.unlock();
    }
    Set<ChunkKind> kinds = EnumSet.noneOf(ChunkKind.class);
    for (Name name : gone) {
      store.delete(name);
      kinds.add(name.kind());
    }
    for (OpenFiles.Key key : open) {
      files.forget(key);
    }
    Set<Long> numbers = Set.copyOf(containerNumbers);
    caches.removeIf(domain, key -> numbers.contains(key.number()));
    for (ChunkKind kind : kinds) {
      store.forceNames(kind);
    }
  }

  /**
   * Reads a whole sealed container and tells everything that is wrong with it: header, frames,
   * blocks, every chunk's fingerprint, tables, roots and footer.
   *
   * @param deep whether blocks are decompressed and fingerprints computed; else only checksums
   * @return plain bytes proven good
   */
  public long verify(long containerNumber, boolean deep, Consumer<CorruptDataException> damages)
      throws IOException {
    return current(
        containerNumber,
        entry -> {
          if (entry.open != null) {
            throw new IllegalArgumentException("container " + containerNumber + " is not sealed");
          }
          try (OpenFiles.Handle handle = file(entry)) {
            return new ContainerVerifier(
                    handle.file,
                    identity(entry.name),
                    parameterSet,
                    ReadPace.NONE,
                    finding -> damages.accept(finding.what()))
                .run(deep);
          }
        });
  }

  /**
   * Moves sealed containers that lie on a disk that is drained. Called by the task that deletes and
   * recompresses containers, and by nobody else.
   *
   * @param between called between containers; may wait, or end it by an error
   */
  public void settle(Settling between) throws IOException {
    store.settle(replacing, between::pause);
  }

  /** Called between containers that are moved. */
  @FunctionalInterface
  public interface Settling {
    void pause() throws IOException;
  }

  /**
   * Whether containers of data lie on a disk that is drained.
   *
   * @param onlyUnsealed whether sealed ones do not count
   */
  public boolean isUnsettled(boolean onlyUnsealed) throws IOException {
    return store.isUnsettled(onlyUnsealed);
  }

  /**
   * Reads a container back, past all caches but the operating system's, and tells everything that
   * is wrong with it; of one that is not sealed, the blocks that it has now.
   *
   * @param deep whether blocks are decompressed and fingerprints computed; else only checksums
   * @return plain bytes proven good
   * @throws ContainerGoneException if there is no container of this number
   * @throws IOException if the disk refuses to read
   */
  public long check(long containerNumber, boolean deep, ReadPace pace, Consumer<Finding> findings)
      throws IOException {
    Entry entry = entry(containerNumber);
    if (entry.open != null) {
      return checkOpen(containerNumber, pace, findings);
    }
    try (StoredContainer file = openAgain(entry)) {
      return new ContainerVerifier(file, identity(entry.name), parameterSet, pace, findings)
          .run(deep);
    }
  }

  private long checkOpen(long containerNumber, ReadPace pace, Consumer<Finding> findings)
      throws IOException {
    long[] good = {0};
    pace.before(info(containerNumber).storedBytes());
    scan(
        containerNumber,
        new BlockVisitor() {
          @Override
          public void block(DecodedBlock block, ContainerDirectory directory) throws IOException {
            Decoder decoder = takeDecoder();
            try {
              for (int i = 0; i < block.chunkCount(); i++) {
                int slot = block.firstSlot() + i;
                decoder.fingerprinter.fingerprint(
                    block.bytes(),
                    block.offset(slot),
                    block.lengthBytes(slot),
                    decoder.fingerprint,
                    0);
                Fingerprint expected = directory.chunks().fingerprint(slot);
                if (!expected.equals(Fingerprint.of(decoder.fingerprint, 0))) {
                  CorruptDataException what =
                      new CorruptDataException(
                          pathOf(containerNumber),
                          directory.block(block.block()).offsetBytes(),
                          "chunk " + expected + " in slot " + slot,
                          "chunk " + Fingerprint.of(decoder.fingerprint, 0));
                  findings.accept(Finding.ofBlock(what, directory.block(block.block())));
                  return;
                }
              }
              good[0] += block.bytes().length;
            } finally {
              giveBack(decoder);
            }
          }

          @Override
          public void damaged(
              BlockLocation location, ContainerDirectory directory, CorruptDataException why) {
            findings.accept(Finding.ofBlock(why, location));
          }
        });
    return good[0];
  }

  /** Opens the file of a sealed container by itself, whoever else has it open. */
  private StoredContainer openAgain(Entry entry) throws IOException {
    try {
      return store.open(entry.name);
    } catch (NoSuchFileException | FileNotFoundException e) {
      Entry now = entry(entry.name.number());
      if (now.name.equals(entry.name)) {
        throw new CorruptDataException(
            store.path(entry.name), -1, "a file", "none: " + e.getMessage());
      }
      throw new ContainerGoneException(entry.name.number()); // It has another generation now.
    }
  }

  // ---- parity

  /** Says whether a container gets a parity when it is sealed, from now on. */
  public void keepParity(boolean keeps) {
    keepsParity = keeps;
  }

  /**
   * Gives a container its parity that has been sealed and that nobody else knows as sealed yet.
   *
   * @return false if that failed; whoever asks for {@link #withoutParity} finds it
   */
  private boolean cover(OpenContainer container) {
    try {
      boolean[] wrong = {false};
      long ignored =
          new ContainerVerifier(
                  container.file,
                  container.identity,
                  parameterSet,
                  ReadPace.NONE,
                  finding -> wrong[0] = true)
              .run(false);
      if (!wrong[0]) {
        writeParity(container.file, container.identity);
      }
      return !wrong[0];
    } catch (IOException e) {
      return false; // There is no space, or the disk refuses: then for whoever tries it next, too.
    }
  }

  /** Writes the parity of a container whose name nobody else uses yet. */
  private void writeParity(StoredContainer file, Identity identity) throws IOException {
    Name name = sealedName(identity);
    boolean kept = false;
    try {
      try (StoredContainer draft = store.createDraft(name, ContainerStore.Draft.PARITY)) {
        Parity.write(file, draft, identity, ReadPace.NONE);
      }
      replacing.lock();
      try {
        store.keep(name, ContainerStore.Draft.PARITY);
      } finally {
        replacing.unlock();
      }
      kept = true;
    } finally {
      if (!kept) {
        store.deleteDraft(name, ContainerStore.Draft.PARITY);
      }
    }
    store.forceNames(name.kind());
  }

  /** Whether a container is sealed and has a parity, whole as far as is known. */
  public boolean hasParity(long containerNumber) {
    lock.lock();
    try {
      Entry entry = entries.get(containerNumber);
      return entry != null && covered.contains(entry.name);
    } finally {
      lock.unlock();
    }
  }

  /** Numbers of the sealed containers without parity, ascending. */
  public List<Long> withoutParity() {
    List<Long> numbers = new ArrayList<>();
    lock.lock();
    try {
      for (Entry entry : entries.values()) {
        if (entry.open == null && !covered.contains(entry.name)) {
          numbers.add(entry.name.number());
        }
      }
    } finally {
      lock.unlock();
    }
    Collections.sort(numbers);
    return numbers;
  }

  /** Bytes of the parity file of a container. */
  public long parityBytes(ContainerInfo info) {
    return hasParity(info.number())
        ? new ParityFormat.Shape(Math.max(1, info.fileBytes())).fileBytes()
        : 0;
  }

  /**
   * Gives a sealed container a parity, or another one in place of what it has. The caller has found
   * the container sound.
   *
   * @return whether it has one now: not if the container changes or goes meanwhile
   * @throws StoreFullException if there is no space for it
   */
  public boolean writeParity(long containerNumber, ReadPace pace) throws IOException {
    Entry entry = entry(containerNumber);
    if (entry.open != null) {
      return false;
    }
    boolean kept = false;
    try (StoredContainer file = openAgain(entry)) {
      try (StoredContainer draft = store.createDraft(entry.name, ContainerStore.Draft.PARITY)) {
        Parity.write(file, draft, identity(entry.name), pace);
      }
      kept = keep(entry, ContainerStore.Draft.PARITY);
    } finally {
      if (!kept) {
        store.deleteDraft(entry.name, ContainerStore.Draft.PARITY);
      }
    }
    store.forceNames(entry.name.kind());
    return kept;
  }

  /** Lets a draft take its place unless the container has changed or gone; then it must not. */
  private boolean keep(Entry entry, ContainerStore.Draft draft) throws IOException {
    long number = entry.name.number();
    replacing.lock();
    lock.lock();
    try {
      if (entries.get(number) != entry) {
        return false;
      }
      store.keep(entry.name, draft);
      switch (draft) {
        case PARITY -> covered.add(entry.name);
        // Another entry, with another key: nobody takes what is open or cached of the old file
        // for the new one's, and whoever opens the file by the old entry looks again.
        case REPAIRED -> {
          Entry now = new Entry(entry.name, entry.repairs + 1, null, scheduler.nanoTime());
          now.usedNanos = entry.usedNanos;
          entries.put(number, now);
        }
      }
      return true;
    } finally {
      lock.unlock();
      replacing.unlock();
    }
  }

  /**
   * Reads the parity of a container back.
   *
   * @throws CorruptDataException if it is damaged or missing
   */
  public void checkParity(long containerNumber, ReadPace pace) throws IOException {
    Entry entry = entry(containerNumber);
    try (StoredContainer parity = openParity(entry);
        StoredContainer file = openAgain(entry)) {
      Parity.check(parity, identity(entry.name), file.sizeBytes(), pace);
    }
  }

  private StoredContainer openParity(Entry entry) throws IOException {
    try {
      return store.openParity(entry.name);
    } catch (NoSuchFileException | FileNotFoundException e) {
      throw new CorruptDataException(
          store.path(entry.name), -1, "a parity file beside it", "none: " + e.getMessage());
    }
  }

  /** Deletes the parity of a container. */
  public void dropParity(long containerNumber) throws IOException {
    Entry entry = entry(containerNumber);
    lock.lock();
    try {
      covered.remove(entry.name);
    } finally {
      lock.unlock();
    }
    replacing.lock();
    try {
      store.deleteParity(entry.name);
    } finally {
      replacing.unlock();
    }
  }

  /**
   * Makes a sealed container as it was sealed, by its parity: what is left of it and what is made
   * again are written to a new file, which is read back whole and then takes the name. Readers of
   * the old file finish on it.
   *
   * @return bytes that were made again, in whole sectors; 0 if nothing was lost
   * @throws CorruptDataException if more was lost than the parity makes good, or it is damaged too
   * @throws ContainerGoneException if there is no container of this number, or it goes meanwhile
   * @throws StoreFullException if there is no space for the new file
   */
  public long repair(long containerNumber, ReadPace pace) throws IOException {
    Entry entry = entry(containerNumber);
    if (entry.open != null) {
      throw new CorruptDataException(
          store.path(entry.name), -1, "a sealed container", "one that grows");
    }
    Parity.Plan plan;
    boolean kept = false;
    try (StoredContainer file = openAgain(entry)) {
      try (StoredContainer parity = openParity(entry)) {
        plan = Parity.plan(file, parity, identity(entry.name), pace);
      }
      if (plan.isWhole()) {
        return 0;
      }
      try (StoredContainer draft = store.createDraft(entry.name, ContainerStore.Draft.REPAIRED)) {
        Parity.writeRepaired(file, draft, plan, pace);
        checkRepaired(draft, entry.name);
      }
      kept = keep(entry, ContainerStore.Draft.REPAIRED);
      if (!kept) {
        throw new ContainerGoneException(containerNumber);
      }
    } finally {
      if (!kept) {
        store.deleteDraft(entry.name, ContainerStore.Draft.REPAIRED);
      }
    }
    forgetFile(entry);
    store.forceNames(entry.name.kind());
    return Math.max(1, plan.badSectors()) * (long) ParityFormat.SECTOR_BYTES;
  }

  /**
   * Says that nothing is wrong with a container any more and whatever was lost with it is known
   * again: see {@link #recoveryDamages}.
   *
   * @throws ContainerGoneException if there is no container of this number
   */
  public void forgetDamage(long containerNumber) throws IOException {
    String path = pathOf(containerNumber);
    lock.lock();
    try {
      recoveryDamages.removeIf(damage -> damage.file().equals(path));
    } finally {
      lock.unlock();
    }
  }

  /** The proof that does not rest on the parity: the container's own checksums and fingerprints. */
  private void checkRepaired(StoredContainer draft, Name name) throws IOException {
    List<CorruptDataException> wrong = new ArrayList<>();
    long ignored =
        new ContainerVerifier(
                draft,
                identity(name),
                parameterSet,
                ReadPace.NONE,
                finding -> {
                  if (!finding.beforeSealing()) {
                    wrong.add(finding.what());
                  }
                })
            .run(true);
    if (!wrong.isEmpty()) {
      throw wrong.getFirst();
    }
  }

  /** Gives back what caches hold and closes files that nobody reads. */
  public void releaseCaches() throws IOException {
    caches.removeIf(domain, key -> true);
    files.closeIdle();
    List<Decoder> idle;
    lock.lock();
    try {
      idle = new ArrayList<>(decoders);
      decoders.clear();
    } finally {
      lock.unlock();
    }
    for (Decoder decoder : idle) {
      decoder.reader.close();
    }
  }
}
