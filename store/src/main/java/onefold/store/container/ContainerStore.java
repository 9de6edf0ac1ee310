package onefold.store.container;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Set;
import onefold.chunker.ChunkKind;
import onefold.store.scheduler.SchedulerLock;

/**
 * Where containers are kept. A face above the device, because an object store, where a sealed
 * container is one object, is no device. All methods may be called by many threads at once.
 */
interface ContainerStore {
  /**
   * What a container is kept under.
   *
   * @param sealed whether it is finished; an unsealed one that is found at start is cut and sealed
   */
  record Name(ChunkKind kind, long number, long generation, boolean sealed) {}

  /** One container that is open. Reached by itself: it can be read after a delete. */
  interface StoredContainer extends AutoCloseable {
    /** Where it lies, for messages. */
    String path();

    /**
     * Writes at {@code positionBytes}, which is its end, or lies before it after a failed write.
     */
    void append(long positionBytes, ByteBuffer source) throws IOException;

    /** Makes what has been appended durable; its name is the business of {@link #forceNames}. */
    void force() throws IOException;

    /** Drops everything from {@code sizeBytes} on. */
    void truncate(long sizeBytes) throws IOException;

    /** Makes it durable, then sealed, then its new name durable. */
    void seal() throws IOException;

    /** Fills {@code target}; {@code EOFException} if there is not so much. */
    void readFully(long positionBytes, ByteBuffer target) throws IOException;

    /** Says that a range will be read soon; a hint, which need not do anything. */
    default void willRead(long positionBytes, int lengthBytes) throws IOException {}

    /** Its size in bytes now. */
    long sizeBytes() throws IOException;

    @Override
    void close() throws IOException;
  }

  /** Where a container lies, for messages. */
  String path(Name name);

  /** Makes an empty unsealed container. The caller owns it. */
  StoredContainer create(ChunkKind kind, long number, long generation) throws IOException;

  /** Opens a container, an unsealed one for appending too. The caller owns it. */
  StoredContainer open(Name name) throws IOException;

  /** All containers of a kind, by number and generation. */
  List<Name> list(ChunkKind kind) throws IOException;

  /** Makes the names of a kind durable as they are now. */
  void forceNames(ChunkKind kind) throws IOException;

  /** Deletes a container, and its parity; whoever has it open goes on reading. */
  void delete(Name name) throws IOException;

  /** Called between containers that are moved; may wait, or end it. */
  @FunctionalInterface
  interface Between {
    void pause() throws IOException;
  }

  /**
   * Moves the sealed containers of data that lie where none may, see {@link
   * onefold.store.device.DiskSpread}, and their parities. Nobody deletes a container meanwhile.
   *
   * @param replacing held while one is moved, and by whoever lets a draft take its place
   */
  void settle(SchedulerLock replacing, Between between) throws IOException;

  /**
   * Whether containers of data lie where none may.
   *
   * @param onlyUnsealed whether sealed ones do not count
   */
  boolean isUnsettled(boolean onlyUnsealed) throws IOException;

  // ---- beside sealed containers

  /** What is written beside a sealed container before it counts. */
  enum Draft {
    /** Its parity. */
    PARITY,

    /** The same container, repaired. */
    REPAIRED
  }

  /**
   * Makes an empty draft on the disk of the container; an older one is deleted. The caller owns it.
   */
  StoredContainer createDraft(Name name, Draft draft) throws IOException;

  /**
   * Lets a draft that has been forced take its place; durable after {@link #forceNames}.
   *
   * @throws IOException if the container has been moved to another disk since the draft was made
   */
  void keep(Name name, Draft draft) throws IOException;

  /** Deletes a draft if there is one. */
  void deleteDraft(Name name, Draft draft) throws IOException;

  /**
   * Opens a container's parity for reading. The caller owns it.
   *
   * @throws java.nio.file.NoSuchFileException if there is none
   */
  StoredContainer openParity(Name name) throws IOException;

  /** Deletes a container's parity if there is one. */
  void deleteParity(Name name) throws IOException;

  /**
   * Deletes what is beside containers that do not exist, and drafts that a crash has left.
   *
   * @param existing the sealed containers of the kind
   * @return those of them that have a parity
   */
  Set<Name> tidy(ChunkKind kind, Set<Name> existing) throws IOException;
}
