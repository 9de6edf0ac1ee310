package onefold.store.engine;

import java.io.IOException;
import java.util.Arrays;
import java.util.BitSet;
import onefold.block.BlockFormatException;
import onefold.block.BlockReader;
import onefold.chunker.Fingerprint;
import onefold.chunker.Fingerprinter;
import onefold.store.scheduler.Promise;
import onefold.store.scheduler.Scheduler;
import org.jspecify.annotations.Nullable;

/**
 * One block on its way from the container to the reader: read by a task of its own, decompressed
 * and checked on the pool. Used again for other blocks.
 *
 * <p>The reader's thread prepares it and looks at it; what the tasks write it sees through the
 * promise.
 */
final class BlockFetch implements AutoCloseable {
  private final Domain domain;
  private final Scheduler scheduler;
  private final BlockReader reader = new BlockReader();
  private final Fingerprinter fingerprinter;
  private final byte[] computed = new byte[Fingerprint.BYTES];

  /** Chunks that were asked for before the start, with the fingerprints they must have. */
  private int[] wantedChunks = new int[16];

  private byte[] wantedFingerprints = new byte[16 * Fingerprint.BYTES];
  private int wantedCount;

  private RecipeReader.BlockKey key = new RecipeReader.BlockKey(0, 0, 0);
  private @Nullable Promise<Boolean> done;
  private boolean started;
  private int plannedBytes;

  // Written by the tasks before the promise is kept.
  private byte[] raw = {};
  private int[] starts = {};
  private int chunkCount;
  private final BitSet verified = new BitSet();

  /** Pieces issued and not yet consumed; the reader's thread counts. */
  int uses;

  BlockFetch(Domain domain, Scheduler scheduler) {
    this.domain = domain;
    this.scheduler = scheduler;
    this.fingerprinter = new Fingerprinter(domain.parameterSet());
  }

  void prepare(RecipeReader.BlockKey newKey, int rawBytes) {
    key = newKey;
    plannedBytes = rawBytes;
    wantedCount = 0;
    uses = 0;
    started = false;
    done = null;
    chunkCount = 0;
    verified.clear();
  }

  /** Plain bytes of the block, as its container's directory says. */
  int plannedBytes() {
    return plannedBytes;
  }

  /** Says that a chunk will be needed; its fingerprint is then checked on the pool. */
  void want(int chunk, byte[] fingerprints, int offset) {
    if (started) {
      return;
    }
    if (wantedCount == wantedChunks.length) {
      wantedChunks = Arrays.copyOf(wantedChunks, 2 * wantedCount);
      wantedFingerprints = Arrays.copyOf(wantedFingerprints, 2 * wantedFingerprints.length);
    }
    wantedChunks[wantedCount] = chunk;
    System.arraycopy(
        fingerprints,
        offset,
        wantedFingerprints,
        wantedCount * Fingerprint.BYTES,
        Fingerprint.BYTES);
    wantedCount++;
  }

  void start() {
    started = true;
    Promise<Boolean> promise = scheduler.promise();
    done = promise;
    scheduler.start(
        "read-block",
        () -> {
          boolean good = false;
          try {
            byte[] stored = domain.storedBlock(key);
            good = scheduler.compute("unpack", () -> unpack(stored)).await();
          } catch (IOException e) {
            // The reader's thread reads it again and meets the error itself.
            good = false;
          } finally {
            promise.complete(good);
          }
        });
  }

  void runHere() {
    started = true;
    Promise<Boolean> promise = scheduler.promise();
    done = promise;
    boolean good = false;
    try {
      good = unpack(domain.storedBlock(key));
    } catch (IOException e) {
      // The reader reads the chunk again, one by one, and meets the error there.
      good = false;
    } finally {
      promise.complete(good);
    }
  }

  private boolean unpack(byte[] stored) {
    try {
      reader.parse(stored, 0, stored.length);
      raw = reader.decompress();
    } catch (BlockFormatException e) {
      return false;
    }
    chunkCount = reader.chunkCount();
    if (starts.length < chunkCount + 1) {
      starts = new int[chunkCount + 1];
    }
    int at = 0;
    for (int i = 0; i < chunkCount; i++) {
      starts[i] = at;
      at += reader.chunkLengths()[i];
    }
    starts[chunkCount] = at;
    reader.forgetBlock(); // It would be held for as long as this is.
    for (int i = 0; i < wantedCount; i++) {
      verify(wantedChunks[i], wantedFingerprints, i * Fingerprint.BYTES);
    }
    return true;
  }

  private boolean verify(int chunk, byte[] fingerprints, int offset) {
    if (chunk >= chunkCount) {
      return false;
    }
    if (verified.get(chunk)) {
      return true;
    }
    fingerprinter.fingerprint(raw, starts[chunk], starts[chunk + 1] - starts[chunk], computed, 0);
    boolean equal =
        Arrays.equals(
            computed, 0, Fingerprint.BYTES, fingerprints, offset, offset + Fingerprint.BYTES);
    verified.set(chunk, equal);
    return equal;
  }

  boolean isDone() {
    Promise<Boolean> promise = done;
    return promise != null && promise.isDone();
  }

  /**
   * Waits for the block and says where in {@link #raw} a chunk begins; -1 if it could not be had,
   * or is not what it should be.
   */
  int chunkStart(int chunk, byte[] fingerprints, int offset, int lengthBytes) throws IOException {
    Promise<Boolean> promise = done;
    if (promise == null || !promise.await()) {
      return -1;
    }
    if (!verify(chunk, fingerprints, offset) || starts[chunk + 1] - starts[chunk] != lengthBytes) {
      return -1;
    }
    return starts[chunk];
  }

  byte[] raw() {
    return raw;
  }

  /** Waits for its tasks and gives back native memory. */
  @Override
  public void close() {
    Promise<Boolean> promise = done;
    if (promise != null) {
      try {
        promise.await();
      } catch (IOException e) {
        throw new IllegalStateException("a fetch hands out no failure", e);
      }
    }
    reader.close();
  }
}
