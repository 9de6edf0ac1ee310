package onefold.store.container;

import java.io.IOException;
import java.nio.ByteBuffer;
import onefold.block.BlockFormat;
import onefold.block.BlockFormatException;
import onefold.block.BlockReader;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;
import onefold.store.StoreFullException;
import onefold.store.container.ContainerFormat.Identity;
import onefold.store.container.ContainerStore.StoredContainer;
import onefold.store.scheduler.SchedulerLock;
import org.jspecify.annotations.Nullable;

/**
 * A container that is not sealed: it grows, or is being sealed. Its directory is in memory. One
 * task at a time appends; any number read, force and ask.
 */
final class OpenContainer {
  private static final int FIRST_BUFFER_BYTES = 64 << 10;

  final Identity identity;
  final StoredContainer file;
  private final ContainerStore store;
  private final SchedulerLock lock;

  // Guarded by lock.
  private final ContainerLayout.Builder layout;
  private final FingerprintBatch chunks;
  private long endBytes = ContainerFormat.HEADER_BYTES;
  private long forcedBytes;
  private boolean nameForced;
  private boolean sealed;

  // Used by the task that appends; freed when the container is full.
  private @Nullable ByteBuffer buffer;
  private @Nullable BlockReader checker = new BlockReader();
  private final byte[] frame = new byte[ContainerFormat.FRAME_BYTES];

  OpenContainer(ContainerStore store, StoredContainer file, Identity identity, SchedulerLock lock) {
    this(
        store,
        file,
        identity,
        lock,
        new ContainerLayout.Builder(identity.number(), identity.generation()),
        new FingerprintBatch(identity.kind(), 1024));
  }

  private OpenContainer(
      ContainerStore store,
      StoredContainer file,
      Identity identity,
      SchedulerLock lock,
      ContainerLayout.Builder layout,
      FingerprintBatch chunks) {
    this.store = store;
    this.file = file;
    this.identity = identity;
    this.lock = lock;
    this.layout = layout;
    this.chunks = chunks;
  }

  /** A container that recovery found, cut, and to which nothing is appended. */
  static OpenContainer recovered(
      ContainerStore store,
      StoredContainer file,
      Identity identity,
      SchedulerLock lock,
      BlockScan.Found found) {
    OpenContainer container =
        new OpenContainer(store, file, identity, lock, found.layout(), found.chunks());
    container.endBytes = found.endBytes();
    container.full();
    return container;
  }

  /**
   * Appends a block.
   *
   * @throws IllegalArgumentException if the block is not whole, or its chunks are not those
   * @throws StoreFullException if there is no space; nothing has changed
   */
  Appended append(byte[] block, int offset, int lengthBytes, FingerprintBatch added)
      throws IOException {
    check(block, offset, lengthBytes, added);
    int crc = ContainerFormat.crc(block, offset, lengthBytes);
    int firstSlot = layout.chunkCount();
    long frameAt = endBytes;
    ContainerFormat.encodeFrame(
        frame, 0, identity, frameAt, lengthBytes, firstSlot, added.count(), crc);
    ByteBuffer out = buffer(ContainerFormat.FRAME_BYTES + lengthBytes);
    out.put(frame).put(block, offset, lengthBytes).flip();
    file.append(frameAt, out);
    int raw = 0;
    for (int i = 0; i < added.count(); i++) {
      raw += added.lengths()[i];
    }
    lock.lock();
    try {
      long blockAt = frameAt + ContainerFormat.FRAME_BYTES;
      layout.add(blockAt, lengthBytes, raw, added.count(), crc);
      int first = chunks.count();
      chunks.setCount(first + added.count());
      System.arraycopy(
          added.fingerprints(),
          0,
          chunks.fingerprints(),
          first * Fingerprint.BYTES,
          added.count() * Fingerprint.BYTES);
      System.arraycopy(added.lengths(), 0, chunks.lengths(), first, added.count());
      endBytes = blockAt + lengthBytes;
      return new Appended(identity.number(), firstSlot, endBytes);
    } finally {
      lock.unlock();
    }
  }

  /** The pair of the check after reading: nothing is stored that could not be read back. */
  private void check(byte[] block, int offset, int lengthBytes, FingerprintBatch added) {
    BlockReader reader = checker;
    if (reader == null) {
      throw new IllegalStateException("container " + identity.number() + " is full");
    }
    if (added.kind() != identity.kind() || added.count() < 1) {
      throw new IllegalArgumentException(
          added.count() + " chunks of kind " + added.kind() + " for " + identity.kind());
    }
    if (lengthBytes > BlockFormat.MAX_BLOCK_BYTES) {
      throw new IllegalArgumentException("block of " + lengthBytes + " bytes");
    }
    try {
      reader.parse(block, offset, lengthBytes);
    } catch (BlockFormatException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
    boolean same = reader.chunkCount() == added.count() && reader.kind() == added.kind();
    for (int i = 0; same && i < added.count(); i++) {
      same = reader.chunkLengths()[i] == added.lengths()[i];
    }
    if (!same) {
      throw new IllegalArgumentException(
          "a block of "
              + reader.chunkCount()
              + " chunks of kind "
              + reader.kind()
              + " for a batch of "
              + added.count()
              + " of kind "
              + added.kind()
              + ", or of other lengths");
    }
  }

  private ByteBuffer buffer(int bytes) {
    ByteBuffer kept = buffer;
    if (kept == null || kept.capacity() < bytes) {
      kept = ByteBuffer.allocateDirect(Math.max(FIRST_BUFFER_BYTES, roundedUp(bytes)));
      buffer = kept;
    }
    return kept.clear();
  }

  private static int roundedUp(int bytes) {
    return Integer.highestOneBit(bytes - 1) << 1;
  }

  /** Nothing is appended any more. */
  void full() {
    if (checker != null) {
      checker.close();
    }
    checker = null;
    buffer = null;
  }

  /** Makes everything appended before the call durable, the name included. */
  void force() throws IOException {
    long end;
    boolean name;
    lock.lock();
    try {
      end = endBytes;
      name = nameForced;
      if (end <= forcedBytes && name) {
        return;
      }
    } finally {
      lock.unlock();
    }
    try {
      file.force();
    } catch (IOException e) {
      if (isSealed()) {
        return; // Sealed and closed meanwhile, which has forced more than was asked for.
      }
      throw e;
    }
    if (!name) {
      store.forceNames(identity.kind());
    }
    lock.lock();
    try {
      forcedBytes = Math.max(forcedBytes, end);
      nameForced = true;
    } finally {
      lock.unlock();
    }
  }

  /** What is asked of a container that is whole and not sealed yet. */
  @FunctionalInterface
  interface Proof {
    /** Throws if the container must not be sealed. */
    void check(ContainerDirectory directory) throws IOException;
  }

  /** Writes the directory behind the blocks and seals the file; answers the directory. */
  ContainerDirectory seal() throws IOException {
    return seal(directory -> {});
  }

  /** As {@link #seal()}; the proof is asked for after everything has been forced. */
  ContainerDirectory seal(Proof proof) throws IOException {
    ContainerDirectory directory = directory();
    long size =
        ContainerFile.writeDirectory(
            file, identity, directory.layout(), directory.chunks(), endBytes());
    file.truncate(size); // An earlier try may have written more.
    proof.check(directory);
    file.seal();
    lock.lock();
    try {
      sealed = true;
      forcedBytes = endBytes;
      nameForced = true;
    } finally {
      lock.unlock();
    }
    return directory;
  }

  private boolean isSealed() {
    lock.lock();
    try {
      return sealed;
    } finally {
      lock.unlock();
    }
  }

  /** The directory as it is now: a copy. */
  ContainerDirectory directory() {
    lock.lock();
    try {
      int count = chunks.count();
      FingerprintBatch copy = new FingerprintBatch(identity.kind(), Math.max(1, count));
      copy.setCount(count);
      System.arraycopy(chunks.fingerprints(), 0, copy.fingerprints(), 0, count * Fingerprint.BYTES);
      System.arraycopy(chunks.lengths(), 0, copy.lengths(), 0, count);
      return new ContainerDirectory(identity.number(), layout.build(), copy);
    } finally {
      lock.unlock();
    }
  }

  long endBytes() {
    lock.lock();
    try {
      return endBytes;
    } finally {
      lock.unlock();
    }
  }

  boolean isDirty() {
    lock.lock();
    try {
      return endBytes > forcedBytes || !nameForced;
    } finally {
      lock.unlock();
    }
  }

  int chunkCount() {
    lock.lock();
    try {
      return layout.chunkCount();
    } finally {
      lock.unlock();
    }
  }

  boolean isEmpty() {
    lock.lock();
    try {
      return layout.blockCount() == 0;
    } finally {
      lock.unlock();
    }
  }

  int blockOf(int slot) {
    lock.lock();
    try {
      return layout.blockOf(slot);
    } finally {
      lock.unlock();
    }
  }

  BlockLocation location(int block) {
    lock.lock();
    try {
      return layout.location(block);
    } finally {
      lock.unlock();
    }
  }

  ContainerInfo info() {
    lock.lock();
    try {
      return new ContainerInfo(
          identity.number(),
          identity.kind(),
          identity.generation(),
          false,
          layout.chunkCount(),
          layout.rawSum(),
          layout.storedSum(),
          endBytes);
    } finally {
      lock.unlock();
    }
  }
}
