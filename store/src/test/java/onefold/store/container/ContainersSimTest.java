package onefold.store.container;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import onefold.chunker.ChunkKind;
import onefold.chunker.ParameterSet;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.StoreFullException;
import onefold.store.device.Device;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.TaskHandle;
import onefold.store.scheduler.ThreadScheduler;
import onefold.store.simulation.CrashModel;
import onefold.store.simulation.DeviceCall;
import onefold.store.simulation.Faults;
import onefold.store.simulation.SimulatedDevice;
import onefold.store.simulation.Simulation;
import org.junit.jupiter.api.Test;

/** Whole runs of containers with several writers, and the power lost after every step. */
final class ContainersSimTest {
  private static final Id DOMAIN = new Id(3, 4);
  private static final ContainerSettings SMALL =
      new ContainerSettings(ContainerSettings.MIN_CONTAINER_BYTES, 2, 1 << 20, 1 << 20, 2);
  private static final int WRITERS = 3;
  private static final int BLOCKS = 8;

  private record Stored(Blocks.Made block, Appended where) {}

  private final List<Stored> appended = new ArrayList<>();
  private final Map<Long, Long> durable = new TreeMap<>();
  private final Set<Long> sealed = new HashSet<>();
  private final Set<Long> deleted = new HashSet<>();

  private static Containers open(
      Device device, Scheduler scheduler, Map<Long, Long> durable, SealListener listener)
      throws IOException {
    Map<Long, Long> copy = new TreeMap<>(durable);
    DurableEnds ends =
        new DurableEnds() {
          @Override
          public long endBytes(long containerNumber) {
            return copy.getOrDefault(containerNumber, 0L);
          }

          @Override
          public long nextContainerNumber() {
            return copy.keySet().stream().reduce(0L, Math::max) + 1;
          }
        };
    return Containers.open(
        device, scheduler, "domains/a", DOMAIN, ParameterSet.SET_1, 1, SMALL, ends, listener);
  }

  /** Appends from several tasks; each forces now and then and remembers how far. */
  private void work(Scheduler scheduler, Containers containers, long seed) {
    List<TaskHandle> tasks = new ArrayList<>();
    for (int writer = 0; writer < WRITERS; writer++) {
      SplittableRandom random = new SplittableRandom(seed + writer);
      ChunkKind kind = writer == 0 ? ChunkKind.NODE : ChunkKind.DATA;
      tasks.add(
          scheduler.start(
              "writer",
              () -> {
                try {
                  write(containers, kind, random);
                } catch (StoreFullException e) {
                  // A test that fills the disk looks at what is there afterwards.
                } catch (IOException e) {
                  throw new IllegalStateException(e);
                }
              }));
    }
    tasks.forEach(TaskHandle::join);
  }

  private void write(Containers containers, ChunkKind kind, SplittableRandom random)
      throws IOException {
    for (int i = 0; i < BLOCKS; i++) {
      Blocks.Made block =
          Blocks.block(kind, Math.abs(random.nextLong()), 1 + random.nextInt(5), 8000);
      Appended where =
          containers.append(kind, block.bytes(), 0, block.bytes().length, block.batch());
      appended.add(new Stored(block, where));
      if (random.nextInt(3) == 0) {
        Map<Long, Long> ends = containers.dirtyEnds();
        containers.force(ends.keySet());
        ends.forEach((number, end) -> durable.merge(number, end, Math::max));
      }
    }
  }

  /** Recovers a device and checks that everything durable is there and whole. */
  private void check(Device device, String when) throws IOException {
    try (var scheduler = new ThreadScheduler(1, (name, failure) -> failure.printStackTrace())) {
      Set<Long> resealed = new HashSet<>();
      // Not closed, as after a second power loss.
      Containers containers =
          open(device, scheduler, durable, (number, directory) -> resealed.add(number));
      assertEquals(List.of(), containers.recoveryDamages(), when);
      for (ContainerInfo info : containers.list()) {
        List<CorruptDataException> damages = new ArrayList<>();
        if (info.sealed()) {
          containers.verify(info.number(), true, damages::add);
        }
        assertEquals(List.of(), damages, when);
        assertTrue(
            durable.containsKey(info.number())
                || !resealed.contains(info.number())
                || deleted.contains(info.number()),
            () -> when + ": container " + info.number() + " that nobody refers to");
      }
      for (Stored stored : appended) {
        long number = stored.where().containerNumber();
        if (!deleted.contains(number)
            && (sealed.contains(number)
                || stored.where().endBytes() <= durable.getOrDefault(number, 0L))) {
          for (int i = 0; i < stored.block().chunks().size(); i++) {
            assertArrayEquals(
                stored.block().chunks().get(i),
                containers.readChunk(
                    new ChunkPlace(number, stored.where().firstSlot() + i),
                    stored.block().batch().fingerprint(i).toBytes(),
                    0),
                when);
          }
        }
      }
    }
  }

  @Test
  void aSealedContainerAndWhatWasForcedSurvivePowerLossAtEveryStepAndAgainInRecovery()
      throws Exception {
    long seed = Simulation.seed();
    try {
      Simulation simulation = new Simulation(seed);
      var cuts = new PowerCuts(new SplittableRandom(seed), 60, this::check);
      SimulatedDevice device = simulation.device();
      cuts.watch(device);
      simulation.run(() -> {
        try (Containers containers =
            open(
                device,
                simulation.scheduler(),
                Map.of(),
                (number, directory) -> sealed.add(number))) {
          work(simulation.scheduler(), containers, seed);
          containers.sealAll();
          long first = containers.numbers(ChunkKind.DATA).getFirst();
          deleted.add(first);
          containers.delete(Set.of(first));
        }
        return true;
      });
      assertEquals(WRITERS * BLOCKS, appended.size());
      assertTrue(sealed.size() >= 3, () -> sealed + " sealed");
      assertTrue(cuts.states() > 250, () -> cuts.states() + " states");
    } catch (Throwable failed) {
      throw new AssertionError("onefold.seed=" + seed, failed);
    }
  }

  @Test
  void aFullDiskAtEveryCallRefusesBlocksAndKeepsThoseItTook() throws Exception {
    long seed = Simulation.seed();
    try {
      for (int call = 10; call < 100; call += 3) {
        appended.clear();
        durable.clear();
        sealed.clear();
        int from = call;
        Simulation simulation = new Simulation(seed);
        simulation.run(() -> {
          Containers containers =
              open(
                  simulation.device(),
                  simulation.scheduler(),
                  Map.of(),
                  (number, directory) -> sealed.add(number));
          simulation
              .device()
              .setFaults(fault ->
                  fault.number() >= from
                          && (fault.kind() == DeviceCall.Kind.WRITE
                              || fault.kind() == DeviceCall.Kind.CREATE)
                      ? Faults.Outcome.FULL
                      : Faults.Outcome.NONE);
          work(simulation.scheduler(), containers, seed);
          containers.sealAll();
          for (Stored stored : appended) {
            assertArrayEquals(
                stored.block().chunks().getFirst(),
                containers.readChunk(
                    new ChunkPlace(stored.where().containerNumber(), stored.where().firstSlot()),
                    stored.block().batch().fingerprint(0).toBytes(),
                    0));
          }
          Map<Long, Long> ends = containers.dirtyEnds();
          containers.force(ends.keySet());
          durable.putAll(ends);
          // Recovery meets a full disk too, and serves what there is.
          check(fullAfterCrash(simulation.device(), seed), "recovered on a full disk");
          simulation.device().setFaults(Faults.none());
          work(simulation.scheduler(), containers, seed + 100);
          containers.close();
          assertEquals(java.util.Optional.empty(), containers.sealFailure());
          return true;
        });
        check(simulation.device().crash(CrashModel.LOSE_ALL, seed), "full from call " + call);
      }
    } catch (Throwable failed) {
      throw new AssertionError("onefold.seed=" + seed, failed);
    }
  }

  private static SimulatedDevice fullAfterCrash(SimulatedDevice device, long seed) {
    SimulatedDevice after = device.crash(CrashModel.LOSE_ALL, seed);
    after.setFaults(fault ->
        fault.kind() == DeviceCall.Kind.WRITE || fault.kind() == DeviceCall.Kind.CREATE
            ? Faults.Outcome.FULL
            : Faults.Outcome.NONE);
    return after;
  }

  @Test
  void oneSeedIsOneRun() throws Exception {
    assertEquals(hash(7), hash(7));
  }

  private long hash(long seed) throws Exception {
    Simulation simulation = new Simulation(seed);
    simulation.run(() -> {
      try (Containers containers =
          open(simulation.device(), simulation.scheduler(), Map.of(), SealListener.NONE)) {
        work(simulation.scheduler(), containers, seed);
      }
      return true;
    });
    return simulation.trace().hash();
  }
}
