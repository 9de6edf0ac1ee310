package onefold.store.container;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import onefold.block.BlockBuilder;
import onefold.block.BlockCodec;
import onefold.chunker.ChunkKind;
import onefold.chunker.FingerprintBatch;
import onefold.chunker.Fingerprinter;
import onefold.chunker.ParameterSet;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.device.Device;
import onefold.store.device.DeviceFile;
import onefold.store.device.DeviceForceException;
import onefold.store.scheduler.Promise;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.ThreadScheduler;
import onefold.store.simulation.CrashModel;
import onefold.store.simulation.Faults;
import onefold.store.simulation.PassingDevice;
import onefold.store.simulation.SimulatedCrash;
import onefold.store.simulation.SimulatedDevice;
import onefold.store.simulation.Simulation;
import org.junit.jupiter.api.Test;

/** Containers written anew: the same chunks in the same slots, whatever happens on the way. */
final class RecompressionSimTest {
  private static final Id DOMAIN = new Id(5, 6);
  private static final ContainerSettings SMALL =
      new ContainerSettings(ContainerSettings.MIN_CONTAINER_BYTES, 1, 1 << 20, 1 << 20, 2);
  private static final int LEVEL = 1;
  private static final int BLOCKS = 9;

  private record Stored(Blocks.Made block, Appended where) {}

  private final List<Stored> appended = new ArrayList<>();
  private final Set<Long> deleted = new HashSet<>();
  private final List<BlockLocation> damaged = new ArrayList<>();

  private final Recompression strong =
      new Recompression(
          LEVEL,
          new Recompression.Progress() {
            @Override
            public void between() {}

            @Override
            public void damaged(BlockLocation block) {
              damaged.add(block);
            }
          });

  private static Containers open(Device device, Scheduler scheduler) throws IOException {
    DurableEnds none =
        new DurableEnds() {
          @Override
          public long endBytes(long containerNumber) {
            return 0;
          }

          @Override
          public long nextContainerNumber() {
            return 1;
          }
        };
    return Containers.open(
        device,
        scheduler,
        "domains/a",
        DOMAIN,
        ParameterSet.SET_1,
        1,
        SMALL,
        none,
        SealListener.NONE);
  }

  /** A block of bytes that zstd makes smaller and LZ4 does not: skewed, without repetitions. */
  private static Blocks.Made block(SplittableRandom random, BlockCodec codec) {
    var fingerprinter = new Fingerprinter(ParameterSet.SET_1);
    var batch = new FingerprintBatch(ChunkKind.DATA, 8);
    List<byte[]> chunks = new ArrayList<>();
    try (var builder = new BlockBuilder(ChunkKind.DATA, codec, LEVEL)) {
      int count = 1 + random.nextInt(5);
      for (int i = 0; i < count; i++) {
        byte[] chunk = new byte[1 + random.nextInt(9000)];
        for (int at = 0; at < chunk.length; at++) {
          int bits = random.nextInt(16);
          chunk[at] = (byte) (bits & random.nextInt(16));
        }
        builder.add(chunk, 0, chunk.length);
        batch.add(fingerprinter.fingerprint(chunk, 0, chunk.length), chunk.length);
        chunks.add(chunk);
      }
      int length = builder.encode();
      return new Blocks.Made(Arrays.copyOf(builder.bytes(), length), batch, chunks);
    }
  }

  /** Fills some containers and seals them. */
  private void fill(Containers containers, long seed) throws IOException {
    var random = new SplittableRandom(seed);
    for (int i = 0; i < BLOCKS; i++) {
      Blocks.Made block = block(random, i % 2 == 0 ? BlockCodec.LZ4 : BlockCodec.NONE);
      appended.add(
          new Stored(
              block,
              containers.append(
                  ChunkKind.DATA, block.bytes(), 0, block.bytes().length, block.batch())));
    }
    containers.sealAll();
  }

  private void readAll(Containers containers, String when) throws IOException {
    for (Stored stored : appended) {
      long number = stored.where().containerNumber();
      if (deleted.contains(number)) {
        continue;
      }
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

  /** Recovers a device and checks that every chunk is where it was and every file is whole. */
  private void check(Device device, String when) throws IOException {
    try (var scheduler = new ThreadScheduler(1, (name, failure) -> failure.printStackTrace())) {
      Containers containers = open(device, scheduler);
      assertEquals(List.of(), containers.recoveryDamages(), when);
      List<CorruptDataException> damages = new ArrayList<>();
      for (ContainerInfo info : containers.list()) {
        containers.verify(info.number(), true, damages::add);
      }
      assertEquals(List.of(), damages, when);
      readAll(containers, when);
      long files =
          device.list("domains/a/data").stream().filter(name -> name.contains("-")).count();
      assertEquals(containers.list().size(), files, when + ": files of other generations are left");
    }
  }

  /** What takes a file away while it is being opened. */
  @FunctionalInterface
  private interface Change {
    void of(Containers containers, long number) throws IOException;
  }

  /** Lets a container's file go between the moment it is opened and the moment that is known. */
  private void openWhileItGoes(Change change) throws Exception {
    long seed = Simulation.seed();
    Simulation simulation = new Simulation(seed);
    simulation.run(() -> {
      var opened = new AtomicReference<Containers>();
      var waiting = new AtomicBoolean();
      var device =
          new PassingDevice(simulation.device()) {
            @Override
            public DeviceFile open(String path, boolean forWriting) throws IOException {
              DeviceFile file = super.open(path, forWriting);
              if (path.endsWith(".container") && waiting.getAndSet(false)) {
                change.of(
                    Objects.requireNonNull(opened.get()),
                    appended.getFirst().where().containerNumber());
              }
              return file;
            }
          };
      try (Containers containers = open(device, simulation.scheduler())) {
        opened.set(containers);
        fill(containers, seed);
        containers.releaseCaches();
        waiting.set(true);
        Stored first = appended.getFirst();
        long number = first.where().containerNumber();
        try {
          assertArrayEquals(
              first.block().chunks().getFirst(),
              containers.readChunk(
                  new ChunkPlace(number, first.where().firstSlot()),
                  first.block().batch().fingerprint(0).toBytes(),
                  0),
              "onefold.seed=" + seed);
        } catch (ContainerGoneException e) {
          assertTrue(deleted.contains(number), "onefold.seed=" + seed);
        }
        assertFalse(waiting.get());
        assertEquals(0, simulation.device().unlinkedBytes(), "onefold.seed=" + seed);
        readAll(containers, "onefold.seed=" + seed);
      }
      return true;
    });
  }

  @Test
  void aFileThatIsOpenedWhileItsContainerIsWrittenAnewDoesNotStayOpen() throws Exception {
    openWhileItGoes((containers, number) -> containers.recompress(number, strong));
  }

  @Test
  void aFileThatIsOpenedWhileItsContainerIsDeletedDoesNotStayOpen() throws Exception {
    openWhileItGoes((containers, number) -> {
      containers.delete(List.of(number));
      deleted.add(number);
    });
  }

  @Test
  void theNextGenerationHasTheSameSlotsInFewerBlocksAndLessSpace() throws Exception {
    long seed = Simulation.seed();
    Simulation simulation = new Simulation(seed);
    simulation.run(() -> {
      try (Containers containers = open(simulation.device(), simulation.scheduler())) {
        fill(containers, seed);
        List<Long> cold = containers.cold(0);
        assertFalse(cold.isEmpty());
        for (long number : cold) {
          ContainerInfo before = containers.info(number);
          ContainerDirectory then = containers.directory(number);
          BlockLocation place = containers.locationOfSlot(number, 0);
          long saved = containers.recompress(number, strong);
          ContainerInfo after = containers.info(number);
          assertEquals(before.fileBytes() - saved, after.fileBytes());
          assertEquals(before.rawBytes(), after.rawBytes());
          assertEquals(before.chunkCount(), after.chunkCount());
          ContainerDirectory now = containers.directory(number);
          for (int slot = 0; slot < then.chunks().count(); slot++) {
            assertEquals(then.chunks().fingerprint(slot), now.chunks().fingerprint(slot));
          }
          if (saved > 0) {
            assertEquals(2, after.generation());
            assertTrue(now.blockCount() <= then.blockCount());
            assertThrows(ContainerGoneException.class, () -> containers.readBlock(place));
          }
        }
        assertTrue(containers.cold(0).isEmpty(), "none is tried again");
        assertEquals(2, containers.info(cold.getFirst()).generation());
        readAll(containers, "onefold.seed=" + seed);
      }
      return true;
    });
    check(simulation.device().crash(CrashModel.KEEP_ALL, seed), "reopened, onefold.seed=" + seed);
  }

  @Test
  void aPowerLossAtEveryStepLeavesOneWholeGeneration() throws Exception {
    long seed = Simulation.seed();
    Simulation simulation = new Simulation(seed);
    var cuts = new PowerCuts(new SplittableRandom(seed), 10, this::check);
    SimulatedDevice device = simulation.device();
    try {
      simulation.run(() -> {
        try (Containers containers = open(device, simulation.scheduler())) {
          fill(containers, seed);
          cuts.watch(device);
          List<Long> cold = containers.cold(0);
          for (long number : cold) {
            containers.recompress(number, strong);
          }
          deleted.add(cold.getFirst());
          containers.delete(Set.of(cold.getFirst()));
        }
        return true;
      });
      assertTrue(cuts.states() > 40, () -> cuts.states() + " states");
    } catch (Throwable failed) {
      throw new AssertionError("onefold.seed=" + seed, failed);
    }
  }

  @Test
  void aFailureOrAFullDiskAtAnyCallLeavesEveryChunkReadable() throws Exception {
    long seed = Simulation.seed();
    for (Faults.Outcome outcome :
        List.of(Faults.Outcome.FULL, Faults.Outcome.IO_ERROR, Faults.Outcome.CRASH)) {
      for (int call = 1; call < 60; call++) {
        String when = outcome + " at call " + call + ", onefold.seed=" + seed;
        appended.clear();
        int at = call;
        Simulation simulation = new Simulation(seed);
        try {
          simulation.run(() -> {
            Containers containers = open(simulation.device(), simulation.scheduler());
            fill(containers, seed);
            boolean broken = false;
            long from = simulation.device().callCount();
            simulation.device().setFaults(Faults.atCall(from + at, outcome));
            for (long number : containers.cold(0)) {
              try {
                containers.recompress(number, strong);
              } catch (DeviceForceException fatal) {
                broken = true; // Nothing works any more; what is on the disk counts.
              } catch (IOException expected) {
                assertFalse(String.valueOf(expected.getMessage()).isEmpty());
              }
            }
            if (!broken) {
              simulation.device().setFaults(Faults.none());
              readAll(containers, when);
            }
            return true;
          });
        } catch (SimulatedCrash cut) {
          assertEquals(Faults.Outcome.CRASH, outcome);
        }
        check(simulation.device().crash(CrashModel.LOSE_ALL, seed), when);
      }
    }
  }

  @Test
  void damageIsToldAndNotWrittenAnew() throws Exception {
    long seed = Simulation.seed();
    Simulation simulation = new Simulation(seed);
    simulation.run(() -> {
      SimulatedDevice device = simulation.device();
      try (Containers containers = open(device, simulation.scheduler())) {
        fill(containers, seed);
        long number = containers.cold(0).getFirst();
        BlockLocation hit = containers.directory(number).block(1);
        String file =
            device.files().stream()
                .filter(name -> name.contains("/data/%016x-".formatted(number)))
                .findFirst()
                .orElseThrow();
        device.flipBit(file, hit.offsetBytes() + hit.storedBytes() / 2, 3);
        assertThrows(CorruptDataException.class, () -> containers.recompress(number, strong));
        assertEquals(List.of(hit), damaged);
        assertEquals(1, containers.info(number).generation());
        assertFalse(containers.cold(0).contains(number));
        assertEquals(
            List.of(), device.files().stream().filter(name -> name.endsWith(".open")).toList());
      }
      return true;
    });
  }

  @Test
  void readersGoOnWhileAContainerIsWrittenAnew() throws Exception {
    long seed = Simulation.seed();
    for (int round = 0; round < 20; round++) {
      String when = "onefold.seed=" + (seed + round);
      appended.clear();
      Simulation simulation = new Simulation(seed + round);
      long fillSeed = seed + round;
      simulation.run(() -> {
        Scheduler scheduler = simulation.scheduler();
        try (Containers containers = open(simulation.device(), scheduler)) {
          fill(containers, fillSeed);
          var ended = new AtomicBoolean();
          List<Promise<Boolean>> readers = new ArrayList<>();
          for (int i = 0; i < 3; i++) {
            Promise<Boolean> done = scheduler.promise();
            readers.add(done);
            scheduler.start(
                "reader",
                () -> {
                  try {
                    do {
                      readAll(containers, when);
                    } while (!ended.get());
                    done.complete(true);
                  } catch (IOException | AssertionError e) {
                    done.fail(e);
                  }
                });
          }
          for (long number : containers.cold(0)) {
            containers.recompress(number, strong);
          }
          ended.set(true);
          for (Promise<Boolean> reader : readers) {
            reader.await();
          }
        }
        return true;
      });
    }
  }

  @Test
  void ofTwoGenerationsTheOlderCountsIfTheYoungerIsNotWhole() throws Exception {
    long seed = Simulation.seed();
    Simulation simulation = new Simulation(seed);
    SimulatedDevice device = simulation.device();
    List<SimulatedDevice> both = new ArrayList<>();
    simulation.run(() -> {
      try (Containers containers = open(device, simulation.scheduler())) {
        fill(containers, seed);
        device.afterEachChange(() -> {
          List<String> sealed =
              device.files().stream().filter(name -> name.endsWith(".container")).toList();
          boolean two =
              sealed.stream()
                  .anyMatch(
                      name -> sealed.contains(name.replace("-2.", "-1.")) && name.contains("-2."));
          if (two && both.isEmpty()) {
            both.add(device.fork());
          }
        });
        for (long number : containers.cold(0)) {
          containers.recompress(number, strong);
        }
      }
      return true;
    });
    SimulatedDevice after = both.getFirst();
    String younger =
        after.files().stream().filter(name -> name.contains("-2.container")).findFirst().get();
    after.flipBit(younger, after.peek(younger).length - 20, 1);
    check(after, "the younger one's footer is damaged, onefold.seed=" + seed);
    assertFalse(after.files().contains(younger));
  }
}
