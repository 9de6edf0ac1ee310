package onefold.store.simulator;

import java.io.IOException;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletionStage;
import onefold.chunker.ObjectRoot;
import onefold.store.Checkpoint;
import onefold.store.CommitRequest;
import onefold.store.Id;
import onefold.store.ItemRecord;
import onefold.store.ObjectWriter;
import org.jspecify.annotations.Nullable;

/** An upload as a plain stream, split into writes by a seed. */
final class StreamUpload implements OpenUpload {
  private final ObjectWriter writer;
  private final List<Plan.Segment> segments;
  private final SplittableRandom splits;
  private final int largestWrite;
  private int segment;
  private long inSegment;
  private long sentBytes;

  /** Goes on where the writer stands. */
  StreamUpload(ObjectWriter writer, List<Plan.Segment> segments, long splitSeed) {
    this.writer = writer;
    this.segments = segments;
    this.splits = new SplittableRandom(splitSeed);
    this.largestWrite = 1 << splits.nextInt(8, 18);
    sentBytes = writer.positionBytes();
    long left = sentBytes;
    while (segment < segments.size() && left >= length(segments.get(segment))) {
      left -= length(segments.get(segment++));
    }
    inSegment = left;
  }

  private static long length(Plan.Segment segment) {
    return segment.bytes().length + segment.holeBytes();
  }

  @Override
  public Id uploadId() {
    return writer.uploadId();
  }

  @Override
  public void feed(long untilBytes) throws IOException {
    while (segment < segments.size() && sentBytes < untilBytes) {
      Plan.Segment now = segments.get(segment);
      if (inSegment < now.bytes().length) {
        int left = now.bytes().length - (int) inSegment;
        int n = Math.min(left, 1 + splits.nextInt(largestWrite));
        if (splits.nextInt(16) == 0) {
          writer.write(now.bytes(), (int) inSegment, 0);
        }
        writer.write(now.bytes(), (int) inSegment, n);
        inSegment += n;
        sentBytes += n;
      }
      if (inSegment >= now.bytes().length) {
        long hole = length(now) - inSegment;
        if (hole > 0 && splits.nextInt(4) == 0) {
          writer.hole(hole / 2); // Neighbouring holes are one.
          sentBytes += hole / 2;
          hole -= hole / 2;
        }
        if (hole > 0) {
          writer.hole(hole);
          sentBytes += hole;
        } else if (segment + 1 < segments.size()) {
          writer.cut();
        }
        segment++;
        inSegment = 0;
      }
    }
    Wrong.unless(
        writer.positionBytes() == sentBytes,
        () ->
            "the writer stands at " + writer.positionBytes() + ", " + sentBytes + " were written");
  }

  @Override
  public long sentBytes() {
    return sentBytes;
  }

  @Override
  public @Nullable ObjectRoot root() {
    return null;
  }

  @Override
  public CompletionStage<Checkpoint> save(ObjectRoot root) {
    throw new IllegalStateException("a stream has no checkpoints of its own");
  }

  @Override
  public ItemRecord commit(CommitRequest request) throws IOException {
    return writer.commit(request);
  }

  @Override
  public long newBytes() {
    return writer.newBytes();
  }

  @Override
  public void abort() throws IOException {
    writer.abort();
  }

  @Override
  public void close() {
    writer.close();
  }

  @Override
  public List<Plan.Segment> segments() {
    return segments;
  }
}
