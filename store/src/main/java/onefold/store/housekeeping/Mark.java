package onefold.store.housekeeping;

import java.io.IOException;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import onefold.chunker.ChunkKind;
import onefold.chunker.EntryType;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;
import onefold.chunker.Fingerprinter;
import onefold.chunker.NodeFormatException;
import onefold.chunker.NodeReader;
import onefold.chunker.ParameterSet;
import onefold.store.CorruptDataException;
import onefold.store.container.ContainerDirectory;
import onefold.store.container.Containers;
import onefold.store.container.DecodedBlock;
import onefold.store.index.ChunkIndex;
import onefold.store.index.Places;

/**
 * Marks everything below the roots. Reads the candidate node containers one behind the other and
 * looks nothing up, but for nodes that are no candidates.
 */
final class Mark implements Ground.RootVisitor {
  /** Data chunks that are marked together, so that many memory accesses are on their way. */
  private static final int GATHERED = 1024;

  /** Blocks that are read before others get their turn. */
  private static final int BLOCKS_AT_ONCE = 64;

  /** The disk is told of blocks that lie so far before the one that is being read. */
  private static final int AHEAD_BYTES = 1 << 20;

  private final Containers containers;
  private final ChunkIndex index;
  private final LiveChunks live;
  private final Owners owners;
  private final LiveVectors.Between between;
  private final Set<Long> candidates;
  private final Map<Long, Integer> known;
  private final byte[] gathered = new byte[GATHERED * Fingerprint.BYTES];
  private int gatheredCount;
  private final NodeReader reader = new NodeReader();
  private final Fingerprinter fingerprinter;
  private final byte[] computed = new byte[Fingerprint.BYTES];
  private final FingerprintBatch one = new FingerprintBatch(ChunkKind.NODE, 1);
  private final Places place = new Places(1);

  /** Slots of each container whose node has marked its children. */
  private final Map<Long, BitSet> visited = new HashMap<>();

  private long referenceCount;

  /**
   * Makes one.
   *
   * @param candidates containers of nodes whose directories {@code live} was made from
   * @param known how many nodes each of these told then
   * @param owners learns which chunks belong to one root alone
   * @param between called every now and then; may wait, or end the mark
   */
  Mark(
      Containers containers,
      ChunkIndex index,
      LiveChunks live,
      Collection<Long> candidates,
      Map<Long, Integer> known,
      ParameterSet set,
      Owners owners,
      LiveVectors.Between between) {
    this.candidates = Set.copyOf(candidates);
    this.known = known;
    this.owners = owners;
    this.between = between;
    this.containers = containers;
    this.index = index;
    this.live = live;
    this.fingerprinter = new Fingerprinter(set);
  }

  /** References of nodes that were followed. */
  long referenceCount() {
    return referenceCount;
  }

  @Override
  public void namedRoots(FingerprintBatch chunks) throws IOException {
    for (int i = 0; i < chunks.count(); i++) {
      int offset = i * Fingerprint.BYTES;
      switch (chunks.kind()) {
        case DATA -> gather(chunks.fingerprints(), offset, chunks.lengths()[i], Owners.SHARED);
        case NODE -> markNode(chunks.fingerprints(), offset, true, Owners.SHARED);
      }
    }
    markGathered();
  }

  @Override
  public void sessionRoots(FingerprintBatch chunks) {
    for (int i = 0; i < chunks.count(); i++) {
      long chunk = live.find(chunks.kind(), chunks.fingerprints(), i * Fingerprint.BYTES);
      if (chunk != LiveChunks.UNKNOWN) {
        live.mark(chunk);
        switch (chunks.kind()) {
          case DATA ->
              owners.data(
                  chunks.fingerprints(), i * Fingerprint.BYTES, chunks.lengths()[i], Owners.SHARED);
          case NODE -> owners.reach(LiveVectors.nodeOf(chunk), Owners.SHARED);
        }
      }
    }
  }

  /** Marks a data chunk, at the latest with {@link #markGathered}. */
  private void gather(byte[] fingerprints, int offset, int lengthBytes, int owner) {
    owners.data(fingerprints, offset, lengthBytes, owner);
    System.arraycopy(
        fingerprints, offset, gathered, gatheredCount * Fingerprint.BYTES, Fingerprint.BYTES);
    if (++gatheredCount == GATHERED) {
      markGathered();
    }
  }

  private void markGathered() {
    live.markData(gathered, gatheredCount);
    gatheredCount = 0;
  }

  private void markNode(byte[] fingerprints, int offset, boolean root, int owner)
      throws IOException {
    long chunk = live.find(ChunkKind.NODE, fingerprints, offset);
    if (chunk != LiveChunks.UNKNOWN) {
      live.mark(chunk);
      owners.reach(LiveVectors.nodeOf(chunk), root ? owners.root(fingerprints, offset) : owner);
    } else {
      one.clear();
      one.add(fingerprints, offset, 0);
      index.lookup(one, place);
      if (!place.isPresent(0)) {
        throw new CorruptDataException(
            "node " + Fingerprint.of(fingerprints, offset),
            -1,
            "a stored copy, because something that is kept refers to it",
            "none");
      }
      if (candidates.contains(place.containerNumbers()[0])) {
        // Its container's directory does not tell it any more, so nobody can say what is below it.
        throw new CorruptDataException(
            containers.nameInErrors(ChunkKind.NODE, place.containerNumbers()[0]),
            -1,
            "a directory with node " + Fingerprint.of(fingerprints, offset),
            "one that has lost slot " + place.slots()[0]);
      }
    }
  }

  /** Marks what is below all nodes of containers that are no candidates, as they are now. */
  void young(List<Long> numbers) throws IOException {
    for (long number : numbers) {
      ContainerDirectory directory = containers.directory(number);
      if (directory.isSalvaged()) {
        checkTold(directory, containers.info(number).chunkCount());
      }
      for (int block = 0; block < directory.blockCount(); block++) {
        DecodedBlock decoded = containers.decodedBlock(number, directory.block(block).firstSlot());
        for (int i = 0; i < decoded.chunkCount(); i++) {
          visit(decoded, decoded.firstSlot() + i, directory, Owners.SHARED);
        }
      }
      between.pause();
    }
    markGathered();
  }

  /**
   * Ends the mark if a directory has lost nodes meanwhile: they may have been marked, and what is
   * below them would be taken for dead.
   */
  private void checkTold(ContainerDirectory directory, int expected) throws CorruptDataException {
    if (directory.knownCount() < expected) {
      throw new CorruptDataException(
          containers.nameInErrors(ChunkKind.NODE, directory.containerNumber()),
          -1,
          "a directory of " + expected + " nodes",
          "one that has lost all but " + directory.knownCount());
    }
  }

  /**
   * Goes once through the candidates.
   *
   * @param numbers node containers in ascending order
   * @return how many nodes have marked their children now
   */
  long pass(List<Long> numbers) throws IOException {
    long count = 0;
    for (long number : numbers.reversed()) {
      ContainerDirectory directory = containers.directory(number);
      checkTold(directory, known.getOrDefault(number, 0));
      BitSet done = visited.computeIfAbsent(number, key -> new BitSet());
      int told = directory.blockCount();
      for (int block = directory.blockCount() - 1; block >= 0; block--) {
        long visits = visitBlock(directory, block, done);
        if (visits > 0) {
          told = tellAhead(directory, block, Math.min(told, block));
        }
        count += visits;
        if (block % BLOCKS_AT_ONCE == 0) {
          between.pause();
        }
      }
      between.container();
    }
    markGathered();
    return count;
  }

  /**
   * Tells the disk of the blocks before one of which nodes were needed: theirs will be needed too.
   *
   * @param told first block of those that it has been told of, or the block itself
   */
  private int tellAhead(ContainerDirectory directory, int block, int told) throws IOException {
    long atBytes = directory.block(block).offsetBytes();
    int next = told;
    while (next > 0 && atBytes - directory.block(next - 1).offsetBytes() <= AHEAD_BYTES) {
      next--;
      containers.willRead(directory.block(next));
    }
    return next;
  }

  /** Visits the marked nodes of one block, the last one first. */
  private long visitBlock(ContainerDirectory directory, int block, BitSet done) throws IOException {
    int first = directory.block(block).firstSlot();
    int count = directory.block(block).chunkCount();
    DecodedBlock decoded = null;
    long visits = 0;
    for (int slot = first + count - 1; slot >= first; slot--) {
      boolean before = done.get(slot);
      if ((before && !owners.anyChanged()) || directory.isLost(slot)) {
        continue;
      }
      long chunk =
          live.find(ChunkKind.NODE, directory.chunks().fingerprints(), slot * Fingerprint.BYTES);
      if (chunk == LiveChunks.UNKNOWN || !live.isMarked(chunk)) {
        continue;
      }
      if (before && !owners.isChanged(LiveVectors.nodeOf(chunk))) {
        continue;
      }
      if (decoded == null) {
        decoded = containers.decodedBlock(directory.containerNumber(), slot);
      }
      visit(decoded, slot, directory, owners.visit(LiveVectors.nodeOf(chunk)));
      done.set(slot);
      visits++;
    }
    return visits;
  }

  private void visit(DecodedBlock block, int slot, ContainerDirectory directory, int owner)
      throws IOException {
    int from = block.offset(slot);
    int length = block.lengthBytes(slot);
    Fingerprint expected = directory.chunks().fingerprint(slot);
    fingerprinter.fingerprint(block.bytes(), from, length, computed, 0);
    if (!Fingerprint.of(computed, 0).equals(expected)) {
      throw new CorruptDataException(
          containers.nameInErrors(ChunkKind.NODE, directory.containerNumber()),
          directory.block(directory.blockOfSlot(slot)).offsetBytes(),
          "node " + expected,
          "node " + Fingerprint.of(computed, 0));
    }
    try {
      reader.reset(block.bytes(), from, length);
    } catch (NodeFormatException e) {
      throw new CorruptDataException(
          "node " + expected, -1, "a recipe node", String.valueOf(e.getMessage()));
    }
    while (reader.next()) {
      EntryType type = reader.entryType();
      switch (type) {
        case HOLE, RESERVED -> {}
        case CHILD -> {
          referenceCount++;
          markNode(block.bytes(), reader.fingerprintOffset(), false, owner);
        }
        case CHUNK, SLICE -> {
          referenceCount++;
          gather(block.bytes(), reader.fingerprintOffset(), reader.chunkLengthBytes(), owner);
        }
      }
    }
  }
}
