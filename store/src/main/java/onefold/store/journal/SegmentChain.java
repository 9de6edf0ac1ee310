package onefold.store.journal;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.device.Device;
import onefold.store.journal.JournalFormat.SegmentHeader;
import onefold.store.journal.JournalFormat.SegmentKind;
import onefold.store.journal.SegmentReader.Damage;
import org.jspecify.annotations.Nullable;

/** The segments found in a directory, in order, and what they say together. */
final class SegmentChain {
  /**
   * One segment.
   *
   * @param limitPosition later segments have cut it here
   * @param endPosition one past its last record; {@code firstPosition} if it counts for nothing
   */
  record Segment(
      long number, String path, long firstPosition, long endPosition, long limitPosition) {
    boolean isEmpty() {
      return endPosition <= firstPosition;
    }
  }

  final List<Segment> segments = new ArrayList<>();

  /** What cannot be read, ascending; those that have been accepted first. */
  final List<Damage> damages = new ArrayList<>();

  /** Position that the next record gets, or -1 if there is nothing to say so. */
  long nextPosition = -1;

  /** Where the last segment that can be read ends, or the directory. */
  String endPath;

  /** At which byte, or -1. */
  long endOffset = -1;

  /** Everything before it is known to have been forced. */
  long forcedPosition = -1;

  /** Losses before it have been accepted. */
  long lossAcceptedPosition = -1;

  long highestNumber;

  private SegmentChain(String directory) {
    this.endPath = directory;
  }

  /**
   * Reads the directory's segments.
   *
   * @throws IOException if one belongs to another owner, a higher epoch or a newer release
   */
  static SegmentChain read(Device device, String directory, Id owner, long epoch)
      throws IOException {
    SegmentChain chain = new SegmentChain(directory);
    List<Long> numbers = new ArrayList<>();
    for (String name : device.list(directory)) {
      long number = JournalFormat.segmentNumber(name);
      if (number >= 0) {
        numbers.add(number);
      }
    }
    Collections.sort(numbers);
    List<@Nullable SegmentHeader> headers = new ArrayList<>();
    CorruptDataException[] headerDamages = new CorruptDataException[numbers.size()];
    for (int i = 0; i < numbers.size(); i++) {
      String path = directory + "/" + JournalFormat.segmentName(numbers.get(i));
      SegmentHeader header = null;
      try {
        header = SegmentReader.readHeader(device, path);
        check(path, header, numbers.get(i), owner, epoch);
      } catch (CorruptDataException e) {
        headerDamages[i] = e;
      }
      headers.add(header);
      chain.highestNumber = numbers.get(i);
    }
    long[] limits = limits(headers);
    CorruptDataException pending = null;
    for (int i = 0; i < numbers.size(); i++) {
      if (headerDamages[i] != null) {
        pending = headerDamages[i];
        continue;
      }
      String path = directory + "/" + JournalFormat.segmentName(numbers.get(i));
      pending = chain.add(SegmentReader.read(device, path), limits[i], pending);
    }
    if (pending != null) {
      // The newest segment cannot be read: what it held was acknowledged for all we know.
      long from = Math.max(chain.nextPosition, 1);
      chain.damages.add(new Damage(from, Long.MAX_VALUE, pending));
    }
    return chain;
  }

  private static void check(String path, SegmentHeader header, long number, Id owner, long epoch)
      throws IOException {
    if (!header.owner().equals(owner)) {
      throw new IOException(path + " belongs to " + header.owner() + ", expected " + owner);
    }
    if (header.epoch() > epoch) {
      throw new IOException(
          path + " was written in epoch " + header.epoch() + "; epoch " + epoch + " is over");
    }
    if (header.number() != number) {
      throw new CorruptDataException(path, 48, "segment " + number, "segment " + header.number());
    }
  }

  private static long[] limits(List<@Nullable SegmentHeader> headers) {
    long[] limits = new long[headers.size()];
    long limit = Long.MAX_VALUE;
    for (int i = headers.size() - 1; i >= 0; i--) {
      limits[i] = limit;
      SegmentHeader header = headers.get(i);
      if (header != null && header.kind() != SegmentKind.FOLLOWS) {
        limit = Math.min(limit, header.firstPosition());
      }
    }
    return limits;
  }

  /** Adds the next segment; answers the damage whose range is not known yet. */
  private @Nullable CorruptDataException add(
      SegmentReader segment, long limit, @Nullable CorruptDataException pending)
      throws CorruptDataException {
    SegmentReader.Walk walk = segment.walk(limit);
    SegmentHeader header = segment.header;
    boolean cuts = header.kind() != SegmentKind.FOLLOWS;
    boolean exact = cuts || walk.firstPosition() >= 0;
    long first = exact && !cuts ? walk.firstPosition() : Math.min(header.firstPosition(), limit);
    long end = Math.max(first, walk.endPosition());
    segments.add(new Segment(header.number(), segment.path, first, end, limit));
    endPath = segment.path;
    endOffset = walk.endOffset();
    if (nextPosition >= 0 && first > nextPosition) {
      CorruptDataException why =
          pending != null
              ? pending
              : new CorruptDataException(
                  segment.path,
                  JournalFormat.HEADER_BYTES,
                  "the record of position " + nextPosition + " here or in a segment before",
                  "position " + first);
      damages.add(new Damage(nextPosition, first, why));
    } else if (!cuts && exact && first < nextPosition) {
      throw new CorruptDataException(
          segment.path,
          JournalFormat.HEADER_BYTES,
          "the record of position " + nextPosition,
          "position " + first);
    }
    damages.addAll(walk.damages());
    // A segment is made when everything before its first position is durable.
    forcedPosition = Math.max(forcedPosition, Math.min(header.firstPosition(), limit));
    forcedPosition = Math.max(forcedPosition, walk.forcedPosition());
    if (!exact) {
      nextPosition = Math.max(nextPosition, first);
      return pending;
    }
    if (header.kind() == SegmentKind.LOSS_ACCEPTED) {
      lossAcceptedPosition = first;
    }
    nextPosition = end;
    return null;
  }

  /**
   * Hands the records from {@code from} (inclusive) to {@code to} (exclusive) to a visitor.
   *
   * @throws CorruptDataException if one of them is damaged and the loss has not been accepted
   */
  static void replay(
      Device device,
      List<Segment> segments,
      List<Damage> damages,
      long lossAcceptedPosition,
      long from,
      long to,
      JournalVisitor visitor)
      throws IOException {
    long passed = 0;
    for (Segment segment : segments) {
      if (segment.isEmpty() || segment.endPosition() <= from || segment.firstPosition() >= to) {
        continue;
      }
      SegmentReader reader = SegmentReader.read(device, segment.path());
      SegmentReader.Walk walk = reader.walk(Math.min(segment.limitPosition(), to));
      for (int offset : walk.offsets()) {
        long position = JournalFormat.position(reader.bytes, offset);
        if (position < from) {
          continue;
        }
        passDamages(damages, passed, position, lossAcceptedPosition, from, visitor);
        passed = position;
        visitor.record(
            new JournalPosition(JournalFormat.epoch(reader.bytes, offset), position),
            JournalFormat.type(reader.bytes, offset),
            reader.payload(offset),
            segment.number(),
            offset + (long) JournalFormat.RECORD_HEADER_BYTES);
      }
    }
    passDamages(damages, passed, to, lossAcceptedPosition, from, visitor);
  }

  /**
   * Tells, or throws, the damages that begin from {@code passed} on and before {@code position}.
   */
  static void passDamages(
      List<Damage> damages,
      long passed,
      long position,
      long lossAcceptedPosition,
      long from,
      JournalVisitor visitor)
      throws IOException {
    for (Damage damage : damages) {
      if (damage.fromPosition() < passed
          || damage.fromPosition() >= position
          || damage.toPosition() <= from) {
        continue;
      }
      if (damage.fromPosition() >= lossAcceptedPosition) {
        throw damage.why();
      }
      long end = Math.min(damage.toPosition(), lossAcceptedPosition);
      visitor.lost(damage.fromPosition(), end, damage.why());
    }
  }
}
