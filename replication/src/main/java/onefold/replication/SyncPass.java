package onefold.replication;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import onefold.catalyst.client.Bandwidth;
import onefold.catalyst.client.CatalystClient;
import onefold.catalyst.client.CatalystException;
import onefold.catalyst.client.CommittedItem;
import onefold.catalyst.client.CopyOptions;
import onefold.catalyst.client.CopyStatistics;
import onefold.catalyst.client.ItemCopy;
import onefold.catalyst.client.WriteOptions;
import onefold.catalyst.wire.ErrorCode;
import onefold.catalyst.wire.ItemInfo;
import onefold.catalyst.wire.StoreInfo;
import onefold.catalyst.wire.UnfinishedInfo;
import onefold.catalyst.wire.WireId;
import onefold.store.ChunkStore;
import onefold.store.CorruptDataException;
import onefold.store.DomainRecord;
import onefold.store.ItemPage;
import onefold.store.ItemRecord;
import onefold.store.ObjectReader;
import onefold.store.StoreRecord;
import org.jspecify.annotations.Nullable;

/**
 * One pass of a mapping: compares the store here with the one on the peer, both in order of name, a
 * thousand items a round trip, or asks only about what has changed here; and then copies what
 * differs, the oldest first. Used once, by one thread; others may look at its figures and close it.
 */
final class SyncPass implements AutoCloseable {
  /** Most gaps that are told by name. */
  static final int MAX_GAPS = 100;

  /** Items that one pass copies at most; another follows at once. */
  static final int MAX_DIFFERENCES = 10_000;

  private static final int PAGE_ITEMS = 1000;
  private static final long MILLIS_PER_DAY = 24L * 60 * 60 * 1000;

  /** An item that is not on the peer as it is here, and what is there in its place. */
  private record Difference(ItemRecord item, Optional<ItemInfo> copy) {}

  /**
   * What the comparison found, and what became of it since.
   *
   * @param items that are to be on the peer
   * @param provenItems of these, there as they are
   * @param lagBytes of the others
   * @param oldestMillis store time when the oldest of the others was committed; 0 for none
   */
  record Count(long items, long provenItems, long lagBytes, long oldestMillis) {
    static final Count NONE = new Count(0, 0, 0, 0);
  }

  /** Looked at by the others while the pass runs. */
  record Progress(String item, long settledBytes, long itemBytes) {
    static final Progress NONE = new Progress("", 0, 0);
  }

  private final ChunkStore store;
  private final Mapping mapping;
  private final CatalystClient client;
  private final CopyOptions.Pace pace;
  private final KnownItems known;
  private final boolean whole;
  private final BooleanSupplier stopped;

  private final List<Gap> gaps = new CopyOnWriteArrayList<>();
  private final AtomicLong gapCount = new AtomicLong();
  private volatile Count count = Count.NONE;
  private volatile Figures figures = Figures.NONE;
  private volatile @Nullable ItemCopy copying;
  private volatile String copyingItem = "";

  private final List<Difference> differences = new ArrayList<>();
  private boolean cutShort;
  private final Map<String, WireId> unfinished = new HashMap<>();
  private @Nullable StoreInfo there;
  private int parameterSet;

  /**
   * @param known what earlier passes of the mapping have found on the peer; this one writes it on
   * @param whole whether the peer is asked about everything, not only about what is not known
   */
  SyncPass(
      ChunkStore store,
      Mapping mapping,
      CatalystClient client,
      CopyOptions.Pace pace,
      KnownItems known,
      boolean whole,
      BooleanSupplier stopped) {
    this.store = store;
    this.mapping = mapping;
    this.client = client;
    this.pace = pace;
    this.known = known;
    this.whole = whole || !known.isComplete();
    this.stopped = stopped;
  }

  /** How a pass ended. */
  enum End {
    /** Everything was looked at. */
    WHOLE,
    /** There were more differences than one pass takes. */
    MORE,
    /** It was told to stop. */
    STOPPED
  }

  /**
   * Compares and copies.
   *
   * @throws CatalystException if the peer refuses everything, is full, or there is no such store
   * @throws IOException if the line breaks for good
   */
  End run() throws IOException {
    StoreRecord here =
        store
            .findStore(mapping.store())
            .orElseThrow(
                () -> new IOException("store '" + mapping.store() + "' does not exist any more"));
    parameterSet = parameterSet(here);
    there = peerStore();
    if (!(whole ? compare(here) : compareChanged(here))) {
      return End.STOPPED;
    }
    if (differences.isEmpty()) {
      known.completed();
      return End.WHOLE;
    }
    for (UnfinishedInfo upload : client.unfinishedUploads(mapping.peerStore())) {
      unfinished.put(upload.itemName(), upload.uploadId());
    }
    differences.sort(Comparator.comparingLong(d -> d.item().createdAtMillis()));
    for (int i = 0; i < differences.size(); i++) {
      if (stopped.getAsBoolean()) {
        return End.STOPPED;
      }
      Difference difference = differences.get(i);
      if (visit(here, difference)) {
        known.putProven(difference.item());
        settle(difference.item(), i + 1);
      }
    }
    if (cutShort) {
      return End.MORE;
    }
    known.completed();
    return End.WHOLE;
  }

  /** Takes note that an item is there. */
  private void settle(ItemRecord item, int next) {
    Count before = count;
    boolean oldest = item.createdAtMillis() == before.oldestMillis;
    long oldestMillis =
        !oldest
            ? before.oldestMillis
            : next < differences.size() ? differences.get(next).item().createdAtMillis() : 0;
    count =
        new Count(
            before.items,
            before.provenItems + 1,
            before.lagBytes - item.root().lengthBytes(),
            oldestMillis);
  }

  /**
   * Goes through the store here and asks the peer about what has changed since earlier passes;
   * returns whether it was not stopped.
   */
  private boolean compareChanged(StoreRecord here) throws IOException {
    Set<String> left = known.names();
    String after = "";
    while (true) {
      ItemPage page = store.listItems(here.id(), "", after, PAGE_ITEMS);
      for (ItemRecord item : page.items()) {
        if (stopped.getAsBoolean()) {
          return false;
        }
        left.remove(item.name());
        if (known.has(item)) {
          if (isWanted(item)) {
            Count before = count;
            count =
                new Count(
                    before.items + 1, before.provenItems + 1, before.lagBytes, before.oldestMillis);
          }
        } else {
          compare(item, client.findItem(mapping.peerStore(), item.name()));
        }
        after = item.name();
      }
      if (!page.more() || page.items().isEmpty()) {
        break;
      }
    }
    for (String name : left) {
      known.remove(name);
      if (mapping.deletions()) {
        Optional<ItemInfo> copy = client.findItem(mapping.peerStore(), name);
        if (copy.isPresent()) {
          gone(copy.orElseThrow());
        }
      }
    }
    return true;
  }

  /** Goes through both stores; returns whether it was not stopped. */
  private boolean compare(StoreRecord here) throws IOException {
    known.clear();
    Iterator<ItemInfo> copies = client.items(mapping.peerStore(), "").iterator();
    ItemInfo copy = next(copies);
    String after = "";
    while (true) {
      ItemPage page = store.listItems(here.id(), "", after, PAGE_ITEMS);
      for (ItemRecord item : page.items()) {
        while (copy != null && order(copy.name(), item.name()) < 0) {
          gone(copy);
          copy = next(copies);
        }
        if (stopped.getAsBoolean()) {
          return false;
        }
        boolean same = copy != null && copy.name().equals(item.name());
        compare(item, same && copy != null ? Optional.of(copy) : Optional.empty());
        if (same) {
          copy = next(copies);
        }
        after = item.name();
      }
      if (!page.more() || page.items().isEmpty()) {
        break;
      }
    }
    for (; copy != null; copy = next(copies)) {
      gone(copy);
    }
    return true;
  }

  private void compare(ItemRecord item, Optional<ItemInfo> copy) {
    if (!isWanted(item)) {
      known.putOther(item);
      return;
    }
    Count before = count;
    if (copy.isPresent() && isAsItIs(item, copy.orElseThrow())) {
      known.putProven(item);
      count =
          new Count(before.items + 1, before.provenItems + 1, before.lagBytes, before.oldestMillis);
      return;
    }
    long oldest =
        before.oldestMillis == 0
            ? item.createdAtMillis()
            : Math.min(before.oldestMillis, item.createdAtMillis());
    count =
        new Count(
            before.items + 1,
            before.provenItems,
            before.lagBytes + item.root().lengthBytes(),
            oldest);
    if (differences.size() < MAX_DIFFERENCES) {
      differences.add(new Difference(item, copy));
    } else {
      cutShort = true;
    }
  }

  /** Whether a store here differs from what is known; asks no peer. */
  static boolean hasNews(ChunkStore store, String name, KnownItems known) throws IOException {
    Optional<StoreRecord> here = store.findStore(name);
    if (here.isEmpty()) {
      return true;
    }
    int count = 0;
    String after = "";
    while (true) {
      ItemPage page = store.listItems(here.get().id(), "", after, PAGE_ITEMS);
      for (ItemRecord item : page.items()) {
        if (!known.has(item)) {
          return true;
        }
        count++;
        after = item.name();
      }
      if (!page.more() || page.items().isEmpty()) {
        return count != known.count();
      }
    }
  }

  private boolean isWanted(ItemRecord item) {
    return mapping.copies() || CopyTag.of(item.tags()).isEmpty();
  }

  /** Whether nothing is left to do: same content, and if it is ours, tags, lock and hold too. */
  private boolean isAsItIs(ItemRecord item, ItemInfo copy) {
    if (!copy.root().equals(item.root())) {
      return false;
    }
    return !isOwn(copy)
        || (new CopyTag(mapping.id(), item.id()).with(item.tags()).equals(copy.tags())
            && (copy.held() || !item.held())
            && !needsLonger(item, copy));
  }

  private boolean isOwn(ItemInfo copy) {
    return CopyTag.of(copy.tags()).map(tag -> tag.mapping().equals(mapping.id())).orElse(false);
  }

  private static @Nullable ItemInfo next(Iterator<ItemInfo> items) throws IOException {
    try {
      return items.hasNext() ? items.next() : null;
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private static int order(String a, String b) {
    return Arrays.compareUnsigned(
        a.getBytes(StandardCharsets.UTF_8), b.getBytes(StandardCharsets.UTF_8));
  }

  private int parameterSet(StoreRecord of) throws IOException {
    for (DomainRecord domain : store.domains()) {
      if (domain.id().equals(of.domainId())) {
        return domain.parameterSet();
      }
    }
    throw new IllegalStateException("store " + of.name() + " is in no domain");
  }

  private StoreInfo peerStore() throws IOException {
    for (StoreInfo found : client.stores()) {
      if (found.name().equals(mapping.peerStore())) {
        return found;
      }
    }
    throw new CatalystException(
        ErrorCode.NOT_FOUND,
        "the peer has no store '"
            + mapping.peerStore()
            + "' that "
            + mapping.peer().user()
            + " may see");
  }

  // ---- one item

  /** Makes the peer have an item; returns whether it has it now. */
  private boolean visit(StoreRecord in, Difference difference) throws IOException {
    ItemRecord item = difference.item();
    try {
      replicate(in, item, difference.copy());
      return true;
    } catch (CatalystException e) {
      if (!isOfTheItem(e.code())) {
        throw e;
      }
      gap(item, String.valueOf(e.getMessage()));
    } catch (CorruptDataException e) {
      gap(item, "damaged here: " + e.getMessage());
    } catch (IllegalArgumentException e) {
      gap(item, "cannot be copied: " + e.getMessage());
    }
    return false;
  }

  /** Whether others may still go well. */
  private static boolean isOfTheItem(ErrorCode code) {
    return switch (code) {
      case EXISTS,
          LOCKED,
          CONFLICT,
          NOT_PERMITTED,
          INVALID_NAME,
          INVALID_REQUEST,
          QUOTA_EXCEEDED,
          CORRUPT_DATA ->
          true;
      default -> false;
    };
  }

  private void gap(ItemRecord item, String reason) {
    if (gaps.size() < MAX_GAPS) {
      gaps.add(new Gap(item.name(), reason));
    }
    gapCount.incrementAndGet();
  }

  private void replicate(StoreRecord in, ItemRecord item, Optional<ItemInfo> copy)
      throws IOException {
    var tag = new CopyTag(mapping.id(), item.id());
    if (copy.isPresent()) {
      ItemInfo found = copy.orElseThrow();
      if (found.root().equals(item.root())) {
        describe(item, found, tag);
        return;
      }
      if (!isOwn(found)) {
        throw new CatalystException(
            ErrorCode.CONFLICT,
            "the peer has another item of this name in store '"
                + mapping.peerStore()
                + "' that does not come from this mapping; it is not replaced");
      }
    }
    CopyOptions options =
        CopyOptions.DEFAULT
            .withReplace(copy.isPresent())
            .withTags(tag.with(item.tags()))
            .withLockDays(lockDays(item))
            .withPace(pace);
    WireId resume = unfinished.remove(item.name());
    if (resume != null) {
      options = options.withResume(resume);
    }
    ItemInfo made = send(in, item, options);
    if (item.held()) {
      var _ = client.setHold(mapping.peerStore(), made.name(), true);
    }
  }

  /** Gives the copy the item's tags, a lock that lasts as long, and its hold. */
  private void describe(ItemRecord item, ItemInfo copy, CopyTag tag) throws IOException {
    Map<String, String> wanted = tag.with(item.tags());
    if (!wanted.equals(copy.tags())) {
      var _ = client.setTags(mapping.peerStore(), copy.name(), wanted);
    }
    if (needsLonger(item, copy)) {
      var _ = client.lock(mapping.peerStore(), copy.name(), lockDays(item));
    }
    if (item.held() && !copy.held()) {
      var _ = client.setHold(mapping.peerStore(), copy.name(), true);
    }
  }

  /**
   * Whether an item's lock lasts longer than its copy's. The two appliances have times of their
   * own, so what is compared is how long each lock lasts from its item's commit on.
   */
  private boolean needsLonger(ItemRecord item, ItemInfo copy) {
    if (lockDays(item) == 0) {
      return false;
    }
    long here = item.lockedUntilMillis() - item.createdAtMillis();
    long there =
        copy.lockedUntilMillis() == 0 ? 0 : copy.lockedUntilMillis() - copy.createdAtMillis();
    // The copy is younger by what the way took, and whole days were rounded up.
    return there < here - Math.max(0, store.storeTimeMillis() - item.createdAtMillis());
  }

  /** Returns the days that are left of an item's lock, rounded up; 0 if there is none. */
  private int lockDays(ItemRecord item) {
    long left = item.lockedUntilMillis() - store.storeTimeMillis();
    return left <= 0 ? 0 : Math.toIntExact((left + MILLIS_PER_DAY - 1) / MILLIS_PER_DAY);
  }

  private ItemInfo send(StoreRecord in, ItemRecord item, CopyOptions options) throws IOException {
    StoreInfo target = there;
    if (target == null || target.parameterSet() != parameterSet) {
      return write(in, item, options);
    }
    try (StoredObject object = new StoredObject(store, in.domainId(), parameterSet, item.root())) {
      ItemCopy copy = open(item, object, options);
      copying = copy;
      copyingItem = item.name();
      try (copy) {
        return copy.run().item();
      } finally {
        copying = null;
        count(item, copy.statistics());
      }
    } catch (CatalystException e) {
      if (e.code() != ErrorCode.BYTES_NEEDED) {
        throw e;
      }
      return write(in, item, options);
    }
  }

  /** Goes on with an unfinished copy, unless it has been ended meanwhile. */
  private ItemCopy open(ItemRecord item, StoredObject object, CopyOptions options)
      throws IOException {
    try {
      return client.openCopy(mapping.peerStore(), item.name(), object, options);
    } catch (CatalystException e) {
      if (e.code() != ErrorCode.NOT_FOUND || options.resume().equals(WireId.NONE)) {
        throw e;
      }
      return client.openCopy(
          mapping.peerStore(), item.name(), object, options.withResume(WireId.NONE));
    }
  }

  /** Writes the bytes: the peer's domain cuts otherwise, or wants to see every byte. */
  private ItemInfo write(StoreRecord in, ItemRecord item, CopyOptions options) throws IOException {
    StoreInfo target = there;
    boolean cutsOtherwise = target == null || target.parameterSet() != parameterSet;
    try (ObjectReader reader = store.openReader(in.domainId(), item.root());
        InputStream bytes = new ObjectBytes(reader, pace)) {
      CommittedItem made =
          client.put(
              mapping.peerStore(),
              item.name(),
              bytes,
              WriteOptions.DEFAULT
                  .withBandwidth(cutsOtherwise ? Bandwidth.LOW : Bandwidth.HIGH)
                  .withReplace(options.replace())
                  .withTags(options.tags())
                  .withLockDays(options.lockDays())
                  .withExpectedBytes(item.root().lengthBytes()));
      figures =
          figures.plus(
              new Figures(
                  1,
                  item.root().lengthBytes(),
                  made.statistics().wireBytes(),
                  made.statistics().sentDataBytes(),
                  0,
                  0,
                  0,
                  made.statistics().reconnectCount(),
                  0));
      return made.item();
    }
  }

  private void count(ItemRecord item, CopyStatistics of) {
    boolean whole = of.durableBytes() == of.logicalBytes();
    figures =
        figures.plus(
            new Figures(
                whole ? 1 : 0,
                whole ? item.root().lengthBytes() : 0,
                of.wireBytes(),
                of.sentDataBytes(),
                of.readBlockCount(),
                of.storedBlockCount(),
                of.packedBlockCount(),
                of.reconnectCount(),
                0));
  }

  /** A copy whose item is not here any more. */
  private void gone(ItemInfo copy) throws IOException {
    if (!mapping.deletions() || !isOwn(copy)) {
      return;
    }
    try {
      client.deleteItem(mapping.peerStore(), copy.name());
    } catch (CatalystException e) {
      if (!isOfTheItem(e.code()) && e.code() != ErrorCode.NOT_FOUND) {
        throw e;
      }
      // Locked there: it goes when the lock has ended, by a later pass.
    }
  }

  // ---- for the others

  List<Gap> gaps() {
    return List.copyOf(gaps);
  }

  Count count() {
    return count;
  }

  long gapCount() {
    return gapCount.get();
  }

  /** What it has done so far, the item under way and all questions included. */
  Figures figures() {
    Figures done = figures.plus(new Figures(0, 0, client.requestBytes(), 0, 0, 0, 0, 0, 0));
    ItemCopy now = copying;
    if (now == null) {
      return done;
    }
    CopyStatistics of = now.statistics();
    return done.plus(
        new Figures(
            0,
            0,
            of.wireBytes(),
            of.sentDataBytes(),
            of.readBlockCount(),
            of.storedBlockCount(),
            of.packedBlockCount(),
            of.reconnectCount(),
            0));
  }

  Progress progress() {
    ItemCopy now = copying;
    if (now == null) {
      return Progress.NONE;
    }
    CopyStatistics of = now.statistics();
    return new Progress(copyingItem, of.settledBytes(), of.logicalBytes());
  }

  /** Ends the pass: {@link #run} returns or throws soon. */
  @Override
  public void close() {
    ItemCopy now = copying;
    if (now != null) {
      now.close();
    }
    client.close(); // Nothing connects again.
  }
}
