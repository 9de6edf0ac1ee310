package onefold.store.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import onefold.chunker.Fingerprint;
import onefold.chunker.Fingerprinter;
import onefold.chunker.NodeReader;
import onefold.chunker.ObjectRoot;
import onefold.chunker.ParameterSet;
import onefold.store.CommitMode;
import onefold.store.Compression;
import onefold.store.DomainStatistics;
import onefold.store.Id;
import onefold.store.ItemRecord;
import onefold.store.ObjectReader;
import onefold.store.ObjectWriter;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;
import onefold.store.StoreRecord;
import onefold.store.device.DirectoryInUseException;
import onefold.store.device.FileDevice;
import onefold.store.scheduler.Promise;
import onefold.store.scheduler.ThreadScheduler;
import onefold.store.simulation.Simulation;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The walk over real files and real threads. */
class EngineTest {
  @TempDir Path directory;

  private ThreadScheduler scheduler;
  private Engine engine;

  @BeforeEach
  void open() throws IOException {
    scheduler = new ThreadScheduler();
    engine = Engine.open(new FileDevice(directory), scheduler, Walk.small());
  }

  @AfterEach
  void close() throws IOException {
    engine.close();
    scheduler.close();
  }

  private void reopen() throws IOException {
    engine.close();
    engine = Engine.open(new FileDevice(directory), scheduler, Walk.small());
  }

  @Test
  void itemsOfAllSizesComeBackAndSurviveAReopening() throws IOException {
    int[] sizes = {0, 1, 2, 100, 2047, 2048, 65_535, 65_536, 65_537, 1 << 20, 3_333_333};
    for (int size : sizes) {
      Walk.put(engine, "size-" + size, Walk.content(size, size));
    }
    for (int round = 0; round < 2; round++) {
      for (int size : sizes) {
        assertArrayEquals(Walk.content(size, size), Walk.get(engine, "size-" + size));
      }
      reopen();
    }
  }

  @Test
  void equalContentHasAnEqualRootHoweverItIsSplit() throws IOException {
    byte[] content = Walk.content(7, 2_500_000);
    StoreRecord store = Walk.defaultStore(engine);
    ObjectRoot first = null;
    for (int step : new int[] {content.length, 1, 1000, 65_536, 1_048_577}) {
      int length = step == 1 ? 20_000 : content.length;
      byte[] part = Arrays.copyOf(content, length);
      ItemRecord item =
          Walk.put(engine, store, "step-" + step, part, step, Walk.commandId("step-" + step));
      if (length == content.length) {
        first = first == null ? item.root() : first;
        assertEquals(first, item.root());
      } else {
        assertEquals(Walk.put(engine, "whole-" + step, part).root(), item.root());
      }
    }
  }

  @Test
  void aPathLeadsFromTheRootToTheBytesAndProvesThem() throws IOException {
    byte[] content = Walk.content(11, 3_000_000);
    ItemRecord item = Walk.put(engine, "x", content);
    Fingerprinter fingerprinter = new Fingerprinter(ParameterSet.SET_1);
    try (ObjectReader reader =
        engine.openReader(Walk.defaultStore(engine).domainId(), item.root())) {
      SplittableRandom random = new SplittableRandom(Simulation.seed());
      assertTrue(reader.chunkCount() > 100, Long.toString(reader.chunkCount()));
      for (int i = 0; i < 20; i++) {
        int position = random.nextInt(content.length);
        List<byte[]> path = reader.pathTo(position);
        assertEquals(item.root().level() + 2, path.size());
        Fingerprint expected = item.root().node();
        long start = 0;
        for (byte[] node : path.subList(0, path.size() - 1)) {
          assertEquals(expected, fingerprinter.fingerprint(node, 0, node.length));
          NodeReader entries = new NodeReader().reset(node, 0, node.length);
          assertTrue(entries.next());
          while (start + entries.lengthBytes() <= position) {
            start += entries.lengthBytes();
            assertTrue(entries.next());
          }
          expected = entries.fingerprint();
        }
        byte[] chunk = path.getLast();
        assertEquals(expected, fingerprinter.fingerprint(chunk, 0, chunk.length));
        int from = Math.toIntExact(start);
        assertArrayEquals(chunk, Arrays.copyOfRange(content, from, from + chunk.length));
      }
      assertThrows(IndexOutOfBoundsException.class, () -> reader.pathTo(content.length));
    }
  }

  @Test
  void theSameContentIsStoredOnceAcrossItemsAndStores() throws IOException {
    byte[] content = Walk.content(3, 1_500_000);
    Walk.put(engine, "one", content);
    DomainStatistics before = engine.domainStatistics(Walk.defaultStore(engine).domainId());
    assertEquals(content.length, before.uniqueBytes());
    assertEquals(0, Walk.put(engine, "two", content).newBytes());
    StoreRecord other =
        engine.createStore(
            Walk.commandId("other"),
            new StoreRecord(
                Walk.commandId("x"),
                "other",
                Walk.defaultStore(engine).domainId(),
                0,
                Compression.ZSTD,
                0,
                0));
    Walk.put(engine, other, "three", content, 9999, Walk.commandId("three"));
    DomainStatistics after = engine.domainStatistics(other.domainId());
    assertEquals(before.uniqueBytes(), after.uniqueBytes());
    assertEquals(3L * content.length, after.logicalBytes());
    assertEquals(2, engine.statistics(Walk.defaultStore(engine).id()).itemCount());
  }

  @Test
  void repeatedContentWithinOneStreamIsStoredOnce() throws IOException {
    byte[] zeros = new byte[5_000_000];
    ItemRecord item = Walk.put(engine, "zeros", zeros);
    assertTrue(item.newBytes() <= 3 * 65_536, "new bytes " + item.newBytes());
    assertArrayEquals(zeros, Walk.get(engine, "zeros"));
  }

  @Test
  void holesReadAsZerosAndCostNothing() throws IOException {
    StoreRecord store = Walk.defaultStore(engine);
    byte[] head = Walk.content(1, 10_000);
    byte[] tail = Walk.content(2, 20_000);
    try (ObjectWriter writer =
        engine.openWriter(store.id(), "sparse", Optional.empty(), Compression.LZ4)) {
      writer.write(head, 0, head.length);
      writer.hole(1L << 33);
      writer.write(tail, 0, tail.length);
      assertEquals((1L << 33) + 30_000, writer.positionBytes());
      writer.commit(Walk.request(Walk.commandId("sparse"), CommitMode.IF_ABSENT));
    }
    ItemRecord item = engine.findItem(store.id(), "sparse").orElseThrow();
    assertEquals((1L << 33) + 30_000, item.root().lengthBytes());
    assertEquals(30_000, item.newBytes());
    try (ObjectReader reader = engine.openReader(store.domainId(), item.root())) {
      byte[] got = new byte[1000];
      assertEquals(1000, reader.read(9_500, got, 0, 1000));
      assertArrayEquals(Walk.joined(Arrays.copyOfRange(head, 9_500, 10_000), new byte[500]), got);
      assertEquals(1000, reader.read((1L << 33) + 9_000, got, 0, 1000));
      assertArrayEquals(new byte[1000], got);
      assertEquals(1000, reader.read((1L << 33) + 10_100, got, 0, 1000));
      assertArrayEquals(Arrays.copyOfRange(tail, 100, 1_100), got);
    }
  }

  @Test
  void aSpliceReadsNoDataAndGivesTheBytesOfItsParts() throws IOException {
    StoreRecord store = Walk.defaultStore(engine);
    byte[] content = Walk.content(5, 4_000_000);
    ItemRecord whole = Walk.put(engine, "whole", content);
    byte[] middle = Walk.content(6, 50_000);
    try (ObjectWriter writer =
        engine.openWriter(store.id(), "full", Optional.empty(), Compression.LZ4)) {
      writer.splice(whole.root(), 0, 1_234_567);
      writer.write(middle, 0, middle.length);
      writer.splice(whole.root(), 1_234_567, 4_000_000 - 1_234_567);
      ItemRecord item = writer.commit(Walk.request(Walk.commandId("full"), CommitMode.IF_ABSENT));
      assertEquals(middle.length, item.newBytes());
    }
    assertArrayEquals(
        Walk.joined(
            Arrays.copyOf(content, 1_234_567),
            middle,
            Arrays.copyOfRange(content, 1_234_567, content.length)),
        Walk.get(engine, "full"));
    try (ObjectWriter writer =
        engine.openWriter(store.id(), "again", Optional.empty(), Compression.LZ4)) {
      writer.splice(whole.root(), 0, content.length);
      ItemRecord again = writer.commit(Walk.request(Walk.commandId("again"), CommitMode.REPLACE));
      assertEquals(whole.root(), again.root());
    }
  }

  @Test
  void anyRangeOfAnItemCanBeRead() throws IOException {
    StoreRecord store = Walk.defaultStore(engine);
    byte[] content = Walk.content(8, 3_000_000);
    ItemRecord item = Walk.put(engine, "ranges", content);
    var random = new java.util.SplittableRandom(11);
    try (ObjectReader reader = engine.openReader(store.domainId(), item.root())) {
      for (int i = 0; i < 200; i++) {
        int from = random.nextInt(content.length);
        int length = 1 + random.nextInt(Math.min(300_000, content.length - from));
        byte[] got = new byte[length];
        int n = reader.read(from, got, 0, length);
        assertTrue(n > 0);
        assertArrayEquals(
            Arrays.copyOfRange(content, from, from + n), Arrays.copyOf(got, n), "at " + from);
      }
      assertEquals(-1, reader.read(content.length, new byte[1], 0, 1));
    }
  }

  @Test
  void manyWritersAtOnceDisturbNobody() throws IOException {
    int writers = 12;
    List<Promise<Boolean>> done = new ArrayList<>();
    byte[] shared = Walk.content(77, 600_000);
    for (int i = 0; i < writers; i++) {
      int number = i;
      Promise<Boolean> promise = scheduler.promise();
      done.add(promise);
      scheduler.start(
          "writer-" + i,
          () -> {
            try {
              for (int k = 0; k < 5; k++) {
                byte[] own = Walk.content(number * 100L + k, 150_000 + number * 1000);
                Walk.put(engine, "w-" + number + "-" + k, Walk.joined(own, shared));
              }
              promise.complete(true);
            } catch (IOException | RuntimeException e) {
              promise.fail(e);
            }
          });
    }
    for (Promise<Boolean> promise : done) {
      promise.await();
    }
    reopen();
    for (int i = 0; i < writers; i++) {
      for (int k = 0; k < 5; k++) {
        assertArrayEquals(
            Walk.joined(Walk.content(i * 100L + k, 150_000 + i * 1000), shared),
            Walk.get(engine, "w-" + i + "-" + k));
      }
    }
  }

  @Test
  void aTakenNameIsRefusedOrReplaced() throws IOException {
    StoreRecord store = Walk.defaultStore(engine);
    ItemRecord first = Walk.put(engine, "name", Walk.content(1, 5000));
    try (ObjectWriter writer =
        engine.openWriter(store.id(), "name", Optional.empty(), Compression.LZ4)) {
      writer.write(Walk.content(2, 6000), 0, 6000);
      RefusedException refused =
          assertThrows(
              RefusedException.class,
              () -> writer.commit(Walk.request(Walk.commandId("absent"), CommitMode.IF_ABSENT)));
      assertEquals(Reason.EXISTS, refused.reason());
      ItemRecord second =
          writer.commit(Walk.request(Walk.commandId("replace"), CommitMode.REPLACE));
      assertTrue(!second.id().equals(first.id()));
    }
    assertArrayEquals(Walk.content(2, 6000), Walk.get(engine, "name"));
  }

  @Test
  void aRepeatedCommandGivesItsFirstAnswer() throws IOException {
    Id commandId = Walk.commandId("create");
    StoreRecord wanted =
        new StoreRecord(
            commandId, "twice", Walk.defaultStore(engine).domainId(), 0, Compression.LZ4, 0, 0);
    StoreRecord first = engine.createStore(commandId, wanted);
    assertEquals(first, engine.createStore(commandId, wanted));
    RefusedException refused =
        assertThrows(
            RefusedException.class, () -> engine.createStore(Walk.commandId("another"), wanted));
    assertEquals(Reason.EXISTS, refused.reason());
  }

  @Test
  void anOpenReaderGoesOnAfterItsItemIsDeleted() throws IOException {
    StoreRecord store = Walk.defaultStore(engine);
    byte[] content = Walk.content(4, 2_000_000);
    ItemRecord item = Walk.put(engine, "gone", content);
    try (ObjectReader reader = engine.openReader(store.domainId(), item.root())) {
      byte[] got = new byte[content.length];
      int at = reader.read(0, got, 0, 1000);
      engine.deleteItem(Walk.commandId("delete"), store.id(), "gone");
      engine.runHousekeeping(store.domainId());
      while (at < got.length) {
        at += reader.read(at, got, at, got.length - at);
      }
      assertArrayEquals(content, got);
    }
    assertTrue(engine.findItem(store.id(), "gone").isEmpty());
  }

  @Test
  void unknownNamesAndObjectsAreRefusedWithAReason() throws IOException {
    StoreRecord store = Walk.defaultStore(engine);
    Id nobody = Walk.commandId("nobody");
    assertEquals(
        Reason.NOT_FOUND,
        assertThrows(
                RefusedException.class,
                () -> engine.openWriter(nobody, "a", Optional.empty(), Compression.LZ4))
            .reason());
    assertEquals(
        Reason.INVALID_NAME,
        assertThrows(
                RefusedException.class,
                () -> engine.openWriter(store.id(), "a/../b", Optional.empty(), Compression.LZ4))
            .reason());
    ObjectRoot unknown = new ObjectRoot(onefold.chunker.Fingerprint.of(new byte[32], 0), 0, 10);
    assertEquals(
        Reason.NOT_FOUND,
        assertThrows(RefusedException.class, () -> engine.openReader(store.domainId(), unknown))
            .reason());
  }

  @Test
  void recordsAreKept() throws IOException {
    engine.putRecord(Walk.commandId("r1"), "kind", "key", Optional.of(new byte[] {1, 2, 3}));
    engine.putRecord(Walk.commandId("r2"), "kind", "other", Optional.of(new byte[] {4}));
    engine.putRecord(Walk.commandId("r3"), "kind", "other", Optional.empty());
    reopen();
    assertArrayEquals(new byte[] {1, 2, 3}, engine.findRecord("kind", "key").orElseThrow());
    assertEquals(new TreeMap<>(engine.records("kind")).keySet(), java.util.Set.of("key"));
  }

  @Test
  void aDirectoryInUseIsRefused() {
    assertThrows(
        DirectoryInUseException.class,
        () -> Engine.open(new FileDevice(directory), scheduler, Walk.small()));
  }

  @Test
  void aDirectoryThatIsNoDataDirectoryIsRefusedAndLeftAlone(@TempDir Path other)
      throws IOException {
    Files.writeString(other.resolve("letter.txt"), "Dear Sir or Madam");
    RefusedException refused =
        assertThrows(
            RefusedException.class,
            () -> Engine.open(new FileDevice(other), scheduler, Walk.small()));
    assertTrue(String.valueOf(refused.getMessage()).contains("letter.txt"), refused.getMessage());
    try (var names = Files.list(other)) {
      assertEquals(1, names.count());
    }
  }

  @Test
  void aDirectoryOfANewerReleaseIsRefused() throws IOException {
    engine.close();
    for (String name : new String[] {Superblocks.FIRST, Superblocks.SECOND}) {
      Path file = directory.resolve(name);
      if (Files.exists(file)) {
        byte[] bytes = Files.readAllBytes(file);
        bytes[8] = 2;
        java.util.zip.CRC32C crc = new java.util.zip.CRC32C();
        crc.update(bytes, 0, 4092);
        java.nio.ByteBuffer.wrap(bytes)
            .order(java.nio.ByteOrder.LITTLE_ENDIAN)
            .putInt(4092, (int) crc.getValue());
        Files.write(file, bytes);
      }
    }
    RefusedException refused =
        assertThrows(
            RefusedException.class,
            () -> Engine.open(new FileDevice(directory), scheduler, Walk.small()));
    assertTrue(
        String.valueOf(refused.getMessage()).contains("newer release"), refused.getMessage());
  }
}
