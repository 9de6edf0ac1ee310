package onefold.store.index;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.SchedulerLock;
import org.jspecify.annotations.Nullable;

/**
 * Merges runs and splits partitions, in one task at a time, for as long as {@link MergePolicy}
 * finds something to do. Uses the index's lock.
 */
final class IndexMerging {
  /** When the retracted containers reach this share of all, everything is merged once. */
  private static final int SWEEP_SHARE = 4;

  private static final int MIN_SWEPT_CONTAINERS = 8;

  private final Scheduler scheduler;
  private final SchedulerLock lock;
  private final IndexSettings settings;
  private final IndexTasks tasks;
  private final Versions versions;
  private final RunMaker maker;
  private final RunChanges changes;
  private final PageReader.Owner runOwner;
  private final WriteGate gate;
  private final ContainerSet known; // changed under lock
  private boolean merging; // guarded by lock
  private @Nullable IOException failure; // of the last merge; guarded by lock
  private long retractedSinceSweep; // guarded by lock
  private long sweep; // guarded by lock

  /**
   * @param lock the index's lock
   * @param runOwner loads runs and hears of damage
   * @param gate hears of everything that is written
   * @param known the index's set of known containers
   */
  IndexMerging(
      Scheduler scheduler,
      SchedulerLock lock,
      IndexSettings settings,
      IndexTasks tasks,
      Versions versions,
      RunMaker maker,
      RunChanges changes,
      PageReader.Owner runOwner,
      WriteGate gate,
      ContainerSet known) {
    this.scheduler = scheduler;
    this.lock = lock;
    this.settings = settings;
    this.tasks = tasks;
    this.versions = versions;
    this.maker = maker;
    this.changes = changes;
    this.runOwner = runOwner;
    this.gate = gate;
    this.known = known;
  }

  /** Starts the task unless it runs. Called under the lock. */
  void start() {
    if (!merging && !tasks.isClosing()) {
      merging = true;
      failure = null;
      tasks.start("index-merge", this::run);
    }
  }

  /** What the last merge failed of. Called under the lock. */
  @Nullable IOException failure() {
    return failure;
  }

  /** Waits until nothing is left to merge. Called under the lock. */
  void settle() throws IOException {
    start();
    while (merging) {
      tasks.awaitChange();
    }
    IOException failed = failure;
    if (failed != null) {
      throw ChunkIndex.failed("index runs cannot be merged: ", failed);
    }
  }

  /**
   * Hears that a container was retracted; when there are many everything is merged. Called under
   * the lock.
   */
  void containerRetracted(boolean wasKnown) {
    if (wasKnown) {
      retractedSinceSweep++;
    }
    if (retractedSinceSweep >= MIN_SWEPT_CONTAINERS
        && retractedSinceSweep * SWEEP_SHARE >= known.count() + retractedSinceSweep) {
      retractedSinceSweep = 0;
      sweep++;
      start();
    }
  }

  private void run() {
    IOException failed = null;
    RuntimeException broken = null;
    while (true) {
      MergePolicy.Merge merge;
      IndexVersion now;
      ContainerSet knownNow;
      lock.lock();
      try {
        now = versions.current();
        merge = MergePolicy.next(now.partitions(), settings.partitionEntries(), sweep);
        if (merge == null || tasks.isClosing() || failed != null || broken != null) {
          merging = false;
          failure = failed;
          tasks.broke(broken);
          tasks.changed();
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
        runOwner.damaged(e.run(), e.damage());
      } catch (IOException e) {
        failed = e;
      } catch (RuntimeException e) { // a failed force, or an invariant of ours: nothing goes on
        broken = e;
      } finally {
        versions.release(now);
      }
      lock.lock();
      try {
        tasks.changed(); // publishers may wait for fewer runs
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
                  gate.wrote(written);
                  throttle(startNanos, bytes.addAndGet(written));
                }));
    changes.lock().lock();
    try {
      if (merge.split()) {
        split(partition, merge.inputs(), targets, made);
      } else {
        changes.replace(made, merge.inputs());
      }
      markSwept(targets, sweepNow);
    } finally {
      changes.lock().unlock();
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
    Set<Long> merged = RunChanges.ids(inputs);
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
        made.addAll(maker.merge(load(late), halves, knownLater, gate));
      }
      changes.replaceByHalves(partition, made);
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
    if (limit > 0) {
      tasks.awaitUnlessHurried(startNanos, (long) (bytes * 1e9 / limit));
    }
  }
}
