package onefold.store.container;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.chunker.ParameterSet;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.device.FileDevice;
import onefold.store.scheduler.ThreadScheduler;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ContainersTest {
  private static final Id DOMAIN = new Id(3, 4);
  private static final ContainerSettings SMALL =
      new ContainerSettings(256 << 10, 2, 1 << 20, 1 << 20, 4);

  @TempDir Path root;
  private FileDevice device;
  private ContainerCaches caches;
  private ThreadScheduler scheduler;

  @BeforeEach
  void open() throws IOException {
    device = new FileDevice(root);
    scheduler = new ThreadScheduler();
    caches = new ContainerCaches(scheduler, SMALL.blockCacheBytes(), SMALL.layoutCacheBytes());
  }

  @AfterEach
  void close() {
    scheduler.close();
  }

  /** Where the blocks of a test have gone. */
  private record Stored(Blocks.Made block, Appended where) {}

  private Containers containers(DurableEnds ends) throws IOException {
    return containers(ends, SealListener.NONE);
  }

  private Containers containers(DurableEnds ends, SealListener listener) throws IOException {
    return Containers.open(
        device,
        scheduler,
        "domains/a",
        DOMAIN,
        ParameterSet.SET_1,
        1,
        SMALL,
        caches,
        ends,
        listener);
  }

  private static DurableEnds ends(Map<Long, Long> ends) {
    return new DurableEnds() {
      @Override
      public long endBytes(long containerNumber) {
        return ends.getOrDefault(containerNumber, 0L);
      }

      @Override
      public long nextContainerNumber() {
        return 1;
      }
    };
  }

  private static Stored append(Containers containers, ChunkKind kind, long seed)
      throws IOException {
    Blocks.Made block = Blocks.block(kind, seed, 1 + (int) (seed % 13), 9000);
    Appended where = containers.append(kind, block.bytes(), 0, block.bytes().length, block.batch());
    return new Stored(block, where);
  }

  private static List<Stored> fill(Containers containers, ChunkKind kind, int from, int count)
      throws IOException {
    List<Stored> stored = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      stored.add(append(containers, kind, from + i));
    }
    return stored;
  }

  private static void check(Containers containers, List<Stored> all) throws IOException {
    for (Stored stored : all) {
      check(containers, stored);
    }
  }

  private static void check(Containers containers, Stored stored) throws IOException {
    for (int i = 0; i < stored.block().chunks().size(); i++) {
      ChunkPlace place =
          new ChunkPlace(stored.where().containerNumber(), stored.where().firstSlot() + i);
      byte[] fingerprint = stored.block().batch().fingerprint(i).toBytes();
      assertArrayEquals(
          stored.block().chunks().get(i), containers.readChunk(place, fingerprint, 0));
    }
    BlockLocation location =
        containers.locationOfSlot(stored.where().containerNumber(), stored.where().firstSlot());
    assertArrayEquals(stored.block().bytes(), containers.readBlock(location).bytes());
  }

  private static void checkDirectory(ContainerDirectory directory, List<Stored> all) {
    for (Stored stored : all) {
      if (stored.where().containerNumber() == directory.containerNumber()) {
        for (int i = 0; i < stored.block().chunks().size(); i++) {
          int slot = stored.where().firstSlot() + i;
          assertEquals(stored.block().batch().fingerprint(i), directory.chunks().fingerprint(slot));
          assertEquals(stored.block().batch().lengthBytes(i), directory.chunks().lengthBytes(slot));
        }
      }
    }
  }

  @Test
  void whatIsAppendedCanBeReadWhileOpenWhileSealedAndAfterARestart() throws IOException {
    Map<Long, ContainerDirectory> sealed = new java.util.concurrent.ConcurrentHashMap<>();
    List<Stored> all = new ArrayList<>();
    try (Containers containers = containers(DurableEnds.NONE, sealed::put)) {
      all.addAll(fill(containers, ChunkKind.DATA, 0, 60));
      all.addAll(fill(containers, ChunkKind.NODE, 100, 60));
      check(containers, all);
      for (ContainerInfo info : containers.list()) {
        checkDirectory(containers.directory(info.number()), all);
      }
    }
    assertTrue(sealed.size() > 4);
    try (Containers containers = containers(DurableEnds.NONE)) {
      check(containers, all);
      assertEquals(sealed.keySet(), numbers(containers));
      for (ContainerInfo info : containers.list()) {
        assertTrue(info.sealed());
        ContainerDirectory directory = containers.directory(info.number());
        checkDirectory(directory, all);
        assertEquals(info.chunkCount(), directory.chunks().count());
        assertEquals(
            directory.chunks().count(),
            sealed.getOrDefault(info.number(), directory).chunks().count());
        long overhead = info.fileBytes() - info.storedBytes();
        assertTrue(
            overhead <= 34L * info.chunkCount() + 40L * directory.blockCount() + 320,
            () -> "overhead " + overhead);
        List<CorruptDataException> damages = new ArrayList<>();
        assertEquals(info.rawBytes(), containers.verify(info.number(), true, damages::add));
        assertEquals(List.of(), damages);
      }
      List<Stored> more = fill(containers, ChunkKind.DATA, 500, 3);
      assertFalse(sealed.containsKey(more.getFirst().where().containerNumber()));
      check(containers, more);
    }
  }

  private static Set<Long> numbers(Containers containers) {
    Set<Long> numbers = new java.util.TreeSet<>(containers.numbers(ChunkKind.DATA));
    numbers.addAll(containers.numbers(ChunkKind.NODE));
    return numbers;
  }

  @Test
  void aTornTailIsCutAtTheDurableEndAndNeverAppendedTo() throws IOException {
    List<Stored> all = new ArrayList<>();
    Path copy = root.resolve("copy");
    Map<Long, Long> durable = new HashMap<>();
    try (Containers containers = containers(DurableEnds.NONE)) {
      all.addAll(fill(containers, ChunkKind.DATA, 0, 8));
      containers.force(Set.of(all.getFirst().where().containerNumber()));
      durable.put(all.getFirst().where().containerNumber(), all.get(4).where().endBytes());
      assertEquals(Map.of(), containers.dirtyEnds());
      all.addAll(fill(containers, ChunkKind.NODE, 0, 2));
      assertEquals(1, containers.dirtyEnds().size());
      copy(root.resolve("domains"), copy);
    }
    restore(copy);
    Map<Long, ContainerDirectory> sealed = new TreeMap<>();
    try (Containers containers = containers(ends(durable), sealed::put)) {
      assertEquals(List.of(), containers.recoveryDamages());
      check(containers, all.subList(0, 5));
      assertEquals(Set.of(1L), sealed.keySet());
      assertEquals(Set.of(1L), numbers(containers));
      checkDirectory(sealed.getOrDefault(1L, containers.directory(1)), all.subList(0, 5));
      assertThrows(CorruptDataException.class, () -> check(containers, all.get(5)));
      assertThrows(ContainerGoneException.class, () -> check(containers, all.get(9)));
      // Damage before the durable end costs its block; slots behind it stay.
      assertEquals(List.of(), verify(containers, 1));
    }
    for (int damaged = 0; damaged < 5; damaged++) {
      for (int where : new int[] {-20, 3, 40}) {
        restore(copy);
        Path file = root.resolve("domains/a/data/0000000000000001-1.open");
        byte[] bytes = Files.readAllBytes(file);
        Appended hit = all.get(damaged).where();
        int start = (int) hit.endBytes() - all.get(damaged).block().bytes().length;
        bytes[start + where] ^= 4;
        Files.write(file, bytes);
        try (Containers containers = containers(ends(durable))) {
          assertEquals(1, containers.recoveryDamages().size());
          for (int i = 0; i < 5; i++) {
            Stored stored = all.get(i);
            if (i == damaged) {
              assertThrows(CorruptDataException.class, () -> check(containers, stored));
            } else {
              check(containers, stored);
            }
          }
          assertFalse(verify(containers, 1).isEmpty());
        }
      }
    }
  }

  private static List<CorruptDataException> verify(Containers containers, long number)
      throws IOException {
    List<CorruptDataException> damages = new ArrayList<>();
    containers.verify(number, true, damages::add);
    return damages;
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Path target = to.resolve(from.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(target);
        } else {
          Files.write(target, Files.readAllBytes(file));
        }
      }
    }
  }

  private void restore(Path copy) throws IOException {
    try (Stream<Path> files = Files.walk(root.resolve("domains"))) {
      for (Path file : files.toList()) {
        if (Files.isRegularFile(file)) {
          Files.delete(file);
        }
      }
    }
    copy(copy, root.resolve("domains"));
  }

  @Test
  void everyFlippedBitOfASealedContainerIsFoundAndCostsOneBlockAtMost() throws IOException {
    List<Stored> all;
    try (Containers containers = containers(DurableEnds.NONE)) {
      all = fill(containers, ChunkKind.DATA, 0, 7);
    }
    Path file = root.resolve("domains/a/data/0000000000000001-1.container");
    byte[] whole = Files.readAllBytes(file);
    Random random = new Random(1);
    for (int round = 0; round < 120; round++) {
      byte[] bytes = whole.clone();
      int near = random.nextInt(4);
      int offset =
          switch (near) {
            case 0 -> random.nextInt(ContainerFormat.HEADER_BYTES);
            case 1 -> whole.length - 1 - random.nextInt(ContainerFormat.FOOTER_BYTES);
            case 2 -> whole.length - 1 - random.nextInt(3000);
            default -> random.nextInt(whole.length);
          };
      bytes[offset] ^= (byte) (1 << random.nextInt(8));
      Files.write(file, bytes);
      try (Containers containers = containers(DurableEnds.NONE)) {
        assertFalse(verify(containers, 1).isEmpty(), "offset " + offset);
        int unreadable = 0;
        for (Stored stored : all) {
          try {
            check(containers, stored);
          } catch (CorruptDataException e) {
            unreadable++;
          }
        }
        assertTrue(unreadable <= 1, "offset " + offset);
        checkDirectory(containers.directory(1), unreadable == 0 ? all : List.of());
      }
    }
  }

  @Test
  void aDirectoryDamagedTogetherWithTheBlockBeforeItCostsThatBlockOnly() throws IOException {
    List<Stored> all;
    try (Containers containers = containers(DurableEnds.NONE)) {
      all = fill(containers, ChunkKind.DATA, 0, 7);
    }
    Path file = root.resolve("domains/a/data/0000000000000001-1.container");
    byte[] bytes = Files.readAllBytes(file);
    Stored last = all.getLast();
    int end = (int) last.where().endBytes();
    Arrays.fill(bytes, end - 100, end + 100, (byte) 0);
    Files.write(file, bytes);
    try (Containers containers = containers(DurableEnds.NONE)) {
      check(containers, all.subList(0, all.size() - 1));
      BlockLocation location = containers.locationOfSlot(1, last.where().firstSlot());
      // Whoever read the layout and whoever reads the directory speak of the same blocks.
      ContainerDirectory directory = containers.directory(1);
      assertEquals(location, directory.block(location.block()));
      assertTrue(directory.isLost(last.where().firstSlot()));
      checkDirectory(directory, all.subList(0, all.size() - 1));
      var e = assertThrows(CorruptDataException.class, () -> check(containers, last));
      assertTrue(e.file().endsWith("0000000000000001-1.container"), e::toString);
      assertEquals(location.offsetBytes(), e.offsetBytes());
    }
  }

  @Test
  void aFrameThatClaimsMoreSlotsBeforeItThanBytesCanHoldIsNone() throws IOException {
    byte[] bytes = ContainerBytes.samples().getLast();
    int first = ContainerFormat.HEADER_BYTES;
    int second =
        first + ContainerFormat.FRAME_BYTES + ContainerFormat.frameStoredBytes(bytes, first);
    ContainerFormat.encodeFrame(
        bytes,
        second,
        ContainerBytes.IDENTITY,
        second,
        ContainerFormat.frameStoredBytes(bytes, second),
        200_000,
        ContainerFormat.frameChunkCount(bytes, second),
        ContainerFormat.frameBlockCrc(bytes, second));
    bytes[first] = 0;
    for (boolean exact : new boolean[] {false, true}) {
      BlockScan.Found found =
          BlockScan.scan(new ContainerBytes(bytes), ContainerBytes.IDENTITY, bytes.length, exact);
      assertTrue(found.chunks().count() < bytes.length, found.chunks().count() + " slots");
    }
  }

  @Test
  void aTruncatedContainerNamesWhatIsDamagedAndServesTheRest() throws IOException {
    List<Stored> all;
    try (Containers containers = containers(DurableEnds.NONE)) {
      all = fill(containers, ChunkKind.DATA, 0, 7);
    }
    Path file = root.resolve("domains/a/data/0000000000000001-1.container");
    byte[] whole = Files.readAllBytes(file);
    for (int kept = 0; kept < whole.length; kept += 9973) {
      Files.write(file, Arrays.copyOf(whole, kept));
      try (Containers containers = containers(DurableEnds.NONE)) {
        assertFalse(verify(containers, 1).isEmpty());
        for (Stored stored : all) {
          if (stored.where().endBytes() <= kept) {
            check(containers, stored);
          } else {
            var e = assertThrows(CorruptDataException.class, () -> check(containers, stored));
            assertTrue(String.valueOf(e.getMessage()).contains("0000000000000001-1.container"));
          }
        }
      }
    }
  }

  @Test
  void aDeletedContainerIsGoneForNewReadersAndItsFileGoes() throws IOException {
    try (Containers containers = containers(DurableEnds.NONE)) {
      Stored stored = append(containers, ChunkKind.DATA, 1);
      assertThrows(IllegalArgumentException.class, () -> containers.delete(Set.of(1L)));
      containers.sealAll();
      check(containers, stored);
      containers.delete(Set.of(1L, 77L));
      assertThrows(ContainerGoneException.class, () -> check(containers, stored));
      assertFalse(containers.exists(1));
      assertEquals(2, append(containers, ChunkKind.DATA, 1).where().containerNumber());
    }
    assertFalse(Files.exists(root.resolve("domains/a/data/0000000000000001-1.container")));
  }

  @Test
  void aScanHandsOutEveryBlockAndTellsTheDamagedOnes() throws IOException {
    List<Stored> all;
    try (Containers containers = containers(DurableEnds.NONE)) {
      all = fill(containers, ChunkKind.NODE, 0, 10);
    }
    Path file = root.resolve("domains/a/node/0000000000000001-1.container");
    byte[] bytes = Files.readAllBytes(file);
    bytes[(int) all.get(4).where().endBytes() - 1] ^= 1;
    Files.write(file, bytes);
    List<String> seen = new ArrayList<>();
    try (Containers containers = containers(DurableEnds.NONE)) {
      containers.scan(
          1,
          new BlockVisitor() {
            @Override
            public void block(DecodedBlock block, ContainerDirectory directory) {
              for (int i = 0; i < block.chunkCount(); i++) {
                int slot = block.firstSlot() + i;
                byte[] chunk =
                    Arrays.copyOfRange(
                        block.bytes(),
                        block.offset(slot),
                        block.offset(slot) + block.lengthBytes(slot));
                assertArrayEquals(all.get(block.block()).block().chunks().get(i), chunk);
              }
              seen.add("block");
            }

            @Override
            public void damaged(
                BlockLocation location, ContainerDirectory directory, CorruptDataException why) {
              assertEquals(4, location.block());
              seen.add("damaged");
            }
          });
    }
    assertEquals(10, seen.size());
    assertEquals("damaged", seen.get(4));
  }

  @Test
  void aBlockThatIsNotWholeOrNotTheBatchesIsRefused() throws IOException {
    try (Containers containers = containers(DurableEnds.NONE)) {
      Blocks.Made block = Blocks.block(ChunkKind.DATA, 4, 3, 100);
      Blocks.Made other = Blocks.block(ChunkKind.DATA, 5, 3, 100);
      byte[] damaged = block.bytes().clone();
      damaged[damaged.length / 2] ^= 1;
      assertThrows(
          IllegalArgumentException.class,
          () -> containers.append(ChunkKind.DATA, damaged, 0, damaged.length, block.batch()));
      assertThrows(
          IllegalArgumentException.class,
          () ->
              containers.append(
                  ChunkKind.DATA, block.bytes(), 0, block.bytes().length, other.batch()));
      assertThrows(
          IllegalArgumentException.class,
          () ->
              containers.append(
                  ChunkKind.NODE, block.bytes(), 0, block.bytes().length, block.batch()));
      check(containers, append(containers, ChunkKind.DATA, 9));
    }
  }

  @Test
  void aPlaceThatHoldsAnotherChunkIsDamageAndNotWrongBytes() throws IOException {
    try (Containers containers = containers(DurableEnds.NONE)) {
      append(containers, ChunkKind.DATA, 3);
      byte[] other = new byte[Fingerprint.BYTES];
      assertThrows(
          CorruptDataException.class, () -> containers.readChunk(new ChunkPlace(1, 0), other, 0));
    }
  }

  @Test
  void cachesStayWithinTheirBounds() throws IOException {
    try (Containers containers = containers(DurableEnds.NONE)) {
      List<Stored> all = fill(containers, ChunkKind.DATA, 0, 120);
      check(containers, all);
      assertTrue(caches.blockBytes() + caches.layoutBytes() <= 2 << 20);
      caches.setBounds(100_000, 2_000);
      assertTrue(caches.blockBytes() <= 100_000 && caches.layoutBytes() <= 2_000);
      check(containers, all);
      containers.releaseCaches();
      assertEquals(0, caches.blockBytes() + caches.layoutBytes());
      check(containers, all);
    }
  }

  @Test
  void writersOfOneKindDoNotWaitForEachOtherAndLoseNothing() throws IOException {
    List<Stored> all = java.util.Collections.synchronizedList(new ArrayList<>());
    try (Containers containers = containers(DurableEnds.NONE)) {
      List<onefold.store.scheduler.TaskHandle> tasks = new ArrayList<>();
      for (int t = 0; t < 4; t++) {
        int from = t * 1000;
        tasks.add(
            scheduler.start(
                "writer",
                () -> {
                  try {
                    all.addAll(fill(containers, ChunkKind.DATA, from, 40));
                  } catch (IOException e) {
                    throw new IllegalStateException(e);
                  }
                }));
      }
      tasks.forEach(onefold.store.scheduler.TaskHandle::join);
      assertEquals(160, all.size());
      check(containers, all);
    }
    try (Containers containers = containers(DurableEnds.NONE)) {
      check(containers, all);
    }
  }
}
