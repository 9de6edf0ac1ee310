package onefold.appliance;

import java.util.Locale;
import onefold.store.container.ContainerSettings;
import onefold.store.engine.EngineSettings;

/**
 * How one number for the whole process is divided. The launcher gives the JVM a heap of 40 % of it;
 * the parts below live on that heap or beside it and have their own bounds.
 *
 * @param totalBytes what the process may take
 */
public record MemoryPlan(long totalBytes) {
  /**
   * Set by the launcher from {@code --memory}; the smaller of it and the control group's limit
   * counts.
   */
  public static final String PROPERTY = "onefold.memory.bytes";

  private static final long MOST_BYTES_UNASKED = 4L << 30;

  /**
   * Chooses the number.
   *
   * @param wantedBytes what was asked for, or 0
   * @param heapBytes the JVM's greatest heap
   */
  public static MemoryPlan choose(long wantedBytes, long heapBytes) {
    long byHeap = heapBytes / 2 * 5;
    long wanted = wantedBytes == 0 ? Math.min(MOST_BYTES_UNASKED, byHeap) : wantedBytes;
    return new MemoryPlan(Math.min(wanted, byHeap));
  }

  /** Returns the engine's settings within the plan. */
  public EngineSettings engine(long containerBytes) {
    EngineSettings usual = EngineSettings.ofMemory(totalBytes);
    ContainerSettings containers = usual.containers();
    return new EngineSettings(
        new ContainerSettings(
            Math.toIntExact(containerBytes),
            containers.lanes(),
            containers.blockCacheBytes(),
            containers.layoutCacheBytes(),
            containers.openFiles()),
        usual.index(),
        usual.journal(),
        usual.catalogCacheBytes(),
        usual.checkpointJournalBytes(),
        usual.reserveBytes(),
        usual.backgroundHousekeeping(),
        usual.recompression(),
        usual.writeback());
  }

  /** Bytes that uploads of all clients together may have under way. */
  public long windowBytes() {
    return Math.max(8L << 20, Math.min(128L << 20, totalBytes / 16));
  }

  @Override
  public String toString() {
    return String.format(Locale.ROOT, "%,d bytes", totalBytes);
  }
}
