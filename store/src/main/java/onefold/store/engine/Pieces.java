package onefold.store.engine;

import java.io.IOException;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;
import onefold.store.CorruptDataException;
import onefold.store.index.Places;
import onefold.store.recipe.RecipeCursor;

/**
 * A run of recipe entries with the places of their chunks, as columns. Filled again and again; one
 * thread at a time.
 */
final class Pieces {
  /** Entries of a run: about 1 MiB of object. */
  static final int CAPACITY = 128;

  /** Stands in {@link #block} for zeros. */
  static final int ZEROS = -1;

  /** Stands in {@link #block} for a chunk that the domain does not have. */
  static final int ABSENT = -2;

  /** Stands in {@link #block} for a chunk whose container went while it was looked up. */
  static final int UNKNOWN = -3;

  final long[] objectOffset = new long[CAPACITY];
  final long[] lengthBytes = new long[CAPACITY];
  final int[] skipBytes = new int[CAPACITY];
  final long[] container = new long[CAPACITY];
  final long[] generation = new long[CAPACITY];
  final int[] block = new int[CAPACITY];
  final int[] blockRawBytes = new int[CAPACITY];
  final int[] chunkInBlock = new int[CAPACITY];
  private final int[] row = new int[CAPACITY];
  private final FingerprintBatch chunks = new FingerprintBatch(ChunkKind.DATA, CAPACITY);
  private final Places places = new Places(CAPACITY);
  private int count;

  int count() {
    return count;
  }

  byte[] fingerprints() {
    return chunks.fingerprints();
  }

  int fingerprintOffset(int piece) {
    return row[piece] * Fingerprint.BYTES;
  }

  Fingerprint fingerprint(int piece) {
    return chunks.fingerprint(row[piece]);
  }

  int chunkLengthBytes(int piece) {
    return chunks.lengthBytes(row[piece]);
  }

  /**
   * Takes the next entries of a walk, up to a position of the object, and looks their chunks up;
   * none at the walk's end.
   *
   * @return false if the walk met a node that cannot be read behind those taken, and stands nowhere
   * @throws onefold.store.CorruptDataException if it met one before any was taken
   */
  boolean fill(RecipeCursor cursor, long endBytes, Domain domain) throws IOException {
    count = 0;
    chunks.clear();
    boolean whole = true;
    while (count < CAPACITY
        && (count == 0 || objectOffset[count - 1] + lengthBytes[count - 1] < endBytes)) {
      try {
        if (!cursor.next()) {
          break;
        }
      } catch (CorruptDataException e) {
        if (count == 0) {
          throw e;
        }
        whole = false; // Whoever reads on to there meets it again.
        break;
      }
      objectOffset[count] = cursor.positionBytes();
      lengthBytes[count] = cursor.lengthBytes();
      switch (cursor.type()) {
        case CHUNK, SLICE -> {
          skipBytes[count] = cursor.skipBytes();
          row[count] = chunks.count();
          block[count] = 0;
          chunks.add(cursor.fingerprints(), cursor.fingerprintOffset(), cursor.chunkLengthBytes());
        }
        case HOLE, RESERVED -> {
          skipBytes[count] = 0;
          row[count] = -1;
          block[count] = ZEROS;
        }
        case CHILD -> throw new IllegalStateException("a child entry in a leaf");
      }
      count++;
    }
    locate(domain);
    return whole;
  }

  /** Looks the chunks up again, as after a container of theirs has gone. */
  void locate(Domain domain) throws IOException {
    if (chunks.count() == 0) {
      return;
    }
    domain.locate(chunks, places);
    for (int piece = 0; piece < count; piece++) {
      if (row[piece] >= 0) {
        int r = row[piece];
        if (places.isPresent(r)) {
          container[piece] = places.containerNumbers()[r];
          domain.blockOf(container[piece], places.slots()[r], this, piece);
        } else {
          container[piece] = 0;
          block[piece] = ABSENT;
        }
      }
    }
  }
}
