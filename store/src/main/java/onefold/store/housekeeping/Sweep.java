package onefold.store.housekeeping;

import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import onefold.block.BlockBuilder;
import onefold.block.BlockCodec;
import onefold.block.BlockFormatException;
import onefold.block.BlockReader;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;
import onefold.store.CorruptDataException;
import onefold.store.StoreFullException;
import onefold.store.container.BlockLocation;
import onefold.store.container.ContainerDirectory;
import onefold.store.container.ContainerInfo;
import onefold.store.container.Containers;
import onefold.store.container.StoredBlock;
import onefold.store.index.ChunkIndex;
import onefold.store.index.Places;

/** Gives back what a mark has left dead: nodes first, then data. */
final class Sweep {
  /** Raw bytes of nodes in a new block, so that a mark reads little for one node. */
  private static final int NODE_BLOCK_BYTES = 32 << 10;

  /** A container of which less than this is live is copied forward. */
  static final double MIN_LIVE_SHARE = 0.7;

  /** A sealed container whose file is shorter than this part of a full one is small. */
  static final int SMALL_PART = 4;

  private final Ground ground;
  private final Containers containers;
  private final ChunkIndex index;
  private final LiveChunks live;
  private final Cycle cycle;
  private final Owners owners;
  private final long smallBytes;
  private final Progress progress;
  private final Places places = new Places(256);

  /** Containers that hold nothing that is still needed there. */
  private final List<Long> empty = new ArrayList<>();

  private long emptyBytes;

  /** Hears how the sweep goes on; may make it wait or end it. */
  interface Progress {
    /** Called between blocks; may make it wait or end it. */
    void between() throws IOException;

    /**
     * One more container has been seen to.
     *
     * @param deadBytes stored bytes in it that are dead and stay for now
     */
    void swept(long deadBytes);

    /**
     * A container has been copied forward.
     *
     * @param readBytes what was read of it
     * @param freedBytes its file, less what was stored again
     */
    void copied(long readBytes, long freedBytes);

    /** Bytes of files returned. */
    void reclaimed(long bytes);
  }

  /**
   * Makes one.
   *
   * @param owners knows what one root alone reaches, and learns what of it lies where
   */
  Sweep(
      Ground ground,
      Cycle cycle,
      LiveChunks live,
      Owners owners,
      long containerBytes,
      Progress progress) {
    this.owners = owners;
    this.ground = ground;
    this.containers = ground.containers();
    this.index = ground.index();
    this.live = live;
    this.cycle = cycle;
    this.smallBytes = containerBytes / SMALL_PART;
    this.progress = progress;
  }

  /** Takes dead nodes out of reach, durably. */
  void nodes(List<Long> numbers) throws IOException {
    boolean merge = countSmall(numbers) > 1;
    boolean changed = false;
    for (long number : numbers) {
      changed |= sweep(number, merge);
      progress.between();
    }
    if (changed) {
      index.checkpoint();
    }
  }

  /** Gives back dead data; {@link #nodes} has been called. */
  void data(List<Long> numbers) throws IOException {
    boolean merge = countSmall(numbers) > 1;
    for (long number : numbers) {
      sweep(number, merge);
      if (emptyBytes > 0) {
        drop();
      }
      progress.between();
    }
  }

  /** Deletes what is empty. */
  void drop() throws IOException {
    if (!empty.isEmpty()) {
      ground.drop(List.copyOf(empty));
      progress.reclaimed(emptyBytes);
      empty.clear();
      emptyBytes = 0;
    }
  }

  private int countSmall(List<Long> numbers) throws IOException {
    int count = 0;
    for (long number : numbers) {
      if (containers.info(number).fileBytes() < smallBytes) {
        count++;
      }
    }
    return count;
  }

  /** Sweeps one container and says whether it took anything out of the index. */
  private boolean sweep(long number, boolean merge) throws IOException {
    ContainerDirectory directory = containers.directory(number);
    ContainerInfo info = containers.info(number);
    if (directory.isSalvaged() && containers.hasParity(number)) {
      // What it no longer names may be live: the mark may have had it from the cache. The next pass
      // of the scrub makes it good.
      progress.swept(0);
      return false;
    }
    Copies copies = copies(directory);
    BitSet needed = needed(directory, copies);
    if (needed.get(directory.chunks().count())) {
      progress.swept(0);
      return directory.kind() == ChunkKind.NODE && retractDead(directory);
    }
    long neededBytes = bytes(directory, needed);
    boolean sparse = neededBytes < info.rawBytes() * MIN_LIVE_SHARE;
    boolean small = merge && info.fileBytes() < smallBytes;
    if (neededBytes == 0 || sparse || small) {
      if (directory.kind() == ChunkKind.DATA) {
        // An answer may have marked more until now.
        needed = cycle.condemn(number, () -> needed(directory, copies));
      }
      if (!needed.get(directory.chunks().count()) && copyForward(directory, needed, info)) {
        cycle.retracted(number);
        empty.add(number);
        emptyBytes += info.fileBytes();
        own(directory, needed, info, 0);
        progress.swept(0);
        return true;
      }
    }
    own(directory, needed, info, neededBytes);
    long deadBytes = info.rawBytes() - neededBytes;
    progress.swept(info.rawBytes() == 0 ? 0 : stored(deadBytes, info));
    return directory.kind() == ChunkKind.NODE && retractDead(directory);
  }

  /** The stored bytes of plain ones of a container. */
  private static long stored(long rawBytes, ContainerInfo info) {
    return (long) ((double) rawBytes / info.rawBytes() * info.storedBytes());
  }

  /**
   * Tells what each root alone keeps of a container.
   *
   * @param neededBytes plain bytes of its live chunks; 0 if these have been copied forward
   */
  private void own(
      ContainerDirectory directory, BitSet needed, ContainerInfo info, long neededBytes) {
    FingerprintBatch chunks = directory.chunks();
    if (directory.kind() == ChunkKind.NODE || info.rawBytes() == 0) {
      return;
    }
    Map<Integer, Long> byRoot = new HashMap<>();
    for (int slot = needed.nextSetBit(0);
        slot >= 0 && slot < chunks.count();
        slot = needed.nextSetBit(slot + 1)) {
      int owner = owners.ownerOf(chunks.fingerprints(), slot * Fingerprint.BYTES);
      if (Owners.isRoot(owner)) {
        byRoot.merge(owner, chunks.lengths()[slot] * owners.weight(), Long::sum);
      }
    }
    byRoot.forEach((owner, rawBytes) -> {
      boolean atOnce = neededBytes > 0 && neededBytes - rawBytes < info.rawBytes() * MIN_LIVE_SHARE;
      owners.keeps(owner, stored(Math.min(rawBytes, info.rawBytes()), info), atOnce);
    });
  }

  /**
   * Which of a container's chunks the index knows here, as their youngest copy, and which nowhere.
   */
  private record Copies(BitSet here, BitSet nowhere) {}

  private Copies copies(ContainerDirectory directory) {
    FingerprintBatch chunks = directory.chunks();
    Copies copies = new Copies(new BitSet(), new BitSet());
    if (chunks.count() > 0) {
      index.lookupForDedup(chunks, places);
    }
    for (int slot = 0; slot < chunks.count(); slot++) {
      if (!places.isPresent(slot)) {
        copies.nowhere.set(slot);
      } else if (places.containerNumbers()[slot] == directory.containerNumber()
          && places.slots()[slot] == slot) {
        copies.here.set(slot);
      }
    }
    return copies;
  }

  /**
   * Slots that are live and have no younger copy. The bit behind the last slot says that a chunk is
   * live and nowhere in the index, because its bytes here are damaged, or that it is lost and
   * nobody can tell whether it is live: the container stays, for whoever may yet make something of
   * them.
   */
  private BitSet needed(ContainerDirectory directory, Copies copies) {
    FingerprintBatch chunks = directory.chunks();
    BitSet needed = new BitSet();
    BitSet here = copies.here;
    for (int slot = here.nextSetBit(0); slot >= 0; slot = here.nextSetBit(slot + 1)) {
      if (isLive(chunks, slot)) {
        needed.set(slot);
      }
    }
    BitSet nowhere = copies.nowhere;
    for (int slot = nowhere.nextSetBit(0); slot >= 0; slot = nowhere.nextSetBit(slot + 1)) {
      if (isMarked(chunks, slot)) {
        needed.set(chunks.count());
      }
    }
    for (int slot = 0; slot < chunks.count(); slot++) {
      // That of a node that is needed would have ended the mark.
      if (chunks.kind() == ChunkKind.DATA && directory.isLost(slot) && live.markedCount() > 0) {
        needed.set(chunks.count());
      }
    }
    return needed;
  }

  private boolean isLive(FingerprintBatch chunks, int slot) {
    long chunk = live.find(chunks.kind(), chunks.fingerprints(), slot * Fingerprint.BYTES);
    // What is not in the table was not there when it was made, so it is not known to be dead.
    return chunk == LiveChunks.UNKNOWN || live.isMarked(chunk);
  }

  private boolean isMarked(FingerprintBatch chunks, int slot) {
    long chunk = live.find(chunks.kind(), chunks.fingerprints(), slot * Fingerprint.BYTES);
    return chunk != LiveChunks.UNKNOWN && live.isMarked(chunk);
  }

  private static long bytes(ContainerDirectory directory, BitSet slots) {
    long bytes = 0;
    for (int slot = slots.nextSetBit(0); slot >= 0; slot = slots.nextSetBit(slot + 1)) {
      bytes += directory.chunks().lengths()[slot];
    }
    return bytes;
  }

  /**
   * Stores what is needed of a container again and takes the container out of the index.
   *
   * @return false if something could not be read or stored; then it stays as it is
   */
  private boolean copyForward(ContainerDirectory directory, BitSet needed, ContainerInfo info)
      throws IOException {
    long number = directory.containerNumber();
    try (Copier copier = new Copier(directory.kind())) {
      copy(directory, needed, copier);
      copier.flush();
      ground.retract(number);
      if (copier.readBytes > 0) {
        progress.copied(copier.readBytes, info.fileBytes() - copier.writtenBytes);
      }
      return true;
    } catch (StoreFullException | CorruptDataException e) {
      // Its chunks must be found here again; copies that were made count too, and cost space.
      republish(directory);
      return false;
    }
  }

  private void republish(ContainerDirectory directory) throws IOException {
    FingerprintBatch chunks = directory.chunks();
    FingerprintBatch one = new FingerprintBatch(chunks.kind(), 1);
    for (int slot = 0; slot < chunks.count(); slot++) {
      if (!directory.isLost(slot) && (chunks.kind() == ChunkKind.DATA || isLive(chunks, slot))) {
        one.clear();
        one.add(chunks.fingerprints(), slot * Fingerprint.BYTES, chunks.lengths()[slot]);
        index.publish(directory.containerNumber(), chunks.kind(), slot, one);
      }
    }
    ground.restored(directory.containerNumber());
  }

  private void copy(ContainerDirectory directory, BitSet slots, Copier copier) throws IOException {
    for (int block = 0; block < directory.blockCount(); block++) {
      BlockLocation location = directory.block(block);
      int first = location.firstSlot();
      int end = first + location.chunkCount();
      int next = slots.nextSetBit(first);
      if (next < 0 || next >= end) {
        continue;
      }
      StoredBlock stored;
      try {
        stored = containers.readBlock(location);
      } catch (CorruptDataException e) {
        ground.damaged(location);
        throw e;
      }
      copier.readBytes += stored.bytes().length;
      progress.between();
      if (slots.get(first, end).cardinality() == location.chunkCount()
          && directory.kind() == ChunkKind.DATA) {
        copier.whole(stored, directory);
      } else {
        copier.part(stored, directory, slots);
      }
    }
  }

  private boolean retractDead(ContainerDirectory directory) throws IOException {
    FingerprintBatch chunks = directory.chunks();
    boolean any = false;
    for (int slot = 0; slot < chunks.count(); slot++) {
      if (!directory.isLost(slot) && !isLive(chunks, slot)) {
        index.retractChunk(
            ChunkKind.NODE, chunks.fingerprint(slot), directory.containerNumber(), slot);
        any = true;
      }
    }
    return any;
  }

  /** Puts chunks into new blocks. */
  private final class Copier implements AutoCloseable {
    private final ChunkKind kind;
    private final FingerprintBatch gathered;
    private final BlockReader reader = new BlockReader();
    private BlockBuilder builder;
    private BlockCodec codec = BlockCodec.LZ4;
    private long readBytes;
    private long writtenBytes;

    Copier(ChunkKind kind) {
      this.kind = kind;
      this.gathered = new FingerprintBatch(kind, 64);
      this.builder = new BlockBuilder(kind, codec, BlockBuilder.INLINE_ZSTD_LEVEL);
    }

    void whole(StoredBlock stored, ContainerDirectory directory) throws IOException {
      FingerprintBatch chunks = new FingerprintBatch(kind, stored.location().chunkCount());
      for (int i = 0; i < stored.location().chunkCount(); i++) {
        int slot = stored.location().firstSlot() + i;
        chunks.add(
            directory.chunks().fingerprints(),
            slot * Fingerprint.BYTES,
            directory.chunks().lengths()[slot]);
      }
      ground.append(kind, stored.bytes(), 0, stored.bytes().length, chunks);
      writtenBytes += stored.bytes().length;
    }

    void part(StoredBlock stored, ContainerDirectory directory, BitSet slots) throws IOException {
      byte[] raw;
      try {
        reader.parse(stored.bytes(), 0, stored.bytes().length);
        raw = reader.decompress();
      } catch (BlockFormatException e) {
        ground.damaged(stored.location());
        throw new CorruptDataException(
            ground.containers().nameInErrors(kind, directory.containerNumber()),
            stored.location().offsetBytes(),
            "a sound block",
            String.valueOf(e.getMessage()));
      }
      if (reader.codec() == BlockCodec.ZSTD && codec != BlockCodec.ZSTD) {
        flush();
        builder.close();
        codec = BlockCodec.ZSTD;
        builder = new BlockBuilder(kind, codec, BlockBuilder.INLINE_ZSTD_LEVEL);
      }
      int full = kind == ChunkKind.NODE ? NODE_BLOCK_BYTES : codec.wishedRawBytes();
      int at = 0;
      for (int i = 0; i < reader.chunkCount(); i++) {
        int length = reader.chunkLengths()[i];
        int slot = stored.location().firstSlot() + i;
        if (slots.get(slot)) {
          if (builder.chunkCount() > 0
              && (builder.rawBytes() + length > full || !builder.fits(length))) {
            flush();
          }
          builder.add(raw, at, length);
          gathered.add(directory.chunks().fingerprints(), slot * Fingerprint.BYTES, length);
        }
        at += length;
      }
    }

    void flush() throws IOException {
      if (builder.chunkCount() > 0) {
        int length = builder.encode();
        ground.append(kind, builder.bytes(), 0, length, gathered);
        writtenBytes += length;
        builder.reset();
        gathered.clear();
      }
    }

    @Override
    public void close() {
      builder.close();
      reader.close();
    }
  }
}
