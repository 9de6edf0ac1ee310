package onefold.store.recipe;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import onefold.chunker.EntryType;
import onefold.chunker.Fingerprint;
import onefold.chunker.NodeFormatException;
import onefold.chunker.NodeReader;
import onefold.chunker.NodeSource;
import onefold.chunker.ObjectRoot;
import onefold.store.CorruptDataException;

/**
 * Walks the leaf entries of a recipe from any position on. Reads each node once as long as it walks
 * forward; holds one node a level.
 */
public final class RecipeCursor {
  private final NodeSource nodes;
  private final ObjectRoot root;
  private final Frame[] frames;

  /** Level whose reader stands on an entry that is being walked; root.level() + 1 before a seek. */
  private long positionBytes;

  private long skippedBytes;
  private boolean ended;

  /** The node of one level that the walk is in. */
  private static final class Frame {
    private final NodeReader reader = new NodeReader();
    private byte[] node = {};
    private long endOfEntry;
  }

  /** Makes a cursor at the object's start. Nothing is read before {@link #next}. */
  public RecipeCursor(NodeSource nodes, ObjectRoot root) throws IOException {
    this(root, nodes);
    seek(0);
  }

  private RecipeCursor(ObjectRoot root, NodeSource nodes) {
    this.nodes = nodes;
    this.root = root;
    this.frames = new Frame[root.level() + 1];
    for (int i = 0; i < frames.length; i++) {
      frames[i] = new Frame();
    }
  }

  /**
   * Returns where the smallest part of the object ends that holds a position and whose bounds can
   * be known: the entry of a leaf, or all that stands below a node which cannot be read. When the
   * position cannot be read, this is where reading may go on.
   *
   * @param atBytes from 0 to before the object's end
   */
  public static long endOfPart(NodeSource nodes, ObjectRoot root, long atBytes) throws IOException {
    Objects.checkIndex(atBytes, root.lengthBytes());
    RecipeCursor walk = new RecipeCursor(root, nodes);
    byte[] fingerprints = root.node().toBytes();
    int offset = 0;
    long start = 0;
    long covered = root.lengthBytes();
    for (int level = root.level(); level >= 0; level--) {
      Frame frame = walk.frames[level];
      try {
        walk.enter(level, fingerprints, offset, start, covered);
      } catch (CorruptDataException e) {
        return start + covered;
      }
      while (frame.endOfEntry <= atBytes) {
        if (!frame.reader.next()) {
          throw new IllegalStateException("a node ends before what it covers");
        }
        frame.endOfEntry += frame.reader.lengthBytes();
      }
      covered = frame.reader.lengthBytes();
      start = frame.endOfEntry - covered;
      fingerprints = frame.node;
      offset = frame.reader.fingerprintOffset();
    }
    return start + covered;
  }

  /**
   * Moves before the entry that holds a position; the next entry begins exactly there.
   *
   * @param toBytes from 0 to the object's length
   */
  public void seek(long toBytes) throws IOException {
    if (toBytes < 0 || toBytes > root.lengthBytes()) {
      throw new IllegalArgumentException(
          "position " + toBytes + " of an object of " + root.lengthBytes());
    }
    ended = toBytes == root.lengthBytes();
    positionBytes = toBytes;
    skippedBytes = 0;
    if (ended) {
      return;
    }
    Fingerprint fingerprint = root.node();
    byte[] rootFingerprint = fingerprint.toBytes();
    enter(root.level(), rootFingerprint, 0, 0, root.lengthBytes());
    for (int level = root.level(); ; level--) {
      Frame frame = frames[level];
      while (frame.endOfEntry <= toBytes) {
        if (!frame.reader.next()) {
          throw new IllegalStateException("a node ends before what it covers");
        }
        frame.endOfEntry += frame.reader.lengthBytes();
      }
      long start = frame.endOfEntry - frame.reader.lengthBytes();
      if (level == 0) {
        // next() takes the entry on which the reader stands already.
        skippedBytes = toBytes - start;
        onEntry = true;
        return;
      }
      enter(
          level - 1,
          frame.node,
          frame.reader.fingerprintOffset(),
          start,
          frame.reader.lengthBytes());
    }
  }

  private boolean onEntry;

  /** Moves to the next entry; false at the object's end. */
  public boolean next() throws IOException {
    if (ended) {
      return false;
    }
    if (onEntry) {
      onEntry = false;
      return true;
    }
    positionBytes = frames[0].endOfEntry;
    skippedBytes = 0;
    int level = 0;
    while (!frames[level].reader.next()) {
      if (++level == frames.length) {
        ended = true;
        return false;
      }
    }
    Frame frame = frames[level];
    frame.endOfEntry += frame.reader.lengthBytes();
    while (level > 0) {
      enter(
          level - 1,
          frame.node,
          frame.reader.fingerprintOffset(),
          frame.endOfEntry - frame.reader.lengthBytes(),
          frame.reader.lengthBytes());
      frame = frames[--level];
      if (!frame.reader.next()) {
        throw new IllegalStateException("a node below an entry is empty");
      }
      frame.endOfEntry += frame.reader.lengthBytes();
    }
    return true;
  }

  private void enter(int level, byte[] fingerprints, int offset, long start, long covered)
      throws IOException {
    Frame frame = frames[level];
    Fingerprint fingerprint = Fingerprint.of(fingerprints, offset);
    byte[] node = nodes.node(fingerprints, offset);
    try {
      frame.reader.reset(node, 0, node.length);
    } catch (NodeFormatException e) {
      throw new CorruptDataException(
          "node " + fingerprint, -1, "a recipe node", String.valueOf(e.getMessage()));
    }
    if (frame.reader.level() != level || frame.reader.coveredBytes() != covered) {
      throw new CorruptDataException(
          "node " + fingerprint,
          -1,
          "level " + level + " over " + covered + " bytes",
          "level " + frame.reader.level() + " over " + frame.reader.coveredBytes());
    }
    frame.node = node;
    frame.endOfEntry = start;
  }

  /** Where in the object the current entry, or the part of it behind a seek, begins. */
  public long positionBytes() {
    return positionBytes;
  }

  /** Where in the object the current entry begins, also if a seek led into its middle. */
  public long entryStartBytes() {
    return positionBytes - skippedBytes;
  }

  /**
   * Returns the bytes of the nodes from the root down to the one that holds the current entry. The
   * caller does not change them.
   */
  public List<byte[]> path() {
    List<byte[]> path = new ArrayList<>();
    for (int level = root.level(); level >= 0; level--) {
      path.add(frames[level].node);
    }
    return path;
  }

  /** Never {@link EntryType#CHILD}. */
  public EntryType type() {
    return frames[0].reader.entryType();
  }

  /** Object bytes of the entry, or of the part of it behind a seek. */
  public long lengthBytes() {
    return frames[0].reader.lengthBytes() - skippedBytes;
  }

  /** Bytes of the chunk before those that the entry stands for; 0 for holes. */
  public int skipBytes() {
    return Math.toIntExact(
        switch (type()) {
          case CHUNK, SLICE -> frames[0].reader.skipBytes() + skippedBytes;
          case HOLE, RESERVED, CHILD -> 0L;
        });
  }

  /** Whole length of the entry's chunk. */
  public int chunkLengthBytes() {
    return frames[0].reader.chunkLengthBytes();
  }

  /** The array that holds the chunk's fingerprint, valid until the next move. */
  public byte[] fingerprints() {
    return frames[0].node;
  }

  /** Where in {@link #fingerprints} it begins. */
  public int fingerprintOffset() {
    return frames[0].reader.fingerprintOffset();
  }
}
