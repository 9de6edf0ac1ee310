package onefold.store.catalog;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import onefold.chunker.Fingerprint;
import onefold.chunker.ObjectRoot;
import onefold.store.Id;
import onefold.store.RefusedException.Reason;
import onefold.store.ShareChange;
import onefold.store.ShareEntry;
import onefold.store.ShareObject;
import onefold.store.ShareRecord;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

/** Shares in the catalog against plain sorted maps, with folds, copies and replayed commands. */
class CatalogSharesPropertyTest {
  private static final class Model {
    final Map<Id, TreeMap<byte[], ShareEntry>> shares = new TreeMap<>();
    final Map<Id, Long> changes = new TreeMap<>();
    final Set<Id> snapshots = new HashSet<>();

    SortedMap<byte[], ShareEntry> entries(Id id) {
      return shares.computeIfAbsent(id, none -> new TreeMap<>(Arrays::compareUnsigned));
    }
  }

  private final Commands commands = new Commands();
  private final MapNodeStore nodes = new MapNodeStore();
  private Catalog catalog = Catalog.create(nodes, 1 << 20);
  private final Model model = new Model();
  private final List<CatalogCommand> sinceFold = new ArrayList<>();
  private CatalogRoot folded = new CatalogRoot(new Fingerprint(0, 0, 0, 0), 0, -1, 0, 0);
  private long position;

  private CatalogReply apply(CatalogCommand command) throws IOException {
    sinceFold.add(command);
    return catalog.apply(command, position++);
  }

  private void fold() throws IOException {
    CatalogFold fold = catalog.fold();
    folded = fold.write();
    catalog.finish(fold);
    sinceFold.clear();
  }

  private static byte[] key(SplittableRandom random) {
    byte[] key = new byte[1 + random.nextInt(random.nextInt(20) == 0 ? 1024 : 3)];
    for (int i = 0; i < key.length; i++) {
      key[i] = (byte) (random.nextInt(6) * 51);
    }
    return key;
  }

  private static byte[] value(SplittableRandom random) {
    int[] bounds = {1, 40, 4097, 5121, 65537};
    byte[] value = new byte[random.nextInt(bounds[random.nextInt(20) / 4 % 5])];
    random.nextBytes(value);
    return value;
  }

  private static ShareObject object(SplittableRandom random) {
    long number = random.nextInt(50);
    return new ShareObject(
        new Id(9, number),
        Commands.root(number * 100 + random.nextInt(100), random.nextInt(4) * 1000L),
        random.nextInt(10),
        random.nextInt(1000),
        new byte[random.nextInt(3)]);
  }

  private List<ShareChange> changes(SplittableRandom random) {
    List<ShareChange> changes = new ArrayList<>();
    for (int i = 1 + random.nextInt(6); i > 0; i--) {
      byte[] key = key(random);
      changes.add(
          switch (random.nextInt(5)) {
            case 0 -> new ShareChange.SetValue(key, value(random));
            case 1 -> new ShareChange.SetObject(key, object(random));
            case 2 -> new ShareChange.Remove(key);
            default ->
                new ShareChange.SetEntry(
                    new ShareEntry(
                        key,
                        random.nextBoolean() ? Optional.of(object(random)) : Optional.empty(),
                        value(random)));
          });
    }
    return changes;
  }

  private Id oneOf(SplittableRandom random) {
    List<Id> ids = new ArrayList<>(model.shares.keySet());
    return ids.get(random.nextInt(ids.size()));
  }

  @RepeatedTest(6)
  void sharesAreWhatTheCommandsSay() {
    long seed = Long.getLong("onefold.seed", System.nanoTime());
    try {
      sharesAreWhatTheCommandsSay(new SplittableRandom(seed));
    } catch (IOException | AssertionError e) {
      throw new AssertionError("onefold.seed=" + seed, e);
    }
  }

  private void sharesAreWhatTheCommandsSay(SplittableRandom random) throws IOException {
    apply(commands.createDomain());
    for (int i = 1; i <= 2; i++) {
      create(new Id(6, i), "share" + i);
    }
    for (int step = 0; step < 400; step++) {
      Id id = oneOf(random);
      switch (random.nextInt(14)) {
        case 0 -> fold();
        case 1 -> copy(id, new Id(8, step), "copy" + step, random.nextBoolean());
        case 2 -> delete(id);
        case 3 -> {
          create(new Id(7, step), "new" + step);
          apply(
              new CatalogCommand.UpdateShare(
                  commands.stamp(), new Id(7, step), new byte[random.nextInt(32 << 10)]));
        }
        default -> change(id, changes(random));
      }
      if (step % 40 == 0) {
        check(catalog.view());
      }
    }
    check(catalog.view());
    // What a crash leaves: the folded pages and the commands since, some of which come twice.
    catalog = Catalog.open(nodes, folded, 1 << 20);
    position = folded.position() + 1;
    for (CatalogCommand command : sinceFold) {
      catalog.apply(command, position++);
      if (command instanceof CatalogCommand.ChangeShare) {
        assertEquals(
            Reason.CONFLICT,
            assertInstanceOf(CatalogReply.Refused.class, catalog.apply(command, position++))
                .reason());
      }
    }
    check(catalog.view());
  }

  private void create(Id id, String name) throws IOException {
    assertInstanceOf(
        CatalogReply.Done.class,
        apply(
            new CatalogCommand.CreateShare(
                commands.stamp(), id, name, Commands.DOMAIN.id(), new byte[] {7})));
    assertTrue(model.entries(id).isEmpty());
    model.changes.put(id, 0L);
  }

  private void change(Id id, List<ShareChange> changes) throws IOException {
    long sequence = model.changes.getOrDefault(id, 0L) + 1;
    // Without an id, as the engine does, so that nothing but the number tells a repeated one.
    CatalogReply reply =
        apply(
            new CatalogCommand.ChangeShare(
                new CatalogCommand.Stamp(CatalogCommand.NO_ID, commands.timeMillis, 1),
                id,
                model.snapshots.contains(id) ? 1 : sequence,
                changes));
    if (model.snapshots.contains(id)) {
      assertEquals(Reason.READ_ONLY, assertInstanceOf(CatalogReply.Refused.class, reply).reason());
      sinceFold.removeLast();
      return;
    }
    assertInstanceOf(CatalogReply.Done.class, reply);
    model.changes.put(id, sequence);
    SortedMap<byte[], ShareEntry> entries = model.entries(id);
    for (ShareChange change : changes) {
      Optional<ShareEntry> after = change.applied(Optional.ofNullable(entries.get(change.key())));
      if (after.isPresent()) {
        entries.put(change.key(), after.get());
      } else {
        entries.remove(change.key());
      }
    }
  }

  private void copy(Id source, Id copy, String name, boolean snapshot) throws IOException {
    if (!catalog.view().shares().isFolded(source)) {
      fold();
    }
    CatalogReply reply =
        apply(
            new CatalogCommand.CopyShare(
                commands.stamp(),
                source,
                copy,
                name,
                snapshot,
                catalog.view().shares().trees(source)));
    if (snapshot && model.snapshots.contains(source)) {
      assertInstanceOf(CatalogReply.Refused.class, reply);
      return;
    }
    ShareRecord made =
        assertInstanceOf(
                CatalogReply.ShareResult.class,
                assertInstanceOf(CatalogReply.Done.class, reply).result())
            .share();
    assertEquals(snapshot, made.snapshot());
    assertEquals(
        Optional.of(made.id()), catalog.view().shares().find(made.name()).map(ShareRecord::id));
    model.entries(copy).putAll(model.entries(source));
    model.changes.put(copy, 0L);
    if (snapshot) {
      model.snapshots.add(copy);
    }
  }

  private void delete(Id id) throws IOException {
    boolean hasSnapshots = !catalog.view().shares().snapshots(id).isEmpty();
    boolean empty = model.entries(id).isEmpty();
    CatalogReply kept = apply(new CatalogCommand.DeleteShare(commands.stamp(), id, false));
    if (!empty || hasSnapshots) {
      assertEquals(Reason.NOT_EMPTY, assertInstanceOf(CatalogReply.Refused.class, kept).reason());
      if (model.shares.size() < 3) {
        return;
      }
      CatalogReply gone = apply(new CatalogCommand.DeleteShare(commands.stamp(), id, true));
      if (hasSnapshots) {
        assertInstanceOf(CatalogReply.Refused.class, gone);
        return;
      }
    }
    model.shares.remove(id);
    model.changes.remove(id);
    model.snapshots.remove(id);
    if (model.shares.isEmpty()) {
      create(new Id(6, 1000 + position), "again" + position);
    }
  }

  private void check(CatalogView view) throws IOException {
    ShareView shares = view.shares();
    assertEquals(model.shares.size() - model.snapshots.size(), shares.all().size());
    List<ObjectRoot> expectedRoots = new ArrayList<>();
    for (Map.Entry<Id, TreeMap<byte[], ShareEntry>> share : model.shares.entrySet()) {
      Id id = share.getKey();
      List<ShareEntry> expected = new ArrayList<>(share.getValue().values());
      List<ShareEntry> found = new ArrayList<>();
      byte[] after = new byte[0];
      List<ShareEntry> page = shares.entries(id, new byte[0], after, 7);
      while (!page.isEmpty()) {
        found.addAll(page);
        after = page.getLast().key();
        page = shares.entries(id, new byte[0], after, 7);
      }
      assertEquals(expected.size(), found.size());
      for (int i = 0; i < found.size(); i++) {
        assertSame(expected.get(i), found.get(i));
        assertSame(expected.get(i), shares.entry(id, expected.get(i).key()).orElseThrow());
        Optional<ShareObject> object = expected.get(i).object();
        if (object.isPresent() && object.get().root().lengthBytes() > 0) {
          expectedRoots.add(object.get().root());
        }
      }
      assertEquals(expected.size(), shares.entryCount(id));
      assertEquals(
          expected.stream().filter(entry -> entry.object().isPresent()).count(),
          shares.objectCount(id));
      assertEquals(
          expected.stream()
              .flatMap(entry -> entry.object().stream())
              .mapToLong(object -> object.root().lengthBytes())
              .sum(),
          shares.objectBytes(id));
    }
    assertEquals(Set.copyOf(expectedRoots), visited(view));
    Set<Fingerprint> named = new HashSet<>();
    expectedRoots.forEach(root -> named.add(root.node()));
    Set<Fingerprint> reachable = reachable(view);
    assertTrue(reachable.containsAll(named), "a root that a mark would miss");
  }

  private static void assertSame(ShareEntry expected, ShareEntry found) {
    assertArrayEquals(expected.key(), found.key());
    assertArrayEquals(expected.value(), found.value());
    assertEquals(expected.object().isPresent(), found.object().isPresent());
    if (expected.object().isPresent()) {
      ShareObject one = expected.object().get();
      ShareObject other = found.object().orElseThrow();
      assertEquals(one.id(), other.id());
      assertEquals(one.root(), other.root());
      assertEquals(one.folded(), other.folded());
      assertEquals(one.dataBytes(), other.dataBytes());
      assertArrayEquals(one.note(), other.note());
    }
  }

  private static Set<ObjectRoot> visited(CatalogView view) throws IOException {
    Set<ObjectRoot> roots = new HashSet<>();
    view.visitObjects(Commands.DOMAIN.id(), (share, name, root) -> roots.add(root));
    view.visitObjects(new Id(4, 4), (share, name, root) -> fail("another domain"));
    return roots;
  }

  /** What the pages themselves name, and what lies above them; all pages must be visited. */
  private Set<Fingerprint> reachable(CatalogView view) throws IOException {
    Set<Fingerprint> pages = new HashSet<>();
    view.visitPages(pages::add);
    Set<Fingerprint> objects = new HashSet<>();
    for (Fingerprint page : pages) {
      byte[] bytes = nodes.get(page);
      CatalogPageFormat.visitReferences(
          bytes,
          bytes.length,
          new CatalogPageFormat.ReferenceVisitor() {
            @Override
            public void page(byte[] in, int offset) {
              assertTrue(pages.contains(Fingerprint.of(in, offset)), "a page nobody visits");
            }

            @Override
            public void object(Id domainId, byte[] in, int offset, int level, long length) {
              assertEquals(Commands.DOMAIN.id(), domainId);
              objects.add(Fingerprint.of(in, offset));
            }
          });
    }
    view.visitUnfoldedObjects(
        Commands.DOMAIN.id(), (share, name, root) -> objects.add(root.node()));
    return objects;
  }

  @Test
  void aChangeThatDoesNotFollowTheLastIsNotDone() throws IOException {
    apply(commands.createDomain());
    Id id = new Id(6, 1);
    create(id, "backup");
    List<ShareChange> set = List.of(new ShareChange.SetValue(new byte[] {1}, new byte[] {2}));
    CatalogCommand second = new CatalogCommand.ChangeShare(commands.stamp(), id, 2, set);
    assertEquals(
        Reason.CONFLICT, assertInstanceOf(CatalogReply.Refused.class, apply(second)).reason());
    assertEquals(0, catalog.view().shares().entryCount(id));
    change(id, set);
    assertEquals(1, catalog.view().shares().changes(id));
  }

  @Test
  void namesAreTakenOnceAndSnapshotsKeepTheirShare() throws IOException {
    apply(commands.createDomain());
    Id id = new Id(6, 1);
    create(id, "backup");
    assertEquals(
        Reason.EXISTS,
        assertInstanceOf(
                CatalogReply.Refused.class,
                apply(
                    new CatalogCommand.CreateShare(
                        commands.stamp(),
                        new Id(6, 2),
                        "backup",
                        Commands.DOMAIN.id(),
                        new byte[0])))
            .reason());
    assertEquals(
        Reason.NOT_FOUND,
        assertInstanceOf(
                CatalogReply.Refused.class,
                apply(
                    new CatalogCommand.CreateShare(
                        commands.stamp(), new Id(6, 2), "other", new Id(4, 4), new byte[0])))
            .reason());
    copy(id, new Id(8, 1), "one", true);
    assertEquals(
        List.of("backup@one"),
        catalog.view().shares().snapshots(id).stream().map(ShareRecord::name).toList());
    assertEquals(
        Reason.NOT_EMPTY,
        assertInstanceOf(
                CatalogReply.Refused.class,
                apply(new CatalogCommand.DeleteShare(commands.stamp(), id, true)))
            .reason());
    assertInstanceOf(
        CatalogReply.Done.class,
        apply(new CatalogCommand.DeleteShare(commands.stamp(), new Id(8, 1), false)));
    assertInstanceOf(
        CatalogReply.Done.class,
        apply(new CatalogCommand.DeleteShare(commands.stamp(), id, false)));
    assertFalse(catalog.view().shares().isAny());
  }
}
