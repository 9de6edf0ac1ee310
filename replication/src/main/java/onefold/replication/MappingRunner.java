package onefold.replication;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import onefold.catalyst.client.CatalystClient;
import onefold.replication.MappingStatus.State;
import onefold.store.ChunkStore;
import onefold.store.ItemRecord;
import org.jspecify.annotations.Nullable;

/**
 * Runs one mapping: a virtual thread that waits until something is to be done, makes a pass, and
 * waits again. Safe for many threads.
 */
final class MappingRunner implements AutoCloseable {
  private static final Logger LOG = System.getLogger(MappingRunner.class.getName());

  /** How often it looks whether something has changed here. */
  private static final Duration LOOK = Duration.ofMillis(250);

  /** After a pass that failed; doubles up to the second. */
  private static final Duration FIRST_RETRY = Duration.ofSeconds(1);

  private static final Duration MAX_RETRY = Duration.ofMinutes(1);

  /** Items that the peer refused are tried again though nothing has changed here. */
  private static final Duration GAPS_AGAIN = Duration.ofMinutes(5);

  private final ChunkStore store;
  private final MappingShelf shelf;
  private final LongSupplier nanoTime;
  private final InstantSource clock;
  private final LinePace pace;
  private final Thread thread;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private Mapping mapping; // guarded by lock
  private Figures figures; // guarded by lock; without the pass under way
  private boolean closed; // guarded by lock
  private long passNumber; // guarded by lock
  private long finishedPass; // guarded by lock
  private long wantedPass; // guarded by lock
  private long lastPassMillis; // guarded by lock
  private String problem = ""; // guarded by lock
  private boolean waiting; // guarded by lock
  private @Nullable SyncPass pass; // guarded by lock
  private SyncPass.Count count = SyncPass.Count.NONE; // guarded by lock
  private List<Gap> gaps = List.of(); // guarded by lock
  private long gapCount; // guarded by lock

  private final KnownItems known = new KnownItems(); // written by its own thread

  // Its own thread's.
  private long seenChanges = -1;
  private int failures;

  MappingRunner(
      ChunkStore store,
      MappingShelf shelf,
      MappingShelf.Kept kept,
      LongSupplier nanoTime,
      InstantSource clock) {
    this.store = store;
    this.shelf = shelf;
    this.mapping = kept.mapping();
    this.figures = kept.figures();
    this.nanoTime = nanoTime;
    this.clock = clock;
    this.pace = new LinePace(nanoTime);
    this.pace.limit(mapping.bytesPerSecond());
    this.thread = Thread.ofVirtual().name("mapping-" + mapping.name()).unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  Mapping mapping() {
    lock.lock();
    try {
      return mapping;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Asks for a pass that begins from now on.
   *
   * @return its number; {@link MappingStatus#finishedPass} reaches it when it has ended
   */
  long sync() {
    lock.lock();
    try {
      wantedPass = Math.max(wantedPass, passNumber + 1);
      changed.signalAll();
      return wantedPass;
    } finally {
      lock.unlock();
    }
  }

  /** Changes the mapping; name, store and peer stay. */
  void change(Mapping newMapping) throws IOException {
    lock.lock();
    try {
      shelf.save(new MappingShelf.Kept(newMapping, figures));
      mapping = newMapping;
      pace.limit(newMapping.bytesPerSecond());
      if (newMapping.paused()) {
        stopPass();
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void stopPass() {
    SyncPass now = pass;
    if (now != null) {
      now.close();
    }
  }

  MappingStatus status() {
    lock.lock();
    try {
      SyncPass now = pass;
      SyncPass.Count counted = now == null ? count : now.count();
      SyncPass.Progress progress = now == null ? SyncPass.Progress.NONE : now.progress();
      long lagMillis =
          counted.oldestMillis() == 0
              ? 0
              : Math.max(0, store.storeTimeMillis() - counted.oldestMillis());
      State state =
          mapping.paused()
              ? State.PAUSED
              : now != null ? State.SYNCING : waiting ? State.WAITING : State.IDLE;
      return new MappingStatus(
          state,
          problem,
          counted.items(),
          counted.provenItems(),
          counted.lagBytes(),
          lagMillis,
          passNumber,
          finishedPass,
          lastPassMillis,
          progress.item(),
          progress.settledBytes(),
          progress.itemBytes(),
          now == null ? gaps : now.gaps(),
          now == null ? gapCount : now.gapCount(),
          now == null ? figures : figures.plus(now.figures()));
    } finally {
      lock.unlock();
    }
  }

  /** Whether the peer is known to have an item of the mapping's store as it is here. */
  boolean isProven(ItemRecord item) {
    return known.isProven(item);
  }

  /** Waits until a pass ends, a tenth of a second at most. */
  void awaitChange() throws InterruptedException {
    lock.lock();
    try {
      long before = finishedPass;
      long leftNanos = TimeUnit.MILLISECONDS.toNanos(100);
      while (finishedPass == before && leftNanos > 0) {
        leftNanos = changed.awaitNanos(leftNanos);
      }
    } finally {
      lock.unlock();
    }
  }

  // ---- its thread

  private void run() {
    try {
      while (awaitWork()) {
        try {
          onePass();
        } catch (RuntimeException e) {
          failures++;
          LOG.log(Level.ERROR, "mapping '" + mapping().name() + "' has failed", e);
          failed("failed: " + e);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Waits until a pass is due; false when it is closed. */
  private boolean awaitWork() throws InterruptedException {
    lock.lock();
    try {
      long restedSince = nanoTime.getAsLong();
      while (!closed) {
        if (!mapping.paused() && isDue(restedSince)) {
          waiting = false;
          return true;
        }
        var _ = changed.awaitNanos(LOOK.toNanos());
      }
      return false;
    } finally {
      lock.unlock();
    }
  }

  private boolean isDue(long restedSince) {
    if (wantedPass > passNumber) {
      return true;
    }
    long rested = nanoTime.getAsLong() - restedSince;
    if (failures > 0) {
      long pause = FIRST_RETRY.toNanos() << Math.min(failures - 1, 10);
      return rested >= Math.min(pause, MAX_RETRY.toNanos());
    }
    return switch (mapping.trigger()) {
      case Trigger.OnCommit() -> hasChanged() || (gapCount > 0 && rested >= GAPS_AGAIN.toNanos());
      case Trigger.Every(Duration pause) -> passNumber == 0 || rested >= pause.toNanos();
      case Trigger.OnDemand() -> false;
    };
  }

  /** Whether something has changed here that a pass has not seen. */
  private boolean hasChanged() {
    try {
      long changes = store.changeCount();
      if (changes == seenChanges) {
        return false;
      }
      if (known.isComplete() && !SyncPass.hasNews(store, mapping.store(), known)) {
        seenChanges = changes; // What has changed is not of this store.
        return false;
      }
      return true;
    } catch (IOException e) {
      LOG.log(Level.DEBUG, "the catalog cannot be asked", e);
      return false;
    }
  }

  private void onePass() {
    Mapping now;
    boolean asked;
    lock.lock();
    try {
      now = mapping;
      asked = wantedPass > passNumber;
      passNumber++;
    } finally {
      lock.unlock();
    }
    String name = now.name();
    try (CatalystClient client = CatalystClient.connect(now.peer().settings())) {
      seenChanges = store.changeCount();
      SyncPass making =
          new SyncPass(store, now, client, pace, known, asked || failures > 0, this::isStopped);
      boolean begun;
      lock.lock();
      try {
        begun = !closed && !mapping.paused();
        pass = begun ? making : null;
      } finally {
        lock.unlock();
      }
      if (!begun) {
        again();
        ended(null, "");
        return;
      }
      SyncPass.End end;
      try {
        end = making.run();
      } catch (IOException | RuntimeException e) {
        boolean stopped = isStopped();
        if (stopped) {
          again();
        }
        ended(making, stopped ? "" : String.valueOf(e.getMessage()));
        if (!stopped) {
          throw e;
        }
        return;
      }
      failures = 0;
      if (end != SyncPass.End.WHOLE) {
        again();
      }
      ended(making, "");
    } catch (IOException e) {
      failures++;
      LOG.log(Level.WARNING, "mapping '" + name + "' could not go on: " + e.getMessage());
      failed(String.valueOf(e.getMessage()));
    }
  }

  private boolean isStopped() {
    lock.lock();
    try {
      return closed || mapping.paused();
    } finally {
      lock.unlock();
    }
  }

  /** Makes another pass follow. */
  private void again() {
    lock.lock();
    try {
      wantedPass = Math.max(wantedPass, passNumber + 1);
    } finally {
      lock.unlock();
    }
  }

  /** Takes over what a pass has found and done. */
  private void ended(@Nullable SyncPass made, String why) {
    lock.lock();
    try {
      if (made != null) {
        count = made.count();
        gaps = made.gaps();
        gapCount = made.gapCount();
        Figures more = made.figures();
        figures =
            figures.plus(more).plus(new Figures(0, 0, 0, 0, 0, 0, 0, 0, why.isEmpty() ? 1 : 0));
        if (!more.equals(Figures.NONE)) {
          keep();
        }
      }
      pass = null;
      problem = why;
      finishedPass = passNumber;
      lastPassMillis = clock.millis();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void keep() {
    try {
      if (!closed) {
        shelf.save(new MappingShelf.Kept(mapping, figures));
      }
    } catch (IOException e) {
      LOG.log(Level.WARNING, "figures of mapping '" + mapping.name() + "' were not kept", e);
    }
  }

  private void failed(String why) {
    lock.lock();
    try {
      pass = null;
      problem = why;
      waiting = true;
      finishedPass = passNumber;
      lastPassMillis = clock.millis();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Ends it and waits until its thread has. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      stopPass();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    pace.end();
    try {
      thread.join(TimeUnit.SECONDS.toMillis(30));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
