package onefold.store.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import onefold.chunker.ObjectRoot;
import onefold.chunker.ParameterSet;
import onefold.store.DomainStatistics;
import onefold.store.Id;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;
import onefold.store.ShareChange;
import onefold.store.ShareEntry;
import onefold.store.ShareObject;
import onefold.store.ShareRecord;
import onefold.store.ShareTree;
import onefold.store.StoreRecord;
import onefold.store.scheduler.Promise;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.TaskHandle;
import onefold.store.simulation.CrashModel;
import onefold.store.simulation.DeviceCall;
import onefold.store.simulation.Faults;
import onefold.store.simulation.SimulatedDevice;
import onefold.store.simulation.Simulation;
import org.junit.jupiter.api.Test;

/** What the tree of a share promises, on the simulated disk. */
class ShareTreeTest {
  @FunctionalInterface
  private interface Body {
    void run(Engine engine, Scheduler scheduler, SimulatedDevice device) throws Exception;
  }

  private static void onEngine(Simulation simulation, Body body) throws Exception {
    simulation.run(() -> {
      try (Engine engine =
          Engine.open(simulation.device(), simulation.scheduler(), Walk.small(0))) {
        body.run(engine, simulation.scheduler(), simulation.device());
      }
      return true;
    });
  }

  private static void onEngine(Body body) throws Exception {
    onEngine(new Simulation(Simulation.seed()), body);
  }

  private static Id command(String what) {
    return Walk.commandId("share " + what);
  }

  private static ShareRecord share(Engine engine, String name) throws IOException {
    return engine.createShare(
        command(name), name, Walk.defaultStore(engine).domainId(), new byte[] {1, 2, 3});
  }

  private static byte[] key(String key) {
    return key.getBytes(StandardCharsets.UTF_8);
  }

  private static ShareChange set(String key, String value) {
    return new ShareChange.SetValue(key(key), key(value));
  }

  private static ShareChange set(String key, long object, ObjectRoot root) {
    return new ShareChange.SetEntry(
        new ShareEntry(
            key(key),
            Optional.of(new ShareObject(new Id(1, object), root, 1, 0, new byte[0])),
            key("file")));
  }

  private static void await(Scheduler scheduler, CompletionStage<Void> stage) throws IOException {
    Promise<Boolean> promise = scheduler.promise();
    stage.whenComplete((nothing, failure) -> {
      if (failure == null) {
        promise.complete(true);
      } else {
        promise.fail(failure);
      }
    });
    promise.await();
  }

  private static Optional<String> value(ShareTree tree, String key) throws IOException {
    return tree.find(key(key)).map(entry -> new String(entry.value(), StandardCharsets.UTF_8));
  }

  /** Everything in a tree, by pages of a size. */
  private static SortedMap<String, String> all(ShareTree tree, String prefix, int limit)
      throws IOException {
    TreeMap<String, String> found = new TreeMap<>();
    byte[] after = new byte[0];
    while (true) {
      List<ShareEntry> page = tree.scan(key(prefix), after, limit);
      for (ShareEntry entry : page) {
        assertTrue(Arrays.compareUnsigned(after, entry.key()) < 0, "out of order");
        after = entry.key();
        found.put(
            new String(entry.key(), StandardCharsets.UTF_8),
            new String(entry.value(), StandardCharsets.UTF_8));
      }
      if (page.size() < limit) {
        return found;
      }
    }
  }

  @Test
  void aChangeIsSeenAtOnceAndDurableWhenItsStageIsDone() throws Exception {
    var first = new Simulation(Simulation.seed());
    first.run(() -> {
      // Not closed: the power goes.
      Engine engine = Engine.open(first.device(), first.scheduler(), Walk.small(0));
      ShareTree tree = engine.shareTree(share(engine, "backup").id());
      CompletionStage<Void> stage =
          tree.change(List.of(set("a", "1"), set("b", "2"), set("a", "3")));
      assertEquals(Optional.of("3"), value(tree, "a"));
      assertEquals(Map.of("a", "3", "b", "2"), all(tree, "", 1000));
      await(first.scheduler(), stage);
      assertEquals(Optional.of("3"), value(tree, "a"));
      return true;
    });
    onEngine(
        first.afterPowerLoss(1),
        (engine, scheduler, device) -> {
          ShareRecord share = engine.findShare("backup").orElseThrow();
          assertArrayEquals(new byte[] {1, 2, 3}, share.settings());
          assertEquals(Map.of("a", "3", "b", "2"), all(engine.shareTree(share.id()), "", 1000));
        });
  }

  @Test
  void whatWasChangedBeforeIsDurableTooWhenAStageIsDone() throws Exception {
    onEngine((engine, scheduler, device) -> {
      ShareTree tree = engine.shareTree(share(engine, "backup").id());
      List<Integer> done = new ArrayList<>();
      CompletionStage<Void> last = tree.change(List.of(set("n", "0")));
      for (int i = 1; i < 300; i++) {
        int number = i;
        last = tree.change(List.of(set("n", "" + i)));
        last.whenComplete((nothing, failure) -> done.add(number));
      }
      assertEquals(Optional.of("299"), value(tree, "n"));
      await(scheduler, last);
      for (int i = 1; i < 300; i++) {
        assertEquals(i, done.get(i - 1));
      }
    });
  }

  @Test
  void aScanShowsWhatIsOnItsWayAndWhatIsInPagesAsOne() throws Exception {
    long seed = Simulation.seed();
    onEngine(
        new Simulation(seed),
        (engine, scheduler, device) -> {
          var random = new SplittableRandom(seed);
          ShareTree tree = engine.shareTree(share(engine, "backup").id());
          TreeMap<String, String> model = new TreeMap<>();
          CompletionStage<Void> last = tree.change(List.of(set("x", "y")));
          model.put("x", "y");
          for (int i = 0; i < 120; i++) {
            List<ShareChange> changes = new ArrayList<>();
            for (int n = 0; n < 100; n++) {
              String key = "dir" + random.nextInt(3) + "/" + random.nextInt(9_000);
              if (random.nextInt(4) == 0) {
                changes.add(new ShareChange.Remove(key(key)));
                model.remove(key);
              } else {
                String value = "v".repeat(random.nextInt(30)) + i;
                changes.add(set(key, value));
                model.put(key, value);
              }
            }
            last = tree.change(changes);
            if (i % 20 == 7) {
              assertEquals(model, all(tree, "", 1 + random.nextInt(1000)));
              assertEquals(
                  model.subMap("dir1/", "dir10"), all(tree, "dir1/", 1 + random.nextInt(200)));
            }
            if (i % 40 == 30) {
              await(scheduler, last);
            }
          }
          assertTrue(model.size() > 3_000, model.size() + " entries");
          assertEquals(model, all(tree, "", 1000));
          await(scheduler, last);
          assertEquals(model, all(tree, "", 999));
        });
  }

  @Test
  void longValuesComeBackAndShortOnesTakeTheirPlace() throws Exception {
    onEngine((engine, scheduler, device) -> {
      ShareRecord share = share(engine, "backup");
      ShareTree tree = engine.shareTree(share.id());
      byte[] longest = Walk.content(1, ShareTree.MAX_VALUE_BYTES);
      await(scheduler, tree.change(List.of(new ShareChange.SetValue(key("acl"), longest))));
      engine.copyShare(command("fold"), share.id(), "folded", true);
      assertArrayEquals(longest, tree.find(key("acl")).orElseThrow().value());
      await(scheduler, tree.change(List.of(set("acl", "short"))));
      assertEquals(Map.of("acl", "short"), all(tree, "", 10));
      ShareRecord snapshot = engine.findShare("backup@folded").orElseThrow();
      assertArrayEquals(
          longest, engine.shareTree(snapshot.id()).find(key("acl")).orElseThrow().value());
      assertThrows(
          IllegalArgumentException.class,
          () ->
              tree.change(
                  List.of(
                      new ShareChange.SetValue(
                          key("acl"), new byte[ShareTree.MAX_VALUE_BYTES + 1]))));
    });
  }

  @Test
  void aNewerStateOfAnObjectIsTakenAndNoOther() throws Exception {
    onEngine((engine, scheduler, device) -> {
      ShareTree tree = engine.shareTree(share(engine, "backup").id());
      ObjectRoot old = Walk.put(engine, "old", Walk.content(1, 5_000)).root();
      ObjectRoot newer = Walk.put(engine, "newer", Walk.content(2, 6_000)).root();
      var _ = tree.change(List.of(set("f", 7, old)));
      var _ = tree.change(List.of(object("f", 8, newer, 9)));
      assertEquals(old, root(tree, "f"));
      var _ = tree.change(List.of(object("f", 7, newer, 1)));
      assertEquals(old, root(tree, "f"));
      var _ = tree.change(List.of(set("f", "renamed"), object("f", 7, newer, 2)));
      assertEquals(newer, root(tree, "f"));
      assertEquals(Optional.of("renamed"), value(tree, "f"));
      await(scheduler, tree.change(List.of(object("gone", 7, newer, 3))));
      assertEquals(Optional.empty(), tree.find(key("gone")));
      assertEquals(newer, root(tree, "f"));
    });
  }

  private static ShareChange object(String key, long id, ObjectRoot root, long folded) {
    return new ShareChange.SetObject(
        key(key), new ShareObject(new Id(1, id), root, folded, 0, new byte[0]));
  }

  private static ObjectRoot root(ShareTree tree, String key) throws IOException {
    return tree.find(key(key)).orElseThrow().object().orElseThrow().root();
  }

  @Test
  void anObjectThatIsNotStoredIsRefusedAndOneOfNoBytesIsNot() throws Exception {
    onEngine((engine, scheduler, device) -> {
      ShareRecord share = share(engine, "backup");
      ShareTree tree = engine.shareTree(share.id());
      ObjectRoot nowhere = new ObjectRoot(new onefold.chunker.Fingerprint(1, 2, 3, 4), 0, 100);
      assertEquals(
          Reason.NOT_FOUND,
          assertThrows(RefusedException.class, () -> tree.change(List.of(set("f", 1, nowhere))))
              .reason());
      assertEquals(Optional.empty(), tree.find(key("f")));
      ShareObject empty = ShareObject.empty(new Id(1, 1), ParameterSet.SET_1);
      await(
          scheduler,
          tree.change(
              List.of(
                  new ShareChange.SetEntry(
                      new ShareEntry(key("f"), Optional.of(empty), new byte[0])))));
      engine.copyShare(command("s"), share.id(), "s", true);
      assertEquals("", engine.runHousekeeping(share.domainId()).problem());
    });
  }

  @Test
  void aSnapshotStaysAsItWasAndACopyGoesItsOwnWay() throws Exception {
    var first = new Simulation(Simulation.seed());
    onEngine(
        first,
        (engine, scheduler, device) -> {
          ShareRecord share = share(engine, "backup");
          ShareTree tree = engine.shareTree(share.id());
          var _ = tree.change(List.of(set("a", "1"), set("b", "2")));
          // Nobody has waited for the change.
          ShareRecord snapshot = engine.copyShare(command("s"), share.id(), "monday", true);
          ShareRecord copy = engine.copyShare(command("c"), share.id(), "copy", false);
          assertEquals("backup@monday", snapshot.name());
          ShareTree copied = engine.shareTree(copy.id());
          var _ = tree.change(List.of(set("a", "old"), new ShareChange.Remove(key("b"))));
          await(scheduler, copied.change(List.of(set("a", "new"), set("c", "3"))));
          ShareTree kept = engine.shareTree(snapshot.id());
          assertEquals(
              Reason.READ_ONLY,
              assertThrows(RefusedException.class, () -> kept.change(List.of(set("a", "9"))))
                  .reason());
          assertEquals(List.of("backup@monday"), names(engine.shareSnapshots(share.id())));
          assertEquals(List.of("backup", "copy"), names(engine.shares()));
        });
    onEngine(
        first.afterProcessEnd(1),
        (engine, scheduler, device) -> {
          assertEquals(Map.of("a", "1", "b", "2"), all(engine, "backup@monday"));
          assertEquals(Map.of("a", "old"), all(engine, "backup"));
          assertEquals(Map.of("a", "new", "b", "2", "c", "3"), all(engine, "copy"));
          ShareRecord snapshot = engine.findShare("backup@monday").orElseThrow();
          ShareRecord back = engine.copyShare(command("b"), snapshot.id(), "back", false);
          assertEquals(Map.of("a", "1", "b", "2"), all(engine, back.name()));
        });
  }

  private static List<String> names(List<ShareRecord> shares) {
    return shares.stream().map(ShareRecord::name).toList();
  }

  private static SortedMap<String, String> all(Engine engine, String share) throws IOException {
    return all(engine.shareTree(engine.findShare(share).orElseThrow().id()), "", 100);
  }

  @Test
  void aSnapshotOfTenThousandEntriesWritesNoMoreThanOneOfTen() throws Exception {
    AtomicLong written = new AtomicLong();
    onEngine((engine, scheduler, device) -> {
      device.setFaults(call -> {
        if (call.kind() == DeviceCall.Kind.WRITE) {
          written.addAndGet(call.lengthBytes());
        }
        return Faults.Outcome.NONE;
      });
      ShareRecord share = share(engine, "backup");
      ShareTree tree = engine.shareTree(share.id());
      for (int i = 0; i < 100; i++) {
        List<ShareChange> changes = new ArrayList<>();
        for (int n = 0; n < 100; n++) {
          changes.add(set("file" + (i * 100 + n), "some attributes"));
        }
        var _ = tree.change(changes);
      }
      engine.copyShare(command("s1"), share.id(), "first", true);
      long before = written.get();
      engine.copyShare(command("s2"), share.id(), "second", true);
      long unchanged = written.get() - before;
      assertTrue(unchanged < 4_096, unchanged + " bytes for a snapshot of what has not changed");
      var _ = tree.change(List.of(set("file5000", "others")));
      before = written.get();
      engine.copyShare(command("s3"), share.id(), "third", true);
      long changed = written.get() - before;
      assertTrue(changed < 150_000, changed + " bytes for a snapshot after one change");
      assertEquals(10_000, all(engine, "backup@third").size());
    });
  }

  @Test
  void whatSharesNoLongerHoldIsGivenBackAndWhatASnapshotHoldsStays() throws Exception {
    onEngine((engine, scheduler, device) -> {
      StoreRecord store = Walk.defaultStore(engine);
      ShareRecord share = share(engine, "backup");
      ShareTree tree = engine.shareTree(share.id());
      byte[][] contents = new byte[4][];
      for (int i = 0; i < 4; i++) {
        contents[i] = Walk.content(10 + i, 600_000);
        ObjectRoot root = Walk.put(engine, "item", contents[i]).root();
        var _ = tree.change(List.of(set("f" + i, i, root)));
        engine.deleteItem(command("d" + i), store.id(), "item");
      }
      collect(engine, store);
      for (int i = 0; i < 4; i++) {
        assertArrayEquals(contents[i], Walk.read(engine, store.domainId(), root(tree, "f" + i)));
      }
      ShareRecord snapshot = engine.copyShare(command("s"), share.id(), "s", true);
      var _ = tree.change(List.of(new ShareChange.Remove(key("f0")), set("f1", "value only")));
      await(scheduler, tree.change(List.of(set("f2", 2, root(tree, "f3")))));
      collect(engine, store);
      assertArrayEquals(
          contents[0],
          Walk.read(engine, store.domainId(), root(engine.shareTree(snapshot.id()), "f0")));
      assertTrue(unique(engine, store) > 2_200_000, unique(engine, store) + " bytes");
      engine.deleteShare(command("ds"), snapshot.id(), true);
      collect(engine, store);
      assertTrue(unique(engine, store) < 1_500_000, unique(engine, store) + " bytes");
      assertArrayEquals(contents[1], Walk.read(engine, store.domainId(), root(tree, "f1")));
      assertArrayEquals(contents[3], Walk.read(engine, store.domainId(), root(tree, "f2")));
      assertEquals(
          Reason.NOT_EMPTY,
          assertThrows(
                  RefusedException.class,
                  () -> engine.deleteShare(command("no"), share.id(), false))
              .reason());
      engine.deleteShare(command("yes"), share.id(), true);
      collect(engine, store);
      assertTrue(unique(engine, store) < 300_000, unique(engine, store) + " bytes");
      assertEquals(
          Reason.NOT_FOUND,
          assertThrows(RefusedException.class, () -> tree.find(key("f3"))).reason());
      assertEquals(
          Reason.NOT_FOUND,
          assertThrows(RefusedException.class, () -> tree.change(List.of(set("f3", "x"))))
              .reason());
      assertEquals(Optional.empty(), engine.findShare("backup"));
    });
  }

  private static void collect(Engine engine, StoreRecord store) throws IOException {
    engine.runHousekeeping(store.domainId());
    engine.runHousekeeping(store.domainId());
  }

  private static long unique(Engine engine, StoreRecord store) throws IOException {
    DomainStatistics statistics = engine.domainStatistics(store.domainId());
    return statistics.uniqueBytes();
  }

  @Test
  void anObjectIsSafeFromHousekeepingWhileItsChangeIsOnItsWay() throws Exception {
    long seed = Simulation.seed();
    for (int round = 0; round < 20; round++) {
      onEngine(
          new Simulation(seed + round),
          (engine, scheduler, device) -> {
            StoreRecord store = Walk.defaultStore(engine);
            ShareTree tree = engine.shareTree(share(engine, "backup").id());
            byte[] content = Walk.content(5, 200_000);
            ObjectRoot root = Walk.put(engine, "item", content).root();
            await(scheduler, tree.change(List.of(set("f0", 0, root))));
            engine.deleteItem(command("d"), store.id(), "item");
            TaskHandle housekeeping =
                scheduler.start(
                    "collect",
                    () -> {
                      try {
                        collect(engine, store);
                      } catch (IOException e) {
                        throw new AssertionError(e);
                      }
                    });
            // The only name of the object moves from entry to entry.
            for (int i = 1; i < 30; i++) {
              ObjectRoot at = root(tree, "f" + (i - 1));
              var _ =
                  tree.change(
                      List.of(new ShareChange.Remove(key("f" + (i - 1))), set("f" + i, i, at)));
            }
            housekeeping.join();
            assertArrayEquals(content, Walk.read(engine, store.domainId(), root(tree, "f29")));
            await(scheduler, tree.change(List.of(set("end", "x"))));
            collect(engine, store);
            assertArrayEquals(content, Walk.read(engine, store.domainId(), root(tree, "f29")));
          });
    }
  }

  @Test
  void changesWaitWhileTooManyAreOnTheirWay() throws Exception {
    onEngine((engine, scheduler, device) -> {
      ShareTree tree = engine.shareTree(share(engine, "backup").id());
      int[] open = new int[2];
      CompletionStage<Void> last = null;
      int calls = 4 * Shares.MAX_WAITING_BYTES / ShareTree.MAX_CHANGE_BYTES;
      for (int i = 0; i < calls; i++) {
        List<ShareChange> changes = new ArrayList<>();
        for (int n = 0; n < 7; n++) {
          changes.add(new ShareChange.SetValue(key("k" + n), new byte[ShareTree.MAX_VALUE_BYTES]));
        }
        open[0]++;
        last = tree.change(changes);
        open[1] = Math.max(open[1], open[0]);
        last.whenComplete((nothing, failure) -> open[0]--);
      }
      await(scheduler, java.util.Objects.requireNonNull(last));
      assertTrue(
          (long) open[1] * 7 * ShareTree.MAX_VALUE_BYTES <= Shares.MAX_WAITING_BYTES + (1 << 20),
          open[1] + " calls of " + calls + " were open at once");
      assertTrue(open[1] > 3, open[1] + " calls were open at once");
    });
  }

  @Test
  void lanesSideBySideEachSeeTheirOwnChangesInTheirOrder() throws Exception {
    var first = new Simulation(Simulation.seed());
    onEngine(
        first,
        (engine, scheduler, device) -> {
          ShareTree tree = engine.shareTree(share(engine, "backup").id());
          List<Throwable> failures = new ArrayList<>();
          List<TaskHandle> lanes = new ArrayList<>();
          for (int lane = 0; lane < 4; lane++) {
            String name = "lane" + lane;
            lanes.add(
                scheduler.start(
                    name,
                    () -> {
                      try {
                        for (int i = 0; i < 100; i++) {
                          CompletionStage<Void> stage =
                              tree.change(List.of(set(name, "" + i), set(name + "/" + i, "x")));
                          assertEquals(Optional.of("" + i), value(tree, name));
                          assertEquals(i + 1, all(tree, name + "/", 33).size());
                          if (i % 7 == 0) {
                            await(scheduler, stage);
                          }
                        }
                      } catch (IOException | AssertionError e) {
                        failures.add(e);
                      }
                    }));
          }
          lanes.forEach(TaskHandle::join);
          assertEquals(List.of(), failures);
        });
    onEngine(
        first.afterProcessEnd(2),
        (engine, scheduler, device) -> assertEquals(404, all(engine, "backup").size()));
  }

  @Test
  void afterAFailureNothingIsShownThatMayBeLost() throws Exception {
    var first = new Simulation(Simulation.seed());
    first.run(() -> {
      Engine engine = Engine.open(first.device(), first.scheduler(), Walk.small(0));
      ShareTree tree = engine.shareTree(share(engine, "backup").id());
      await(first.scheduler(), tree.change(List.of(set("a", "1"))));
      first
          .device()
          .setFaults(call ->
              call.kind() == DeviceCall.Kind.FORCE ? Faults.Outcome.IO_ERROR : Faults.Outcome.NONE);
      CompletionStage<Void> stage = tree.change(List.of(set("a", "2")));
      assertThrows(IOException.class, () -> await(first.scheduler(), stage));
      assertThrows(IOException.class, () -> tree.find(key("a")));
      assertThrows(IOException.class, () -> tree.change(List.of(set("a", "3"))));
      return true;
    });
    onEngine(
        first.afterProcessEnd(2),
        (engine, scheduler, device) -> assertEquals("backup", engine.shares().getFirst().name()));
  }

  /** What a program of changes has come to, and how far it was acknowledged. */
  private static final class Progress {
    final List<SortedMap<String, String>> states = new ArrayList<>();
    int acknowledged;
    boolean snapshotAsked;
    int snapshotAt = -1;
    int snapshotNotBefore;
  }

  @Test
  void whicheverChangeOfTheDiskIsTheLastAPrefixOfTheChangesIsThere() throws Exception {
    long seed = Simulation.seed();
    var simulation = new Simulation(seed);
    var progress = new Progress();
    int[] checked = new int[1];
    simulation
        .device()
        .afterEachChange(() -> {
          if (checked[0]++ % 3 == 0) {
            CrashModel[] models = CrashModel.values();
            CrashModel model = models[checked[0] % models.length];
            checkPrefix(
                simulation.afterPowerLoss(model, seed + checked[0]),
                progress,
                "onefold.seed=" + seed + ", change " + checked[0] + ", " + model);
          }
        });
    onEngine(
        simulation,
        (engine, scheduler, device) -> {
          var random = new SplittableRandom(seed);
          ObjectRoot root = Walk.put(engine, "item", Walk.content(3, 30_000)).root();
          ShareRecord share = share(engine, "backup");
          ShareTree tree = engine.shareTree(share.id());
          TreeMap<String, String> model = new TreeMap<>();
          progress.states.add(new TreeMap<>());
          for (int i = 0; i < 60; i++) {
            List<ShareChange> changes = new ArrayList<>();
            for (int n = 1 + random.nextInt(4); n > 0; n--) {
              String key = "k" + random.nextInt(20);
              if (random.nextInt(3) == 0) {
                changes.add(new ShareChange.Remove(key(key)));
                model.remove(key);
              } else if (random.nextInt(3) == 0) {
                changes.add(set(key, i, root));
                model.put(key, "file");
              } else {
                String value = ("" + i).repeat(random.nextInt(10) == 0 ? 3000 : 3);
                changes.add(set(key, value));
                model.put(key, value);
              }
            }
            int number = i + 1;
            progress.states.add(new TreeMap<>(model));
            CompletionStage<Void> stage = tree.change(changes);
            stage.whenComplete((nothing, failure) -> {
              if (failure == null) {
                progress.acknowledged = number;
              }
            });
            if (random.nextInt(4) == 0) {
              await(scheduler, stage);
            }
            if (i == 30) {
              progress.snapshotNotBefore = number;
              progress.snapshotAsked = true;
              engine.copyShare(command("s"), share.id(), "s", true);
              progress.snapshotAt = number;
            }
          }
          engine.deleteItem(command("d"), Walk.defaultStore(engine).id(), "item");
          engine.runHousekeeping(share.domainId());
        });
    assertTrue(checked[0] > 200, checked[0] + " changes");
  }

  private static void checkPrefix(Simulation next, Progress progress, String where) {
    int acknowledged = progress.acknowledged;
    boolean asked = progress.snapshotAsked;
    int snapshotAt = progress.snapshotAt;
    try {
      next.run(() -> {
        try (Engine engine = Engine.open(next.device(), next.scheduler(), Walk.small(0))) {
          Optional<ShareRecord> share = engine.findShare("backup");
          if (share.isEmpty()) {
            assertEquals(0, acknowledged);
            return true;
          }
          ShareTree tree = engine.shareTree(share.get().id());
          SortedMap<String, String> found = all(tree, "", 7);
          assertTrue(
              progress.states.isEmpty()
                  ? found.isEmpty()
                  : progress.states.subList(acknowledged, progress.states.size()).contains(found),
              "not a state from " + acknowledged + " on");
          for (String key : found.keySet()) {
            Optional<ShareObject> object = tree.find(key(key)).orElseThrow().object();
            if (object.isPresent()) {
              assertArrayEquals(
                  Walk.content(3, 30_000),
                  Walk.read(engine, share.get().domainId(), object.get().root()));
            }
          }
          Optional<ShareRecord> snapshot = engine.findShare("backup@s");
          assertTrue(asked || snapshot.isEmpty());
          assertFalse(snapshotAt >= 0 && snapshot.isEmpty(), "the snapshot is gone");
          if (snapshot.isPresent()) {
            assertEquals(
                progress.states.get(progress.snapshotNotBefore),
                all(engine.shareTree(snapshot.get().id()), "", 7));
          }
          await(next.scheduler(), tree.change(List.of(set("and", "on"))));
        }
        return true;
      });
    } catch (Exception | AssertionError e) {
      throw new AssertionError(where + ": " + e, e);
    }
  }
}
