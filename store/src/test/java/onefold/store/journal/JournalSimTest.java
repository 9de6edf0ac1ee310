package onefold.store.journal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import onefold.store.Id;
import onefold.store.StoreFullException;
import onefold.store.device.Device;
import onefold.store.scheduler.Promise;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.TaskHandle;
import onefold.store.scheduler.ThreadScheduler;
import onefold.store.simulation.CrashModel;
import onefold.store.simulation.DeviceCall;
import onefold.store.simulation.Faults;
import onefold.store.simulation.SimulatedDevice;
import onefold.store.simulation.Simulation;
import org.junit.jupiter.api.Test;

/** Whole runs of a journal with several writers, and the power lost after every step. */
final class JournalSimTest {
  private static final Id OWNER = new Id(1, 2);
  private static final JournalSettings SMALL = new JournalSettings(4 << 10, 64 << 10);
  private static final int WRITERS = 3;
  private static final int RECORDS = 14;

  private final Map<Long, byte[]> acknowledged = new TreeMap<>();
  private long neededFrom = 1;

  private static Journal open(Device device, Scheduler scheduler, long neededFrom)
      throws IOException {
    return Journal.open(
        device, scheduler, "journal", OWNER, 1, neededFrom, SMALL, GroupBarrier.NONE);
  }

  private static byte[] payload(SplittableRandom random) {
    byte[] bytes = new byte[random.nextInt(5) == 0 ? random.nextInt(3000) : random.nextInt(200)];
    random.nextBytes(bytes);
    return bytes;
  }

  /** Appends from several tasks, waits for each promise, trims now and then. */
  private void work(Scheduler scheduler, Journal journal, long seed) {
    List<TaskHandle> tasks = new ArrayList<>();
    for (int writer = 0; writer < WRITERS; writer++) {
      SplittableRandom random = new SplittableRandom(seed + writer);
      tasks.add(
          scheduler.start(
              "appender",
              () -> {
                try {
                  for (int i = 0; i < RECORDS; i++) {
                    byte[] payload = payload(random);
                    Promise<JournalPosition> promise =
                        random.nextBoolean()
                            ? journal.append(1, payload)
                            : journal.appendHere(1, payload);
                    long position = promise.await().position();
                    acknowledged.put(position, payload);
                    if (random.nextInt(6) == 0 && position > 6) {
                      neededFrom = Math.max(neededFrom, position - 5);
                      journal.trim(position - 6);
                    }
                  }
                } catch (StoreFullException e) {
                  // A test that fills the disk looks at what is there afterwards.
                } catch (IOException e) {
                  throw new IllegalStateException(e);
                }
              }));
    }
    tasks.forEach(TaskHandle::join);
  }

  /** Recovers a device and answers what it has; everything acknowledged must be among it. */
  private Map<Long, byte[]> check(Device device, Map<Long, byte[]> expected, long from, String when)
      throws IOException {
    Map<Long, byte[]> found = new TreeMap<>();
    try (var scheduler = new ThreadScheduler(1, (name, failure) -> failure.printStackTrace())) {
      Journal journal = open(device, scheduler, from);
      assertEquals(java.util.Optional.empty(), journal.damage(), when);
      journal.replay(from, (position, type, payload) -> found.put(position.position(), payload));
      long next = from;
      for (long position : found.keySet()) {
        assertEquals(next++, position, when);
      }
      expected.forEach((position, payload) -> {
        if (position >= from) {
          assertTrue(found.containsKey(position), when + ": record " + position + " is lost");
          assertArrayEquals(payload, found.get(position), when);
        }
      });
      byte[] more = {1, 2, 3};
      found.put(journal.append(1, more).await().position(), more);
      // Not closed: the next state is that of a second power loss.
    }
    return found;
  }

  @Test
  void whatIsAcknowledgedSurvivesPowerLossAtEveryStepAndAgainAfterRecovery() throws Exception {
    long seed = Simulation.seed();
    try {
      Simulation simulation = new Simulation(seed);
      SplittableRandom seeds = new SplittableRandom(seed);
      AtomicInteger states = new AtomicInteger();
      SimulatedDevice device = simulation.device();
      device.afterEachChange(() -> {
        for (CrashModel model : CrashModel.values()) {
          judge(device, model, seeds, states);
        }
      });
      simulation.run(() -> {
        try (Journal journal = open(device, simulation.scheduler(), 1)) {
          work(simulation.scheduler(), journal, seed);
        }
        return true;
      });
      assertEquals(WRITERS * RECORDS, acknowledged.size());
      assertTrue(states.get() > 500, () -> states + " states");
    } catch (Throwable failed) {
      throw new AssertionError("onefold.seed=" + seed, failed);
    }
  }

  private void judge(
      SimulatedDevice device, CrashModel model, SplittableRandom seeds, AtomicInteger states) {
    try {
      SimulatedDevice after = device.crash(model, seeds.nextLong());
      String when = model + " in state " + states.incrementAndGet();
      Map<Long, byte[]> seen = check(after, acknowledged, neededFrom, when);
      if (seeds.nextInt(3) == 0) {
        // What a recovery has shown must not disappear afterwards.
        check(after.crash(seeds.nextLong()), seen, neededFrom, when + ", again");
      }
    } catch (IOException e) {
      throw new IllegalStateException(model + ": " + e.getMessage(), e);
    }
  }

  @Test
  void aFullDiskAtEveryCallRefusesRecordsAndLosesNone() throws Exception {
    long seed = Simulation.seed();
    try {
      for (int call = 1; call < 160; call += 3) {
        acknowledged.clear();
        neededFrom = 1;
        Simulation simulation = new Simulation(seed);
        int from = call;
        simulation.run(() -> {
          Journal journal = open(simulation.device(), simulation.scheduler(), 1);
          simulation
              .device()
              .setFaults(fault ->
                  fault.number() >= from
                          && fault.number() < from + 12
                          && (fault.kind() == DeviceCall.Kind.WRITE
                              || fault.kind() == DeviceCall.Kind.ALLOCATE
                              || fault.kind() == DeviceCall.Kind.CREATE)
                      ? Faults.Outcome.FULL
                      : Faults.Outcome.NONE);
          work(simulation.scheduler(), journal, seed);
          simulation.device().setFaults(Faults.none());
          byte[] last = {9};
          acknowledged.put(journal.append(1, last).await().position(), last);
          journal.close();
          return true;
        });
        assertFalse(acknowledged.isEmpty());
        check(
            simulation.device().crash(CrashModel.LOSE_ALL, seed),
            acknowledged,
            neededFrom,
            "full from call " + call);
      }
    } catch (Throwable failed) {
      throw new AssertionError("onefold.seed=" + seed, failed);
    }
  }

  @Test
  void whatIsRefusedForSpaceIsNotThereAfterTheProcessEnds() throws Exception {
    long first = Simulation.seed();
    for (long seed = first; seed < first + 200; seed++) {
      String when = "onefold.seed=" + seed;
      var random = new SplittableRandom(seed);
      var simulation = new Simulation(seed);
      var accepted = new ArrayList<byte[]>();
      simulation.run(() -> {
        Journal journal = open(simulation.device(), simulation.scheduler(), 1);
        byte[] before = payload(random);
        journal.append(1, before).await();
        accepted.add(before);
        simulation
            .device()
            .setFaults(call ->
                call.kind() == DeviceCall.Kind.WRITE ? Faults.Outcome.FULL : Faults.Outcome.NONE);
        assertThrows(
            StoreFullException.class, () -> journal.append(1, payload(random)).await(), when);
        return null; // Not closed: the process ends here.
      });
      Simulation next =
          random.nextBoolean() ? simulation.afterProcessEnd(seed) : simulation.afterPowerLoss(seed);
      next.run(() -> {
        var found = new ArrayList<byte[]>();
        Journal journal = open(next.device(), next.scheduler(), 1);
        journal.replay(1, (position, type, payload) -> found.add(payload));
        assertEquals(accepted.size(), found.size(), when);
        assertArrayEquals(accepted.getFirst(), found.getFirst(), when);
        return null;
      });
    }
  }

  @Test
  void oneSeedIsOneRun() throws Exception {
    assertEquals(hash(7), hash(7));
  }

  private long hash(long seed) throws Exception {
    acknowledged.clear();
    neededFrom = 1;
    Simulation simulation = new Simulation(seed);
    simulation.run(() -> {
      try (Journal journal = open(simulation.device(), simulation.scheduler(), 1)) {
        work(simulation.scheduler(), journal, seed);
      }
      return true;
    });
    return simulation.trace().hash();
  }
}
