package onefold.store.index;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.LongPredicate;
import java.util.function.LongSupplier;
import onefold.chunker.Fingerprint;
import onefold.store.device.Device;
import org.jspecify.annotations.Nullable;

/**
 * Makes runs from the records of a table and from other runs. The files of the runs it returns are
 * forced, their names are not. When it throws it has removed what it had made.
 */
final class RunMaker {
  /** A run and the partition it belongs to. */
  record Made(Partition partition, Run run) {}

  private final Device device;
  private final String directory;
  private final LongSupplier runIds;

  /**
   * @param runIds gives numbers of runs that have never been used
   */
  RunMaker(Device device, String directory, LongSupplier runIds) {
    this.device = device;
    this.directory = directory;
    this.runIds = runIds;
  }

  /**
   * Writes records of a table, one run for each partition that gets any.
   *
   * @param wanted the containers whose records are written
   * @param version the table's version; its partitions
   */
  List<Made> flush(
      SortedRecords records,
      MemoryTable table,
      IndexVersion version,
      LongPredicate wanted,
      WriteGate gate)
      throws IOException {
    long[] parts = parts(records, table, wanted);
    var made = new ArrayList<Made>();
    boolean done = false;
    try {
      int from = 0;
      for (Partition partition : version.partitions()) {
        int to = from;
        while (to < records.count() && partition.holds(table.field(records.record(to), 0))) {
          to++;
        }
        Run run = flush(records, table, from, to, partition, parts, wanted, gate);
        if (run != null) {
          made.add(new Made(partition, run));
        }
        from = to;
      }
      done = true;
      return made;
    } finally {
      if (!done) {
        discard(made);
      }
    }
  }

  private @Nullable Run flush(
      SortedRecords records,
      MemoryTable table,
      int from,
      int to,
      Partition partition,
      long[] parts,
      LongPredicate wanted,
      WriteGate gate)
      throws IOException {
    int count = 0;
    for (int i = from; i < to; i++) {
      if (wanted.test(table.field(records.record(i), MemoryTable.CONTAINER))) {
        count++;
      }
    }
    if (count == 0) {
      return null;
    }
    RunFormat.Layout layout = layout(partition, parts);
    byte[] fingerprint = new byte[Fingerprint.BYTES];
    try (RunWriter writer = writer(layout, parts, count, partition.remainderBits(count), gate)) {
      for (int i = from; i < to; i++) {
        int record = records.record(i);
        long container = table.field(record, MemoryTable.CONTAINER);
        if (wanted.test(container)) {
          table.copyFingerprint(record, fingerprint, 0);
          writer.add(
              fingerprint,
              layout.droppedBytes(),
              container,
              table.field(record, MemoryTable.LOCATION));
        }
      }
      return writer.finish();
    }
  }

  private static long[] parts(SortedRecords records, MemoryTable table, LongPredicate wanted) {
    var parts = new TreeSet<Long>();
    long last = -1;
    for (int i = 0; i < records.count(); i++) {
      long container = table.field(records.record(i), MemoryTable.CONTAINER);
      if (container >>> 16 != last && wanted.test(container)) {
        last = container >>> 16;
        parts.add(last);
      }
    }
    return toArray(parts);
  }

  /**
   * Merges runs, leaving out entries of containers that are not known and all but one of equal
   * entries.
   *
   * @param inputs whole, loaded runs of one partition
   * @param targets that partition, or its two halves
   * @param known does not change meanwhile
   */
  List<Made> merge(List<Run> inputs, List<Partition> targets, ContainerSet known, WriteGate gate)
      throws IOException {
    long entries = 0;
    var parts = new TreeSet<Long>();
    var cursors = new ArrayList<RunCursor>();
    for (Run input : inputs) {
      entries += input.identity().entryCount();
      Run.Loaded loaded = input.load();
      for (long part : loaded.parts()) {
        if (known.containsAnyOf(part)) {
          parts.add(part);
        }
      }
      cursors.add(new RunCursor(input, loaded));
    }
    var output = new Output(targets, toArray(parts), entries, gate);
    boolean done = false;
    try {
      merge(cursors, known, output);
      List<Made> made = output.finish();
      done = true;
      return made;
    } finally {
      if (!done) {
        output.discard();
      }
    }
  }

  /** A run that was to be merged cannot be read. */
  static final class RunDamagedException extends IOException {
    private static final long serialVersionUID = 1L;

    @SuppressWarnings("serial") // never serialised; it travels from a method to its caller
    private final transient Run run;

    private final IOException damage;

    RunDamagedException(Run run, IOException damage) {
      super(damage);
      this.run = run;
      this.damage = damage;
    }

    Run run() {
      return run;
    }

    IOException damage() {
      return damage;
    }
  }

  private static void merge(List<RunCursor> inputs, ContainerSet known, Output output)
      throws IOException {
    RunCursor[] cursors = new RunCursor[inputs.size()];
    int count = 0;
    for (RunCursor cursor : inputs) {
      if (next(cursor)) {
        cursors[count++] = cursor;
      }
    }
    while (count > 0) {
      int least = 0;
      boolean tie = false;
      for (int i = 1; i < count; i++) {
        int order = Long.compare(cursors[i].first(), cursors[least].first());
        if (order == 0) {
          tie = true;
          order = cursors[i].compareTo(cursors[least]);
        }
        if (order < 0) {
          least = i;
        }
      }
      RunCursor cursor = cursors[least];
      if (tie) {
        for (int i = count - 1; i >= 0; i--) {
          if (i != least && cursors[i].compareTo(cursor) == 0 && !next(cursors[i])) {
            cursors[i] = cursors[--count];
            least = least == count ? i : least;
          }
        }
      }
      if (known.contains(cursor.container())) {
        output.add(cursor);
      }
      if (!next(cursor)) {
        cursors[least] = cursors[--count];
      }
    }
  }

  private static boolean next(RunCursor cursor) throws IOException {
    try {
      return cursor.next();
    } catch (IOException e) { // whatever it is, the run cannot be read
      throw new RunDamagedException(cursor.run(), e);
    }
  }

  /** The run, or the two runs, that a merge writes. */
  private final class Output {
    private final List<Partition> targets;
    private final long[] parts;
    private final long expectedEntries;
    private final WriteGate gate;
    private final List<Made> made = new ArrayList<>();
    private int target = -1;
    private RunFormat.@Nullable Layout layout;
    private @Nullable RunWriter writer;

    Output(List<Partition> targets, long[] parts, long entries, WriteGate gate) {
      this.targets = targets;
      this.parts = parts;
      this.expectedEntries = Math.max(1, entries / targets.size());
      this.gate = gate;
    }

    void add(RunCursor cursor) throws IOException {
      int belongs = 0;
      if (targets.size() > 1) {
        long first = cursor.first() ^ Long.MIN_VALUE;
        int parentBits = targets.getFirst().prefixBits() - 1;
        belongs = (int) (first << (parentBits & 7) >>> 63);
      }
      RunFormat.Layout to = layout;
      RunWriter out = writer;
      if (belongs != target || to == null || out == null) {
        finishRun();
        target = belongs;
        Partition partition = targets.get(belongs);
        to = layout(partition, parts);
        out = writer(to, parts, expectedEntries, partition.remainderBits(expectedEntries), gate);
        layout = to;
        writer = out;
      }
      int dropped = to.droppedBytes() - (Fingerprint.BYTES - cursor.fingerprintBytes());
      out.add(cursor.buffer(), cursor.offset() + dropped, cursor.container(), cursor.location());
    }

    private void finishRun() throws IOException {
      RunWriter out = writer;
      if (out != null) {
        made.add(new Made(targets.get(target), out.finish()));
        writer = null;
      }
    }

    List<Made> finish() throws IOException {
      finishRun();
      return made;
    }

    void discard() throws IOException {
      RunWriter out = writer;
      if (out != null) {
        out.close();
      }
      RunMaker.discard(made);
    }
  }

  /** Removes runs that no version will use. */
  static void discard(List<Made> made) {
    for (Made one : made) {
      one.run().obsolete();
      one.run().dispose();
    }
  }

  private RunFormat.Layout layout(Partition partition, long[] parts) {
    int containerBytes =
        parts.length <= 1 << 8 ? RunFormat.NARROW_CONTAINER_BYTES : RunFormat.WIDE_CONTAINER_BYTES;
    return new RunFormat.Layout(
        runIds.getAsLong(), partition.prefixBits(), partition.prefix(), containerBytes);
  }

  private RunWriter writer(
      RunFormat.Layout layout, long[] parts, long entries, int remainderBits, WriteGate gate)
      throws IOException {
    return new RunWriter(device, directory, layout, parts, entries, remainderBits, gate);
  }

  private static long[] toArray(Set<Long> parts) {
    return parts.stream().mapToLong(Long::longValue).toArray();
  }
}
