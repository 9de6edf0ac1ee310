package onefold.store.simulator;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import onefold.chunker.Fingerprint;
import onefold.chunker.ObjectRoot;
import onefold.store.Id;
import onefold.store.ItemRecord;
import onefold.store.StoreRecord;
import org.jspecify.annotations.Nullable;

/** What the store must hold: maps from names to bytes. */
final class Model {
  /** The order in which items are listed. */
  static final Comparator<String> BY_BYTES = Model::compareBytes;

  /** Compares as the bytes of UTF-8 do, which is the order of the code points. */
  private static int compareBytes(String a, String b) {
    int end = Math.min(a.length(), b.length());
    for (int i = 0; i < end; i++) {
      char one = a.charAt(i);
      char other = b.charAt(i);
      if (one != other) {
        // Code points beyond the first 65,536 begin with a surrogate and follow all others.
        return Character.isSurrogate(one) == Character.isSurrogate(other)
            ? Character.compare(one, other)
            : Character.isSurrogate(one) ? 1 : -1;
      }
    }
    return Integer.compare(a.length(), b.length());
  }

  static final long DAY_MILLIS = 86_400_000;

  /** An item that was acknowledged, or found whole after a cut. */
  record Known(ItemRecord item, byte[] content) {
    /** The same in a copy of its store. */
    Known in(Id storeId) {
      return new Known(
          new ItemRecord(
              storeId,
              item.name(),
              item.id(),
              item.version(),
              item.root(),
              item.createdAtMillis(),
              item.tags(),
              item.lockedUntilMillis(),
              item.lockKind(),
              item.held(),
              item.newBytes()),
          content);
    }
  }

  /** A version of an item that was deleted or replaced. */
  record Grave(String name, long version) {}

  /**
   * What lies in it.
   *
   * @param purgeNotBefore store time until which it can surely be brought back
   */
  record Buried(Known known, long purgeNotBefore) {}

  /** A durable root that an unfinished upload may have. */
  record Saved(Id uploadId, ObjectRoot root, List<Plan.Segment> segments, byte[] whole) {}

  /** The unfinished upload of a name. */
  static final class Unfinished {
    /** It is one of these. */
    final List<Saved> possible = new ArrayList<>();

    /** Or there is none. */
    boolean mayBeAbsent;

    static Unfinished absent() {
      var none = new Unfinished();
      none.mayBeAbsent = true;
      return none;
    }
  }

  /** One store; without a record it does not exist. */
  static final class StoreState {
    @Nullable StoreRecord record;
    final TreeMap<String, Known> items = new TreeMap<>(BY_BYTES);
    final TreeMap<String, Unfinished> unfinished = new TreeMap<>(BY_BYTES);

    /** Items that can be brought back, or perhaps could and have gone since. */
    final LinkedHashMap<Grave, Buried> deleted = new LinkedHashMap<>();

    /** What was there when a snapshot was taken. */
    final TreeMap<String, SortedMap<String, Known>> snapshots = new TreeMap<>();

    SortedMap<String, Known> copiedItems() {
      var copy = new TreeMap<String, Known>(BY_BYTES);
      copy.putAll(items);
      return copy;
    }

    /** Notes that an item has lost its name, in a call that began at a store time or later. */
    void bury(Known known, long atMillis) {
      long days = existing().policy().undeleteDays();
      if (days > 0) {
        deleted.put(
            new Grave(known.item().name(), known.item().version()),
            new Buried(known, atMillis + days * DAY_MILLIS));
      }
    }

    /** The graves of a name. */
    List<Grave> graves(String name) {
      return deleted.keySet().stream().filter(grave -> grave.name().equals(name)).toList();
    }

    long logicalBytes() {
      return items.values().stream().mapToLong(known -> known.content().length).sum();
    }

    StoreRecord existing() {
      StoreRecord found = record;
      if (found == null) {
        throw new IllegalStateException("the store does not exist");
      }
      return found;
    }
  }

  /** Shares of a program, in the domain of the first store. */
  static final int SHARES = 2;

  private final List<StoreState> stores = new ArrayList<>();
  private final List<ShareState> shares = new ArrayList<>();

  /** What the objects of shares are to read as. */
  final Map<Fingerprint, byte[]> contents = new HashMap<>();

  private final Map<Integer, TreeMap<String, byte[]>> records = new TreeMap<>();

  Model() {
    for (int i = 0; i < Address.STORES; i++) {
      stores.add(new StoreState());
    }
    for (int i = 0; i < SHARES; i++) {
      shares.add(new ShareState());
    }
    for (int i = 0; i < Address.LANES; i++) {
      records.put(i, new TreeMap<>());
    }
  }

  /** A copy that changes by itself; contents are shared, which nobody writes to. */
  Model copy() {
    var copy = new Model();
    for (int i = 0; i < Address.STORES; i++) {
      StoreState to = copy.stores.get(i);
      to.record = stores.get(i).record;
      to.items.putAll(stores.get(i).items);
      to.deleted.putAll(stores.get(i).deleted);
      to.snapshots.putAll(stores.get(i).snapshots);
      stores
          .get(i)
          .unfinished
          .forEach((name, unfinished) -> {
            var same = new Unfinished();
            same.possible.addAll(unfinished.possible);
            same.mayBeAbsent = unfinished.mayBeAbsent;
            to.unfinished.put(name, same);
          });
    }
    records.forEach((lane, all) -> copy.records(lane).putAll(all));
    for (int i = 0; i < SHARES; i++) {
      copy.shares.set(i, shares.get(i).copy());
    }
    copy.contents.putAll(contents);
    return copy;
  }

  ShareState share(int index) {
    return shares.get(index);
  }

  StoreState store(int index) {
    return stores.get(index);
  }

  StoreState store(Address address) {
    return stores.get(address.store());
  }

  @Nullable Known item(Address address) {
    return store(address).items.get(address.itemName());
  }

  /** The unfinished upload of a name, as something that can be changed. */
  Unfinished unfinished(Address address) {
    return store(address)
        .unfinished
        .computeIfAbsent(address.itemName(), name -> Unfinished.absent());
  }

  SortedMap<String, byte[]> records(int lane) {
    return java.util.Objects.requireNonNull(records.get(lane));
  }
}
