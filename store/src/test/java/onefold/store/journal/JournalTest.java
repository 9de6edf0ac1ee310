package onefold.store.journal;

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
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.device.FileDevice;
import onefold.store.scheduler.Promise;
import onefold.store.scheduler.ThreadScheduler;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class JournalTest {
  private static final Id OWNER = new Id(1, 2);
  private static final JournalSettings SMALL = new JournalSettings(16 << 10, 1 << 20);

  @TempDir Path root;
  private CountingDevice device;
  private ThreadScheduler scheduler;

  @BeforeEach
  void open() throws IOException {
    device = new CountingDevice(new FileDevice(root));
    scheduler = new ThreadScheduler();
  }

  @AfterEach
  void close() {
    scheduler.close();
  }

  private Journal journal(long neededFrom) throws IOException {
    return Journal.open(
        device, scheduler, "journal", OWNER, 1, neededFrom, SMALL, GroupBarrier.NONE);
  }

  /** What record n holds: from nothing to 3 KB, so that a segment of the test holds a dozen. */
  private static byte[] payload(long n) {
    byte[] bytes = new byte[(int) (n * 397 % 3001)];
    new Random(n).nextBytes(bytes);
    return bytes;
  }

  private static void append(Journal journal, int from, int to) throws IOException {
    for (int n = from; n <= to; n++) {
      assertEquals(n, journal.append(n % 7 + 1, payload(n)).await().position());
    }
  }

  private static List<Long> positions(Journal journal, long from) throws IOException {
    List<Long> positions = new ArrayList<>();
    journal.replay(
        from,
        (position, type, payload) -> {
          assertArrayEquals(payload(position.position()), payload);
          assertEquals(position.position() % 7 + 1, type);
          assertEquals(1, position.epoch());
          positions.add(position.position());
        });
    return positions;
  }

  private static List<Long> range(long from, long to) {
    List<Long> numbers = new ArrayList<>();
    for (long n = from; n <= to; n++) {
      numbers.add(n);
    }
    return numbers;
  }

  private List<Path> segments() throws IOException {
    try (Stream<Path> files = Files.list(root.resolve("journal"))) {
      return files.filter(file -> file.toString().endsWith(".journal")).sorted().toList();
    }
  }

  @Test
  void whatIsAppendedIsReplayedInOrderOverManySegmentsAndRestarts() throws IOException {
    int last = 0;
    for (int round = 0; round < 4; round++) {
      try (Journal journal = journal(1)) {
        assertEquals(range(1, last), positions(journal, 1));
        append(journal, last + 1, last + 30);
        last += 30;
        assertEquals(range(1, last), positions(journal, 1));
        assertEquals(range(17, last), positions(journal, 17));
      }
    }
    assertTrue(segments().size() > 4);
  }

  @Test
  void recordsThatWaitShareOneForce() throws Exception {
    try (Journal journal =
        Journal.open(
            device,
            scheduler,
            "journal",
            OWNER,
            1,
            1,
            JournalSettings.DEFAULT,
            GroupBarrier.NONE)) {
      CountDownLatch entered = new CountDownLatch(1);
      CountDownLatch go = new CountDownLatch(1);
      device.beforeForce =
          () -> {
            entered.countDown();
            awaitLatch(go);
          };
      List<Promise<JournalPosition>> promises = new ArrayList<>();
      promises.add(journal.append(1, new byte[10]));
      entered.await();
      for (int i = 0; i < 500; i++) {
        promises.add(journal.append(1, new byte[10]));
      }
      int before = device.fileForces.get();
      go.countDown();
      for (Promise<JournalPosition> promise : promises) {
        promise.await();
      }
      assertEquals(2, device.fileForces.get() - before);
    }
  }

  private static void awaitLatch(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void theBarrierRunsOnceAGroupAndBeforeThePayloadsAreTaken() throws Exception {
    List<String> events = Collections.synchronizedList(new ArrayList<>());
    CountDownLatch entered = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    GroupBarrier barrier =
        keys -> {
          if (keys.equals(Set.of(0L))) {
            entered.countDown();
            awaitLatch(go);
          } else {
            events.add("barrier " + new java.util.TreeSet<>(keys));
          }
        };
    try (Journal journal =
        Journal.open(device, scheduler, "journal", OWNER, 1, 1, SMALL, barrier)) {
      var promises = new ArrayList<Promise<JournalPosition>>();
      promises.add(journal.append(1, () -> new byte[0], Set.of(0L)));
      entered.await();
      for (Set<Long> keys : List.of(Set.of(1L, 2L), Set.of(2L, 3L))) {
        promises.add(
            journal.append(
                1,
                () -> {
                  events.add("payload");
                  return new byte[1];
                },
                keys));
      }
      go.countDown();
      for (var promise : promises) {
        promise.await();
      }
      assertEquals("barrier [1, 2, 3]", events.get(0));
      assertEquals(List.of("payload", "payload"), events.subList(1, 3));
    }
  }

  @Test
  void aBarrierThatFailsFailsTheRecordsThatAskedForItAndNoOthers() throws IOException {
    GroupBarrier barrier =
        keys -> {
          throw new IOException("no space for " + keys);
        };
    try (Journal journal =
        Journal.open(device, scheduler, "journal", OWNER, 1, 1, SMALL, barrier)) {
      var refused = journal.append(1, () -> new byte[1], Set.of(7L));
      assertEquals(
          "no space for [7]", assertThrows(IOException.class, refused::await).getMessage());
      assertEquals(1, journal.append(1, payload(1)).await().position());
    }
  }

  @Test
  void aTailTornAtAnyByteIsCutAndTheRestStays() throws IOException {
    try (Journal journal = journal(1)) {
      append(journal, 1, 3);
    }
    byte[] whole = Files.readAllBytes(segments().getFirst());
    int records = JournalFormat.HEADER_BYTES;
    int[] ends = new int[4];
    for (int n = 1; n <= 3; n++) {
      records += JournalFormat.recordBytes(payload(n).length);
      ends[n] = records;
    }
    // The clean end and the witnesses prove more than this test wants: cut them off.
    for (int cut = JournalFormat.HEADER_BYTES; cut <= ends[1] + 100; cut += 29) {
      clear();
      byte[] torn = Arrays.copyOf(Arrays.copyOf(whole, cut), 16 << 10);
      Files.write(root.resolve("journal").resolve(JournalFormat.segmentName(1)), torn);
      try (Journal journal = journal(1)) {
        assertFalse(journal.damage().isPresent());
        long expected = cut >= ends[1] ? 1 : 0;
        assertEquals(range(1, expected), positions(journal, 1));
        append(journal, (int) expected + 1, (int) expected + 20);
      }
      try (Journal journal = journal(1)) {
        assertEquals(cut >= ends[1] ? 21 : 20, positions(journal, 1).size());
      }
    }
  }

  private void clear() throws IOException {
    try (Stream<Path> files = Files.list(root.resolve("journal"))) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
  }

  @Test
  void everyFlippedBitUnderAnAcknowledgedRecordIsDamageAndNotTheEnd() throws IOException {
    try (Journal journal = journal(1)) {
      append(journal, 1, 12);
    }
    List<Path> segments = segments();
    Random random = new Random(5);
    for (int round = 0; round < 120; round++) {
      Path file = segments.get(random.nextInt(segments.size()));
      byte[] whole = Files.readAllBytes(file);
      byte[] flipped = whole.clone();
      int offset = random.nextInt(whole.length);
      flipped[offset] ^= (byte) (1 << random.nextInt(8));
      Files.write(file, flipped);
      List<Long> seen = new ArrayList<>();
      boolean damaged;
      try (Journal journal = journal(1)) {
        damaged = journal.damage().isPresent();
        if (damaged) {
          assertThrows(
              CorruptDataException.class,
              () -> journal.replay(1, (position, type, payload) -> seen.add(position.position())));
          assertThrows(CorruptDataException.class, () -> journal.append(1, new byte[1]).await());
        } else {
          // A witness, the end record or padding was hit: nothing may be missing.
          assertEquals(range(1, 12), positions(journal, 1), "offset " + offset);
        }
      }
      assertEquals(range(1, seen.size()), seen);
      for (Path other : segments()) {
        if (!segments.contains(other)) {
          Files.delete(other);
        }
      }
      Files.write(file, whole);
    }
  }

  @Test
  void aMissingSegmentAndAMissingJournalAreDamage() throws IOException {
    try (Journal journal = journal(1)) {
      append(journal, 1, 40);
    }
    Files.delete(segments().get(1));
    try (Journal journal = journal(1)) {
      assertTrue(journal.damage().isPresent());
    }
    clear();
    try (Journal journal = journal(41)) {
      assertTrue(journal.damage().isPresent());
    }
    try (Journal journal = journal(1)) {
      assertFalse(journal.damage().isPresent());
    }
  }

  @Test
  void aNewestSegmentThatIsMissingCutOrWipedIsDamageThatIsNamed() throws IOException {
    try (Journal journal = journal(1)) {
      append(journal, 1, 40);
    }
    List<Path> all = segments();
    Path newest = all.getLast();
    byte[] whole = Files.readAllBytes(newest);
    byte[] wiped = whole.clone();
    Arrays.fill(wiped, wiped.length / 2, wiped.length, (byte) 0);
    for (byte[] instead : new byte[][] {{}, Arrays.copyOf(whole, whole.length / 2), wiped, null}) {
      if (instead == null) {
        Files.delete(newest);
      } else {
        Files.write(newest, instead);
      }
      try (Journal journal = journal(1)) {
        CorruptDataException damage = journal.damage().orElseThrow();
        Path named = instead == null ? all.get(all.size() - 2) : newest;
        assertEquals("journal/" + named.getFileName(), damage.file());
        assertTrue(damage.offsetBytes() >= 0, damage::toString);
      }
    }
    Files.write(newest, whole);
    try (Journal journal = journal(1)) {
      assertEquals(range(1, 40), positions(journal, 1));
    }
  }

  @Test
  void theWitnessFileIsNotNeeded() throws IOException {
    try (Journal journal = journal(1)) {
      append(journal, 1, 5);
    }
    Path witness = root.resolve("journal/witness");
    byte[] whole = Files.readAllBytes(witness);
    assertEquals(6, JournalFormat.decodeWitness(whole, OWNER));
    Random random = new Random(7);
    for (int round = 0; round < 20; round++) {
      byte[] other = Arrays.copyOf(whole, round % 4 == 0 ? random.nextInt(64) : 64);
      if (other.length == 64) {
        other[random.nextInt(64)] ^= (byte) (1 << random.nextInt(8));
      }
      Files.write(witness, other);
      try (Journal journal = journal(1)) {
        assertEquals(range(1, 5), positions(journal, 1));
      }
      assertArrayEquals(whole, Files.readAllBytes(witness));
    }
    Files.delete(witness);
    try (Journal journal = journal(1)) {
      assertEquals(range(1, 5), positions(journal, 1));
      append(journal, 6, 7);
    }
    assertEquals(8, JournalFormat.decodeWitness(Files.readAllBytes(witness), OWNER));
  }

  @Test
  void aLossThatIsAcceptedIsToldAndNoPositionIsGivenTwice() throws IOException {
    try (Journal journal = journal(1)) {
      append(journal, 1, 40);
    }
    Path second = segments().get(1);
    byte[] bytes = Files.readAllBytes(second);
    bytes[JournalFormat.HEADER_BYTES + 20] ^= 1;
    Files.write(second, bytes);
    for (int round = 0; round < 2; round++) {
      try (Journal journal = journal(1)) {
        if (round == 0) {
          journal.acceptLoss();
        }
        List<Long> seen = new ArrayList<>();
        List<String> lost = new ArrayList<>();
        journal.replay(
            1,
            new JournalVisitor() {
              @Override
              public void record(JournalPosition position, int type, byte[] payload) {
                seen.add(position.position());
              }

              @Override
              public void lost(long from, long to, CorruptDataException why) {
                lost.add(from + " to " + to);
              }
            });
        assertEquals(1, lost.size() - round);
        assertEquals(round == 0 ? 39 : 40, seen.size());
        assertTrue(seen.contains(40L));
        if (round == 0) {
          assertTrue(journal.append(1, new byte[1]).await().position() >= 40 + Journal.LOSS_GAP);
        }
      }
    }
  }

  @Test
  void trimmedSegmentsAreRecycledAndTheirOldRecordsNeverReadAsNew() throws IOException {
    int last = 0;
    for (int round = 0; round < 6; round++) {
      try (Journal journal = journal(Math.max(1, last - 9))) {
        for (int i = 0; i < 6; i++) {
          append(journal, last + 1, last + 20);
          last += 20;
          journal.trim(last - 10);
          assertTrue(positions(journal, last - 9).equals(range(last - 9, last)));
        }
        long tooEarly = 1;
        assertThrows(CorruptDataException.class, () -> journal.replay(tooEarly, (p, t, b) -> {}));
      }
      assertTrue(segments().size() <= 4, () -> "segments left");
    }
  }

  @Test
  void aRecordLongerThanASegmentGetsOneOfItsOwn() throws IOException {
    byte[] big = new byte[100 << 10];
    new Random(1).nextBytes(big);
    try (Journal journal = journal(1)) {
      for (int i = 0; i < 3; i++) {
        journal.append(3, new byte[9000]).await();
        journal.append(4, big).await();
      }
      assertThrows(
          IllegalArgumentException.class,
          () -> journal.append(1, new byte[Journal.MAX_PAYLOAD_BYTES + 1]));
      assertThrows(IllegalArgumentException.class, () -> journal.append(0, new byte[1]));
    }
    try (Journal journal = journal(1)) {
      List<Integer> lengths = new ArrayList<>();
      journal.replay(1, (position, type, payload) -> lengths.add(payload.length));
      assertEquals(List.of(9000, big.length, 9000, big.length, 9000, big.length), lengths);
    }
  }

  @Test
  void anotherOwnerALowerEpochAndANewerVersionAreRefused() throws IOException {
    Journal.open(device, scheduler, "journal", OWNER, 5, 1, SMALL, GroupBarrier.NONE).close();
    assertThrows(IOException.class, () -> journal(1));
    assertThrows(
        IOException.class,
        () ->
            Journal.open(
                device, scheduler, "journal", new Id(9, 9), 5, 1, SMALL, GroupBarrier.NONE));
    byte[] bytes = Files.readAllBytes(segments().getFirst());
    bytes[8] = 2;
    int crc = JournalFormat.crc(bytes, 0, 124);
    for (int i = 0; i < 4; i++) {
      bytes[124 + i] = (byte) (crc >>> (8 * i));
    }
    Files.write(segments().getFirst(), bytes);
    String message =
        assertThrows(
                IOException.class,
                () ->
                    Journal.open(
                        device, scheduler, "journal", OWNER, 5, 1, SMALL, GroupBarrier.NONE))
            .getMessage();
    assertTrue(String.valueOf(message).contains("journal version 2"), message);
  }

  @Test
  void aClosedJournalRefusesRecords() throws IOException {
    Journal journal = journal(1);
    append(journal, 1, 3);
    journal.close();
    journal.close();
    assertThrows(IOException.class, () -> journal.append(1, new byte[1]).await());
  }
}
