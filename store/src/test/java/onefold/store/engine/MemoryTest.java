package onefold.store.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import onefold.store.CommitMode;
import onefold.store.Compression;
import onefold.store.DomainRecord;
import onefold.store.ItemRecord;
import onefold.store.MemoryUse;
import onefold.store.ObjectWriter;
import onefold.store.StoreRecord;
import onefold.store.device.FileDevice;
import onefold.store.scheduler.ThreadScheduler;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The accountant: what is bounded, however many domains there are, and what gives way. */
class MemoryTest {
  private static final int DOMAINS = 8;
  private static final int ITEM_BYTES = 3 << 20;

  @TempDir private Path folder;

  private static MemoryUse use(Engine engine, String part) {
    return engine.memory().stream().filter(u -> u.part().equals(part)).findFirst().orElseThrow();
  }

  /** One item in each of some domains, and reads all of them. */
  private static void fillAndRead(Engine engine) throws IOException {
    for (int i = 0; i < DOMAINS; i++) {
      DomainRecord domain = engine.createDomain(Walk.commandId("d" + i), "d" + i, 1);
      StoreRecord store =
          engine.createStore(
              Walk.commandId("s" + i),
              new StoreRecord(domain.id(), "s" + i, domain.id(), 0, Compression.LZ4, 0, 0));
      byte[] content = Walk.content(i, ITEM_BYTES);
      ItemRecord item;
      try (ObjectWriter writer =
          engine.openWriter(store.id(), "item", Optional.empty(), Compression.LZ4)) {
        writer.write(content, 0, content.length);
        item = writer.commit(Walk.request(Walk.commandId("c" + i), CommitMode.IF_ABSENT));
      }
      assertArrayEquals(content, Walk.read(engine, store.domainId(), item.root()));
    }
  }

  @Test
  void cachesAreAsLargeAsTheirBoundHoweverManyDomainsThereAre() throws IOException {
    EngineSettings settings = Walk.small(2L << 20);
    try (var scheduler = new ThreadScheduler();
        Engine engine = Engine.open(new FileDevice(folder), scheduler, settings)) {
      fillAndRead(engine);
      MemoryUse blocks = use(engine, "blocks read");
      assertEquals(2L << 20, blocks.boundBytes());
      assertTrue(blocks.bytes() > 0 && blocks.bytes() <= blocks.boundBytes(), blocks.toString());
    }
  }

  @Test
  void anotherNumberTakesEffectWhileItRunsAndWhatTheDataNeedsComesFirst() throws IOException {
    try (var scheduler = new ThreadScheduler();
        Engine engine =
            Engine.open(new FileDevice(folder), scheduler, EngineSettings.ofMemory(1L << 30))) {
      engine.setMemory(1L << 30);
      fillAndRead(engine);
      assertEquals(32L << 20, use(engine, "blocks read").boundBytes());
      engine.setMemory(128L << 20);
      assertEquals(4L << 20, use(engine, "blocks read").boundBytes());
      long needs = use(engine, "index newest entries").bytes();
      assertTrue(needs > 0);
      engine.setMemory(needs); // Of which they may have less than half.
      long pressed = use(engine, "blocks read").boundBytes();
      assertTrue(
          pressed < 2L << 20 && pressed >= EngineMemory.LEAST_CACHE_BYTES, Long.toString(pressed));
      engine.setMemory(1L << 30);
      assertEquals(32L << 20, use(engine, "blocks read").boundBytes());
    }
  }

  @Test
  void cachesGiveWayDownToALeastSizeAndOnlyWhatIsMissingThenIsTold() {
    long whole = 1L << 30;
    EngineMemory.Plan plan = EngineMemory.plan(whole, EngineSettings.ofMemory(whole));
    assertEquals(
        new EngineMemory.Bounds(plan.blockBytes(), plan.layoutBytes(), plan.pageBytes(), 0),
        EngineMemory.bounds(plan, 400L << 20));
    long before = Long.MAX_VALUE;
    for (long needs = 400L << 20; needs < whole; needs += 5L << 20) {
      EngineMemory.Bounds now = EngineMemory.bounds(plan, needs);
      long caches = now.blockBytes() + now.layoutBytes() + now.pageBytes();
      assertTrue(caches <= before, needs + ": " + now);
      before = caches;
      long excess = Math.max(0, needs - (long) (0.45 * whole));
      assertTrue(caches <= plan.cacheBytes() - excess + now.missingBytes(), needs + ": " + now);
      assertTrue(
          now.missingBytes() == 0 || caches == 3 * EngineMemory.LEAST_CACHE_BYTES,
          needs + ": " + now);
    }
    assertTrue(EngineMemory.bounds(plan, whole).missingBytes() > 0);
  }
}
