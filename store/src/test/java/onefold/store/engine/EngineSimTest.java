package onefold.store.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import onefold.store.simulation.DeviceCall;
import onefold.store.simulation.Faults;
import onefold.store.simulation.SimulatedCrash;
import onefold.store.simulation.Simulation;
import org.junit.jupiter.api.Test;

/** The whole engine on a simulated disk, with the power cut at every call in turn. */
class EngineSimTest {
  @Test
  void aJournalThatCannotBeWrittenIsShownAsAProblem() throws Exception {
    var simulation = new Simulation(Simulation.seed());
    simulation.run(() -> {
      Engine engine = Engine.open(simulation.device(), simulation.scheduler(), Walk.small());
      assertEquals(Optional.empty(), engine.problem());
      simulation
          .device()
          .setFaults(call ->
              call.kind() == DeviceCall.Kind.WRITE && call.path().startsWith("journal/")
                  ? Faults.Outcome.IO_ERROR
                  : Faults.Outcome.NONE);
      Optional<byte[]> value = Optional.of(new byte[1]);
      assertThrows(
          IOException.class, () -> engine.putRecord(Walk.commandId("a"), "kind", "key", value));
      assertTrue(engine.problem().isPresent());
      simulation.device().setFaults(Faults.none());
      assertThrows(IOException.class, engine::close, "what was not committed is no orderly end");
      return true;
    });
    var after = simulation.afterProcessEnd(1);
    after.run(() -> {
      try (Engine again = Engine.open(after.device(), after.scheduler(), Walk.small())) {
        assertEquals(Optional.empty(), again.problem());
        assertTrue(again.findStore("default").isPresent());
      }
      return true;
    });
  }

  /** What a workload has been told. */
  private static final class Ledger {
    final Map<String, byte[]> acknowledged = new HashMap<>();
    final Map<String, byte[]> tried = new HashMap<>();
    final Set<String> deletesTried = new HashSet<>();
  }

  /** A few items, one of them replaced, one deleted; small ones and one larger than a container. */
  private static void workload(Simulation simulation, Ledger ledger) throws IOException {
    try (Engine engine = Engine.open(simulation.device(), simulation.scheduler(), Walk.small())) {
      put(engine, ledger, "a", Walk.content(1, 3_000));
      put(engine, ledger, "b", Walk.content(2, 700_000));
      put(engine, ledger, "c", Walk.joined(Walk.content(1, 3_000), Walk.content(2, 200_000)));
      put(engine, ledger, "a", Walk.content(3, 50_000));
      ledger.deletesTried.add("c");
      engine.deleteItem(Walk.commandId("d"), Walk.defaultStore(engine).id(), "c");
      ledger.acknowledged.remove("c");
      ledger.tried.remove("c");
      put(engine, ledger, "e", Walk.content(4, 300_000));
    }
  }

  private static void put(Engine engine, Ledger ledger, String name, byte[] content)
      throws IOException {
    ledger.tried.put(name, content);
    Walk.put(
        engine,
        Walk.defaultStore(engine),
        name,
        content,
        64_000,
        Walk.commandId(name + content.length));
    ledger.acknowledged.put(name, content);
    ledger.tried.remove(name);
  }

  private static void check(Simulation after, Ledger ledger, String where) throws Exception {
    after.run(() -> {
      try (Engine engine = Engine.open(after.device(), after.scheduler(), Walk.small())) {
        Set<String> names = new HashSet<>();
        engine
            .listItems(Walk.defaultStore(engine).id(), "", "", 100)
            .items()
            .forEach(item -> names.add(item.name()));
        for (String name : names) {
          byte[] got = Walk.get(engine, name);
          boolean known =
              Arrays.equals(got, ledger.acknowledged.get(name))
                  || Arrays.equals(got, ledger.tried.get(name))
                  || ledger.deletesTried.contains(name);
          assertTrue(known, where + ": " + name + " has content that nobody wrote");
        }
        for (String name : ledger.acknowledged.keySet()) {
          assertTrue(
              names.contains(name) || ledger.deletesTried.contains(name),
              where + ": " + name + " was acknowledged and is lost");
        }
        // And the store goes on.
        byte[] next = Walk.content(9, 40_000);
        Walk.put(engine, "next", next);
        assertArrayEquals(next, Walk.get(engine, "next"), where);
      }
      return true;
    });
  }

  @Test
  void whateverCallThePowerIsCutAtAcknowledgedItemsAreThereAndOthersAreWholeOrAbsent()
      throws Exception {
    long seed = Simulation.seed();
    var whole = new Simulation(seed);
    Ledger all = new Ledger();
    whole.run(() -> {
      workload(whole, all);
      return true;
    });
    long calls = whole.device().callCount();
    check(whole.afterPowerLoss(seed), all, "seed " + seed + ", after the end");
    assertEquals(3, all.acknowledged.size());
    int stride = Math.max(1, (int) (calls / STATES));
    for (long call = 1L + Math.floorMod(seed, stride); call < calls; call += stride) {
      var simulation = new Simulation(seed);
      simulation.device().setFaults(Faults.atCall(call, Faults.Outcome.CRASH));
      Ledger ledger = new Ledger();
      try {
        simulation.run(() -> {
          workload(simulation, ledger);
          return true;
        });
      } catch (SimulatedCrash expected) {
        // The power was cut as planned.
      }
      String where = "seed " + seed + ", call " + call + " of " + calls;
      try {
        check(simulation.afterPowerLoss(seed + call), ledger, where);
      } catch (Exception | AssertionError e) {
        throw new AssertionError(where + ": " + e, e);
      }
    }
  }

  /** Calls that are tried; the rest follow with other seeds. */
  private static final int STATES = Integer.getInteger("onefold.crash.states", 120);

  @Test
  void aKilledProcessLosesNothingThatWasAcknowledged() throws Exception {
    long seed = Simulation.seed();
    for (int round = 0; round < 20; round++) {
      var simulation = new Simulation(seed + round);
      simulation.device().setFaults(Faults.atCall(40 + round * 13L, Faults.Outcome.CRASH));
      Ledger ledger = new Ledger();
      try {
        simulation.run(() -> {
          workload(simulation, ledger);
          return true;
        });
      } catch (SimulatedCrash expected) {
        // The process was killed as planned.
      }
      check(simulation.afterProcessEnd(seed), ledger, "seed " + seed + ", round " + round);
    }
  }
}
