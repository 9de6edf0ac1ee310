package onefold.catalyst.client;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Map;
import onefold.catalyst.wire.ItemInfo;
import onefold.catalyst.wire.WireId;

/**
 * Writes one item. Nothing exists under its name until {@link #commit} returns; closed without it,
 * the upload stays unfinished with what its last checkpoint covers, and can be resumed or aborted
 * by its id. One thread at a time calls it.
 *
 * <p>When the connection breaks the writer connects again by the client's retry policy and goes on
 * where the appliance is; what it has is not sent again. Every method throws {@link
 * CatalystException} if the appliance refuses, another {@link IOException} if the line or the
 * source fails for good; the writer is of no use after that.
 */
public abstract sealed class ItemWriter extends OutputStream
    permits HighBandwidthWriter, LowBandwidthWriter {
  ItemWriter() {}

  /** Returns the upload's id, by which it is resumed or aborted. */
  public abstract WireId uploadId();

  /** Returns how many bytes of the item have been taken, holes and splices included. */
  public abstract long positionBytes();

  @Override
  public void write(int value) throws IOException {
    write(new byte[] {(byte) value}, 0, 1);
  }

  /** Appends bytes; they are read before the method returns. Waits when the buffer is full. */
  @Override
  public abstract void write(byte[] source, int offset, int lengthBytes) throws IOException;

  /**
   * Appends all that is left of a stream, without a copy in between.
   *
   * @return how many bytes that was
   */
  public abstract long transferFrom(InputStream source) throws IOException;

  /** Forces a chunk to end here, as an archive writer does at a member's end. */
  public abstract void cut() throws IOException;

  /** Appends zeros that are neither sent nor stored. */
  public abstract void hole(long lengthBytes) throws IOException;

  /**
   * Appends a range of another item of the same dedup domain without moving its data: the way to a
   * virtual synthetic full.
   *
   * @param store where the other item is
   * @param item the other item; refused with {@code CONFLICT} if its name means another version by
   *     now
   * @throws IllegalStateException in a low-bandwidth upload: open it with {@link Bandwidth#HIGH}
   */
  public abstract void splice(String store, ItemInfo item, long offsetBytes, long lengthBytes)
      throws IOException;

  /**
   * Makes what was written an item with the tags of the options; durable when it returns. Repeated
   * by itself when the connection breaks, it is done once.
   */
  public abstract CommittedItem commit() throws IOException;

  /** As {@link #commit()}, with other tags than those of the options. */
  public abstract CommittedItem commit(Map<String, String> tags) throws IOException;

  /** Drops the upload. */
  public abstract void abort() throws IOException;

  /** Returns the figures so far. */
  public abstract UploadStatistics statistics();

  /**
   * Does nothing: bytes travel as the protocol finds best, and only a commit makes them durable.
   */
  @Override
  public void flush() {}

  /** Leaves an upload that was neither committed nor aborted unfinished. Safe to call again. */
  @Override
  public abstract void close();
}
