package onefold.store.engine;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import onefold.chunker.Fingerprint;
import onefold.chunker.ObjectRoot;
import onefold.store.CorruptDataException;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;
import onefold.store.ShareChange;
import onefold.store.ShareEntry;
import onefold.store.ShareObject;
import onefold.store.ShareRecord;
import onefold.store.ShareTree;
import onefold.store.catalog.CatalogCommand;
import onefold.store.catalog.CatalogReply;
import onefold.store.catalog.CatalogView;
import onefold.store.catalog.PersistentMap;
import onefold.store.catalog.ShareView;
import onefold.store.scheduler.Promise;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.SchedulerLock;
import org.jspecify.annotations.Nullable;

/**
 * The entries of one share: those in the catalog, and above them what calls have changed and the
 * committer has not made durable yet. There is one of each share.
 *
 * <p>A change is shown under the lock under which a reader takes what waits and the catalog's view
 * together, before the committer gets it; it is hidden when the catalog shows it. So what a reader
 * takes is exactly all changes made so far. Changes have numbers, which the catalog checks: if one
 * is lost, none after it is done.
 */
final class LiveShareTree implements ShareTree {
  /** About what a change of one entry takes in memory besides its bytes. */
  private static final int ENTRY_BYTES = 256;

  private final Engine engine;
  private final Shares shares;
  private final ShareRecord record;
  private final Domain domain;

  /** Held while a change gets its number and goes to the committer, which may have it wait. */
  private final SchedulerLock order;

  /** Held for a moment only, by the committer's task too. Taken after {@link #order}. */
  private final SchedulerLock lock;

  private long lastSequence; // guarded by order

  /** Promise of the last change, by which all before it are durable too. */
  private @Nullable Promise<Void> last; // guarded by order

  /** The newest state of each entry that a change on its way has touched. */
  private PersistentMap<byte[], Waiting> waiting =
      PersistentMap.empty(Arrays::compareUnsigned); // guarded by lock

  /** Why nothing can be changed or read any more: what readers have seen may be lost. */
  private volatile @Nullable Throwable failure;

  /**
   * What an entry will be.
   *
   * @param sequence of the change
   * @param entry empty if it is removed
   */
  private record Waiting(long sequence, Optional<ShareEntry> entry) {}

  /** What a reader works on: all changes made so far. */
  private record Moment(PersistentMap<byte[], Waiting> waiting, CatalogView view) {}

  private interface Read<T> {
    T of(Moment now) throws IOException;
  }

  /**
   * Makes the tree.
   *
   * @param lastSequence number of the last change that the catalog holds
   */
  LiveShareTree(Engine engine, Shares shares, ShareRecord record, long lastSequence)
      throws IOException {
    Scheduler scheduler = engine.scheduler();
    this.engine = engine;
    this.shares = shares;
    this.record = record;
    this.domain = engine.domain(record.domainId());
    this.order = scheduler.lock("share-order");
    this.lock = scheduler.lock("share");
    this.lastSequence = lastSequence;
  }

  /** Whose tree it is, as it was when somebody first asked for it. */
  ShareRecord record() {
    return record;
  }

  // ---- reading

  @Override
  public Optional<ShareEntry> find(byte[] key) throws IOException {
    return read(now -> found(now, key));
  }

  private Optional<ShareEntry> found(Moment now, byte[] key) throws IOException {
    Waiting change = now.waiting().get(key);
    return change != null ? change.entry() : now.view().shares().entry(record.id(), key);
  }

  @Override
  public List<ShareEntry> scan(byte[] prefix, byte[] after, int limit) throws IOException {
    if (limit < 1 || limit > MAX_CHANGES) {
      throw new IllegalArgumentException("limit " + limit + ", must be 1 to " + MAX_CHANGES);
    }
    return read(now -> scanned(now, prefix, after, limit));
  }

  private List<ShareEntry> scanned(Moment now, byte[] prefix, byte[] after, int limit)
      throws IOException {
    List<ShareEntry> found = new ArrayList<>();
    Newer newer = new Newer(now.waiting(), prefix, after);
    Durable durable = new Durable(now.view().shares(), prefix, after, limit);
    while (found.size() < limit) {
      byte[] newerKey = newer.key;
      ShareEntry old = durable.entry();
      if (newerKey == null && old == null) {
        break;
      }
      int side =
          newerKey == null ? 1 : old == null ? -1 : Arrays.compareUnsigned(newerKey, old.key());
      if (side <= 0) {
        newer.entry.ifPresent(found::add);
        newer.next();
      } else if (old != null) {
        found.add(old);
      }
      if (side >= 0) {
        durable.next();
      }
    }
    return found;
  }

  /** What waits, in order of key. */
  private static final class Newer {
    private final PersistentMap.Walk<byte[], Waiting> walk;
    private final byte[] prefix;
    private final byte[] after;
    private byte @Nullable [] key;
    private Optional<ShareEntry> entry = Optional.empty();

    Newer(PersistentMap<byte[], Waiting> waiting, byte[] prefix, byte[] after) {
      this.prefix = prefix;
      this.after = after;
      walk = waiting.from(Arrays.compareUnsigned(after, prefix) > 0 ? after : prefix);
      next();
    }

    void next() {
      do {
        key = walk.next() ? walk.key() : null;
      } while (key != null && after.length > 0 && Arrays.equals(key, after));
      if (key != null && !ShareView.startsWith(key, prefix)) {
        key = null;
      }
      entry = key == null ? Optional.empty() : walk.value().entry();
    }
  }

  /** What the catalog holds, in order of key, page by page. */
  private final class Durable {
    private final ShareView view;
    private final byte[] prefix;
    private final int limit;
    private List<ShareEntry> page;
    private int at;

    Durable(ShareView view, byte[] prefix, byte[] after, int limit) throws IOException {
      this.view = view;
      this.prefix = prefix;
      this.limit = limit;
      page = view.entries(record.id(), prefix, after, limit);
    }

    @Nullable ShareEntry entry() {
      return at < page.size() ? page.get(at) : null;
    }

    void next() throws IOException {
      at++;
      if (at == page.size() && at == limit) {
        page = view.entries(record.id(), prefix, page.getLast().key(), limit);
        at = 0;
      }
    }
  }

  /**
   * Asks what there is now. A view's pages stay until the catalog has been folded twice; who is so
   * slow that they are gone asks again.
   */
  private <T> T read(Read<T> read) throws IOException {
    while (true) {
      Throwable reason = failure;
      if (reason != null) {
        throw stopped(reason);
      }
      Moment now = now();
      try {
        if (!now.view().shares().exists(record.id())) {
          throw Shares.noShare(record.id());
        }
        return read.of(now);
      } catch (CorruptDataException e) {
        if (now.view().rootPage().equals(shares.view().rootPage())) {
          throw e;
        }
      }
    }
  }

  private Moment now() {
    lock.lock();
    try {
      return new Moment(waiting, shares.view());
    } finally {
      lock.unlock();
    }
  }

  private IOException stopped(Throwable reason) {
    return new IOException(
        "share '"
            + record.name()
            + "' has stopped, because a change could not be made durable: "
            + reason.getMessage(),
        reason);
  }

  /**
   * Checks that the share is not gone.
   *
   * @throws RefusedException {@code NOT_FOUND}
   */
  void checkExists() throws IOException {
    boolean _ = read(now -> true);
  }

  // ---- changing

  @Override
  public CompletionStage<Void> change(List<ShareChange> changes) throws IOException {
    List<ShareChange> kept = List.copyOf(changes);
    ShareChange.check(kept);
    if (record.snapshot()) {
      throw new RefusedException(
          Reason.READ_ONLY, "'" + record.name() + "' is a snapshot, which never changes");
    }
    engine.checkWritable();
    int bytes = 0;
    boolean removes = false;
    for (ShareChange change : kept) {
      bytes += ENTRY_BYTES + change.bytes();
      removes |= change instanceof ShareChange.Remove;
    }
    if (!removes) {
      engine.checkSpace(bytes);
    }
    UnderWay underWay = new UnderWay(bytes);
    boolean handed = false;
    try {
      underWay.pin(kept);
      order.lock();
      try {
        handIn(underWay, kept);
      } finally {
        order.unlock();
      }
      handed = true;
      return underWay.promise.toCompletionStage();
    } finally {
      if (!handed) {
        underWay.release();
      }
    }
  }

  /** Gives a change its number, shows it and hands it to the committer; with the lock on order. */
  private void handIn(UnderWay underWay, List<ShareChange> changes) throws IOException {
    long sequence = lastSequence + 1;
    read(now -> {
      underWay.entries.clear();
      underWay.frees = false;
      for (ShareChange change : changes) {
        Optional<ShareEntry> known = underWay.entries.get(change.key());
        Optional<ShareEntry> before = known != null ? known : found(now, change.key());
        Optional<ShareEntry> after = change.applied(before);
        underWay.entries.put(change.key(), after);
        underWay.frees |= losesObject(before, after);
      }
      return true;
    });
    CatalogCommand command =
        new CatalogCommand.ChangeShare(
            engine.stamp(CatalogCommand.NO_ID), record.id(), sequence, changes);
    underWay.sequence = sequence;
    show(underWay);
    lastSequence = sequence;
    last = underWay.promise;
    try {
      // With the domain if objects came in: their chunks are to be durable first.
      engine.committer().submit(underWay.pins.isEmpty() ? null : domain, command, underWay);
    } catch (IOException | RuntimeException e) {
      failure = e;
      throw e;
    }
  }

  /** Whether a whole object goes. What a newer state of it leaves is the write-back's business. */
  private static boolean losesObject(Optional<ShareEntry> before, Optional<ShareEntry> after) {
    Optional<ShareObject> had = before.flatMap(ShareEntry::object);
    Optional<ShareObject> has = after.flatMap(ShareEntry::object);
    return had.isPresent()
        && !had.map(ShareObject::root).equals(has.map(ShareObject::root))
        && !had.map(ShareObject::id).equals(has.map(ShareObject::id));
  }

  private void show(UnderWay change) {
    lock.lock();
    try {
      for (Map.Entry<byte[], Optional<ShareEntry>> entry : change.entries.entrySet()) {
        waiting = waiting.put(entry.getKey(), new Waiting(change.sequence, entry.getValue()));
      }
    } finally {
      lock.unlock();
    }
  }

  /** Says that the catalog shows a change, or never will. */
  private void hide(UnderWay change) {
    lock.lock();
    try {
      for (byte[] key : change.entries.keySet()) {
        Waiting now = waiting.get(key);
        if (now != null && now.sequence() == change.sequence) {
          waiting = waiting.remove(key);
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /** Returns when all changes made before the call are durable. */
  void flush() throws IOException {
    Promise<Void> promise;
    order.lock();
    try {
      promise = last;
    } finally {
      order.unlock();
    }
    if (promise != null) {
      promise.await();
    }
  }

  /** A change on its way to the disk; hears from the committer's task what came of it. */
  private final class UnderWay implements Committer.Listener {
    private final int bytes;
    private final Promise<Void> promise = engine.scheduler().promise();
    private final List<Domain.Pin> pins = new ArrayList<>();
    private final TreeMap<byte[], Optional<ShareEntry>> entries =
        new TreeMap<>(Arrays::compareUnsigned);
    private long sequence;
    private boolean frees;

    UnderWay(int bytes) {
      this.bytes = bytes;
      shares.takeRoom(bytes);
    }

    /** Keeps the objects that the change brings in until the catalog does. */
    void pin(List<ShareChange> changes) throws IOException {
      Set<Fingerprint> pinned = new HashSet<>();
      for (ShareChange change : changes) {
        Optional<ObjectRoot> root = change.newObject().map(ShareObject::root);
        if (root.isPresent() && root.get().lengthBytes() > 0 && pinned.add(root.get().node())) {
          pins.add(domain.pin(root.get()));
        }
      }
    }

    void release() {
      pins.forEach(Domain.Pin::release);
      shares.giveRoom(bytes);
    }

    @Override
    public void replied(CatalogReply reply) {
      switch (reply) {
        case CatalogReply.Done _ -> {
          hide(this);
          release();
          if (frees) {
            domain.housekeeper().garbageLikely();
          }
          complete(promise);
        }
        case CatalogReply.Refused(Reason reason, String message) -> {
          if (reason == Reason.NOT_FOUND) { // The share is gone, and all calls say so.
            hide(this);
            release();
            promise.fail(new RefusedException(reason, message));
          } else {
            failed(new IOException(message));
          }
        }
      }
    }

    @Override
    public void failed(Throwable why) {
      failure = why;
      release();
      promise.fail(why instanceof IOException ? why : stopped(why));
    }
  }

  @SuppressWarnings("NullAway") // Void has no other value.
  private static void complete(Promise<Void> promise) {
    promise.complete(null);
  }
}
