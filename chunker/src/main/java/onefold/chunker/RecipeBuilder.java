package onefold.chunker;

import java.io.IOException;
import java.util.Arrays;

/**
 * Builds a recipe from entries in object order and hands finished nodes to a sink, children first.
 *
 * <p>The tree is canonical: the same bytes described by the same chunks give the same root, however
 * the entries were pushed. Neighbouring holes merge, so do neighbouring reserved ranges and slices
 * of one chunk that touch, and a slice that is its whole chunk becomes a chunk. Memory is one node
 * a level. After an {@link IOException} of the sink the builder must not be used any more. One
 * thread at a time uses it.
 */
public final class RecipeBuilder {
  private final ParameterSet set;
  private final NodeSink sink;
  private final Fingerprinter fingerprinter;
  private final Level[] levels = new Level[ObjectRoot.MAX_LEVEL + 1];
  private int levelCount;
  private final byte[] nodeFingerprint = new byte[Fingerprint.BYTES];
  private long lengthBytes;
  private boolean finished;

  // What may still merge with the next entry. CHILD stands for nothing.
  private EntryType pendingType = EntryType.CHILD;
  private long pendingBytes;
  private int pendingSkipBytes;
  private int pendingChunkBytes;
  private final byte[] pendingFingerprint = new byte[Fingerprint.BYTES];

  /** Makes a builder of an empty object. */
  public RecipeBuilder(ParameterSet set, NodeSink sink) {
    this.set = set;
    this.sink = sink;
    this.fingerprinter = new Fingerprinter(set);
    level(0);
  }

  /** Returns the parameter set of the nodes. */
  public ParameterSet parameterSet() {
    return set;
  }

  /** Returns the object bytes that were pushed so far. */
  public long lengthBytes() {
    return lengthBytes;
  }

  /**
   * Appends a whole chunk.
   *
   * @param fingerprints array that holds its fingerprint at {@code offset}; read now
   */
  public void chunk(byte[] fingerprints, int offset, int chunkLengthBytes) throws IOException {
    checkOpen();
    checkChunkLength(chunkLengthBytes);
    grow(chunkLengthBytes);
    flushPending();
    addChunk(fingerprints, offset, chunkLengthBytes);
  }

  /** Appends {@code takeBytes} of a chunk behind its first {@code skipBytes}. */
  public void slice(
      byte[] fingerprints, int offset, int chunkLengthBytes, int skipBytes, int takeBytes)
      throws IOException {
    checkOpen();
    checkChunkLength(chunkLengthBytes);
    if (skipBytes < 0 || takeBytes < 1 || takeBytes > chunkLengthBytes - skipBytes) {
      throw new IllegalArgumentException(
          "slice of " + takeBytes + " at " + skipBytes + " of a chunk of " + chunkLengthBytes);
    }
    grow(takeBytes);
    boolean touches =
        pendingType == EntryType.SLICE
            && pendingChunkBytes == chunkLengthBytes
            && pendingSkipBytes + pendingBytes == skipBytes
            && Arrays.equals(
                pendingFingerprint,
                0,
                Fingerprint.BYTES,
                fingerprints,
                offset,
                offset + Fingerprint.BYTES);
    if (touches) {
      pendingBytes += takeBytes;
    } else {
      flushPending();
      System.arraycopy(fingerprints, offset, pendingFingerprint, 0, Fingerprint.BYTES);
      pendingType = EntryType.SLICE;
      pendingChunkBytes = chunkLengthBytes;
      pendingSkipBytes = skipBytes;
      pendingBytes = takeBytes;
    }
  }

  /** Appends zeros that nobody wrote; 0 bytes are nothing. */
  public void hole(long holeBytes) throws IOException {
    zeros(EntryType.HOLE, holeBytes);
  }

  /** Appends preallocated space, which reads as zeros; 0 bytes are nothing. */
  public void reserved(long reservedBytes) throws IOException {
    zeros(EntryType.RESERVED, reservedBytes);
  }

  /**
   * Appends a whole existing subtree by its node, if the builder stands at a node border of that
   * level; else answers false, has done nothing, and the caller descends one level.
   *
   * <p>The tree stays canonical if the node is not at the right edge of the tree it comes from and
   * the caller goes on with what followed it there, at least one entry. {@link #splice} keeps to
   * that.
   *
   * @param level 0 for a leaf
   * @param fingerprints array that holds the node's fingerprint at {@code offset}; read now
   * @param coveredBytes object bytes that the node covers, from 1
   */
  public boolean subtree(int level, byte[] fingerprints, int offset, long coveredBytes)
      throws IOException {
    checkOpen();
    if (level < 0 || level >= ObjectRoot.MAX_LEVEL || coveredBytes < 1) {
      throw new IllegalArgumentException("level " + level + ", covering " + coveredBytes);
    }
    if (pendingType != EntryType.CHILD) {
      return false;
    }
    for (int i = 0; i <= level && i < levelCount; i++) {
      if (levels[i].entryCount > 0) {
        return false;
      }
    }
    grow(coveredBytes);
    addChild(level + 1, fingerprints, offset, coveredBytes);
    return true;
  }

  /**
   * Appends a range of an existing object without reading its data: whole subtrees where they fit,
   * slices at the two ends where the range cuts a chunk. Reads O(log n) nodes of {@code source} and
   * as many more as lie before the first node border that both trees share.
   *
   * @throws IllegalArgumentException if the range is not inside the object, or the object has
   *     another parameter set
   * @throws IOException of {@code nodes} or of the sink; the builder must not be used any more
   */
  public void splice(NodeSource nodes, ObjectRoot source, long offsetBytes, long spliceBytes)
      throws IOException {
    checkOpen();
    if (offsetBytes < 0 || spliceBytes < 0 || spliceBytes > source.lengthBytes() - offsetBytes) {
      throw new IllegalArgumentException(
          spliceBytes + " bytes at " + offsetBytes + " of an object of " + source.lengthBytes());
    }
    if (spliceBytes > 0) {
      splice(
          nodes,
          source.level(),
          source.node().toBytes(),
          0,
          source.lengthBytes(),
          offsetBytes,
          offsetBytes + spliceBytes);
    }
  }

  /**
   * Returns the root of everything so far without ending the builder; hands the nodes that are
   * still open to the sink as they are. What is pushed afterwards gives the same tree as without
   * the peek.
   */
  public ObjectRoot peek() throws IOException {
    checkOpen();
    return root();
  }

  /** Ends the builder and returns the root; an empty object is a leaf without entries. */
  public ObjectRoot finish() throws IOException {
    checkOpen();
    ObjectRoot root = root();
    finished = true;
    return root;
  }

  private void splice(
      NodeSource nodes,
      int level,
      byte[] fingerprints,
      int offset,
      long covered,
      long from,
      long to)
      throws IOException {
    byte[] node = nodes.node(fingerprints, offset);
    NodeReader reader = new NodeReader().reset(node, 0, node.length);
    if (reader.level() != level || reader.coveredBytes() != covered) {
      throw new NodeFormatException(
          "node of level %d over %d bytes, its parent says level %d over %d"
              .formatted(reader.level(), reader.coveredBytes(), level, covered));
    }
    if (reader.parameterSet().number() != set.number()) {
      throw new IllegalArgumentException(
          "object of parameter set " + reader.parameterSet().number() + ", not " + set.number());
    }
    long position = 0;
    while (position < to && reader.next()) {
      long next = position + reader.lengthBytes();
      if (next > from) {
        long first = Math.max(from, position);
        long last = Math.min(to, next);
        if (level == 0) {
          appendPart(reader, node, first - position, last - first);
        } else {
          int at = reader.fingerprintOffset();
          // The last subtree of the range is always taken apart, so that its last entry can merge.
          boolean reusable = from <= position && next < to;
          if (!reusable || !subtree(level - 1, node, at, reader.lengthBytes())) {
            splice(
                nodes,
                level - 1,
                node,
                at,
                reader.lengthBytes(),
                first - position,
                last < to ? Long.MAX_VALUE : last - position);
          }
        }
      }
      position = next;
    }
  }

  private void appendPart(NodeReader reader, byte[] node, long skip, long take) throws IOException {
    switch (reader.entryType()) {
      case HOLE -> hole(take);
      case RESERVED -> reserved(take);
      case CHUNK, SLICE -> {
        if (take == reader.chunkLengthBytes()) {
          chunk(node, reader.fingerprintOffset(), Math.toIntExact(take));
        } else {
          slice(
              node,
              reader.fingerprintOffset(),
              reader.chunkLengthBytes(),
              Math.toIntExact(reader.skipBytes() + skip),
              Math.toIntExact(take));
        }
      }
      case CHILD -> throw new IllegalStateException("child entry in a leaf that was checked");
    }
  }

  private void zeros(EntryType type, long zeroBytes) throws IOException {
    checkOpen();
    if (zeroBytes < 0) {
      throw new IllegalArgumentException(type + " of " + zeroBytes + " bytes");
    }
    if (zeroBytes == 0) {
      return;
    }
    grow(zeroBytes);
    if (pendingType != type) {
      flushPending();
      pendingType = type;
      pendingBytes = 0;
    }
    pendingBytes += zeroBytes;
    while (pendingBytes > RecipeNodeFormat.MAX_HOLE_BYTES) {
      addZeros(type, RecipeNodeFormat.MAX_HOLE_BYTES);
      pendingBytes -= RecipeNodeFormat.MAX_HOLE_BYTES;
    }
  }

  private void flushPending() throws IOException {
    if (pendingType == EntryType.CHILD) {
      return;
    }
    long mix = appendPending(levels[0]);
    pendingType = EntryType.CHILD;
    endIfDue(0, mix);
  }

  /** Encodes the pending entry behind the open leaf's entries and returns its mix. */
  private long appendPending(Level leaf) {
    if (pendingType != EntryType.SLICE) {
      return leaf.zeros(pendingType, pendingBytes);
    }
    int take = Math.toIntExact(pendingBytes);
    return take == pendingChunkBytes
        ? leaf.fingerprint(EntryType.CHUNK, pendingFingerprint, 0, take)
        : leaf.slice(pendingFingerprint, pendingChunkBytes, pendingSkipBytes, take);
  }

  private void addChunk(byte[] fingerprints, int offset, int chunkBytes) throws IOException {
    endIfDue(0, levels[0].fingerprint(EntryType.CHUNK, fingerprints, offset, chunkBytes));
  }

  private void addZeros(EntryType type, long zeroBytes) throws IOException {
    endIfDue(0, levels[0].zeros(type, zeroBytes));
  }

  private void addChild(int level, byte[] fingerprints, int offset, long coveredBytes)
      throws IOException {
    endIfDue(level, level(level).fingerprint(EntryType.CHILD, fingerprints, offset, coveredBytes));
  }

  private void endIfDue(int level, long mix) throws IOException {
    Level open = levels[level];
    if (RecipeNodeFormat.endsNode(set, open.entryCount, mix)) {
      long covered = open.coveredBytes;
      emit(level, open);
      open.clear();
      addChild(level + 1, nodeFingerprint, 0, covered);
    }
  }

  private void emit(int level, Level open) throws IOException {
    RecipeNodeFormat.writeHead(open.bytes, level, set.number(), open.entryCount);
    fingerprinter.fingerprint(open.bytes, 0, open.end, nodeFingerprint, 0);
    sink.node(level, open.bytes, open.end, nodeFingerprint);
  }

  /** Emits the open nodes, each with the one below as its last child, and leaves them open. */
  private ObjectRoot root() throws IOException {
    boolean hasChild = false;
    long childBytes = 0;
    for (int i = 0; ; i++) {
      Level open = levels[i];
      int entryCount = open.entryCount;
      int end = open.end;
      long covered = open.coveredBytes;
      if (hasChild) {
        open.fingerprint(EntryType.CHILD, nodeFingerprint, 0, childBytes);
      } else if (i == 0 && pendingType != EntryType.CHILD) {
        appendPending(open);
      }
      boolean top = i == levelCount - 1;
      if (top && i > 0 && open.entryCount == 1) {
        // The level below has one node: that is the root.
        Fingerprint only = open.onlyFingerprint();
        open.shrink(entryCount, end, covered);
        return new ObjectRoot(only, i - 1, lengthBytes);
      }
      if (top || open.entryCount > 0) {
        emit(i, open);
        hasChild = true;
        childBytes = open.coveredBytes;
      }
      open.shrink(entryCount, end, covered);
      if (top) {
        return new ObjectRoot(Fingerprint.of(nodeFingerprint, 0), i, lengthBytes);
      }
    }
  }

  private Level level(int level) {
    if (level > ObjectRoot.MAX_LEVEL) {
      throw new IllegalStateException("recipe of more than " + ObjectRoot.MAX_LEVEL + " levels");
    }
    while (levelCount <= level) {
      levels[levelCount++] = new Level();
    }
    return levels[level];
  }

  private void grow(long addedBytes) {
    if (addedBytes > Long.MAX_VALUE - lengthBytes) {
      throw new IllegalArgumentException("object of more than 2^63 bytes");
    }
    lengthBytes += addedBytes;
  }

  private void checkChunkLength(int chunkLengthBytes) {
    if (chunkLengthBytes < 1 || chunkLengthBytes > set.maxBytes()) {
      throw new IllegalArgumentException(
          "chunk of " + chunkLengthBytes + " bytes, must have 1 to " + set.maxBytes());
    }
  }

  private void checkOpen() {
    if (finished) {
      throw new IllegalStateException("the recipe is finished");
    }
  }

  /** The open node of one level. */
  private static final class Level {
    private byte[] bytes = new byte[1 << 10];
    private int end = RecipeNodeFormat.HEAD_BYTES;
    private int entryCount;
    private long coveredBytes;

    long fingerprint(EntryType type, byte[] fingerprints, int offset, long covered) {
      ensureRoom();
      end = RecipeNodeFormat.writeTypeAndLength(bytes, end, type, covered);
      end = RecipeNodeFormat.writeFingerprint(bytes, end, fingerprints, offset);
      count(covered);
      return RecipeNodeFormat.mixOfFingerprint(fingerprints, offset);
    }

    long slice(byte[] fingerprints, int chunkBytes, int skipBytes, int takeBytes) {
      ensureRoom();
      end = RecipeNodeFormat.writeTypeAndLength(bytes, end, EntryType.SLICE, takeBytes);
      end = RecipeNodeFormat.writeVarint(bytes, end, skipBytes);
      end = RecipeNodeFormat.writeVarint(bytes, end, chunkBytes);
      end = RecipeNodeFormat.writeFingerprint(bytes, end, fingerprints, 0);
      count(takeBytes);
      return RecipeNodeFormat.mixOfSlice(fingerprints, 0, skipBytes, takeBytes);
    }

    long zeros(EntryType type, long zeroBytes) {
      ensureRoom();
      end = RecipeNodeFormat.writeTypeAndLength(bytes, end, type, zeroBytes);
      count(zeroBytes);
      return RecipeNodeFormat.mixOfZeros(type, zeroBytes);
    }

    Fingerprint onlyFingerprint() {
      return Fingerprint.of(bytes, end - Fingerprint.BYTES);
    }

    void shrink(int toCount, int toEnd, long toCovered) {
      entryCount = toCount;
      end = toEnd;
      coveredBytes = toCovered;
    }

    void clear() {
      shrink(0, RecipeNodeFormat.HEAD_BYTES, 0);
    }

    private void count(long covered) {
      entryCount++;
      coveredBytes += covered;
    }

    private void ensureRoom() {
      if (bytes.length - end < RecipeNodeFormat.MAX_ENTRY_BYTES) {
        int wanted = Math.min(bytes.length * 2, RecipeNodeFormat.MAX_NODE_BYTES);
        if (wanted - end < RecipeNodeFormat.MAX_ENTRY_BYTES) {
          throw new IllegalStateException("node of more than " + wanted + " bytes");
        }
        bytes = Arrays.copyOf(bytes, wanted);
      }
    }
  }
}
