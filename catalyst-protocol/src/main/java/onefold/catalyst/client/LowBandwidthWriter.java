package onefold.catalyst.client;

import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.concurrent.ExecutionException;
import onefold.catalyst.wire.ErrorCode;
import onefold.catalyst.wire.ItemInfo;
import onefold.catalyst.wire.Tags;
import onefold.catalyst.wire.WireId;
import onefold.chunker.Cutter;
import org.jspecify.annotations.Nullable;

/**
 * Cuts, hashes and compresses here; sends what the appliance lacks. The caller's thread fills
 * segments and cuts them; workers hash and compress; a {@link Negotiation} does the talking.
 */
final class LowBandwidthWriter extends ItemWriter {
  /** Tells listeners each time so much was taken. */
  private static final long PROGRESS_BYTES = 1 << 20;

  private final Negotiation negotiation;
  private final SegmentRing ring;
  private final WriteOptions options;
  private final Cutter cutter;

  private @Nullable Segment segment;

  /** Where in the segment the bytes begin that are not cut yet. */
  private int uncutStart;

  /** Where in the item they begin. */
  private long uncutOffset;

  private long toldBytes;
  private boolean ended;

  LowBandwidthWriter(
      Connections connections, Workers workers, String store, String item, WriteOptions options)
      throws IOException {
    this.options = options;
    this.negotiation = new Negotiation(connections, workers, store, item, options);
    this.ring = negotiation.ring();
    this.cutter = Cutter.of(negotiation.parameterSet());
    var _ = Thread.ofVirtual().name("catalyst-upload " + item).start(negotiation);
  }

  @Override
  public WireId uploadId() {
    return negotiation.uploadId();
  }

  @Override
  public long positionBytes() {
    Segment filling = segment;
    return uncutOffset + (filling == null ? 0 : filling.filledBytes - uncutStart);
  }

  private Segment filling() throws IOException {
    Segment there = segment;
    if (there == null) {
      there = ring.acquire();
      segment = there;
      uncutStart = 0;
    }
    return there;
  }

  @Override
  public void write(byte[] source, int offset, int lengthBytes) throws IOException {
    Objects.checkFromIndexSize(offset, lengthBytes, source.length);
    checkOpen();
    int done = 0;
    while (done < lengthBytes) {
      Segment to = filling();
      int n = Math.min(lengthBytes - done, Segment.BYTES - to.filledBytes);
      System.arraycopy(source, offset + done, to.bytes, to.filledBytes, n);
      to.filledBytes += n;
      done += n;
      passOnIfFull(to);
    }
  }

  @Override
  public long transferFrom(InputStream source) throws IOException {
    checkOpen();
    long sum = 0;
    while (true) {
      Segment to = filling();
      int n = source.read(to.bytes, to.filledBytes, Segment.BYTES - to.filledBytes);
      if (n < 0) {
        return sum;
      }
      to.filledBytes += n;
      sum += n;
      passOnIfFull(to);
    }
  }

  private void passOnIfFull(Segment full) throws IOException {
    if (full.filledBytes == Segment.BYTES) {
      cutInto(full, false);
      passOn(full);
      if (positionBytes() - toldBytes >= PROGRESS_BYTES) {
        toldBytes = positionBytes();
        ProgressListener listener = options.progress();
        if (listener != null) {
          listener.progress(statistics());
        }
      }
    }
  }

  /** Cuts the uncut bytes; those of no whole chunk stay, unless the stream ends here. */
  private void cutInto(Segment from, boolean endOfStream) {
    int first = from.chunkCount;
    int n = cutter.cut(from.bytes, uncutStart, from.filledBytes, endOfStream, from.lengths, first);
    for (int i = first; i < first + n; i++) {
      from.starts[i] = uncutStart;
      from.offsets[i] = uncutOffset;
      uncutStart += from.lengths[i];
      uncutOffset += from.lengths[i];
    }
    from.chunkCount = first + n;
  }

  /** Hands a segment over and begins the next one with what was not cut. */
  private void passOn(Segment done) throws IOException {
    int restStart = uncutStart;
    int restBytes = done.filledBytes - restStart;
    Segment next = null;
    if (restBytes > 0) {
      // Acquired before the old one is handed over: until then nobody can take it from us.
      next = ring.acquire();
      System.arraycopy(done.bytes, restStart, next.bytes, 0, restBytes);
      next.filledBytes = restBytes;
    }
    negotiation.submit(done);
    segment = next;
    uncutStart = 0;
  }

  @Override
  public void cut() throws IOException {
    checkOpen();
    endChunk();
  }

  /** Cuts everything there is into chunks; the next byte begins a new one. */
  private void endChunk() throws IOException {
    Segment filling = segment;
    while (filling != null && filling.filledBytes > uncutStart) {
      cutInto(filling, true);
      if (filling.chunkCount == Segment.MAX_CHUNKS || filling.filledBytes == Segment.BYTES) {
        passOn(filling);
        filling = segment;
      }
    }
  }

  @Override
  public void hole(long lengthBytes) throws IOException {
    checkOpen();
    if (lengthBytes < 0) {
      throw new IllegalArgumentException("hole of " + lengthBytes + " bytes");
    }
    endChunk();
    uncutOffset = Math.addExact(uncutOffset, lengthBytes);
  }

  @Override
  public void splice(String store, ItemInfo item, long offsetBytes, long lengthBytes) {
    throw new IllegalStateException(
        "a low-bandwidth upload cannot splice; open the writer with Bandwidth.HIGH");
  }

  @Override
  public CommittedItem commit() throws IOException {
    return commit(options.tags());
  }

  @Override
  public CommittedItem commit(Map<String, String> tags) throws IOException {
    checkOpen();
    SortedMap<String, String> checked = Tags.checked(tags);
    endChunk();
    Segment last = segment;
    if (last != null && last.chunkCount > 0) {
      negotiation.submit(last);
    }
    segment = null;
    ended = true;
    negotiation.requestCommit(uncutOffset, checked);
    CommittedItem made = await();
    if (made == null) {
      throw new IOException("the upload was aborted");
    }
    return made;
  }

  @Override
  public void abort() throws IOException {
    if (ended) {
      return;
    }
    ended = true;
    negotiation.requestAbort();
    var _ = await();
  }

  private @Nullable CommittedItem await() throws IOException {
    try {
      return negotiation.outcome().get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      negotiation.requestClose();
      throw new CatalystException(ErrorCode.CANCELLED, "interrupted");
    } catch (ExecutionException e) {
      if (e.getCause() instanceof CatalystException refused) {
        throw refused;
      }
      Throwable cause = e.getCause() == null ? e : e.getCause();
      throw new IOException(String.valueOf(cause.getMessage()), cause);
    }
  }

  private void checkOpen() throws IOException {
    if (ended) {
      throw new IOException("the writer is closed");
    }
    ring.check();
  }

  @Override
  public UploadStatistics statistics() {
    return negotiation.statistics(positionBytes(), -1);
  }

  @Override
  public void close() {
    if (!ended) {
      ended = true;
      negotiation.requestClose();
    }
  }
}
