package onefold.store.index;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import onefold.store.device.Device;
import onefold.store.scheduler.SchedulerLock;

/**
 * Changes which runs the index has, durably in the manifest first, then in the version that counts.
 * One thread at a time changes; it holds {@link #lock} from its look at the version to the end.
 */
final class RunChanges {
  private final Device device;
  private final String directory;
  private final SchedulerLock changeLock;
  private final SchedulerLock stateLock;
  private final Versions versions;
  private final AtomicLong nextRunId;
  private final ContainerSet known;
  private final ContainerSet covered; // guarded by stateLock
  private boolean deadNodes; // guarded by stateLock
  private boolean isWritten; // what deadNodes says, in the manifest; guarded by stateLock

  /**
   * @param changeLock held by whoever changes; taken before {@code stateLock}
   * @param stateLock the index's lock
   * @param known the index's set of known containers
   * @param covered its set of containers whose entries are all on disk; changed here
   * @param deadNodes whether entries may name nodes whose chunks have been swept
   * @param isWritten whether there is a manifest that says so
   */
  RunChanges(
      Device device,
      String directory,
      SchedulerLock changeLock,
      SchedulerLock stateLock,
      Versions versions,
      AtomicLong nextRunId,
      ContainerSet known,
      ContainerSet covered,
      boolean deadNodes,
      boolean isWritten) {
    this.device = device;
    this.directory = directory;
    this.changeLock = changeLock;
    this.stateLock = stateLock;
    this.versions = versions;
    this.nextRunId = nextRunId;
    this.known = known;
    this.covered = covered;
    this.deadNodes = deadNodes;
    this.isWritten = isWritten;
  }

  /** What whoever changes holds. */
  SchedulerLock lock() {
    return changeLock;
  }

  /** What the next manifest says about dead nodes. */
  void sayDeadNodes(boolean may) {
    stateLock.lock();
    try {
      isWritten &= deadNodes == may;
      deadNodes = may;
    } finally {
      stateLock.unlock();
    }
  }

  boolean deadNodes() {
    stateLock.lock();
    try {
      return deadNodes;
    } finally {
      stateLock.unlock();
    }
  }

  /** Writes the manifest, unless it says already what is to be said of dead nodes. */
  void writeDeadNodes() throws IOException {
    changeLock.lock();
    try {
      if (!isWritten()) {
        writeDown();
      }
    } finally {
      changeLock.unlock();
    }
  }

  private boolean isWritten() {
    stateLock.lock();
    try {
      return isWritten;
    } finally {
      stateLock.unlock();
    }
  }

  /** Writes the manifest of the version as it is. Called under {@link #lock}. */
  void writeDown() throws IOException {
    change(partitions -> partitions);
  }

  /**
   * Changes the partitions. Runs that fall out are removed when the last look-up that uses them
   * ends. Called under {@link #lock}.
   *
   * @param step what changes; called twice, because damage may be noted meanwhile
   */
  void change(UnaryOperator<List<Partition>> step) throws IOException {
    writeManifest(step, new ContainerSet());
    stateLock.lock();
    try {
      IndexVersion now = versions.current();
      install(step.apply(now.partitions()), false);
    } finally {
      stateLock.unlock();
    }
  }

  /**
   * Makes new runs durable and part of the index in place of others. Called under {@link #lock}.
   *
   * @param made runs whose files are forced; removed if this fails
   * @param replaced runs that are no longer needed
   */
  void replace(List<RunMaker.Made> made, List<Run> replaced) throws IOException {
    boolean done = false;
    try {
      change(partitions -> replaced(partitions, made, ids(replaced)));
      done = true;
    } finally {
      if (!done) {
        RunMaker.discard(made);
      }
    }
  }

  /**
   * Puts the runs that hold what the frozen table held in its place. Called under {@link #lock}.
   *
   * @param made as for {@link #replace}
   * @param written containers that are covered by that
   * @param takeBack called under the index's lock when the runs are durable, before the table goes
   */
  void replaceFrozen(List<RunMaker.Made> made, ContainerSet written, Runnable takeBack)
      throws IOException {
    UnaryOperator<List<Partition>> step = partitions -> replaced(partitions, made, Set.of());
    boolean done = false;
    try {
      writeManifest(step, written);
      stateLock.lock();
      try {
        takeBack.run();
        cover(written);
        install(step.apply(versions.current().partitions()), true);
      } finally {
        stateLock.unlock();
      }
      done = true;
    } finally {
      if (!done) {
        RunMaker.discard(made);
      }
    }
  }

  /**
   * Puts the two halves of a partition, with new runs, in its place. Called under {@link #lock}.
   */
  void replaceByHalves(Partition partition, List<RunMaker.Made> made) throws IOException {
    change(partitions -> {
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
    });
  }

  private static List<Partition> replaced(
      List<Partition> partitions, List<RunMaker.Made> made, Set<Long> gone) {
    var next = new ArrayList<Partition>();
    for (Partition partition : partitions) {
      var runs = new ArrayList<>(partition.runs());
      runs.removeIf(run -> gone.contains(run.identity().id()));
      for (RunMaker.Made one : made) {
        if (one.partition().samePrefix(partition)) {
          runs.add(one.run());
        }
      }
      next.add(partition.withRuns(runs));
    }
    return next;
  }

  static Set<Long> ids(List<Run> runs) {
    var ids = new HashSet<Long>();
    for (Run run : runs) {
      ids.add(run.identity().id());
    }
    return ids;
  }

  private void writeManifest(UnaryOperator<List<Partition>> step, ContainerSet written)
      throws IOException {
    byte[] manifest;
    boolean said;
    stateLock.lock();
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
      said = deadNodes;
      manifest = ManifestFormat.encode(nextRunId.get(), next, coveredNext, said);
    } finally {
      stateLock.unlock();
    }
    Manifests.replace(device, directory, manifest);
    stateLock.lock();
    try {
      isWritten = said == deadNodes;
    } finally {
      stateLock.unlock();
    }
  }

  private void cover(ContainerSet written) {
    written.ranges((first, last) -> {
      for (long number = first; number != last + 1; number++) {
        if (known.contains(number)) {
          covered.add(number);
        }
      }
    });
  }

  /** Called under the index's lock. */
  private void install(List<Partition> next, boolean withoutFrozen) {
    IndexVersion now = versions.current();
    var kept = new HashSet<Long>();
    next.forEach(partition -> kept.addAll(ids(partition.runs())));
    for (Partition partition : now.partitions()) {
      for (Run run : partition.runs()) {
        if (!kept.contains(run.identity().id())) {
          run.obsolete();
        }
      }
    }
    versions.install(new IndexVersion(now.active(), withoutFrozen ? null : now.frozen(), next));
  }
}
