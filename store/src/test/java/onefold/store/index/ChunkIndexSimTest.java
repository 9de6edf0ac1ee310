package onefold.store.index;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import onefold.chunker.ChunkKind;
import onefold.store.CorruptDataException;
import onefold.store.scheduler.TaskHandle;
import onefold.store.scheduler.ThreadScheduler;
import onefold.store.simulation.CrashModel;
import onefold.store.simulation.SimulatedDevice;
import onefold.store.simulation.Simulation;
import org.junit.jupiter.api.Test;

/** Random programs against a model, with power losses, damage and a simulated scheduler. */
class ChunkIndexSimTest {
  private static final long SEED = Simulation.seed();
  private static final int PROGRAMS = Integer.getInteger("onefold.programs", 15);

  @Test
  void theIndexAnswersAsTheModelThroughFlushesMergesRestartsAndPowerLosses() throws Exception {
    for (int program = 0; program < PROGRAMS; program++) {
      long seed = SEED + program;
      try {
        run(seed, false);
      } catch (Exception | AssertionError e) {
        throw new AssertionError("onefold.seed=" + seed, e);
      }
    }
  }

  @Test
  void damageIsNeverAnsweredAbsentAndARebuildMendsIt() throws Exception {
    for (int program = 0; program < PROGRAMS; program++) {
      long seed = SEED + program;
      try {
        run(seed, true);
      } catch (Exception | AssertionError e) {
        throw new AssertionError("onefold.seed=" + seed, e);
      }
    }
  }

  private static void run(long seed, boolean damage) throws Exception {
    var random = new SplittableRandom(seed);
    var model = new IndexModel(random, random.nextInt(1, 600));
    var settings =
        new IndexSettings(
            IndexSettings.MIN_TABLE_BYTES << random.nextInt(3),
            random.nextInt(2) << 18,
            random.nextInt(16, 800),
            random.nextInt(2) * 4_000_000L);
    var simulation = new Simulation(seed);
    int lives = random.nextInt(1, 5);
    for (int life = 0; life < lives; life++) {
      Simulation now = simulation;
      boolean orderly = random.nextBoolean();
      now.run(() -> {
        live(now, random, model, settings, damage, orderly);
        return null;
      });
      simulation =
          orderly && random.nextBoolean()
              ? now.afterProcessEnd(seed + life)
              : now.afterPowerLoss(seed + life);
      if (damage && random.nextInt(3) == 0) {
        damageSomeFile(simulation, random);
      }
    }
  }

  private static void live(
      Simulation simulation,
      SplittableRandom random,
      IndexModel model,
      IndexSettings settings,
      boolean damage,
      boolean orderly)
      throws Exception {
    var heard = new ArrayList<String>();
    ChunkIndex index =
        ChunkIndex.open(simulation.device(), simulation.scheduler(), "index", settings, heard::add);
    model.recover(index);
    for (int step = random.nextInt(40); step > 0; step--) {
      switch (random.nextInt(12)) {
        case 0, 1, 2, 3 -> model.publish(index, 200);
        case 4, 5 -> model.seal(index);
        case 6 -> model.retract(index);
        case 7 -> model.retractChunk(index);
        case 8 -> index.checkpoint();
        case 9 -> {
          if (random.nextInt(3) == 0) {
            index.quiesce();
          }
          if (damage && random.nextInt(3) == 0) {
            damageSomeFile(simulation, random);
          }
        }
        default -> compare(simulation, random, model, index, damage);
      }
    }
    compare(simulation, random, model, index, damage);
    if (orderly) {
      index.checkpoint();
      index.close();
    } // else whatever runs is cut off
  }

  private static void damageSomeFile(Simulation simulation, SplittableRandom random)
      throws IOException {
    List<String> files = simulation.device().files();
    if (!files.isEmpty()) {
      String file = files.get(random.nextInt(files.size()));
      int size = simulation.device().peek(file).length;
      switch (random.nextInt(4)) {
        case 0 -> simulation.device().truncateAtRest(file, random.nextInt(size + 1));
        case 1 -> simulation.device().zeroSectors(file, random.nextInt(size / 512 + 1), 1);
        default -> {
          if (size > 0) {
            simulation.device().flipBit(file, random.nextInt(size), random.nextInt(8));
          }
        }
      }
    }
  }

  private static void compare(
      Simulation simulation,
      SplittableRandom random,
      IndexModel model,
      ChunkIndex index,
      boolean damage)
      throws IOException {
    for (ChunkKind kind : ChunkKind.values()) {
      List<IndexModel.Chunk> questions = model.questions(kind);
      var failures = new ArrayList<String>();
      var tasks = new ArrayList<TaskHandle>();
      for (int i = random.nextInt(2); i >= 0; i--) {
        tasks.add(
            simulation
                .scheduler()
                .start("compare", () -> failures.addAll(ask(model, index, kind, questions))));
      }
      tasks.forEach(TaskHandle::join);
      if (damage && index.rebuildNeeded()) {
        long rebuild = index.beginRebuild();
        model.republish(index, Set.of());
        index.finishRebuild(rebuild);
        failures.removeIf(failure -> failure.startsWith("corrupt"));
        if (!index.rebuildNeeded()) {
          failures.addAll(ask(model, index, kind, questions));
          if (index.rebuildNeeded()) {
            failures.removeIf(failure -> failure.startsWith("corrupt"));
          }
        }
      }
      assertEquals(List.of(), failures);
    }
  }

  private static List<String> ask(
      IndexModel model, ChunkIndex index, ChunkKind kind, List<IndexModel.Chunk> questions) {
    var places = new Places(1);
    index.lookupForDedup(IndexModel.batch(kind, questions), places);
    for (int i = 0; i < questions.size(); i++) {
      IndexModel.Chunk question = questions.get(i);
      if (places.isPresent(i)
          && model.isRetracted(question, places.containerNumbers()[i], places.slots()[i])) {
        return List.of(question + ": a retracted place for deduplication");
      }
    }
    try {
      index.lookup(IndexModel.batch(kind, questions), places);
    } catch (CorruptDataException e) {
      String wrong = model.untrue(questions, places);
      return List.of(wrong == null ? "corrupt " + e.getMessage() : wrong);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    String wrong =
        index.rebuildNeeded() ? model.untrue(questions, places) : model.wrong(questions, places);
    return wrong == null ? List.of() : List.of(wrong);
  }

  @Test
  void everyPowerLossOfAShortProgramLeavesAnIndexThatRecovers() throws Exception {
    for (CrashModel crashModel : CrashModel.values()) {
      for (int cut = 1; cut < 400; cut += 23) {
        long seed = SEED + cut;
        var random = new SplittableRandom(SEED);
        var model = new IndexModel(random, 300);
        var settings = new IndexSettings(IndexSettings.MIN_TABLE_BYTES, 0, 100, 0);
        var simulation = new Simulation(seed);
        int changes = cut;
        var device = simulation.device();
        var state = new Object[1];
        simulation.run(() -> {
          ChunkIndex index =
              ChunkIndex.open(device, simulation.scheduler(), "index", settings, what -> {});
          for (int i = 0; i < 12; i++) {
            model.publish(index, 60);
            model.seal(index);
            if (i % 4 == 3) {
              index.checkpoint();
              model.retract(index);
            }
            if (device.callCount() >= changes) {
              break;
            }
          }
          state[0] = device.crash(crashModel, seed);
          return null;
        });
        // The containers are all there: they are forced before anything is said about them.
        var after = (SimulatedDevice) state[0];
        var scheduler = new ThreadScheduler();
        try {
          var heard = new ArrayList<String>();
          ChunkIndex index = ChunkIndex.open(after, scheduler, "index", settings, heard::add);
          assertTrue(!index.rebuildNeeded(), () -> heard + " onefold.seed=" + SEED);
          model.recover(index);
          for (ChunkKind kind : ChunkKind.values()) {
            List<IndexModel.Chunk> questions = model.questions(kind);
            var places = new Places(1);
            index.lookup(IndexModel.batch(kind, questions), places);
            assertNull(model.wrong(questions, places), "onefold.seed=" + SEED);
          }
          index.close();
        } finally {
          scheduler.close();
        }
      }
    }
  }
}
