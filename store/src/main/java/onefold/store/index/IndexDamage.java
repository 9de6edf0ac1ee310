package onefold.store.index;

import java.io.IOException;
import java.util.ArrayList;
import onefold.store.scheduler.SchedulerLock;

/**
 * What of the index is lost: noted in memory at once, then in the manifest, then told to the
 * listener. Each loss has a number, so that a rebuild makes whole only what was lost before it
 * began. Uses the index's lock.
 */
final class IndexDamage {
  private final SchedulerLock lock;
  private final IndexTasks tasks;
  private final Versions versions;
  private final RunChanges changes;
  private final IndexDamageListener listener;
  private long generation; // of the last loss; guarded by lock

  /**
   * @param lock the index's lock
   */
  IndexDamage(
      SchedulerLock lock,
      IndexTasks tasks,
      Versions versions,
      RunChanges changes,
      IndexDamageListener listener) {
    this.lock = lock;
    this.tasks = tasks;
    this.versions = versions;
    this.changes = changes;
    this.listener = listener;
    for (Partition partition : versions.current().partitions()) {
      generation = Math.max(generation, partition.lostAt());
    }
  }

  /** Tells the listener of what was lost before the index was opened. */
  void foundAtOpening(String what) {
    tasks.start("index-damage", () -> listener.indexDamaged(what));
  }

  /** Number of the last loss. Called under the lock. */
  long generation() {
    return generation;
  }

  /** Takes what was lost up to a generation as whole again, durably. */
  void healed(long upTo) throws IOException {
    changes.lock().lock();
    try {
      changes.change(partitions -> {
        var next = new ArrayList<Partition>();
        for (Partition partition : partitions) {
          next.add(partition.lostAt() > upTo ? partition : partition.healed());
        }
        return next;
      });
    } finally {
      changes.lock().unlock();
    }
    versions.disposeUnused();
  }

  /**
   * Notes that a run cannot be read.
   *
   * @return false if no partition has the run any more: it was merged away, with all its entries,
   *     or published again
   */
  boolean damaged(Run run, IOException damage) {
    long id = run.identity().id();
    lock.lock();
    try {
      IndexVersion now = versions.current();
      var next = new ArrayList<Partition>();
      long loss = generation + 1;
      boolean found = false;
      for (Partition partition : now.partitions()) {
        Partition changedPartition = partition;
        for (Run other : partition.runs()) {
          if (other.identity().id() == id) {
            if (other.damagedAt() != 0) {
              return true;
            }
            other.markDamaged(loss);
            changedPartition = partition.lost(loss);
            found = true;
          }
        }
        next.add(changedPartition);
      }
      if (!found) {
        return false;
      }
      generation = loss;
      versions.install(new IndexVersion(now.active(), now.frozen(), next));
      String what = String.valueOf(damage.getMessage());
      tasks.start("index-damage", () -> report(what));
    } finally {
      lock.unlock();
    }
    versions.disposeUnused();
    return true;
  }

  private void report(String what) {
    try {
      changes.lock().lock();
      try {
        changes.writeDown();
      } finally {
        changes.lock().unlock();
      }
      versions.disposeUnused();
    } catch (IOException e) {
      // The manifest goes on naming the run; the damage will be found again after a restart.
    } catch (RuntimeException e) { // a failed force, or an invariant of ours: nothing goes on
      lock.lock();
      try {
        tasks.broke(e);
        tasks.changed();
      } finally {
        lock.unlock();
      }
    }
    listener.indexDamaged(what);
  }
}
