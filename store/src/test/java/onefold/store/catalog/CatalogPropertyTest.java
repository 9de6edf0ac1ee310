package onefold.store.catalog;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import onefold.chunker.Fingerprint;
import onefold.chunker.ObjectRoot;
import onefold.store.CommitMode;
import onefold.store.DeletedItem;
import onefold.store.DeletedPage;
import onefold.store.Id;
import onefold.store.ItemListing;
import onefold.store.ItemPage;
import onefold.store.ItemQuery;
import onefold.store.ItemRecord;
import onefold.store.LockKind;
import onefold.store.LockOverride;
import onefold.store.StorePolicy;
import onefold.store.StoreRecord;
import onefold.store.StoreStatistics;
import onefold.store.catalog.CatalogCommand.Stamp;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.RepeatedTest;

/** The catalog against plain sorted maps, with folds, crashes and commands that come twice. */
class CatalogPropertyTest {
  private static final Comparator<String> BYTE_ORDER =
      Comparator.comparing(name -> name.getBytes(StandardCharsets.UTF_8), Arrays::compareUnsigned);

  private static final long DAY_MILLIS = 86_400_000;

  private record Journaled(CatalogCommand command, long position, CatalogReply reply) {}

  /** What the catalog should hold. */
  private static final class Model {
    final Map<Id, SortedMap<String, ItemRecord>> stores = new HashMap<>();
    final SortedMap<String, byte[]> records = new TreeMap<>(BYTE_ORDER);
    final Map<Id, SortedMap<String, ObjectRoot>> uploads = new HashMap<>();
    final Map<Id, String> uploadNames = new HashMap<>();

    /** Deleted items by store, and when they go. */
    final Map<Id, Map<ItemRecord, Long>> deleted = new HashMap<>();

    final Map<Id, StoreRecord> made = new HashMap<>();
    final Map<Id, Integer> undeleteDays = new HashMap<>();

    /** Notes that an item has lost its name, at a time. */
    void bury(@Nullable ItemRecord item, CatalogCommand by) {
      if (item == null) {
        return;
      }
      int days = undeleteDays.getOrDefault(item.storeId(), 0);
      if (days > 0) {
        deleted(item.storeId()).put(item, by.stamp().storeTimeMillis() + days * DAY_MILLIS);
      }
    }

    Map<ItemRecord, Long> deleted(Id storeId) {
      return deleted.computeIfAbsent(storeId, id -> new HashMap<>());
    }

    SortedMap<String, ItemRecord> items(Id storeId) {
      return Objects.requireNonNull(stores.get(storeId));
    }

    SortedMap<String, ObjectRoot> uploads(Id storeId) {
      return Objects.requireNonNull(uploads.get(storeId));
    }

    void apply(CatalogCommand command, CatalogReply reply) {
      if (!(reply instanceof CatalogReply.Done(CatalogReply.Result result))) {
        return;
      }
      switch (command) {
        case CatalogCommand.CreateStore c -> {
          stores.put(c.store().id(), new TreeMap<>(BYTE_ORDER));
          made.put(c.store().id(), c.store());
          uploads.put(c.store().id(), new TreeMap<>(BYTE_ORDER));
        }
        case CatalogCommand.CopyStore c -> {
          SortedMap<String, ItemRecord> same = new TreeMap<>(BYTE_ORDER);
          items(c.sourceId()).forEach((name, item) -> same.put(name, in(c.copyId(), item)));
          stores.put(c.copyId(), same);
          uploads.put(c.copyId(), new TreeMap<>(BYTE_ORDER));
          StoreRecord made0 = assertInstanceOf(CatalogReply.StoreResult.class, result).store();
          made.put(c.copyId(), made0);
          undeleteDays.put(c.copyId(), made0.policy().undeleteDays());
        }
        case CatalogCommand.DeleteSnapshot c -> {
          stores.remove(c.snapshotId());
          uploads.remove(c.snapshotId());
        }
        case CatalogCommand.DeleteStore c -> {
          stores.remove(c.storeId());
          deleted.remove(c.storeId());
          undeleteDays.remove(c.storeId());
          uploads.remove(c.storeId());
        }
        case CatalogCommand.CommitItem c -> {
          ItemRecord item = assertInstanceOf(CatalogReply.ItemResult.class, result).item();
          assertEquals(c.root(), item.root());
          bury(items(c.storeId()).put(c.name(), item), c);
          if (uploadNames.containsKey(c.uploadId())) {
            uploads(c.storeId()).remove(uploadNames.remove(c.uploadId()));
          }
          if (!c.uploadId().equals(CatalogCommand.NO_ID)) {
            uploads(c.storeId()).remove(c.name());
            uploadNames.values().removeIf(c.name()::equals);
          }
        }
        case CatalogCommand.UpdateItem c -> {
          ItemRecord item = assertInstanceOf(CatalogReply.ItemResult.class, result).item();
          assertEquals(c.tags(), item.tags());
          items(c.storeId()).put(c.name(), item);
        }
        case CatalogCommand.CloneItem c -> {
          ItemRecord item = assertInstanceOf(CatalogReply.ItemResult.class, result).item();
          assertEquals(
              Objects.requireNonNull(items(c.storeId()).get(c.name())).root(), item.root());
          bury(items(c.targetStoreId()).put(c.targetName(), item), c);
        }
        case CatalogCommand.DeleteItem c -> bury(items(c.storeId()).remove(c.name()), c);
        case CatalogCommand.UpdateStore c ->
            undeleteDays.put(c.settings().id(), c.settings().policy().undeleteDays());
        case CatalogCommand.UndeleteItem c -> {
          ItemRecord item = assertInstanceOf(CatalogReply.ItemResult.class, result).item();
          assertEquals(c.item().id(), item.id());
          assertNotNull(deleted(item.storeId()).remove(c.item()));
          bury(items(item.storeId()).put(c.targetName(), item), c);
        }
        case CatalogCommand.PurgeDeleted c ->
            assertTrue(
                deleted(c.storeId())
                    .keySet()
                    .removeIf(
                        item -> item.name().equals(c.name()) && item.version() == c.version()));
        case CatalogCommand.PurgeExpired c -> {
          Map<ItemRecord, Long> kept = deleted(c.storeId());
          if (c.most() == CatalogCommand.MAX_PURGED) {
            kept.values().removeIf(at -> at <= c.stamp().storeTimeMillis());
          } else {
            assertEquals(1, c.most());
            kept.entrySet().stream()
                .filter(entry -> entry.getValue() <= c.stamp().storeTimeMillis())
                .min(
                    Map.Entry.<ItemRecord, Long>comparingByValue()
                        .thenComparing(entry -> entry.getKey().name(), BYTE_ORDER)
                        .thenComparingLong(entry -> -entry.getKey().version()))
                .ifPresent(entry -> kept.remove(entry.getKey()));
          }
        }
        case CatalogCommand.PutRecord c -> records.put(c.key(), c.value());
        case CatalogCommand.RemoveRecord c -> records.remove(c.key());
        case CatalogCommand.CheckpointUpload c -> {
          uploadNames.values().removeIf(c.name()::equals);
          uploadNames.put(c.uploadId(), c.name());
          uploads(c.storeId()).put(c.name(), c.root());
        }
        default -> {}
      }
    }

    private static ItemRecord in(Id storeId, ItemRecord item) {
      return new ItemRecord(
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
          item.newBytes());
    }

    void check(CatalogView view) throws IOException {
      for (Map.Entry<Id, SortedMap<String, ItemRecord>> store : stores.entrySet()) {
        Id id = store.getKey();
        List<ItemRecord> listed = new ArrayList<>();
        String after = "";
        while (true) {
          ItemPage page = view.items(id, "", after, 37);
          listed.addAll(page.items());
          if (!page.more()) {
            break;
          }
          after = page.items().getLast().name();
        }
        assertEquals(new ArrayList<>(store.getValue().values()), listed);
        long bytes = listed.stream().mapToLong(item -> item.root().lengthBytes()).sum();
        long uploadBytes = uploads(id).values().stream().mapToLong(ObjectRoot::lengthBytes).sum();
        assertEquals(
            Optional.of(
                new StoreStatistics(
                    listed.size(),
                    bytes,
                    uploads(id).size(),
                    uploadBytes,
                    deleted(id).size(),
                    deleted(id).keySet().stream()
                        .mapToLong(item -> item.root().lengthBytes())
                        .sum())),
            view.statistics(id));
        checkDeleted(view, id);
        assertEquals(
            new ArrayList<>(uploads(id).values()),
            view.unfinished(id).stream().map(upload -> upload.checkpoint().root()).toList());
      }
      SortedMap<String, byte[]> found = view.records("test");
      assertEquals(Set.copyOf(records.keySet()), Set.copyOf(found.keySet()));
      for (Map.Entry<String, byte[]> record : records.entrySet()) {
        assertArrayEquals(record.getValue(), found.get(record.getKey()));
      }
      checkRoots(view);
      for (Id storeId : stores.keySet()) {
        checkLookups(view, storeId);
        checkQueries(view, storeId);
      }
    }

    /** Deleted items are listed by name, the newest version first, page by page. */
    private void checkDeleted(CatalogView view, Id storeId) throws IOException {
      List<ItemRecord> expected = new ArrayList<>(deleted(storeId).keySet());
      expected.sort(
          Comparator.comparing(ItemRecord::name, BYTE_ORDER)
              .thenComparing(Comparator.comparingLong(ItemRecord::version).reversed()));
      List<DeletedItem> found = new ArrayList<>();
      boolean more = true;
      while (more) {
        String after = found.isEmpty() ? "" : found.getLast().item().name();
        long version = found.isEmpty() ? 0 : found.getLast().item().version();
        DeletedPage page = view.deleted(storeId, "", after, version, 13);
        found.addAll(page.items());
        more = page.more();
      }
      assertEquals(expected, found.stream().map(DeletedItem::item).toList());
      for (DeletedItem item : found) {
        assertEquals(deleted(storeId).get(item.item()), item.purgeAtMillis());
        assertEquals(
            Optional.of(item),
            view.deletedItem(storeId, item.item().name(), item.item().version()));
      }
    }

    /** Items by age, size and tag are all the items, in that order. */
    private void checkLookups(CatalogView view, Id storeId) throws IOException {
      List<ItemRecord> items = new ArrayList<>(items(storeId).values());
      Comparator<ItemRecord> byName = Comparator.comparing(ItemRecord::name, BYTE_ORDER);
      items.sort(
          Comparator.comparingLong(ItemRecord::createdAtMillis).reversed().thenComparing(byName));
      List<ItemRecord> found = new ArrayList<>();
      ItemPage page = view.itemsByAge(storeId, Long.MAX_VALUE, "", 23);
      found.addAll(page.items());
      while (page.more()) {
        ItemRecord last = page.items().getLast();
        page = view.itemsByAge(storeId, last.createdAtMillis(), last.name(), 23);
        found.addAll(page.items());
      }
      assertEquals(items, found);

      items.sort(
          Comparator.comparingLong((ItemRecord item) -> item.root().lengthBytes())
              .reversed()
              .thenComparing(byName));
      assertEquals(items, view.itemsBySize(storeId, Long.MAX_VALUE, "", 10_000).items());
      items.removeIf(item -> !"xx".equals(item.tags().get("tag1")));
      items.sort(byName);
      assertEquals(items, view.itemsByTag(storeId, "tag1", "xx", "", 10_000).items());
      if (items.size() > 1) {
        String after = items.getFirst().name();
        assertEquals(items.subList(1, 2), view.itemsByTag(storeId, "tag1", "xx", after, 1).items());
      }
    }

    /** A query shows, page by page, exactly the items it describes, in its order. */
    private void checkQueries(CatalogView view, Id storeId) throws IOException {
      Comparator<ItemRecord> byName = Comparator.comparing(ItemRecord::name, BYTE_ORDER);
      for (ItemQuery.Order order : ItemQuery.Order.values()) {
        Comparator<ItemRecord> inOrder =
            switch (order) {
              case NAME -> byName;
              case AGE ->
                  Comparator.comparingLong(ItemRecord::createdAtMillis)
                      .reversed()
                      .thenComparing(byName);
              case SIZE ->
                  Comparator.comparingLong((ItemRecord item) -> item.root().lengthBytes())
                      .reversed()
                      .thenComparing(byName);
            };
        for (SortedMap<String, String> tags :
            List.of(new TreeMap<String, String>(), new TreeMap<>(Map.of("tag1", "xx")))) {
          for (String prefix : List.of("", "n")) {
            ItemQuery query = new ItemQuery(order, prefix, tags);
            List<ItemRecord> expected =
                items(storeId).values().stream()
                    .filter(item -> item.name().startsWith(prefix))
                    .filter(item -> tags.isEmpty() || "xx".equals(item.tags().get("tag1")))
                    .sorted(inOrder)
                    .toList();
            List<ItemRecord> found = new ArrayList<>();
            ItemQuery.Place next = ItemQuery.Place.START;
            while (next != null) {
              ItemListing page = view.items(storeId, query, next, 7);
              assertTrue(page.items().size() <= 7);
              found.addAll(page.items());
              next = page.next();
            }
            assertEquals(expected, found, query.toString());
          }
        }
      }
    }

    /** Both ways of finding the roots of objects find all of them. */
    private void checkRoots(CatalogView view) throws IOException {
      Set<ObjectRoot> expected = new HashSet<>();
      stores.values().forEach(items -> items.values().forEach(item -> expected.add(item.root())));
      uploads.values().forEach(uploads -> expected.addAll(uploads.values()));
      deleted.values().forEach(items -> items.keySet().forEach(item -> expected.add(item.root())));
      Set<ObjectRoot> visited = new HashSet<>();
      view.visitObjects(Commands.DOMAIN.id(), (storeId, name, root) -> visited.add(root));
      assertEquals(expected, visited);

      Set<ObjectRoot> marked = new HashSet<>();
      view.visitUnfoldedObjects(Commands.DOMAIN.id(), (storeId, name, root) -> marked.add(root));
      Set<Fingerprint> pages = new HashSet<>();
      view.visitPages(pages::add);
      Set<Fingerprint> reached = new HashSet<>();
      ArrayDeque<Fingerprint> pending = new ArrayDeque<>();
      view.rootPage().ifPresent(pending::add);
      while (!pending.isEmpty()) {
        Fingerprint page = pending.poll();
        if (!reached.add(page)) {
          continue;
        }
        byte[] bytes = view.pages().nodes().get(page);
        assertTrue(CatalogPageFormat.isPage(bytes, 0, bytes.length));
        CatalogPageFormat.visitReferences(
            bytes,
            bytes.length,
            new CatalogPageFormat.ReferenceVisitor() {
              @Override
              public void page(byte[] source, int fingerprintOffset) {
                pending.add(Fingerprint.of(source, fingerprintOffset));
              }

              @Override
              public void object(
                  Id domainId, byte[] source, int fingerprintOffset, int level, long lengthBytes) {
                assertEquals(Commands.DOMAIN.id(), domainId);
                marked.add(
                    new ObjectRoot(Fingerprint.of(source, fingerprintOffset), level, lengthBytes));
              }
            });
      }
      assertTrue(pages.containsAll(reached), "a copy's pages may be named by a layer only");
      Set<ObjectRoot> lacking = new HashSet<>(expected);
      lacking.removeAll(marked);
      assertTrue(lacking.isEmpty() || pages.size() > reached.size(), lacking + " is not marked");
    }
  }

  @RepeatedTest(8)
  void theCatalogIsWhatTheCommandsMadeItAcrossFoldsAndCrashes() throws IOException {
    long seed = Long.getLong("onefold.seed", System.nanoTime());
    try {
      run(new SplittableRandom(seed));
    } catch (RuntimeException | AssertionError e) {
      throw new AssertionError("onefold.seed=" + seed, e);
    }
  }

  private static void run(SplittableRandom random) throws IOException {
    MapNodeStore nodes = new MapNodeStore();
    long cacheBytes = random.nextBoolean() ? 1 : 1 << 20;
    Catalog catalog = Catalog.create(nodes, cacheBytes);
    Model model = new Model();
    Commands commands = new Commands();
    List<Journaled> journal = new ArrayList<>();
    long position = 0;
    int names = 1 + random.nextInt(600);
    catalog.apply(commands.createDomain(), position++);
    CatalogFold first = catalog.fold();
    CatalogRoot durable = first.write();
    catalog.finish(first);
    @Nullable CatalogFold folding = null;

    for (int step = 0; step < 1500; step++) {
      switch (random.nextInt(24)) {
        case 0 -> {
          if (folding == null) {
            folding = catalog.fold();
          }
        }
        case 1, 2 -> {
          if (folding != null) {
            CatalogRoot root = folding.write();
            // A fold that is never finished stands for one whose root did not become durable.
            if (random.nextInt(4) > 0) {
              catalog.finish(folding);
              durable = root;
            }
            folding = null;
          }
        }
        case 3 -> {
          // A crash: what is in memory is lost, the journal beyond the durable root is replayed.
          long from = durable.position();
          catalog = Catalog.open(nodes, durable, cacheBytes);
          folding = null;
          for (Journaled journaled : journal) {
            if (journaled.position() > from) {
              assertEquals(
                  journaled.reply(), catalog.apply(journaled.command(), journaled.position()));
            }
          }
        }
        case 4 -> {
          if (!journal.isEmpty()) {
            Journaled again = journal.get(random.nextInt(journal.size()));
            assertEquals(again.reply(), catalog.validate(again.command()));
            assertEquals(again.reply(), catalog.apply(again.command(), position++));
          }
        }
        case 5 -> {
          catalog.stage(randomCommand(random, commands, model, names));
          catalog.discard();
        }
        default -> {
          CatalogCommand command =
              random.nextInt(40) == 0
                  ? copy(random, commands, model, catalog.view())
                  : randomCommand(random, commands, model, names);
          CatalogReply validated = catalog.validate(command);
          byte[] encoded = CatalogCommandFormat.encode(command);
          CatalogReply reply =
              catalog.apply(CatalogCommandFormat.decode(encoded, 0, encoded.length), position);
          assertEquals(validated, reply);
          journal.add(new Journaled(command, position++, reply));
          model.apply(command, reply);
        }
      }
      if (step % 300 == 0) {
        model.check(catalog.view());
      }
    }
    model.check(catalog.view());
    CatalogFold last = catalog.fold();
    CatalogRoot root = last.write();
    catalog.finish(last);
    assertEquals(root, CatalogRoot.of(root.toBytes(), 0));
    model.check(catalog.view());
    model.check(Catalog.open(nodes, root, cacheBytes).view());
  }

  /** Copies a store whose items are all in the pages, if there is one, or deletes a snapshot. */
  private static CatalogCommand copy(
      SplittableRandom random, Commands commands, Model model, CatalogView view)
      throws IOException {
    List<Id> stores = new ArrayList<>(model.stores.keySet());
    Collections.sort(stores);
    for (Id source : stores) {
      boolean isSnapshot = view.snapshot(source).isPresent();
      if (isSnapshot && random.nextInt(4) == 0) {
        return new CatalogCommand.DeleteSnapshot(commands.stamp(), source);
      }
      if (view.isFolded(source)) {
        return new CatalogCommand.CopyStore(
            commands.stamp(),
            source,
            new Id(9, random.nextLong()),
            "copy-" + random.nextInt(5),
            random.nextBoolean(),
            view.trees(source));
      }
    }
    return new CatalogCommand.AdvanceStoreTime(commands.stamp());
  }

  private static CatalogCommand randomCommand(
      SplittableRandom random, Commands commands, Model model, int names) {
    commands.timeMillis += random.nextInt(random.nextInt(50) == 0 ? 86_400_000 : 1000);
    Stamp stamp = commands.stamp();
    List<Id> stores = new ArrayList<>(model.stores.keySet());
    Collections.sort(stores);
    if (stores.isEmpty() || random.nextInt(100) == 0) {
      int number = 1 + random.nextInt(4);
      Id id = new Id(9, random.nextLong());
      return new CatalogCommand.CreateStore(
          stamp, Commands.store(id, "store-" + number, number == 1 ? 300_000 : 0, 0));
    }
    Id storeId = stores.get(random.nextInt(stores.size()));
    String name = name(random, names);
    return switch (random.nextInt(23)) {
      case 20 -> {
        List<ItemRecord> deleted = new ArrayList<>(model.deleted(storeId).keySet());
        if (deleted.isEmpty()) {
          yield new CatalogCommand.UpdateStore(
              stamp,
              store(model, storeId)
                  .withPolicy(new StorePolicy(LockKind.GOVERNANCE, random.nextInt(3), 0)));
        }
        deleted.sort(Comparator.comparingLong(ItemRecord::version));
        yield new CatalogCommand.UndeleteItem(
            stamp,
            deleted.get(random.nextInt(deleted.size())),
            name,
            random.nextBoolean() ? CommitMode.REPLACE : CommitMode.IF_ABSENT);
      }
      case 21 -> {
        List<ItemRecord> deleted = new ArrayList<>(model.deleted(storeId).keySet());
        deleted.sort(Comparator.comparingLong(ItemRecord::version));
        yield new CatalogCommand.PurgeDeleted(
            stamp,
            storeId,
            deleted.isEmpty() ? "none" : deleted.getFirst().name(),
            deleted.isEmpty() ? 1 : deleted.getFirst().version(),
            random.nextBoolean() ? new LockOverride("warden", "a test") : null);
      }
      case 22 ->
          new CatalogCommand.PurgeExpired(
              stamp, storeId, random.nextBoolean() ? 1 : CatalogCommand.MAX_PURGED);
      case 0 ->
          random.nextInt(10) == 0
              ? new CatalogCommand.DeleteStore(stamp, storeId, random.nextBoolean())
              : new CatalogCommand.AdvanceStoreTime(stamp);
      case 1, 2, 3, 4 -> new CatalogCommand.DeleteItem(stamp, storeId, name);
      case 5 ->
          new CatalogCommand.CloneItem(
              stamp,
              storeId,
              name,
              stores.get(random.nextInt(stores.size())),
              name(random, names),
              new Id(6, random.nextLong()),
              random.nextBoolean() ? CommitMode.REPLACE : CommitMode.IF_ABSENT);
      case 6 ->
          new CatalogCommand.PutRecord(
              stamp, "test", name, new byte[random.nextInt(random.nextInt(5) == 0 ? 60_000 : 300)]);
      case 7 -> new CatalogCommand.RemoveRecord(stamp, "test", name);
      case 8 ->
          new CatalogCommand.UpdateItem(
              stamp, storeId, name, tags(random), random.nextInt(9) == 0, 0);
      case 9, 10 ->
          new CatalogCommand.CheckpointUpload(
              stamp,
              new Id(8, 1 + random.nextLong(1L << 40)),
              storeId,
              "upload-" + storeId + "/" + (long) random.nextInt(20),
              Commands.root(random.nextInt(1 << 20), random.nextInt(10_000)),
              1,
              commands.timeMillis);
      default ->
          new CatalogCommand.CommitItem(
              stamp,
              storeId,
              name,
              new Id(5, random.nextLong()),
              Commands.root(random.nextInt(1 << 20), random.nextInt(10_000)),
              random.nextBoolean() ? CommitMode.REPLACE : CommitMode.IF_ABSENT,
              tags(random),
              0,
              random.nextInt(100),
              someUpload(random, model, storeId));
    };
  }

  /** A store as it is but for its policy; its name and domain never change. */
  private static StoreRecord store(Model model, Id storeId) {
    return Objects.requireNonNull(model.made.get(storeId));
  }

  private static Id someUpload(SplittableRandom random, Model model, Id storeId) {
    if (random.nextInt(3) > 0) {
      return CatalogCommand.NO_ID;
    }
    return model.uploadNames.entrySet().stream()
        .filter(upload -> model.uploads(storeId).containsKey(upload.getValue()))
        .map(Map.Entry::getKey)
        .sorted()
        .findFirst()
        .orElse(CatalogCommand.NO_ID);
  }

  private static SortedMap<String, String> tags(SplittableRandom random) {
    TreeMap<String, String> tags = new TreeMap<>();
    for (int i = random.nextInt(4); i > 0; i--) {
      tags.put("tag" + i, "x".repeat(random.nextInt(random.nextInt(8) == 0 ? 1200 : 4)));
    }
    return tags;
  }

  private static String name(SplittableRandom random, int names) {
    int number = random.nextInt(names);
    return switch (number % 4) {
      case 0 -> "srv-" + number;
      case 1 -> "é/" + "long/".repeat(number % 150) + number;
      case 2 -> "\ud83d\ude00" + number;
      default -> "z" + number;
    };
  }
}
