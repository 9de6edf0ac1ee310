package onefold.store.simulator;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import onefold.chunker.ParameterSet;
import onefold.chunker.RecipeBuilder;

/**
 * What an upload is to contain, in a few numbers, so that a step that is printed says it all. Plans
 * of one base share most of their bytes.
 *
 * @param base which of a few documents
 * @param kind what its bytes are like
 * @param lengthBytes how much of it
 * @param edits how many places of it are changed
 * @param editSeed where and how
 * @param marks how many forced cuts and holes are put in
 */
record Plan(int base, Kind kind, int lengthBytes, int edits, long editSeed, int marks) {
  /** What the bytes of a document are like. */
  enum Kind {
    /** Compress to about a half. */
    HALF,
    /** Do not compress. */
    NOISE,
    /** Lines of text. */
    TEXT,
    ZEROS,
    /** Repeat every 16 bytes. */
    PERIODIC,
    /** Those of a node of a recipe: what makes a data chunk a node's twin. */
    NODE
  }

  private static final String[] WORDS = {
    "chunk ", "container ", "recipe ", "node ", "journal ", "block ", "index ", "\n", "tape ", "0"
  };

  /**
   * A piece of an upload: bytes, then zeros that are a hole; between two segments is a cut.
   *
   * @param bytes written, maybe none
   * @param holeBytes zeros after them, maybe none
   */
  record Segment(byte[] bytes, long holeBytes) {}

  /** The upload's segments; with one segment and no hole it is a plain stream. */
  List<Segment> segments() {
    if (kind == Kind.NODE) {
      return List.of(new Segment(node(), 0));
    }
    byte[] whole = edited(document());
    var random = new SplittableRandom(editSeed ^ 0x6d61726b73L);
    int[] ends = new int[marks + 1];
    for (int i = 0; i < marks; i++) {
      ends[i] = random.nextInt(whole.length + 1);
    }
    ends[marks] = whole.length;
    Arrays.sort(ends);
    var segments = new ArrayList<Segment>();
    int at = 0;
    for (int i = 0; i <= marks; i++) {
      boolean hole = i < marks && random.nextInt(3) == 0;
      long holeBytes = hole ? 1L + random.nextInt(1 << random.nextInt(17)) : 0;
      segments.add(new Segment(Arrays.copyOfRange(whole, at, ends[i]), holeBytes));
      at = ends[i];
    }
    return segments;
  }

  /** The bytes that the item will have. */
  static byte[] joined(List<Segment> segments) {
    var all = new ByteArrayOutputStream();
    for (Segment segment : segments) {
      all.writeBytes(segment.bytes());
      all.writeBytes(new byte[Math.toIntExact(segment.holeBytes())]);
    }
    return all.toByteArray();
  }

  /** What documents are made of so far; a longer one begins as a shorter one. */
  private static final ConcurrentMap<Document, byte[]> DOCUMENTS = new ConcurrentHashMap<>();

  /** One of the few documents. */
  private record Document(int base, Kind kind) {}

  private byte[] document() {
    if (base >= ProgramMaker.UNIQUE_BASE) {
      return document(lengthBytes);
    }
    var which = new Document(base, kind);
    byte[] known = DOCUMENTS.get(which);
    if (known == null || known.length < lengthBytes) {
      known = document(Math.max(lengthBytes, 64 << 10));
      DOCUMENTS.put(which, known);
    }
    return Arrays.copyOf(known, lengthBytes);
  }

  private byte[] document(int lengthBytes) {
    byte[] bytes = new byte[lengthBytes];
    var random = new SplittableRandom(base * 7919L + kind.name().length());
    switch (kind) {
      case HALF, NOISE -> {
        long mask = kind == Kind.HALF ? 0x0f0f0f0f0f0f0f0fL : -1L;
        long word = 0;
        for (int i = 0; i < lengthBytes; i++) {
          word = (i & 7) == 0 ? random.nextLong() & mask : word >>> 8;
          bytes[i] = (byte) word;
        }
      }
      case TEXT -> {
        int at = 0;
        while (at < lengthBytes) {
          byte[] next = WORDS[random.nextInt(WORDS.length)].getBytes(StandardCharsets.UTF_8);
          int n = Math.min(next.length, lengthBytes - at);
          System.arraycopy(next, 0, bytes, at, n);
          at += n;
        }
      }
      case ZEROS, NODE -> {}
      case PERIODIC -> {
        for (int i = 0; i < lengthBytes; i++) {
          bytes[i] = (byte) (base * 31 + (i & 15) * 17);
        }
      }
    }
    return bytes;
  }

  /** The lowest first node of the document that compresses to a half, of the same other figures. */
  private byte[] node() {
    var twin = new Plan(base, Kind.HALF, lengthBytes % NODE_OF_BYTES, edits, editSeed, 0);
    var first = new ArrayList<byte[]>();
    try {
      var recipe =
          new RecipeBuilder(
              ParameterSet.SET_1,
              (level, node, nodeBytes, fingerprint) -> first.add(Arrays.copyOf(node, nodeBytes)));
      for (Pieces.Piece piece : Pieces.of(twin.segments(), ParameterSet.SET_1)) {
        if (piece.fingerprint() != null) {
          recipe.chunk(piece.fingerprint().toBytes(), 0, Math.toIntExact(piece.lengthBytes()));
        }
      }
      var _ = recipe.finish();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return first.getFirst();
  }

  /** A node over so many bytes is short enough to be one chunk. */
  private static final int NODE_OF_BYTES = 40_000;

  private byte[] edited(byte[] document) {
    byte[] bytes = document;
    var random = new SplittableRandom(editSeed);
    for (int i = 0; i < edits; i++) {
      int at = random.nextInt(bytes.length + 1);
      byte[] patch = new byte[random.nextInt(1, 40)];
      random.nextBytes(patch);
      int dropped = Math.min(random.nextInt(40), bytes.length - at);
      byte[] next = new byte[bytes.length - dropped + patch.length];
      System.arraycopy(bytes, 0, next, 0, at);
      System.arraycopy(patch, 0, next, at, patch.length);
      System.arraycopy(bytes, at + dropped, next, at + patch.length, bytes.length - at - dropped);
      bytes = next;
    }
    return bytes;
  }
}
