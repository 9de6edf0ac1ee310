package onefold.store.housekeeping;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;

/**
 * {@link LiveChunks} as a hash table of whole fingerprints: exact, about 80 bytes a chunk. One
 * thread fills it, then it is read only, but for the marks.
 */
final class LiveTable implements LiveChunks {
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  /** Keys of one segment; a table is a row of segments chosen by the fingerprint's last bytes. */
  private static final int FIRST_CAPACITY = 1 << 10;

  private final Segment[] segments;
  private final LongAdder marked = new LongAdder();

  private static final class Segment {
    private byte[] keys = new byte[FIRST_CAPACITY * Fingerprint.BYTES];
    private byte[] kinds = new byte[FIRST_CAPACITY];
    private int size;
    private AtomicLongArray marks = new AtomicLongArray(FIRST_CAPACITY >>> 6);

    int slotOf(ChunkKind kind, byte[] source, int offset) {
      int mask = kinds.length - 1;
      int slot = (int) (long) LONG.get(source, offset) & mask;
      while (kinds[slot] != 0
          && (kinds[slot] != kind.code()
              || !Arrays.equals(
                  keys,
                  slot * Fingerprint.BYTES,
                  (slot + 1) * Fingerprint.BYTES,
                  source,
                  offset,
                  offset + Fingerprint.BYTES))) {
        slot = (slot + 1) & mask;
      }
      return slot;
    }

    void add(ChunkKind kind, byte[] source, int offset) {
      int slot = slotOf(kind, source, offset);
      if (kinds[slot] != 0) {
        return;
      }
      kinds[slot] = (byte) kind.code();
      System.arraycopy(source, offset, keys, slot * Fingerprint.BYTES, Fingerprint.BYTES);
      if (++size * 3L > kinds.length * 2L) {
        grow();
      }
    }

    private void grow() {
      byte[] oldKeys = keys;
      byte[] oldKinds = kinds;
      keys = new byte[Math.multiplyExact(oldKeys.length, 2)];
      kinds = new byte[oldKinds.length * 2];
      marks = new AtomicLongArray(kinds.length >>> 6);
      for (int i = 0; i < oldKinds.length; i++) {
        if (oldKinds[i] != 0) {
          int at = i * Fingerprint.BYTES;
          int slot = slotOf(ChunkKind.ofCode(oldKinds[i]), oldKeys, at);
          kinds[slot] = oldKinds[i];
          System.arraycopy(oldKeys, at, keys, slot * Fingerprint.BYTES, Fingerprint.BYTES);
        }
      }
    }
  }

  LiveTable() {
    segments = new Segment[256];
    for (int i = 0; i < segments.length; i++) {
      segments[i] = new Segment();
    }
  }

  /** Puts chunks into the set, before the first mark. */
  void add(FingerprintBatch chunks) {
    byte[] fingerprints = chunks.fingerprints();
    for (int i = 0; i < chunks.count(); i++) {
      int at = i * Fingerprint.BYTES;
      segments[segmentOf(fingerprints, at)].add(chunks.kind(), fingerprints, at);
    }
  }

  private static int segmentOf(byte[] fingerprints, int offset) {
    return fingerprints[offset + Fingerprint.BYTES - 1] & 0xff;
  }

  @Override
  public long find(ChunkKind kind, byte[] fingerprints, int offset) {
    int segment = segmentOf(fingerprints, offset);
    int slot = segments[segment].slotOf(kind, fingerprints, offset);
    return segments[segment].kinds[slot] == 0 ? UNKNOWN : (long) segment << 32 | slot;
  }

  @Override
  public boolean mark(long chunk) {
    AtomicLongArray marks = segments[(int) (chunk >>> 32)].marks;
    int slot = (int) chunk;
    long bit = 1L << slot;
    long before = marks.getAndUpdate(slot >>> 6, word -> word | bit);
    boolean fresh = (before & bit) == 0;
    if (fresh) {
      marked.increment();
    }
    return fresh;
  }

  @Override
  public boolean isMarked(long chunk) {
    int slot = (int) chunk;
    return (segments[(int) (chunk >>> 32)].marks.get(slot >>> 6) >>> slot & 1) != 0;
  }

  @Override
  public long markedCount() {
    return marked.sum();
  }
}
