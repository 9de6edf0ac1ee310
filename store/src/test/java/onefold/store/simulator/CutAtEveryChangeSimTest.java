package onefold.store.simulator;

import static org.junit.jupiter.api.Assertions.assertTrue;

import onefold.store.simulation.CrashModel;
import onefold.store.simulation.Simulation;
import org.junit.jupiter.api.Test;

/** The power is cut after every single change that a short program makes to the disk. */
class CutAtEveryChangeSimTest {
  /** States made of each change; the models take turns, from one that the seed chooses. */
  private static final int STATES_PER_CHANGE = Integer.getInteger("onefold.states", 1);

  @Test
  void nothingAcknowledgedIsLostWhicheverChangeIsTheLast() throws Exception {
    long seed = Simulation.seed();
    var checked = new int[1];
    var program = new SimulatedProgram(Workload.program(seed), SimulatedProgram.ENGINE);
    program.afterEachChange((simulation, world) -> {
      for (int i = 0; i < STATES_PER_CHANGE; i++) {
        CrashModel[] models = CrashModel.values();
        CrashModel model = models[(int) Math.floorMod(seed + checked[0], (long) models.length)];
        long state = seed + checked[0]++;
        AfterCut.check(
            world,
            simulation.afterPowerLoss(model, state),
            SimulatedProgram.ENGINE,
            state,
            "onefold.seed=" + seed + ", state " + checked[0] + ", " + model);
      }
    });
    program.runOnce();
    assertTrue(checked[0] > 100, checked[0] + " states");
  }
}
