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
 * wanted keys to a sink. Whatever goes wrong with a run's file is reported as damage of that run
 * and the look-up goes on without it. One thread uses it.
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

  private final Owner owner;
  private final PageCache cache;
  private EntrySink sink;
  private final byte[] page = new byte[RunFormat.PAGE_BYTES];
  private final Set<Run> lost = new HashSet<>();

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

  PageReader(Owner owner, PageCache cache, EntrySink sink) {
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

  /** Reads the pages of all candidates and forgets the candidates. */
  void readPages(byte[] fingerprints, long kindBit) {
    int before = readCount;
    for (int i = 0; i < count; i++) {
      try {
        read(i, fingerprints, kindBit);
      } catch (IOException e) { // as in load
        lose(runs[i], e);
      }
    }
    count = 0;
    if (readCount > before) {
      owner.pagesRead(readCount - before);
    }
  }

  private void read(int candidate, byte[] fingerprints, long kindBit) throws IOException {
    Run run = runs[candidate];
    Run.Loaded loaded = loads[candidate];
    RunFormat.Layout layout = loaded.layout();
    int perPage = layout.entriesPerPage();
    int key = offsets[candidate] + layout.droppedBytes();
    int keyBytes = layout.fingerprintBytes();
    int end = ranks[candidate] + rankCounts[candidate];
    int inMemory = -1;
    for (int rank = ranks[candidate]; rank < end; rank++) {
      int number = rank / perPage;
      if (number != inMemory) {
        readPage(rows[candidate], run, loaded, number);
        inMemory = number;
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
    if (cache.get(run.identity().id(), number, page)) {
      return;
    }
    if (readCount == readRows.length) {
      readRows = Arrays.copyOf(readRows, 2 * readCount);
    }
    readRows[readCount++] = row;
    loaded.file().readFully(RunFormat.pageOffset(number), ByteBuffer.wrap(page));
    RunFormat.checkPage(run.path(), loaded.layout(), page, 0, number);
    cache.put(run.identity().id(), number, page);
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
