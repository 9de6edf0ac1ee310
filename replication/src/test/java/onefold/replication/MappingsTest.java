package onefold.replication;

import static onefold.replication.ItemCopyTest.content;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.Predicate;
import onefold.catalyst.client.CatalystClient;
import onefold.catalyst.client.CatalystException;
import onefold.catalyst.client.KeyMismatchException;
import onefold.catalyst.wire.ErrorCode;
import onefold.catalyst.wire.ItemInfo;
import onefold.store.Id;
import onefold.store.RefusedException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Mappings between stores of two engines, and what must not happen with bad peers. */
class MappingsTest {
  @TempDir private Path directory = Path.of("");

  private final long seed = Long.getLong("onefold.seed", System.nanoTime());
  private final SplittableRandom random = new SplittableRandom(seed);
  private TestPeer a;
  private TestPeer b;
  private MemoryShelf shelf;
  private Mappings mappings;

  @BeforeEach
  void start() throws IOException {
    a = TestPeer.start(directory.resolve("a"));
    b = TestPeer.start(directory.resolve("b"));
    shelf = new MemoryShelf();
    mappings = of(a, shelf);
  }

  @AfterEach
  void stop() throws IOException {
    mappings.close();
    a.close();
    b.close();
  }

  private static Mappings of(TestPeer here, MappingShelf shelf) throws IOException {
    return Mappings.start(here.store(), shelf, System::nanoTime, InstantSource.system());
  }

  private static Peer peer(int port) {
    return new Peer("127.0.0.1", port, "admin", TestPeer.PASSWORD, TestPeer.IDENTITY.pin());
  }

  private Mapping mapping(String name, int port) {
    return new Mapping(
        Id.random(random),
        name,
        "default",
        peer(port),
        "default",
        new Trigger.OnDemand(),
        false,
        false,
        0,
        false);
  }

  /** Asks for a pass and waits until it has ended. */
  private static MappingStatus sync(Mappings of, String name) throws Exception {
    long wanted = of.sync(name);
    return await(of, name, status -> status.finishedPass() >= wanted);
  }

  private static MappingStatus await(Mappings of, String name, Predicate<MappingStatus> until)
      throws Exception {
    while (true) {
      MappingStatus status = of.status(name);
      if (until.test(status)) {
        return status;
      }
      of.awaitChange(name);
    }
  }

  private static Optional<ItemInfo> find(TestPeer at, String item) throws IOException {
    try (CatalystClient client = at.client()) {
      return client.findItem("default", item);
    }
  }

  @Test
  void afterASyncThePeerHasEveryItemWithItsTagsLockAndHold() throws Exception {
    byte[] one = content(3_000_000, seed);
    a.put("default", "one", one, Map.of("host", "db1"));
    a.put("default", "two", content(100_000, seed + 1));
    try (CatalystClient client = a.client()) {
      client.lock("default", "two", 5);
      client.setHold("default", "two", true);
    }
    mappings.create(mapping("m", b.port()));

    MappingStatus status = sync(mappings, "m");

    assertEquals("", status.problem());
    assertEquals(2, status.items());
    assertEquals(2, status.provenItems());
    assertEquals(0, status.lagBytes());
    assertEquals(2, status.figures().copiedItemCount());
    assertArrayEquals(one, b.get("default", "one"));
    ItemInfo copy = find(b, "one").orElseThrow();
    assertEquals(Map.of("host", "db1"), CopyTag.without(copy.tags()));
    ItemInfo two = find(b, "two").orElseThrow();
    assertTrue(two.held());
    assertTrue(two.lockedUntilMillis() > two.createdAtMillis() + 4 * 86_400_000L);

    MappingStatus again = sync(mappings, "m");
    assertEquals(2, again.figures().copiedItemCount(), "nothing is copied twice");
    assertTrue(again.figures().wireBytes() - status.figures().wireBytes() < 4_000);
  }

  @Test
  void aSecondFullWithOnePercentChangedCostsTwoPercentOfItsSize() throws Exception {
    byte[] full = content(24_000_000, seed);
    a.put("default", "monday", full);
    mappings.create(mapping("m", b.port()));
    long before = sync(mappings, "m").figures().wireBytes();
    byte[] changed = full.clone();
    for (int i = 0; i < 4; i++) {
      int at = random.nextInt(changed.length - 60_000);
      for (int k = at; k < at + 60_000; k++) {
        changed[k] = (byte) random.nextInt();
      }
    }
    a.put("default", "tuesday", changed);

    MappingStatus status = sync(mappings, "m");

    assertArrayEquals(changed, b.get("default", "tuesday"));
    long cost = status.figures().wireBytes() - before;
    assertTrue(cost <= full.length / 50, () -> cost + " bytes, onefold.seed=" + seed);
  }

  @Test
  void onCommitIsCopiedByItselfAndDeletionsOnlyIfThatIsChosen() throws Exception {
    Mapping keeps = mapping("keeps", b.port());
    b.makeStore("mirror");
    Mapping mirrors =
        new Mapping(
            Id.random(random),
            "mirrors",
            "default",
            peer(b.port()),
            "mirror",
            new Trigger.OnCommit(),
            true,
            false,
            0,
            false);
    mappings.create(keeps);
    mappings.create(mirrors);
    a.put("default", "x", content(50_000, seed));
    await(mappings, "mirrors", status -> status.provenItems() == 1);
    sync(mappings, "keeps");
    try (CatalystClient client = a.client()) {
      client.deleteItem("default", "x");
    }
    await(mappings, "mirrors", status -> status.items() == 0 && status.finishedPass() > 1);
    sync(mappings, "keeps");
    try (CatalystClient client = b.client()) {
      assertTrue(client.findItem("mirror", "x").isEmpty());
      assertTrue(client.findItem("default", "x").isPresent());
    }
  }

  @Test
  void whatSomebodyElseWroteUnderTheNameIsNeverReplaced() throws Exception {
    byte[] foreign = content(10_000, seed + 7);
    b.put("default", "x", foreign);
    a.put("default", "x", content(20_000, seed));
    a.put("default", "y", content(20_000, seed + 1));
    mappings.create(mapping("m", b.port()));

    MappingStatus status = sync(mappings, "m");

    assertEquals(1, status.gapCount());
    assertEquals("x", status.gaps().getFirst().item());
    assertTrue(find(b, "y").isPresent());
    assertArrayEquals(foreign, b.get("default", "x"));

    // A second mapping of the same names is somebody else too.
    try (TestPeer c = TestPeer.start(directory.resolve("c"));
        Mappings others = of(c, new MemoryShelf())) {
      c.put("default", "y", content(30_000, seed + 2));
      others.create(mapping("n", b.port()));
      assertEquals(1, sync(others, "n").gapCount());
    }
    assertArrayEquals(content(20_000, seed + 1), b.get("default", "y"));
  }

  @Test
  void aLoopEndsAndAChainPassesCopiesOn() throws Exception {
    a.put("default", "x", content(200_000, seed));
    mappings.create(mapping("there", b.port()));
    sync(mappings, "there");
    Mapping back = mapping("back", a.port());
    try (Mappings ofB = of(b, new MemoryShelf())) {
      ofB.create(back);
      MappingStatus status = sync(ofB, "back");
      assertEquals(0, status.items(), "a copy does not go back");
      assertEquals(0, status.figures().copiedItemCount());
      try (TestPeer c = TestPeer.start(directory.resolve("c"))) {
        ofB.create(
            new Mapping(
                Id.random(random),
                "on",
                "default",
                peer(c.port()),
                "default",
                new Trigger.OnDemand(),
                false,
                true,
                0,
                false));
        assertEquals(1, sync(ofB, "on").provenItems());
        assertArrayEquals(content(200_000, seed), c.get("default", "x"));
      }
      // With copies passed on in a ring too, equal content costs nothing and changes nothing.
      ofB.create(
          new Mapping(
              Id.random(random),
              "ring",
              "default",
              peer(a.port()),
              "default",
              new Trigger.OnDemand(),
              true,
              true,
              0,
              false));
      assertEquals(0, sync(ofB, "ring").figures().copiedItemCount());
      assertEquals(Map.of(), find(a, "x").orElseThrow().tags());
    }
  }

  @Test
  void aPeerWithAnotherKeyAWrongPasswordOrNoSuchStoreIsRefusedWhenTheMappingIsMade() {
    Peer other = new Peer("127.0.0.1", b.port(), "admin", TestPeer.PASSWORD, "0".repeat(64));
    assertThrows(KeyMismatchException.class, () -> mappings.create(to(other, "default")));
    Peer wrong = new Peer("127.0.0.1", b.port(), "admin", "wrong", TestPeer.IDENTITY.pin());
    assertEquals(
        ErrorCode.AUTHENTICATION_FAILED,
        assertThrows(CatalystException.class, () -> mappings.create(to(wrong, "default"))).code());
    RefusedException none =
        assertThrows(RefusedException.class, () -> mappings.create(to(peer(b.port()), "none")));
    assertEquals(RefusedException.Reason.NOT_FOUND, none.reason());
    assertTrue(mappings.list().isEmpty());
  }

  private Mapping to(Peer peer, String peerStore) {
    return new Mapping(
        Id.random(random),
        "m",
        "default",
        peer,
        peerStore,
        new Trigger.OnDemand(),
        false,
        false,
        0,
        false);
  }

  @Test
  void anAppenderCanAddButNeitherReplaceNorDelete() throws Exception {
    Peer appender =
        new Peer("127.0.0.1", b.port(), "appender", TestPeer.PASSWORD, TestPeer.IDENTITY.pin());
    a.put("default", "x", content(20_000, seed));
    Mapping mirror =
        new Mapping(
            Id.random(random),
            "m",
            "default",
            appender,
            "default",
            new Trigger.OnDemand(),
            true,
            false,
            0,
            false);
    mappings.create(mirror);
    assertEquals(1, sync(mappings, "m").provenItems());
    a.put("default", "x", content(20_000, seed + 1));
    assertEquals(1, sync(mappings, "m").gapCount());
    try (CatalystClient client = a.client()) {
      client.deleteItem("default", "x");
    }
    sync(mappings, "m");
    assertArrayEquals(content(20_000, seed), b.get("default", "x"));
  }

  @Test
  void aMappingOutlivesItsProcessAndAPeerThatIsAwayComesBack() throws Exception {
    a.put("default", "x", content(20_000, seed));
    mappings.create(mapping("m", b.port()));
    Figures before = sync(mappings, "m").figures();
    mappings.close();
    mappings = of(a, shelf);
    assertEquals(before.wireBytes(), mappings.status("m").figures().wireBytes());

    a.put("default", "y", content(20_000, seed + 1));
    b.goDown();
    mappings.sync("m");
    await(mappings, "m", status -> status.state() == MappingStatus.State.WAITING);
    b.comeUp();
    await(mappings, "m", status -> status.provenItems() == 2);
    assertArrayEquals(content(20_000, seed + 1), b.get("default", "y"));
  }

  @Test
  void aPauseEndsWhatIsUnderWayAndResumeFinishesIt() throws Exception {
    a.put("default", "x", content(6_000_000, seed));
    Mapping slow = mapping("m", b.port()).withBytesPerSecond(500_000);
    mappings.create(slow);
    mappings.sync("m");
    await(mappings, "m", status -> status.figures().sentDataBytes() > 0);
    mappings.pause("m", true);
    MappingStatus paused = await(mappings, "m", status -> status.item().isEmpty());
    assertEquals(MappingStatus.State.PAUSED, paused.state());
    assertThrows(RefusedException.class, () -> mappings.sync("m"));
    mappings.limit("m", 0);
    mappings.pause("m", false);
    await(mappings, "m", status -> status.provenItems() == 1);
    assertArrayEquals(content(6_000_000, seed), b.get("default", "x"));
  }
}
