package onefold.store.housekeeping;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.ParameterSet;
import onefold.store.CorruptDataException;
import onefold.store.HousekeepingStatus;
import onefold.store.HousekeepingStatus.Phase;
import onefold.store.ItemSpace;
import onefold.store.RecompressionStatus;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;
import onefold.store.StoreFullException;
import onefold.store.container.BlockLocation;
import onefold.store.container.ContainerGoneException;
import onefold.store.container.Containers;
import onefold.store.container.Recompression;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.SchedulerCondition;
import onefold.store.scheduler.SchedulerLock;
import onefold.store.scheduler.TaskHandle;
import org.jspecify.annotations.Nullable;

/**
 * Runs the cycles of one domain: when asked, and by itself after a start and when something was
 * deleted. Any thread may call it.
 *
 * <p>A cycle that a stop or a crash has cut off begins again from the roots: what it had copied
 * forward is found as younger copies and not copied again, what it had dropped is gone, and the
 * mark is the cheap part. Nothing of a mark would be right after a start, because uploads go on.
 */
public final class Housekeeper {
  /**
   * After a start a cycle begins so much later: what a crash or a broken upload left is garbage.
   */
  static final Duration AFTER_START = Duration.ofMinutes(1);

  /** After a cycle that failed the next begins so much later, if nobody asks before. */
  static final Duration AFTER_FAILURE = Duration.ofMinutes(10);

  /** While a container on a disk that is drained is being filled it is looked for it so often. */
  static final Duration AFTER_MOVES = Duration.ofSeconds(1);

  /** While there are containers that may become cold it is looked for them so often. */
  static final Duration LOOK = Duration.ofMinutes(10);

  private static final Duration REST_SLICE = Duration.ofMillis(20);

  private final Scheduler scheduler;
  private final Ground ground;
  private final ParameterSet parameterSet;
  private final boolean flat;
  private final long containerBytes;
  private final boolean background;
  private final RecompressionSettings recompression;
  private final LongSupplier storeTime;
  private final SchedulerLock lock;
  private final SchedulerCondition changed;

  /** The task's own. */
  private final Pace pace;

  private volatile long liveBytes;

  // Guarded by lock.
  private Phase phase = Phase.IDLE;
  private Ground.FinishedCycle finished = Ground.FinishedCycle.NONE;
  private long begunCycles;
  private long endedCycles;
  private long succeededCycle;
  private long askedCycle;
  private long wantedCycle;
  private long dueNanos;
  private long restUntilNanos;
  private long cycleNanos;
  private long startedAtMillis;
  private long doneCount;
  private long totalCount;
  private long liveChunkCount;
  private long backlogBytes;
  private long estimateBytes;
  private long reclaimedBytes;
  private long copyReadBytes;
  private long copyFreedBytes;
  private long restedMillis;
  private Optional<Owners.RootShares> shares = Optional.empty();
  private String problem = "";
  private @Nullable Throwable failure;
  private boolean paused;
  private boolean stopped;
  private boolean recompressing;
  private boolean recompressionOn;
  private boolean coldWanted;
  private long coldDueNanos;
  private long coldSeenBytes;
  private long askedRecompressions;
  private long endedRecompressions;
  private long recompressedCount;
  private long recompressedBeforeBytes;
  private long recompressedAfterBytes;
  private long keptCount;
  private String recompressionProblem = "";
  private boolean settleWanted;
  private long settleDueNanos;
  private String settleProblem = "";
  private @Nullable TaskHandle task;

  /** What the task does next. */
  private enum Job {
    CYCLE,
    RECOMPRESS_ALL,
    RECOMPRESS_COLD,
    SETTLE,
    NOTHING
  }

  /** A container is left for later because a cycle wants to begin. */
  private static final class Yielded extends IOException {
    private static final long serialVersionUID = 1L;

    Yielded() {
      super("housekeeping comes first");
    }
  }

  /** A cycle was ended because the store closes. */
  private static final class Stopped extends IOException {
    private static final long serialVersionUID = 1L;

    Stopped() {
      super("housekeeping is being stopped");
    }
  }

  /**
   * Makes one; it does nothing by itself until {@link #garbageLikely} or {@link #begin}.
   *
   * @param flat whether nodes refer to no chunks
   * @param background whether a start and a delete start a cycle
   */
  public Housekeeper(
      Scheduler scheduler,
      Ground ground,
      ParameterSet parameterSet,
      boolean flat,
      long containerBytes,
      boolean background,
      RecompressionSettings recompression,
      LongSupplier storeTime) {
    this.scheduler = scheduler;
    this.ground = ground;
    this.parameterSet = parameterSet;
    this.flat = flat;
    this.containerBytes = containerBytes;
    this.background = background;
    this.recompression = recompression;
    this.storeTime = storeTime;
    this.lock = scheduler.lock("housekeeping");
    this.changed = lock.newCondition();
    this.pace = new Pace(scheduler.cores());
    this.dueNanos = scheduler.nanoTime();
    this.restUntilNanos = dueNanos;
  }

  /**
   * Takes over what was known before the start, and lets a cycle begin some time after it.
   *
   * @param before the last finished cycle
   * @param rests whether it is paused
   * @param recompresses whether cold containers are recompressed
   */
  public void begin(Ground.FinishedCycle before, boolean rests, boolean recompresses) {
    lock.lock();
    try {
      finished = before;
      liveChunkCount = before.liveChunkCount();
      backlogBytes = before.backlogBytes();
      paused = rests;
      if (background) {
        want(scheduler.nanoTime() + AFTER_START.toNanos());
      }
      recompressionOn = recompresses;
      wantCold(recompression.cold());
    } finally {
      lock.unlock();
    }
  }

  /** Where it stands. */
  public HousekeepingStatus status() {
    lock.lock();
    try {
      Phase shown = paused && phase != Phase.STOPPED ? Phase.PAUSED : phase;
      boolean runs = phase == Phase.MARKING || phase == Phase.SWEEPING;
      return new HousekeepingStatus(
          shown,
          finished.cycle(),
          runs ? startedAtMillis : 0,
          runs && totalCount > 0 ? (int) Math.min(1000, doneCount * 1000 / totalCount) : 0,
          wantedCycle > begunCycles,
          finished.atMillis(),
          liveChunkCount,
          backlogBytes + estimateLeft(),
          reclaimedBytes,
          copyReadBytes,
          copyFreedBytes,
          restedMillis,
          problem);
    } finally {
      lock.unlock();
    }
  }

  /** What is likely dead in the containers that a sweep has not reached. Under the lock. */
  private long estimateLeft() {
    if (phase != Phase.SWEEPING || totalCount == 0) {
      return 0;
    }
    return (long)
        (estimateBytes * (double) (totalCount - Math.min(doneCount, totalCount)) / totalCount);
  }

  /**
   * What a root alone keeps, as of the last finished cycle since the start; empty if the root was
   * not there then.
   *
   * @param lockedUntilMillis until when it cannot be deleted, or 0
   * @param held whether nobody knows when it can
   */
  public Optional<ItemSpace> space(Fingerprint root, long lockedUntilMillis, boolean held) {
    lock.lock();
    try {
      if (shares.isEmpty() || !shares.get().knows(root)) {
        return Optional.empty();
      }
      Owners.RootShares known = shares.get();
      long cycleMillis = cycleNanos / 1_000_000 + 1;
      return Optional.of(
          new ItemSpace(
              known.asOfMillis(),
              known.isExact(),
              known.uniqueBytes(root),
              known.freedBytes(root),
              known.freedAtOnceBytes(root),
              held ? 0 : Math.max(storeTime.getAsLong(), lockedUntilMillis) + 2 * cycleMillis));
    } finally {
      lock.unlock();
    }
  }

  /**
   * Runs a whole cycle that begins after the call, and waits for its end.
   *
   * @throws IOException if it could not be finished; a {@link StoreFullException} if there was no
   *     space for what must be copied
   */
  public HousekeepingStatus run() throws IOException {
    lock.lock();
    try {
      long wanted = begunCycles + 1;
      askedCycle = Math.max(askedCycle, wanted);
      want(scheduler.nanoTime());
      while (endedCycles < wanted && !stopped) {
        changed.await();
      }
      if (endedCycles < wanted) {
        throw new RefusedException(Reason.SHUTTING_DOWN, "the store is closing");
      }
      Throwable reason = failure;
      if (succeededCycle < wanted && reason != null) {
        String message = "housekeeping stopped: " + reason.getMessage();
        throw switch (reason) {
          case CorruptDataException corrupt -> corrupt;
          case StoreFullException full -> new StoreFullException(message, full);
          default -> new IOException(message, reason);
        };
      }
      return status();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Says that something was deleted. The cycle begins at once, or when as much time has passed as
   * the one before took: cycles that follow each other work half of the time at most.
   */
  public void garbageLikely() {
    if (!background) {
      return;
    }
    lock.lock();
    try {
      want(scheduler.nanoTime() - restUntilNanos > 0 ? scheduler.nanoTime() : restUntilNanos);
    } finally {
      lock.unlock();
    }
  }

  /** Lets it wait, or go on. */
  public void pause(boolean newPaused) {
    lock.lock();
    try {
      paused = newPaused;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Ends the cycle that runs, and waits for that; no other one begins. */
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

  /** Wants a cycle after the one that runs. Under the lock. */
  private void want(long whenNanos) {
    if (wantedCycle <= begunCycles) {
      wantedCycle = begunCycles + 1;
      dueNanos = whenNanos;
    } else if (whenNanos - dueNanos < 0) {
      dueNanos = whenNanos;
    }
    wake();
  }

  /** Lets the task look what there is to do. Under the lock. */
  private void wake() {
    changed.signalAll();
    if (task == null && !stopped) {
      task = scheduler.start("housekeeping", this::runWanted);
    }
  }

  private void runWanted() {
    while (true) {
      Job job = awaitNext();
      switch (job) {
        case CYCLE -> cycle();
        case RECOMPRESS_ALL, RECOMPRESS_COLD -> recompressMany(job == Job.RECOMPRESS_ALL);
        case SETTLE -> settleAll();
        case NOTHING -> {
          return;
        }
      }
    }
  }

  private void cycle() {
    Throwable reason = null;
    long begin = scheduler.nanoTime();
    pace.begin(begin, ground.foregroundBytes(), reclaimed());
    try {
      between();
      runCycle();
    } catch (IOException | RuntimeException e) {
      reason = e;
    }
    ended(reason, scheduler.nanoTime() - begin);
  }

  /** Waits until something is due. */
  private Job awaitNext() {
    lock.lock();
    try {
      while (true) {
        long now = scheduler.nanoTime();
        if (!stopped && isCycleDue(now)) {
          begunCycles++;
          phase = Phase.MARKING; // Or who waits for it is told how the one before has ended.
          startedAtMillis = storeTime.getAsLong();
          doneCount = 0;
          totalCount = 0;
          return Job.CYCLE;
        }
        if (!stopped && askedRecompressions > endedRecompressions) {
          return Job.RECOMPRESS_ALL;
        }
        if (!stopped && settleWanted && settleDueNanos - now <= 0) {
          settleWanted = false;
          return Job.SETTLE;
        }
        if (!stopped && coldWanted && !paused && coldDueNanos - now <= 0) {
          if (ground.foregroundBytes() == coldSeenBytes) {
            return Job.RECOMPRESS_COLD;
          }
          coldSeenBytes = ground.foregroundBytes();
          coldDueNanos = now + recompression.idle().toNanos();
        }
        long wait = nextNanos(now);
        if (stopped || wait == Long.MAX_VALUE) {
          task = null;
          changed.signalAll();
          return Job.NOTHING;
        }
        changed.await(Duration.ofNanos(wait));
      }
    } finally {
      lock.unlock();
    }
  }

  /** Under the lock. */
  private boolean isCycleDue(long nowNanos) {
    return wantedCycle > begunCycles && dueNanos - nowNanos <= 0;
  }

  /** How long there is nothing to do; without end if nothing is wanted. Under the lock. */
  private long nextNanos(long nowNanos) {
    long wait = Long.MAX_VALUE;
    if (wantedCycle > begunCycles) {
      wait = Math.max(1, dueNanos - nowNanos);
    }
    if (coldWanted && !paused) {
      wait = Math.min(wait, Math.max(1, coldDueNanos - nowNanos));
    }
    if (settleWanted) {
      wait = Math.min(wait, Math.max(1, settleDueNanos - nowNanos));
    }
    return wait;
  }

  // ---- disks that are drained

  /** Has containers moved from disks that are drained, now, also while it is paused. */
  public void settle() {
    lock.lock();
    try {
      settleWanted = true;
      settleDueNanos = scheduler.nanoTime();
      wake();
    } finally {
      lock.unlock();
    }
  }

  /** Why containers cannot be moved; empty if they can. */
  public String settleProblem() {
    lock.lock();
    try {
      return settleProblem;
    } finally {
      lock.unlock();
    }
  }

  private void settleAll() {
    String problemNow = "";
    boolean settled = false;
    pace.begin(scheduler.nanoTime(), ground.foregroundBytes(), reclaimed());
    try {
      settled = ground.settle(this::betweenMoves);
    } catch (Stopped e) {
      settled = true; // The next start goes on.
    } catch (IOException | RuntimeException e) {
      problemNow = String.valueOf(e.getMessage());
    }
    lock.lock();
    try {
      settleProblem = problemNow;
      if (!settled && !settleWanted) {
        settleWanted = true;
        Duration after = problemNow.isEmpty() ? AFTER_MOVES : AFTER_FAILURE;
        settleDueNanos = scheduler.nanoTime() + after.toNanos();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Rests while the foreground works. */
  private void betweenMoves() throws Stopped {
    long now = scheduler.nanoTime();
    long rest = pace.restNanos(now, ground.foregroundBytes(), reclaimed());
    lock.lock();
    try {
      if (stopped) {
        throw new Stopped();
      }
      if (rest > 0) {
        rest(now, rest);
      }
    } finally {
      lock.unlock();
    }
  }

  // ---- recompression

  /** Says that something was stored, which will be cold some day. */
  public void coldLater() {
    lock.lock();
    try {
      wantCold(recompression.cold());
    } finally {
      lock.unlock();
    }
  }

  /** Lets cold containers be recompressed by themselves, or not. */
  public void setRecompression(boolean on) {
    lock.lock();
    try {
      recompressionOn = on;
      coldWanted &= on;
      wantCold(Duration.ZERO);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Looks for cold containers after some time, if it is not to look earlier. Under the lock. */
  private void wantCold(Duration after) {
    if (!background || flat || !recompressionOn || stopped) {
      return;
    }
    long due = scheduler.nanoTime() + after.toNanos();
    if (!coldWanted || due - coldDueNanos < 0) {
      coldDueNanos = due;
    }
    if (!coldWanted) {
      coldWanted = true;
      wake();
    }
  }

  /** Where recompression stands. */
  public RecompressionStatus recompressionStatus() throws IOException {
    long waitingBytes = 0;
    long waitingCount = 0;
    for (long number : ground.containers().cold(0)) {
      try {
        waitingBytes += ground.containers().info(number).fileBytes();
        waitingCount++;
      } catch (ContainerGoneException e) {
        // Deleted since the list was made.
      }
    }
    lock.lock();
    try {
      return new RecompressionStatus(
          recompressionOn,
          recompressing,
          waitingCount,
          waitingBytes,
          recompressedCount,
          recompressedBeforeBytes,
          recompressedAfterBytes,
          keptCount,
          recompressionProblem);
    } finally {
      lock.unlock();
    }
  }

  /** Recompresses every sealed container that has not been, and waits for that. */
  public RecompressionStatus recompress() throws IOException {
    lock.lock();
    try {
      long wanted =
          Math.max(askedRecompressions, endedRecompressions + (recompressing ? 1 : 0)) + 1;
      askedRecompressions = wanted;
      wake();
      while (endedRecompressions < wanted && !stopped) {
        changed.await();
      }
      if (endedRecompressions < wanted) {
        throw new RefusedException(Reason.SHUTTING_DOWN, "the store is closing");
      }
    } finally {
      lock.unlock();
    }
    return recompressionStatus();
  }

  private void recompressMany(boolean asked) {
    long asks;
    lock.lock();
    try {
      recompressing = true;
      recompressionProblem = "";
      asks = askedRecompressions;
    } finally {
      lock.unlock();
    }
    pace.begin(scheduler.nanoTime(), ground.foregroundBytes(), reclaimed());
    String problemNow = "";
    try {
      if (asked && !ground.isStoring()) {
        ground.sealData();
      }
      Containers containers = ground.containers();
      for (long number : containers.cold(asked ? 0 : recompression.cold().toNanos())) {
        awaitResumed();
        if (!asked && isYielding()) {
          break;
        }
        if (!ground.isCandidate(number)) {
          continue;
        }
        if (!ground.hasRoom(containers.info(number).fileBytes())) {
          problemNow = "too little space for a second copy of container " + number;
          break;
        }
        try {
          recompress(containers, number, asked);
        } catch (CorruptDataException e) {
          problemNow = String.valueOf(e.getMessage()); // The others may be sound.
        }
      }
    } catch (Yielded | Stopped e) {
      problemNow = "";
    } catch (IOException | RuntimeException e) {
      problemNow = String.valueOf(e.getMessage());
    }
    boolean more = !ground.containers().cold(0).isEmpty();
    lock.lock();
    try {
      recompressing = false;
      recompressionProblem = problemNow;
      if (asked) {
        endedRecompressions = asks;
      }
      coldWanted = false;
      if (more) {
        wantCold(LOOK);
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void recompress(Containers containers, long number, boolean asked) throws IOException {
    long before = containers.info(number).fileBytes();
    Recompression how =
        new Recompression(
            recompression.zstdLevel(),
            new Recompression.Progress() {
              @Override
              public void between() throws IOException {
                if (asked) {
                  Housekeeper.this.between();
                } else {
                  betweenIdle();
                }
              }

              @Override
              public void damaged(BlockLocation block) throws IOException {
                ground.damaged(block);
              }
            });
    long saved = 0;
    try {
      saved = containers.recompress(number, how);
    } finally {
      lock.lock();
      try {
        if (saved > 0) {
          recompressedCount++;
          recompressedBeforeBytes += before;
          recompressedAfterBytes += before - saved;
        }
      } finally {
        lock.unlock();
      }
    }
    if (saved == 0) {
      lock.lock();
      try {
        keptCount++;
      } finally {
        lock.unlock();
      }
    }
  }

  /** Whether a cycle wants to begin, or there is to be no recompression. */
  private boolean isYielding() {
    lock.lock();
    try {
      return isCycleDue(scheduler.nanoTime()) || !recompressionOn;
    } finally {
      lock.unlock();
    }
  }

  /** Waits while something moves in the foreground. */
  private void betweenIdle() throws IOException {
    awaitResumed();
    lock.lock();
    try {
      while (ground.foregroundBytes() != coldSeenBytes) {
        if (stopped) {
          throw new Stopped();
        }
        if (isCycleDue(scheduler.nanoTime()) || !recompressionOn || paused) {
          throw new Yielded();
        }
        coldSeenBytes = ground.foregroundBytes();
        changed.await(recompression.idle());
      }
    } finally {
      lock.unlock();
    }
  }

  // ---- cycles

  private void ended(@Nullable Throwable reason, long tookNanos) {
    lock.lock();
    try {
      failure = reason;
      endedCycles = begunCycles;
      cycleNanos = tookNanos;
      restUntilNanos = scheduler.nanoTime() + tookNanos;
      if (reason == null) {
        succeededCycle = begunCycles;
        problem = "";
        phase = Phase.IDLE;
      } else {
        problem = String.valueOf(reason.getMessage());
        phase = Phase.STOPPED;
        if (background && !stopped) {
          want(scheduler.nanoTime() + AFTER_FAILURE.toNanos());
        }
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void enter(Phase next, long newTotalCount) {
    lock.lock();
    try {
      phase = next;
      doneCount = 0;
      totalCount = newTotalCount;
    } finally {
      lock.unlock();
    }
  }

  /** Waits while paused, and rests while the foreground works. */
  private void between() throws Stopped {
    awaitResumed();
    long now = scheduler.nanoTime();
    long rest = pace.restNanos(now, ground.foregroundBytes(), reclaimed());
    if (rest > 0 && !ground.isSpaceShort()) {
      lock.lock();
      try {
        rest(now, rest);
        restedMillis = pace.restedNanos() / 1_000_000;
      } finally {
        lock.unlock();
      }
    }
  }

  private void awaitResumed() throws Stopped {
    boolean waited = false;
    lock.lock();
    try {
      while (paused && !stopped) {
        waited = true;
        changed.await();
      }
      if (stopped) {
        throw new Stopped();
      }
    } finally {
      lock.unlock();
    }
    if (waited) {
      pace.rested(scheduler.nanoTime(), 0, ground.foregroundBytes());
    }
  }

  /** Rests, at the longest until nothing moves in the foreground. Under the lock. */
  private void rest(long beginNanos, long nanos) throws Stopped {
    long seen = ground.foregroundBytes();
    long movedNanos = beginNanos;
    long now = beginNanos;
    while (now - beginNanos < nanos && now - movedNanos < Pace.IDLE_NANOS && !paused) {
      long left = Math.min(REST_SLICE.toNanos(), nanos - (now - beginNanos));
      changed.await(Duration.ofNanos(left));
      if (stopped) {
        throw new Stopped();
      }
      now = scheduler.nanoTime();
      long moved = ground.foregroundBytes();
      if (moved != seen) {
        seen = moved;
        movedNanos = now;
      }
    }
    pace.rested(now, now - beginNanos, seen);
  }

  private void runCycle() throws IOException {
    Containers containers = ground.containers();
    ground.sealNodes();
    if (isAsked() && !ground.isStoring()) {
      ground.sealData();
    }
    List<Long> nodes = candidates(ChunkKind.NODE);
    List<Long> data = candidates(ChunkKind.DATA);
    Set<Long> candidates = new HashSet<>(nodes);
    candidates.addAll(data);
    between();
    try (LiveVectors live =
        LiveVectors.of(containers, data, nodes, scheduler.random(), this::between)) {
      liveBytes = live.memoryBytes();
      ground.needsChanged();
      runCycle(live, nodes, data, candidates);
    } finally {
      liveBytes = 0;
      ground.needsChanged();
    }
  }

  /** Memory of the marks of the cycle that runs; 0 if none does. */
  public long liveBytes() {
    return liveBytes;
  }

  /** Whether somebody waits for the cycle that runs. */
  private boolean isAsked() {
    lock.lock();
    try {
      return askedCycle == begunCycles;
    } finally {
      lock.unlock();
    }
  }

  private long reclaimed() {
    lock.lock();
    try {
      return reclaimedBytes;
    } finally {
      lock.unlock();
    }
  }

  private void runCycle(LiveVectors live, List<Long> nodes, List<Long> data, Set<Long> candidates)
      throws IOException {
    Cycle current = new Cycle(scheduler, live, candidates);
    Owners owners = flat ? Owners.none() : new Owners(live.nodeNumbers());
    Counting progress = new Counting();
    ground.attach(current);
    boolean done = false;
    try {
      long lowestUnnamed = mark(current, live, owners, nodes);
      data.removeIf(number -> number >= lowestUnnamed);
      beginSweep(live, nodes.size() + data.size(), storedBytes(data));
      Sweep sweep = new Sweep(ground, current, live, owners, containerBytes, progress);
      sweep.nodes(nodes);
      sweep.data(data);
      sweep.drop();
      done = true;
    } finally {
      ground.detach(done);
      current.end();
    }
    finish(live.markedCount(), progress.deadBytes, owners);
  }

  /** Estimates what is dead: as large a part of the stored bytes as of the chunks. */
  private void beginSweep(LiveVectors live, int containerCount, long storedBytes) {
    enter(Phase.SWEEPING, containerCount);
    long chunks = Math.max(1, live.chunkCount());
    lock.lock();
    try {
      liveChunkCount = live.markedCount();
      backlogBytes = 0;
      estimateBytes = (long) ((double) (chunks - live.markedCount()) / chunks * storedBytes);
    } finally {
      lock.unlock();
    }
  }

  private long storedBytes(List<Long> numbers) throws IOException {
    long bytes = 0;
    for (long number : numbers) {
      bytes += ground.containers().info(number).storedBytes();
    }
    return bytes;
  }

  private void finish(long live, long deadBytes, Owners owners) throws IOException {
    Ground.FinishedCycle now;
    lock.lock();
    try {
      now = new Ground.FinishedCycle(finished.cycle() + 1, storeTime.getAsLong(), live, deadBytes);
      finished = now;
      liveChunkCount = live;
      backlogBytes = deadBytes;
      shares = Optional.of(owners.shares(now.atMillis()));
    } finally {
      lock.unlock();
    }
    ground.finished(now);
  }

  /** Marks what is live and says from which container on data may be live without a mark. */
  private long mark(Cycle current, LiveVectors live, Owners owners, List<Long> nodes)
      throws IOException {
    Containers containers = ground.containers();
    Mark mark =
        new Mark(
            containers,
            ground.index(),
            live,
            nodes,
            live.knownNodes(),
            parameterSet,
            owners,
            new LiveVectors.Between() {
              @Override
              public void pause() throws IOException {
                between();
              }

              @Override
              public void container() throws IOException {
                step();
                between();
              }
            });
    ground.visitSessions(mark);
    // Before the names are read: what an upload names from now on is found there.
    long lowestUnnamed = ground.lowestUnnamedDataContainer();
    List<Long> young = new ArrayList<>(containers.numbers(ChunkKind.NODE));
    young.removeAll(nodes);
    if (!flat) {
      mark.young(young);
    }
    ground.visitNamed(mark);
    long seen;
    do {
      do {
        enter(Phase.MARKING, nodes.size());
        between();
        seen = current.markedByAnswers();
      } while (!flat && mark.pass(nodes) > 0);
    } while (!current.beginSweep(seen));
    return lowestUnnamed;
  }

  private void step() {
    lock.lock();
    try {
      doneCount++;
    } finally {
      lock.unlock();
    }
  }

  private List<Long> candidates(ChunkKind kind) throws IOException {
    List<Long> candidates = new ArrayList<>();
    for (long number : ground.containers().numbers(kind)) {
      try {
        if (ground.isCandidate(number)) {
          candidates.add(number);
        }
      } catch (ContainerGoneException e) {
        throw new IllegalStateException("somebody else deletes containers", e);
      }
    }
    return candidates;
  }

  private final class Counting implements Sweep.Progress {
    private long deadBytes;

    @Override
    public void between() throws IOException {
      Housekeeper.this.between();
    }

    @Override
    public void swept(long bytes) {
      deadBytes += bytes;
      lock.lock();
      try {
        doneCount++;
        backlogBytes = deadBytes;
      } finally {
        lock.unlock();
      }
    }

    @Override
    public void copied(long readBytes, long freedBytes) {
      lock.lock();
      try {
        copyReadBytes += readBytes;
        copyFreedBytes += freedBytes;
      } finally {
        lock.unlock();
      }
    }

    @Override
    public void reclaimed(long bytes) {
      lock.lock();
      try {
        reclaimedBytes += bytes;
      } finally {
        lock.unlock();
      }
    }
  }
}
