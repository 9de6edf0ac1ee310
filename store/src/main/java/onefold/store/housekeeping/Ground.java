package onefold.store.housekeeping;

import java.io.IOException;
import java.util.List;
import onefold.chunker.ChunkKind;
import onefold.chunker.FingerprintBatch;
import onefold.store.container.BlockLocation;
import onefold.store.container.Containers;
import onefold.store.index.ChunkIndex;

/** The domain in which housekeeping works, as far as it needs it. */
public interface Ground {
  /** Its containers. */
  Containers containers();

  /** Its index. */
  ChunkIndex index();

  /**
   * Ends the open node containers and returns when they are sealed: every node stored before the
   * call lies in a sealed container.
   */
  void sealNodes() throws IOException;

  /** Ends the open data containers, so that what is dead in them can be given back. */
  void sealData() throws IOException;

  /** Whether somebody is storing data now. */
  boolean isStoring();

  /** Bytes that uploads and readers have moved so far. */
  long foregroundBytes();

  /** Whether the disk is so full that giving back is more urgent than what uploads do. */
  boolean isSpaceShort();

  /** Whether so many bytes can be written without coming near the reserve. */
  boolean hasRoom(long bytes);

  /**
   * Moves the containers that lie on a disk that is drained.
   *
   * @return whether none is left there; one that is being filled may be
   */
  boolean settle(Containers.Settling between) throws IOException;

  /** Says that what a cycle needs of the memory has changed. */
  void needsChanged();

  /** Makes it durable that a cycle has been finished, for showing. */
  void finished(FinishedCycle cycle) throws IOException;

  /**
   * A finished cycle.
   *
   * @param cycle its number, from 1
   * @param atMillis store time of its end
   * @param liveChunkCount chunks found live
   * @param backlogBytes stored bytes that are dead and stayed
   */
  record FinishedCycle(long cycle, long atMillis, long liveChunkCount, long backlogBytes) {
    /** Before the first one. */
    public static final FinishedCycle NONE = new FinishedCycle(0, 0, 0, 0);
  }

  /**
   * Whether a container is sealed, all its chunks are published, and what is taken out of reach of
   * it stays so after a checkpoint of the index. The others are no cycle's business yet.
   *
   * @throws onefold.store.container.ContainerGoneException if there is none of this number
   */
  boolean isCandidate(long containerNumber) throws IOException;

  /** Lets every have-answer and duplicate be told to a cycle from now on. */
  void attach(Cycle cycle);

  /**
   * Ends that.
   *
   * @param finished whether everything dead is out of reach now
   */
  void detach(boolean finished);

  /** Takes roots. */
  interface RootVisitor {
    /**
     * Takes chunks that something with a name refers to, with all that is below them: a node among
     * them that is nowhere is damage.
     */
    void namedRoots(FingerprintBatch chunks) throws IOException;

    /** Takes chunks that somebody was told are present; one that has gone since does not matter. */
    void sessionRoots(FingerprintBatch chunks) throws IOException;
  }

  /** Visits what uploads were told is present and what is being read. */
  void visitSessions(RootVisitor visitor) throws IOException;

  /** Visits the roots of everything that has a name. */
  void visitNamed(RootVisitor visitor) throws IOException;

  /** The lowest container that holds data which an upload stored itself and no name covers yet. */
  long lowestUnnamedDataContainer();

  /** Takes a container out of the index, whatever the index has not yet heard of it. */
  void retract(long containerNumber);

  /** Says that a container which was taken out of the index is published again. */
  void restored(long containerNumber);

  /** Appends a block and publishes its chunks. */
  void append(ChunkKind kind, byte[] block, int offset, int lengthBytes, FingerprintBatch chunks)
      throws IOException;

  /** Takes the chunks of a block that cannot be read out of the index. */
  void damaged(BlockLocation block) throws IOException;

  /**
   * Makes it durable that containers are gone, after everything appended before is durable, and
   * deletes their files.
   */
  void drop(List<Long> containerNumbers) throws IOException;
}
