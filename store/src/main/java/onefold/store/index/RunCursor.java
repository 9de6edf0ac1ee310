package onefold.store.index;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import onefold.store.CorruptDataException;

/** Reads a run from its first entry to its last, in large reads. One thread at a time uses it. */
final class RunCursor {
  private static final int BUFFER_PAGES = 64;

  private final Run run;
  private final Run.Loaded loaded;
  private final RunFormat.Layout layout;
  private final int entryCount;
  private final int pageCount;
  private final int entriesPerPage;
  private final int entryBytes;
  private final byte[] buffer;
  private int nextEntry;
  private int page = -1;
  private int firstPage;
  private int bufferedPages;
  private int inPage;
  private int offset;
  private long first;
  private long container;
  private long location;

  RunCursor(Run run, Run.Loaded loaded) {
    this.run = run;
    this.loaded = loaded;
    this.layout = loaded.layout();
    this.entryCount = run.identity().entryCount();
    this.pageCount = RunFormat.pageCount(layout, entryCount);
    this.entriesPerPage = layout.entriesPerPage();
    this.entryBytes = layout.entryBytes();
    this.buffer = new byte[Math.min(BUFFER_PAGES, pageCount) * RunFormat.PAGE_BYTES];
    this.inPage = entriesPerPage;
  }

  Run run() {
    return run;
  }

  /**
   * Goes to the next entry.
   *
   * @return false behind the last one
   * @throws CorruptDataException if its page is damaged
   */
  boolean next() throws IOException {
    if (nextEntry == entryCount) {
      return false;
    }
    if (inPage == entriesPerPage) {
      nextPage();
    } else {
      offset += entryBytes;
    }
    inPage++;
    nextEntry++;
    first = (long) RunFormat.BIG_ENDIAN.get(buffer, offset) ^ Long.MIN_VALUE;
    container = loaded.container(RunFormat.containerField(layout, buffer, offset));
    location = RunFormat.location(layout, buffer, offset);
    return true;
  }

  private void nextPage() throws IOException {
    page++;
    if (page == firstPage + bufferedPages) {
      firstPage = page;
      bufferedPages = Math.min(buffer.length / RunFormat.PAGE_BYTES, pageCount - page);
      loaded
          .file()
          .readFully(
              RunFormat.pageOffset(page),
              ByteBuffer.wrap(buffer, 0, bufferedPages * RunFormat.PAGE_BYTES));
    }
    int at = (page - firstPage) * RunFormat.PAGE_BYTES;
    RunFormat.checkPage(run.path(), layout, buffer, at, page);
    offset = at + RunFormat.PAGE_HEADER_BYTES;
    inPage = 0;
  }

  /** The first eight bytes that the run keeps of the fingerprint, so that signed order is right. */
  long first() {
    return first;
  }

  /** Bytes that the run keeps of a fingerprint. */
  int fingerprintBytes() {
    return layout.fingerprintBytes();
  }

  /** Holds the entry's fingerprint without the bytes that the run drops, at {@link #offset}. */
  byte[] buffer() {
    return buffer;
  }

  int offset() {
    return offset;
  }

  long container() {
    return container;
  }

  long location() {
    return location;
  }

  /** Order of two entries of runs of one partition: fingerprint, container, location. */
  int compareTo(RunCursor other) {
    int order = Long.compare(first, other.first);
    if (order == 0) {
      int bytes = layout.fingerprintBytes();
      order =
          Arrays.compareUnsigned(
              buffer, offset, offset + bytes, other.buffer, other.offset, other.offset + bytes);
    }
    if (order == 0) {
      order = Long.compareUnsigned(container, other.container);
    }
    return order == 0 ? Long.compare(location, other.location) : order;
  }
}
