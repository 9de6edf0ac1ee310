package onefold.store.index;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Arrays;
import onefold.store.device.Device;
import onefold.store.device.DeviceFile;

/**
 * Writes one run, entries in ascending order of (fingerprint, container, location). Owns the file
 * until {@link #finish} hands it to a {@link Run}; {@link #close} before that removes it.
 */
final class RunWriter implements AutoCloseable {
  private static final int BUFFER_PAGES = 64;

  private final Device device;
  private final String path;
  private final RunFormat.Layout layout;
  private final long[] parts;
  private final RankFilter.Builder filter;
  private final WriteGate gate;
  private final DeviceFile file;
  private final byte[] buffer = new byte[BUFFER_PAGES * RunFormat.PAGE_BYTES];
  private final int entriesPerPage;
  private final int entryBytes;
  private final int fingerprintBytes;
  private int bufferedPages;
  private int firstBufferedPage;
  private int pageEntries;
  private int entryCount;
  private int lastPart;
  private boolean finished;

  /**
   * Makes the file.
   *
   * @param parts container numbers without their lower 16 bits, ascending as unsigned numbers, of
   *     all containers that entries will name
   * @param expectedEntries as {@link RankFilter.Builder}
   */
  RunWriter(
      Device device,
      String directory,
      RunFormat.Layout layout,
      long[] parts,
      long expectedEntries,
      int remainderBits,
      WriteGate gate)
      throws IOException {
    if (parts.length > layout.maxContainerParts()) {
      throw new IllegalArgumentException("container table of " + parts.length + " entries");
    }
    this.device = device;
    this.path = Run.path(directory, layout.runId());
    this.layout = layout;
    this.parts = parts;
    this.gate = gate;
    this.filter = new RankFilter.Builder(expectedEntries, remainderBits);
    this.entriesPerPage = layout.entriesPerPage();
    this.entryBytes = layout.entryBytes();
    this.fingerprintBytes = layout.fingerprintBytes();
    this.file = device.create(path);
  }

  /**
   * Adds an entry.
   *
   * @param source holds the fingerprint without the bytes that the layout drops, at {@code offset}
   */
  void add(byte[] source, int offset, long container, long location) throws IOException {
    if (entryCount == 0 && pageEntries == 0) {
      file.write(0, ByteBuffer.wrap(RunFormat.encodeHeader(layout)));
    }
    int at =
        bufferedPages * RunFormat.PAGE_BYTES
            + RunFormat.PAGE_HEADER_BYTES
            + pageEntries * entryBytes;
    System.arraycopy(source, offset, buffer, at, fingerprintBytes);
    RunFormat.putEntry(layout, buffer, at, containerField(container), location);
    filter.add(layout.suffixKey((long) RunFormat.BIG_ENDIAN.get(source, offset)));
    entryCount = Math.addExact(entryCount, 1);
    if (++pageEntries == entriesPerPage) {
      endPage();
    }
  }

  int entryCount() {
    return entryCount;
  }

  private int containerField(long container) {
    long part = container >>> 16;
    if (parts[lastPart] != part) {
      lastPart = Arrays.binarySearch(parts, part);
      if (lastPart < 0) {
        throw new IllegalStateException("container " + container + " is not in the run's table");
      }
    }
    return lastPart << 16 | ((int) container & 0xffff);
  }

  private void endPage() throws IOException {
    RunFormat.sealPage(
        layout,
        buffer,
        bufferedPages * RunFormat.PAGE_BYTES,
        firstBufferedPage + bufferedPages,
        pageEntries);
    pageEntries = 0;
    if (++bufferedPages == BUFFER_PAGES) {
      writePages();
    }
  }

  private void writePages() throws IOException {
    int bytes = bufferedPages * RunFormat.PAGE_BYTES;
    if (bytes > 0) {
      file.write(RunFormat.pageOffset(firstBufferedPage), ByteBuffer.wrap(buffer, 0, bytes));
      firstBufferedPage += bufferedPages;
      bufferedPages = 0;
      gate.wrote(bytes);
    }
  }

  /**
   * Writes what is left and forces the file; its name is not forced.
   *
   * @return the run, ready to be read; at least one entry must have been added
   */
  Run finish() throws IOException {
    if (entryCount == 0) {
      throw new IllegalStateException("a run without entries");
    }
    if (pageEntries > 0) {
      endPage();
    }
    writePages();
    filter.finish();
    byte[] table = RunFormat.encodeTable(parts);
    Arena arena = Run.openArena();
    boolean done = false;
    try {
      MemorySegment filterBytes = LargeMemory.allocate(arena, filter.byteCount());
      filter.copyTo(filterBytes);
      var footer =
          new RunFormat.Footer(
              entryCount,
              parts.length,
              filter.remainderBits(),
              filter.groups(),
              RunFormat.crc(table, 0, table.length),
              RunFormat.crc(filterBytes));
      file.write(RunFormat.tableOffset(layout, footer), ByteBuffer.wrap(table));
      file.write(RunFormat.filterOffset(layout, footer), filterBytes.asByteBuffer());
      long fileBytes = RunFormat.fileBytes(layout, footer);
      file.write(
          fileBytes - RunFormat.FOOTER_BYTES,
          ByteBuffer.wrap(RunFormat.encodeFooter(layout, footer)));
      file.force();
      RankFilter ready =
          RankFilter.of(filterBytes, footer.groups(), entryCount, footer.remainderBits());
      Run run =
          Run.written(
              device,
              path,
              new Run.Identity(layout.runId(), entryCount, footer.remainderBits(), fileBytes),
              new Run.Loaded(file, layout, parts, ready, arena));
      done = true;
      finished = true;
      return run;
    } finally {
      if (!done) {
        arena.close();
      }
    }
  }

  /** Removes the file unless it has been finished. */
  @Override
  public void close() throws IOException {
    if (!finished) {
      finished = true;
      file.close();
      device.delete(path);
    }
  }
}
