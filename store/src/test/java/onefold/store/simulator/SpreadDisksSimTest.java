package onefold.store.simulator;

import static org.junit.jupiter.api.Assertions.assertTrue;

import onefold.store.simulation.Simulation;
import org.junit.jupiter.api.Test;

/** The programs of the simulator on several disks, which are added and drained at every opening. */
class SpreadDisksSimTest {
  private static final int PROGRAMS = Integer.getInteger("onefold.programs.disks", 40);

  @Test
  void programsFindEverythingWhicheverDiskItWasMovedTo() throws Exception {
    long seed = Simulation.seed();
    var opener = new SpreadOpener();
    for (int i = 0; i < PROGRAMS; i++) {
      try {
        new SimulatedProgram(ProgramMaker.make(seed + i), opener).runOnce();
      } catch (Exception | AssertionError e) {
        throw new AssertionError("onefold.seed=" + (seed + i), e);
      }
    }
    int moves = opener.moveCount();
    assertTrue(moves > PROGRAMS, moves + " files were moved in " + PROGRAMS + " programs");
  }
}
