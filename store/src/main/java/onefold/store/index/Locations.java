package onefold.store.index;

import onefold.chunker.ChunkKind;

/**
 * What an entry says beside fingerprint and container, packed into 48 bits: slot (26 bits, lowest),
 * plain length (21 bits), kind (1 bit, 1 for nodes). A length of all ones makes it a retraction of
 * that one place.
 */
final class Locations {
  /** Slots of one container that an entry can name. */
  static final int MAX_SLOTS = 1 << 26;

  /** The longest chunk that an entry can hold: the longest block. */
  static final int MAX_LENGTH_BYTES = 1 << 20;

  static final int BITS = 48;

  private static final int LENGTH_SHIFT = 26;
  private static final int KIND_SHIFT = 47;
  private static final int RETRACTED_LENGTH = (1 << 21) - 1;

  private Locations() {}

  /**
   * Packs a location.
   *
   * @throws IllegalArgumentException if slot or length is beyond what an entry can hold
   */
  static long of(ChunkKind kind, int slot, int lengthBytes) {
    if (slot < 0 || slot >= MAX_SLOTS) {
      throw new IllegalArgumentException("slot " + slot + ", an index entry holds 0 to 2^26 - 1");
    }
    if (lengthBytes < 0 || lengthBytes > MAX_LENGTH_BYTES) {
      throw new IllegalArgumentException(
          "chunk of " + lengthBytes + " bytes, an index entry holds up to " + MAX_LENGTH_BYTES);
    }
    return kindBit(kind) << KIND_SHIFT | (long) lengthBytes << LENGTH_SHIFT | slot;
  }

  /** The retraction of a place, whatever length it has. */
  static long retraction(ChunkKind kind, int slot) {
    return of(kind, slot, 0) | (long) RETRACTED_LENGTH << LENGTH_SHIFT;
  }

  static long kindBit(ChunkKind kind) {
    return kind == ChunkKind.NODE ? 1 : 0;
  }

  static long kindBit(long location) {
    return location >>> KIND_SHIFT;
  }

  static int slot(long location) {
    return (int) location & (MAX_SLOTS - 1);
  }

  static int lengthBytes(long location) {
    return (int) (location >>> LENGTH_SHIFT) & RETRACTED_LENGTH;
  }

  static boolean isRetraction(long location) {
    return lengthBytes(location) == RETRACTED_LENGTH;
  }

  /** Whether bytes from disk can be a location. */
  static boolean isValid(long location) {
    int lengthBytes = lengthBytes(location);
    return location >>> BITS == 0
        && (lengthBytes <= MAX_LENGTH_BYTES || lengthBytes == RETRACTED_LENGTH);
  }

  /** Whether two locations name the same slot of the same kind; one may be a retraction. */
  static boolean sameSlot(long one, long other) {
    return slot(one) == slot(other) && kindBit(one) == kindBit(other);
  }
}
