package onefold.store.simulator;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import onefold.store.ChunkStore;
import onefold.store.DomainRecord;
import onefold.store.HousekeepingStatus.Phase;
import onefold.store.Id;
import onefold.store.ObjectReader;
import onefold.store.ShareStore;
import onefold.store.engine.EngineSettings;
import onefold.store.simulation.Simulation;
import org.jspecify.annotations.Nullable;

/** Everything that a program's steps and its judge share, over all its lives. */
final class World {
  static final int SLOTS_PER_LANE = 2;

  /** An open upload and what is known of it. */
  static final class Slot {
    final Address address;
    final OpenUpload upload;

    /** Whether a newer upload of the same name has begun. */
    boolean superseded;

    /** Whether anything was saved of it, or may have been. */
    boolean saved;

    Slot(Address address, OpenUpload upload) {
      this.address = address;
      this.upload = upload;
    }
  }

  /** An open reader and what it must read. */
  record OpenReader(ObjectReader reader, byte[] content) {}

  final Model model;
  final EngineSettings settings;
  final @Nullable Slot[] uploads = new Slot[Address.LANES * SLOTS_PER_LANE];
  final @Nullable OpenReader[] readers = new OpenReader[Address.LANES * SLOTS_PER_LANE];

  /** What each lane has asked for and not been answered; the last is for housekeeping beside. */
  final @Nullable Intent[] intents = new Intent[Address.LANES + 1];

  /** Store time at which each of these was asked for. */
  final long[] intendedAtMillis = new long[Address.LANES + 1];

  final SplittableRandom ids;

  /** Whether the disk has a bound now. */
  boolean full;

  /** Whether one call of the running step finds no space. */
  boolean fullForOneCall;

  /** Whether data has been damaged: what is asked for may be answered by saying so. */
  boolean rotten;

  /**
   * Whether a read may fail with an input/output error while the store goes on: what could not be
   * read is damage to it, and may be asked for again.
   */
  boolean failing;

  /** How often data was damaged at places that nobody may have read since. */
  long damageCount;

  /**
   * A document that was read and found damaged.
   *
   * @param version of the item that has it
   * @param damageCount how often data had been damaged then
   */
  record KnownDamage(long version, long damageCount) {}

  /** By the document. */
  final Map<Integer, KnownDamage> knownDamage = new HashMap<>();

  /** The highest store time that was seen. */
  long storeTimeMillis;

  /** Whether a call has failed since the store was opened: it may say so for a while. */
  boolean disturbed;

  /** Whether lanes run side by side. */
  boolean together;

  /** Whether housekeeping has been told to wait; a new start remembers that. */
  boolean paused;

  /** Whether each domain keeps a parity; null if that was asked for and not answered. */
  final @Nullable Boolean[] parity = {false, false};

  long lackingCount;
  long stepCount;
  long refusedCount;
  private @Nullable Simulation simulation;
  private @Nullable ChunkStore store;

  World(long seed, EngineSettings settings) {
    this(seed, settings, new Model());
  }

  private World(long seed, EngineSettings settings, Model model) {
    this.model = model;
    this.settings = settings;
    this.ids = new SplittableRandom(seed ^ 0x696473);
  }

  Id newId() {
    return new Id(ids.nextLong(), ids.nextLong() | 1);
  }

  /** What must be found if the power goes now, to be settled by itself. */
  World copy() {
    var copy = new World(0, settings, model.copy());
    System.arraycopy(intents, 0, copy.intents, 0, intents.length);
    System.arraycopy(intendedAtMillis, 0, copy.intendedAtMillis, 0, copy.intendedAtMillis.length);
    return copy;
  }

  /** Begins a life. */
  void begin(Simulation next) {
    simulation = next;
    store = null;
    for (int i = 0; i < uploads.length; i++) {
      uploads[i] = null;
      readers[i] = null;
    }
  }

  void opened(ChunkStore open) throws IOException {
    store = open;
    disturbed = full;
    for (int i = 0; i < Model.SHARES; i++) {
      model.share(i).stopped = false;
    }
    // One that was cut off may be kept or not.
    paused = false;
    for (DomainRecord domain : open.domains()) {
      paused |= open.housekeepingStatus(domain.id()).phase() == Phase.PAUSED;
    }
  }

  Simulation simulation() {
    Simulation now = simulation;
    if (now == null) {
      throw new IllegalStateException("nothing runs");
    }
    return now;
  }

  ChunkStore store() {
    ChunkStore now = store;
    if (now == null) {
      throw new IllegalStateException("the store is not open");
    }
    return now;
  }

  /** The shares of the store, if what is judged has any. */
  @Nullable ShareStore shareStore() {
    return store() instanceof ShareStore shares ? shares : null;
  }

  boolean isAnyShareStopped() {
    boolean stopped = false;
    for (int i = 0; i < Model.SHARES; i++) {
      stopped |= model.share(i).stopped;
    }
    return stopped;
  }

  /** Open uploads of an address. */
  List<Slot> uploadsOf(Address address) {
    var found = new ArrayList<Slot>();
    for (Slot slot : uploads) {
      if (slot != null && slot.address.equals(address)) {
        found.add(slot);
      }
    }
    return found;
  }

  void setFull(long freeBytes) {
    var device = simulation().device();
    device.setCapacityBytes(device.usedBytes() + freeBytes);
    full = true;
    disturbed = true;
  }

  /** Whether a call may be answered by saying that the disk is full. */
  boolean mayBeFull() {
    return full || fullForOneCall;
  }

  void setSpace() {
    simulation().device().setCapacityBytes(1L << 40);
    full = false;
  }
}
