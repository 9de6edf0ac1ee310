package onefold.store.simulator;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import onefold.store.ChunkStore;
import onefold.store.DomainRecord;
import onefold.store.device.Device;
import onefold.store.device.DeviceForceException;
import onefold.store.engine.Engine;
import onefold.store.engine.EngineSettings;
import onefold.store.scheduler.Scheduler;
import onefold.store.scheduler.TaskHandle;
import onefold.store.simulation.DeviceCall;
import onefold.store.simulation.Faults;
import onefold.store.simulation.SimulatedCrash;
import onefold.store.simulation.SimulatedDevice;
import onefold.store.simulation.Simulation;
import org.jspecify.annotations.Nullable;

/**
 * One random program against the whole store, from an empty disk to an empty disk.
 *
 * <pre>{@code
 * new SimulatedProgram(seed).run(); // throws an AssertionError with seed and shrunk program
 * }</pre>
 */
public final class SimulatedProgram {
  /** Opens what is judged. */
  @FunctionalInterface
  interface Opener {
    ChunkStore open(Device device, Scheduler scheduler, EngineSettings settings) throws IOException;
  }

  /** The store itself. */
  static final Opener ENGINE = Engine::open;

  private static final boolean VERBOSE = Boolean.getBoolean("onefold.verbose");

  /**
   * What came of a program that went well.
   *
   * @param hash over all calls of the seams; equal for equal seeds
   * @param stepCount steps carried out, those of lanes each
   * @param cutCount lives that ended by a kill or a power loss
   * @param refusedCount calls that were refused as they must be
   * @param lackingCount commits that asked for something again
   */
  public record Outcome(
      long hash, long stepCount, int cutCount, long refusedCount, long lackingCount) {}

  private final Program program;
  private final Opener opener;
  private final World world;
  private final Judge judge;
  private final List<Lane> lanes = new ArrayList<>();
  private final SplittableRandom random;
  private Simulation simulation;
  private @Nullable ChangeHook changeHook;
  private int next;
  private int cutCount;
  private Step.@Nullable Cut cut;
  private boolean cutRecovery;

  /** Whether the call that was to fail has failed, in this life. */
  private boolean callFailed;

  /** Whether a call is to fail in the next recovery, instead of a cut. */
  private boolean failRecovery;

  private long hash;

  /** The program of a seed. */
  public SimulatedProgram(long seed) {
    this(ProgramMaker.make(seed), ENGINE);
  }

  SimulatedProgram(Program program, Opener opener) {
    this.program = program;
    this.opener = opener;
    this.world = new World(program.seed(), program.settings());
    this.judge = new Judge(world);
    for (int i = 0; i < Address.LANES; i++) {
      lanes.add(new Lane(world, i, judge));
    }
    this.random = new SplittableRandom(program.seed() ^ 0x6a75646765L);
    this.simulation = new Simulation(program.seed());
  }

  /**
   * Runs the program.
   *
   * @throws AssertionError if the store is not what it must be at some step; says the seed and a
   *     smaller program that fails too
   */
  public Outcome run() {
    try {
      return runOnce();
    } catch (Exception | AssertionError failure) {
      throw Shrinking.explained(program, opener, failure);
    }
  }

  /** Looks at the disk after a change, and at what must be found there. */
  @FunctionalInterface
  interface ChangeHook {
    void changed(Simulation simulation, World world);
  }

  /** Sets what is called after every change of the disk. */
  void afterEachChange(ChangeHook hook) {
    changeHook = hook;
  }

  /** Runs the program, and throws what went wrong as it is. */
  Outcome runOnce() throws Exception {
    boolean ended = false;
    while (!ended) {
      world.begin(simulation);
      ChangeHook hook = changeHook;
      if (hook != null) {
        Simulation now = simulation;
        now.device().afterEachChange(() -> hook.changed(now, world));
      }
      try {
        ended = simulation.run(this::live);
      } catch (SimulatedCrash crash) {
        if (cut == null) {
          throw new Wrong("a task was stopped and nobody cut the power", crash);
        }
        cutCount++;
      } catch (AssertionError failure) {
        // A task that nobody waits for was the one whose force failed: that ends the process.
        if (!callFailed || !(failure.getCause() instanceof DeviceForceException)) {
          throw failure;
        }
        cutCount++;
      }
      hash = hash * 31 + simulation.trace().hash();
      simulation = afterwards();
    }
    return new Outcome(hash, world.stepCount, cutCount, world.refusedCount, world.lackingCount);
  }

  private Simulation afterwards() {
    Step.Cut how = cut;
    long seed = program.seed() + 1_000_003L * (next + cutCount);
    if (how == null || how.end() == Step.End.KILL) {
      return simulation.afterProcessEnd(seed);
    }
    return simulation.afterPowerLoss(how.seed() + cutCount);
  }

  // ---- a life

  /** Opens the store, goes on with the program, and answers whether it has ended. */
  private boolean live() throws IOException {
    world.setSpace();
    Step.Cut before = cut;
    callFailed = false;
    if (before != null && before.recoveryCalls() > 0 && !cutRecovery) {
      cutRecovery = true;
      if (failRecovery) {
        failRecovery = false;
        failAt(before.recoveryCalls(), false);
      } else {
        cutAt(before.recoveryCalls());
      }
    } else {
      cutRecovery = false;
      cut = null;
    }
    openAfter(before);
    simulation.device().setFaults(Faults.none());
    cut = null;
    cutRecovery = false;
    @Nullable Intent[] unanswered = world.intents.clone();
    if (before == null && next == 0) {
      makeStores();
    } else {
      judge.settle();
      if (random.nextBoolean()) {
        judge.askAgain(unanswered);
      }
      makeStores();
      if (!world.rotten || random.nextBoolean()) { // Else what was damaged is not read at once.
        judge.readAll(random.nextLong());
      }
    }
    while (next < program.steps().size()) {
      Step step = program.steps().get(next++);
      if (VERBOSE) {
        System.out.println(next - 1 + " " + step);
      }
      switch (step) {
        case Step.Cut planned -> {
          cut = planned;
          cutAt(planned.calls());
          run(planned.during());
          simulation.scheduler().crash();
        }
        case Step.FailedCall planned -> runFailing(planned);
        case Step.NoSpace planned -> runWithoutSpace(planned);
        case Step.Damage planned -> runDamaged(planned);
        default -> run(step);
      }
      judge.lookAfter(changedBy(step), random);
    }
    end();
    return true;
  }

  /** The one store that a step can have changed, or -1. */
  private static int changedBy(Step step) {
    return switch (step) {
      case Step.Put put -> put.to().store();
      case Step.Begin begin -> begin.to().store();
      case Step.Resume resume -> resume.of().store();
      case Step.EndUpload end -> end.of().store();
      case Step.Splice splice -> splice.to().store();
      case Step.Clone clone -> clone.to().store();
      case Step.Delete delete -> delete.of().store();
      case Step.Update update -> update.of().store();
      case Step.Lock lock -> lock.of().store();
      case Step.Undelete undelete -> undelete.of().store();
      case Step.Purge purge -> purge.of().store();
      case Step.Read read -> read.of().store();
      case Step.OpenReader open -> open.of().store();
      case Step.Listing listing -> listing.store();
      case Step.Feed _, Step.ReadOpen _, Step.CloseReader _, Step.CheckAll _ -> 0;
      default -> -1;
    };
  }

  /** Opens the store; a failed call of the disk may keep it from opening, which is tried again. */
  private void openAfter(Step.@Nullable Cut before) throws IOException {
    try {
      world.opened(opener.open(simulation.device(), simulation.scheduler(), program.settings()));
    } catch (IOException | DeviceForceException e) {
      if (!callFailed) {
        throw e;
      }
      cut = before;
      simulation.scheduler().crash();
    }
  }

  private void failAt(int calls, boolean forces) {
    var seen = new AtomicLong();
    simulation
        .device()
        .setFaults(call -> {
          boolean counts =
              !forces
                  || call.kind() == DeviceCall.Kind.FORCE
                  || call.kind() == DeviceCall.Kind.FORCE_DIRECTORY;
          if (!counts || seen.incrementAndGet() != calls) {
            return Faults.Outcome.NONE;
          }
          callFailed = true;
          return Faults.Outcome.IO_ERROR;
        });
  }

  /** Runs a step in which a call fails; then the process ends, whatever the step has answered. */
  private void runFailing(Step.FailedCall planned) throws IOException {
    cut =
        new Step.Cut(
            planned.during(),
            planned.end(),
            planned.calls(),
            planned.recovery() ? planned.calls() : 0,
            planned.seed());
    failRecovery = planned.recovery();
    failAt(planned.calls(), planned.forces());
    world.failing = true;
    try {
      run(planned.during());
    } catch (IOException | DeviceForceException e) {
      if (!callFailed) {
        throw e;
      }
    } finally {
      world.failing = false;
    }
    simulation.scheduler().crash();
  }

  /** Runs a step in which a call finds no space; what is refused has changed nothing. */
  private void runWithoutSpace(Step.NoSpace planned) throws IOException {
    for (DomainRecord domain : world.store().domains()) {
      // The first who asks of a domain makes its folders, even who only looks.
      var _ = world.store().domainStatistics(domain.id());
    }
    world.fullForOneCall = true;
    world.disturbed = true;
    var seen = new AtomicLong();
    simulation
        .device()
        .setFaults(call -> {
          boolean counts =
              call.kind().changes()
                  && call.kind() != DeviceCall.Kind.FORCE
                  && call.kind() != DeviceCall.Kind.FORCE_DIRECTORY
                  && (!planned.journal() || call.path().startsWith("journal"));
          return counts && seen.incrementAndGet() == planned.calls()
              ? Faults.Outcome.FULL
              : Faults.Outcome.NONE;
        });
    run(planned.during());
    simulation.device().setFaults(Faults.none());
    world.fullForOneCall = false;
  }

  // ---- damage

  private void runDamaged(Step.Damage planned) throws IOException {
    world.rotten = true;
    world.damageCount++;
    var seeded = new SplittableRandom(planned.seed());
    switch (planned.how()) {
      case BIT, ZEROS, ASTRAY -> damageAtRest(planned, seeded);
      case WRONG_READ -> fault(planned, DeviceCall.Kind.READ, Faults.Outcome.FLIPPED_READ);
      case READ_ELSEWHERE -> fault(planned, DeviceCall.Kind.READ, Faults.Outcome.MISDIRECTED_READ);
      case OLD_READ -> fault(planned, DeviceCall.Kind.READ, Faults.Outcome.STALE_READ);
      case LOST_WRITE -> fault(planned, DeviceCall.Kind.WRITE, Faults.Outcome.LOST_WRITE);
      case WRITE_ELSEWHERE ->
          fault(planned, DeviceCall.Kind.WRITE, Faults.Outcome.MISDIRECTED_WRITE);
    }
    run(planned.during());
    simulation.device().setFaults(Faults.none());
  }

  private void fault(Step.Damage planned, DeviceCall.Kind kind, Faults.Outcome outcome) {
    var seen = new AtomicLong();
    simulation
        .device()
        .setFaults(call ->
            call.kind() == kind
                    && call.path().contains("/data/")
                    && seen.incrementAndGet() == planned.number() + 1
                ? outcome
                : Faults.Outcome.NONE);
  }

  private static boolean isOfData(String path) {
    return path.contains("/data/") && path.endsWith(".container");
  }

  private void damageAtRest(Step.Damage planned, SplittableRandom seeded) throws IOException {
    SimulatedDevice device = simulation.device();
    List<String> files =
        device.files().stream().filter(SimulatedProgram::isOfData).sorted().toList();
    if (files.isEmpty()) {
      return;
    }
    String path = files.get(planned.number() % files.size());
    byte[] content = device.peek(path);
    int sectors = content.length / SECTOR_BYTES;
    if (sectors == 0) {
      return;
    }
    long sector = seeded.nextInt(sectors);
    switch (planned.how()) {
      case BIT ->
          device.flipBit(
              path, sector * SECTOR_BYTES + seeded.nextInt(SECTOR_BYTES), seeded.nextInt(8));
      case ZEROS -> device.zeroSectors(path, sector, 1);
      case ASTRAY, WRONG_READ, READ_ELSEWHERE, OLD_READ, LOST_WRITE, WRITE_ELSEWHERE -> {
        int from = seeded.nextInt(sectors) * SECTOR_BYTES;
        device.overwriteAtRest(
            path, sector * SECTOR_BYTES, Arrays.copyOfRange(content, from, from + SECTOR_BYTES));
      }
    }
  }

  private static final int SECTOR_BYTES = 512;

  private void cutAt(int calls) {
    long at = simulation.device().callCount() + calls;
    simulation
        .device()
        .setFaults(call -> call.number() == at ? Faults.Outcome.CRASH : Faults.Outcome.NONE);
  }

  /** The stores of all programs; what a cut has kept from being made is made now. */
  private void makeStores() throws IOException {
    ChunkStore store = world.store();
    Model.StoreState first = world.model.store(0);
    if (first.record == null) {
      first.record = store.findStore(Address.storeName(0)).orElseThrow();
      lanes.getFirst().makeStore(1, first.existing().domainId());
    }
    if (world.model.share(0).record == null && next == 0) {
      lanes.getFirst().run(new Step.MakeShare(0));
    }
    if (world.model.store(2).record == null) {
      DomainRecord second = null;
      for (DomainRecord domain : store.domains()) {
        second = domain.name().equals("second") ? domain : second;
      }
      if (second == null) {
        second = store.createDomain(world.newId(), "second", 1);
      }
      lanes.getFirst().makeStore(2, second.id());
    }
  }

  private void run(Step step) throws IOException {
    switch (step) {
      case Step.Reopen() -> reopen();
      case Step.Together together -> runTogether(together);
      case Step.Heal heal -> {
        reopenIfStopped();
        lanes.getFirst().run(heal);
      }
      default -> lanes.get(laneOf(step)).run(step);
    }
  }

  private static int laneOf(Step step) {
    return switch (step) {
      case Step.PutRecord record -> record.lane();
      case Step.ShareChanges changes -> changes.lane();
      default -> 0;
    };
  }

  private void reopen() throws IOException {
    world.stepCount++;
    if (random.nextBoolean()) {
      lanes.getFirst().closeAll();
    }
    world.setSpace();
    world.store().close();
    if (random.nextBoolean()) {
      lanes.getFirst().closeAll(); // Whoever was cut off by the end still closes what it has.
    }
    world.begin(simulation);
    world.opened(opener.open(simulation.device(), simulation.scheduler(), program.settings()));
    judge.settle();
    judge.readAll(random.nextLong());
  }

  /** An open container that has lost a write may keep everything from being committed. */
  private void reopenIfStopped() throws IOException {
    if (world.store().problem().isPresent()) {
      reopen();
    }
  }

  // ---- side by side

  private void runTogether(Step.Together step) throws IOException {
    world.together = true;
    var tasks = new ArrayList<TaskHandle>();
    var failures = new ArrayList<Throwable>();
    for (int i = 0; i < step.lanes().size(); i++) {
      Lane lane = lanes.get(i);
      int number = i;
      List<Step> steps = step.lanes().get(i);
      tasks.add(
          start(
              "lane" + i,
              failures,
              () -> {
                for (Step one : steps) {
                  lane.run(one);
                  judge.look(number, new SplittableRandom(number));
                }
              }));
    }
    if (step.housekeepingRuns() > 0) {
      Lane lane = new Lane(world, Address.LANES, judge);
      tasks.add(
          start(
              "housekeeping",
              failures,
              () -> {
                for (int i = 0; i < step.housekeepingRuns(); i++) {
                  lane.housekeep(0);
                  lane.recompress(0);
                }
              }));
    }
    for (TaskHandle task : tasks) {
      task.join();
    }
    world.together = false;
    // What is wrong before what a disk that fails lets fail.
    failures.sort(Comparator.comparing(failure -> !(failure instanceof Wrong)));
    for (Throwable failure : failures) {
      switch (failure) {
        case IOException checked -> throw checked;
        case RuntimeException unchecked -> throw unchecked;
        case Error error -> throw error;
        default -> throw new IllegalStateException(failure);
      }
    }
  }

  /** What a task does. */
  @FunctionalInterface
  private interface Body {
    void run() throws IOException;
  }

  private TaskHandle start(String name, List<Throwable> failures, Body body) {
    return simulation
        .scheduler()
        .start(
            name,
            () -> {
              try {
                body.run();
              } catch (SimulatedCrash crash) {
                throw crash;
              } catch (Throwable thrown) { // Handed to the main task.
                failures.add(thrown);
              }
            });
  }

  // ---- the end

  /** Deletes everything; then housekeeping must return the space. */
  private void end() throws IOException {
    world.setSpace();
    Lane lane = lanes.getFirst();
    lane.closeAll();
    if (world.isAnyShareStopped()) {
      reopen();
    }
    lane.pause(false);
    judge.readAll(random.nextLong());
    if (world.rotten) {
      reopenIfStopped();
      lane.run(new Step.Heal(random.nextLong()));
    }
    lane.run(new Step.PutRecord(0, 0, -1)); // Checkpoints that nobody waited for come before it.
    lane.uploads().endAll();
    lane.snapshots().deleteAll();
    lane.shares().deleteAll();
    long lockedUntil = 0;
    var addresses = new ArrayList<Address>();
    for (int store = 0; store < Address.STORES; store++) {
      for (int i = 0; i < Address.LANES; i++) {
        for (int name = 0; name < Address.NAMES_PER_LANE; name++) {
          var address = new Address(store, i, name);
          Model.Known known = world.model.item(address);
          if (known != null) {
            lockedUntil = Math.max(lockedUntil, known.item().lockedUntilMillis());
            if (known.item().held()) {
              lane.run(new Step.Update(address, 0, false, 0));
            }
            addresses.add(address);
          }
        }
      }
    }
    while (world.store().storeTimeMillis() <= lockedUntil) {
      long rest = lockedUntil - world.store().storeTimeMillis() + 1;
      simulation.scheduler().park(java.time.Duration.ofMillis(rest));
    }
    for (Address address : addresses) {
      lane.run(new Step.Delete(address, false));
    }
    judge.look(-1, random);
    lane.run(new Step.PassTime(Math.toIntExact(Model.DAY_MILLIS))); // Longer than any is kept.
    for (DomainRecord domain : world.store().domains()) {
      for (int i = 0; i < EMPTYING_CYCLES; i++) {
        world.store().runHousekeeping(domain.id());
      }
      judge.checkEmpty(domain);
    }
    lane.run(
        new Step.Put(
            new Address(0, 0, 0),
            new Plan(0, Plan.Kind.HALF, 5_000, 0, 0, 0),
            Step.Road.STREAM,
            onefold.store.Compression.LZ4,
            onefold.store.CommitMode.IF_ABSENT,
            0,
            0,
            false));
    reopen();
    world.store().close();
  }

  /** Cycles after which nothing that nobody refers to may be left. */
  private static final int EMPTYING_CYCLES = 3;

  Program program() {
    return program;
  }
}
