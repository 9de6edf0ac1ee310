package onefold.store.simulator;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.SplittableRandom;
import onefold.store.ChunkStore;
import onefold.store.device.DeviceForceException;
import onefold.store.simulation.DeviceCall;
import onefold.store.simulation.Faults;
import onefold.store.simulation.Simulation;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** One call of the disk fails, each in turn. */
class FaultAtEveryCallSimTest {
  /** Every how manieth call is tried, from one that the seed chooses; 1 is all. */
  private static final int STRIDE = Integer.getInteger("onefold.stride", 5);

  /** How far a program came, and what stopped it. */
  private record Course(World world, Simulation simulation, long calls, boolean failed) {}

  @Test
  void aCallThatFailsLosesNothingThatWasAcknowledged() throws Exception {
    long seed = Simulation.seed();
    int failures = 0;
    long calls = run(seed, Faults.none(), false).calls();
    for (long call = 1L + Math.floorMod(seed, STRIDE); call <= calls; call += STRIDE) {
      String where = "onefold.seed=" + seed + ", input/output error at call " + call;
      try {
        Course course = run(seed, Faults.atCall(call, Faults.Outcome.IO_ERROR), false);
        failures += course.failed() ? 1 : 0;
        AfterCut.check(
            course.world(),
            course.simulation().afterProcessEnd(seed),
            SimulatedProgram.ENGINE,
            call,
            where);
        // Nor does it if the power goes right after.
        AfterCut.check(
            course.world(),
            course.simulation().afterPowerLoss(seed + call),
            SimulatedProgram.ENGINE,
            call,
            where + ", then power loss");
      } catch (Exception | AssertionError e) {
        throw new AssertionError(where + ": " + e, e);
      }
    }
    assertTrue(failures > 20, failures + " calls told of their failure");
  }

  @Test
  void afterACallThatFoundNoSpaceNothingHasChangedAndTheStoreGoesOn() throws Exception {
    long seed = Simulation.seed();
    long calls = run(seed, Faults.none(), false).calls();
    for (long call = 1L + Math.floorMod(seed, STRIDE); call <= calls; call += STRIDE) {
      String where = "onefold.seed=" + seed + ", no space at call " + call;
      try {
        Course course = run(seed, fullAt(call), true);
        AfterCut.check(
            course.world(),
            course.simulation().afterPowerLoss(seed + call),
            SimulatedProgram.ENGINE,
            call,
            where);
      } catch (Exception | AssertionError e) {
        throw new AssertionError(where + ": " + e, e);
      }
    }
  }

  private static Faults fullAt(long number) {
    return call ->
        call.number() == number
                && call.kind() != DeviceCall.Kind.FORCE
                && call.kind() != DeviceCall.Kind.FORCE_DIRECTORY
            ? Faults.Outcome.FULL
            : Faults.Outcome.NONE;
  }

  /**
   * Runs the workload up to the first failure that is no refusal.
   *
   * @param full whether the fault is a full disk, after which the program goes on
   */
  private static Course run(long seed, Faults faults, boolean full) throws Exception {
    Program program = Workload.program(seed);
    var simulation = new Simulation(seed);
    var world = new World(seed, program.settings());
    var judge = new Judge(world);
    var lane = new Lane(world, 0, judge);
    simulation.device().setFaults(faults);
    world.begin(simulation);
    boolean failed;
    try {
      failed =
          simulation.run(() -> {
            try {
              live(program, simulation, world, judge, lane, full);
              return false;
            } catch (DeviceForceException | IOException e) {
              return true;
            }
          });
    } catch (AssertionError e) {
      if (!(e.getCause() instanceof DeviceForceException)) {
        throw e;
      }
      failed = true; // A failed force ends the process, wherever it happens.
    }
    return new Course(world, simulation, simulation.device().callCount(), failed);
  }

  private static void live(
      Program program, Simulation simulation, World world, Judge judge, Lane lane, boolean full)
      throws IOException {
    world.full = full;
    world.failing = !full;
    world.disturbed = true;
    @Nullable ChunkStore open = null;
    while (open == null) {
      try {
        open =
            SimulatedProgram.ENGINE.open(
                simulation.device(), simulation.scheduler(), program.settings());
      } catch (onefold.store.StoreFullException e) {
        // The next time there is space.
      }
    }
    world.opened(open);
    world.disturbed = true;
    world.model.store(0).record = open.findStore("default").orElseThrow();
    lane.makeStore(1, world.model.store(0).existing().domainId());
    lane.run(new Step.MakeShare(0));
    for (Step step : program.steps()) {
      switch (step) {
        case Step.Reopen() -> {
          world.store().close();
          world.begin(simulation);
          world.opened(
              SimulatedProgram.ENGINE.open(
                  simulation.device(), simulation.scheduler(), program.settings()));
          world.disturbed = true;
          judge.settle();
        }
        default -> lane.run(step);
      }
      judge.look(-1, new SplittableRandom(1));
    }
    world.store().close();
  }
}
