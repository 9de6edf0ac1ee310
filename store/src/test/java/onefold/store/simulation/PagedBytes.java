package onefold.store.simulation;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The content of a simulated file: pages that snapshots share until one of them is written. A
 * missing page is zeros.
 */
final class PagedBytes {
  static final int PAGE_BYTES = 4096;

  private static final byte[] ZEROS = new byte[PAGE_BYTES];

  private byte[] @Nullable [] pages;
  private boolean[] owned;
  private long sizeBytes;

  PagedBytes() {
    this(new byte[0][], 0);
  }

  private PagedBytes(byte[] @Nullable [] pages, long sizeBytes) {
    this.pages = pages;
    this.owned = new boolean[pages.length];
    this.sizeBytes = sizeBytes;
  }

  long sizeBytes() {
    return sizeBytes;
  }

  /** The content as it is now; both go on by themselves. */
  PagedBytes snapshot() {
    Arrays.fill(owned, false);
    return new PagedBytes(pages.clone(), sizeBytes);
  }

  void write(long positionBytes, byte[] source, int offset, int lengthBytes) {
    int done = 0;
    while (done < lengthBytes) {
      long at = positionBytes + done;
      int page = Math.toIntExact(at / PAGE_BYTES);
      int within = (int) (at % PAGE_BYTES);
      int length = Math.min(PAGE_BYTES - within, lengthBytes - done);
      System.arraycopy(source, offset + done, writablePage(page), within, length);
      done += length;
    }
    sizeBytes = Math.max(sizeBytes, positionBytes + lengthBytes);
  }

  private byte[] writablePage(int page) {
    if (page >= pages.length) {
      int length = Math.max(page + 1, pages.length + (pages.length >> 1));
      pages = Arrays.copyOf(pages, length);
      owned = Arrays.copyOf(owned, length);
    }
    byte[] found = pages[page];
    if (found != null && owned[page]) {
      return found;
    }
    byte[] own = found == null ? new byte[PAGE_BYTES] : found.clone();
    pages[page] = own;
    owned[page] = true;
    return own;
  }

  /** Reads what there is; stops at the end. */
  void read(long positionBytes, ByteBuffer target) {
    long at = positionBytes;
    while (target.hasRemaining() && at < sizeBytes) {
      int within = (int) (at % PAGE_BYTES);
      int length =
          (int) Math.min(Math.min(PAGE_BYTES - within, target.remaining()), sizeBytes - at);
      long page = at / PAGE_BYTES;
      byte[] found = page < pages.length ? pages[(int) page] : null;
      if (found != null) {
        target.put(found, within, length);
      } else {
        target.put(ZEROS, 0, length);
      }
      at += length;
    }
  }

  /** Grows with zeros, or cuts off. */
  void resize(long newSizeBytes) {
    if (newSizeBytes < sizeBytes) {
      int kept = Math.toIntExact((newSizeBytes + PAGE_BYTES - 1) / PAGE_BYTES);
      for (int page = kept; page < pages.length; page++) {
        pages[page] = null;
        owned[page] = false;
      }
      int within = (int) (newSizeBytes % PAGE_BYTES);
      if (within > 0 && kept <= pages.length && pages[kept - 1] != null) {
        Arrays.fill(writablePage(kept - 1), within, PAGE_BYTES, (byte) 0);
      }
    }
    sizeBytes = newSizeBytes;
  }
}
