package onefold.chunker;

import java.util.Arrays;

/**
 * A run of chunks as columns: fingerprints in 32-byte slots and lengths, so that no object is made
 * per chunk. One kind per batch. The arrays are handed out and may be written by the owner; a
 * method that takes a batch reads it before it returns unless it says otherwise.
 */
public final class FingerprintBatch {
  private final ChunkKind kind;
  private byte[] fingerprints;
  private int[] lengths;
  private int count;

  /** Makes an empty batch with room for {@code capacity} chunks; it grows when more are added. */
  public FingerprintBatch(ChunkKind kind, int capacity) {
    if (capacity < 1) {
      throw new IllegalArgumentException("capacity " + capacity);
    }
    this.kind = kind;
    this.fingerprints = new byte[capacity * Fingerprint.BYTES];
    this.lengths = new int[capacity];
  }

  public ChunkKind kind() {
    return kind;
  }

  public int count() {
    return count;
  }

  /** Returns the fingerprint column: chunk i at {@code i * 32}. Valid until the batch grows. */
  public byte[] fingerprints() {
    return fingerprints;
  }

  /** Returns the column of plain lengths in bytes. Valid until the batch grows. */
  public int[] lengths() {
    return lengths;
  }

  public Fingerprint fingerprint(int index) {
    checkIndex(index);
    return Fingerprint.of(fingerprints, index * Fingerprint.BYTES);
  }

  public int lengthBytes(int index) {
    checkIndex(index);
    return lengths[index];
  }

  /** Adds one chunk, copying its fingerprint. */
  public void add(byte[] source, int offset, int lengthBytes) {
    ensureCapacity(count + 1);
    System.arraycopy(source, offset, fingerprints, count * Fingerprint.BYTES, Fingerprint.BYTES);
    lengths[count++] = lengthBytes;
  }

  public void add(Fingerprint fingerprint, int lengthBytes) {
    ensureCapacity(count + 1);
    fingerprint.writeTo(fingerprints, count * Fingerprint.BYTES);
    lengths[count++] = lengthBytes;
  }

  /** Makes room for {@code newCount} chunks whose columns the caller fills, and sets the count. */
  public void setCount(int newCount) {
    ensureCapacity(newCount);
    count = newCount;
  }

  public void clear() {
    count = 0;
  }

  private void ensureCapacity(int wanted) {
    if (wanted > lengths.length) {
      int capacity = Math.max(wanted, Math.multiplyExact(lengths.length, 2));
      fingerprints = Arrays.copyOf(fingerprints, Math.multiplyExact(capacity, Fingerprint.BYTES));
      lengths = Arrays.copyOf(lengths, capacity);
    }
  }

  private void checkIndex(int index) {
    if (index < 0 || index >= count) {
      throw new IndexOutOfBoundsException("chunk " + index + " of a batch of " + count);
    }
  }
}
