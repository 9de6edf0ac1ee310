package onefold.store.scrub;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import onefold.chunker.ChunkKind;
import onefold.store.CorruptDataException;
import onefold.store.Damage;
import onefold.store.ItemRecord;
import onefold.store.LastProven;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;
import onefold.store.ScrubStatus;
import onefold.store.ScrubStatus.Phase;
import onefold.store.Scrubbing;
import onefold.store.StoreFullException;
import onefold.store.catalog.QuarantinedChunk;
import onefold.store.container.ContainerGoneException;
import onefold.store.container.Containers;
import onefold.store.container.Finding;
import onefold.store.container.ReadPace;
import onefold.store.device.DeviceForceException;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.SchedulerCondition;
import onefold.store.scheduler.SchedulerLock;
import onefold.store.scheduler.TaskHandle;
import org.jspecify.annotations.Nullable;

/**
 * Scrubs one domain: see the package. Any thread may call it; one task works.
 *
 * <p>Bounds: {@value #MAX_DAMAGES} damaged containers are listed and {@value #MAX_SUSPECTS} that a
 * reader has met wait to be looked into; the next pass finds the others again.
 */
public final class Scrubber implements Scrubbing {
  /** Damaged containers that are listed. */
  public static final int MAX_DAMAGES = 4096;

  static final int MAX_SUSPECTS = 1024;

  /** Things wrong with one container that are looked at. */
  private static final int MAX_FINDINGS = 4096;

  /** Where the pass stands is written down when so much more has been read, or after a time. */
  private static final long SAVE_BYTES = 1L << 30;

  private static final long SAVE_NANOS = 30_000_000_000L;

  /** What went wrong for another reason than damage is tried again after this. */
  private static final Duration RETRY = Duration.ofMinutes(1);

  /** The task looks at its calendar at least so often. */
  private static final Duration LOOK = Duration.ofHours(1);

  /** Reading may be ahead of its rate by this. */
  private static final long AHEAD_NANOS = 50_000_000;

  private final Scheduler scheduler;
  private final ScrubGround ground;
  private final Containers containers;
  private final long containerBytes;
  private final List<RepairSource> sources = new ArrayList<>(); // changed before the first start
  private final SchedulerLock lock;
  private final SchedulerCondition changed;

  /** Held while the record is written. Taken before {@link #lock}. */
  private final SchedulerLock saving;

  private long savedBytes; // guarded by saving
  private long savedNanos; // guarded by saving

  // Guarded by lock.
  private ScrubSettings settings = ScrubSettings.ON_DEMAND;
  private @Nullable ScrubRecord record;
  private boolean parity;
  private final Map<Long, DamageRecord> damages = new TreeMap<>();
  private @Nullable DamageMap map;
  private Phase phase = Phase.IDLE;
  private String problem = "";
  private @Nullable IOException failure;
  private long wantedPasses;
  private boolean repairWanted;
  private boolean coverWanted;
  private final LinkedHashSet<Long> suspects = new LinkedHashSet<>();
  private boolean stopped;
  private long notBeforeNanos;
  private boolean waitsAfterFailure;
  private long leftContainers;
  private long freeNanos;
  private @Nullable TaskHandle task;

  // The task's own.
  private long @Nullable [] order;
  private int at;
  private final ArrayDeque<Long> toCover = new ArrayDeque<>();
  private final Set<Long> notCovered = new HashSet<>();

  /** It ends because the store closes. */
  private static final class Stopped extends IOException {
    private static final long serialVersionUID = 1L;

    Stopped() {
      super("the scrub is being stopped");
    }
  }

  /** What the task does next. */
  private enum Job {
    END,
    COVER,
    LOOK_INTO,
    READ,
    BEGIN,
    REPAIR
  }

  /**
   * Makes one, which does nothing yet.
   *
   * @param containerBytes about the size of a container, for estimates
   */
  public Scrubber(Scheduler scheduler, ScrubGround ground, long containerBytes) {
    this.scheduler = scheduler;
    this.ground = ground;
    this.containers = ground.containers();
    this.containerBytes = containerBytes;
    this.lock = scheduler.lock("scrub");
    this.changed = lock.newCondition();
    this.saving = scheduler.lock("scrub-record");
    this.savedNanos = scheduler.nanoTime();
    sources.add(new FromParity());
  }

  /** Adds a source of repairs, tried behind the others. Before {@link #open}. */
  public void add(RepairSource source) {
    sources.add(source);
  }

  /**
   * Reads what is remembered, once the store is open, and begins what is to be done. If that cannot
   * be read the store works without, and whoever asks for a scrub is told why.
   */
  public void open(ScrubSettings newSettings) {
    lock.lock();
    try {
      settings = newSettings;
      ScrubRecord ignored = load();
      coverWanted |= parity;
      if (newSettings.background() || parity) {
        start();
      }
      changed.signalAll();
    } catch (IOException e) {
      problem = String.valueOf(e.getMessage());
    } finally {
      lock.unlock();
    }
  }

  /** Under the lock. */
  private ScrubRecord load() throws IOException {
    ScrubRecord loaded = record;
    if (loaded != null) {
      return loaded;
    }
    String key = ground.id().toString();
    parity = ground.options().parity();
    containers.keepParity(parity);
    for (Map.Entry<String, byte[]> each :
        ground.records(ScrubRecordFormat.DAMAGE).tailMap(key + "/").entrySet()) {
      if (!each.getKey().startsWith(key + "/")) {
        break;
      }
      DamageRecord damage = ScrubRecordFormat.decodeDamage(each.getValue());
      damages.put(damage.containerNumber(), damage);
    }
    repairWanted |= !damages.isEmpty();
    byte[] kept = ground.records(ScrubRecordFormat.SCRUB).get(key);
    loaded = kept == null ? ScrubRecord.FIRST : ScrubRecordFormat.decodeScrub(kept);
    record = loaded;
    leftContainers = loaded.running() ? numbersOf(loaded).length : 0;
    return loaded;
  }

  // ---- what others say

  /** Says that a container has been sealed. */
  public void sealed() {
    lock.lock();
    try {
      if (parity && !stopped) {
        coverWanted = true;
        start();
        changed.signalAll();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Says that a reader has found something wrong in a container; does not wait. */
  public void suspect(long containerNumber) {
    lock.lock();
    try {
      if (settings.background() && !stopped && suspects.size() < MAX_SUSPECTS) {
        suspects.add(containerNumber);
        start();
        changed.signalAll();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Ends what is being done, and waits for that; nothing begins any more. */
  public void stop() {
    TaskHandle running;
    lock.lock();
    try {
      stopped = true;
      changed.signalAll();
      running = task;
    } finally {
      lock.unlock();
    }
    if (running != null) {
      running.join();
    }
  }

  @Override
  public void begin() throws IOException {
    lock.lock();
    try {
      wantPass();
    } finally {
      lock.unlock();
    }
  }

  /** Under the lock. */
  private void wantPass() throws IOException {
    ScrubRecord now = load();
    if (!now.running()) {
      wantedPasses = Math.max(wantedPasses, now.passes() + 1);
    }
    waitsAfterFailure = false;
    start();
    changed.signalAll();
  }

  @Override
  public ScrubStatus run() throws IOException {
    lock.lock();
    try {
      ScrubRecord before = load();
      if (before.paused()) {
        throw new RefusedException(Reason.CONFLICT, "the scrub is paused; let it go on first");
      }
      long wanted = before.passes() + (before.running() ? 2 : 1);
      wantedPasses = Math.max(wantedPasses, wanted);
      failure = null;
      waitsAfterFailure = false;
      start();
      changed.signalAll();
      while (true) {
        IOException why = failure;
        if (why != null) {
          throw why;
        }
        if (stopped) {
          throw new RefusedException(Reason.SHUTTING_DOWN, "the store is closing");
        }
        if (load().passes() >= wanted && !repairWanted && suspects.isEmpty() && !coverWanted) {
          return status();
        }
        changed.await();
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void pause(boolean paused) throws IOException {
    lock.lock();
    try {
      ScrubRecord next = load().withPaused(paused);
      record = next;
      if (!paused && (next.running() || settings.background())) {
        start();
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    save();
  }

  @Override
  public boolean keepsParity() throws IOException {
    lock.lock();
    try {
      ScrubRecord ignored = load();
      return parity;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void keepParity(boolean newParity) throws IOException {
    ground.keepParity(newParity);
    lock.lock();
    try {
      ScrubRecord ignored = load();
      parity = newParity;
      containers.keepParity(newParity);
      coverWanted = true;
      start();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void repair() throws IOException {
    lock.lock();
    try {
      ScrubRecord ignored = load();
      repairWanted = true;
      waitsAfterFailure = false;
      start();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void repairFirst(long containerNumber) throws IOException {
    DamageRecord next;
    lock.lock();
    try {
      ScrubRecord ignored = load();
      DamageRecord before = damages.get(containerNumber);
      if (before == null) {
        throw new RefusedException(
            Reason.NOT_FOUND,
            "no damage of container " + containerNumber + " is listed; scrub --damages lists them");
      }
      long latest = 0;
      for (DamageRecord each : damages.values()) {
        latest = Math.max(latest, each.firstAtMillis());
      }
      next = before.putFirst(Math.max(latest + 1, ground.storeTimeMillis()));
      damages.put(containerNumber, next);
    } finally {
      lock.unlock();
    }
    saveDamage(next);
  }

  // ---- what is shown

  @Override
  public ScrubStatus status() throws IOException {
    int missing = 0;
    for (QuarantinedChunk chunk : ground.quarantined()) {
      if (containers.exists(chunk.containerNumber())) {
        missing++; // A container goes when nothing in it is needed, not even what is damaged.
      }
    }
    int uncovered = keepsParity() ? containers.withoutParity().size() : 0;
    lock.lock();
    try {
      ScrubRecord now = load();
      long average =
          now.readContainers() == 0 ? containerBytes : now.readBytes() / now.readContainers();
      long left = now.running() ? leftContainers * average : 0;
      return new ScrubStatus(
          phase == Phase.IDLE ? waitingFor(now) : phase,
          now.passes(),
          now.begunAtMillis(),
          now.running() ? finishesAtMillis(now, left) : 0,
          now.readBytes(),
          left,
          now.lastBegunAtMillis(),
          now.lastFinishedAtMillis(),
          now.lastReadBytes(),
          settings.bytesPerSecond(),
          damages.size(),
          missing,
          now.repairedCount(),
          parity,
          uncovered,
          problem);
    } finally {
      lock.unlock();
    }
  }

  /** Under the lock. What is to be done next when nothing is being done. */
  private Phase waitingFor(ScrubRecord now) {
    if (now.paused()) {
      return Phase.PAUSED;
    }
    if (coverWanted) {
      return Phase.COVERING;
    }
    if (now.running() || now.passes() < wantedPasses) {
      return waitsAfterFailure ? Phase.IDLE : Phase.READING;
    }
    return repairWanted || !suspects.isEmpty() ? Phase.REPAIRING : Phase.IDLE;
  }

  /** Under the lock. By the rate, or by the pace so far if there is none. */
  private long finishesAtMillis(ScrubRecord now, long leftBytes) {
    long storeTime = ground.storeTimeMillis();
    double perMilli = settings.bytesPerSecond() / 1000.0;
    if (perMilli == 0) {
      long passed = Math.max(1, storeTime - now.begunAtMillis());
      perMilli = Math.max(1, now.readBytes()) / (double) passed;
    }
    return storeTime + (long) (leftBytes / perMilli);
  }

  @Override
  public List<Damage> damages() throws IOException {
    List<DamageRecord> records;
    DamageMap known;
    lock.lock();
    try {
      ScrubRecord ignored = load();
      records = new ArrayList<>(damages.values());
      known = map;
    } finally {
      lock.unlock();
    }
    Map<Long, Integer> counts = new TreeMap<>();
    for (QuarantinedChunk chunk : ground.quarantined()) {
      counts.merge(chunk.containerNumber(), 1, Integer::sum);
    }
    boolean mapped = known != null && known.version() == ground.quarantineVersion();
    List<Damage> shown = new ArrayList<>();
    for (DamageRecord each : records) {
      long number = each.containerNumber();
      shown.add(
          new Damage(
              number,
              each.kind(),
              each.file(),
              each.offsetBytes(),
              each.what(),
              each.foundAtMillis(),
              counts.getOrDefault(number, 0),
              each.chunksUnknown(),
              each.firstAtMillis() > 0,
              mapped,
              known == null ? 0 : known.itemCount(number),
              known == null ? List.of() : known.items(number)));
    }
    Map<Long, Long> firstAt = new TreeMap<>();
    records.forEach(each -> firstAt.put(each.containerNumber(), each.firstAtMillis()));
    shown.sort(
        Comparator.comparingLong((Damage d) -> firstAt.getOrDefault(d.containerNumber(), 0L))
            .reversed()
            .thenComparing(d -> d.items().isEmpty() || !d.items().getFirst().kept())
            .thenComparing(Comparator.comparingLong(Scrubber::newestMillis).reversed())
            .thenComparing(Comparator.comparingInt(Damage::chunkCount).reversed())
            .thenComparingLong(Damage::containerNumber));
    return shown;
  }

  private static long newestMillis(Damage damage) {
    long newest = 0;
    for (Damage.Item item : damage.items()) {
      newest = Math.max(newest, item.createdAtMillis());
    }
    return newest;
  }

  @Override
  public LastProven lastProven(ItemRecord item) throws IOException {
    boolean unknownChunks = false;
    DamageMap known;
    ScrubRecord now;
    lock.lock();
    try {
      now = load();
      known = map;
      for (DamageRecord damage : damages.values()) {
        unknownChunks |= damage.chunksUnknown();
      }
    } finally {
      lock.unlock();
    }
    if (!ground.quarantined().isEmpty()) {
      if (known == null || known.version() != ground.quarantineVersion()) {
        return new LastProven(LastProven.State.UNKNOWN, 0);
      }
      if (known.isAffected(item.root().node())) {
        return new LastProven(LastProven.State.DAMAGED, 0);
      }
      unknownChunks |= !known.isComplete();
    }
    if (unknownChunks) {
      return new LastProven(LastProven.State.UNKNOWN, 0);
    }
    return item.createdAtMillis() < now.lastBegunAtMillis()
        ? new LastProven(LastProven.State.PROVEN, now.lastBegunAtMillis())
        : new LastProven(LastProven.State.NOT_YET, 0);
  }

  // ---- the task

  /** Under the lock. */
  private void start() {
    if (task == null && !stopped) {
      task = scheduler.start("scrub", this::work);
    }
  }

  private void work() {
    while (true) {
      Job job = next();
      if (job == Job.END) {
        return;
      }
      try {
        switch (job) {
          case END -> throw new IllegalStateException("handled above");
          case COVER -> coverOne();
          case LOOK_INTO -> lookInto();
          case READ -> readOne();
          case BEGIN -> beginPass();
          case REPAIR -> repairAll();
        }
        done(job);
      } catch (Stopped e) {
        // The next look ends the task.
      } catch (IOException | RuntimeException e) {
        failed(job, e);
      }
    }
  }

  private void done(Job job) {
    lock.lock();
    try {
      if (job == Job.READ || job == Job.REPAIR) {
        problem = "";
      }
      phase = Phase.IDLE;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void failed(Job job, Exception why) {
    lock.lock();
    try {
      problem = String.valueOf(why.getMessage());
      failure = why instanceof IOException checked ? checked : new IOException(why);
      phase = Phase.IDLE;
      if (job == Job.REPAIR) {
        repairWanted = false; // The end of the next pass asks again.
      }
      if (job == Job.COVER) {
        coverWanted = false;
      }
      waitsAfterFailure = true;
      notBeforeNanos = scheduler.nanoTime() + RETRY.toNanos();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Waits for something to do. */
  private Job next() {
    lock.lock();
    try {
      while (true) {
        ScrubRecord now = record;
        if (stopped || now == null) {
          keepOnTheWayOut(now);
          task = null;
          changed.signalAll();
          return Job.END;
        }
        Duration wait = LOOK;
        boolean resting =
            waitsAfterFailure && scheduler.nanoTime() - notBeforeNanos < 0 && !stopped;
        if (!resting) {
          waitsAfterFailure = false;
          Job job = due(now);
          if (job != null) {
            return job;
          }
        } else {
          wait = RETRY;
        }
        if (!settings.background()) {
          task = null;
          changed.signalAll();
          return Job.END;
        }
        boolean ignored = changed.await(wait);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Under the lock. */
  private @Nullable Job due(ScrubRecord now) {
    if (coverWanted) {
      phase = Phase.COVERING;
      return Job.COVER;
    }
    if (now.paused()) {
      return null;
    }
    if (!suspects.isEmpty()) {
      phase = Phase.REPAIRING;
      return Job.LOOK_INTO;
    }
    if (now.running()) {
      phase = Phase.READING;
      return Job.READ;
    }
    if (repairWanted) {
      phase = Phase.REPAIRING;
      return Job.REPAIR;
    }
    long sinceMillis = ground.storeTimeMillis() - now.lastBegunAtMillis();
    boolean byCalendar =
        settings.background() && (now.passes() == 0 || sinceMillis >= settings.every().toMillis());
    if (now.passes() < wantedPasses || byCalendar) {
      phase = Phase.READING;
      return Job.BEGIN;
    }
    return null;
  }

  /** Called under the lock, which it gives back while it writes. */
  private void keepOnTheWayOut(@Nullable ScrubRecord now) {
    if (now == null || !now.running()) {
      return;
    }
    lock.unlock();
    try {
      save();
    } catch (IOException e) {
      // The next start reads again what was read since the last time it was written down.
    } finally {
      lock.lock();
    }
  }

  // ---- passes

  private void beginPass() throws IOException {
    // The limit behind the time: what was stored before the time is below the limit.
    long beginsAt = ground.storeTimeMillis();
    long limit = containers.nextContainerNumber();
    long[] numbers;
    lock.lock();
    try {
      ScrubRecord begun = load().begun(beginsAt, limit);
      numbers = numbersOf(begun);
      record = begun;
      leftContainers = numbers.length;
    } finally {
      lock.unlock();
    }
    order = numbers;
    at = 0;
    save();
  }

  private void readOne() throws IOException {
    ScrubRecord now = record();
    long[] numbers = order;
    if (numbers == null) {
      numbers = numbersOf(now);
      order = numbers;
      at = 0;
    }
    if (at >= numbers.length) {
      finishPass();
      return;
    }
    long number = numbers[at];
    long bytes = checkContainer(number);
    at++;
    lock.lock();
    try {
      record = load().behind(number, bytes);
      leftContainers = (long) numbers.length - at;
    } finally {
      lock.unlock();
    }
    boolean due;
    saving.lock();
    try {
      savedBytes += bytes;
      due = savedBytes >= SAVE_BYTES || scheduler.nanoTime() - savedNanos >= SAVE_NANOS;
    } finally {
      saving.unlock();
    }
    if (due) {
      save();
    }
  }

  private long[] numbersOf(ScrubRecord now) {
    List<Long> all = new ArrayList<>();
    for (ChunkKind kind : ChunkKind.values()) {
      all.addAll(containers.numbers(kind));
    }
    return all.stream()
        .mapToLong(Long::longValue)
        .filter(number -> number > now.cursor() && number < now.limit())
        .sorted()
        .toArray();
  }

  private void finishPass() throws IOException {
    dropDamagesOfGoneContainers();
    order = null;
    lock.lock();
    try {
      record = load().finished(ground.storeTimeMillis());
      leftContainers = 0;
      repairWanted |= !damages.isEmpty();
    } finally {
      lock.unlock();
    }
    save();
  }

  private ScrubRecord record() throws IOException {
    lock.lock();
    try {
      return load();
    } finally {
      lock.unlock();
    }
  }

  /** Writes down where it stands; what is written last is the latest. */
  private void save() throws IOException {
    saving.lock();
    try {
      ground.putRecord(
          ScrubRecordFormat.SCRUB,
          ground.id().toString(),
          Optional.of(ScrubRecordFormat.encode(record())));
      savedBytes = 0;
      savedNanos = scheduler.nanoTime();
    } finally {
      saving.unlock();
    }
  }

  // ---- one container

  /**
   * Reads a container back and sees to what is wrong with it.
   *
   * @return stored bytes read
   */
  private long checkContainer(long number) throws IOException {
    List<Finding> findings = new ArrayList<>();
    long bytes = 0;
    try {
      bytes = containers.info(number).fileBytes();
      long ignored =
          containers.check(
              number,
              true,
              this::pace,
              finding -> {
                if (findings.size() < MAX_FINDINGS) {
                  findings.add(finding);
                }
              });
    } catch (ContainerGoneException e) {
      forget(number);
      return 0;
    } catch (DeviceForceException | Stopped e) {
      throw e;
    } catch (CorruptDataException e) {
      findings.add(Finding.withChunks(e));
    } catch (IOException e) {
      findings.add(
          Finding.withChunks(
              new CorruptDataException(
                  fileOf(number), -1, "a file that can be read", String.valueOf(e.getMessage()))));
    }
    try {
      if (findings.isEmpty()) {
        sound(number);
      } else {
        boolean chunksUnknown = findings.stream().anyMatch(Finding::chunksUnknown);
        if (chunksUnknown) {
          // First: who finds the container whole after a crash must know that some may be unknown.
          list(number, findings.getFirst().what(), true);
        }
        if (!makeGood(number)) {
          quarantine(number, findings);
          list(number, findings.getFirst().what(), chunksUnknown);
        }
      }
    } catch (ContainerGoneException e) {
      forget(number);
    }
    return bytes;
  }

  private String fileOf(long number) {
    try {
      return containers.nameInErrors(containers.kind(number), number);
    } catch (ContainerGoneException e) {
      return "container " + number;
    }
  }

  /** Sees to a container in which nothing is wrong. */
  private void sound(long number) throws IOException {
    try {
      ground.restore(number, isUnknown(number));
    } catch (StoreFullException e) {
      trouble("what container " + number + " holds cannot be made known: " + e.getMessage());
      return; // It stays listed for the next pass.
    }
    forget(number);
    if (!containers.isSealed(number)) {
      return;
    }
    boolean covered = containers.hasParity(number);
    if (!keepsParity()) {
      if (covered) {
        containers.dropParity(number);
      }
      return;
    }
    if (covered) {
      try {
        containers.checkParity(number, this::pace);
        return;
      } catch (CorruptDataException e) {
        containers.dropParity(number);
      }
    }
    try {
      boolean ignored = containers.writeParity(number, this::pace);
    } catch (StoreFullException e) {
      trouble("container " + number + " has no parity: " + e.getMessage());
    }
  }

  private void trouble(String what) {
    lock.lock();
    try {
      problem = what;
    } finally {
      lock.unlock();
    }
  }

  /** Tries every source. */
  private boolean makeGood(long number) throws IOException {
    for (RepairSource source : sources) {
      try {
        if (source.repair(number, this::pace)) {
          lock.lock();
          try {
            record = load().withRepaired();
          } finally {
            lock.unlock();
          }
          save();
          ground.restore(number, isUnknown(number));
          forget(number);
          return true;
        }
      } catch (StoreFullException e) {
        trouble("container " + number + " cannot be repaired: " + e.getMessage());
      } catch (CorruptDataException e) {
        // This source cannot; the next one may.
      } catch (ContainerGoneException | DeviceForceException | Stopped e) {
        throw e;
      } catch (IOException e) {
        trouble(source.name() + " cannot repair container " + number + ": " + e.getMessage());
      }
    }
    return false;
  }

  /** Whether a container is listed as one of which nothing says what it has lost. */
  private boolean isUnknown(long number) {
    lock.lock();
    try {
      DamageRecord listed = damages.get(number);
      return listed != null && listed.chunksUnknown();
    } finally {
      lock.unlock();
    }
  }

  /** Takes out of reach what damages have cost. */
  private void quarantine(long number, List<Finding> findings) throws IOException {
    for (Finding finding : findings) {
      if (!finding.chunksUnknown() && finding.block() >= 0) {
        ground.quarantineBlock(number, finding.block());
      }
    }
  }

  /** Lists a container as damaged. */
  private void list(long number, CorruptDataException first, boolean chunksUnknown)
      throws IOException {
    DamageRecord found =
        new DamageRecord(
            number,
            containers.kind(number),
            chunksUnknown,
            ground.storeTimeMillis(),
            0,
            first.offsetBytes(),
            first.file(),
            String.valueOf(first.getMessage()));
    lock.lock();
    try {
      DamageRecord before = damages.get(number);
      if (before != null && before.chunksUnknown() == chunksUnknown) {
        return;
      }
      if (before == null && damages.size() >= MAX_DAMAGES) {
        problem = "more than " + MAX_DAMAGES + " containers are damaged";
        return;
      }
      damages.put(number, found);
      repairWanted = true;
    } finally {
      lock.unlock();
    }
    saveDamage(found);
  }

  private void saveDamage(DamageRecord damage) throws IOException {
    ground.putRecord(
        ScrubRecordFormat.DAMAGE,
        key(damage.containerNumber()),
        Optional.of(ScrubRecordFormat.encode(damage)));
  }

  private String key(long number) {
    return ground.id() + "/" + HexFormat.of().toHexDigits(number);
  }

  /** Takes a container off the list. */
  private void forget(long number) throws IOException {
    boolean was;
    lock.lock();
    try {
      was = damages.remove(number) != null;
    } finally {
      lock.unlock();
    }
    if (was) {
      ground.putRecord(ScrubRecordFormat.DAMAGE, key(number), Optional.empty());
    }
  }

  private void dropDamagesOfGoneContainers() throws IOException {
    List<Long> listed;
    lock.lock();
    try {
      listed = new ArrayList<>(damages.keySet());
    } finally {
      lock.unlock();
    }
    for (long number : listed) {
      if (!containers.exists(number)) {
        forget(number);
      }
    }
  }

  // ---- repairs

  private void lookInto() throws IOException {
    long number;
    lock.lock();
    try {
      number = suspects.removeFirst();
    } finally {
      lock.unlock();
    }
    long ignored = checkContainer(number);
  }

  private void repairAll() throws IOException {
    dropDamagesOfGoneContainers();
    makeMap();
    Set<Long> tried = new HashSet<>();
    while (true) {
      long number = 0;
      for (Damage damage : damages()) { // Again each time: somebody may have put another first.
        if (!tried.contains(damage.containerNumber())) {
          number = damage.containerNumber();
          break;
        }
      }
      if (number == 0) {
        break;
      }
      tried.add(number);
      try {
        boolean ignored = makeGood(number);
      } catch (ContainerGoneException e) {
        forget(number);
      }
    }
    makeMap();
    lock.lock();
    try {
      repairWanted = false;
    } finally {
      lock.unlock();
    }
  }

  /** Finds out which items need what is missing, unless that is known. */
  private void makeMap() throws IOException {
    DamageMap known;
    lock.lock();
    try {
      known = map;
    } finally {
      lock.unlock();
    }
    if (known == null || known.version() != ground.quarantineVersion()) {
      DamageMap made = DamageMap.make(ground, this::pace);
      lock.lock();
      try {
        map = made;
      } finally {
        lock.unlock();
      }
    }
  }

  /** Repairs by the container's own parity. */
  private final class FromParity implements RepairSource {
    @Override
    public String name() {
      return "parity";
    }

    @Override
    public boolean repair(long containerNumber, ReadPace pace) throws IOException {
      return containers.hasParity(containerNumber) && containers.repair(containerNumber, pace) > 0;
    }
  }

  // ---- parity

  /** Sees to the parity of one container that has none, or must not have one. */
  private void coverOne() throws IOException {
    if (!keepsParity()) {
      dropParities();
      finishCovering();
      return;
    }
    if (toCover.isEmpty()) {
      toCover.addAll(containers.withoutParity());
      toCover.removeAll(notCovered);
    }
    Long number = toCover.poll();
    if (number == null) {
      finishCovering();
      return;
    }
    try {
      cover(number);
    } catch (ContainerGoneException e) {
      // It needs none any more.
    }
  }

  private void cover(long number) throws IOException {
    boolean[] wrong = {false};
    try {
      // Many at once are what was stored before the option was set: no haste.
      ReadPace pace = toCover.size() > MAX_SUSPECTS ? this::pace : this::unhurried;
      long ignored = containers.check(number, false, pace, finding -> wrong[0] = true);
      if (!wrong[0] && containers.writeParity(number, pace)) {
        return;
      }
    } catch (CorruptDataException e) {
      wrong[0] = true;
    }
    notCovered.add(number); // The pass sees to it.
    if (wrong[0]) {
      long ignored = checkContainer(number);
    }
  }

  private void finishCovering() {
    lock.lock();
    try {
      coverWanted = false;
    } finally {
      lock.unlock();
    }
    notCovered.clear();
  }

  private void dropParities() throws IOException {
    for (ChunkKind kind : ChunkKind.values()) {
      for (long number : containers.numbers(kind)) {
        unhurried(0);
        try {
          if (containers.hasParity(number)) {
            containers.dropParity(number);
          }
        } catch (ContainerGoneException e) {
          // Its parity went with it.
        }
      }
    }
  }

  // ---- pace

  /** Lets so many bytes be read when the rate allows it; waits while paused. */
  private void pace(long bytes) throws Stopped {
    lock.lock();
    try {
      long now = scheduler.nanoTime();
      long rate = settings.bytesPerSecond();
      if (rate > 0) {
        freeNanos = Math.max(freeNanos, now) + (long) (bytes * (1e9 / rate));
      }
      while (!stopped) {
        ScrubRecord current = record;
        boolean paused = current != null && current.paused() && current.running();
        long waitNanos = rate == 0 ? 0 : freeNanos - scheduler.nanoTime() - AHEAD_NANOS;
        if (paused) {
          Phase before = phase;
          phase = Phase.PAUSED;
          changed.await();
          phase = before;
        } else if (waitNanos > 0) {
          boolean ignored = changed.await(Duration.ofNanos(waitNanos));
        } else {
          return;
        }
      }
      throw new Stopped();
    } finally {
      lock.unlock();
    }
  }

  /** Only ends when the store closes. */
  private void unhurried(long bytes) throws Stopped {
    lock.lock();
    try {
      if (stopped) {
        throw new Stopped();
      }
    } finally {
      lock.unlock();
    }
  }
}
