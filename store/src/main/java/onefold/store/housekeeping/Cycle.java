package onefold.store.housekeeping;

import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;
import onefold.store.index.Places;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.SchedulerCondition;
import onefold.store.scheduler.SchedulerLock;

/**
 * One cycle of housekeeping, as uploads meet it: what they are told about is live. Any number of
 * threads.
 */
public final class Cycle {
  private static final BitSet NOTHING = new BitSet(0);

  private final LiveChunks live;
  private final Set<Long> candidates;

  /** What stays of each container of data that is about to be dropped, or has been. */
  private final Map<Long, BitSet> condemned = new HashMap<>(); // guarded by lock

  private final SchedulerLock lock;
  private final SchedulerCondition idle;
  private boolean sweeping; // guarded by lock
  private long markedByAnswers; // guarded by lock
  private int protecting; // guarded by lock
  private boolean ended; // guarded by lock

  Cycle(Scheduler scheduler, LiveChunks live, Set<Long> candidates) {
    this.live = live;
    this.candidates = Set.copyOf(candidates);
    this.lock = scheduler.lock("housekeeping-cycle");
    this.idle = lock.newCondition();
  }

  /**
   * Keeps chunks that were found alive, or takes the answer back.
   *
   * @param batch what was looked up; the answers stand in the asker's have-list already
   * @param places what was found; rows that are condemned become absent
   */
  public void protect(FingerprintBatch batch, Places places) {
    lock.lock();
    try {
      if (ended) {
        return;
      }
      protecting++;
    } finally {
      lock.unlock();
    }
    try {
      switch (batch.kind()) {
        case DATA -> protectData(batch, places);
        case NODE -> protectNodes(batch, places);
      }
    } finally {
      lock.lock();
      try {
        protecting--;
        idle.signalAll();
      } finally {
        lock.unlock();
      }
    }
  }

  /** Ends the cycle: what is answered from now on needs no mark. Waits for those that mark now. */
  void end() {
    lock.lock();
    try {
      ended = true;
      while (protecting > 0) {
        idle.await();
      }
    } finally {
      lock.unlock();
    }
  }

  private void protectData(FingerprintBatch batch, Places places) {
    lock.lock();
    try {
      for (int i = 0; i < batch.count(); i++) {
        if (!places.isPresent(i)) {
          continue;
        }
        BitSet kept = condemned.get(places.containerNumbers()[i]);
        if (kept == null) {
          long chunk = live.find(ChunkKind.DATA, batch.fingerprints(), i * Fingerprint.BYTES);
          if (chunk != LiveChunks.UNKNOWN) {
            live.mark(chunk);
          }
        } else if (!kept.get(places.slots()[i])) {
          places.containerNumbers()[i] = Places.ABSENT;
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Says that a container of data is about to be dropped, and asks for the last time what is live
   * in it. From now on the answer counts, and not the marks: a chunk that is not in the table may
   * share the mark of one that is, and be marked later.
   *
   * @param needed asked at once, while no answer changes a mark; must not wait
   * @return what {@code needed} gave: the slots of chunks that will be copied
   */
  BitSet condemn(long containerNumber, Supplier<BitSet> needed) {
    lock.lock();
    try {
      BitSet kept = needed.get();
      condemned.put(containerNumber, kept);
      return kept;
    } finally {
      lock.unlock();
    }
  }

  /** Says that a condemned container is out of the index, so that look-ups do not name it. */
  void retracted(long containerNumber) {
    lock.lock();
    try {
      condemned.replace(containerNumber, NOTHING);
    } finally {
      lock.unlock();
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
