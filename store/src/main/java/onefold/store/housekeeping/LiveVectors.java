package onefold.store.housekeeping;

import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import onefold.chunker.ChunkKind;
import onefold.store.container.ContainerDirectory;
import onefold.store.container.Containers;

/**
 * {@link LiveChunks} as two perfect hashes, one of data and one of nodes, in about half a byte a
 * chunk of data. A node that is not in the set is told, but for one in 2^32; a data chunk that is
 * not is taken for some other, which is kept at worst. Owns memory off the heap until {@link
 * #close}.
 */
final class LiveVectors implements LiveChunks, AutoCloseable {
  /** Memory for the hashes of one part while it is built. */
  private static final long SCRATCH_BYTES = 32L << 20;

  private final LiveVector data;
  private final LiveVector nodes;
  private final Map<Long, Integer> knownNodes;

  /**
   * Takes two vectors over, nodes with check bits.
   *
   * @param knownNodes how many nodes the directory of each of their containers told
   */
  LiveVectors(LiveVector data, LiveVector nodes, Map<Long, Integer> knownNodes) {
    this.data = data;
    this.nodes = nodes;
    this.knownNodes = knownNodes;
  }

  /** How many nodes the directory of each container of nodes told when the set was made. */
  Map<Long, Integer> knownNodes() {
    return knownNodes;
  }

  /** Memory of both. */
  long memoryBytes() {
    return data.memoryBytes() + nodes.memoryBytes();
  }

  /** Called every now and then; may wait, or end it all. */
  interface Between {
    void pause() throws IOException;

    /** Called between containers. */
    default void container() throws IOException {
      pause();
    }
  }

  /** Makes the sets of all chunks of these containers, which are sealed. */
  static LiveVectors of(
      Containers containers,
      List<Long> dataNumbers,
      List<Long> nodeNumbers,
      RandomGenerator random,
      Between between)
      throws IOException {
    LiveVector data = vector(containers, dataNumbers, false, random, between, new HashMap<>());
    Map<Long, Integer> known = new HashMap<>();
    boolean done = false;
    try {
      LiveVectors vectors =
          new LiveVectors(
              data, vector(containers, nodeNumbers, true, random, between, known), known);
      done = true;
      return vectors;
    } finally {
      if (!done) {
        data.close();
      }
    }
  }

  /**
   * Makes the vector of all chunks of containers of one kind.
   *
   * @param known learns how many chunks each directory told, at most
   */
  static LiveVector vector(
      Containers containers,
      List<Long> numbers,
      boolean checked,
      RandomGenerator random,
      Between between,
      Map<Long, Integer> known)
      throws IOException {
    long count = 0;
    for (long number : numbers) {
      count += containers.info(number).chunkCount();
    }
    return LiveVector.build(
        (first, last, sink) -> {
          for (long number : numbers) {
            ContainerDirectory directory = containers.directory(number);
            known.merge(number, directory.knownCount(), Math::max);
            sink.fingerprints(directory.chunks().fingerprints(), directory.chunks().count());
            between.container();
          }
        },
        count,
        SCRATCH_BYTES,
        checked,
        random);
  }

  @Override
  public long find(ChunkKind kind, byte[] fingerprints, int offset) {
    long chunk =
        switch (kind) {
          case DATA -> data.find(fingerprints, offset);
          case NODE -> nodes.find(fingerprints, offset);
        };
    return chunk == LiveVector.UNKNOWN ? UNKNOWN : chunk << 1 | (kind == ChunkKind.NODE ? 1 : 0);
  }

  private LiveVector vector(long chunk) {
    return (chunk & 1) == 0 ? data : nodes;
  }

  @Override
  public boolean mark(long chunk) {
    return vector(chunk).mark(chunk >>> 1);
  }

  @Override
  public void markData(byte[] fingerprints, int count) {
    data.markAll(fingerprints, count);
  }

  @Override
  public boolean isMarked(long chunk) {
    return vector(chunk).isMarked(chunk >>> 1);
  }

  @Override
  public long markedCount() {
    return data.markedCount() + nodes.markedCount();
  }

  @Override
  public long chunkCount() {
    return data.keyCount() + nodes.keyCount();
  }

  /** One more than the greatest number that {@link #nodeOf} gives. */
  long nodeNumbers() {
    return nodes.slotCount();
  }

  /** The number of a node among nodes. */
  static long nodeOf(long chunk) {
    return chunk >>> 1;
  }

  @Override
  public void close() {
    data.close();
    nodes.close();
  }
}
