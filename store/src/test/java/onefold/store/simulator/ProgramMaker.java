package onefold.store.simulator;

import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import onefold.store.CommitMode;
import onefold.store.Compression;
import onefold.store.LockKind;
import onefold.store.container.ContainerSettings;
import onefold.store.engine.EngineSettings;
import onefold.store.housekeeping.RecompressionSettings;
import onefold.store.index.IndexSettings;
import onefold.store.journal.JournalSettings;

/**
 * Makes programs. Each seed weighs the kinds of steps anew, so that some programs do one thing very
 * often and another never.
 */
final class ProgramMaker {
  private static final int MIN_STEPS = 30;
  private static final int MAX_STEPS = 70;

  /** In one of so many programs most is done side by side. */
  private static final int CROWDED_OF = 8;

  /** In one of so many programs data is damaged: there less can be asked of the store. */
  private static final int DAMAGED_OF = 4;

  /** Kinds of steps, with how often they are wished for and whether lanes may do them at once. */
  private enum Kind {
    PUT(12, true),
    BEGIN(4, true),
    FEED(4, true),
    SAVE(4, true),
    FINISH(3, true),
    ABORT(1, true),
    LEAVE(2, true),
    RESUME(3, true),
    END_UPLOAD(1, true),
    SPLICE(3, true),
    CLONE(3, true),
    DELETE(7, true),
    UPDATE(2, true),
    LOCK(2, true),
    CLOCK_JUMP(1, false),
    RECORD(2, true),
    LISTING(1, true),
    READ(3, true),
    OPEN_READER(2, true),
    READ_OPEN(2, true),
    CLOSE_READER(1, true),
    PASS_TIME(1, true),
    CHECK_ALL(1, false),
    HOUSEKEEPING(5, false),
    RECOMPRESS(2, false),
    PAUSE(1, false),
    SCRUB(1, true),
    KEEP_PARITY(1, false),
    LOSE_RUN(1, false),
    COVERED(2, false),
    QUOTA(2, false),
    KEEP_DELETED(3, false),
    SNAPSHOT(2, false),
    COPY_STORE(1, false),
    SHARE_CHANGES(6, true),
    SHARE_SNAPSHOT(2, false),
    COPY_SHARE(1, false),
    MAKE_SHARE(1, false),
    DROP_SHARE(1, false),
    UNDELETE(3, true),
    PURGE(1, true),
    DROP_STORE(1, false),
    MAKE_STORE(1, false),
    FILL_DISK(1, false),
    FREE_DISK(2, false),
    REOPEN(2, false),
    CUT(6, false),
    FAILED_CALL(2, false),
    NO_SPACE(1, false),
    DAMAGE(2, false),
    HEAL(1, false),
    HURT(4, false),
    REUSE(4, false),
    LOCK_AND_TRY(1, false),
    REVIVE(1, false),
    CUT_AND_AGAIN(1, false),
    CUT_BESIDE(1, false),
    CUT_SWEEP(3, false),
    UNNAMED(1, false),
    RACE(2, false),
    BROKEN_OFF(1, false),
    TOGETHER(3, false);

    final int wish;
    final boolean together;

    Kind(int wish, boolean together) {
      this.wish = wish;
      this.together = together;
    }
  }

  private final SplittableRandom random;
  private final Map<Kind, Integer> weights = new EnumMap<>(Kind.class);
  private final int names;
  private final int bases;
  private final Plan.Kind usualKind;

  private ProgramMaker(long seed) {
    random = new SplittableRandom(seed);
    for (Kind kind : Kind.values()) {
      weights.put(kind, kind.wish * (1 << random.nextInt(5)) * (random.nextInt(12) == 0 ? 0 : 1));
    }
    if (random.nextInt(DAMAGED_OF) > 0) {
      weights.put(Kind.DAMAGE, 0);
      weights.put(Kind.HEAL, 0);
      weights.put(Kind.HURT, 0);
    }
    weights.put(Kind.PUT, kindWeight(Kind.PUT) + 40);
    names = 1 + random.nextInt(Address.NAMES_PER_LANE);
    bases = 1 + random.nextInt(5);
    usualKind = oneOf(Plan.Kind.values());
    if (random.nextInt(CROWDED_OF) == 0) {
      weights.put(Kind.TOGETHER, 300);
      weights.put(Kind.DELETE, 60);
    }
  }

  private int kindWeight(Kind kind) {
    return weights.getOrDefault(kind, 0);
  }

  static Program make(long seed) {
    var maker = new ProgramMaker(seed);
    EngineSettings settings = maker.settings();
    var steps = new ArrayList<Step>();
    int wanted = maker.random.nextInt(MIN_STEPS, MAX_STEPS + 1);
    while (steps.stream().mapToInt(ProgramMaker::count).sum() < wanted) {
      Kind kind = maker.kind(false);
      switch (kind) {
        case HURT -> maker.addHurt(steps);
        case REUSE -> maker.addReuse(steps);
        case LOCK_AND_TRY -> maker.addLock(steps);
        case REVIVE -> maker.addRevive(steps);
        case CUT_AND_AGAIN -> maker.addCutAndAgain(steps);
        case CUT_BESIDE -> maker.addCutBeside(steps);
        case CUT_SWEEP -> maker.addCutSweep(steps);
        case UNNAMED -> maker.addUnnamed(steps);
        case RACE -> maker.addRace(steps);
        case BROKEN_OFF -> maker.addBrokenOff(steps);
        case COVERED -> maker.addCovered(steps);
        default -> steps.add(maker.step(kind, -1));
      }
    }
    return new Program(seed, settings, List.copyOf(steps));
  }

  /** Steps that a step is made of. */
  private static int count(Step step) {
    return switch (step) {
      case Step.Together together -> together.lanes().stream().mapToInt(List::size).sum();
      case Step.Cut cut -> count(cut.during());
      case Step.FailedCall failed -> count(failed.during());
      case Step.NoSpace full -> count(full.during());
      case Step.Damage damage -> count(damage.during());
      default -> 1;
    };
  }

  private EngineSettings settings() {
    return new EngineSettings(
        new ContainerSettings(
            64 << 10 << random.nextInt(3),
            1 + random.nextInt(3),
            random.nextInt(4) == 0 ? 0 : 1L << random.nextInt(14, 21),
            random.nextInt(4) == 0 ? 0 : 1L << random.nextInt(10, 18),
            random.nextInt(5)),
        new IndexSettings(
            IndexSettings.MIN_TABLE_BYTES,
            random.nextInt(4) == 0 ? 0 : 1L << random.nextInt(12, 20),
            16 << random.nextInt(10),
            0),
        new JournalSettings(4 << 10 << random.nextInt(7), 1 << random.nextInt(21)),
        random.nextInt(4) == 0 ? 0 : 1L << random.nextInt(12, 20),
        EngineSettings.MIN_CHECKPOINT_JOURNAL_BYTES << random.nextInt(3),
        random.nextBoolean() ? 0 : 1L << random.nextInt(16, 21),
        random.nextInt(3) == 0,
        new RecompressionSettings(
            1,
            Duration.ofMillis(1 << random.nextInt(1, 24)),
            Duration.ofMillis(random.nextInt(1, 60_000))));
  }

  // ---- steps

  /**
   * A document that nobody else has is sent, damaged, and read; then it is sent again, which was
   * begun before or is not.
   */
  private void addHurt(List<Step> steps) {
    int base = uniqueBase();
    var plan = new Plan(base, Plan.Kind.NOISE, 100 + random.nextInt(30_000), 0, 0, 0);
    Address item = new Address(0, 0, random.nextInt(names));
    int slot = random.nextInt(World.SLOTS_PER_LANE);
    Address copy = new Address(0, 0, random.nextInt(names));
    Step.Road road = road();
    steps.add(put(item, plan, road()));
    boolean begun = random.nextBoolean() && !copy.equals(item);
    if (begun) {
      steps.add(new Step.Begin(slot, copy, plan, road, random.nextLong()));
      steps.add(new Step.Feed(slot, 8));
    }
    steps.add(new Step.Hurt(item, base, random.nextLong()));
    if (begun) {
      steps.add(new Step.Finish(slot, CommitMode.REPLACE, 0));
    } else {
      if (random.nextBoolean()) {
        steps.add(cut(new Step.Read(copy, 0), CUT_BEHIND));
      }
      steps.add(put(copy, plan, road));
    }
    steps.add(new Step.MustRead(copy, plan, random.nextLong()));
  }

  private Step put(Address to, Plan plan, Step.Road road) {
    return new Step.Put(
        to, plan, road, Compression.LZ4, CommitMode.REPLACE, 0, random.nextLong(), false);
  }

  /**
   * What an upload was answered, or a reader reads, is deleted under it, and housekeeping goes by.
   */
  private void addReuse(List<Step> steps) {
    var plan =
        new Plan(
            random.nextInt(3) == 0 ? random.nextInt(bases) : uniqueBase(),
            oneOf(DATA_KINDS),
            1 + random.nextInt(1 << random.nextInt(8, 18)),
            0,
            0,
            0);
    Address item = new Address(0, 0, random.nextInt(names));
    Address copy = new Address(0, 0, random.nextInt(names));
    int slot = random.nextInt(World.SLOTS_PER_LANE);
    steps.add(put(item, plan, road()));
    if (random.nextInt(4) > 0) {
      steps.add(new Step.Housekeeping(0)); // Seals what holds it, before an upload is open.
    }
    if (random.nextInt(4) == 0) {
      steps.add(new Step.OpenReader(slot, item));
    }
    var longer =
        new Plan(
            plan.base(),
            plan.kind(),
            plan.lengthBytes() + random.nextInt(40_000),
            random.nextInt(2),
            random.nextInt(50),
            0);
    steps.add(new Step.Begin(slot, copy, longer, road(), random.nextLong()));
    steps.add(new Step.Feed(slot, random.nextInt(9)));
    for (int saves = random.nextInt(3); saves > 0; saves--) {
      steps.add(new Step.Save(slot, true));
      steps.add(new Step.Feed(slot, random.nextInt(5)));
    }
    if (random.nextInt(4) == 0) {
      steps.add(new Step.Leave(slot));
    }
    steps.add(new Step.Delete(item, false));
    steps.add(new Step.Housekeeping(0));
    steps.add(new Step.ReadOpen(slot, random.nextLong()));
    steps.add(
        random.nextInt(4) == 0
            ? new Step.Resume(slot, copy, road(), random.nextLong())
            : new Step.Feed(slot, random.nextInt(9)));
    if (random.nextBoolean()) {
      steps.add(new Step.Housekeeping(0));
    }
    steps.add(new Step.Finish(slot, CommitMode.REPLACE, 0));
    steps.add(new Step.Read(copy, random.nextLong()));
  }

  /** An item is locked or held, and then much is tried with it. */
  private void addLock(List<Step> steps) {
    Address item = new Address(1, 0, random.nextInt(names));
    boolean held = random.nextBoolean();
    steps.add(new Step.MakeStore());
    steps.add(put(item, plan(), road()));
    steps.add(new Step.Update(item, random.nextInt(5), held, held ? 0 : 40 * 3_600_000));
    if (random.nextBoolean()) {
      steps.add(new Step.Update(item, random.nextInt(5), held, 0));
    }
    switch (random.nextInt(4)) {
      case 0 -> steps.add(new Step.DropStore(true));
      case 1 -> steps.add(new Step.Delete(item, false));
      case 2 -> steps.add(put(item, plan(), road()));
      default -> steps.add(new Step.Clone(new Address(0, 0, 0), item, CommitMode.REPLACE, false));
    }
  }

  /**
   * One of several items is deleted, swept, and sent again by asking for its root. The others have
   * much of the nodes and little of the data, or the other way round: so the dead one's node stays
   * where it is, and its data goes.
   */
  private void addRevive(List<Step> steps) {
    int count = 2 + random.nextInt(4);
    int dead = random.nextInt(count);
    boolean nodesStay = random.nextInt(3) > 0;
    var plans = new ArrayList<Plan>();
    for (int i = 0; i < count; i++) {
      boolean splinters = nodesStay && i != dead;
      plans.add(
          new Plan(
              uniqueBase(),
              Plan.Kind.NOISE,
              splinters ? 300 + random.nextInt(2_000) : 20_000 + random.nextInt(20_000),
              0,
              random.nextInt(50),
              splinters ? 10 + random.nextInt(20) : 0));
      steps.add(put(reviveAt(i), plans.get(i), road()));
    }
    steps.add(new Step.Delete(reviveAt(dead), false));
    steps.add(
        random.nextInt(4) == 0
            ? cut(new Step.Housekeeping(0), 1 + random.nextInt(1 << random.nextInt(4, 9)))
            : new Step.Housekeeping(0));
    if (random.nextBoolean()) {
      steps.add(cut(new Step.Read(reviveAt(dead), 0), CUT_BEHIND));
    }
    steps.add(put(reviveAt(dead), plans.get(dead), Step.Road.SOURCE_FROM_ABOVE));
    steps.add(new Step.Read(reviveAt(dead), random.nextLong()));
  }

  private static Address reviveAt(int i) {
    return new Address(0, 0, i % Address.NAMES_PER_LANE);
  }

  /** A document that nobody else has. */
  private int uniqueBase() {
    return UNIQUE_BASE + random.nextInt(1 << 20);
  }

  private Plan unique(int lengthBytes) {
    return new Plan(uniqueBase(), Plan.Kind.NOISE, lengthBytes, 0, 0, 0);
  }

  /** Uploads side by side are cut off, and one is sent again by asking for its root. */
  private void addCutBeside(List<Step> steps) {
    var lanes = new ArrayList<List<Step>>();
    var again = new ArrayList<Step>();
    int laneCount = random.nextInt(2, Address.LANES + 1);
    for (int lane = 0; lane < laneCount; lane++) {
      var ofLane = new ArrayList<Step>();
      for (int n = random.nextInt(1, 4); n > 0; n--) {
        Address to = new Address(0, lane, random.nextInt(names));
        Plan plan = unique(100 + random.nextInt(1 << random.nextInt(8, 17)));
        ofLane.add(put(to, plan, road()));
        again.add(put(to, plan, Step.Road.SOURCE_FROM_ABOVE));
      }
      lanes.add(List.copyOf(ofLane));
    }
    steps.add(
        cut(
            new Step.Together(List.copyOf(lanes), 0),
            1 + random.nextInt(1 << random.nextInt(3, 8))));
    steps.addAll(again);
    steps.add(new Step.CheckAll(random.nextLong()));
  }

  /** What a sweep drops, and what it copies before, while it is cut off. */
  private void addCutSweep(List<Step> steps) {
    int count = 2 + random.nextInt(3);
    var plans = new ArrayList<Plan>();
    for (int i = 0; i < count; i++) {
      plans.add(unique(1 + random.nextInt(1 << random.nextInt(10, 16))));
      steps.add(put(reviveAt(i), plans.get(i), road()));
    }
    int dead = random.nextInt(count);
    steps.add(new Step.Delete(reviveAt(dead), false));
    steps.add(cut(new Step.Housekeeping(0), 1 + random.nextInt(1 << random.nextInt(5, 9))));
    steps.add(new Step.CheckAll(random.nextLong()));
    if (random.nextBoolean()) {
      steps.add(put(reviveAt(dead), plans.get(dead), Step.Road.SOURCE_FROM_ABOVE));
      steps.add(new Step.Read(reviveAt(dead), random.nextLong()));
    }
  }

  /** More than a container of what no root names yet, while housekeeping goes by. */
  private void addUnnamed(List<Step> steps) {
    int slot = random.nextInt(World.SLOTS_PER_LANE);
    Address to = new Address(0, 0, random.nextInt(names));
    steps.add(
        new Step.Begin(
            slot, to, unique(70_000 + random.nextInt(200_000)), road(), random.nextLong()));
    steps.add(new Step.Feed(slot, 4 + random.nextInt(5)));
    if (random.nextInt(3) == 0) {
      steps.add(new Step.Save(slot, random.nextBoolean()));
      steps.add(new Step.Feed(slot, 1 + random.nextInt(4)));
    }
    steps.add(new Step.Housekeeping(0));
    steps.add(new Step.Finish(slot, CommitMode.REPLACE, 0));
    steps.add(new Step.Read(to, random.nextLong()));
  }

  /** An upload is saved, breaks off, is resumed and saved further on, and maybe once more. */
  private void addBrokenOff(List<Step> steps) {
    int slot = random.nextInt(World.SLOTS_PER_LANE);
    Address to = new Address(0, 0, random.nextInt(names));
    steps.add(
        new Step.Begin(
            slot, to, unique(20_000 + random.nextInt(80_000)), source(), random.nextLong()));
    for (int rounds = 1 + random.nextInt(2); rounds > 0; rounds--) {
      for (int saves = 1 + random.nextInt(2); saves > 0; saves--) {
        steps.add(new Step.Feed(slot, 1 + random.nextInt(2)));
        steps.add(new Step.Save(slot, true));
      }
      Step away = new Step.Leave(slot);
      steps.add(random.nextBoolean() ? away : cut(away, CUT_BEHIND));
      if (random.nextInt(3) == 0) {
        steps.add(new Step.Housekeeping(0));
      }
      steps.add(new Step.Resume(slot, to, source(), random.nextLong()));
    }
    steps.add(new Step.Feed(slot, 1 + random.nextInt(2)));
    steps.add(new Step.Save(slot, true));
    steps.add(new Step.Finish(slot, CommitMode.REPLACE, 0));
    steps.add(new Step.Read(to, random.nextLong()));
  }

  private Step.Road source() {
    return random.nextBoolean() ? Step.Road.SOURCE_FROM_ABOVE : Step.Road.SOURCE_FROM_BELOW;
  }

  /** Containers get a parity, one of them is damaged, and what follows finds it whole again. */
  private void addCovered(List<Step> steps) {
    steps.add(new Step.KeepParity(0, true));
    for (int puts = 1 + random.nextInt(3); puts > 0; puts--) {
      steps.add(
          put(
              new Address(0, 0, random.nextInt(names)),
              unique(1 + random.nextInt(1 << random.nextInt(10, 18))),
              road()));
    }
    if (random.nextBoolean()) {
      steps.add(new Step.Housekeeping(0)); // Seals.
    }
    if (random.nextInt(3) == 0) {
      steps.add(cut(new Step.Scrub(0), 1 + random.nextInt(1 << random.nextInt(2, 8))));
    }
    Step lose = new Step.LoseRun(0, random.nextInt(1 << random.nextInt(1, 5)), random.nextLong());
    steps.add(
        random.nextInt(4) == 0 ? cut(lose, 1 + random.nextInt(1 << random.nextInt(2, 8))) : lose);
    if (random.nextBoolean()) {
      steps.add(new Step.Housekeeping(0));
    }
  }

  /** Something is deleted and sent again at the same time, while housekeeping runs. */
  private void addRace(List<Step> steps) {
    Plan plan = unique(1 + random.nextInt(1 << random.nextInt(8, 17)));
    Address item = new Address(0, 0, random.nextInt(names));
    steps.add(put(item, plan, road()));
    if (random.nextBoolean()) {
      steps.add(new Step.Housekeeping(0)); // Seals what holds it.
    }
    var lanes = new ArrayList<List<Step>>();
    lanes.add(
        random.nextBoolean()
            ? List.of(new Step.Delete(item, false))
            : List.of(
                new Step.Delete(item, false),
                put(item, plan, road()),
                new Step.Delete(item, false)));
    int laneCount = random.nextInt(2, Address.LANES + 1);
    for (int lane = 1; lane < laneCount; lane++) {
      Address to = new Address(0, lane, random.nextInt(names));
      int slot = lane * World.SLOTS_PER_LANE;
      lanes.add(
          random.nextBoolean()
              ? List.of(put(to, plan, road()), new Step.Read(to, random.nextLong()))
              : List.of(
                  new Step.Begin(slot, to, plan, road(), random.nextLong()),
                  new Step.Feed(slot, random.nextInt(9)),
                  new Step.Save(slot, random.nextBoolean()),
                  new Step.Feed(slot, random.nextInt(9)),
                  new Step.Finish(slot, CommitMode.REPLACE, 0)));
    }
    steps.add(new Step.Together(List.copyOf(lanes), 1 + random.nextInt(3)));
    steps.add(new Step.CheckAll(random.nextLong()));
  }

  /** An upload is cut off at its end and sent again by asking for its root. */
  private void addCutAndAgain(List<Step> steps) {
    int slot = random.nextInt(World.SLOTS_PER_LANE);
    Address to = new Address(0, 0, random.nextInt(names));
    var plan = new Plan(random.nextInt(bases), usualKind, random.nextInt(50_000), 1, 7, 0);
    steps.add(new Step.Begin(slot, to, plan, road(), random.nextLong()));
    steps.add(new Step.Feed(slot, 8));
    if (random.nextBoolean()) {
      steps.add(put(new Address(0, 1, 0), plan(), road()));
    }
    steps.add(cut(new Step.Finish(slot, CommitMode.REPLACE, 0), 1 + random.nextInt(8)));
    steps.add(put(to, plan, Step.Road.SOURCE_FROM_ABOVE));
    steps.add(new Step.Read(to, random.nextLong()));
  }

  private Step cut(Step during, int calls) {
    return new Step.Cut(
        during,
        random.nextInt(3) == 0 ? Step.End.KILL : Step.End.POWER_LOSS,
        calls,
        0,
        random.nextLong());
  }

  /** More calls than a step has that only reads. */
  private static final int CUT_BEHIND = 1_000;

  private static final Plan.Kind[] DATA_KINDS = {
    Plan.Kind.HALF, Plan.Kind.NOISE, Plan.Kind.TEXT, Plan.Kind.PERIODIC
  };

  /** Documents from here on are used once. */
  static final int UNIQUE_BASE = 1_000;

  /** A kind of step during which something may go wrong. */
  private Kind simpleKind() {
    while (true) {
      Kind kind = kind(false);
      switch (kind) {
        case CUT,
            FAILED_CALL,
            NO_SPACE,
            DAMAGE,
            HEAL,
            HURT,
            REUSE,
            LOCK_AND_TRY,
            REVIVE,
            CUT_AND_AGAIN,
            CUT_BESIDE,
            CUT_SWEEP,
            UNNAMED,
            RACE,
            BROKEN_OFF,
            COVERED -> {}
        default -> {
          return kind;
        }
      }
    }
  }

  private Kind kind(boolean together) {
    int sum = 0;
    for (Kind kind : Kind.values()) {
      sum += together && !kind.together ? 0 : kindWeight(kind);
    }
    int at = random.nextInt(sum);
    for (Kind kind : Kind.values()) {
      at -= together && !kind.together ? 0 : kindWeight(kind);
      if (at < 0) {
        return kind;
      }
    }
    throw new IllegalStateException("weights that do not add up");
  }

  /** Makes a step of a lane that runs beside others, or of any lane if it is negative. */
  private Step step(Kind kind, int lane) {
    return switch (kind) {
      case PUT ->
          new Step.Put(
              address(lane),
              plan(),
              road(),
              oneOf(Compression.values()),
              mode(),
              random.nextInt(4),
              random.nextLong(),
              random.nextInt(10) == 0);
      case BEGIN -> {
        int slot = slot(lane);
        yield new Step.Begin(slot, addressOf(slot, lane), plan(), road(), random.nextLong());
      }
      case FEED -> new Step.Feed(slot(lane), random.nextInt(9));
      case SAVE -> new Step.Save(slot(lane), random.nextInt(4) > 0);
      case FINISH -> new Step.Finish(slot(lane), mode(), random.nextInt(4));
      case ABORT -> new Step.Abort(slot(lane));
      case LEAVE -> new Step.Leave(slot(lane));
      case RESUME -> {
        int slot = slot(lane);
        yield new Step.Resume(slot, addressOf(slot, lane), road(), random.nextLong());
      }
      case END_UPLOAD -> new Step.EndUpload(address(lane));
      case SPLICE -> {
        var parts = new ArrayList<Step.Part>();
        for (int i = random.nextInt(1, 5); i > 0; i--) {
          parts.add(
              new Step.Part(
                  address(lane),
                  random.nextBoolean() ? 0 : random.nextInt(16),
                  random.nextBoolean() ? 16 : random.nextInt(17),
                  random.nextBoolean() ? 0 : random.nextInt(1 << random.nextInt(15))));
        }
        yield new Step.Splice(address(lane), List.copyOf(parts), mode());
      }
      case CLONE -> new Step.Clone(address(lane), address(lane), mode(), random.nextInt(4) == 0);
      case DELETE -> new Step.Delete(address(lane), random.nextInt(4) == 0);
      case UPDATE ->
          new Step.Update(
              address(lane),
              random.nextInt(5),
              random.nextInt(4) == 0,
              switch (random.nextInt(6)) {
                case 0 -> random.nextInt(1, 50);
                case 1 -> 40 * 3_600_000;
                default -> 0;
              });
      case LOCK ->
          new Step.Lock(
              address(lane),
              random.nextInt(3) == 0 ? LockKind.COMPLIANCE : LockKind.GOVERNANCE,
              switch (random.nextInt(4)) {
                case 0 -> -random.nextInt(1, 100_000);
                case 1 -> random.nextInt(1, 50);
                case 2 -> random.nextInt(1, 40 * 3_600_000);
                default -> 40 * 3_600_000;
              },
              random.nextBoolean());
      case CLOCK_JUMP -> new Step.ClockJump(random.nextBoolean() ? 3653 : -3653);
      case RECORD ->
          new Step.PutRecord(
              lane < 0 ? random.nextInt(Address.LANES) : lane,
              random.nextInt(4),
              random.nextInt(4) == 0 ? -1 : random.nextInt(1 << random.nextInt(1, 13)));
      case LISTING ->
          new Step.Listing(
              lane < 0 ? random.nextInt(Address.STORES) : 0,
              lane < 0 ? random.nextInt(Address.LANES) : lane,
              random.nextInt(7),
              random.nextInt(-1, names),
              1 + random.nextInt(5));
      case READ -> new Step.Read(address(lane), random.nextLong());
      case OPEN_READER -> new Step.OpenReader(slot(lane), address(lane));
      case READ_OPEN -> new Step.ReadOpen(slot(lane), random.nextLong());
      case CLOSE_READER -> new Step.CloseReader(slot(lane));
      case PASS_TIME ->
          new Step.PassTime(
              random.nextInt(6) == 0 && lane < 0
                  ? random.nextInt(2 * 86_400_000)
                  : random.nextInt(1 << random.nextInt(1, 12)));
      case CHECK_ALL -> new Step.CheckAll(random.nextLong());
      case HOUSEKEEPING -> new Step.Housekeeping(random.nextInt(4) == 0 ? 1 : 0);
      case RECOMPRESS -> new Step.Recompress(random.nextInt(4) == 0 ? 1 : 0);
      case PAUSE -> new Step.Pause(random.nextBoolean());
      case SCRUB -> new Step.Scrub(random.nextInt(4) > 0 ? 0 : 1 + random.nextInt(Step.CATALOG));
      case KEEP_PARITY -> new Step.KeepParity(random.nextInt(4) == 0 ? 1 : 0, random.nextBoolean());
      case LOSE_RUN ->
          new Step.LoseRun(
              random.nextInt(4) == 0 ? 1 : 0,
              random.nextInt(1 << random.nextInt(1, 5)),
              random.nextLong());
      case QUOTA ->
          new Step.Quota(1, random.nextBoolean() ? -1 : random.nextInt(1 << random.nextInt(1, 18)));
      case KEEP_DELETED ->
          new Step.KeepDeleted(
              Math.max(0, random.nextInt(-2, Address.STORES)), random.nextInt(4) == 0 ? 0 : 1);
      case UNDELETE ->
          new Step.Undelete(
              address(lane),
              random.nextInt(3),
              random.nextInt(names),
              mode(),
              random.nextInt(4) == 0);
      case PURGE -> new Step.Purge(address(lane), random.nextInt(3), random.nextBoolean());
      case SNAPSHOT ->
          new Step.Snapshot(Math.max(0, random.nextInt(-2, Address.STORES)), random.nextInt(3));
      case COPY_STORE -> new Step.CopyStore(random.nextInt(-1, 3));
      case SHARE_CHANGES ->
          new Step.ShareChanges(
              random.nextInt(3) / 2,
              lane < 0 ? Math.max(0, random.nextInt(-2, Address.LANES)) : lane,
              1 + random.nextInt(1 << random.nextInt(1, 5)),
              random.nextLong(),
              random.nextBoolean());
      case SHARE_SNAPSHOT -> new Step.ShareSnapshot(random.nextInt(3) / 2, random.nextInt(3));
      case COPY_SHARE -> new Step.CopyShare();
      case MAKE_SHARE -> new Step.MakeShare(random.nextInt(3) > 0 ? 1 : 0);
      case DROP_SHARE -> new Step.DropShare(random.nextInt(4) > 0 ? 1 : 0, random.nextBoolean());
      case DROP_STORE -> new Step.DropStore(random.nextBoolean());
      case MAKE_STORE -> new Step.MakeStore();
      case FILL_DISK -> new Step.FillDisk(random.nextInt(1 << random.nextInt(8, 21)));
      case FREE_DISK -> new Step.FreeDisk();
      case REOPEN -> new Step.Reopen();
      case CUT -> {
        Kind during = simpleKind();
        yield new Step.Cut(
            step(during, -1),
            random.nextInt(4) == 0 ? Step.End.KILL : Step.End.POWER_LOSS,
            1 + random.nextInt(1 << random.nextInt(1, during == Kind.TOGETHER ? 9 : 7)),
            random.nextInt(4) == 0 ? 1 + random.nextInt(1 << random.nextInt(1, 7)) : 0,
            random.nextLong());
      }
      case FAILED_CALL -> {
        Kind during = simpleKind();
        boolean forces = random.nextBoolean();
        yield new Step.FailedCall(
            step(during, -1),
            forces,
            random.nextInt(forces ? 2 : 4) == 0 ? Step.End.KILL : Step.End.POWER_LOSS,
            1
                + random.nextInt(
                    1 << random.nextInt(1, forces ? 4 : during == Kind.TOGETHER ? 9 : 7)),
            random.nextInt(4) == 0,
            random.nextLong());
      }
      case NO_SPACE -> {
        Kind during = simpleKind();
        while (during == Kind.REOPEN) {
          during = simpleKind();
        }
        yield new Step.NoSpace(
            step(during, -1),
            1 + random.nextInt(1 << random.nextInt(1, during == Kind.TOGETHER ? 9 : 7)),
            random.nextBoolean());
      }
      case DAMAGE ->
          new Step.Damage(
              step(simpleKind(), -1),
              oneOf(Step.Rot.values()),
              random.nextInt(1 << random.nextInt(1, 6)),
              random.nextLong());
      case HEAL -> new Step.Heal(random.nextLong());
      case HURT,
          REUSE,
          LOCK_AND_TRY,
          REVIVE,
          CUT_AND_AGAIN,
          CUT_BESIDE,
          CUT_SWEEP,
          UNNAMED,
          RACE,
          BROKEN_OFF,
          COVERED ->
          throw new IllegalStateException("a step of several");
      case TOGETHER -> {
        var lanes = new ArrayList<List<Step>>();
        for (int i = 0; i < random.nextInt(2, Address.LANES + 1); i++) {
          var steps = new ArrayList<Step>();
          for (int n = random.nextInt(1, 8); n > 0; n--) {
            steps.add(step(kind(true), i));
          }
          lanes.add(List.copyOf(steps));
        }
        yield new Step.Together(List.copyOf(lanes), random.nextInt(3));
      }
    };
  }

  private Address address(int lane) {
    // Lanes side by side keep away from the store with quotas.
    int store =
        lane < 0 ? Math.max(0, random.nextInt(-3, Address.STORES)) : random.nextInt(5) == 0 ? 2 : 0;
    return new Address(
        store,
        lane < 0 ? Math.max(0, random.nextInt(-2, Address.LANES)) : lane,
        random.nextInt(names));
  }

  /** An address for an upload in a slot: of the lane whose slot it is. */
  private Address addressOf(int slot, int lane) {
    Address any = address(lane);
    return new Address(any.store(), slot / World.SLOTS_PER_LANE, any.name());
  }

  private int slot(int lane) {
    return (lane < 0 ? Math.max(0, random.nextInt(-2, Address.LANES)) : lane) * World.SLOTS_PER_LANE
        + random.nextInt(World.SLOTS_PER_LANE);
  }

  private <T> T oneOf(T[] values) {
    return values[random.nextInt(values.length)];
  }

  private CommitMode mode() {
    return random.nextInt(3) == 0 ? CommitMode.IF_ABSENT : CommitMode.REPLACE;
  }

  private Step.Road road() {
    return oneOf(Step.Road.values());
  }

  private static final int TWIN_BYTES = 3_000;

  private static final int[] EDGES = {0, 1, 2, 2047, 2048, 2049, 65_535, 65_536, 65_537};

  private Plan plan() {
    if (usualKind == Plan.Kind.NODE && random.nextBoolean()) {
      // A document and the bytes of its node.
      return new Plan(
          random.nextInt(bases),
          random.nextBoolean() ? Plan.Kind.HALF : Plan.Kind.NODE,
          TWIN_BYTES,
          0,
          0,
          0);
    }
    int length =
        switch (random.nextInt(20)) {
          case 0, 1 -> EDGES[random.nextInt(EDGES.length)];
          case 2, 3, 4, 5 -> random.nextInt(40_000);
          case 6 -> random.nextInt(120_000);
          case 7 -> random.nextInt(4) == 0 ? random.nextInt(400_000) : 3_000;
          default -> random.nextInt(8_000);
        };
    Plan.Kind kind = random.nextInt(3) > 0 ? usualKind : oneOf(Plan.Kind.values());
    return new Plan(
        random.nextInt(bases),
        kind,
        length,
        random.nextBoolean() ? 0 : random.nextInt(4),
        random.nextInt(50),
        random.nextInt(3) > 0 ? 0 : random.nextInt(6));
  }
}
