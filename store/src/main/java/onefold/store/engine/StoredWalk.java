package onefold.store.engine;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.ObjectRoot;
import onefold.store.CorruptDataException;
import onefold.store.StoredChunks;
import onefold.store.engine.RecipeReader.BlockKey;
import onefold.store.recipe.RecipeCursor;
import onefold.store.scheduler.Promise;
import onefold.store.scheduler.Scheduler;
import org.jspecify.annotations.Nullable;

/**
 * Hands out a range of an object in stored form, reading up to {@value #MAX_READS} blocks ahead.
 * Checks each block's checksum, not its fingerprints: the receiver does that.
 */
final class StoredWalk implements StoredChunks {
  static final int MAX_READS = 16;

  /** How often one chunk may be on its way from one container to another when it is looked up. */
  private static final int MAX_LOOK_UPS = 100;

  private final Domain domain;
  private final Scheduler scheduler;
  private final RecipeCursor cursor;
  private final long endBytes;

  private final ArrayDeque<Run> ahead = new ArrayDeque<>();
  private final ArrayDeque<Run> free = new ArrayDeque<>();

  /** Blocks issued and not yet handed out, in order. */
  private final ArrayDeque<Read> reads = new ArrayDeque<>();

  /** The blocks issued last, which the receiver has still, in order. */
  private final SequencedMap<BlockKey, Issued> window = new LinkedHashMap<>();

  private long windowBytes;

  private final byte[] fingerprint = new byte[Fingerprint.BYTES];
  private long nextNumber;
  private long handedCount;
  private @Nullable BlockKey failedBefore;
  private long unknownOffset = -1;
  private int unknownCount;
  private boolean walkEnded;

  /** Whether the walk stopped before its end, at a part of the recipe that cannot be read. */
  private boolean walkBroken;

  /** How far the pieces reach that were taken from the walk. */
  private long walkedBytes;

  private boolean closed;

  private static final class Run {
    final Pieces pieces = new Pieces();
    final long[] blockNumber = new long[Pieces.CAPACITY];
    int issued;
    int consumed;
  }

  /** The number under which a block was issued, and its plain bytes. */
  private record Issued(long number, int rawBytes) {}

  /** A block on its way; its promise gives null if it could not be had as it should be. */
  private record Read(BlockKey key, long number, Promise<byte[]> bytes) {}

  StoredWalk(Domain domain, Scheduler scheduler, ObjectRoot root, long positionBytes, long endBytes)
      throws IOException {
    this.domain = domain;
    this.scheduler = scheduler;
    this.endBytes = endBytes;
    this.cursor = new RecipeCursor(domain::node, root);
    cursor.seek(positionBytes);
    walkEnded = positionBytes == endBytes;
  }

  @Override
  public Step next() throws IOException {
    if (closed) {
      throw new IOException("the walk is closed");
    }
    while (true) {
      issue();
      Run run = ahead.peekFirst();
      if (run == null) {
        return new Step.End();
      }
      Pieces pieces = run.pieces;
      int piece = run.consumed;
      long offset = pieces.objectOffset[piece];
      long length = Math.min(pieces.lengthBytes[piece], endBytes - offset);
      if (pieces.block[piece] == Pieces.ZEROS) {
        consume(run);
        return new Step.Zeros(offset, length);
      }
      if (pieces.block[piece] == Pieces.ABSENT) {
        throw domain.lost(
            ChunkKind.DATA,
            pieces.fingerprints(),
            pieces.fingerprintOffset(piece),
            pieces.chunkLengthBytes(piece));
      }
      if (pieces.block[piece] == Pieces.UNKNOWN) {
        lookUpAgain(pieces, piece, offset);
        continue;
      }
      long number = run.blockNumber[piece];
      if (number >= handedCount) {
        Read read = reads.removeFirst();
        byte[] bytes = bytesOf(read);
        if (bytes == null) {
          restart(read.key(), offset);
          continue;
        }
        handedCount++;
        failedBefore = null;
        return new Step.Block(read.number(), bytes, 0, bytes.length);
      }
      System.arraycopy(
          pieces.fingerprints(),
          pieces.fingerprintOffset(piece),
          fingerprint,
          0,
          Fingerprint.BYTES);
      Step.Extent extent =
          new Step.Extent(
              offset,
              number,
              pieces.chunkInBlock[piece],
              fingerprint,
              pieces.skipBytes[piece],
              Math.toIntExact(length));
      consume(run);
      return extent;
    }
  }

  private static byte @Nullable [] bytesOf(Read read) throws IOException {
    byte[] bytes = read.bytes().await();
    return bytes.length == 0 ? null : bytes;
  }

  private void consume(Run run) {
    if (++run.consumed == run.pieces.count()) {
      ahead.removeFirst();
      free.add(run);
    }
  }

  /**
   * Walks again from a piece whose block could not be had: its container has gone, or it was
   * damaged and is out of the index now, so that another copy is found if there is one.
   */
  private void restart(BlockKey failed, long offset) throws IOException {
    if (failed.equals(failedBefore)) {
      throw new CorruptDataException(
          domain.containers().nameInErrors(ChunkKind.DATA, failed.containerNumber()),
          -1,
          "block " + failed.block() + ", which the index names",
          "nothing that can be read");
    }
    failedBefore = failed;
    forget(failed);
    walkAgain(offset);
  }

  /** Walks again from a piece of which it was not known in which block it lies. */
  private void lookUpAgain(Pieces pieces, int piece, long offset) throws IOException {
    unknownCount = offset == unknownOffset ? unknownCount + 1 : 1;
    unknownOffset = offset;
    if (unknownCount > MAX_LOOK_UPS) {
      throw domain.lost(
          ChunkKind.DATA,
          pieces.fingerprints(),
          pieces.fingerprintOffset(piece),
          pieces.chunkLengthBytes(piece));
    }
    walkAgain(offset);
  }

  private void walkAgain(long offset) throws IOException {
    for (Read read : reads) {
      forget(read.key());
    }
    reads.clear();
    nextNumber = handedCount;
    free.addAll(ahead);
    ahead.clear();
    walkEnded = false;
    walkBroken = false;
    cursor.seek(offset);
  }

  private void forget(BlockKey key) {
    Issued forgotten = window.remove(key);
    windowBytes -= forgotten == null ? 0 : forgotten.rawBytes();
  }

  private void issue() throws IOException {
    while (true) {
      Run last = ahead.peekLast();
      if (last == null || last.issued == last.pieces.count()) {
        if (walkEnded || reads.size() >= MAX_READS || ahead.size() >= MAX_READS) {
          return;
        }
        if (walkBroken) {
          if (last != null) {
            return;
          }
          walkBroken = false;
          cursor.seek(walkedBytes); // Which now is the caller's business, if it is damaged still.
        }
        Run next = free.poll();
        if (next == null) {
          next = new Run();
        }
        next.issued = 0;
        next.consumed = 0;
        try {
          walkBroken = !next.pieces.fill(cursor, endBytes, domain);
        } catch (CorruptDataException e) {
          free.add(next);
          if (last == null) {
            throw e;
          }
          walkBroken = true; // What lies before it is handed out first.
          return;
        }
        if (next.pieces.count() == 0) {
          free.add(next);
          walkEnded = true;
          return;
        }
        int lastPiece = next.pieces.count() - 1;
        walkedBytes = next.pieces.objectOffset[lastPiece] + next.pieces.lengthBytes[lastPiece];
        walkEnded = walkedBytes >= endBytes;
        ahead.addLast(next);
        last = next;
      }
      int piece = last.issued;
      if (last.pieces.block[piece] >= 0) {
        BlockKey key =
            new BlockKey(
                last.pieces.container[piece],
                last.pieces.generation[piece],
                last.pieces.block[piece]);
        Issued issued = window.get(key);
        if (issued == null) {
          if (reads.size() >= MAX_READS) {
            return;
          }
          issued = new Issued(nextNumber++, last.pieces.blockRawBytes[piece]);
          read(key, issued);
        }
        last.blockNumber[piece] = issued.number();
      }
      last.issued++;
    }
  }

  private void read(BlockKey key, Issued issued) {
    window.put(key, issued);
    windowBytes += issued.rawBytes();
    while (window.size() > WINDOW_BLOCKS || (windowBytes > WINDOW_BYTES && window.size() > 1)) {
      windowBytes -= window.pollFirstEntry().getValue().rawBytes();
    }
    Promise<byte[]> promise = scheduler.promise();
    reads.addLast(new Read(key, issued.number(), promise));
    scheduler.start(
        "read-stored",
        () -> {
          byte[] bytes = {};
          try {
            bytes = checkedBlock(key);
          } catch (IOException e) {
            bytes = new byte[0];
          } finally {
            promise.complete(bytes);
          }
        });
  }

  /** Reads a block; one that is damaged is taken out of the index and answered as nothing. */
  private byte[] checkedBlock(BlockKey key) throws IOException {
    try {
      return domain.storedBlock(key);
    } catch (CorruptDataException e) {
      domain.quarantineBlock(key);
      return new byte[0];
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    for (Read read : reads) {
      try {
        read.bytes().await();
      } catch (IOException e) {
        throw new IllegalStateException("a read hands out no failure", e);
      }
    }
    reads.clear();
  }
}
