package onefold.store.engine;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import onefold.store.Id;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;
import onefold.store.ShareRecord;
import onefold.store.catalog.CatalogView;
import onefold.store.catalog.ShareView;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.SchedulerCondition;
import onefold.store.scheduler.SchedulerLock;
import org.jspecify.annotations.Nullable;

/**
 * The trees of shares that somebody has asked for, one of each share, and the bound on what they
 * hold that is not durable yet: {@value #MAX_WAITING_BYTES} bytes together, then changes wait.
 */
final class Shares {
  static final int MAX_WAITING_BYTES = 16 << 20;

  private final Engine engine;
  private final SchedulerLock lock;
  private final SchedulerCondition room;
  private final Map<Id, LiveShareTree> trees = new HashMap<>(); // guarded by lock
  private long waitingBytes; // guarded by lock

  Shares(Engine engine, Scheduler scheduler) {
    this.engine = engine;
    this.lock = scheduler.lock("shares");
    this.room = lock.newCondition();
  }

  /**
   * The tree of a share or a snapshot.
   *
   * @throws RefusedException {@code NOT_FOUND}
   */
  LiveShareTree tree(Id shareId) throws IOException {
    LiveShareTree known = known(shareId);
    if (known != null) {
      known.checkExists();
      return known;
    }
    // Nobody can have changed it before there is a tree, so that the number is still right below.
    LiveShareTree made =
        engine.read(view -> {
          ShareView shares = view.shares();
          Optional<ShareRecord> record = shares.find(shareId);
          return new LiveShareTree(
              engine, this, record.orElseThrow(() -> noShare(shareId)), shares.changes(shareId));
        });
    lock.lock();
    try {
      LiveShareTree other = trees.putIfAbsent(shareId, made);
      return other == null ? made : other;
    } finally {
      lock.unlock();
    }
  }

  private @Nullable LiveShareTree known(Id shareId) {
    lock.lock();
    try {
      return trees.get(shareId);
    } finally {
      lock.unlock();
    }
  }

  /** Forgets the tree of a share that is gone. */
  void forget(Id shareId) {
    lock.lock();
    try {
      trees.remove(shareId);
    } finally {
      lock.unlock();
    }
  }

  static RefusedException noShare(Id shareId) {
    return new RefusedException(Reason.NOT_FOUND, "there is no share with the id " + shareId);
  }

  CatalogView view() {
    return engine.catalogView();
  }

  /** Waits until there is room for a change; one that is larger than all waits for all others. */
  void takeRoom(int bytes) {
    lock.lock();
    try {
      while (waitingBytes > 0 && waitingBytes + bytes > MAX_WAITING_BYTES) {
        room.await();
      }
      waitingBytes += bytes;
    } finally {
      lock.unlock();
    }
  }

  void giveRoom(int bytes) {
    lock.lock();
    try {
      waitingBytes -= bytes;
      room.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
