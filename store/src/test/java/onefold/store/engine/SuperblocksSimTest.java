package onefold.store.engine;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import onefold.store.simulation.DeviceCall;
import onefold.store.simulation.Faults;
import onefold.store.simulation.SimulatedCrash;
import onefold.store.simulation.Simulation;
import org.junit.jupiter.api.Test;

/** What a start has decided by stays decided. */
class SuperblocksSimTest {
  /** The process ends before its superblock is forced, and the power fails in the next one. */
  @Test
  void noStartFindsAnOlderSuperblockThanOneBeforeIt() throws Exception {
    long first = Simulation.seed();
    for (long seed = first; seed < first + 20; seed++) {
      var killed = new Simulation(seed);
      EngineSettings settings = Walk.small(0);
      assertThrows(
          SimulatedCrash.class,
          () ->
              killed.run(() -> {
                Engine engine = Engine.open(killed.device(), killed.scheduler(), settings);
                Walk.put(engine, "item", Walk.content(1, 100_000));
                killed
                    .device()
                    .setFaults(call ->
                        call.kind() == DeviceCall.Kind.FORCE && call.path().startsWith("superblock")
                            ? Faults.Outcome.CRASH
                            : Faults.Outcome.NONE);
                engine.committer().checkpoint();
                return null;
              }));
      var next = killed.afterProcessEnd(seed);
      long read =
          next.run(() -> {
            long sequence = new Superblocks(next.device()).read().sequence();
            Engine opened = Engine.open(next.device(), next.scheduler(), settings);
            Walk.put(opened, "another", Walk.content(2, 1_000));
            return sequence; // Not closed: the power fails.
          });
      var last = next.afterPowerLoss(seed);
      long readAgain = last.run(() -> new Superblocks(last.device()).read().sequence());
      assertTrue(readAgain >= read, readAgain + " after " + read + ", onefold.seed=" + seed);
    }
  }
}
