package onefold.store.housekeeping;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.LongSupplier;
import onefold.chunker.ChunkKind;
import onefold.chunker.ParameterSet;
import onefold.store.CorruptDataException;
import onefold.store.HousekeepingStatus;
import onefold.store.HousekeepingStatus.Phase;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;
import onefold.store.StoreFullException;
import onefold.store.container.ContainerGoneException;
import onefold.store.container.Containers;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.SchedulerCondition;
import onefold.store.scheduler.SchedulerLock;
import onefold.store.scheduler.TaskHandle;
import org.jspecify.annotations.Nullable;

/**
 * Runs the cycles of one domain: one after the other when asked, and by itself when something was
 * deleted. Any thread may call it.
 */
public final class Housekeeper {
  private final Scheduler scheduler;
  private final Ground ground;
  private final ParameterSet parameterSet;
  private final boolean flat;
  private final long containerBytes;
  private final boolean background;
  private final LongSupplier storeTime;
  private final SchedulerLock lock;
  private final SchedulerCondition changed;

  // Guarded by lock.
  private Phase phase = Phase.IDLE;
  private long begunCycles;
  private long cycle;
  private long wantedCycle;
  private long lastFinishedAtMillis;
  private long liveChunkCount;
  private long backlogBytes;
  private long reclaimedBytes;
  private String problem = "";
  private @Nullable Throwable failure;
  private boolean paused;
  private boolean stopped;
  private @Nullable TaskHandle task;

  /** A cycle was ended because the store closes. */
  private static final class Stopped extends IOException {
    private static final long serialVersionUID = 1L;

    Stopped() {
      super("housekeeping is being stopped");
    }
  }

  /**
   * Makes one; it does nothing by itself until {@link #garbageLikely}.
   *
   * @param flat whether nodes refer to no chunks
   * @param background whether a delete starts a cycle
   */
  public Housekeeper(
      Scheduler scheduler,
      Ground ground,
      ParameterSet parameterSet,
      boolean flat,
      long containerBytes,
      boolean background,
      LongSupplier storeTime) {
    this.scheduler = scheduler;
    this.ground = ground;
    this.parameterSet = parameterSet;
    this.flat = flat;
    this.containerBytes = containerBytes;
    this.background = background;
    this.storeTime = storeTime;
    this.lock = scheduler.lock("housekeeping");
    this.changed = lock.newCondition();
  }

  /** Where it stands. */
  public HousekeepingStatus status() {
    lock.lock();
    try {
      Phase shown = paused && phase != Phase.STOPPED ? Phase.PAUSED : phase;
      return new HousekeepingStatus(
          shown,
          cycle,
          lastFinishedAtMillis,
          liveChunkCount,
          backlogBytes,
          reclaimedBytes,
          problem);
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
      want(wanted);
      while (cycle < wanted && !stopped && !(phase == Phase.STOPPED && begunCycles >= wanted)) {
        changed.await();
      }
      if (stopped) {
        throw new RefusedException(Reason.SHUTTING_DOWN, "the store is closing");
      }
      Throwable reason = failure;
      if (cycle < wanted && reason != null) {
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

  /** Says that something was deleted. */
  public void garbageLikely() {
    if (!background) {
      return;
    }
    lock.lock();
    try {
      want(begunCycles + 1);
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

  /** Under the lock. */
  private void want(long wanted) {
    wantedCycle = Math.max(wantedCycle, wanted);
    if (task == null && !stopped) {
      task = scheduler.start("housekeeping", this::runWanted);
    }
  }

  private void runWanted() {
    while (true) {
      lock.lock();
      try {
        if (stopped || begunCycles >= wantedCycle) {
          task = null;
          changed.signalAll();
          return;
        }
        begunCycles++;
        phase = Phase.MARKING; // Or who waits for this cycle is told how the one before has ended.
      } finally {
        lock.unlock();
      }
      Throwable reason = null;
      try {
        between();
        runCycle();
      } catch (IOException | RuntimeException e) {
        reason = e;
      }
      ended(reason);
    }
  }

  private void ended(@Nullable Throwable reason) {
    lock.lock();
    try {
      failure = reason;
      if (reason == null) {
        cycle = begunCycles;
        lastFinishedAtMillis = storeTime.getAsLong();
        problem = "";
        phase = Phase.IDLE;
      } else {
        problem = String.valueOf(reason.getMessage());
        phase = Phase.STOPPED;
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void enter(Phase next) {
    lock.lock();
    try {
      phase = next;
    } finally {
      lock.unlock();
    }
  }

  /** Waits while paused. */
  private void between() throws Stopped {
    lock.lock();
    try {
      while (paused && !stopped) {
        changed.await();
      }
      if (stopped) {
        throw new Stopped();
      }
    } finally {
      lock.unlock();
    }
  }

  private void runCycle() throws IOException {
    enter(Phase.MARKING);
    Containers containers = ground.containers();
    ground.sealNodes();
    List<Long> nodes = candidates(ChunkKind.NODE);
    List<Long> data = candidates(ChunkKind.DATA);
    Set<Long> candidates = new HashSet<>(nodes);
    candidates.addAll(data);
    between();
    try (LiveVectors live = LiveVectors.of(containers, data, nodes, scheduler.random())) {
      runCycle(live, nodes, data, candidates);
    }
  }

  private void runCycle(LiveVectors live, List<Long> nodes, List<Long> data, Set<Long> candidates)
      throws IOException {
    Cycle current = new Cycle(scheduler, live, candidates);
    ground.attach(current);
    boolean finished = false;
    try {
      long lowestUnnamed = mark(current, live, nodes);
      enter(Phase.SWEEPING);
      data.removeIf(number -> number >= lowestUnnamed);
      Counting progress = new Counting();
      Sweep sweep = new Sweep(ground, current, live, containerBytes, progress);
      sweep.nodes(nodes);
      sweep.data(data);
      sweep.drop();
      finished = true;
      lock.lock();
      try {
        liveChunkCount = live.markedCount();
        backlogBytes = progress.deadBytes;
      } finally {
        lock.unlock();
      }
    } finally {
      ground.detach(finished);
      current.end();
    }
  }

  /** Marks what is live and says from which container on data may be live without a mark. */
  private long mark(Cycle current, LiveChunks live, List<Long> nodes) throws IOException {
    Containers containers = ground.containers();
    Mark mark = new Mark(containers, ground.index(), live, parameterSet);
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
        between();
        seen = current.markedByAnswers();
      } while (!flat && mark.pass(nodes) > 0);
    } while (!current.beginSweep(seen));
    return lowestUnnamed;
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
    public void dead(long bytes) {
      deadBytes += bytes;
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
