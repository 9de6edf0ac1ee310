package onefold.chunker;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * The encoding of recipe nodes and the rule that ends them; docs/formats/recipe-node.md has the
 * table. A node has no checksum: its fingerprint is one.
 */
public final class RecipeNodeFormat {
  /** Version of the encoding. */
  public static final int VERSION = 1;

  /** Bytes before the first entry: version u8, level u8, parameter set u16, entries u16. */
  public static final int HEAD_BYTES = 6;

  /** No node is longer, whatever its parameter set. */
  public static final int MAX_NODE_BYTES = 32 << 10;

  /** The longest hole or reserved entry; longer ones take several entries. */
  public static final long MAX_HOLE_BYTES = 1L << 40;

  /** The longest entry: a child or slice with its varints at their widest, and a fingerprint. */
  static final int MAX_ENTRY_BYTES = 10 + 3 + 3 + Fingerprint.BYTES;

  static final int TYPE_BITS = 3;
  static final int TYPE_MASK = (1 << TYPE_BITS) - 1;

  /** Bits of the covered length in an entry's first byte. */
  static final int FIRST_LENGTH_BITS = 4;

  static final VarHandle SHORT =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private RecipeNodeFormat() {}

  static void writeHead(byte[] target, int level, int parameterSet, int entryCount) {
    target[0] = VERSION;
    target[1] = (byte) level;
    SHORT.set(target, 2, (short) parameterSet);
    SHORT.set(target, 4, (short) entryCount);
  }

  /** Writes type and covered length; returns the offset behind them. */
  static int writeTypeAndLength(byte[] target, int offset, EntryType type, long coveredBytes) {
    int first = type.code() | (int) (coveredBytes & 15) << TYPE_BITS;
    long rest = coveredBytes >>> FIRST_LENGTH_BITS;
    if (rest == 0) {
      target[offset] = (byte) first;
      return offset + 1;
    }
    target[offset] = (byte) (first | 0x80);
    return writeVarint(target, offset + 1, rest);
  }

  /** Writes seven bits a byte, lowest first, top bit set on all but the last; returns the end. */
  static int writeVarint(byte[] target, int offset, long value) {
    int at = offset;
    long rest = value;
    while (rest > 0x7f) {
      target[at++] = (byte) (rest | 0x80);
      rest >>>= 7;
    }
    target[at++] = (byte) rest;
    return at;
  }

  static int writeFingerprint(byte[] target, int offset, byte[] fingerprints, int from) {
    System.arraycopy(fingerprints, from, target, offset, Fingerprint.BYTES);
    return offset + Fingerprint.BYTES;
  }

  /** Returns the number that decides whether a chunk or child ends its node. */
  static long mixOfFingerprint(byte[] fingerprints, int offset) {
    return (long) LONG.get(fingerprints, offset + Fingerprint.BYTES - Long.BYTES);
  }

  /** Returns the number that decides whether a slice ends its node. */
  static long mixOfSlice(byte[] fingerprints, int offset, int skipBytes, int takeBytes) {
    return mixed(
        mixOfFingerprint(fingerprints, offset) ^ mixed((long) skipBytes << 32 | takeBytes));
  }

  /** Returns the number that decides whether a hole or reserved entry ends its node. */
  static long mixOfZeros(EntryType type, long lengthBytes) {
    return mixed(lengthBytes << TYPE_BITS | type.code());
  }

  /** Says whether a node of {@code entryCount} entries ends behind one with this mix. */
  static boolean endsNode(ParameterSet set, int entryCount, long mix) {
    if (entryCount >= set.nodeMaxEntries()) {
      return true;
    }
    long limit = (1L << 32) / (set.nodeMeanEntries() - set.nodeMinEntries());
    return entryCount >= set.nodeMinEntries() && mix >>> 32 < limit;
  }

  /** The finaliser of SplitMix64. */
  private static long mixed(long value) {
    long mix = (value ^ value >>> 30) * 0xBF58476D1CE4E5B9L;
    mix = (mix ^ mix >>> 27) * 0x94D049BB133111EBL;
    return mix ^ mix >>> 31;
  }
}
