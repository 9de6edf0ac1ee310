package onefold.store.catalog;

import static java.nio.charset.StandardCharsets.UTF_8;
import static onefold.store.catalog.Commands.STORE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.ObjectRoot;
import onefold.store.CommitMode;
import onefold.store.Compression;
import onefold.store.CorruptDataException;
import onefold.store.DeletedItem;
import onefold.store.DomainRecord;
import onefold.store.Id;
import onefold.store.ItemListing;
import onefold.store.ItemPage;
import onefold.store.ItemQuery;
import onefold.store.ItemRecord;
import onefold.store.LockKind;
import onefold.store.LockOverride;
import onefold.store.LostNames;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;
import onefold.store.ShortenedLock;
import onefold.store.StorePolicy;
import onefold.store.StoreRecord;
import onefold.store.StoreStatistics;
import onefold.store.catalog.CatalogCommand.Stamp;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class CatalogTest {
  private static final long DAY_MILLIS = 86_400_000;

  private final MapNodeStore nodes = new MapNodeStore();
  private final Commands commands = new Commands();
  private Catalog catalog = Catalog.create(nodes, 16 << 20);
  private long position;

  @BeforeEach
  void makeAStore() throws IOException {
    done(commands.createDomain());
    done(commands.createStore(STORE));
  }

  @Test
  void aCommittedItemIsFoundUntilItIsDeleted() throws IOException {
    ItemRecord item = item(done(commands.commit("monday", 1, 100, CommitMode.IF_ABSENT)));

    assertEquals(Optional.of(item), catalog.view().item(STORE.id(), "monday"));
    assertEquals(commands.timeMillis, item.createdAtMillis());
    assertEquals(
        Optional.of(new StoreStatistics(1, 100, 0, 0, 0, 0)),
        catalog.view().statistics(STORE.id()));
    done(commands.delete("monday"));
    assertEquals(Optional.empty(), catalog.view().item(STORE.id(), "monday"));
    assertEquals(
        Optional.of(new StoreStatistics(0, 0, 0, 0, 0, 0)), catalog.view().statistics(STORE.id()));
    assertTrue(refused(Reason.NOT_FOUND, commands.delete("monday")).contains("'monday'"));
  }

  @Test
  void aTakenNameIsRefusedUnlessItIsToBeReplaced() throws IOException {
    ItemRecord first = item(done(commands.commit("a", 1, 100, CommitMode.IF_ABSENT)));
    String message = refused(Reason.EXISTS, commands.commit("a", 2, 50, CommitMode.IF_ABSENT));
    assertTrue(message.contains("'a'") && message.contains("1970-01-01"), message);

    ItemRecord second = item(done(commands.commit("a", 2, 50, CommitMode.REPLACE)));
    assertNotEquals(first.id(), second.id());
    assertTrue(second.version() > first.version());
    assertEquals(
        Optional.of(new StoreStatistics(1, 50, 0, 0, 0, 0)), catalog.view().statistics(STORE.id()));
  }

  @Test
  void aLockedItemCannotGoBeforeItsTime() throws IOException {
    ItemRecord item =
        item(
            done(
                commands.commit(
                    STORE.id(), "a", 1, 9, CommitMode.IF_ABSENT, 2, CatalogCommand.NO_ID)));
    assertEquals(commands.timeMillis + 2 * DAY_MILLIS, item.lockedUntilMillis());

    refused(Reason.LOCKED, commands.delete("a"));
    refused(Reason.LOCKED, commands.commit("a", 2, 9, CommitMode.REPLACE));
    refused(Reason.LOCKED, commands.update("a", false, item.lockedUntilMillis() - 1));
    refused(Reason.LOCKED, new CatalogCommand.DeleteStore(commands.stamp(), STORE.id(), true));
    done(commands.update("a", false, item.lockedUntilMillis() + 1));
    commands.timeMillis = item.lockedUntilMillis();
    refused(Reason.LOCKED, commands.delete("a"));
    commands.timeMillis = item.lockedUntilMillis() + 1;
    done(commands.delete("a"));
  }

  private CatalogCommand lock(
      String name, long untilMillis, LockKind kind, @Nullable LockOverride override) {
    return new CatalogCommand.LockItem(
        commands.stamp(), STORE.id(), name, untilMillis, kind, override);
  }

  @Test
  void aGovernanceLockIsShortenedOnlyByWhoMayAndTheReasonIsKept() throws IOException {
    done(commands.commit("a", 1, 9, CommitMode.IF_ABSENT));
    long until = commands.timeMillis + 10 * DAY_MILLIS;
    done(lock("a", until, LockKind.GOVERNANCE, null));
    refused(Reason.LOCKED, lock("a", until - 1, LockKind.GOVERNANCE, null));
    refused(Reason.LOCKED, lock("a", until - 1, LockKind.COMPLIANCE, null));
    refused(Reason.LOCKED, commands.delete("a"));
    assertEquals(List.of(), catalog.view().shortenedLocks());

    LockOverride why = new LockOverride("warden", "locked by mistake");
    commands.timeMillis += DAY_MILLIS;
    ItemRecord item = item(done(lock("a", commands.timeMillis + 5, LockKind.GOVERNANCE, why)));
    assertEquals(commands.timeMillis + 5, item.lockedUntilMillis());
    assertEquals(
        List.of(
            new ShortenedLock(
                "default",
                "a",
                item.id(),
                commands.timeMillis,
                until,
                until - 9 * DAY_MILLIS + 5,
                why)),
        catalog.view().shortenedLocks());
    refused(Reason.LOCKED, commands.delete("a"));
    refused(Reason.LOCKED, new CatalogCommand.DeleteStore(commands.stamp(), STORE.id(), true));
    commands.timeMillis += 6;
    done(new CatalogCommand.DeleteStore(commands.stamp(), STORE.id(), true));
    assertEquals(1, catalog.view().shortenedLocks().size(), "it outlives what it was about");
  }

  @Test
  void aComplianceLockIsShortenedByNobody() throws IOException {
    done(
        new CatalogCommand.UpdateStore(
            commands.stamp(),
            STORE.withPolicy(StorePolicy.DEFAULT.withLockKind(LockKind.COMPLIANCE))));
    ItemRecord item =
        item(
            done(
                commands.commit(
                    STORE.id(), "a", 1, 9, CommitMode.IF_ABSENT, 2, CatalogCommand.NO_ID)));
    assertEquals(LockKind.COMPLIANCE, item.lockKind());
    long until = item.lockedUntilMillis();
    LockOverride why = new LockOverride("warden", "please");
    refused(Reason.LOCKED, lock("a", until - 1, LockKind.COMPLIANCE, why));
    refused(Reason.LOCKED, lock("a", until, LockKind.GOVERNANCE, why));
    refused(Reason.LOCKED, lock("a", until + 1, LockKind.GOVERNANCE, why));
    refused(Reason.LOCKED, commands.delete("a"));
    refused(Reason.LOCKED, commands.commit("a", 2, 9, CommitMode.REPLACE));
    done(new CatalogCommand.UpdateStore(commands.stamp(), STORE));
    ItemRecord longer = item(done(commands.update("a", false, until + 1)));
    assertEquals(LockKind.COMPLIANCE, longer.lockKind(), "whatever the store says since");

    commands.timeMillis = until + 1;
    assertEquals(
        LockKind.GOVERNANCE,
        item(done(lock("a", until + 5, LockKind.GOVERNANCE, null))).lockKind(),
        "it has ended, this is another one");
    assertEquals(List.of(), catalog.view().shortenedLocks());
  }

  @Test
  void aStoreWhoseLocksWereShortenedCanGoWithItsItems() throws IOException {
    for (String name : List.of("a", "b")) {
      done(commands.commit(name, 1, 9, CommitMode.IF_ABSENT));
      done(lock(name, commands.timeMillis + DAY_MILLIS, LockKind.GOVERNANCE, null));
    }
    LockOverride why = new LockOverride("warden", "a wrong date");
    done(lock("a", commands.timeMillis, LockKind.GOVERNANCE, why));
    String message =
        refused(Reason.LOCKED, new CatalogCommand.DeleteStore(commands.stamp(), STORE.id(), true));
    assertTrue(message.contains("'b'"), message);
    done(lock("b", commands.timeMillis, LockKind.GOVERNANCE, why));
    done(new CatalogCommand.DeleteStore(commands.stamp(), STORE.id(), true));
  }

  private void keepDeleted(int days, LockKind kind) throws IOException {
    done(
        new CatalogCommand.UpdateStore(
            commands.stamp(), STORE.withPolicy(new StorePolicy(kind, days, 0))));
  }

  private CatalogCommand undelete(DeletedItem deleted, String as, CommitMode mode) {
    return new CatalogCommand.UndeleteItem(commands.stamp(), deleted.item(), as, mode);
  }

  private CatalogCommand purge(DeletedItem deleted, @Nullable LockOverride override) {
    return new CatalogCommand.PurgeDeleted(
        commands.stamp(), STORE.id(), deleted.item().name(), deleted.item().version(), override);
  }

  private List<DeletedItem> deleted() throws IOException {
    return catalog.view().deleted(STORE.id(), "", "", 0, 100).items();
  }

  @Test
  void whatIsDeletedOrReplacedComesBackAsItWas() throws IOException {
    keepDeleted(7, LockKind.GOVERNANCE);
    ItemRecord first = item(done(commands.commit("a", 1, 10, CommitMode.IF_ABSENT)));
    ItemRecord second = item(done(commands.commit("a", 2, 20, CommitMode.REPLACE)));
    done(commands.commit("b", 3, 30, CommitMode.IF_ABSENT));
    done(commands.delete("a"));
    assertEquals(List.of(second, first), deleted().stream().map(DeletedItem::item).toList());
    assertEquals(
        Optional.of(new StoreStatistics(1, 30, 0, 0, 2, 30)),
        catalog.view().statistics(STORE.id()));
    assertEquals(commands.timeMillis + 7 * DAY_MILLIS, deleted().getFirst().purgeAtMillis());
    assertEquals(
        List.of(first),
        catalog.view().deleted(STORE.id(), "a", "a", second.version(), 5).items().stream()
            .map(DeletedItem::item)
            .toList());
    assertEquals(List.of(), catalog.view().deleted(STORE.id(), "b", "", 0, 5).items());
    Set<ObjectRoot> live = new HashSet<>();
    catalog.view().visitObjects(Commands.DOMAIN.id(), (id, name, root) -> live.add(root));
    assertTrue(live.contains(first.root()) && live.contains(second.root()), "kept for a mark");

    refused(Reason.EXISTS, undelete(deleted().getLast(), "b", CommitMode.IF_ABSENT));
    assertEquals(first, item(done(undelete(deleted().getLast(), "a", CommitMode.IF_ABSENT))));
    assertEquals(Optional.of(first), catalog.view().item(STORE.id(), "a"));
    DeletedItem gone = deleted().getFirst();
    assertEquals(second.root(), item(done(undelete(gone, "b", CommitMode.REPLACE))).root());
    assertEquals("b", deleted().getFirst().item().name(), "what it replaced can come back");
    refused(Reason.NOT_FOUND, undelete(gone, "c", CommitMode.REPLACE));
    assertEquals(
        Optional.of(new StoreStatistics(2, 30, 0, 0, 1, 30)),
        catalog.view().statistics(STORE.id()));
  }

  @Test
  void deletedItemsGoByStoreTimeOrByWhoMayAndTheReasonIsKept() throws IOException {
    keepDeleted(2, LockKind.GOVERNANCE);
    for (String name : List.of("a", "b", "c")) {
      done(commands.commit(name, 1, 9, CommitMode.IF_ABSENT));
      done(commands.delete(name));
      commands.timeMillis += DAY_MILLIS / 2;
    }
    LockOverride why = new LockOverride("warden", "the disk is full");
    refused(Reason.LOCKED, purge(deleted().getFirst(), null));
    refused(Reason.LOCKED, new CatalogCommand.DeleteStore(commands.stamp(), STORE.id(), true));
    done(purge(deleted().getFirst(), why));
    assertEquals(why, catalog.view().shortenedLocks().getFirst().by());
    keepDeleted(2, LockKind.COMPLIANCE);
    refused(Reason.LOCKED, purge(deleted().getFirst(), why));

    CatalogCommand expire = new CatalogCommand.PurgeExpired(commands.stamp(), STORE.id(), 10);
    done(expire);
    assertEquals(2, deleted().size());
    commands.timeMillis = deleted().getFirst().purgeAtMillis();
    assertTrue(catalog.view().hasExpired(STORE.id(), commands.timeMillis));
    done(purge(deleted().getFirst(), null));
    commands.timeMillis = deleted().getFirst().purgeAtMillis() - 1;
    refused(Reason.LOCKED, new CatalogCommand.DeleteStore(commands.stamp(), STORE.id(), true));
    commands.timeMillis++;
    done(new CatalogCommand.PurgeExpired(commands.stamp(), STORE.id(), 10));
    assertEquals(List.of(), deleted());
    assertEquals(
        Optional.of(new StoreStatistics(0, 0, 0, 0, 0, 0)), catalog.view().statistics(STORE.id()));
    done(commands.commit("d", 1, 9, CommitMode.IF_ABSENT));
    refused(Reason.LOCKED, new CatalogCommand.DeleteStore(commands.stamp(), STORE.id(), true));
    keepDeleted(0, LockKind.GOVERNANCE);
    done(commands.delete("d"));
    assertEquals(List.of(), deleted());
    done(new CatalogCommand.DeleteStore(commands.stamp(), STORE.id(), false));
  }

  /** Folds what there is and copies a store, as the engine does. */
  private CatalogCommand copy(Id sourceId, Id copyId, String name, boolean snapshot)
      throws IOException {
    if (!catalog.view().isFolded(sourceId)) {
      CatalogFold fold = catalog.fold();
      fold.write();
      catalog.finish(fold);
    }
    return new CatalogCommand.CopyStore(
        commands.stamp(), sourceId, copyId, name, snapshot, catalog.view().trees(sourceId));
  }

  private List<String> names(Id storeId) throws IOException {
    return catalog.view().items(storeId, "", "", 10_000).items().stream()
        .map(ItemRecord::name)
        .toList();
  }

  @Test
  void aSnapshotIsTheStoreAsItWasAndNeverChanges() throws IOException {
    Id snapshot = new Id(20, 1);
    ItemRecord a = item(done(commands.commit("a", 1, 10, CommitMode.IF_ABSENT)));
    done(commands.commit("b", 2, 20, CommitMode.IF_ABSENT));
    done(copy(STORE.id(), snapshot, "noon", true));
    refused(Reason.EXISTS, copy(STORE.id(), new Id(20, 2), "noon", true));
    done(commands.delete("a"));
    done(commands.commit("b", 3, 30, CommitMode.REPLACE));
    assertEquals(List.of("b"), names(STORE.id()));
    assertEquals(List.of("a", "b"), names(snapshot));
    CatalogView view = catalog.view();
    assertEquals(snapshot, view.store("default@noon").orElseThrow().id());
    assertEquals(Optional.empty(), view.store("default@night"));
    assertEquals(Optional.empty(), view.store("other@noon"));
    assertEquals(1, view.stores().size());
    assertEquals(30, view.logicalBytes(Commands.DOMAIN.id()), "snapshots do not count");
    assertEquals(a.root(), view.item(snapshot, "a").orElseThrow().root());
    assertEquals("default@noon", view.snapshots(STORE.id()).getFirst().store().name());
    assertEquals("noon", view.snapshots(STORE.id()).getFirst().name());
    assertEquals(2, view.itemsBySize(snapshot, Long.MAX_VALUE, "", 10).items().size());
    Set<ObjectRoot> live = new HashSet<>();
    view.visitObjects(Commands.DOMAIN.id(), (id, name, root) -> live.add(root));
    assertTrue(live.contains(a.root()), "what only a snapshot has is kept for a mark");

    Stamp stamp = commands.stamp();
    refused(Reason.INVALID_REQUEST, new CatalogCommand.DeleteItem(stamp, snapshot, "a"));
    refused(
        Reason.INVALID_REQUEST,
        commands.commit(snapshot, "c", 4, 1, CommitMode.IF_ABSENT, 0, CatalogCommand.NO_ID));
    refused(
        Reason.INVALID_REQUEST, new CatalogCommand.DeleteStore(commands.stamp(), snapshot, true));
    refused(Reason.INVALID_REQUEST, copy(snapshot, new Id(20, 3), "again", true));
    refused(
        Reason.INVALID_REQUEST,
        new CatalogCommand.LockItem(commands.stamp(), snapshot, "a", 5, LockKind.GOVERNANCE, null));
    refused(Reason.NOT_EMPTY, new CatalogCommand.DeleteStore(commands.stamp(), STORE.id(), true));
    ItemRecord back =
        item(
            done(
                new CatalogCommand.CloneItem(
                    commands.stamp(),
                    snapshot,
                    "a",
                    STORE.id(),
                    "a",
                    new Id(21, 1),
                    CommitMode.IF_ABSENT)));
    assertEquals(a.root(), back.root());

    long until = commands.timeMillis + DAY_MILLIS;
    done(
        new CatalogCommand.LockSnapshot(
            commands.stamp(), snapshot, until, LockKind.GOVERNANCE, null));
    refused(Reason.LOCKED, new CatalogCommand.DeleteSnapshot(commands.stamp(), snapshot));
    refused(
        Reason.LOCKED,
        new CatalogCommand.LockSnapshot(
            commands.stamp(), snapshot, until - 1, LockKind.GOVERNANCE, null));
    assertEquals(until, catalog.view().snapshot(snapshot).orElseThrow().lockedUntilMillis());
    commands.timeMillis = until;
    done(new CatalogCommand.DeleteSnapshot(commands.stamp(), snapshot));
    refused(Reason.NOT_FOUND, new CatalogCommand.DeleteSnapshot(commands.stamp(), snapshot));
    assertEquals(Optional.empty(), catalog.view().store("default@noon"));
    assertEquals(List.of(), names(snapshot));
    done(new CatalogCommand.DeleteStore(commands.stamp(), STORE.id(), true));
  }

  @Test
  void aCopyOfAStoreGoesItsOwnWay() throws IOException {
    Id other = new Id(20, 1);
    for (int i = 0; i < 300; i++) {
      done(commands.commit("n" + i, i, 10, CommitMode.IF_ABSENT));
    }
    done(copy(STORE.id(), other, "other", false));
    refused(Reason.EXISTS, copy(STORE.id(), new Id(20, 2), "other", false));
    done(commands.delete("n7"));
    done(commands.commit(other, "n8", 900, 5, CommitMode.REPLACE, 0, CatalogCommand.NO_ID));
    assertEquals(299, names(STORE.id()).size());
    assertEquals(300, names(other).size());
    Runnable check =
        () -> {
          try {
            CatalogView view = catalog.view();
            assertEquals(
                Optional.of(new StoreStatistics(299, 2990, 0, 0, 0, 0)),
                view.statistics(STORE.id()));
            assertEquals(
                Optional.of(new StoreStatistics(300, 2995, 0, 0, 0, 0)), view.statistics(other));
            assertTrue(view.item(other, "n7").isPresent());
            assertEquals(10, view.item(STORE.id(), "n8").orElseThrow().root().lengthBytes());
            assertEquals(300, view.itemsByAge(other, Long.MAX_VALUE, "", 1000).items().size());
          } catch (IOException e) {
            throw new AssertionError(e);
          }
        };
    check.run();
    CatalogFold fold = catalog.fold();
    CatalogRoot root = fold.write();
    catalog.finish(fold);
    check.run();
    Catalog again = Catalog.open(nodes, root, 1 << 20);
    assertEquals(300, again.view().items(other, "", "", 1000).items().size());
    done(new CatalogCommand.DeleteStore(commands.stamp(), STORE.id(), true));
    assertEquals(300, names(other).size());
  }

  @Test
  void aThousandSnapshotsCostPagesOnlyForWhatChanges() throws IOException {
    for (int i = 0; i < 10_000; i++) {
      done(commands.commit("n" + i, i, 10, CommitMode.IF_ABSENT));
    }
    done(copy(STORE.id(), new Id(30, 0), "s0", true));
    long pagesBefore = nodes.pages.size();
    long writesBefore = nodes.writes.get();
    for (int i = 1; i <= 500; i++) {
      done(copy(STORE.id(), new Id(30, i), "s" + i, true));
    }
    assertEquals(writesBefore, nodes.writes.get(), "what is in the pages is not written again");
    for (int i = 501; i <= 1000; i++) {
      done(commands.delete("n" + i));
      done(copy(STORE.id(), new Id(30, i), "s" + i, true));
    }
    long pages = nodes.pages.size() - pagesBefore;
    assertTrue(pages < 500 * 40, pages + " pages for 500 changes and their snapshots");
    assertEquals(1001, catalog.view().snapshots(STORE.id()).size());
    assertEquals(10_000 - 250, names(new Id(30, 750)).size());
    long readBefore = nodes.reads.get();
    long[] visited = new long[1];
    catalog.view().visitObjects(Commands.DOMAIN.id(), (id, name, root) -> visited[0]++);
    assertTrue(visited[0] < 200_000, visited[0] + " objects: shared pages are visited once");
    assertTrue(nodes.reads.get() - readBefore < 30_000, "pages read for a mark");
    Set<Fingerprint> seen = new HashSet<>();
    catalog.view().visitPages(seen::add);
    assertTrue(seen.size() >= catalog.view().snapshots(STORE.id()).size());
  }

  @Test
  void storeTimeNeverGoesBackSoThatALockCannotBeProlongedOrEnded() throws IOException {
    commands.timeMillis = 5 * DAY_MILLIS;
    done(new CatalogCommand.AdvanceStoreTime(commands.stamp()));
    commands.timeMillis = DAY_MILLIS;
    done(new CatalogCommand.AdvanceStoreTime(commands.stamp()));

    assertEquals(5 * DAY_MILLIS, catalog.view().storeTimeMillis());
    ItemRecord item =
        item(
            done(
                commands.commit(
                    STORE.id(), "a", 1, 9, CommitMode.IF_ABSENT, 1, CatalogCommand.NO_ID)));
    assertEquals(6 * DAY_MILLIS, item.lockedUntilMillis());
  }

  @Test
  void aHeldItemStaysUntilItIsReleased() throws IOException {
    done(commands.commit("a", 1, 9, CommitMode.IF_ABSENT));
    ItemRecord held = item(done(commands.update("a", true, 0)));
    assertEquals("nightly", held.tags().get("job"));
    refused(Reason.LOCKED, commands.delete("a"));
    refused(Reason.LOCKED, new CatalogCommand.DeleteStore(commands.stamp(), STORE.id(), true));
    done(commands.update("a", false, 0));
    done(new CatalogCommand.DeleteStore(commands.stamp(), STORE.id(), true));
  }

  @Test
  void aQuotaCountsWhatAReplacedItemGivesBack() throws IOException {
    StoreRecord small = Commands.store(STORE.id(), "default", 100, 0);
    done(new CatalogCommand.UpdateStore(commands.stamp(), small));
    done(commands.commit("a", 1, 60, CommitMode.IF_ABSENT));
    String message =
        refused(Reason.QUOTA_EXCEEDED, commands.commit("b", 2, 41, CommitMode.IF_ABSENT));
    assertTrue(
        message.contains("100") && message.contains("60") && message.contains("41"), message);
    done(commands.commit("b", 2, 40, CommitMode.IF_ABSENT));
    done(commands.commit("a", 3, 60, CommitMode.REPLACE));
    refused(Reason.QUOTA_EXCEEDED, commands.commit("c", 4, Long.MAX_VALUE, CommitMode.IF_ABSENT));
  }

  @Test
  void lengthsThatWouldOverflowAreRefused() throws IOException {
    done(commands.commit("a", 1, Long.MAX_VALUE, CommitMode.IF_ABSENT));
    refused(Reason.QUOTA_EXCEEDED, commands.commit("b", 2, 1, CommitMode.IF_ABSENT));
    refused(Reason.TOO_MANY_UNFINISHED, commands.checkpoint(new Id(8, 1), "u", Long.MAX_VALUE, 1));
  }

  @Test
  void aStoreWithItemsIsDeletedOnlyWhenThatIsMeant() throws IOException {
    done(commands.commit("a", 1, 9, CommitMode.IF_ABSENT));
    done(commands.checkpoint(new Id(8, 1), "u", 5, 1));
    refused(Reason.NOT_EMPTY, new CatalogCommand.DeleteStore(commands.stamp(), STORE.id(), false));
    fold();
    done(new CatalogCommand.DeleteStore(commands.stamp(), STORE.id(), true));

    assertEquals(List.of(), catalog.view().stores());
    assertEquals(Optional.empty(), catalog.view().item(STORE.id(), "a"));
    assertEquals(Optional.empty(), catalog.view().upload(new Id(8, 1)));
    fold();
    done(commands.createStore(Commands.store(new Id(2, 2), "default", 0, 0)));
    assertEquals(new ItemPage(List.of(), false), catalog.view().items(new Id(2, 2), "", "", 10));
    catalog
        .view()
        .visitObjects(Commands.DOMAIN.id(), (id, name, root) -> assertEquals("nothing", name));
  }

  @Test
  void namesOfStoresAndDomainsAreTakenOnce() throws IOException {
    refused(Reason.EXISTS, commands.createStore(Commands.store(new Id(2, 2), "default", 0, 0)));
    refused(Reason.CONFLICT, commands.createStore(Commands.store(STORE.id(), "other", 0, 0)));
    refused(Reason.EXISTS, commands.createDomain());
    refused(
        Reason.CONFLICT,
        new CatalogCommand.CreateDomain(
            commands.stamp(), new DomainRecord(Commands.DOMAIN.id(), "b", 1)));
    refused(
        Reason.INVALID_REQUEST,
        new CatalogCommand.UpdateStore(
            commands.stamp(), Commands.store(STORE.id(), "renamed", 0, 0)));
    assertEquals(List.of(Commands.DOMAIN), catalog.view().domains());
    assertEquals(STORE.id(), catalog.view().store("default").orElseThrow().id());
    assertEquals(Optional.of(Commands.DOMAIN), catalog.view().domain("default"));
  }

  @Test
  void aCloneInAnotherDomainIsRefused() throws IOException {
    DomainRecord other = new DomainRecord(new Id(1, 2), "other", 1);
    done(new CatalogCommand.CreateDomain(commands.stamp(), other));
    StoreRecord far =
        new StoreRecord(new Id(2, 9), "far", other.id(), 0, STORE.compression(), 0, 0);
    done(commands.createStore(far));
    done(commands.commit("a", 1, 10, CommitMode.IF_ABSENT));
    refused(Reason.INVALID_REQUEST, clone("a", far.id(), "a", CommitMode.IF_ABSENT));
    refused(Reason.NOT_FOUND, clone("b", STORE.id(), "c", CommitMode.IF_ABSENT));
    refused(Reason.EXISTS, clone("a", STORE.id(), "a", CommitMode.IF_ABSENT));
    ItemRecord copy = item(done(clone("a", STORE.id(), "b", CommitMode.IF_ABSENT)));
    assertEquals(Commands.root(1, 10), copy.root());
    assertEquals(0, copy.newBytes());
    assertEquals(20, catalog.view().logicalBytes(Commands.DOMAIN.id()));
    assertEquals(0, catalog.view().logicalBytes(other.id()));
  }

  @Test
  void anUploadGoesOnFromItsLastCheckpointAndEndsWithItsCommit() throws IOException {
    Id upload = new Id(8, 1);
    done(commands.checkpoint(upload, "a", 10, 1));
    done(commands.checkpoint(upload, "a", 30, 3));
    done(commands.checkpoint(upload, "a", 20, 2));

    assertEquals(3, catalog.view().upload(upload).orElseThrow().checkpoint().sequence());
    assertEquals(30, catalog.view().statistics(STORE.id()).orElseThrow().unfinishedBytes());
    done(commands.commit(STORE.id(), "a", 4, 40, CommitMode.IF_ABSENT, 0, upload));
    assertEquals(Optional.empty(), catalog.view().upload(upload));
    assertEquals(
        Optional.of(new StoreStatistics(1, 40, 0, 0, 0, 0)), catalog.view().statistics(STORE.id()));
    refused(Reason.NOT_FOUND, new CatalogCommand.EndUpload(commands.stamp(), upload));
  }

  @Test
  void aNewerUploadOfTheSameNameEndsTheOlder() throws IOException {
    done(commands.checkpoint(new Id(8, 1), "a", 10, 1));
    commands.timeMillis += 5;
    done(commands.checkpoint(new Id(8, 2), "a", 7, 1));
    assertEquals(
        new Id(8, 2),
        catalog.view().uploadOf(STORE.id(), "a").orElseThrow().checkpoint().uploadId());
    assertEquals(
        Optional.of(new StoreStatistics(0, 0, 1, 7, 0, 0)), catalog.view().statistics(STORE.id()));

    assertTrue(
        refused(Reason.CONFLICT, commands.checkpoint(new Id(8, 1), "a", 20, 2)).contains("ended"));
    commands.timeMillis -= 5;
    refused(Reason.CONFLICT, commands.checkpoint(new Id(8, 3), "a", 20, 1));
    refused(Reason.INVALID_REQUEST, commands.checkpoint(new Id(8, 2), "b", 20, 2));
    done(new CatalogCommand.EndUpload(commands.stamp(), new Id(8, 2)));
    assertEquals(
        Optional.of(new StoreStatistics(0, 0, 0, 0, 0, 0)), catalog.view().statistics(STORE.id()));
  }

  @Test
  void atTheBoundANewUploadIsRefusedWithTheListAndTheCommandThatEndsOne() throws IOException {
    done(new CatalogCommand.SetUnfinishedLimits(commands.stamp(), 3, 1000));
    for (int i = 1; i <= 3; i++) {
      assertEquals(Optional.empty(), catalog.view().refusalOfUpload(STORE.id(), "item" + i));
      done(commands.checkpoint(new Id(8, i), "item" + i, 10, 1));
    }
    String message =
        refused(Reason.TOO_MANY_UNFINISHED, commands.checkpoint(new Id(8, 4), "item4", 10, 1));
    assertTrue(message.contains("item1") && message.contains(new Id(8, 3).toString()), message);
    assertTrue(message.contains("./onefold job rm"), message);
    assertEquals(
        Reason.TOO_MANY_UNFINISHED,
        catalog.view().refusalOfUpload(STORE.id(), "item4").orElseThrow().reason());
    // One that takes the place of an older one is no more than before, and those begun go on.
    assertEquals(Optional.empty(), catalog.view().refusalOfUpload(STORE.id(), "item2"));
    done(commands.checkpoint(new Id(8, 5), "item2", 10, 1));
    done(commands.checkpoint(new Id(8, 1), "item1", 999, 2));
    done(new CatalogCommand.EndUpload(commands.stamp(), new Id(8, 3)));
    refused(Reason.TOO_MANY_UNFINISHED, commands.checkpoint(new Id(8, 6), "item6", 1, 1));
  }

  @Test
  void aRepeatedCommandGivesItsFirstAnswer() throws IOException {
    CatalogCommand commit = commands.commit("a", 1, 10, CommitMode.IF_ABSENT);
    CatalogReply first = catalog.apply(commit, ++position);
    done(commands.delete("a"));
    assertEquals(first, catalog.apply(commit, ++position));
    assertEquals(Optional.empty(), catalog.view().item(STORE.id(), "a"));

    CatalogCommand refusedOnce = commands.delete("a");
    CatalogReply refusal = catalog.apply(refusedOnce, ++position);
    assertInstanceOf(CatalogReply.Refused.class, refusal);
    done(commands.commit("a", 2, 10, CommitMode.IF_ABSENT));
    CatalogRoot root = fold();
    catalog = Catalog.open(nodes, root, 1 << 20);
    assertEquals(refusal, catalog.apply(refusedOnce, ++position));
    assertEquals(first, catalog.apply(commit, ++position));
  }

  @Test
  void onlyTheLastCommandsAreRemembered() throws IOException {
    CatalogCommand first = commands.commit("first", 1, 10, CommitMode.IF_ABSENT);
    CatalogReply reply = catalog.apply(first, ++position);
    for (int i = 0; i < Catalog.MAX_REMEMBERED_COMMANDS - 1; i++) {
      catalog.apply(new CatalogCommand.AdvanceStoreTime(commands.stamp()), ++position);
      if (i % 5000 == 0) {
        fold();
      }
    }
    assertEquals(reply, catalog.validate(first));
    catalog.apply(new CatalogCommand.AdvanceStoreTime(commands.stamp()), ++position);
    assertInstanceOf(CatalogReply.Refused.class, catalog.validate(first));
    Stamp unremembered = new Stamp(CatalogCommand.NO_ID, 0, 1);
    catalog.apply(new CatalogCommand.RemoveRecord(unremembered, "k", "x"), ++position);
    catalog.apply(new CatalogCommand.PutRecord(unremembered, "k", "x", new byte[1]), ++position);
    assertTrue(catalog.view().record("k", "x").isPresent());
  }

  @Test
  void rememberedAnswersStayWithinTheirBytes() throws IOException {
    TreeMap<String, String> tags = new TreeMap<>();
    tags.put("t", "x".repeat(4000));
    for (int i = 0; i < 2500; i++) {
      CatalogCommand commit =
          new CatalogCommand.CommitItem(
              commands.stamp(),
              STORE.id(),
              "a",
              new Id(5, i),
              Commands.root(i, 1),
              CommitMode.REPLACE,
              tags,
              0,
              0,
              CatalogCommand.NO_ID);
      catalog.apply(commit, ++position);
    }
    assertTrue(catalog.view().state().rememberedBytes() <= Catalog.MAX_REMEMBERED_BYTES);
    assertTrue(catalog.view().state().oldestSequence() > 100);
  }

  @Test
  void aLowerEpochIsRefused() throws IOException {
    catalog.apply(new CatalogCommand.AdvanceStoreTime(new Stamp(new Id(1, 99), 0, 7)), ++position);
    refused(Reason.CONFLICT, commands.delete("a"));
    assertEquals(7, catalog.view().epoch());
  }

  @Test
  void whatHousekeepingSaysIsKept() throws IOException {
    Id domain = Commands.DOMAIN.id();
    done(new CatalogCommand.ContainersGone(commands.stamp(), domain, new long[] {9, 3, 1L << 50}));
    refused(
        Reason.NOT_FOUND,
        new CatalogCommand.ContainersGone(commands.stamp(), new Id(4, 4), new long[] {1}));
    // The catalog's own pages lie in a domain that has no name.
    done(new CatalogCommand.ContainersGone(commands.stamp(), CatalogCommand.NO_ID, new long[] {4}));
    done(new CatalogCommand.ContainersUnlinked(commands.stamp(), domain, new long[] {3, 4}));
    Fingerprint damaged = new Fingerprint(1, 2, 3, 4);
    done(
        new CatalogCommand.QuarantineChunk(
            commands.stamp(), domain, ChunkKind.DATA, damaged, 8192, 12, 7));
    done(
        new CatalogCommand.QuarantineChunk(
            commands.stamp(), domain, ChunkKind.NODE, damaged, 300, 13, 8));
    done(new CatalogCommand.ReleaseChunk(commands.stamp(), domain, ChunkKind.NODE, damaged));
    CatalogRoot root = fold();
    CatalogView view = Catalog.open(nodes, root, 1 << 20).view();
    assertArrayEquals(new long[] {9, 1L << 50}, view.goneContainers(domain));
    assertEquals(
        List.of(new QuarantinedChunk(ChunkKind.DATA, damaged, 8192, 12, 7)),
        view.quarantined(domain));
  }

  @Test
  void listingsGoByPrefixInTheOrderOfBytes() throws IOException {
    List<String> names = List.of("a", "a/1", "a/2", "b", "\uffff", "\ud83d\ude00");
    for (int i = 0; i < names.size(); i++) {
      done(commands.commit(names.get(i), i, 1, CommitMode.IF_ABSENT));
    }
    assertEquals(names, names(catalog.view().items(STORE.id(), "", "", 100)));
    fold();
    assertEquals(names, names(catalog.view().items(STORE.id(), "", "", 100)));
    ItemPage page = catalog.view().items(STORE.id(), "a/", "", 1);
    assertEquals(List.of("a/1"), names(page));
    assertTrue(page.more());
    assertEquals(new ItemPage(List.of(), false), catalog.view().items(STORE.id(), "a/", "a/2", 5));
    assertEquals(List.of("a/1", "a/2"), names(catalog.view().items(STORE.id(), "a/", "a", 5)));
    assertThrows(IllegalArgumentException.class, () -> catalog.view().items(STORE.id(), "", "", 0));
    assertThrows(
        IllegalArgumentException.class, () -> catalog.view().items(STORE.id(), "", "", 10_001));
  }

  /** All pages of a listing, each of at most so many items; what is lost is told once. */
  private static List<String> listed(
      CatalogView view, String prefix, int limit, Set<LostNames> lost) throws IOException {
    ItemQuery query = new ItemQuery(ItemQuery.Order.NAME, prefix, new TreeMap<>());
    List<String> names = new ArrayList<>();
    ItemQuery.Place next = ItemQuery.Place.START;
    while (next != null) {
      ItemListing page = view.items(STORE.id(), query, next, limit);
      page.items().forEach(item -> names.add(item.name()));
      lost.addAll(page.lost());
      next = page.next();
    }
    return names;
  }

  @Test
  void aListingTellsDamagedLeavesAndGoesOnBehindThem() throws IOException {
    for (int i = 0; i < 3000; i++) {
      done(commands.commit(String.format("n%04d", i), i, 1, CommitMode.IF_ABSENT));
    }
    CatalogRoot root = fold();
    List<List<String>> leaves = new ArrayList<>();
    Map<String, Fingerprint> leafOf = new TreeMap<>();
    for (Map.Entry<Fingerprint, byte[]> each : nodes.pages.entrySet()) {
      CatalogPage page = CatalogPage.decode("page", each.getValue(), each.getValue().length);
      if (page.kind() == CatalogKeys.ITEMS && page.level() == 0) {
        List<String> names = new ArrayList<>();
        for (int i = 0; i < page.count(); i++) {
          names.add(new String(page.key(i), UTF_8));
        }
        leaves.add(names);
        leafOf.put(names.getFirst(), each.getKey());
      }
    }
    leaves.sort(Comparator.comparing(List::getFirst));
    int last = leaves.size() - 1;
    assertTrue(last >= 5, leaves.size() + " leaves");
    List<String> all = names(STORE.id());
    for (int[] hole : new int[][] {{0, 0}, {2, 2}, {1, 3}, {last, last}, {0, last}}) {
      Map<Fingerprint, byte[]> taken = new HashMap<>();
      Set<String> missing = new HashSet<>();
      for (int leaf = hole[0]; leaf <= hole[1]; leaf++) {
        Fingerprint page = Objects.requireNonNull(leafOf.get(leaves.get(leaf).getFirst()));
        taken.put(page, Objects.requireNonNull(nodes.pages.remove(page)));
        missing.addAll(leaves.get(leaf));
      }
      String from = hole[0] == 0 ? "" : leaves.get(hole[0]).getFirst();
      String until = hole[1] == last ? null : leaves.get(hole[1] + 1).getFirst();
      CatalogView view = Catalog.open(nodes, root, 1 << 20).view();
      List<String> rest = all.stream().filter(name -> !missing.contains(name)).toList();
      for (int limit : new int[] {7, 1000}) {
        Set<LostNames> lost = new HashSet<>();
        assertEquals(rest, listed(view, "", limit, lost));
        assertEquals(1, lost.size(), lost::toString);
        LostNames told = lost.iterator().next();
        assertEquals(from, told.from());
        assertEquals(until, told.until());
        assertTrue(told.damage().contains("expected a page"), told.damage());
      }
      // Whoever needs every name is not told a part for the whole.
      assertThrows(
          CorruptDataException.class, () -> view.items(STORE.id(), "", "", 10_000).items().size());
      for (String prefix : List.of("n00", "n12", "n2999", "a", "z")) {
        Set<LostNames> lost = new HashSet<>();
        List<String> wanted = all.stream().filter(name -> name.startsWith(prefix)).toList();
        List<String> found = listed(view, prefix, 100, lost);
        assertEquals(rest.stream().filter(name -> name.startsWith(prefix)).toList(), found);
        assertTrue(found.size() == wanted.size() || lost.size() == 1, prefix + ": " + lost);
      }
      nodes.pages.putAll(taken);
    }
    assertEquals(all, listed(catalog.view(), "", 100, new HashSet<>()));
  }

  @Test
  void itemsAreFoundByAgeSizeAndTag() throws IOException {
    for (int i = 0; i < 5; i++) {
      commands.timeMillis += 10;
      done(commands.commit("item" + i, i, 100 - i % 3, CommitMode.IF_ABSENT));
    }
    done(commands.update("item3", false, 0));
    done(commands.update("item1", false, 0));
    fold();
    CatalogView view = catalog.view();
    assertEquals(
        List.of("item4", "item3", "item2", "item1", "item0"),
        names(view.itemsByAge(STORE.id(), Long.MAX_VALUE, "", 9)));
    assertEquals(
        List.of("item2", "item1"),
        names(view.itemsByAge(STORE.id(), commands.timeMillis - 20, "", 2)));
    assertEquals(
        List.of("item0", "item3", "item1", "item4", "item2"),
        names(view.itemsBySize(STORE.id(), Long.MAX_VALUE, "", 9)));
    assertEquals(List.of("item4", "item2"), names(view.itemsBySize(STORE.id(), 99, "item1", 9)));
    assertEquals(
        List.of("item1", "item3"), names(view.itemsByTag(STORE.id(), "job", "nightly", "", 9)));
    assertEquals(List.of(), names(view.itemsByTag(STORE.id(), "job", "night", "", 9)));
    done(commands.delete("item1"));
    done(commands.commit("item3", 9, 1, CommitMode.REPLACE));
    assertEquals(List.of(), names(catalog.view().itemsByTag(STORE.id(), "job", "nightly", "", 9)));
    assertEquals(4, catalog.view().itemsBySize(STORE.id(), Long.MAX_VALUE, "", 9).items().size());
    assertThrows(
        IllegalArgumentException.class, () -> catalog.view().itemsByAge(STORE.id(), 1, "", 0));
  }

  @Test
  void readersSeeStagedCommandsOnlyWhenTheyArePublished() throws IOException {
    CatalogView before = catalog.view();
    catalog.stage(commands.commit("a", 1, 1, CommitMode.IF_ABSENT));
    catalog.stage(commands.commit("b", 1, 1, CommitMode.IF_ABSENT));
    assertEquals(Optional.empty(), catalog.view().item(STORE.id(), "a"));
    assertThrows(IllegalStateException.class, () -> catalog.fold());
    catalog.publish(++position);
    assertTrue(catalog.view().item(STORE.id(), "b").isPresent());
    assertEquals(Optional.empty(), before.item(STORE.id(), "a"));

    catalog.stage(commands.commit("c", 1, 1, CommitMode.IF_ABSENT));
    catalog.discard();
    done(commands.commit("d", 1, 1, CommitMode.IF_ABSENT));
    assertEquals(List.of("a", "b", "d"), names(catalog.view().items(STORE.id(), "", "", 9)));
    assertThrows(IllegalArgumentException.class, () -> catalog.publish(position));
  }

  @Test
  void commandsGoOnWhileAFoldIsWritten() throws IOException {
    done(commands.commit("a", 1, 1, CommitMode.IF_ABSENT));
    CatalogFold fold = catalog.fold();
    done(commands.commit("b", 2, 2, CommitMode.IF_ABSENT));
    done(commands.delete("a"));
    CatalogRoot root = fold.write();
    catalog.stage(commands.commit("c", 3, 3, CommitMode.IF_ABSENT));
    catalog.finish(fold);
    catalog.publish(++position);

    assertEquals(List.of("b", "c"), names(catalog.view().items(STORE.id(), "", "", 9)));
    assertEquals(
        List.of("a"),
        names(Catalog.open(nodes, root, 1 << 20).view().items(STORE.id(), "", "", 9)));
    assertThrows(IllegalArgumentException.class, () -> catalog.finish(fold));
  }

  @Test
  void aFoldThatIsAbandonedIsMadeUpForByTheNext() throws IOException {
    done(commands.commit("a", 1, 1, CommitMode.IF_ABSENT));
    CatalogFold lost = catalog.fold();
    done(commands.commit("b", 2, 2, CommitMode.IF_ABSENT));
    lost.write();
    catalog.abandon(lost);
    assertThrows(IllegalArgumentException.class, () -> catalog.finish(lost));
    assertEquals(List.of("a", "b"), names(catalog.view().items(STORE.id(), "", "", 9)));
    CatalogRoot root = fold();
    assertEquals(
        List.of("a", "b"), names(Catalog.open(nodes, root, 1).view().items(STORE.id(), "", "", 9)));
  }

  @Test
  void aFoldIsWantedWhenThereIsEnoughToFoldAndNoneIsUnderWay() throws IOException {
    byte[] record = new byte[60_000];
    int count = 0;
    while (!catalog.foldWanted()) {
      done(new CatalogCommand.PutRecord(commands.stamp(), "k", "key" + count++, record));
    }
    assertEquals(Catalog.FOLD_BYTES / 60_000.0, count, 2);
    CatalogFold fold = catalog.fold();
    assertEquals(false, catalog.foldWanted());
    while (!catalog.isFull()) {
      done(new CatalogCommand.PutRecord(commands.stamp(), "k", "key" + count++, record));
    }
    assertEquals(false, catalog.foldWanted());
    catalog.abandon(fold);
    assertTrue(catalog.foldWanted());
    fold();
    assertEquals(0, catalog.unfoldedBytes());
    assertEquals(count, catalog.view().records("k").size());
  }

  @Test
  void openingReadsTheWayToTheStateAndNothingElse() throws IOException {
    fill(20_000);
    CatalogRoot root = fold();
    nodes.reads.set(0);
    CatalogView view = Catalog.open(nodes, root, 1 << 20).view();
    assertTrue(nodes.reads.get() <= 1 + root.level(), nodes.reads + " pages");
    assertTrue(view.item(STORE.id(), "item-012345").isPresent());
    assertTrue(nodes.reads.get() <= 6, nodes.reads + " pages");
  }

  @Test
  void anotherRootThanThePagesSayIsRefused() throws IOException {
    CatalogRoot root = fold();
    CatalogRoot other =
        new CatalogRoot(
            root.page(), root.level(), root.position(), root.epoch(), root.version() + 1);
    assertThrows(CorruptDataException.class, () -> Catalog.open(nodes, other, 1));
    CatalogRoot none = new CatalogRoot(new Fingerprint(1, 1, 1, 1), 0, 1, 1, 1);
    assertThrows(CorruptDataException.class, () -> Catalog.open(nodes, none, 1));
    assertThrows(
        CorruptDataException.class, () -> CatalogRoot.of(new byte[CatalogRoot.BYTES - 1], 0));
  }

  @Test
  void aFoldWritesOnlyThePagesOnTheWayToItsChanges() throws IOException {
    fill(20_000);
    fold();
    nodes.writes.set(0);
    done(commands.commit("item-007777", 9, 9, CommitMode.REPLACE));
    fold();
    assertTrue(nodes.writes.get() <= 12, nodes.writes + " pages");
  }

  @Test
  void deletingAllItemsGivesTheirPagesBack() throws IOException {
    fill(5_000);
    fold();
    for (int i = 0; i < 5_000; i++) {
      done(commands.delete(String.format("item-%06d", i)));
    }
    fold();
    Set<Fingerprint> pages = new HashSet<>();
    catalog.view().visitPages(pages::add);
    // What is left is the roots and the remembered commands.
    assertTrue(pages.size() < 400, pages.size() + " pages");
    assertEquals(new ItemPage(List.of(), false), catalog.view().items(STORE.id(), "", "", 9));
  }

  @Test
  void aHundredThousandItemsFitAFewSeconds() throws IOException {
    long start = System.nanoTime();
    for (int batch = 0; batch < 10; batch++) {
      for (int i = 0; i < 10_000; i++) {
        String name = String.format("srv-%05d/2026-01-%02d", (i * 7919) % 10_000, batch);
        catalog.stage(commands.commit(name, i, 1, CommitMode.IF_ABSENT));
        catalog.publish(++position);
      }
      fold();
    }
    long applied = System.nanoTime();
    List<String> names = new ArrayList<>();
    String after = "";
    boolean more = true;
    while (more) {
      ItemPage page = catalog.view().items(STORE.id(), "", after, 1000);
      names.addAll(names(page));
      after = page.items().getLast().name();
      more = page.more();
    }
    assertEquals(100_000, names.size());
    assertEquals(names.stream().sorted().toList(), names);
    // What no item has is not looked for in all of them at once.
    ItemQuery rare = new ItemQuery(ItemQuery.Order.SIZE, "", new TreeMap<>(Map.of("no", "such")));
    ItemListing first = catalog.view().items(STORE.id(), rare, ItemQuery.Place.START, 10);
    assertEquals(List.of(), first.items());
    ItemQuery.Place next = Objects.requireNonNull(first.next());
    ItemListing second = catalog.view().items(STORE.id(), rare, next, 10);
    assertEquals(new ItemListing(List.of(), null, List.of()), second);
    System.out.printf(
        "100,000 commits in ten folds: %,d ms, %,d pages written; listing them: %,d ms%n",
        (applied - start) / 1_000_000,
        nodes.writes.get(),
        (System.nanoTime() - applied) / 1_000_000);
  }

  @Test
  void moreDomainsAndStoresThanThereMayBeAreRefused() throws IOException {
    for (int i = catalog.view().domains().size(); i < Catalog.MAX_DOMAINS; i++) {
      done(
          new CatalogCommand.CreateDomain(
              commands.stamp(), new DomainRecord(new Id(77, i + 1), "domain-" + i, 1)));
    }
    String domains =
        refused(
            Reason.INVALID_REQUEST,
            new CatalogCommand.CreateDomain(
                commands.stamp(), new DomainRecord(new Id(77, 5000), "one-more", 1)));
    assertTrue(domains.contains("1000 domains, which is the most"), domains);
    for (int i = catalog.view().stores().size(); i < Catalog.MAX_STORES; i++) {
      done(new CatalogCommand.CreateStore(commands.stamp(), storeNumber(i)));
    }
    String stores =
        refused(
            Reason.INVALID_REQUEST,
            new CatalogCommand.CreateStore(commands.stamp(), storeNumber(50_000)));
    assertTrue(stores.contains("10000 stores, which is the most"), stores);
  }

  private static StoreRecord storeNumber(int number) {
    return new StoreRecord(
        new Id(78, number + 1), "store-" + number, STORE.domainId(), 0, Compression.LZ4, 0, 0);
  }

  @Test
  void commandsThatNoDoorMayLetThroughCannotBeMade() {
    assertThrows(IllegalArgumentException.class, () -> commands.delete(""));
    assertThrows(IllegalArgumentException.class, () -> commands.delete("x".repeat(1025)));
    assertThrows(IllegalArgumentException.class, () -> commands.delete("\ud800"));
    assertThrows(
        IllegalArgumentException.class,
        () -> new CatalogCommand.PutRecord(commands.stamp(), "k", "x", new byte[(64 << 10) + 1]));
    TreeMap<String, String> tags = new TreeMap<>();
    tags.put("t", "x".repeat(4096));
    assertThrows(IllegalArgumentException.class, () -> CatalogCommand.checkedTags(tags));
    tags.clear();
    for (int i = 0; i < 65; i++) {
      tags.put("t" + i, "");
    }
    assertThrows(IllegalArgumentException.class, () -> CatalogCommand.checkedTags(tags));
  }

  private void fill(int count) throws IOException {
    for (int i = 0; i < count; i++) {
      done(commands.commit(String.format("item-%06d", i), i, 1, CommitMode.IF_ABSENT));
    }
  }

  private CatalogCommand clone(String name, Id targetStore, String target, CommitMode mode) {
    return new CatalogCommand.CloneItem(
        commands.stamp(), STORE.id(), name, targetStore, target, new Id(6, 1), mode);
  }

  private static List<String> names(ItemPage page) {
    return page.items().stream().map(ItemRecord::name).toList();
  }

  private CatalogReply.Result done(CatalogCommand command) throws IOException {
    return catalog.apply(command, ++position).orThrow();
  }

  private static ItemRecord item(CatalogReply.Result result) {
    return assertInstanceOf(CatalogReply.ItemResult.class, result).item();
  }

  private String refused(Reason reason, CatalogCommand command) throws IOException {
    CatalogView before = catalog.view();
    CatalogReply validated = catalog.validate(command);
    CatalogReply reply = catalog.apply(command, ++position);
    assertEquals(validated, reply);
    RefusedException refusal = assertThrows(RefusedException.class, reply::orThrow);
    assertEquals(reason, refusal.reason());
    assertEquals(before.stores(), catalog.view().stores());
    return String.valueOf(refusal.getMessage());
  }

  private CatalogRoot fold() throws IOException {
    CatalogFold fold = catalog.fold();
    CatalogRoot root = fold.write();
    catalog.finish(fold);
    return root;
  }
}
