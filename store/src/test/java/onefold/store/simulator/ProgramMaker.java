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
  private static final int STEPS = 50;

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
    QUOTA(2, false),
    KEEP_DELETED(3, false),
    SNAPSHOT(2, false),
    COPY_STORE(1, false),
    UNDELETE(3, true),
    PURGE(1, true),
    DROP_STORE(1, false),
    MAKE_STORE(1, false),
    FILL_DISK(1, false),
    FREE_DISK(2, false),
    REOPEN(2, false),
    CUT(6, false),
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
    weights.put(Kind.PUT, kindWeight(Kind.PUT) + 40);
    names = 1 + random.nextInt(Address.NAMES_PER_LANE);
    bases = 1 + random.nextInt(5);
    usualKind = oneOf(Plan.Kind.values());
  }

  private int kindWeight(Kind kind) {
    return weights.getOrDefault(kind, 0);
  }

  static Program make(long seed) {
    var maker = new ProgramMaker(seed);
    EngineSettings settings = maker.settings();
    var steps = new ArrayList<Step>();
    while (steps.size() < STEPS) {
      steps.add(maker.step());
    }
    return new Program(seed, settings, List.copyOf(steps));
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

  private Step step() {
    return step(kind(false), -1);
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
              switch (random.nextInt(8)) {
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
      case DROP_STORE -> new Step.DropStore(random.nextBoolean());
      case MAKE_STORE -> new Step.MakeStore();
      case FILL_DISK -> new Step.FillDisk(random.nextInt(1 << random.nextInt(8, 21)));
      case FREE_DISK -> new Step.FreeDisk();
      case REOPEN -> new Step.Reopen();
      case CUT -> {
        Kind during = kind(false);
        while (during == Kind.CUT) {
          during = kind(false);
        }
        yield new Step.Cut(
            step(during, -1),
            random.nextInt(4) == 0 ? Step.End.KILL : Step.End.POWER_LOSS,
            1 + random.nextInt(1 << random.nextInt(1, during == Kind.TOGETHER ? 9 : 7)),
            random.nextInt(4) == 0 ? 1 + random.nextInt(1 << random.nextInt(1, 7)) : 0,
            random.nextLong());
      }
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

  private static final int[] EDGES = {0, 1, 2, 2047, 2048, 2049, 65_535, 65_536, 65_537};

  private Plan plan() {
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
