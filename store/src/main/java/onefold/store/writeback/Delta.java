package onefold.store.writeback;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import onefold.store.Id;
import onefold.store.writeback.Extent.Content;
import onefold.store.writeback.Extent.Memory;
import onefold.store.writeback.WritebackFormat.LogRecord;
import onefold.store.writeback.WritebackFormat.Part;

/**
 * Changes of an object that are to be logged, in records of about {@value #RECORD_BYTES} bytes.
 *
 * <p>Of several records each leads to a number of its own. What only the first ones lead to is a
 * state that never was, but nobody has been told that it is durable.
 */
final class Delta {
  /** Bytes of a record, about; it is longer by at most one write. */
  private static final int RECORD_BYTES = 1 << 20;

  private final long previous;
  private final long cut;
  private final long length;
  private final byte[] note;
  private final List<List<Extent>> groups = new ArrayList<>();
  private final List<Long> numbers = new ArrayList<>();

  private Delta(long previous, long cut, long length, byte[] note) {
    this.previous = previous;
    this.cut = cut;
    this.length = length;
    this.note = note;
  }

  /**
   * What leads from one number to another.
   *
   * @param cut the least length in between, {@link Long#MAX_VALUE} for none
   * @param changed extents with a number above {@code previous}
   */
  static Delta of(
      long previous, long number, long cut, long length, byte[] note, List<Extent> changed) {
    Delta delta = new Delta(previous, cut, length, note);
    List<Extent> byNumber = new ArrayList<>(changed);
    byNumber.sort((a, b) -> Long.compare(a.number(), b.number()));
    List<Extent> group = new ArrayList<>();
    long bytes = 0;
    long last = previous;
    for (Extent extent : byNumber) {
      if (bytes >= RECORD_BYTES && extent.number() > last) {
        delta.add(group, last);
        group = new ArrayList<>();
        bytes = 0;
      }
      group.add(extent);
      bytes += recordBytes(extent);
      last = extent.number();
    }
    delta.add(group, number);
    return delta;
  }

  /**
   * All that lies over a recipe, under numbers that follow the recipe's.
   *
   * @param something whether there is something to say even without extents
   */
  static Delta everything(
      long baseNumber,
      long cut,
      long length,
      byte[] note,
      List<Extent> extents,
      boolean something) {
    Delta delta = new Delta(baseNumber, cut, length, note);
    List<Extent> group = new ArrayList<>();
    long bytes = 0;
    for (Extent extent : extents) {
      if (bytes >= RECORD_BYTES) {
        delta.add(group, delta.number() + 1);
        group = new ArrayList<>();
        bytes = 0;
      }
      group.add(extent);
      bytes += recordBytes(extent);
    }
    if (something || !group.isEmpty()) {
      delta.add(group, delta.number() + 1);
    }
    return delta;
  }

  private void add(List<Extent> group, long number) {
    group.sort((a, b) -> Long.compare(a.start(), b.start()));
    groups.add(group);
    numbers.add(number);
  }

  private static long recordBytes(Extent extent) {
    return WritebackFormat.SPLICE_BYTES + (extent.isData() ? extent.length() : 0);
  }

  long length() {
    return length;
  }

  int recordCount() {
    return groups.size();
  }

  /** The number that a record leads to. */
  long number(int record) {
    return numbers.get(record);
  }

  /** The number that all lead to. */
  long number() {
    return numbers.isEmpty() ? previous : numbers.getLast();
  }

  /** The extents of a record, in the order of its parts. */
  List<Extent> extents(int record) {
    return groups.get(record);
  }

  LogRecord record(int index, Id shareId, Id objectId, byte[] key, LoggedBytes logged)
      throws IOException {
    List<Part> parts = new ArrayList<>();
    for (Extent extent : groups.get(index)) {
      parts.add(part(extent, logged));
    }
    return new LogRecord(
        shareId,
        objectId,
        key,
        index == 0 ? previous : numbers.get(index - 1),
        numbers.get(index),
        index == 0 ? cut : Long.MAX_VALUE,
        length,
        note,
        parts);
  }

  private static Part part(Extent extent, LoggedBytes logged) throws IOException {
    long start = extent.start();
    long bytes = extent.length();
    return switch (extent.content()) {
      case Content.Data data -> {
        Memory memory = data.memory();
        byte[] from = memory == null ? logged.of(data) : memory.bytes;
        int offset = memory == null ? data.loggedOffset() : data.offset();
        int crc = WritebackFormat.crc(from, offset, (int) bytes);
        yield new Part.Data(start, bytes, crc, from, offset);
      }
      case Content.Zeros zeros -> new Part.Zeros(start, bytes, zeros == Content.Zeros.RESERVED);
      case Content.Splice splice ->
          new Part.Splice(start, bytes, splice.source().base.root, splice.position());
    };
  }
}
