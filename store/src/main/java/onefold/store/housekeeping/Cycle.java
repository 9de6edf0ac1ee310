package onefold.store.housekeeping;

import java.io.IOException;
import java.util.Set;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;
import onefold.store.index.ChunkIndex;
import onefold.store.index.Places;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.SchedulerLock;

/**
 * One cycle of housekeeping, as uploads meet it: what they are told about is live. Any number of
 * threads.
 */
public final class Cycle {
  private final LiveChunks live;
  private final Set<Long> candidates;
  private final ChunkIndex index;
  private final SchedulerLock lock;
  private boolean sweeping; // guarded by lock
  private long markedByAnswers; // guarded by lock

  Cycle(Scheduler scheduler, LiveChunks live, Set<Long> candidates, ChunkIndex index) {
    this.live = live;
    this.candidates = Set.copyOf(candidates);
    this.index = index;
    this.lock = scheduler.lock("housekeeping-cycle");
  }

  /**
   * Keeps chunks that were found alive, or takes the answer back.
   *
   * @param batch what was looked up; the answers stand in the asker's have-list already
   * @param places what was found; rows that are condemned become absent
   */
  public void protect(FingerprintBatch batch, Places places) throws IOException {
    switch (batch.kind()) {
      case DATA -> protectData(batch, places);
      case NODE -> protectNodes(batch, places);
    }
  }

  private void protectData(FingerprintBatch batch, Places places) throws IOException {
    boolean again = false;
    for (int i = 0; i < batch.count(); i++) {
      if (places.isPresent(i)) {
        long chunk = live.find(ChunkKind.DATA, batch.fingerprints(), i * Fingerprint.BYTES);
        if (chunk != LiveChunks.UNKNOWN) {
          live.mark(chunk);
          again |= candidates.contains(places.containerNumbers()[i]);
        }
      }
    }
    if (again) {
      // What was swept before the mark is absent now; what was not will be found marked.
      index.lookupForDedup(batch, places);
    }
  }

  private void protectNodes(FingerprintBatch batch, Places places) {
    for (int i = 0; i < batch.count(); i++) {
      if (!places.isPresent(i)) {
        continue;
      }
      long chunk = live.find(ChunkKind.NODE, batch.fingerprints(), i * Fingerprint.BYTES);
      if (chunk == LiveChunks.UNKNOWN || live.isMarked(chunk)) {
        continue;
      }
      lock.lock();
      try {
        if (!sweeping) {
          if (live.mark(chunk)) {
            markedByAnswers++;
          }
        } else if (candidates.contains(places.containerNumbers()[i])) {
          places.containerNumbers()[i] = Places.ABSENT;
        }
      } finally {
        lock.unlock();
      }
    }
  }

  /** How many nodes answers have marked that nothing else had. */
  long markedByAnswers() {
    lock.lock();
    try {
      return markedByAnswers;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Ends the mark, if no answer has marked a node since {@link #markedByAnswers} was {@code seen}.
   */
  boolean beginSweep(long seen) {
    lock.lock();
    try {
      sweeping = markedByAnswers == seen;
      return sweeping;
    } finally {
      lock.unlock();
    }
  }
}
