package onefold.store.index;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import onefold.store.CorruptDataException;
import org.jspecify.annotations.Nullable;

/**
 * Reads, for one look-up, the pages of runs that filters let pass, and gives the entries with the
 * wanted keys to a sink. Pages are read in the order of the files, each once however many keys want
 * it, and the device is told of the next {@link #PAGES_AHEAD} before it is asked for one, so that
 * many are on their way at once. Whatever goes wrong with a run's file is reported as damage of
 * that run and the look-up goes on without it. One thread uses it.
 */
final class PageReader {
  /** Opens runs and hears of damage. */
  interface Owner {
    /** Loads a run. */
    Run.Loaded load(Run run) throws IOException;

    /**
     * Hears that a run could not be read.
     *
     * @return false if the run is no longer part of the index: what it held stands elsewhere
     */
    boolean damaged(Run run, IOException damage);

    /** Hears how many pages were read from the device. */
    void pagesRead(int pages);
  }

  /**
   * How many pages a look-up has on their way: a disk that gives 10,600 pages a second one after
   * the other gave 51,000 with 32 of them, 52,000 with 128 and 56,000 with 512.
   */
  private static final int PAGES_AHEAD = 128;

  private static final int INDEX_BITS = 20;
  private static final int PAGE_BITS = 27;

  private final Owner owner;
  private final PageCache.Space cache;
  private EntrySink sink;
  private final byte[] page = new byte[RunFormat.PAGE_BYTES];

  /** Whose page stands in {@link #page}; null if none does. */
  private @Nullable Run pageRun;

  private int pageNumber;
  private final Set<Run> lost = new HashSet<>();

  @SuppressWarnings("unused") // it is written so that its value must be computed
  private int touched;

  private boolean stale;
  private int count;
  private int[] rows = new int[16];
  private int[] offsets = new int[16];
  private int[] ranks = new int[16];
  private int[] rankCounts = new int[16];
  private Run[] runs = new Run[16];
  private Run.Loaded[] loads = new Run.Loaded[16];

  private int[] readRows = new int[16];
  private int readCount;

  PageReader(Owner owner, PageCache.Space cache, EntrySink sink) {
    this.owner = owner;
    this.cache = cache;
    this.sink = sink;
  }

  /** Gives what is found from now on to another sink. */
  void sendTo(EntrySink next) {
    sink = next;
  }

  EntrySink sink() {
    return sink;
  }

  /** Loads a run; null if it is damaged. */
  Run.@Nullable Loaded load(Run run) {
    if (lost.contains(run)) {
      return null;
    }
    try {
      return owner.load(run);
    } catch (IOException e) { // whatever it is, the run cannot be read: it can be built again
      lose(run, e);
      return null;
    }
  }

  private void lose(Run run, IOException damage) {
    if (lost.add(run) && !owner.damaged(run, damage)) {
      stale = true;
    }
  }

  /** Whether a run of the partition could not be read by this look-up. */
  boolean hasLost(Partition partition) {
    for (Run run : partition.runs()) {
      if (lost.contains(run)) {
        return true;
      }
    }
    return false;
  }

  /** Whether that was of no consequence, if the look-up is done again with the version now. */
  boolean isStale() {
    return stale;
  }

  boolean anyLost() {
    return !lost.isEmpty();
  }

  /** Takes a row that a filter let pass, with the ranks where the key may stand. */
  void candidate(int row, int offset, Run run, Run.Loaded loaded, int rank, int rankCount) {
    if (count == rows.length) {
      int capacity = 2 * count;
      rows = Arrays.copyOf(rows, capacity);
      offsets = Arrays.copyOf(offsets, capacity);
      ranks = Arrays.copyOf(ranks, capacity);
      rankCounts = Arrays.copyOf(rankCounts, capacity);
      runs = Arrays.copyOf(runs, capacity);
      loads = Arrays.copyOf(loads, capacity);
    }
    rows[count] = row;
    offsets[count] = offset;
    ranks[count] = rank;
    rankCounts[count] = rankCount;
    runs[count] = run;
    loads[count++] = loaded;
  }

  /** Takes what touching memory gave, so that the touching is not left out as useless. */
  void touched(int value) {
    touched = value;
  }

  /** Reads the pages of all candidates and forgets the candidates. */
  void readPages(byte[] fingerprints, long kindBit) {
    int before = readCount;
    for (int from = 0; from < count; from += 1 << INDEX_BITS) {
      readPages(from, Math.min(count, from + (1 << INDEX_BITS)), fingerprints, kindBit);
    }
    count = 0;
    if (readCount > before) {
      owner.pagesRead(readCount - before);
    }
  }

  private void readPages(int from, int to, byte[] fingerprints, long kindBit) {
    long[] order = inOrderOfPages(from, to);
    int told = 0;
    pageRun = null; // What stands in the page may be of a version that is gone.
    for (int at = 0; at < order.length; at++) {
      told = tellAhead(from, order, told, Math.min(order.length, at + PAGES_AHEAD));
      int candidate = from + indexOf(order[at]);
      try {
        read(candidate, fingerprints, kindBit);
      } catch (IOException e) { // as in load
        pageRun = null;
        lose(runs[candidate], e);
      }
    }
  }

  /**
   * The candidates, sorted by run and page. The run's number may be cut and so put two runs
   * together: that costs a reading, nothing else.
   */
  private long[] inOrderOfPages(int from, int to) {
    long[] order = new long[to - from];
    for (int i = 0; i < order.length; i++) {
      long page = ranks[from + i] / loads[from + i].layout().entriesPerPage();
      order[i] = (runs[from + i].identity().id() << PAGE_BITS | page) << INDEX_BITS | i;
    }
    Arrays.sort(order);
    return order;
  }

  private static int indexOf(long ordered) {
    return (int) ordered & ((1 << INDEX_BITS) - 1);
  }

  /** Tells the device of the first pages of candidates. */
  private int tellAhead(int firstCandidate, long[] order, int told, int to) {
    for (int at = told; at < to; at++) {
      if (at > 0 && (order[at] ^ order[at - 1]) >>> INDEX_BITS == 0) {
        continue;
      }
      int candidate = firstCandidate + indexOf(order[at]);
      Run.Loaded loaded = loads[candidate];
      int number = ranks[candidate] / loaded.layout().entriesPerPage();
      try {
        loaded.file().willRead(RunFormat.pageOffset(number), RunFormat.PAGE_BYTES);
      } catch (IOException e) {
        // The reading will meet it too.
      }
    }
    return Math.max(told, to);
  }

  private void read(int candidate, byte[] fingerprints, long kindBit) throws IOException {
    Run run = runs[candidate];
    Run.Loaded loaded = loads[candidate];
    RunFormat.Layout layout = loaded.layout();
    int perPage = layout.entriesPerPage();
    int key = offsets[candidate] + layout.droppedBytes();
    int keyBytes = layout.fingerprintBytes();
    int end = ranks[candidate] + rankCounts[candidate];
    for (int rank = ranks[candidate]; rank < end; rank++) {
      int number = rank / perPage;
      if (run != pageRun || number != pageNumber) {
        readPage(rows[candidate], run, loaded, number);
      }
      int at = RunFormat.PAGE_HEADER_BYTES + rank % perPage * layout.entryBytes();
      if (Arrays.equals(fingerprints, key, key + keyBytes, page, at, at + keyBytes)) {
        long location = RunFormat.location(layout, page, at);
        if (!Locations.isValid(location)) {
          throw new CorruptDataException(
              run.path(),
              RunFormat.pageOffset(number) + at,
              "an entry's location",
              Long.toHexString(location));
        }
        if (Locations.kindBit(location) == kindBit) {
          sink.found(
              rows[candidate],
              loaded.container(RunFormat.containerField(layout, page, at)),
              location);
        }
      }
    }
  }

  private void readPage(int row, Run run, Run.Loaded loaded, int number) throws IOException {
    pageRun = null;
    if (!cache.get(run.identity().id(), number, page)) {
      if (readCount == readRows.length) {
        readRows = Arrays.copyOf(readRows, 2 * readCount);
      }
      readRows[readCount++] = row;
      loaded.file().readFully(RunFormat.pageOffset(number), ByteBuffer.wrap(page));
      RunFormat.checkPage(run.path(), loaded.layout(), page, 0, number);
      cache.put(run.identity().id(), number, page);
    }
    pageRun = run;
    pageNumber = number;
  }

  /** How many pages were read for rows that are absent all the same. */
  int missPagesRead(Places places) {
    int misses = 0;
    for (int i = 0; i < readCount; i++) {
      if (places.containerNumbers()[readRows[i]] == Places.ABSENT) {
        misses++;
      }
    }
    return misses;
  }
}
