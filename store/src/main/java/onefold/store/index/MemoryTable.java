package onefold.store.index;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import onefold.chunker.Fingerprint;
import org.jspecify.annotations.Nullable;

/**
 * The newest entries, off the heap unless they are few: records that never change once they can be
 * seen, and an open addressing table of references to them. Entries are facts, "this slot of this
 * container holds this chunk", and are only added, so that the order in which they come does not
 * matter.
 *
 * <p>One thread at a time adds, under the index's lock; any number look beside it without a lock: a
 * reference is stored with release after its record was written and loaded with acquire. A table
 * that grows leaves the old references readable until the whole table is closed.
 */
final class MemoryTable extends Shared {
  /** Bytes of one record: fingerprint as four big-endian longs, container number, location. */
  static final int RECORD_BYTES = 48;

  /** Number of the field that holds the container. */
  static final int CONTAINER = 4;

  /** Number of the field that holds the location. */
  static final int LOCATION = 5;

  /** Most records: a reference holds 31 bits. */
  static final int MAX_RECORDS = 1 << 30;

  private static final int CHUNK_RECORDS_SHIFT = 10;
  private static final int CHUNK_RECORDS = 1 << CHUNK_RECORDS_SHIFT;
  private static final long CHUNK_BYTES = (long) CHUNK_RECORDS * RECORD_BYTES;

  /** Chunks are taken as many again as there are, at most so many: 1.5 MiB. */
  private static final int MAX_CHUNKS_AT_ONCE = 32;

  private static final int FIRST_REFERENCES_SHIFT = 11;
  private static final long MIX = 0x9e3779b97f4a7c15L;

  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
  private static final VarHandle REFERENCE = LONG.varHandle();
  private static final VarHandle BIG_ENDIAN =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

  /**
   * References by the high bits of the key's hash: the hash's upper 32 bits, then the record's
   * number + 1; 0 is free. Linear probing, at most half full.
   */
  private record References(MemorySegment slots, int shift) {
    long mask() {
      return (1L << shift) - 1;
    }
  }

  /**
   * Tables up to this size lie on the heap: memory off it costs a handshake of all threads when it
   * is given back, and is never given back when a simulated process dies.
   */
  private static final long HEAP_BYTES = 1 << 20;

  /** Null if the table lies on the heap. */
  private final @Nullable Arena arena;

  private final long seed;
  private volatile MemorySegment[] chunks = new MemorySegment[0];
  private volatile References references;
  private volatile int recordCount;
  private int chunkCount;
  private final AtomicLong memoryBytes = new AtomicLong();

  /**
   * Makes an empty table.
   *
   * @param seed secret of the process, so that nobody can choose chunks whose look-up is slow
   * @param expectedBytes how large it will become, about
   */
  MemoryTable(long seed, long expectedBytes) {
    this.seed = seed;
    this.arena = expectedBytes <= HEAP_BYTES ? null : openArena();
    references = allocateReferences(FIRST_REFERENCES_SHIFT);
  }

  int recordCount() {
    return recordCount;
  }

  long memoryBytes() {
    return memoryBytes.get();
  }

  @Override
  void dispose() {
    if (arena != null) {
      arena.close();
    }
  }

  @SuppressWarnings("MustBeClosedChecker") // Closed by dispose.
  private static Arena openArena() {
    return Arena.ofShared();
  }

  private MemorySegment allocate(long bytes) {
    return arena != null
        ? LargeMemory.allocate(arena, bytes)
        : MemorySegment.ofArray(new long[Math.toIntExact(bytes / Long.BYTES)]);
  }

  /**
   * Adds an entry, unless the same place is there already. A retraction of the place is another
   * entry.
   *
   * @return whether it was added
   */
  boolean add(byte[] fingerprints, int offset, long container, long location) {
    long second = (long) BIG_ENDIAN.get(fingerprints, offset + 8);
    return add(
        (long) BIG_ENDIAN.get(fingerprints, offset),
        second,
        (long) BIG_ENDIAN.get(fingerprints, offset + 16),
        (long) BIG_ENDIAN.get(fingerprints, offset + 24),
        container,
        location);
  }

  boolean add(long first, long second, long third, long fourth, long container, long location) {
    References table = references;
    int count = recordCount;
    if (count >= 1L << (table.shift - 1)) {
      table = grow(table);
    }
    long hash = hash(second);
    long mask = table.mask();
    long slot = hash >>> (64 - table.shift);
    while (true) {
      long reference = table.slots.getAtIndex(LONG, slot);
      if (reference == 0) {
        break;
      }
      if (reference >>> 32 == hash >>> 32) {
        int record = (int) reference - 1;
        MemorySegment chunk = chunks[record >>> CHUNK_RECORDS_SHIFT];
        long at = at(record);
        if (chunk.get(LONG, at) == first
            && chunk.get(LONG, at + 8) == second
            && chunk.get(LONG, at + 16) == third
            && chunk.get(LONG, at + 24) == fourth
            && chunk.get(LONG, at + 32) == container
            && chunk.get(LONG, at + 40) == location) {
          return false;
        }
      }
      slot = slot + 1 & mask;
    }
    if (count == MAX_RECORDS) {
      throw new IllegalStateException("index table with " + count + " records");
    }
    MemorySegment chunk = chunkFor(count);
    long at = at(count);
    chunk.set(LONG, at, first);
    chunk.set(LONG, at + 8, second);
    chunk.set(LONG, at + 16, third);
    chunk.set(LONG, at + 24, fourth);
    chunk.set(LONG, at + 32, container);
    chunk.set(LONG, at + 40, location);
    REFERENCE.setRelease(table.slots, slot * 8, (hash & 0xffff_ffff_0000_0000L) | (count + 1));
    recordCount = count + 1;
    return true;
  }

  /** Gives every entry of the key to the sink. */
  void find(byte[] fingerprints, int offset, long kindBit, EntrySink sink, int row) {
    References table = references;
    long second = (long) BIG_ENDIAN.get(fingerprints, offset + 8);
    long hash = hash(second);
    long mask = table.mask();
    long slot = hash >>> (64 - table.shift);
    while (true) {
      long reference = (long) REFERENCE.getAcquire(table.slots, slot * 8);
      if (reference == 0) {
        return;
      }
      if (reference >>> 32 == hash >>> 32) {
        int record = (int) reference - 1;
        MemorySegment chunk = chunks[record >>> CHUNK_RECORDS_SHIFT];
        long at = at(record);
        if (chunk.get(LONG, at) == (long) BIG_ENDIAN.get(fingerprints, offset)
            && chunk.get(LONG, at + 8) == second
            && chunk.get(LONG, at + 16) == (long) BIG_ENDIAN.get(fingerprints, offset + 16)
            && chunk.get(LONG, at + 24) == (long) BIG_ENDIAN.get(fingerprints, offset + 24)) {
          long location = chunk.get(LONG, at + 40);
          if (Locations.kindBit(location) == kindBit) {
            sink.found(row, chunk.get(LONG, at + 32), location);
          }
        }
      }
      slot = slot + 1 & mask;
    }
  }

  /**
   * Field of a record: 0 to 3 the fingerprint as unsigned longs, 4 the container, 5 the location.
   */
  long field(int record, int field) {
    return chunks[record >>> CHUNK_RECORDS_SHIFT].get(LONG, at(record) + field * 8L);
  }

  /** Adds a record to another table; says whether it was not there. */
  boolean copyRecord(int record, MemoryTable target) {
    return target.add(
        field(record, 0),
        field(record, 1),
        field(record, 2),
        field(record, 3),
        field(record, CONTAINER),
        field(record, LOCATION));
  }

  /** Writes a record's fingerprint to {@code target}. */
  void copyFingerprint(int record, byte[] target, int offset) {
    for (int i = 0; i < Fingerprint.BYTES / 8; i++) {
      BIG_ENDIAN.set(target, offset + i * 8, field(record, i));
    }
  }

  private long hash(long second) {
    long mixed = (second ^ seed) * MIX;
    return (mixed ^ mixed >>> 32) * MIX;
  }

  private static long at(int record) {
    return (record & (CHUNK_RECORDS - 1)) * (long) RECORD_BYTES;
  }

  private MemorySegment chunkFor(int record) {
    int chunk = record >>> CHUNK_RECORDS_SHIFT;
    if (chunk == chunkCount) {
      allocateChunks(Math.clamp(chunkCount, 1, MAX_CHUNKS_AT_ONCE));
    }
    return chunks[chunk];
  }

  private void allocateChunks(int count) {
    MemorySegment[] now = chunks;
    if (chunkCount + count > now.length) {
      now = Arrays.copyOf(now, Math.max(4, 2 * (chunkCount + count)));
    }
    MemorySegment all = allocate(count * CHUNK_BYTES);
    memoryBytes.addAndGet(count * CHUNK_BYTES);
    for (int i = 0; i < count; i++) {
      now[chunkCount + i] = all.asSlice(i * CHUNK_BYTES, CHUNK_BYTES);
    }
    chunks = now;
    chunkCount += count;
  }

  private References allocateReferences(int shift) {
    long bytes = 8L << shift;
    memoryBytes.addAndGet(bytes);
    return new References(allocate(bytes), shift);
  }

  private References grow(References old) {
    References grown = allocateReferences(old.shift + 1);
    long mask = grown.mask();
    for (long i = 0; i <= old.mask(); i++) {
      long reference = old.slots.getAtIndex(LONG, i);
      if (reference != 0) {
        long slot = (reference >>> 32) >>> (32 - grown.shift);
        while (grown.slots.getAtIndex(LONG, slot) != 0) {
          slot = slot + 1 & mask;
        }
        grown.slots.setAtIndex(LONG, slot, reference);
      }
    }
    references = grown;
    return grown;
  }
}
