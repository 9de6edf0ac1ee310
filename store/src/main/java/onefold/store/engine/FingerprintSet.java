package onefold.store.engine;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import onefold.chunker.Fingerprint;

/**
 * A small set of fingerprints in one array, without an object per fingerprint. Not safe for several
 * threads.
 */
final class FingerprintSet {
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private byte[] slots;
  private boolean[] used;
  private int size;

  FingerprintSet(int expected) {
    int capacity = Integer.highestOneBit(Math.max(8, expected) * 2 - 1) * 2;
    slots = new byte[capacity * Fingerprint.BYTES];
    used = new boolean[capacity];
  }

  int size() {
    return size;
  }

  void clear() {
    Arrays.fill(used, false);
    size = 0;
  }

  boolean contains(byte[] source, int offset) {
    return used[slotOf(source, offset)];
  }

  /** Adds a fingerprint and says whether it was new. */
  boolean add(byte[] source, int offset) {
    int slot = slotOf(source, offset);
    if (used[slot]) {
      return false;
    }
    used[slot] = true;
    System.arraycopy(source, offset, slots, slot * Fingerprint.BYTES, Fingerprint.BYTES);
    if (++size * 2 > used.length) {
      grow();
    }
    return true;
  }

  private void grow() {
    byte[] oldSlots = slots;
    boolean[] oldUsed = used;
    slots = new byte[oldSlots.length * 2];
    used = new boolean[oldUsed.length * 2];
    for (int i = 0; i < oldUsed.length; i++) {
      if (oldUsed[i]) {
        int slot = slotOf(oldSlots, i * Fingerprint.BYTES);
        used[slot] = true;
        System.arraycopy(
            oldSlots, i * Fingerprint.BYTES, slots, slot * Fingerprint.BYTES, Fingerprint.BYTES);
      }
    }
  }

  private int slotOf(byte[] source, int offset) {
    int mask = used.length - 1;
    // Fingerprints are uniform, so their own bits are the hash.
    int slot = (int) (long) LONG.get(source, offset) & mask;
    while (used[slot]
        && !Arrays.equals(
            slots,
            slot * Fingerprint.BYTES,
            (slot + 1) * Fingerprint.BYTES,
            source,
            offset,
            offset + Fingerprint.BYTES)) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }
}
