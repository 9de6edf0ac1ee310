package onefold.chunker;

import java.util.Objects;

/**
 * A cursor over the entries of one recipe node. Checks the whole node when it is set on it, so that
 * walking cannot fail. Makes no garbage; one thread at a time uses it.
 */
public final class NodeReader {
  private static final EntryType[] TYPES = {
    EntryType.CHILD, EntryType.CHUNK, EntryType.SLICE, EntryType.HOLE, EntryType.RESERVED
  };

  private byte[] bytes = {};
  private int start;
  private int end;
  private int level;
  private int entryCount;
  private ParameterSet set = ParameterSet.SET_1;
  private long coveredBytes;

  private int at;
  private int index = -1;
  private EntryType type = EntryType.HOLE;
  private long lengthBytes;
  private int skipBytes;
  private int chunkLengthBytes;
  private int fingerprintOffset;

  /**
   * Sets the cursor before the first entry of the node {@code source[offset, offset +
   * lengthBytes)}. The array is read while the reader is used.
   *
   * @throws NodeFormatException if the bytes are not exactly one well-formed node; the reader then
   *     stands on an empty node
   */
  public NodeReader reset(byte[] source, int offset, int nodeBytes) {
    Objects.checkFromIndexSize(offset, nodeBytes, source.length);
    entryCount = 0;
    coveredBytes = 0;
    index = -1;
    if (nodeBytes < RecipeNodeFormat.HEAD_BYTES || nodeBytes > RecipeNodeFormat.MAX_NODE_BYTES) {
      throw new NodeFormatException(
          "node of "
              + nodeBytes
              + " bytes, must have "
              + RecipeNodeFormat.HEAD_BYTES
              + " to "
              + RecipeNodeFormat.MAX_NODE_BYTES);
    }
    bytes = source;
    start = offset;
    end = offset + nodeBytes;
    if (source[offset] != RecipeNodeFormat.VERSION) {
      throw new NodeFormatException(
          "node version " + (source[offset] & 0xff) + ", known is " + RecipeNodeFormat.VERSION);
    }
    level = source[offset + 1] & 0xff;
    if (level > ObjectRoot.MAX_LEVEL) {
      throw new NodeFormatException("level " + level + ", highest is " + ObjectRoot.MAX_LEVEL);
    }
    int setNumber = (short) RecipeNodeFormat.SHORT.get(source, offset + 2) & 0xffff;
    if (setNumber != set.number()) {
      set = knownSet(setNumber);
    }
    int count = (short) RecipeNodeFormat.SHORT.get(source, offset + 4) & 0xffff;
    if (count > set.nodeMaxEntries() || (count == 0 && level > 0)) {
      throw new NodeFormatException(
          count + " entries on level " + level + ", at most " + set.nodeMaxEntries());
    }
    checkEntries(count);
    entryCount = count;
    rewind();
    return this;
  }

  /** Sets the cursor before the first entry again. */
  public void rewind() {
    at = start + RecipeNodeFormat.HEAD_BYTES;
    index = -1;
  }

  /** Returns 0 for a leaf, else the number of levels below. */
  public int level() {
    return level;
  }

  /** Returns the parameter set that the node names. */
  public ParameterSet parameterSet() {
    return set;
  }

  public int entryCount() {
    return entryCount;
  }

  /** Returns the object bytes that the whole node covers. */
  public long coveredBytes() {
    return coveredBytes;
  }

  /** Moves to the next entry; false behind the last one. */
  public boolean next() {
    if (index + 1 >= entryCount) {
      return false;
    }
    index++;
    readEntry();
    return true;
  }

  /** Returns the current entry's position in the node, from 0. */
  public int index() {
    return index;
  }

  public EntryType entryType() {
    return type;
  }

  /** Returns the object bytes that the current entry covers. */
  public long lengthBytes() {
    return lengthBytes;
  }

  /**
   * Returns where in the array the current entry's fingerprint starts: of the child, or of the
   * chunk of which it is the whole or a slice.
   *
   * @throws IllegalStateException if it is a hole or reserved
   */
  public int fingerprintOffset() {
    if (type == EntryType.HOLE || type == EntryType.RESERVED) {
      throw new IllegalStateException("a " + type + " entry has no fingerprint");
    }
    return fingerprintOffset;
  }

  /** Returns the current entry's fingerprint as a record; for the edges. */
  public Fingerprint fingerprint() {
    return Fingerprint.of(bytes, fingerprintOffset());
  }

  /** Returns the bytes of its chunk that a slice leaves out at the front, else 0. */
  public int skipBytes() {
    return skipBytes;
  }

  /** Returns the whole length of the chunk that a chunk or slice entry names, else 0. */
  public int chunkLengthBytes() {
    return chunkLengthBytes;
  }

  private static ParameterSet knownSet(int number) {
    try {
      return ParameterSet.of(number);
    } catch (IllegalArgumentException e) {
      throw new NodeFormatException(e.getMessage() == null ? "unknown set" : e.getMessage());
    }
  }

  private void checkEntries(int count) {
    at = start + RecipeNodeFormat.HEAD_BYTES;
    long sum = 0;
    for (index = 0; index < count; index++) {
      readEntry();
      checkEntry();
      sum += lengthBytes;
      if (sum < 0) {
        throw malformed("covered bytes beyond 2^63");
      }
    }
    index = -1;
    if (at != end) {
      throw new NodeFormatException(end - at + " bytes behind the last entry");
    }
    coveredBytes = sum;
  }

  private void checkEntry() {
    if (type == EntryType.CHILD != level > 0) {
      throw malformed(type + " entry on level " + level);
    }
    if (lengthBytes < 1) {
      throw malformed("covered length " + lengthBytes);
    }
    switch (type) {
      case CHILD -> {}
      case HOLE, RESERVED -> {
        if (lengthBytes > RecipeNodeFormat.MAX_HOLE_BYTES) {
          throw malformed(type + " of " + lengthBytes + " bytes, at most 2^40");
        }
      }
      case CHUNK, SLICE -> {
        if (chunkLengthBytes > set.maxBytes()) {
          throw malformed("chunk of " + chunkLengthBytes + " bytes, at most " + set.maxBytes());
        }
        if (type == EntryType.SLICE
            && (lengthBytes > chunkLengthBytes - skipBytes || lengthBytes == chunkLengthBytes)) {
          throw malformed(
              "slice of "
                  + lengthBytes
                  + " at "
                  + skipBytes
                  + " of a chunk of "
                  + chunkLengthBytes);
        }
      }
    }
  }

  /** Reads the entry at {@code at}; each byte is bounds-checked, the values are not. */
  private void readEntry() {
    int first = byteAt();
    int code = first & RecipeNodeFormat.TYPE_MASK;
    if (code >= TYPES.length) {
      throw malformed("entry type " + code + " is not known to this release");
    }
    type = TYPES[code];
    long length = (first >>> RecipeNodeFormat.TYPE_BITS) & 15L;
    if (first > 0x7f) {
      long rest = varint(Long.SIZE - 1 - RecipeNodeFormat.FIRST_LENGTH_BITS);
      if (rest == 0) {
        throw malformed("length is not in its shortest form");
      }
      length |= rest << RecipeNodeFormat.FIRST_LENGTH_BITS;
    }
    lengthBytes = length;
    skipBytes = 0;
    chunkLengthBytes = 0;
    if (type == EntryType.CHUNK) {
      chunkLengthBytes = (int) Math.min(length, Integer.MAX_VALUE);
    } else if (type == EntryType.SLICE) {
      skipBytes = (int) varint(Integer.SIZE - 2);
      chunkLengthBytes = (int) varint(Integer.SIZE - 2);
    }
    if (type != EntryType.HOLE && type != EntryType.RESERVED) {
      fingerprintOffset = at;
      at += Fingerprint.BYTES;
      if (at > end) {
        throw malformed("the node ends inside it");
      }
    }
  }

  private int byteAt() {
    if (at >= end) {
      throw malformed("the node ends inside it");
    }
    return bytes[at++] & 0xff;
  }

  /** Reads a varint of at most {@code maxBits} bits in its shortest form. */
  private long varint(int maxBits) {
    long value = 0;
    for (int shift = 0; ; shift += 7) {
      int next = byteAt();
      long part = next & 0x7f;
      if (shift >= maxBits || part >>> Math.min(7, maxBits - shift) != 0) {
        throw malformed("number of more than " + maxBits + " bits");
      }
      value |= part << shift;
      if (next <= 0x7f) {
        if (next == 0 && shift > 0) {
          throw malformed("number is not in its shortest form");
        }
        return value;
      }
    }
  }

  private NodeFormatException malformed(String reason) {
    return new NodeFormatException(
        "entry " + index + " near byte " + (at - start) + " of the node: " + reason);
  }
}
