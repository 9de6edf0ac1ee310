package onefold.store.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import onefold.store.DiskRecord;
import onefold.store.DiskRole;
import onefold.store.Disks;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;
import onefold.store.StoreRecord;
import onefold.store.device.Device;
import onefold.store.device.SpreadDevice;
import onefold.store.scheduler.Scheduler;
import onefold.store.simulation.CrashModel;
import onefold.store.simulation.Simulation;
import onefold.store.simulation.SubDevice;
import org.junit.jupiter.api.Test;

/** A data directory on several disks: what is where, what is moved, what a cut leaves. */
class DisksSimTest {
  private static final int ITEMS = 6;

  private static Engine open(Device device, Scheduler scheduler) throws IOException {
    for (String each : List.of("main", "a", "b")) {
      device.createDirectories(each);
    }
    device.forceDirectory("");
    var spread =
        new SpreadDevice(
            new SubDevice(device, "main"),
            (path, probed) -> new SubDevice(device, path.substring(1)),
            Walk.small().reserveBytes());
    return Engine.open(spread, scheduler, Walk.small());
  }

  private static void fill(Engine engine) throws IOException {
    for (int i = 0; i < ITEMS; i++) {
      Walk.put(engine, "n" + i, Walk.content(i, 60_000));
    }
  }

  private static void check(Engine engine) throws IOException {
    StoreRecord store = Walk.defaultStore(engine);
    for (int i = 0; i < ITEMS; i++) {
      assertArrayEquals(
          Walk.content(i, 60_000),
          Walk.read(
              engine, store.domainId(), engine.findItem(store.id(), "n" + i).orElseThrow().root()));
    }
  }

  private static long files(Disks disks, String path) throws IOException {
    for (DiskRecord each : disks.list()) {
      if (each.path().equals(path)) {
        return each.fileCount();
      }
    }
    return -1;
  }

  private static void await(Scheduler scheduler, Disks disks, String path, long count)
      throws IOException {
    for (int i = 0; i < 10_000 && files(disks, path) != count; i++) {
      scheduler.park(Duration.ofMillis(50));
    }
    assertEquals(count, files(disks, path), "files on '" + path + "': " + disks.problem());
  }

  @Test
  void aDrainedDiskIsEmptyAndOffTheListAndEverythingIsReadFromTheOthers() throws Exception {
    var simulation = new Simulation(Simulation.seed());
    simulation.run(() -> {
      try (Engine engine = open(simulation.device(), simulation.scheduler())) {
        fill(engine);
        Disks disks = engine.disks();
        disks.add("/a", DiskRole.DATA);
        disks.drain(Disks.MAIN, true);
        await(simulation.scheduler(), disks, "", 0);
        assertTrue(files(disks, "/a") > 0);
        check(engine);
        disks.add("/b", DiskRole.DATA);
        disks.drain(disks.list().get(1).id(), true);
        await(simulation.scheduler(), disks, "/a", -1);
        assertTrue(files(disks, "/b") > 0);
        check(engine);
        assertEquals(List.of(), simulation.device().list("a"));
      }
      try (Engine engine = open(simulation.device(), simulation.scheduler())) {
        check(engine);
        Walk.put(engine, "more", Walk.content(9, 60_000));
        assertEquals(0, files(engine.disks(), ""));
      }
      return true;
    });
  }

  @Test
  void nothingIsLostWhicheverChangeOfAMoveIsTheLast() throws Exception {
    long seed = Simulation.seed();
    var simulation = new Simulation(seed);
    int[] states = new int[1];
    simulation.run(() -> {
      try (Engine engine = open(simulation.device(), simulation.scheduler())) {
        fill(engine);
        simulation
            .device()
            .afterEachChange(() -> {
              CrashModel[] models = CrashModel.values();
              int state = states[0]++;
              CrashModel model = models[(int) Math.floorMod(seed + state, (long) models.length)];
              after(simulation.afterPowerLoss(model, seed + state), state + ", " + model);
            });
        Disks disks = engine.disks();
        disks.add("/a", DiskRole.DATA);
        disks.add("/b", DiskRole.DATA);
        disks.drain(Disks.MAIN, true);
        await(simulation.scheduler(), disks, "", 0);
        disks.drain(disks.list().get(1).id(), true);
        await(simulation.scheduler(), disks, "/a", -1);
        simulation.device().afterEachChange(() -> {});
      }
      return true;
    });
    assertTrue(states[0] > 40, states[0] + " states");
  }

  private static void after(Simulation next, String state) {
    try {
      next.run(() -> {
        try (Engine engine = open(next.device(), next.scheduler())) {
          check(engine);
          Disks disks = engine.disks();
          long before = disks.list().size();
          for (String path : List.of("/a", "/b")) {
            if (files(disks, path) < 0 && before > 1) {
              disks.add(path, DiskRole.DATA); // What was cut off does not stand in the way.
            }
          }
          check(engine);
        }
        return true;
      });
    } catch (Exception | AssertionError e) {
      throw new AssertionError("onefold.seed=" + Simulation.seed() + ", state " + state, e);
    }
  }

  @Test
  void anIndexAndAJournalGetDisksOfTheirOwnAtTheNextStartAndComeBack() throws Exception {
    var simulation = new Simulation(Simulation.seed());
    simulation.run(() -> {
      var device = simulation.device();
      try (Engine engine = open(device, simulation.scheduler())) {
        fill(engine);
        engine.disks().add("/a", DiskRole.INDEX);
        engine.disks().add("/b", DiskRole.JOURNAL);
        assertTrue(engine.disks().list().stream().skip(1).allMatch(DiskRecord::waits));
      }
      try (Engine engine = open(device, simulation.scheduler())) {
        check(engine);
        assertEquals(List.of(), device.list("main/journal"));
        assertTrue(files(engine.disks(), "/a") > 0 && files(engine.disks(), "/b") > 0);
        for (DiskRecord each : engine.disks().list().subList(1, 3)) {
          engine.disks().drain(each.id(), true);
        }
      }
      try (Engine engine = open(device, simulation.scheduler())) {
        check(engine);
        assertEquals(1, engine.disks().list().size());
        assertTrue(!device.list("main/journal").isEmpty());
      }
      return true;
    });
  }

  @Test
  void aDiskThatIsNotThereRefusesTheStartAndIsNamed() throws Exception {
    var simulation = new Simulation(Simulation.seed());
    simulation.run(() -> {
      var device = simulation.device();
      try (Engine engine = open(device, simulation.scheduler())) {
        fill(engine);
        engine.disks().add("/a", DiskRole.DATA);
        engine.disks().drain(Disks.MAIN, true);
        await(simulation.scheduler(), engine.disks(), "", 0);
      }
      device.rename("a", "elsewhere");
      IOException refused =
          assertThrows(IOException.class, () -> open(device, simulation.scheduler()));
      assertTrue(
          String.valueOf(refused.getMessage()).contains("is not at /a"), refused::getMessage);
      device.delete("a"); // The empty one that was made for the attempt.
      device.rename("elsewhere", "a");
      try (Engine engine = open(device, simulation.scheduler())) {
        check(engine);
      }
      return true;
    });
  }

  @Test
  void whatIsNoEmptyDirectoryOrWouldLeaveNoDiskIsRefused() throws Exception {
    var simulation = new Simulation(Simulation.seed());
    simulation.run(() -> {
      try (Engine engine = open(simulation.device(), simulation.scheduler())) {
        Disks disks = engine.disks();
        List<Reason> reasons = new ArrayList<>();
        for (String path : List.of("a", "/main", "/a\nb")) {
          reasons.add(refusal(() -> disks.add(path, DiskRole.DATA)));
        }
        disks.add("/a", DiskRole.DATA);
        reasons.add(refusal(() -> disks.add("/a", DiskRole.DATA)));
        disks.drain(Disks.MAIN, true);
        reasons.add(refusal(() -> disks.drain(disks.list().get(1).id(), true)));
        reasons.add(refusal(() -> disks.drain(Walk.commandId("none"), true)));
        assertEquals(
            List.of(
                Reason.INVALID_REQUEST,
                Reason.INVALID_REQUEST,
                Reason.INVALID_REQUEST,
                Reason.EXISTS,
                Reason.INVALID_REQUEST,
                Reason.NOT_FOUND),
            reasons);
      }
      return true;
    });
  }

  private interface Asking {
    void ask() throws IOException;
  }

  private static Reason refusal(Asking asking) {
    return assertThrows(RefusedException.class, asking::ask).reason();
  }
}
