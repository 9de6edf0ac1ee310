package onefold.store.engine;

import onefold.store.container.ContainerSettings;
import onefold.store.housekeeping.RecompressionSettings;
import onefold.store.index.IndexSettings;
import onefold.store.journal.JournalSettings;
import onefold.store.writeback.WritebackSettings;

/**
 * How an engine is set up. Everything here may differ from one start to the next.
 *
 * @param containers sizes and caches of each domain's containers
 * @param index memory of each domain's index
 * @param journal sizes of the journal
 * @param catalogCacheBytes memory for the catalog's pages
 * @param checkpointJournalBytes journal bytes after which the catalog is folded and the superblock
 *     written; a start replays at most about so many
 * @param reserveBytes free space of the file system that uploads leave to deletes, housekeeping and
 *     the journal; below it they are refused
 * @param backgroundHousekeeping whether a cycle of housekeeping starts by itself after deletes, and
 *     cold containers are recompressed
 * @param recompression when and how strongly
 * @param writeback bounds of each domain's write-back
 */
public record EngineSettings(
    ContainerSettings containers,
    IndexSettings index,
    JournalSettings journal,
    long catalogCacheBytes,
    long checkpointJournalBytes,
    long reserveBytes,
    boolean backgroundHousekeeping,
    RecompressionSettings recompression,
    WritebackSettings writeback) {
  /** Below this a checkpoint would be written for every few commits. */
  public static final long MIN_CHECKPOINT_JOURNAL_BYTES = 64 << 10;

  /** Settings of a small appliance. */
  public static final EngineSettings DEFAULT = ofMemory(512L << 20);

  /** With the usual recompression. */
  public EngineSettings(
      ContainerSettings containers,
      IndexSettings index,
      JournalSettings journal,
      long catalogCacheBytes,
      long checkpointJournalBytes,
      long reserveBytes,
      boolean backgroundHousekeeping) {
    this(
        containers,
        index,
        journal,
        catalogCacheBytes,
        checkpointJournalBytes,
        reserveBytes,
        backgroundHousekeeping,
        RecompressionSettings.DEFAULT);
  }

  /** With the usual write-back. */
  public EngineSettings(
      ContainerSettings containers,
      IndexSettings index,
      JournalSettings journal,
      long catalogCacheBytes,
      long checkpointJournalBytes,
      long reserveBytes,
      boolean backgroundHousekeeping,
      RecompressionSettings recompression) {
    this(
        containers,
        index,
        journal,
        catalogCacheBytes,
        checkpointJournalBytes,
        reserveBytes,
        backgroundHousekeeping,
        recompression,
        WritebackSettings.DEFAULT);
  }

  /** Checks the bounds. */
  public EngineSettings {
    if (catalogCacheBytes < 0) {
      throw new IllegalArgumentException("catalogCacheBytes " + catalogCacheBytes);
    }
    if (reserveBytes < 0) {
      throw new IllegalArgumentException("reserveBytes " + reserveBytes);
    }
    if (checkpointJournalBytes < MIN_CHECKPOINT_JOURNAL_BYTES) {
      throw new IllegalArgumentException(
          "checkpointJournalBytes "
              + checkpointJournalBytes
              + ", least is "
              + MIN_CHECKPOINT_JOURNAL_BYTES);
    }
  }

  /**
   * Settings for the memory of a whole process: containers of 64 MiB, a sixteenth each for
   * decompressed blocks, for block tables and for the index's newest entries.
   *
   * @param memoryBytes what the process may take in all
   */
  public static EngineSettings ofMemory(long memoryBytes) {
    long part = Math.clamp(memoryBytes / 16, 4L << 20, 512L << 20);
    return new EngineSettings(
        new ContainerSettings(64 << 20, 4, part / 2, part / 2, 256),
        new IndexSettings(
            Math.min(part, 64L << 20),
            part / 2,
            IndexSettings.DEFAULT.partitionEntries(),
            IndexSettings.DEFAULT.mergeBytesPerSecond()),
        JournalSettings.DEFAULT,
        part / 2,
        64L << 20,
        256L << 20,
        true,
        RecompressionSettings.DEFAULT,
        WritebackSettings.ofMemory(memoryBytes));
  }

  /** The same with another reserve. */
  public EngineSettings withReserveBytes(long newReserveBytes) {
    return new EngineSettings(
        containers,
        index,
        journal,
        catalogCacheBytes,
        checkpointJournalBytes,
        newReserveBytes,
        backgroundHousekeeping,
        recompression,
        writeback);
  }

  /** The same with housekeeping that starts by itself, or does not. */
  public EngineSettings withBackgroundHousekeeping(boolean newBackgroundHousekeeping) {
    return new EngineSettings(
        containers,
        index,
        journal,
        catalogCacheBytes,
        checkpointJournalBytes,
        reserveBytes,
        newBackgroundHousekeeping,
        recompression,
        writeback);
  }

  /** The same with another recompression. */
  public EngineSettings withRecompression(RecompressionSettings newRecompression) {
    return new EngineSettings(
        containers,
        index,
        journal,
        catalogCacheBytes,
        checkpointJournalBytes,
        reserveBytes,
        backgroundHousekeeping,
        newRecompression,
        writeback);
  }

  /** The same with another write-back. */
  public EngineSettings withWriteback(WritebackSettings newWriteback) {
    return new EngineSettings(
        containers,
        index,
        journal,
        catalogCacheBytes,
        checkpointJournalBytes,
        reserveBytes,
        backgroundHousekeeping,
        recompression,
        newWriteback);
  }
}
