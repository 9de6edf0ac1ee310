package onefold.store.container;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import onefold.chunker.ChunkKind;
import onefold.chunker.ParameterSet;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.StoreFullException;
import onefold.store.container.ParityFormat.Shape;
import onefold.store.scheduler.ThreadScheduler;
import onefold.store.simulation.SimulatedDevice;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A sealed container survives the loss of any one run of its bytes. */
class ParityTest {
  private static final Id DOMAIN = new Id(3, 4);
  private static final String NAME = "d/data/0000000000000001-1.container";
  private static final String PARITY = "d/data/0000000000000001-1.parity";

  private final long seed = Long.getLong("onefold.seed", System.nanoTime());
  private final SplittableRandom random = new SplittableRandom(seed);
  private final SimulatedDevice device = new SimulatedDevice();
  private final ThreadScheduler scheduler = new ThreadScheduler();

  @AfterEach
  void close() {
    scheduler.close();
  }

  /** A store with one sealed container of about a size, with its parity. */
  private Containers covered(int bytes) throws IOException {
    Containers containers = open();
    int about = 0;
    for (int i = 0; about < bytes; i++) {
      Blocks.Made block = Blocks.block(ChunkKind.DATA, 2L * i, 8, 30_000);
      Appended ignored =
          containers.append(ChunkKind.DATA, block.bytes(), 0, block.bytes().length, block.batch());
      about += block.bytes().length;
    }
    containers.endOpen(ChunkKind.DATA);
    containers.awaitSealing();
    assertEquals(List.of(1L), containers.withoutParity());
    assertTrue(containers.writeParity(1, ReadPace.NONE));
    assertEquals(List.of(), containers.withoutParity());
    return containers;
  }

  private Containers open() throws IOException {
    return Containers.open(
        device,
        scheduler,
        "d",
        DOMAIN,
        ParameterSet.SET_1,
        1,
        ContainerSettings.ofSize(64 << 20),
        new DurableEnds() {
          @Override
          public long endBytes(long containerNumber) {
            return 0;
          }

          @Override
          public long nextContainerNumber() {
            return 1;
          }
        },
        SealListener.NONE);
  }

  /** Damages a run of bytes in one of the ways in which disks do. */
  private void damage(int from, int length) throws IOException {
    byte[] now = device.peek(NAME);
    byte[] other = Arrays.copyOfRange(now, from, from + length);
    switch (random.nextInt(4)) {
      case 0 -> random.nextBytes(other);
      case 1 -> Arrays.fill(other, (byte) 0);
      case 2 -> {
        int stale = random.nextInt(now.length - length + 1); // Bytes of another place.
        System.arraycopy(now, stale, other, 0, length);
      }
      default -> {
        if (from + length == now.length) {
          device.truncateAtRest(NAME, from);
          return;
        }
        other[random.nextInt(length)] ^= 4;
      }
    }
    device.overwriteAtRest(NAME, from, other);
  }

  @Test
  void anyOneRunOfTheContainerMayBeLostHeaderAndDirectoryIncluded() throws IOException {
    int healed = 0;
    for (int size : new int[] {1, 9_000, 700_000, 1_300_000, 5_000_000}) {
      device.files().forEach(this::delete);
      try (Containers containers = covered(size)) {
        byte[] sealed = device.peek(NAME);
        int most = Math.min(ParityFormat.SURVIVED_BYTES, sealed.length);
        int footer = sealed.length - ContainerFormat.FOOTER_BYTES;
        List<int[]> runs = new ArrayList<>();
        runs.add(new int[] {0, most}); // The header, and what follows.
        runs.add(new int[] {0, ContainerFormat.HEADER_BYTES});
        runs.add(new int[] {sealed.length - most, most}); // The directory, and what is before.
        runs.add(new int[] {footer, ContainerFormat.FOOTER_BYTES});
        runs.add(new int[] {Math.max(0, footer - 100), 200}); // Across both.
        runs.add(new int[] {(sealed.length - most) / 2, most});
        for (int i = 0; i < 12; i++) {
          int length = 1 + random.nextInt(most);
          runs.add(new int[] {random.nextInt(sealed.length - length + 1), length});
        }
        for (int[] run : runs) {
          damage(run[0], run[1]);
          boolean differs = !Arrays.equals(sealed, device.peek(NAME));
          long made = containers.repair(1, ReadPace.NONE);
          assertEquals(differs, made > 0, () -> run(run));
          assertArrayEquals(sealed, device.peek(NAME), () -> run(run));
          assertTrue(made <= most + 2 * ParityFormat.SECTOR_BYTES, () -> run(run));
          healed += differs ? 1 : 0;
        }
        assertEquals(List.of(NAME, PARITY), filesOfTheContainer());
      }
    }
    assertTrue(healed > 60, "healed " + healed);
  }

  private String run(int[] run) {
    return run[1] + " bytes from " + run[0] + ", onefold.seed=" + seed;
  }

  private void delete(String path) {
    try {
      device.delete(path);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private List<String> filesOfTheContainer() {
    return device.files().stream().filter(file -> file.contains("/0000000000000001-")).toList();
  }

  @Test
  void readersSeeTheRepairedFile() throws IOException {
    try (Containers containers = covered(2_000_000)) {
      Blocks.Made first = Blocks.block(ChunkKind.DATA, 0, 8, 30_000);
      device.zeroSectors(NAME, 0, 16);
      containers.releaseCaches();
      assertThrows(CorruptDataException.class, () -> containers.readBlock(1, 1, 0));
      assertTrue(containers.repair(1, ReadPace.NONE) > 0);
      assertArrayEquals(first.bytes(), containers.readBlock(1, 1, 0).bytes());
      List<Finding> findings = new ArrayList<>();
      assertTrue(containers.check(1, true, ReadPace.NONE, findings::add) > 0);
      assertEquals(List.of(), findings);
    }
  }

  @Test
  void itIsBornWhenAContainerIsSealedAtTheEndToo() throws IOException {
    Blocks.Made block = Blocks.block(ChunkKind.DATA, 3, 8, 30_000);
    try (Containers containers = open()) {
      containers.keepParity(true);
      for (int i = 0; i < 2; i++) {
        Appended ignored =
            containers.append(
                ChunkKind.DATA, block.bytes(), 0, block.bytes().length, block.batch());
        if (i == 0) {
          containers.endOpen(ChunkKind.DATA);
          containers.awaitSealing();
          assertTrue(containers.hasParity(1));
          containers.checkParity(1, ReadPace.NONE);
        }
      }
    }
    try (Containers containers = open()) {
      assertEquals(List.of(), containers.withoutParity());
      containers.checkParity(2, ReadPace.NONE);
    }
  }

  @Test
  void aParityForWhichThereIsNoSpaceDoesNotKeepAContainerFromBeingSealed() throws IOException {
    Blocks.Made block = Blocks.block(ChunkKind.DATA, 3, 8, 30_000);
    try (Containers containers = open()) {
      containers.keepParity(true);
      Appended ignored =
          containers.append(ChunkKind.DATA, block.bytes(), 0, block.bytes().length, block.batch());
      device.setCapacityBytes(device.usedBytes() + 50_000);
      containers.endOpen(ChunkKind.DATA);
      containers.awaitSealing();
      assertTrue(containers.isSealed(1));
      assertEquals(List.of(1L), containers.withoutParity());
      assertEquals(List.of(NAME), filesOfTheContainer());
      device.setCapacityBytes(SimulatedDevice.DEFAULT_CAPACITY_BYTES);
      assertTrue(containers.writeParity(1, ReadPace.NONE));
    }
  }

  @Test
  void moreThanThatIsRefusedAndLeftAsItIs() throws IOException {
    try (Containers containers = covered(3_000_000)) {
      device.flipBit(NAME, 5_000, 1);
      long sameColumn = 5_000L + (long) ParityFormat.SEGMENT_SECTORS * ParityFormat.SECTOR_BYTES;
      device.flipBit(NAME, sameColumn, 1);
      byte[] damaged = device.peek(NAME);
      CorruptDataException refusal =
          assertThrows(CorruptDataException.class, () -> containers.repair(1, ReadPace.NONE));
      assertTrue(String.valueOf(refusal.getMessage()).contains("one lost sector in a column"));
      assertArrayEquals(damaged, device.peek(NAME));
      assertEquals(List.of(NAME, PARITY), filesOfTheContainer());
    }
  }

  @Test
  void damagedParityIsNoticedAndStillServesAsFarAsItIsSound() throws IOException {
    try (Containers containers = covered(3_000_000)) {
      byte[] sealed = device.peek(NAME);
      byte[] parity = device.peek(PARITY);
      Shape shape = new Shape(sealed.length);
      assertEquals(shape.fileBytes(), parity.length);
      containers.checkParity(1, ReadPace.NONE);
      long[] places = {
        5, // The first header,
        ParityFormat.HEADER_BYTES + 3, // the first table,
        shape.parityOffset() + 70_000, // the parity of another column,
        shape.secondTableOffset() + 9,
        shape.secondHeaderOffset() + 60
      };
      for (long place : places) {
        device.flipBit(PARITY, place, 3);
        assertThrows(CorruptDataException.class, () -> containers.checkParity(1, ReadPace.NONE));
        device.zeroSectors(NAME, 0, 4);
        assertTrue(containers.repair(1, ReadPace.NONE) > 0);
        assertArrayEquals(sealed, device.peek(NAME));
        device.flipBit(PARITY, place, 3);
        containers.checkParity(1, ReadPace.NONE);
      }
      // The parity of the very column that is lost.
      device.flipBit(PARITY, shape.parityOffset() + 100, 3);
      device.flipBit(NAME, 100, 3);
      assertThrows(CorruptDataException.class, () -> containers.repair(1, ReadPace.NONE));
      device.flipBit(NAME, 100, 3);
      assertTrue(containers.writeParity(1, ReadPace.NONE));
      assertArrayEquals(parity, device.peek(PARITY));
    }
  }

  @Test
  void aFullDiskLeavesTheContainerAsItIs() throws IOException {
    try (Containers containers = covered(2_000_000)) {
      byte[] sealed = device.peek(NAME);
      device.zeroSectors(NAME, 3, 9);
      byte[] damaged = device.peek(NAME);
      device.setCapacityBytes(device.usedBytes() + 500_000);
      assertThrows(StoreFullException.class, () -> containers.repair(1, ReadPace.NONE));
      assertArrayEquals(damaged, device.peek(NAME));
      assertEquals(List.of(NAME, PARITY), filesOfTheContainer());
      device.setCapacityBytes(SimulatedDevice.DEFAULT_CAPACITY_BYTES);
      assertTrue(containers.repair(1, ReadPace.NONE) > 0);
      assertArrayEquals(sealed, device.peek(NAME));
    }
  }

  @Test
  void parityGoesWithItsContainerAndLeftoversGoAtTheNextStart() throws IOException {
    try (Containers containers = covered(200_000)) {
      assertTrue(containers.hasParity(1));
      assertTrue(containers.parityBytes(containers.info(1)) > 0);
    }
    for (String left :
        List.of(
            "d/data/0000000000000001-1.parity-new",
            "d/data/0000000000000001-1.container-new",
            "d/data/0000000000000009-1.parity")) {
      device.create(left).close();
    }
    try (Containers containers = open()) {
      assertTrue(containers.hasParity(1));
      assertEquals(List.of(NAME, PARITY), filesOfTheContainer());
      assertFalse(device.exists("d/data/0000000000000009-1.parity"));
      containers.delete(List.of(1L));
      assertEquals(List.of(), filesOfTheContainer());
    }
  }
}
