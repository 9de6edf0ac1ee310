package onefold.store.housekeeping;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import java.util.random.RandomGenerator;
import onefold.chunker.Fingerprint;
import org.jspecify.annotations.Nullable;

/**
 * Which chunks of a fixed set are live: one bit a chunk, found by a perfect hash of its
 * fingerprint, in less than half a byte a chunk altogether, and nothing that names the chunks.
 *
 * <p>A fingerprint that is not in the set is taken for some other that is, or for none. Marking it
 * keeps at most that other one alive; asking whether it is live has no meaning. With check bits
 * (four bytes more for each chunk) a foreign fingerprint is told from the set's, but for one in
 * 2^32.
 *
 * <p>The set is cut into parts by the first bytes of the fingerprint, so that building needs memory
 * for one part's hashes only and reads its source once for each part. A part is cut into segments
 * of some {@link #SEGMENT_KEYS} keys by a secret hash, a segment into buckets of 3.2 keys. Each
 * bucket has a pilot, a byte for which the hashes of its keys and the pilot fall on slots of the
 * segment that no other key has; there are 4/3 slots a key. Large buckets choose first (Fox, Chen,
 * Heath: "A faster algorithm for constructing minimal perfect hash functions", 1992; with bytes as
 * pilots: Groot Koerkamp, "PtrHash", 2025). A look-up reads a pilot and a bit: two cache misses,
 * and {@link #markAll} has many of them on their way. That makes 8/3.2 + 4/3 = 3.83 bits a key.
 *
 * <p>One thread builds. Then any number of threads mark and ask, without waiting; a mark is never
 * taken back. Owns memory off the heap until {@link #close}.
 */
final class LiveVector implements AutoCloseable {
  /** Stands for a fingerprint that is known not to be in the set. */
  static final long UNKNOWN = -1;

  /** Keys of a segment, about: its slots stay in the fastest cache while it is built. */
  static final int SEGMENT_KEYS = 1 << 14;

  private static final double BUCKET_KEYS = 3.2;
  private static final double SLOTS_PER_KEY = 4 / 3.0;
  private static final int PILOTS = 256;
  private static final int MAX_TRIES = 1000;
  private static final int BATCH = 256;

  private static final long MIX = 0x9e3779b97f4a7c15L;
  private static final long MIX_PILOT = 0xd6e8feb86659fd93L;

  private static final VarHandle BIG_ENDIAN =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
  private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
  private static final VarHandle WORD = LONG.varHandle();

  /** Fields of a segment in its part's table. */
  private static final int SEGMENT_FIELDS = 4;

  private static final int PILOT_START = 0;
  private static final int BUCKETS = 1;
  private static final int SLOT_START = 2;
  private static final int SEED = 3;

  /** Where the set comes from. It is read several times and must not change meanwhile. */
  interface Source {
    /**
     * Gives the fingerprints of the set; one may come more than once. May leave out those whose
     * first eight bytes, as an unsigned number, are below {@code first} or above {@code last}.
     */
    void read(long first, long last, Sink sink) throws IOException;
  }

  /** Takes fingerprints. */
  interface Sink {
    /** Takes {@code count} fingerprints of 32 bytes from the start of the array. */
    void fingerprints(byte[] fingerprints, int count);
  }

  /**
   * The keys with the same first bits.
   *
   * @param segments how many
   * @param table {@link #SEGMENT_FIELDS} for each segment, and the end of slots behind the last
   * @param slotBase number of the first slot among those of all parts
   */
  private record Part(
      int segments,
      long[] table,
      MemorySegment pilots,
      MemorySegment bits,
      MemorySegment checks,
      long slotBase) {
    int slots(int segment) {
      int at = segment * SEGMENT_FIELDS + SLOT_START;
      return (int) (table[at + SEGMENT_FIELDS] - table[at]);
    }
  }

  /**
   * Vectors of so few keys lie on the heap: memory off it costs a handshake of all threads when it
   * is given back, and is never given back when a simulated process dies.
   */
  private static final long HEAP_KEYS = 1 << 16;

  /** Null if the vector lies on the heap. */
  private final @Nullable Arena arena;

  private final long secret;
  private final boolean checked;
  private final Part[] parts;
  private final long keyCount;
  private final long memoryBytes;
  private final LongAdder marked = new LongAdder();

  @SuppressWarnings("MustBeClosedChecker") // closed by close
  private static Arena openArena() {
    return Arena.ofShared();
  }

  private LiveVector(
      Source source, long expectedKeys, long scratchBytes, boolean checked, RandomGenerator random)
      throws IOException {
    this.arena = expectedKeys <= HEAP_KEYS ? null : openArena();
    this.secret = random.nextLong();
    this.checked = checked;
    long keysOfPart = Math.max(1, scratchBytes / (2 * Long.BYTES));
    int partCount = Math.toIntExact(Math.max(1, (expectedKeys + keysOfPart - 1) / keysOfPart));
    this.parts = new Part[partCount];
    boolean done = false;
    try {
      long keys = 0;
      long slots = 0;
      long bytes = 0;
      for (int part = 0; part < partCount; part++) {
        var hashes = new Hashes(Math.toIntExact(Math.min(keysOfPart, expectedKeys) + 16));
        int wanted = part;
        source.read(
            firstOf(part, partCount),
            part + 1 == partCount ? -1 : firstOf(part + 1, partCount) - 1,
            (fingerprints, count) -> {
              for (int i = 0; i < count; i++) {
                int offset = i * Fingerprint.BYTES;
                if (partOf((long) BIG_ENDIAN.get(fingerprints, offset)) == wanted) {
                  hashes.add(hash(fingerprints, offset));
                }
              }
            });
        parts[part] = build(hashes, slots, random);
        keys += hashes.count;
        slots = parts[part].slotBase + slotCount(parts[part]);
        bytes += bytesOf(parts[part]);
      }
      keyCount = keys;
      memoryBytes = bytes;
      done = true;
    } finally {
      if (!done) {
        close();
      }
    }
  }

  /**
   * Builds a vector in which nothing is marked.
   *
   * @param expectedKeys how many fingerprints there are, about: it decides how often the source is
   *     read, and a wrong number costs memory or readings
   * @param scratchBytes heap that building may take, about: the source is read once for each {@code
   *     scratchBytes / 16} keys
   * @param checked whether foreign fingerprints are told apart, for four bytes a chunk
   * @throws IOException from the source
   */
  static LiveVector build(
      Source source, long expectedKeys, long scratchBytes, boolean checked, RandomGenerator random)
      throws IOException {
    return new LiveVector(source, expectedKeys, scratchBytes, checked, random);
  }

  /** How many different fingerprints are in the set. */
  long keyCount() {
    return keyCount;
  }

  /** One more than the greatest number of a bit. */
  long slotCount() {
    Part last = parts[parts.length - 1];
    return last.slotBase + slotCount(last);
  }

  /** How many bits are marked. */
  long markedCount() {
    return marked.sum();
  }

  /** Memory it takes, off the heap and in its tables. */
  long memoryBytes() {
    return memoryBytes;
  }

  @Override
  public void close() {
    if (arena != null) {
      arena.close();
    }
  }

  private MemorySegment allocate(long bytes) {
    return arena != null
        ? arena.allocate(bytes, 64)
        : MemorySegment.ofArray(new long[Math.toIntExact((bytes + Long.BYTES - 1) / Long.BYTES)]);
  }

  /**
   * Finds the number of a chunk's bit.
   *
   * @return {@link #UNKNOWN} if it is known not to be in the set
   */
  long find(byte[] fingerprints, int offset) {
    Part part = parts[partOf((long) BIG_ENDIAN.get(fingerprints, offset))];
    long hash = hash(fingerprints, offset);
    int segment = segmentOf(part, hash);
    if (part.slots(segment) == 0) {
      return UNKNOWN;
    }
    int pilot = part.pilots.get(BYTE, pilotAt(part, segment, hash)) & 0xff;
    long slot = slotAt(part, segment, hash, pilot);
    if (checked && part.checks.getAtIndex(INT, slot) != check(hash)) {
      return UNKNOWN;
    }
    return part.slotBase + slot;
  }

  /** Marks a chunk by the number of its bit; says whether it was not marked before. */
  boolean mark(long chunk) {
    Part part = parts[partOfSlot(chunk)];
    return mark(part, chunk - part.slotBase);
  }

  /** Whether a chunk is marked, by the number of its bit. */
  boolean isMarked(long chunk) {
    Part part = parts[partOfSlot(chunk)];
    long slot = chunk - part.slotBase;
    return ((long) WORD.getOpaque(part.bits, slot >>> 6 << 3) >>> slot & 1) != 0;
  }

  /** Whether a chunk of the set is marked. */
  boolean isLive(byte[] fingerprints, int offset) {
    long chunk = find(fingerprints, offset);
    return chunk != UNKNOWN && isMarked(chunk);
  }

  /**
   * Marks many chunks: about ten times as fast as one at a time when the vector is larger than the
   * cache.
   *
   * @param fingerprints 32 bytes each, from the start
   * @param count how many
   */
  void markAll(byte[] fingerprints, int count) {
    long[] hashes = new long[Math.min(count, BATCH)];
    Part[] partOf = new Part[hashes.length];
    int[] segmentOf = new int[hashes.length];
    long[] slots = new long[hashes.length];
    for (int from = 0; from < count; from += BATCH) {
      int n = Math.min(BATCH, count - from);
      for (int i = 0; i < n; i++) {
        int offset = (from + i) * Fingerprint.BYTES;
        Part part = parts[partOf((long) BIG_ENDIAN.get(fingerprints, offset))];
        long hash = hash(fingerprints, offset);
        hashes[i] = hash;
        partOf[i] = part;
        segmentOf[i] = segmentOf(part, hash);
      }
      for (int i = 0; i < n; i++) {
        Part part = partOf[i];
        long hash = hashes[i];
        int segment = segmentOf[i];
        slots[i] =
            part.slots(segment) == 0
                ? UNKNOWN
                : slotAt(
                    part,
                    segment,
                    hash,
                    part.pilots.get(BYTE, pilotAt(part, segment, hash)) & 0xff);
      }
      if (checked) {
        for (int i = 0; i < n; i++) {
          if (slots[i] != UNKNOWN
              && partOf[i].checks.getAtIndex(INT, slots[i]) != check(hashes[i])) {
            slots[i] = UNKNOWN;
          }
        }
      }
      for (int i = 0; i < n; i++) {
        if (slots[i] != UNKNOWN) {
          mark(partOf[i], slots[i]);
        }
      }
    }
  }

  private boolean mark(Part part, long slot) {
    long at = slot >>> 6 << 3;
    long bit = 1L << slot;
    if (((long) WORD.getOpaque(part.bits, at) & bit) != 0
        || ((long) WORD.getAndBitwiseOr(part.bits, at, bit) & bit) != 0) {
      return false;
    }
    marked.increment();
    return true;
  }

  private int partOf(long first) {
    return (int) Math.unsignedMultiplyHigh(first, parts.length);
  }

  private static long firstOf(int part, int partCount) {
    // The least first with mulhi(first, partCount) == part: part * 2^64 / partCount, rounded up.
    return part == 0 ? 0 : Long.divideUnsigned(-1, partCount) * part + firstRest(part, partCount);
  }

  private static long firstRest(int part, int partCount) {
    long rest = (Long.remainderUnsigned(-1, partCount) + 1) * part; // 2^64 = q * count + rest
    return (rest + partCount - 1) / partCount;
  }

  private int partOfSlot(long slot) {
    int low = 0;
    int high = parts.length - 1;
    while (low < high) {
      int middle = (low + high + 1) >>> 1;
      if (parts[middle].slotBase <= slot) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }

  /** The key's hash: half of the fingerprint is more than enough, and a secret hides its order. */
  private long hash(byte[] fingerprints, int offset) {
    long mixed = ((long) BIG_ENDIAN.get(fingerprints, offset + 8) ^ secret) * MIX;
    mixed = (mixed ^ mixed >>> 32 ^ (long) BIG_ENDIAN.get(fingerprints, offset + 16)) * MIX;
    return mixed ^ mixed >>> 29;
  }

  private static int check(long hash) {
    return (int) ((hash * MIX_PILOT) >>> 32);
  }

  private static int segmentOf(Part part, long hash) {
    return (int) Math.unsignedMultiplyHigh(hash, part.segments);
  }

  private static long pilotAt(Part part, int segment, long hash) {
    int at = segment * SEGMENT_FIELDS;
    return part.table[at + PILOT_START]
        + bucketOf(hash, part.segments, (int) part.table[at + BUCKETS]);
  }

  /** A segment's buckets divide its hashes evenly, in their order. */
  private static int bucketOf(long hash, int segments, int buckets) {
    return (int) Math.unsignedMultiplyHigh(hash * segments, buckets);
  }

  private static long slotAt(Part part, int segment, long hash, int pilot) {
    int at = segment * SEGMENT_FIELDS;
    return part.table[at + SLOT_START]
        + slotOf(hash, part.table[at + SEED], pilot, part.slots(segment));
  }

  private static int slotOf(long hash, long seed, int pilot, int slots) {
    long mixed = (hash ^ seed ^ pilot * MIX_PILOT) * MIX;
    mixed = (mixed ^ mixed >>> 32) * MIX_PILOT;
    return (int) Math.unsignedMultiplyHigh(mixed, slots);
  }

  private static long slotCount(Part part) {
    return part.table[part.segments * SEGMENT_FIELDS + SLOT_START];
  }

  private static long bytesOf(Part part) {
    return part.table.length * 8L
        + part.pilots.byteSize()
        + part.bits.byteSize()
        + part.checks.byteSize();
  }

  /** The hashes of one part. */
  private static final class Hashes {
    private long[] hashes;
    private int count;

    Hashes(int capacity) {
      hashes = new long[capacity];
    }

    void add(long hash) {
      if (count == hashes.length) {
        hashes = Arrays.copyOf(hashes, Math.addExact(count, count / 2 + 16));
      }
      hashes[count++] = hash;
    }

    /** Sorts them as unsigned numbers and leaves one of equal ones. */
    void sort() {
      for (int i = 0; i < count; i++) {
        hashes[i] ^= Long.MIN_VALUE;
      }
      Arrays.sort(hashes, 0, count);
      int kept = 0;
      for (int i = 0; i < count; i++) {
        long hash = hashes[i] ^ Long.MIN_VALUE;
        if (kept == 0 || hashes[kept - 1] != hash) {
          hashes[kept++] = hash;
        }
      }
      count = kept;
    }
  }

  private Part build(Hashes hashes, long slotBase, RandomGenerator random) {
    hashes.sort();
    int segments = Math.max(1, hashes.count / SEGMENT_KEYS);
    long[] table = new long[(segments + 1) * SEGMENT_FIELDS];
    var built = new ArrayList<SegmentBuilder>();
    int from = 0;
    for (int segment = 0; segment < segments; segment++) {
      int to = from;
      while (to < hashes.count
          && Math.unsignedMultiplyHigh(hashes.hashes[to], segments) == segment) {
        to++;
      }
      var builder = new SegmentBuilder(hashes.hashes, from, to, segments, random);
      built.add(builder);
      int at = segment * SEGMENT_FIELDS;
      table[at + BUCKETS] = builder.buckets;
      table[at + SEED] = builder.seed;
      table[at + SEGMENT_FIELDS + PILOT_START] = table[at + PILOT_START] + builder.buckets;
      table[at + SEGMENT_FIELDS + SLOT_START] = table[at + SLOT_START] + builder.slots;
      from = to;
    }
    return collect(hashes, segments, table, built, slotBase);
  }

  private Part collect(
      Hashes hashes, int segments, long[] table, List<SegmentBuilder> built, long slotBase) {
    long pilotCount = table[segments * SEGMENT_FIELDS + PILOT_START];
    long slots = table[segments * SEGMENT_FIELDS + SLOT_START];
    MemorySegment pilots = allocate(Math.max(1, pilotCount));
    MemorySegment bits = allocate(((slots >>> 6) + 1) * 8);
    MemorySegment checks = allocate(checked ? Math.max(1, slots) * 4 : 0);
    var part = new Part(segments, table, pilots, bits, checks, slotBase);
    for (int segment = 0; segment < segments; segment++) {
      SegmentBuilder builder = built.get(segment);
      MemorySegment.copy(
          builder.pilots,
          0,
          pilots,
          BYTE,
          table[segment * SEGMENT_FIELDS + PILOT_START],
          builder.buckets);
    }
    for (int i = 0; checked && i < hashes.count; i++) {
      long hash = hashes.hashes[i];
      int segment = segmentOf(part, hash);
      int pilot = pilots.get(BYTE, pilotAt(part, segment, hash)) & 0xff;
      checks.setAtIndex(INT, slotAt(part, segment, hash, pilot), check(hash));
    }
    return part;
  }

  /** Finds the pilots of one segment. */
  private static final class SegmentBuilder {
    private final long[] hashes;
    private final int buckets;
    private final int[] bucketStart;
    private final int[] bySize;
    private final int[] chosen;
    private final byte[] pilots;
    private long seed;
    private int slots;

    /** Builds from the ascending, different hashes of one segment. */
    SegmentBuilder(long[] hashes, int from, int to, int segments, RandomGenerator random) {
      this.hashes = hashes;
      int keys = to - from;
      buckets = keys == 0 ? 0 : (int) (keys / BUCKET_KEYS) + 1;
      pilots = new byte[buckets];
      bucketStart = new int[buckets + 1];
      int at = from;
      int largest = 0;
      for (int bucket = 0; bucket < buckets; bucket++) {
        bucketStart[bucket] = at;
        while (at < to && bucketOf(hashes[at], segments, buckets) == bucket) {
          at++;
        }
        largest = Math.max(largest, at - bucketStart[bucket]);
      }
      if (buckets > 0) {
        bucketStart[buckets] = to;
      }
      chosen = new int[largest];
      bySize = largestFirst(largest);
      if (keys > 0) {
        placeAll(keys, random);
      }
    }

    /** Chooses seeds until all buckets find their pilots; the first nearly always does. */
    private void placeAll(int keys, RandomGenerator random) {
      for (int tries = 0; tries < MAX_TRIES; tries++) {
        slots = Math.max(1, (int) (keys * SLOTS_PER_KEY * (1 + tries / 20.0)));
        seed = random.nextLong();
        if (place()) {
          return;
        }
      }
      throw new IllegalStateException("no perfect hash for " + keys + " keys");
    }

    private int[] largestFirst(int largest) {
      int[] next = new int[largest + 2];
      for (int bucket = 0; bucket < buckets; bucket++) {
        next[largest - size(bucket) + 1]++;
      }
      for (int i = 1; i < next.length; i++) {
        next[i] += next[i - 1];
      }
      int[] order = new int[buckets];
      for (int bucket = 0; bucket < buckets; bucket++) {
        order[next[largest - size(bucket)]++] = bucket;
      }
      return order;
    }

    private int size(int bucket) {
      return bucketStart[bucket + 1] - bucketStart[bucket];
    }

    private boolean place() {
      long[] taken = new long[(slots >>> 6) + 1];
      for (int bucket : bySize) {
        int pilot = 0;
        while (pilot < PILOTS && !place(bucket, pilot, taken)) {
          pilot++;
        }
        if (pilot == PILOTS) {
          return false;
        }
        pilots[bucket] = (byte) pilot;
      }
      return true;
    }

    private boolean place(int bucket, int pilot, long[] taken) {
      int from = bucketStart[bucket];
      int size = size(bucket);
      for (int i = 0; i < size; i++) {
        int slot = slotOf(hashes[from + i], seed, pilot, slots);
        if ((taken[slot >>> 6] >>> slot & 1) != 0) {
          for (int j = 0; j < i; j++) {
            taken[chosen[j] >>> 6] &= ~(1L << chosen[j]);
          }
          return false;
        }
        taken[slot >>> 6] |= 1L << slot;
        chosen[i] = slot;
      }
      return true;
    }
  }
}
