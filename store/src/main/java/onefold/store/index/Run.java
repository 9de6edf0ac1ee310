package onefold.store.index;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import onefold.store.CorruptDataException;
import onefold.store.device.Device;
import onefold.store.device.DeviceFile;
import org.jspecify.annotations.Nullable;

/**
 * A sorted run on disk. Its file is opened and its filter read when it is first asked; the file is
 * removed when the last version that uses the run is gone and it is {@linkplain #obsolete
 * obsolete}.
 */
final class Run extends Shared {
  private static final String NAME = "run-";

  /**
   * What the manifest says about a run.
   *
   * @param id never reused
   * @param entryCount entries in it
   * @param remainderBits of its filter
   * @param fileBytes size of its file
   */
  record Identity(long id, int entryCount, int remainderBits, long fileBytes) {}

  /** What a run owns while it can be read. */
  record Loaded(
      DeviceFile file, RunFormat.Layout layout, long[] parts, RankFilter filter, Arena arena) {
    long container(int containerField) throws CorruptDataException {
      int part = containerField >>> 16;
      if (part >= parts.length) {
        throw new CorruptDataException(
            file.path(), -1, "one of " + parts.length + " parts of container numbers", "" + part);
      }
      return parts[part] << 16 | (containerField & 0xffff);
    }
  }

  private final Device device;
  private final String path;
  private final Identity identity;
  private volatile @Nullable Loaded loaded;
  private volatile boolean obsolete;
  private volatile long damagedAt; // changed under the index's lock

  /** Opens an arena that the caller hands to a {@link Loaded}, or closes. */
  @SuppressWarnings("MustBeClosedChecker") // the run that takes it over closes it in dispose
  static Arena openArena() {
    return Arena.ofShared();
  }

  Run(Device device, String directory, Identity identity) {
    this(device, path(directory, identity.id), identity, null);
  }

  private Run(Device device, String path, Identity identity, @Nullable Loaded loaded) {
    this.device = device;
    this.path = path;
    this.identity = identity;
    this.loaded = loaded;
  }

  static Run written(Device device, String path, Identity identity, Loaded loaded) {
    return new Run(device, path, identity, loaded);
  }

  /** The same run, not loaded, for a version that shall need no memory for it. */
  Run unloaded() {
    var run = new Run(device, path, identity, null);
    run.damagedAt = damagedAt;
    return run;
  }

  static String path(String directory, long id) {
    return directory + "/" + NAME + Long.toHexString(id);
  }

  static boolean isRunName(String name) {
    return name.startsWith(NAME);
  }

  Identity identity() {
    return identity;
  }

  String path() {
    return path;
  }

  @Nullable Loaded loaded() {
    return loaded;
  }

  /** Generation of the damage found in it, 0 if it is whole. */
  long damagedAt() {
    return damagedAt;
  }

  void markDamaged(long generation) {
    damagedAt = generation;
  }

  /** Says that the file shall be removed with the last user. */
  void obsolete() {
    obsolete = true;
  }

  /**
   * Opens the file and reads the filter, if that has not been done. One thread at a time calls it.
   *
   * @throws CorruptDataException if the file is not the run that the manifest names, or damaged
   */
  Loaded load() throws IOException {
    Loaded now = loaded;
    if (now != null) {
      return now;
    }
    DeviceFile file = device.open(path, false);
    Arena arena = Run.openArena();
    boolean done = false;
    try {
      long fileBytes = file.sizeBytes();
      if (fileBytes != identity.fileBytes) {
        throw new CorruptDataException(
            path, -1, "file of " + identity.fileBytes + " bytes", fileBytes + " bytes");
      }
      byte[] page = new byte[RunFormat.PAGE_BYTES];
      file.readFully(0, ByteBuffer.wrap(page));
      RunFormat.Layout layout = RunFormat.decodeHeader(path, page);
      byte[] end = new byte[RunFormat.FOOTER_BYTES];
      file.readFully(fileBytes - end.length, ByteBuffer.wrap(end));
      RunFormat.Footer footer = RunFormat.decodeFooter(path, layout, end, fileBytes);
      if (layout.runId() != identity.id || footer.entryCount() != identity.entryCount) {
        throw new CorruptDataException(
            path,
            32,
            "run " + identity.id + " of " + identity.entryCount + " entries",
            "run " + layout.runId() + " of " + footer.entryCount());
      }
      byte[] table = new byte[8 * footer.containerParts()];
      file.readFully(RunFormat.tableOffset(layout, footer), ByteBuffer.wrap(table));
      long[] parts = RunFormat.decodeTable(path, layout, footer, table);
      MemorySegment bytes = LargeMemory.allocate(arena, footer.filterBytes());
      long filterOffset = RunFormat.filterOffset(layout, footer);
      file.readFully(filterOffset, bytes.asByteBuffer());
      int crc = RunFormat.crc(bytes);
      if (crc != footer.filterCrc()) {
        throw new CorruptDataException(
            path,
            filterOffset,
            "CRC of the filter " + Integer.toHexString(footer.filterCrc()),
            Integer.toHexString(crc));
      }
      RankFilter filter;
      try {
        filter = RankFilter.of(bytes, footer.groups(), identity.entryCount, footer.remainderBits());
      } catch (IllegalArgumentException e) {
        throw new CorruptDataException(path, filterOffset, "a filter", String.valueOf(e));
      }
      now = new Loaded(file, layout, parts, filter, arena);
      loaded = now;
      done = true;
      return now;
    } finally {
      if (!done) {
        arena.close();
        file.close();
      }
    }
  }

  @Override
  void dispose() {
    Loaded now = loaded;
    try {
      if (now != null) {
        loaded = null;
        now.arena.close();
        now.file.close();
      }
      if (obsolete) {
        device.delete(path);
      }
    } catch (IOException e) {
      // Nobody reads the file any more; a name that stays is removed when the index is opened.
    }
  }
}
