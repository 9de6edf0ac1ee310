package onefold.store.engine;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import onefold.chunker.ChunkKind;
import onefold.chunker.ObjectRoot;
import onefold.store.CorruptDataException;
import onefold.store.ObjectReader;
import onefold.store.StoredChunks;
import onefold.store.recipe.RecipeCursor;
import onefold.store.scheduler.Scheduler;
import org.jspecify.annotations.Nullable;

/**
 * Reads one object: walks its recipe ahead of the caller, fetches each block once as far as the
 * window sees, decompresses and checks it on the pool, and copies from there.
 *
 * <p>The window grows from what is asked for to {@value #WINDOW_BYTES} bytes of object while the
 * caller reads on where it stopped; at most {@value #FIRST_BLOCKS} blocks are held, which grows to
 * {@value #MAX_BLOCKS} when a caller who reads on needs blocks again that were let go, as in an
 * object whose parts are of many ages. Fewer are held when they are large: together they have at
 * most {@value #MAX_HELD_BYTES} plain bytes, or are one.
 *
 * <p>What a fetch could not give (its container has gone, its bytes are damaged) is read again by
 * the caller's thread, by another copy if there is one; only then is it an error.
 */
final class RecipeReader implements ObjectReader {
  static final int WINDOW_BYTES = 8 << 20;
  static final int FIRST_BLOCKS = 64;

  /**
   * Of the 60th generation with 2 % of 64 KiB runs changed in each, 64 blocks held mean 1.2 reads
   * of each block, 128 mean 1.08, 192 mean 1.03.
   */
  static final int MAX_BLOCKS = 192;

  static final long MAX_HELD_BYTES = 24 << 20;

  /** A fetch of a larger block is not used again. */
  private static final int LARGE_BYTES = 256 << 10;

  private static final int FIRST_WINDOW_BYTES = 256 << 10;

  /** So many more blocks are held when one was let go too early. */
  private static final int MORE_BLOCKS = 8;

  /** Blocks let go last, which are remembered to see that. */
  private static final int REMEMBERED = 256;

  private final Domain domain;
  private final Scheduler scheduler;
  private final ObjectRoot root;
  private final Runnable onClose;
  private final RecipeCursor cursor;

  /** Runs ahead of the caller in order; the first is being read. */
  private final ArrayDeque<Ahead> ahead = new ArrayDeque<>();

  private final ArrayDeque<Ahead> free = new ArrayDeque<>();

  /** Blocks held, the least recently issued first. */
  private final Map<BlockKey, BlockFetch> fetches = new LinkedHashMap<>();

  private final ArrayDeque<BlockFetch> freeFetches = new ArrayDeque<>();

  private final Map<BlockKey, Boolean> letGo =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<BlockKey, Boolean> eldest) {
          return size() > REMEMBERED;
        }
      };

  private int mostBlocks = FIRST_BLOCKS;
  private final List<BlockFetch> toStart = new ArrayList<>();

  private long heldBytes;
  private long nextPosition = -1;
  private long issuedEnd;
  private long windowBytes = FIRST_WINDOW_BYTES;
  private boolean walkEnded;

  /** Whether the walk stopped before its end, at a part of the recipe that cannot be read. */
  private boolean walkBroken;

  private boolean closed;

  /** Which block. */
  record BlockKey(long containerNumber, long generation, int block) {}

  /** A run and how far its pieces were issued and consumed. */
  private static final class Ahead {
    final Pieces pieces = new Pieces();
    final @Nullable BlockFetch[] fetch = new BlockFetch[Pieces.CAPACITY];
    int issued;
    int consumed;
  }

  RecipeReader(Domain domain, Scheduler scheduler, ObjectRoot root, Runnable onClose)
      throws IOException {
    this.domain = domain;
    this.scheduler = scheduler;
    this.root = root;
    this.onClose = onClose;
    this.cursor = new RecipeCursor(domain::node, root);
  }

  @Override
  public long lengthBytes() {
    return root.lengthBytes();
  }

  @Override
  public int read(long positionBytes, byte[] target, int offset, int lengthBytes)
      throws IOException {
    Objects.checkFromIndexSize(offset, lengthBytes, target.length);
    if (positionBytes < 0) {
      throw new IllegalArgumentException("positionBytes " + positionBytes);
    }
    if (closed) {
      throw new IOException("the reader is closed");
    }
    if (positionBytes >= root.lengthBytes()) {
      return -1;
    }
    int wanted = (int) Math.min(lengthBytes, root.lengthBytes() - positionBytes);
    if (wanted == 0) {
      return 0;
    }
    if (positionBytes == nextPosition) {
      windowBytes = Math.min(WINDOW_BYTES, windowBytes * 2);
    } else {
      seek(positionBytes);
    }
    windowBytes = Math.clamp(wanted, windowBytes, WINDOW_BYTES);
    int done = 0;
    while (done < wanted) {
      try {
        done += readPiece(positionBytes + done, target, offset + done, wanted - done);
      } catch (IOException | RuntimeException e) {
        nextPosition = -1;
        if (done > 0) {
          // The caller gets what could be read; the next call meets the error again.
          return done;
        }
        throw e;
      }
    }
    nextPosition = positionBytes + done;
    return done;
  }

  private int readPiece(long position, byte[] target, int offset, int room) throws IOException {
    issue(position);
    Ahead run = ahead.getFirst();
    Pieces pieces = run.pieces;
    int piece = run.consumed;
    long inPiece = position - pieces.objectOffset[piece];
    int n = (int) Math.min(room, pieces.lengthBytes[piece] - inPiece);
    if (pieces.block[piece] == Pieces.ZEROS) {
      Arrays.fill(target, offset, offset + n, (byte) 0);
    } else {
      copyChunk(run, piece, inPiece, target, offset, n);
    }
    if (inPiece + n == pieces.lengthBytes[piece]) {
      consume(run);
    }
    return n;
  }

  private void copyChunk(Ahead run, int piece, long inPiece, byte[] target, int offset, int n)
      throws IOException {
    Pieces pieces = run.pieces;
    int from = Math.toIntExact(pieces.skipBytes[piece] + inPiece);
    BlockFetch fetch = run.fetch[piece];
    if (fetch != null) {
      int start =
          fetch.chunkStart(
              pieces.chunkInBlock[piece],
              pieces.fingerprints(),
              pieces.fingerprintOffset(piece),
              pieces.chunkLengthBytes(piece));
      if (start >= 0) {
        System.arraycopy(fetch.raw(), start + from, target, offset, n);
        return;
      }
    }
    byte[] chunk =
        domain.chunk(ChunkKind.DATA, pieces.fingerprints(), pieces.fingerprintOffset(piece));
    if (chunk.length != pieces.chunkLengthBytes(piece)) {
      throw new CorruptDataException(
          "chunk " + pieces.fingerprint(piece),
          -1,
          pieces.chunkLengthBytes(piece) + " bytes, as the recipe says",
          chunk.length + " bytes");
    }
    System.arraycopy(chunk, from, target, offset, n);
  }

  private void consume(Ahead run) {
    BlockFetch fetch = run.fetch[run.consumed];
    run.fetch[run.consumed] = null;
    if (fetch != null) {
      fetch.uses--;
    }
    if (++run.consumed == run.pieces.count()) {
      ahead.removeFirst();
      free.add(run);
    }
  }

  private void seek(long position) throws IOException {
    for (Ahead run : ahead) {
      for (int i = run.consumed; i < run.issued; i++) {
        BlockFetch fetch = run.fetch[i];
        run.fetch[i] = null;
        if (fetch != null) {
          fetch.uses--;
        }
      }
      free.add(run);
    }
    ahead.clear();
    nextPosition = -1;
    walkEnded = false;
    walkBroken = false;
    issuedEnd = position;
    windowBytes = FIRST_WINDOW_BYTES;
    mostBlocks = FIRST_BLOCKS;
    letGo.clear();
    cursor.seek(position);
  }

  /** Issues fetches until the window is full; at least the piece at {@code position} is issued. */
  private void issue(long position) throws IOException {
    while (true) {
      Ahead last = ahead.peekLast();
      if (last == null || last.issued == last.pieces.count()) {
        if (walkEnded || (last != null && (walkBroken || issuedEnd >= position + windowBytes))) {
          break;
        }
        if (walkBroken) {
          walkBroken = false;
          cursor.seek(position); // Which now is the caller's business, if it is damaged still.
        }
        Ahead next = free.poll();
        if (next == null) {
          next = new Ahead();
        }
        next.issued = 0;
        next.consumed = 0;
        try {
          walkBroken = !next.pieces.fill(cursor, position + windowBytes, domain);
        } catch (CorruptDataException e) {
          free.add(next);
          if (last == null) {
            throw e;
          }
          walkBroken = true; // What lies before it is read first.
          break;
        }
        if (next.pieces.count() == 0) {
          free.add(next);
          walkEnded = true;
          break;
        }
        ahead.addLast(next);
        last = next;
      }
      boolean first = ahead.size() == 1 && last.consumed == last.issued;
      boolean windowIsFull = !first && issuedEnd >= position + windowBytes;
      if (windowIsFull || !issuePiece(last, first)) {
        break;
      }
    }
    startAll();
    if (ahead.isEmpty()) {
      throw new CorruptDataException(
          "recipe " + root.node(), -1, root.lengthBytes() + " bytes", "its end at " + position);
    }
  }

  /** Issues the next piece of a run; false if no more blocks may be held. */
  private boolean issuePiece(Ahead run, boolean must) {
    Pieces pieces = run.pieces;
    int piece = run.issued;
    run.fetch[piece] = null;
    if (pieces.block[piece] >= 0) {
      BlockKey key =
          new BlockKey(pieces.container[piece], pieces.generation[piece], pieces.block[piece]);
      BlockFetch fetch = fetches.get(key);
      if (fetch == null) {
        int rawBytes = pieces.blockRawBytes[piece];
        if (letGo.remove(key) != null && windowBytes == WINDOW_BYTES) {
          mostBlocks = Math.min(MAX_BLOCKS, mostBlocks + MORE_BLOCKS);
        }
        while (fetches.size() >= mostBlocks || heldBytes + rawBytes > MAX_HELD_BYTES) {
          if (!dropOne()) {
            if (must) {
              break;
            }
            return false;
          }
        }
        heldBytes += rawBytes;
        fetch = freeFetches.poll();
        if (fetch == null) {
          fetch = new BlockFetch(domain, scheduler);
        }
        fetch.prepare(key, rawBytes);
        fetches.put(key, fetch);
        toStart.add(fetch);
      }
      fetch.uses++;
      fetch.want(
          pieces.chunkInBlock[piece], pieces.fingerprints(), pieces.fingerprintOffset(piece));
      run.fetch[piece] = fetch;
    }
    run.issued++;
    issuedEnd = pieces.objectOffset[piece] + pieces.lengthBytes[piece];
    return true;
  }

  private boolean dropOne() {
    Iterator<Map.Entry<BlockKey, BlockFetch>> held = fetches.entrySet().iterator();
    while (held.hasNext()) {
      Map.Entry<BlockKey, BlockFetch> eldest = held.next();
      BlockFetch fetch = eldest.getValue();
      if (fetch.uses == 0 && fetch.isDone()) {
        letGo.put(eldest.getKey(), true);
        held.remove();
        heldBytes -= fetch.plannedBytes();
        if (fetch.plannedBytes() > LARGE_BYTES
            || fetches.size() + freeFetches.size() >= mostBlocks) {
          fetch.close(); // It would keep its buffer.
        } else {
          freeFetches.add(fetch);
        }
        return true;
      }
    }
    return false;
  }

  private void startAll() {
    // A lone block is quicker fetched here than by two other threads.
    boolean inline = toStart.size() == 1 && fetches.size() == 1;
    for (BlockFetch fetch : toStart) {
      if (inline) {
        fetch.runHere();
      } else {
        fetch.start();
      }
    }
    toStart.clear();
  }

  @Override
  public StoredChunks storedChunks(long positionBytes, long endBytes) throws IOException {
    if (positionBytes < 0 || endBytes < positionBytes || endBytes > root.lengthBytes()) {
      throw new IllegalArgumentException(
          "from " + positionBytes + " to " + endBytes + " of an object of " + root.lengthBytes());
    }
    return new StoredWalk(domain, scheduler, root, positionBytes, endBytes);
  }

  @Override
  public long endOfPart(long positionBytes) throws IOException {
    return RecipeCursor.endOfPart(domain::node, root, positionBytes);
  }

  @Override
  public List<byte[]> pathTo(long positionBytes) throws IOException {
    Objects.checkIndex(positionBytes, root.lengthBytes());
    RecipeCursor walk = new RecipeCursor(domain::node, root);
    walk.seek(positionBytes);
    walk.next();
    List<byte[]> path = walk.path();
    switch (walk.type()) {
      case CHUNK, SLICE ->
          path.add(domain.chunk(ChunkKind.DATA, walk.fingerprints(), walk.fingerprintOffset()));
      case HOLE, RESERVED, CHILD -> {}
    }
    return path;
  }

  @Override
  public byte[] node(byte[] fingerprints, int offset) throws IOException {
    return domain.node(fingerprints, offset);
  }

  @Override
  public long chunkCount() throws IOException {
    RecipeCursor walk = new RecipeCursor(domain::node, root);
    long count = 0;
    while (walk.next()) {
      switch (walk.type()) {
        case CHUNK, SLICE -> count++;
        case HOLE, RESERVED, CHILD -> {}
      }
    }
    return count;
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    for (BlockFetch fetch : fetches.values()) {
      fetch.close();
    }
    for (BlockFetch fetch : freeFetches) {
      fetch.close();
    }
    fetches.clear();
    freeFetches.clear();
    onClose.run();
  }
}
