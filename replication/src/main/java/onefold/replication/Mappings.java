package onefold.replication;

import java.io.IOException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import onefold.catalyst.client.CatalystClient;
import onefold.catalyst.wire.StoreInfo;
import onefold.store.ChunkStore;
import onefold.store.Id;
import onefold.store.ItemRecord;
import onefold.store.Names;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;

/** All mappings of an appliance. Safe for many threads. Owns their threads, not the store. */
public final class Mappings implements AutoCloseable {
  /** Most mappings of one appliance; each has a thread and, while it copies, some 20 MiB. */
  public static final int MAX_MAPPINGS = 64;

  private final ChunkStore store;
  private final MappingShelf shelf;
  private final LongSupplier nanoTime;
  private final InstantSource clock;

  private final ReentrantLock lock = new ReentrantLock();
  private final SortedMap<String, MappingRunner> runners = new TreeMap<>(); // guarded by lock

  private Mappings(
      ChunkStore store, MappingShelf shelf, LongSupplier nanoTime, InstantSource clock) {
    this.store = store;
    this.shelf = shelf;
    this.nanoTime = nanoTime;
    this.clock = clock;
  }

  /** Starts every mapping that the shelf keeps. */
  public static Mappings start(
      ChunkStore store, MappingShelf shelf, LongSupplier nanoTime, InstantSource clock)
      throws IOException {
    var all = new Mappings(store, shelf, nanoTime, clock);
    for (MappingShelf.Kept kept : shelf.load()) {
      all.begin(kept);
    }
    return all;
  }

  private void begin(MappingShelf.Kept kept) {
    var runner = new MappingRunner(store, shelf, kept, nanoTime, clock);
    lock.lock();
    try {
      runners.put(kept.mapping().name(), runner);
    } finally {
      lock.unlock();
    }
    runner.start();
  }

  /**
   * Makes a mapping and starts it. Connects to the peer first: one that cannot be reached, entered
   * or seen into is refused now, not in the night.
   *
   * @return what is to be known about it, to be shown as it is; empty if nothing
   * @throws RefusedException {@code EXISTS}, {@code INVALID_NAME}, {@code NOT_FOUND} for either
   *     store, {@code INVALID_REQUEST} beyond {@link #MAX_MAPPINGS}
   * @throws IOException if the peer cannot be reached or refuses
   */
  public String create(Mapping mapping) throws IOException {
    Names.checkStoreName(mapping.name());
    int parameterSet = parameterSet(mapping.store());
    String note = "";
    try (CatalystClient client = CatalystClient.connect(mapping.peer().settings())) {
      StoreInfo there = null;
      for (StoreInfo found : client.stores()) {
        if (found.name().equals(mapping.peerStore())) {
          there = found;
        }
      }
      if (there == null) {
        throw new RefusedException(
            Reason.NOT_FOUND,
            "the peer has no store '"
                + mapping.peerStore()
                + "' that user '"
                + mapping.peer().user()
                + "' may see; make it there: ./onefold store create "
                + mapping.peerStore());
      }
      if (there.parameterSet() != parameterSet) {
        note =
            "store '%s' of the peer cuts by parameter set %d, '%s' here by %d: items are read and cut anew, and every byte of an item is worked through"
                .formatted(there.name(), there.parameterSet(), mapping.store(), parameterSet);
      }
    }
    lock.lock();
    try {
      if (runners.containsKey(mapping.name())) {
        throw new RefusedException(
            Reason.EXISTS, "mapping '" + mapping.name() + "' exists already");
      }
      if (runners.size() >= MAX_MAPPINGS) {
        throw new RefusedException(
            Reason.INVALID_REQUEST, "there are " + MAX_MAPPINGS + " mappings, which is the most");
      }
      var kept = new MappingShelf.Kept(mapping, Figures.NONE);
      shelf.save(kept);
      begin(kept);
    } finally {
      lock.unlock();
    }
    return note;
  }

  private int parameterSet(String storeName) throws IOException {
    Id domain =
        store
            .findStore(storeName)
            .orElseThrow(() ->
                new RefusedException(
                    Reason.NOT_FOUND, "store '" + storeName + "' does not exist here"))
            .domainId();
    return store.domains().stream()
        .filter(each -> each.id().equals(domain))
        .findFirst()
        .orElseThrow()
        .parameterSet();
  }

  /** Returns all mappings in order of name. */
  public List<Mapping> list() {
    lock.lock();
    try {
      var all = new ArrayList<Mapping>();
      for (MappingRunner runner : runners.values()) {
        all.add(runner.mapping());
      }
      return all;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Returns a mapping.
   *
   * @throws RefusedException {@code NOT_FOUND}
   */
  public Mapping find(String name) throws RefusedException {
    return runner(name).mapping();
  }

  /** Returns where a mapping stands. */
  public MappingStatus status(String name) throws RefusedException {
    return runner(name).status();
  }

  /**
   * Returns the mappings whose peers are known to hold an item as it is here: found there, or
   * committed there, by the last pass that looked. After a start nothing is known before the first
   * pass, and of a store of more than {@value KnownItems#MAX_ITEMS} items not of all.
   *
   * @param storeName where the item is
   */
  public List<Mapping> provenOn(String storeName, ItemRecord item) {
    lock.lock();
    try {
      var all = new ArrayList<Mapping>();
      for (MappingRunner runner : runners.values()) {
        Mapping mapping = runner.mapping();
        if (mapping.store().equals(storeName) && runner.isProven(item)) {
          all.add(mapping);
        }
      }
      return all;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Asks for a pass.
   *
   * @return its number
   * @throws RefusedException {@code NOT_FOUND}, {@code INVALID_REQUEST} while it is paused
   */
  public long sync(String name) throws RefusedException {
    MappingRunner runner = runner(name);
    if (runner.mapping().paused()) {
      throw new RefusedException(
          Reason.INVALID_REQUEST,
          "mapping '" + name + "' is paused; ./onefold mapping resume " + name);
    }
    return runner.sync();
  }

  /** Lets a mapping rest, or go on. Durable. */
  public Mapping pause(String name, boolean paused) throws IOException {
    MappingRunner runner = runner(name);
    runner.change(runner.mapping().withPaused(paused));
    return runner.mapping();
  }

  /** Sets the bandwidth of a mapping, 0 for no limit. Durable. */
  public Mapping limit(String name, long bytesPerSecond) throws IOException {
    MappingRunner runner = runner(name);
    runner.change(runner.mapping().withBytesPerSecond(bytesPerSecond));
    return runner.mapping();
  }

  /** Forgets a mapping; the copies stay on the peer. */
  public void remove(String name) throws IOException {
    MappingRunner runner;
    lock.lock();
    try {
      runner = runner(name);
      runners.remove(name);
    } finally {
      lock.unlock();
    }
    runner.close();
    shelf.remove(name);
  }

  /** Waits until a mapping has begun or ended something, a tenth of a second at most. */
  void awaitChange(String name) throws RefusedException, InterruptedException {
    runner(name).awaitChange();
  }

  private MappingRunner runner(String name) throws RefusedException {
    lock.lock();
    try {
      MappingRunner runner = runners.get(name);
      if (runner == null) {
        throw new RefusedException(
            Reason.NOT_FOUND, "there is no mapping '" + name + "'; ./onefold mapping ls");
      }
      return runner;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    List<MappingRunner> all;
    lock.lock();
    try {
      all = List.copyOf(runners.values());
    } finally {
      lock.unlock();
    }
    all.forEach(MappingRunner::close);
  }
}
