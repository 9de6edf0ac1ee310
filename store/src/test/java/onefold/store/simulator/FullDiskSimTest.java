package onefold.store.simulator;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import onefold.store.CommitMode;
import onefold.store.Compression;
import onefold.store.simulation.Simulation;
import org.junit.jupiter.api.Test;

/** Full is not broken: with only the reserve left, reads, deletes and a start go on. */
class FullDiskSimTest {
  private static final long RESERVE_BYTES = 1 << 20;

  private static Step put(int name, int lengthBytes) {
    return new Step.Put(
        new Address(0, 0, name),
        new Plan(name, Plan.Kind.NOISE, lengthBytes, 0, 0, 0),
        Step.Road.STREAM,
        Compression.LZ4,
        CommitMode.IF_ABSENT,
        0,
        name,
        false);
  }

  @Test
  void withOnlyTheReserveLeftItemsAreReadAndDeletedAndAStartGoesWell() throws Exception {
    long seed = Simulation.seed();
    Program program = Workload.program(seed);
    var simulation = new Simulation(seed);
    var world = new World(seed, program.settings().withReserveBytes(RESERVE_BYTES));
    var judge = new Judge(world);
    var lane = new Lane(world, 0, judge);
    simulation.run(() -> {
      world.begin(simulation);
      open(world, simulation);
      world.model.store(0).record = world.store().findStore("default").orElseThrow();
      for (int name = 0; name < 4; name++) {
        lane.run(put(name, 100_000));
      }
      // The guard looks at the disk now and then; a start makes it look at once.
      world.setFull(RESERVE_BYTES);
      reopen(world, simulation);
      lane.run(put(4, 100_000));
      String where = "onefold.seed=" + seed;
      assertFalse(world.model.store(0).items.containsKey(new Address(0, 0, 4).itemName()), where);
      judge.readAll(seed);
      world.full = false; // From here on nothing is forgiven.
      lane.run(new Step.Delete(new Address(0, 0, 1), true));
      lane.run(new Step.Update(new Address(0, 0, 2), 2, false, 0));
      lane.run(new Step.PutRecord(0, 1, 500));
      judge.readAll(seed);
      reopen(world, simulation);
      judge.readAll(seed + 1);
      lane.run(new Step.Delete(new Address(0, 0, 2), false));
      lane.run(new Step.Housekeeping(0));
      judge.readAll(seed + 2);
      world.setSpace();
      lane.run(put(5, 100_000));
      assertTrue(world.model.store(0).items.containsKey(new Address(0, 0, 5).itemName()), where);
      judge.look(-1, new SplittableRandom(seed));
      world.store().close();
      return true;
    });
  }

  private static void open(World world, Simulation simulation) throws Exception {
    world.opened(
        SimulatedProgram.ENGINE.open(simulation.device(), simulation.scheduler(), world.settings));
    world.disturbed = true;
  }

  private static void reopen(World world, Simulation simulation) throws Exception {
    world.store().close();
    open(world, simulation);
  }
}
