package onefold.store.writeback;

import java.time.Duration;
import onefold.store.journal.JournalSettings;

/**
 * Bounds of the write-back of one domain.
 *
 * @param memoryBytes what changes may take of memory; a write that finds it full first moves
 *     changes into the log or into recipes
 * @param logBytes what the log may take of the disk before whoever forces folds first; it is
 *     overshot by at most what lies in memory
 * @param segmentBytes of the log
 * @param foldBytes changes of one object, wherever they lie, after which they are folded
 * @param idle time without a change after which an object is folded
 * @param streamBytes data at the end of an object after which it goes into the recipe as it comes;
 *     less is logged
 * @param streams objects at a time whose data goes into the recipe as it comes
 * @param readers of recipes that are kept at a time, beside those in use; each may hold 24 MiB of
 *     blocks
 */
public record WritebackSettings(
    long memoryBytes,
    long logBytes,
    int segmentBytes,
    long foldBytes,
    Duration idle,
    int streamBytes,
    int streams,
    int readers) {
  /** Least memory: a few of the largest writes. */
  public static final long MIN_MEMORY_BYTES = 64 << 10;

  /** Settings of a small appliance. */
  public static final WritebackSettings DEFAULT = ofMemory(512L << 20);

  /** Checks the bounds. */
  public WritebackSettings {
    if (memoryBytes < MIN_MEMORY_BYTES) {
      throw new IllegalArgumentException("memoryBytes " + memoryBytes);
    }
    if (segmentBytes < JournalSettings.MIN_SEGMENT_BYTES || logBytes < segmentBytes) {
      throw new IllegalArgumentException("logBytes " + logBytes + ", segmentBytes " + segmentBytes);
    }
    if (foldBytes < 1 || streamBytes < 1 || streams < 1 || readers < 1 || idle.isNegative()) {
      throw new IllegalArgumentException("a bound below its least: " + foldBytes);
    }
  }

  /**
   * Settings for the memory of a whole process: a thirty-second of it for changes, and a log of at
   * most 1 GiB, which is what a start has to read.
   */
  public static WritebackSettings ofMemory(long memoryBytes) {
    long part = Math.clamp(memoryBytes / 32, 8L << 20, 256L << 20);
    return new WritebackSettings(
        part,
        Math.min(1L << 30, 8 * part),
        4 << 20,
        4 * part,
        Duration.ofSeconds(5),
        512 << 10,
        Math.clamp(memoryBytes / (128L << 20), 2, 16),
        Math.clamp(memoryBytes / (128L << 20), Base.MAX_READERS, 32));
  }

  /** The same but folding after another time. */
  public WritebackSettings withIdle(Duration newIdle) {
    return new WritebackSettings(
        memoryBytes, logBytes, segmentBytes, foldBytes, newIdle, streamBytes, streams, readers);
  }
}
