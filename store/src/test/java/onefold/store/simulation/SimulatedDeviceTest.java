package onefold.store.simulation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import onefold.store.StoreFullException;
import onefold.store.device.Device;
import onefold.store.device.DeviceFile;
import onefold.store.device.DeviceForceException;
import onefold.store.simulation.DeviceCall.Kind;
import onefold.store.simulation.Faults.Outcome;
import org.junit.jupiter.api.Test;

final class SimulatedDeviceTest extends DeviceContract {
  @Override
  Device device() {
    return new SimulatedDevice();
  }

  private static SimulatedDevice deviceWithForcedFile(byte[] content) throws IOException {
    var device = new SimulatedDevice();
    try (DeviceFile file = device.create("a")) {
      file.write(0, ByteBuffer.wrap(content));
      file.force();
    }
    device.forceDirectory("");
    return device;
  }

  @Test
  void whatIsForcedSurvivesEveryModel() throws IOException {
    SimulatedDevice device = deviceWithForcedFile(bytes(3000, 1));
    assertEquals(0, device.pendingCount());
    for (CrashModel model : CrashModel.values()) {
      assertArrayEquals(bytes(3000, 1), device.crash(model, 1).peek("a"), model.name());
    }
  }

  @Test
  void aFileWhoseNameWasNotForcedMayBeGone() throws IOException {
    var device = new SimulatedDevice();
    try (DeviceFile file = device.create("a")) {
      file.write(0, ByteBuffer.wrap(bytes(10, 1)));
      file.force();
    }
    assertTrue(device.crash(CrashModel.LOSE_ALL, 1).files().isEmpty());
    assertArrayEquals(bytes(10, 1), device.crash(CrashModel.NAMES_WITHOUT_CONTENT, 1).peek("a"));
    assertTrue(device.crash(CrashModel.CONTENT_WITHOUT_NAMES, 1).files().isEmpty());
  }

  @Test
  void aDirectoryWhoseNameWasNotForcedMayBeGoneWithAllInIt() throws IOException {
    var device = new SimulatedDevice();
    device.createDirectories("d/e");
    device.create("d/e/a").close();
    device.forceDirectory("d/e");
    device.forceDirectory("d");
    assertFalse(device.crash(CrashModel.LOSE_ALL, 1).exists("d"));
    device.forceDirectory("");
    assertTrue(device.crash(CrashModel.LOSE_ALL, 1).exists("d/e/a"));
  }

  @Test
  void aDeletedFileMayComeBack() throws IOException {
    SimulatedDevice device = deviceWithForcedFile(bytes(10, 1));
    device.delete("a");
    assertEquals(List.of("a"), device.crash(CrashModel.LOSE_ALL, 1).files());
    assertTrue(device.crash(CrashModel.KEEP_ALL, 1).files().isEmpty());
    device.forceDirectory("");
    assertTrue(device.crash(CrashModel.LOSE_ALL, 1).files().isEmpty());
  }

  @Test
  void aRenameInOneDirectoryIsOldOrNewAndNeverBothOrNone() throws IOException {
    SimulatedDevice device = deviceWithForcedFile(bytes(10, 1));
    device.rename("a", "b");
    Set<List<String>> seen = new HashSet<>();
    for (long seed = 0; seed < 200; seed++) {
      seen.add(device.crash(seed).files());
    }
    assertEquals(Set.of(List.of("a"), List.of("b")), seen);
  }

  @Test
  void anOverwriteMayTearAtSectorsAndBytesAndOnlyThere() throws IOException {
    byte[] old = bytes(2048, 1);
    byte[] young = bytes(2048, 100);
    SimulatedDevice device = deviceWithForcedFile(old);
    try (DeviceFile file = device.open("a", true)) {
      file.write(0, ByteBuffer.wrap(young));
    }
    var sectorStates = new HashSet<Integer>();
    boolean tornInside = false;
    for (long seed = 0; seed < 300; seed++) {
      byte[] torn = device.crash(CrashModel.TORN_SECTORS, seed).peek("a");
      int state = 0;
      for (int sector = 0; sector < 4; sector++) {
        byte[] found = Arrays.copyOfRange(torn, sector * 512, sector * 512 + 512);
        boolean isYoung =
            Arrays.equals(found, Arrays.copyOfRange(young, sector * 512, sector * 512 + 512));
        assertTrue(
            isYoung
                || Arrays.equals(found, Arrays.copyOfRange(old, sector * 512, sector * 512 + 512)));
        state |= isYoung ? 1 << sector : 0;
      }
      sectorStates.add(state);
      byte[] tornBytes = device.crash(CrashModel.TORN_BYTES, seed).peek("a");
      for (int i = 0; i < tornBytes.length; i++) {
        assertTrue(tornBytes[i] == old[i] || tornBytes[i] == young[i]);
        tornInside |=
            i % 512 != 0 && (tornBytes[i] == young[i]) != (tornBytes[i - 1] == young[i - 1]);
      }
    }
    assertEquals(16, sectorStates.size());
    assertTrue(tornInside);
  }

  @Test
  void anAppendMayLeaveItsSizeWithoutItsBytes() throws IOException {
    SimulatedDevice device = deviceWithForcedFile(bytes(700, 1));
    try (DeviceFile file = device.open("a", true)) {
      file.write(700, ByteBuffer.wrap(bytes(1000, 2)));
    }
    assertArrayEquals(
        Arrays.copyOf(bytes(700, 1), 1700),
        device.crash(CrashModel.SIZES_WITHOUT_DATA, 1).peek("a"));
    byte[] garbage = device.crash(CrashModel.SIZES_WITH_GARBAGE, 1).peek("a");
    assertEquals(1700, garbage.length);
    assertArrayEquals(bytes(700, 1), Arrays.copyOf(garbage, 700));
    var sizes = new TreeSet<Integer>();
    for (long seed = 0; seed < 100; seed++) {
      byte[] found = device.crash(seed).peek("a");
      assertArrayEquals(bytes(700, 1), Arrays.copyOf(found, 700));
      sizes.add(found.length);
    }
    assertTrue(sizes.contains(700) && sizes.contains(1700) && sizes.size() > 3, sizes.toString());
  }

  @Test
  void everyModelIsReachedBySeed() throws IOException {
    var device = new SimulatedDevice();
    for (int i = 0; i < 8; i++) {
      try (DeviceFile file = device.create("f" + i)) {
        file.write(0, ByteBuffer.wrap(bytes(1200, i)));
      }
    }
    var states = new HashSet<Integer>();
    for (long seed = 0; seed < 400; seed++) {
      SimulatedDevice after = device.crash(seed);
      int hash = after.files().hashCode();
      for (String path : after.files()) {
        hash = hash * 31 + Arrays.hashCode(after.peek(path));
      }
      states.add(hash);
      assertEquals(0, after.pendingCount());
    }
    assertTrue(states.size() > 100, states.size() + " states");
  }

  @Test
  void crashStatesAndForksLeaveEachOtherAlone() throws IOException {
    SimulatedDevice device = deviceWithForcedFile(bytes(5000, 1));
    SimulatedDevice after = device.crash(CrashModel.KEEP_ALL, 1);
    SimulatedDevice fork = device.fork();
    for (SimulatedDevice other : List.of(after, fork)) {
      try (DeviceFile file = other.open("a", true)) {
        file.write(0, ByteBuffer.wrap(new byte[5000]));
        file.force();
      }
    }
    assertArrayEquals(bytes(5000, 1), device.peek("a"));
    assertArrayEquals(bytes(5000, 1), device.crash(CrashModel.LOSE_ALL, 1).peek("a"));
    assertArrayEquals(new byte[5000], fork.crash(CrashModel.LOSE_ALL, 1).peek("a"));
  }

  @Test
  void aForkKeepsWhatIsPending() throws IOException {
    SimulatedDevice device = deviceWithForcedFile(bytes(10, 1));
    try (DeviceFile file = device.open("a", true)) {
      file.write(0, ByteBuffer.wrap(bytes(10, 9)));
    }
    SimulatedDevice fork = device.fork();
    assertArrayEquals(bytes(10, 9), fork.peek("a"));
    assertArrayEquals(bytes(10, 1), fork.crash(CrashModel.LOSE_ALL, 1).peek("a"));
    assertArrayEquals(bytes(10, 9), fork.crash(CrashModel.KEEP_ALL, 1).peek("a"));
  }

  @Test
  void spaceRunsOutAndReturns() throws IOException {
    var device = new SimulatedDevice();
    device.setCapacityBytes(1000);
    DeviceFile file = device.create("a");
    file.write(0, ByteBuffer.wrap(bytes(600, 1)));
    assertThrows(StoreFullException.class, () -> file.write(600, ByteBuffer.wrap(bytes(500, 1))));
    assertTrue(device.usedBytes() <= 1000);
    file.truncate(600);
    assertThrows(StoreFullException.class, () -> file.allocate(1001));
    file.write(0, ByteBuffer.wrap(bytes(600, 2)));
    assertEquals(400, device.freeBytes());
    device.delete("a");
    assertEquals(400, device.freeBytes());
    file.close();
    assertEquals(1000, device.freeBytes());
    try (DeviceFile other = device.create("b")) {
      other.allocate(1000);
    }
    assertEquals(0, device.freeBytes());
    assertEquals(0, device.crash(CrashModel.KEEP_ALL, 1).freeBytes());
    assertEquals(1000, device.crash(CrashModel.LOSE_ALL, 1).freeBytes());
  }

  @Test
  void faultsHitTheCallTheyNameAndNoOther() throws IOException {
    var device = new SimulatedDevice();
    device.setFaults(Faults.atCall(3, Outcome.FULL));
    DeviceFile file = device.create("a");
    file.write(0, ByteBuffer.wrap(bytes(10, 1)));
    assertThrows(StoreFullException.class, () -> file.write(10, ByteBuffer.wrap(bytes(10, 1))));
    file.write(10, ByteBuffer.wrap(bytes(10, 1)));
    assertEquals(4, device.callCount());
    assertEquals(3, device.callCount(Kind.WRITE));
    device.setFaults(Faults.atNth(Kind.READ, 2, Outcome.IO_ERROR));
    file.readFully(0, ByteBuffer.allocate(5));
    assertThrows(IOException.class, () -> file.readFully(0, ByteBuffer.allocate(5)));
    file.readFully(0, ByteBuffer.allocate(5));
    device.setFaults(Faults.allFrom(0, Kind.RENAME, Outcome.IO_ERROR));
    assertThrows(IOException.class, () -> device.rename("a", "b"));
    assertThrows(IOException.class, () -> device.rename("a", "b"));
    assertTrue(device.exists("a"));
    file.close();
  }

  @Test
  void aFailedForceIsTheEndOfTheDevice() throws IOException {
    var device = new SimulatedDevice();
    device.setFaults(Faults.atNth(Kind.FORCE, 1, Outcome.IO_ERROR));
    DeviceFile file = device.create("a");
    file.write(0, ByteBuffer.wrap(bytes(10, 1)));
    var first = assertThrows(DeviceForceException.class, file::force);
    assertSame(first, assertThrows(DeviceForceException.class, file::force).getCause());
    assertSame(
        first, assertThrows(DeviceForceException.class, () -> device.exists("a")).getCause());
    assertSame(
        first,
        assertThrows(DeviceForceException.class, () -> file.read(0, ByteBuffer.allocate(1)))
            .getCause());
    file.close();
  }

  @Test
  void readsAndWritesLieWhenTheyAreTold() throws IOException {
    SimulatedDevice device = deviceWithForcedFile(bytes(4096, 1));
    try (DeviceFile file = device.open("a", true)) {
      file.write(0, ByteBuffer.wrap(bytes(512, 77)));
      for (Outcome outcome : EnumSet.of(Outcome.STALE_READ, Outcome.FLIPPED_READ)) {
        device.setFaults(Faults.atNth(Kind.READ, 1, outcome));
        ByteBuffer found = ByteBuffer.allocate(512);
        file.readFully(0, found);
        assertNotEquals(ByteBuffer.wrap(bytes(512, 77)), found.flip(), outcome.name());
        ByteBuffer again = ByteBuffer.allocate(512);
        file.readFully(0, again);
        assertEquals(ByteBuffer.wrap(bytes(512, 77)), again.flip());
      }
      device.setFaults(Faults.allFrom(0, Kind.READ, Outcome.MISDIRECTED_READ));
      Set<ByteBuffer> places = new HashSet<>();
      for (int i = 0; i < 50; i++) {
        ByteBuffer found = ByteBuffer.allocate(512);
        file.readFully(0, found);
        places.add(found.flip());
      }
      assertTrue(places.size() > 1);
      device.setFaults(Faults.atNth(Kind.WRITE, 1, Outcome.LOST_WRITE));
      byte[] before = device.peek("a");
      file.write(0, ByteBuffer.wrap(new byte[512]));
      assertArrayEquals(before, device.peek("a"));
      device.setFaults(Faults.atNth(Kind.FORCE, 1, Outcome.LOST_FORCE));
      file.force();
      assertArrayEquals(bytes(4096, 1), device.crash(CrashModel.LOSE_ALL, 1).peek("a"));
    }
  }

  @Test
  void damageAtRestIsSeenNowAndAfterACrash() throws IOException {
    SimulatedDevice device = deviceWithForcedFile(bytes(2000, 1));
    device.flipBit("a", 100, 3);
    byte[] expected = bytes(2000, 1);
    expected[100] ^= 8;
    assertArrayEquals(expected, device.peek("a"));
    assertArrayEquals(expected, device.crash(CrashModel.LOSE_ALL, 1).peek("a"));
    device.zeroSectors("a", 3, 10);
    Arrays.fill(expected, 1536, 2000, (byte) 0);
    assertArrayEquals(expected, device.crash(CrashModel.LOSE_ALL, 1).peek("a"));
    device.truncateAtRest("a", 50);
    assertArrayEquals(Arrays.copyOf(expected, 50), device.crash(CrashModel.LOSE_ALL, 1).peek("a"));
  }

  @Test
  void powerGoesAtTheCallItIsToldTo() throws IOException {
    var sizes = new TreeSet<Integer>();
    for (long seed = 0; seed < 40; seed++) {
      var simulation = new Simulation(seed);
      simulation.device().setFaults(Faults.atNth(Kind.WRITE, 2, Outcome.CRASH));
      assertThrows(
          SimulatedCrash.class,
          () ->
              simulation.run(() -> {
                try (DeviceFile file = simulation.device().create("a")) {
                  file.write(0, ByteBuffer.wrap(bytes(10, 1)));
                  file.write(10, ByteBuffer.wrap(bytes(10, 1)));
                  file.write(20, ByteBuffer.wrap(bytes(10, 1)));
                }
                return null;
              }));
      assertThrows(SimulatedCrash.class, () -> simulation.device().exists("a"));
      sizes.add(simulation.afterProcessEnd(seed).device().peek("a").length);
    }
    assertEquals(Set.of(10, 20), sizes);
  }

  @Test
  void whatIsWrittenDuringAForceIsNotCoveredByIt() throws Exception {
    boolean lost = false;
    for (long seed = 0; seed < 200; seed++) {
      var simulation = new Simulation(seed);
      simulation.run(() -> {
        DeviceFile file = simulation.device().create("a");
        simulation.device().forceDirectory("");
        var writer =
            simulation
                .scheduler()
                .start(
                    "writer",
                    () -> {
                      try {
                        file.write(0, ByteBuffer.wrap(bytes(10, 1)));
                      } catch (IOException e) {
                        throw new AssertionError(e);
                      }
                    });
        file.force();
        writer.join();
        file.close();
        return null;
      });
      lost |= simulation.device().pendingCount() > 0;
    }
    assertTrue(lost);
  }
}
