package onefold.store.simulator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import onefold.store.simulation.Simulation;
import org.junit.jupiter.api.Test;

/**
 * Random programs, {@code -Donefold.programs=N} of them from {@code -Donefold.seed=S} on. Each
 * failure says its seed.
 */
class SimulatedProgramTest {
  private static final int PROGRAMS = Integer.getInteger("onefold.programs", 500);

  @Test
  void whateverIsDoneWhateverIsCutOffTheStoreIsWhatWasAcknowledged() {
    long first = Simulation.seed();
    long cuts = 0;
    for (int i = 0; i < PROGRAMS; i++) {
      SimulatedProgram.Outcome outcome = new SimulatedProgram(first + i).run();
      cuts += outcome.cutCount();
    }
    assertTrue(PROGRAMS < 100 || cuts > PROGRAMS, cuts + " cuts in " + PROGRAMS + " programs");
  }

  @Test
  void aSeedIsTheSameEachTime() {
    long first = Simulation.seed();
    for (long seed = first; seed < first + 5; seed++) {
      assertEquals(
          new SimulatedProgram(seed).run(),
          new SimulatedProgram(seed).run(),
          "onefold.seed=" + seed);
    }
    assertNotEquals(
        new SimulatedProgram(first).run().hash(), new SimulatedProgram(first + 1).run().hash());
  }
}
