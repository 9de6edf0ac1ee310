package onefold.store.simulator;

import java.util.SplittableRandom;
import onefold.store.ChunkStore;
import onefold.store.simulation.Simulation;

/** Opens what a cut has left and looks whether all is there; changes nothing of the program. */
final class AfterCut {
  private AfterCut() {}

  /**
   * Checks one state.
   *
   * @param then what the program knew at the time of the cut
   * @param next a run on what the disk has kept
   */
  static void check(
      World then, Simulation next, SimulatedProgram.Opener opener, long seed, String where) {
    World world = then.copy();
    try {
      next.run(() -> {
        world.begin(next);
        try (ChunkStore store = opener.open(next.device(), next.scheduler(), world.settings)) {
          world.opened(store);
          var judge = new Judge(world);
          if (world.model.store(0).record != null) {
            judge.settle();
            judge.readAll(seed);
            new Lane(world, 0, judge).run(goesOn(seed));
            judge.look(-1, new SplittableRandom(seed));
          }
        }
        return true;
      });
    } catch (Exception | AssertionError e) {
      throw new AssertionError(where + ": " + e, e);
    }
  }

  /** The store must also go on. */
  private static Step goesOn(long seed) {
    return new Step.Put(
        new Address(0, 2, 0),
        new Plan(3, Plan.Kind.NOISE, 5_000, 0, 0, 0),
        Step.Road.STREAM,
        onefold.store.Compression.LZ4,
        onefold.store.CommitMode.REPLACE,
        0,
        seed,
        false);
  }
}
