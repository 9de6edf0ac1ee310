package onefold.store.engine;

import java.util.ArrayList;
import java.util.List;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;

/**
 * What a session was told is present since its last durable checkpoint, in intervals: one that
 * grows, and those that wait for their checkpoint to become durable. Nodes that the session stored
 * itself stand here too; of its data the lowest container is enough. Housekeeping takes every
 * fingerprint here for a root and leaves those containers alone.
 *
 * <p>Not safe for several threads; the session's lock guards it.
 */
final class HaveList {
  private final List<Interval> waiting = new ArrayList<>();
  private Interval growing = new Interval();
  private int count;

  /** Answers between two checkpoints. */
  static final class Interval {
    private final FingerprintBatch data = new FingerprintBatch(ChunkKind.DATA, 64);
    private final FingerprintBatch nodes = new FingerprintBatch(ChunkKind.NODE, 16);
    private long lowestDataContainer = Long.MAX_VALUE;

    int count() {
      return data.count() + nodes.count();
    }
  }

  void add(ChunkKind kind, byte[] fingerprints, int offset, int lengthBytes) {
    FingerprintBatch batch =
        switch (kind) {
          case DATA -> growing.data;
          case NODE -> growing.nodes;
        };
    batch.add(fingerprints, offset, lengthBytes);
    count++;
  }

  /** Answers in all intervals. */
  int count() {
    return count;
  }

  /** Answers since the last checkpoint was asked for. */
  int growingCount() {
    return growing.count();
  }

  /** Ends the growing interval; it stays until {@link #drop}. */
  Interval seal() {
    Interval sealed = growing;
    growing = new Interval();
    waiting.add(sealed);
    return sealed;
  }

  /** Forgets an interval, and those before it, because a checkpoint that covers them is durable. */
  void drop(Interval durable) {
    int at = waiting.indexOf(durable);
    for (int i = 0; i <= at; i++) {
      count -= waiting.removeFirst().count();
    }
  }

  /** Whether {@link #storesDataFrom} has been said in the growing interval. */
  boolean storesData() {
    return growing.lowestDataContainer != Long.MAX_VALUE;
  }

  /** Says that the session stores data in this or a higher container from now on. */
  void storesDataFrom(long containerNumber) {
    growing.lowestDataContainer = containerNumber;
  }

  /** The lowest container that holds data of this session's own, or {@link Long#MAX_VALUE}. */
  long lowestDataContainer() {
    long lowest = growing.lowestDataContainer;
    for (Interval interval : waiting) {
      lowest = Math.min(lowest, interval.lowestDataContainer);
    }
    return lowest;
  }

  /** Copies all answers of a kind. */
  FingerprintBatch all(ChunkKind kind) {
    FingerprintBatch all = new FingerprintBatch(kind, Math.max(1, count));
    for (Interval interval : waiting) {
      copy(interval, kind, all);
    }
    copy(growing, kind, all);
    return all;
  }

  private static void copy(Interval from, ChunkKind kind, FingerprintBatch to) {
    FingerprintBatch batch =
        switch (kind) {
          case DATA -> from.data;
          case NODE -> from.nodes;
        };
    for (int i = 0; i < batch.count(); i++) {
      to.add(batch.fingerprints(), i * Fingerprint.BYTES, batch.lengthBytes(i));
    }
  }
}
