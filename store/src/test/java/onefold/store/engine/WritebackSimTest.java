package onefold.store.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import onefold.chunker.ParameterSet;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.MutableObject;
import onefold.store.RefusedException;
import onefold.store.ShareChange;
import onefold.store.ShareEntry;
import onefold.store.ShareObject;
import onefold.store.ShareRecord;
import onefold.store.ShareTree;
import onefold.store.StoreFullException;
import onefold.store.WritebackStatistics;
import onefold.store.scheduler.Promise;
import onefold.store.scheduler.TaskHandle;
import onefold.store.simulation.Faults;
import onefold.store.simulation.SimulatedCrash;
import onefold.store.simulation.Simulation;
import onefold.store.writeback.WritebackSettings;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Files that are changed in place, on a simulated disk. */
class WritebackSimTest {
  private static final byte[] KEY = "file".getBytes(StandardCharsets.US_ASCII);

  /** Bounds that are near. */
  static WritebackSettings small() {
    return new WritebackSettings(
        512 << 10, 1 << 20, 64 << 10, 256 << 10, Duration.ofMillis(20), 8 << 10, 2, 2);
  }

  /** An engine with a share. */
  static final class Opened implements AutoCloseable {
    final Engine engine;
    final Id share;
    final ShareTree tree;

    Opened(Simulation simulation, WritebackSettings settings) throws IOException {
      this(simulation, Walk.small().withWriteback(settings));
    }

    Opened(Simulation simulation, EngineSettings settings) throws IOException {
      engine = Engine.open(simulation.device(), simulation.scheduler(), settings);
      boolean ready = false;
      try {
        Optional<ShareRecord> known = engine.findShare("share");
        share =
            known.isPresent()
                ? known.get().id()
                : engine
                    .createShare(Walk.commandId("share"), "share", domainId(), new byte[0])
                    .id();
        tree = engine.shareTree(share);
        ready = true;
      } finally {
        if (!ready) {
          engine.close();
        }
      }
    }

    Id domainId() throws IOException {
      return Walk.defaultStore(engine).domainId();
    }

    void create(byte[] key, Id id) throws IOException {
      ShareObject object = ShareObject.empty(id, ParameterSet.SET_1);
      change(new ShareChange.SetEntry(new ShareEntry(key, Optional.of(object), new byte[0])));
    }

    void change(ShareChange change) throws IOException {
      Promise<Boolean> done = engine.scheduler().promise();
      var _ =
          tree.change(List.of(change))
              .whenComplete((value, thrown) -> {
                if (thrown == null) {
                  done.complete(true);
                } else {
                  done.fail(thrown);
                }
              });
      done.await();
    }

    MutableObject open(byte[] key) throws IOException {
      return engine.openObject(share, key);
    }

    WritebackStatistics figures() throws IOException {
      return engine.writebackStatistics(domainId());
    }

    @Override
    public void close() throws IOException {
      engine.close();
    }
  }

  /** What a file should be: its bytes, and which of them are holes or reserved. */
  static final class Content {
    static final byte DATA = 0;
    static final byte HOLE = 1;
    static final byte RESERVED = 2;

    final byte[] bytes;
    final byte[] kinds;

    Content(byte[] bytes, byte[] kinds) {
      this.bytes = bytes;
      this.kinds = kinds;
    }

    static Content empty() {
      return new Content(new byte[0], new byte[0]);
    }

    int length() {
      return bytes.length;
    }

    Content withLength(int length) {
      byte[] kept = Arrays.copyOf(kinds, length);
      if (length > kinds.length) {
        Arrays.fill(kept, kinds.length, length, HOLE);
      }
      return new Content(Arrays.copyOf(bytes, length), kept);
    }

    Content with(int position, byte[] data, byte kind) {
      Content changed = withLength(Math.max(length(), position + data.length));
      System.arraycopy(data, 0, changed.bytes, position, data.length);
      Arrays.fill(changed.kinds, position, position + data.length, kind);
      return changed;
    }

    Content reserved(int position, int length) {
      Content changed = withLength(Math.max(length(), position + length));
      for (int i = position; i < position + length; i++) {
        if (changed.kinds[i] == HOLE) {
          changed.kinds[i] = RESERVED;
        }
      }
      return changed;
    }

    int dataBytes() {
      int count = 0;
      for (byte kind : kinds) {
        count += kind == DATA ? 1 : 0;
      }
      return count;
    }

    int next(int from, boolean data) {
      for (int i = from; i < length(); i++) {
        if ((kinds[i] == DATA) == data) {
          return i;
        }
      }
      return length();
    }
  }

  static byte[] read(MutableObject object) throws IOException {
    byte[] bytes = new byte[Math.toIntExact(object.lengthBytes())];
    int at = 0;
    while (at < bytes.length) {
      int n = object.read(at, bytes, at, Math.min(70_000, bytes.length - at));
      assertTrue(n > 0, "read " + n + " at " + at);
      at += n;
    }
    assertEquals(-1, object.read(at, new byte[1], 0, 1));
    return bytes;
  }

  static void check(Content expected, MutableObject object, String where) throws IOException {
    assertEquals(expected.length(), object.lengthBytes(), where);
    byte[] found = read(object);
    int differs = Arrays.mismatch(expected.bytes, found);
    assertTrue(differs < 0, () -> where + ": differs at " + differs);
    assertEquals(expected.dataBytes(), object.dataBytes(), where);
    for (int i = 0; i < 5; i++) {
      int from = expected.length() * i / 5;
      if (from < expected.length()) {
        int data = expected.next(from, true);
        assertEquals(data == expected.length() ? -1 : data, object.nextData(from), where);
        assertEquals(expected.next(from, false), object.nextHole(from), where);
      }
    }
  }

  /** Makes random changes of a file and of what it should be. */
  static final class Changes {
    static final int MAX_LENGTH = 400_000;

    final SplittableRandom random;
    Content content = Content.empty();

    /** What it was since the last force that was acknowledged, that first. */
    final List<Content> since = new ArrayList<>();

    byte[] note = {};
    @Nullable ShareObject folded;
    Content foldedContent = Content.empty();

    Changes(long seed) {
      random = new SplittableRandom(seed);
      since.add(content);
    }

    private byte[] data(int length) {
      return Walk.content(random.nextInt(40), length);
    }

    private void set(Content next) {
      content = next;
      since.add(next);
    }

    void step(MutableObject object) throws IOException {
      int position = random.nextInt(content.length() + 1);
      switch (random.nextInt(14)) {
        case 0, 1, 2 -> write(object, position, 1 + random.nextInt(6_000));
        case 3 -> write(object, content.length() + random.nextInt(20_000), 3_000);
        case 4, 5 -> {
          int count = random.nextInt(20);
          for (int i = 0; i < count; i++) {
            write(object, content.length(), 1 + random.nextInt(30_000));
          }
        }
        case 6 -> {
          int to = random.nextInt(3) == 0 ? random.nextInt(50_000) : position;
          set(content.withLength(to));
          object.setLength(to);
        }
        case 7 -> {
          int length = random.nextInt(30_000);
          int end = Math.min(content.length(), position + length);
          set(content.with(position, new byte[end - position], Content.HOLE));
          object.punch(position, length);
        }
        case 8 -> {
          int length = random.nextInt(30_000);
          set(content.reserved(position, length));
          object.reserve(position, length);
        }
        case 9 -> {
          ShareObject source = folded;
          if (source != null && foldedContent.length() > 0) {
            int from = random.nextInt(foldedContent.length());
            int length = random.nextInt(foldedContent.length() - from);
            Content next = content.withLength(Math.max(content.length(), position + length));
            System.arraycopy(foldedContent.bytes, from, next.bytes, position, length);
            System.arraycopy(foldedContent.kinds, from, next.kinds, position, length);
            try {
              object.splice(position, source.root(), from, length);
              set(next);
            } catch (RefusedException e) {
              // It was replaced, and housekeeping has been there.
              assertEquals(RefusedException.Reason.NOT_FOUND, e.reason());
              folded = null;
            }
          }
        }
        case 10, 11 -> {
          byte[] next = {(byte) random.nextInt(3)};
          Content forced = content;
          object.force(next);
          note = next;
          since.clear();
          since.add(forced);
        }
        case 12 -> {
          ShareObject made = object.fold();
          folded = made;
          foldedContent = content;
          since.clear();
          since.add(content);
        }
        case 13 -> {
          int at = random.nextInt(content.length() + 1);
          int length = Math.min(5_000, content.length() - at);
          byte[] found = new byte[length];
          int n = length == 0 ? 0 : object.read(at, found, 0, length);
          assertArrayEquals(Arrays.copyOfRange(content.bytes, at, at + n), Arrays.copyOf(found, n));
        }
        default -> throw new IllegalStateException();
      }
      if (content.length() > MAX_LENGTH) {
        set(content.withLength(MAX_LENGTH / 3));
        object.setLength(MAX_LENGTH / 3);
      }
    }

    private void write(MutableObject object, int position, int length) throws IOException {
      byte[] data = data(length);
      set(content.with(position, data, Content.DATA));
      object.write(position, data, 0, length);
    }

    /** Goes on from what a power loss has left. */
    void goOnFrom(Content found) {
      content = found;
      since.clear();
      since.add(found);
    }

    /** Checks what a power loss has left: of each byte what was forced last or came after it. */
    void checkAfterLoss(byte[] found, String where) {
      int least = since.stream().mapToInt(Content::length).min().orElseThrow();
      int most = since.stream().mapToInt(Content::length).max().orElseThrow();
      assertTrue(
          found.length >= least && found.length <= most,
          () -> where + ": " + found.length + " bytes, expected " + least + " to " + most);
      for (int i = 0; i < found.length; i++) {
        boolean known = false;
        for (int j = since.size() - 1; j >= 0 && !known; j--) {
          Content state = since.get(j);
          known = i < state.length() ? state.bytes[i] == found[i] : found[i] == 0;
        }
        if (!known) {
          throw new AssertionError(where + ": byte " + i + " was never so since the last force");
        }
      }
    }
  }

  private static Content contentOf(MutableObject object) throws IOException {
    byte[] bytes = read(object);
    byte[] kinds = new byte[bytes.length];
    int at = 0;
    while (at < bytes.length) {
      long data = object.nextData(at);
      int to = data < 0 ? bytes.length : (int) data;
      Arrays.fill(kinds, at, to, Content.HOLE);
      int end = to < bytes.length ? (int) object.nextHole(to) : to;
      at = end;
    }
    return new Content(bytes, kinds);
  }

  @Test
  void aFileIsWhatWasWrittenWhateverIsForcedFoldedAndOpenedAgain() throws Exception {
    long seed = Simulation.seed();
    for (int round = 0; round < ROUNDS; round++) {
      long own = seed + round;
      String where = "onefold.seed=" + own;
      var simulation = new Simulation(own);
      var changes = new Changes(own);
      try {
        simulation.run(() -> {
          try (Opened store = new Opened(simulation, small())) {
            store.create(KEY, new Id(1, own));
            work(store, changes, 60, where);
          }
          return true;
        });
        var again = simulation.afterProcessEnd(own);
        again.run(() -> {
          try (Opened store = new Opened(again, small())) {
            work(store, changes, 40, where + ", after a start");
          }
          return true;
        });
      } catch (Exception | AssertionError e) {
        throw new AssertionError(where + ": " + e, e);
      }
    }
  }

  private static void work(Opened store, Changes changes, int steps, String where)
      throws IOException {
    MutableObject object = store.open(KEY);
    check(changes.content, object, where + ", at first");
    for (int i = 0; i < steps; i++) {
      changes.step(object);
      if (changes.random.nextInt(8) == 0) {
        check(changes.content, object, where + ", step " + i);
      }
      if (changes.random.nextInt(10) == 0) {
        object.close();
        if (changes.random.nextBoolean()) {
          store.engine.scheduler().park(Duration.ofMillis(100));
        }
        object = store.open(KEY);
      }
    }
    check(changes.content, object, where + ", at last");
    object.close();
  }

  /** Rounds of each test; the rest follow with other seeds. */
  private static final int ROUNDS = Integer.getInteger("onefold.writeback.rounds", 6);

  @Test
  void whateverIsForcedSurvivesPowerLossesAtAnyCall() throws Exception {
    long seed = Simulation.seed();
    for (int round = 0; round < 4 * ROUNDS; round++) {
      long own = seed + round;
      String where = "onefold.seed=" + own;
      var changes = new Changes(own);
      var random = new SplittableRandom(own);
      boolean[] created = new boolean[1];
      var simulation = new Simulation(own);
      for (int life = 0; life < 4; life++) {
        Simulation now = simulation;
        String when = where + ", life " + life;
        int calls = 1 + random.nextInt(life == 3 ? 1_000_000 : 400);
        try {
          now.run(() -> {
            if (created[0]) {
              // Sometimes the power goes while the log is read, too.
              if (calls < 100) {
                now.device().setFaults(Faults.atCall(calls, Faults.Outcome.CRASH));
              }
            }
            try (Opened store = new Opened(now, small())) {
              if (!created[0]) {
                store.create(KEY, new Id(1, own));
                created[0] = true;
              } else {
                MutableObject object = store.open(KEY);
                Content found = contentOf(object);
                changes.checkAfterLoss(found.bytes, when);
                changes.goOnFrom(found);
                object.close();
              }
              long cut = now.device().callCount() + calls;
              now.device().setFaults(Faults.atCall(cut, Faults.Outcome.CRASH));
              work(store, changes, 60, when);
            }
            return true;
          });
        } catch (SimulatedCrash expected) {
          // The power was cut as planned.
        } catch (Exception | AssertionError e) {
          throw new AssertionError(when + ", cut after " + calls + ": " + e, e);
        }
        simulation = now.afterPowerLoss(own + life);
      }
    }
  }

  @Test
  void smallFilesAreFoldedTogetherAndSurvivePowerLossesAtAnyCall() throws Exception {
    long seed = Simulation.seed();
    int whole = 0;
    for (int round = 0; round < 2 * ROUNDS; round++) {
      long own = seed + round;
      String where = "onefold.seed=" + own;
      var random = new SplittableRandom(own);
      byte[][] forced = new byte[20][];
      var simulation = new Simulation(own);
      if (round % 2 == 0) {
        int calls = 1 + random.nextInt(900);
        simulation.device().setFaults(Faults.atCall(calls, Faults.Outcome.CRASH));
      }
      try {
        long folds =
            simulation.run(() -> {
              try (Opened store = new Opened(simulation, small())) {
                for (int i = 0; i < forced.length; i++) {
                  byte[] bytes = new byte[1 + random.nextInt(6000)];
                  random.nextBytes(bytes);
                  byte[] key = {'f', (byte) i};
                  store.create(key, new Id(2, i + 1));
                  try (MutableObject object = store.open(key)) {
                    object.write(0, bytes, 0, bytes.length);
                    object.force(new byte[] {(byte) i});
                  }
                  forced[i] = bytes;
                }
                for (int i = 0; i < 1000 && store.figures().unfoldedBytes() > 0; i++) {
                  store.engine.scheduler().park(Duration.ofMillis(5));
                }
                assertEquals(0, store.figures().unfoldedBytes(), where);
                return store.figures().folds();
              }
            });
        whole += folds >= forced.length ? 1 : 0;
      } catch (SimulatedCrash e) {
        // What follows sees what it left.
      } catch (Exception | AssertionError e) {
        throw new AssertionError(where + ": " + e, e);
      }
      var after = simulation.afterPowerLoss(own);
      after.run(() -> {
        try (Opened store = new Opened(after, small())) {
          for (int i = 0; i < forced.length && forced[i] != null; i++) {
            try (MutableObject object = store.open(new byte[] {'f', (byte) i})) {
              assertArrayEquals(forced[i], read(object), where + ", file " + i);
              assertArrayEquals(new byte[] {(byte) i}, object.note(), where + ", file " + i);
            }
          }
        }
        return true;
      });
    }
    int rounds = whole;
    assertTrue(rounds >= ROUNDS, () -> "all files were folded in " + rounds + " rounds only");
  }

  @Test
  void writersOfOneFileBesideFoldsAndForcesAllKeepWhatTheyWrote() throws Exception {
    long seed = Simulation.seed();
    for (int round = 0; round < 2 * ROUNDS; round++) {
      long own = seed + round;
      String where = "onefold.seed=" + own;
      var simulation = new Simulation(own);
      try {
        simulation.run(() -> {
          try (Opened store = new Opened(simulation, small())) {
            store.create(KEY, new Id(1, own));
            writeTogether(simulation, store, own);
          }
          return true;
        });
      } catch (Exception | AssertionError e) {
        throw new AssertionError(where + ": " + e, e);
      }
    }
  }

  private static void writeTogether(Simulation simulation, Opened store, long seed)
      throws IOException {
    int part = 120_000;
    int tasks = 3;
    byte[] expected = new byte[tasks * part];
    MutableObject object = store.open(KEY);
    object.setLength(expected.length);
    List<TaskHandle> running = new ArrayList<>();
    List<Promise<Boolean>> ends = new ArrayList<>();
    for (int task = 0; task < tasks; task++) {
      int from = task * part;
      var random = new SplittableRandom(seed + task);
      Promise<Boolean> end = simulation.scheduler().promise();
      ends.add(end);
      running.add(
          simulation
              .scheduler()
              .start(
                  "writer",
                  () -> {
                    try (MutableObject mine = store.open(KEY)) {
                      for (int i = 0; i < 50; i++) {
                        int at = random.nextInt(part);
                        byte[] data =
                            Walk.content(
                                random.nextInt(50),
                                1 + random.nextInt(Math.min(20_000, part - at)));
                        mine.write(from + at, data, 0, data.length);
                        System.arraycopy(data, 0, expected, from + at, data.length);
                        switch (random.nextInt(8)) {
                          case 0 -> mine.force(new byte[] {1});
                          case 1 -> {
                            var _ = mine.fold();
                          }
                          case 2 -> {
                            int check = random.nextInt(part);
                            byte[] found = new byte[part - check];
                            int n = mine.read(from + check, found, 0, found.length);
                            assertArrayEquals(
                                Arrays.copyOfRange(expected, from + check, from + check + n),
                                Arrays.copyOf(found, n));
                          }
                          default -> {}
                        }
                      }
                      end.complete(true);
                    } catch (IOException | RuntimeException | AssertionError e) {
                      end.fail(e);
                    }
                  }));
    }
    for (int task = 0; task < tasks; task++) {
      running.get(task).join();
      ends.get(task).await();
    }
    assertArrayEquals(expected, read(object));
    ShareObject folded = object.fold();
    assertArrayEquals(
        expected,
        Walk.read(store.engine, Walk.defaultStore(store.engine).domainId(), folded.root()));
    object.close();
  }

  @Test
  void aStreamGoesPastTheLogAndHasTheRecipeOfAnItem() throws Exception {
    long seed = Simulation.seed();
    var simulation = new Simulation(seed);
    simulation.run(() -> {
      try (Opened store = new Opened(simulation, small())) {
        store.create(KEY, new Id(1, seed));
        byte[] content = Walk.content(seed, 2_500_000);
        var random = new SplittableRandom(seed);
        MutableObject object = store.open(KEY);
        int at = 0;
        while (at < content.length) {
          int n = Math.min(content.length - at, 1 + random.nextInt(60_000));
          object.write(at, content, at, n);
          at += n;
          if (random.nextInt(6) == 0) {
            object.force(new byte[0]);
          }
        }
        assertArrayEquals(content, read(object));
        ShareObject folded = object.fold();
        assertEquals(Walk.put(store.engine, "item", content).root(), folded.root());
        assertEquals(content.length, folded.dataBytes());
        WritebackStatistics figures = store.figures();
        assertTrue(figures.streamedBytes() > 1_500_000, figures.toString());
        // And what is appended later makes the same recipe too.
        byte[] more = Walk.content(seed + 1, 200_000);
        object.write(content.length, more, 0, 1_000);
        object.force(new byte[0]);
        object.write(content.length + 1_000, more, 1_000, more.length - 1_000);
        object.close();
        MutableObject again = store.open(KEY);
        assertEquals(
            Walk.put(store.engine, "longer", Walk.joined(content, more)).root(),
            again.fold().root());
        again.close();
      }
      return true;
    });
  }

  @Test
  void boundsHoldAndTheLogReturnsItsSpace() throws Exception {
    long seed = Simulation.seed();
    var simulation = new Simulation(seed);
    simulation.run(() -> {
      WritebackSettings settings =
          new WritebackSettings(
              256 << 10, 512 << 10, 32 << 10, 1 << 30, Duration.ofHours(1), 8 << 10, 2, 2);
      try (Opened store = new Opened(simulation, settings)) {
        var random = new SplittableRandom(seed);
        List<MutableObject> objects = new ArrayList<>();
        List<byte[]> contents = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
          byte[] key = {(byte) i};
          store.create(key, new Id(1, seed + i));
          objects.add(store.open(key));
          contents.add(new byte[400_000]);
        }
        for (int i = 0; i < 1_200; i++) {
          int which = random.nextInt(objects.size());
          byte[] content = contents.get(which);
          int at = random.nextInt(content.length - 8_000);
          byte[] data = Walk.content(random.nextLong(), 1 + random.nextInt(8_000));
          objects.get(which).write(at, data, 0, data.length);
          System.arraycopy(data, 0, content, at, data.length);
          if (i % 10 == 0) {
            objects.get(which).force(new byte[0]);
          }
          WritebackStatistics figures = store.figures();
          assertTrue(figures.memoryBytes() <= 256 << 10, figures.toString());
          assertTrue(figures.logBytes() <= (512 << 10) + (256 << 10), figures.toString());
          assertTrue(figures.logFileBytes() <= 1_200 << 10, figures.toString());
        }
        assertTrue(store.figures().folds() > 0);
        for (int i = 0; i < objects.size(); i++) {
          byte[] found = read(objects.get(i));
          assertArrayEquals(Arrays.copyOf(contents.get(i), found.length), found);
          var _ = objects.get(i).fold();
          objects.get(i).close();
        }
        // A copy of the share is what folds the rest, if there is one, and gives the log back.
        var _ = store.engine.copyShare(Walk.commandId("keep"), store.share, "share-kept", true);
        WritebackStatistics figures = store.figures();
        assertEquals(0, figures.logBytes());
        assertEquals(0, figures.unfoldedBytes());
        assertEquals(0, figures.memoryBytes());
        // The file that grows stays, with the record that ended it, and the one before at most.
        String log = Domain.directory(store.domainId()) + "/writeback";
        List<String> files = simulation.device().list(log);
        long segments = files.stream().filter(file -> file.endsWith(".journal")).count();
        assertTrue(segments <= 2, files + ", " + figures);
        assertTrue(figures.logFileBytes() <= (32 << 10) + (256 << 10), figures.toString());
      }
      return true;
    });
  }

  @Test
  void aFullDiskRefusesAndLosesNothing() throws Exception {
    long seed = Simulation.seed();
    for (int round = 0; round < ROUNDS; round++) {
      long own = seed + round;
      var simulation = new Simulation(own);
      byte[] forced = new byte[400_000];
      simulation.run(() -> {
        try (Opened store = new Opened(simulation, small())) {
          store.create(KEY, new Id(1, own));
          MutableObject object = store.open(KEY);
          var random = new SplittableRandom(own);
          byte[] content = new byte[forced.length];
          object.setLength(content.length);
          object.force(new byte[0]);
          simulation
              .device()
              .setCapacityBytes(simulation.device().usedBytes() + random.nextInt(1_500_000));
          int refused = 0;
          for (int i = 0; i < 3_000 && refused < 20; i++) {
            int at = random.nextInt(content.length - 9_000);
            byte[] data = Walk.content(random.nextLong(), 1 + random.nextInt(9_000));
            try {
              object.write(at, data, 0, data.length);
              System.arraycopy(data, 0, content, at, data.length);
              if (random.nextInt(5) == 0) {
                object.force(new byte[0]);
                System.arraycopy(content, 0, forced, 0, content.length);
              }
            } catch (StoreFullException e) {
              refused++;
              // A write that was refused while room was made for it has not happened, or has.
              byte[] now = read(object);
              for (int j = 0; j < now.length; j++) {
                if (now[j] != content[j]) {
                  assertTrue(j >= at && j < at + data.length && now[j] == data[j - at], "at " + j);
                }
              }
              content = now;
            }
          }
          assertTrue(refused > 0, "onefold.seed=" + own + ": never full");
          assertArrayEquals(content, read(object));
          simulation.device().setCapacityBytes(1L << 40);
          object.force(new byte[0]);
          System.arraycopy(content, 0, forced, 0, content.length);
          object.close();
        }
        return true;
      });
      var after = simulation.afterPowerLoss(own);
      after.run(() -> {
        try (Opened store = new Opened(after, small())) {
          MutableObject object = store.open(KEY);
          assertArrayEquals(forced, read(object), "onefold.seed=" + own);
          object.close();
        }
        return true;
      });
    }
  }

  @Test
  void whatIsRemovedLeavesTheLogAndDoesNotComeBack() throws Exception {
    long seed = Simulation.seed();
    var simulation = new Simulation(seed);
    simulation.run(() -> {
      try (Opened store = new Opened(simulation, small())) {
        store.create(KEY, new Id(1, seed));
        MutableObject object = store.open(KEY);
        object.write(5_000, Walk.content(1, 9_000), 0, 9_000);
        object.force(new byte[] {1});
        store.change(new ShareChange.Remove(KEY));
        object.write(0, Walk.content(2, 100), 0, 100);
        assertEquals(14_000, object.lengthBytes());
        object.close();
        assertEquals(Optional.empty(), store.engine.unfolded(store.share, new Id(1, seed)));
      }
      return true;
    });
    var again = simulation.afterProcessEnd(seed);
    again.run(() -> {
      try (Opened store = new Opened(again, small())) {
        assertEquals(0, store.figures().recoveredObjects());
        // The same key, another file.
        store.create(KEY, new Id(2, seed));
        MutableObject object = store.open(KEY);
        assertEquals(0, object.lengthBytes());
        object.close();
      }
      return true;
    });
  }

  @Test
  void copiesOfAShareWithTheSameObjectsChangeEachOnItsOwn() throws Exception {
    long seed = Simulation.seed();
    Id object = new Id(1, seed);
    var simulation = new Simulation(seed);
    simulation.run(() -> {
      try (Opened store = new Opened(simulation, small())) {
        store.create(KEY, object);
        MutableObject one = store.open(KEY);
        one.write(0, new byte[] {9}, 0, 1);
        one.force(new byte[0]);
        Id copy = store.engine.copyShare(Walk.commandId("copy"), store.share, "copy", false).id();
        MutableObject other = store.engine.openObject(copy, KEY);
        assertArrayEquals(new byte[] {9}, read(other), "what was not folded is in the copy");
        one.write(1, new byte[] {1, 1}, 0, 2);
        other.write(1, new byte[] {2, 2, 2}, 0, 3);
        one.force(new byte[] {1});
        other.force(new byte[] {2});
        assertArrayEquals(new byte[] {9, 1, 1}, read(one));
        assertArrayEquals(new byte[] {9, 2, 2, 2}, read(other));
        assertEquals(3, store.engine.unfolded(store.share, object).orElseThrow().lengthBytes());
        assertEquals(4, store.engine.unfolded(copy, object).orElseThrow().lengthBytes());
      }
      return true;
    });
    var again = simulation.afterPowerLoss(seed);
    again.run(() -> {
      try (Opened store = new Opened(again, small())) {
        assertArrayEquals(new byte[] {9, 1, 1}, read(store.open(KEY)));
        Id copy = store.engine.findShare("copy").orElseThrow().id();
        MutableObject other = store.engine.openObject(copy, KEY);
        assertArrayEquals(new byte[] {9, 2, 2, 2}, read(other));
        assertArrayEquals(new byte[] {2}, other.note());
      }
      return true;
    });
  }

  @Test
  void aSnapshotHasWhatWasWrittenBeforeAndIsNotChanged() throws Exception {
    long seed = Simulation.seed();
    var simulation = new Simulation(seed);
    simulation.run(() -> {
      try (Opened store = new Opened(simulation, small())) {
        store.create(KEY, new Id(1, seed));
        byte[] content = Walk.content(seed, 50_000);
        MutableObject object = store.open(KEY);
        object.write(0, content, 0, content.length);
        Id snapshot =
            store.engine.copyShare(Walk.commandId("keep"), store.share, "monday", true).id();
        object.write(0, new byte[100], 0, 100);
        MutableObject kept = store.engine.openObject(snapshot, KEY);
        assertArrayEquals(content, read(kept));
        var refused = assertThrows(RefusedException.class, () -> kept.write(0, new byte[1], 0, 1));
        assertEquals(RefusedException.Reason.READ_ONLY, refused.reason());
        kept.close();
        object.close();
      }
      return true;
    });
  }

  @Test
  void housekeepingBesideStreamsFoldsAndClonesTakesNothingThatIsNeeded() throws Exception {
    long seed = Simulation.seed();
    for (int round = 0; round < ROUNDS; round++) {
      long own = seed + round;
      String where = "onefold.seed=" + own;
      var simulation = new Simulation(own);
      var changes = new Changes(own);
      try {
        simulation.run(() -> {
          try (Opened store = new Opened(simulation, small())) {
            store.create(KEY, new Id(1, own));
            boolean[] over = new boolean[1];
            TaskHandle cycles =
                simulation
                    .scheduler()
                    .start(
                        "cycles",
                        () -> {
                          try {
                            while (!over[0]) {
                              var _ = store.engine.runHousekeeping(store.domainId());
                            }
                          } catch (IOException e) {
                            throw new AssertionError(e);
                          }
                        });
            try {
              work(store, changes, 80, where);
            } finally {
              over[0] = true;
              cycles.join();
            }
          }
          return true;
        });
        var again = simulation.afterProcessEnd(own);
        again.run(() -> {
          try (Opened store = new Opened(again, small())) {
            check(changes.content, store.open(KEY), where);
          }
          return true;
        });
      } catch (Exception | AssertionError e) {
        throw new AssertionError(where + ": " + e, e);
      }
    }
  }

  @Test
  void aLogThatIsDamagedIsNamedAndNotPassedOver() throws Exception {
    long seed = Simulation.seed();
    var simulation = new Simulation(seed);
    WritebackSettings settings = small().withIdle(Duration.ofHours(1));
    simulation.run(() -> {
      try (Opened store = new Opened(simulation, settings)) {
        store.create(KEY, new Id(1, seed));
        MutableObject object = store.open(KEY);
        for (int i = 0; i < 5; i++) {
          object.write(i * 9_000L, Walk.content(i, 9_000), 0, 9_000);
          object.force(new byte[] {1});
        }
        object.close();
      }
      return true;
    });
    var again = simulation.afterProcessEnd(seed);
    String segment =
        again.device().files().stream()
            .filter(path -> path.contains("/writeback/"))
            .findFirst()
            .orElseThrow();
    again.device().flipBit(segment, 5_000, 3);
    again.run(() -> {
      var damage =
          assertThrows(CorruptDataException.class, () -> new Opened(again, settings).close());
      assertTrue(String.valueOf(damage.getMessage()).contains(segment), damage.getMessage());
      return true;
    });
  }
}
