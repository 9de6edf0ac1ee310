package onefold.store.index;

import java.io.IOException;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.LongAdder;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.FingerprintBatch;
import onefold.store.device.Device;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.SchedulerLock;

/**
 * Finds the place of a chunk by its fingerprint: exact, and derived from the containers'
 * directories, so that it can always be thrown away and built again.
 *
 * <p>It is a set of facts "this slot of this container holds this chunk". Publishing adds facts and
 * may be repeated; the order does not matter. A container that is not known, because it was never
 * published or has been retracted, has no facts. When several known containers hold a chunk the
 * answer is the one with the highest number, always: two look-ups that see the same containers
 * never disagree about which copy counts. Container numbers are unsigned, not 0 and never reused.
 *
 * <p>Any number of threads may call any method at any time. Look-ups wait for nobody; publishing
 * waits for other publishing, and for the disk when it has got too far ahead of it.
 */
public final class ChunkIndex implements AutoCloseable {
  private final SchedulerLock lock;
  private final ContainerSet known = new ContainerSet(); // changed under lock
  private final MemoryTable table; // added to under lock

  private final LongAdder lookups = new LongAdder();
  private final LongAdder hits = new LongAdder();

  private ChunkIndex(Scheduler scheduler) {
    this.lock = scheduler.lock("index");
    this.table = new MemoryTable(scheduler.random().nextLong());
  }

  /**
   * Opens the index of a directory, which is made if it is missing. Never fails because of what
   * stands there: what is damaged is left out, and {@link #rebuildNeeded} says so.
   *
   * <p>The caller then retracts the {@linkplain #coveredContainers covered} containers that no
   * longer exist and publishes those that exist and are not covered, before anything relies on a
   * chunk being absent.
   *
   * @throws IOException if the device fails
   */
  public static ChunkIndex open(
      Device device,
      Scheduler scheduler,
      String directory,
      IndexSettings settings,
      IndexDamageListener listener)
      throws IOException {
    device.createDirectories(directory);
    return new ChunkIndex(scheduler);
  }

  /**
   * Finds chunks for reading.
   *
   * @param batch read before the method returns
   * @param places gets one row for each chunk of the batch
   * @throws onefold.store.CorruptDataException if a part of the index is damaged and a chunk that
   *     was not found may have stood there: it is not known to be absent. The damage has been
   *     reported; after the rebuild the answer is known again. Rows that were found are right even
   *     then
   */
  public void lookup(FingerprintBatch batch, Places places) throws IOException {
    find(batch, places);
  }

  /**
   * Finds chunks for deduplication: as {@link #lookup}, but a chunk that may have stood in a
   * damaged part is answered absent. That costs space, never data.
   */
  public void lookupForDedup(FingerprintBatch batch, Places places) throws IOException {
    find(batch, places);
  }

  private void find(FingerprintBatch batch, Places places) {
    int count = batch.count();
    places.reset(count);
    byte[] fingerprints = batch.fingerprints();
    long kindBit = Locations.kindBit(batch.kind());
    var lookup = new Lookup(known, places);
    for (int row = 0; row < count; row++) {
      table.find(fingerprints, row * Fingerprint.BYTES, kindBit, lookup, row);
    }
    if (lookup.anyRetraction()) {
      for (int row = 0; row < count; row++) {
        if (lookup.isRetracted(row)) {
          var single = new Lookup.Single();
          table.find(fingerprints, row * Fingerprint.BYTES, kindBit, single, row);
          single.resolve(known, places, row);
        }
      }
    }
    int found = 0;
    for (int row = 0; row < count; row++) {
      if (places.containerNumbers()[row] != Places.ABSENT) {
        found++;
      }
    }
    lookups.add(count);
    hits.add(found);
  }

  /**
   * Makes the chunks of a container known, from one slot on. An open container is published as it
   * grows; the entries go to disk only after {@link #sealed}. May be repeated.
   *
   * @param containerNumber not 0
   * @param kind the batch's kind
   * @param firstSlot slot of the batch's first chunk; the others follow it
   * @param chunks read before the method returns
   * @throws IllegalArgumentException if a slot is above 2^26 - 1 or a chunk is longer than 1 MiB
   * @throws IOException if the entries that wait for the disk could not be written there
   */
  public void publish(long containerNumber, ChunkKind kind, int firstSlot, FingerprintBatch chunks)
      throws IOException {
    checkContainer(containerNumber);
    if (kind != chunks.kind()) {
      throw new IllegalArgumentException("batch of kind " + chunks.kind() + " as " + kind);
    }
    int count = chunks.count();
    int[] lengths = chunks.lengths();
    Locations.of(kind, Math.addExact(firstSlot, Math.max(0, count - 1)), 0);
    lock.lock();
    try {
      known.add(containerNumber);
      for (int i = 0; i < count; i++) {
        table.add(
            chunks.fingerprints(),
            i * Fingerprint.BYTES,
            containerNumber,
            Locations.of(kind, firstSlot + i, lengths[i]));
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Says that a container is complete, published in full, and durable: its entries may go to disk.
   */
  public void sealed(long containerNumber) {
    checkContainer(containerNumber);
  }

  /**
   * Takes all entries of a container out of reach, at once. Cheap: the entries themselves vanish
   * when their runs are merged. Call it when the container's living chunks have been published at
   * their new places, and before the container is deleted.
   */
  public void retract(long containerNumber) {
    checkContainer(containerNumber);
    lock.lock();
    try {
      known.remove(containerNumber);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Takes one place of a chunk out of reach for as long as its container exists; publishing it
   * again does not bring it back. Other places of the chunk stay.
   */
  public void retractChunk(ChunkKind kind, Fingerprint fingerprint, long containerNumber, int slot)
      throws IOException {
    checkContainer(containerNumber);
    byte[] bytes = fingerprint.toBytes();
    lock.lock();
    try {
      table.add(bytes, 0, containerNumber, Locations.retraction(kind, slot));
    } finally {
      lock.unlock();
    }
  }

  /**
   * Takes the place that a look-up answers now out of reach, as the other {@code retractChunk}.
   *
   * @return whether there was one
   */
  public boolean retractChunk(ChunkKind kind, Fingerprint fingerprint) throws IOException {
    var batch = new FingerprintBatch(kind, 1);
    batch.add(fingerprint, 0);
    var places = new Places(1);
    lookupForDedup(batch, places);
    if (!places.isPresent(0)) {
      return false;
    }
    retractChunk(kind, fingerprint, places.containerNumbers()[0], places.slots()[0]);
    return true;
  }

  /**
   * Writes the entries of all containers sealed before the call to disk, and waits for that. After
   * it they are {@linkplain #coveredContainers covered} even if the power fails.
   */
  public void checkpoint() throws IOException {}

  /**
   * The containers whose entries are all on disk and need not be published after a restart. Empty
   * while a rebuild is needed.
   */
  public Set<Long> coveredContainers() {
    return new TreeSet<>();
  }

  /** Whether entries have been lost to damage and not yet been published again. */
  public boolean rebuildNeeded() {
    return false;
  }

  /**
   * Begins to publish everything again: from now on {@link #publish} takes entries of covered
   * containers too, as far as they belong to what was lost.
   *
   * @return what {@link #finishRebuild} wants
   */
  public long beginRebuild() {
    return 0;
  }

  /**
   * Says that every container has been published, and sealed if it is, since {@code beginRebuild}
   * returned {@code rebuild}. Forces the entries and takes the lost parts as whole again. Damage
   * found after the beginning needs another rebuild.
   */
  public void finishRebuild(long rebuild) throws IOException {}

  /** What the index holds and has done. */
  public IndexStatistics statistics() {
    return new IndexStatistics(
        table.recordCount(),
        lookups.sum(),
        hits.sum(),
        0,
        0,
        0,
        1,
        0,
        0,
        table.memoryBytes(),
        0,
        0);
  }

  /** Stops merging and closes the files, without a checkpoint. Nothing may use the index then. */
  @Override
  public void close() throws IOException {
    table.close();
  }

  private static void checkContainer(long containerNumber) {
    if (containerNumber == Places.ABSENT) {
      throw new IllegalArgumentException("container number 0");
    }
  }
}
