package onefold.store.simulator;

import java.time.Duration;
import java.util.List;
import onefold.store.CommitMode;
import onefold.store.Compression;
import onefold.store.container.ContainerSettings;
import onefold.store.engine.EngineSettings;
import onefold.store.housekeeping.RecompressionSettings;
import onefold.store.index.IndexSettings;
import onefold.store.journal.JournalSettings;

/** A short fixed program with a bit of everything, for tests that go through every call of it. */
final class Workload {
  private Workload() {}

  /** Small containers and segments, so that they are sealed, rolled and checkpointed on the way. */
  private static final EngineSettings SETTINGS =
      new EngineSettings(
          new ContainerSettings(64 << 10, 1, 64 << 10, 4 << 10, 1),
          new IndexSettings(IndexSettings.MIN_TABLE_BYTES, 8 << 10, 32, 0),
          new JournalSettings(8 << 10, 4 << 10),
          16 << 10,
          EngineSettings.MIN_CHECKPOINT_JOURNAL_BYTES,
          0,
          false,
          new RecompressionSettings(1, Duration.ofHours(1), Duration.ofMinutes(1)));

  static Program program(long seed) {
    Address monday = new Address(0, 0, 0);
    Address tuesday = new Address(0, 0, 1);
    Address other = new Address(1, 0, 0);
    Address third = new Address(2, 0, 0);
    List<Step> steps =
        List.of(
            put(monday, Step.Road.STREAM, 3_000, 0),
            put(tuesday, Step.Road.SOURCE_FROM_BELOW, 90_000, 1),
            put(other, Step.Road.SOURCE_FROM_ABOVE, 90_000, 2),
            put(third, Step.Road.STREAM, 500, 0),
            new Step.Begin(
                0, new Address(0, 0, 2), plan(70_000, 3), Step.Road.SOURCE_FROM_BELOW, seed),
            new Step.Feed(0, 4),
            new Step.Save(0, true),
            put(monday, Step.Road.STREAM, 40_000, 4),
            new Step.Housekeeping(0),
            new Step.Finish(0, CommitMode.IF_ABSENT, 2),
            new Step.Clone(tuesday, new Address(1, 0, 3), CommitMode.IF_ABSENT, true),
            new Step.Update(tuesday, 3, true, 0),
            new Step.Delete(other, true),
            new Step.PutRecord(0, 1, 700),
            new Step.Quota(1, 100),
            new Step.Splice(
                new Address(0, 0, 4),
                List.of(new Step.Part(monday, 1, 13, 100), new Step.Part(tuesday, 0, 16, 0)),
                CommitMode.REPLACE),
            new Step.ShareChanges(0, 0, 6, seed, false),
            new Step.ShareChanges(0, 0, 8, seed + 1, true),
            new Step.ShareSnapshot(0, 0),
            new Step.ShareChanges(0, 0, 8, seed + 2, false),
            new Step.CopyShare(),
            new Step.Recompress(0),
            new Step.Housekeeping(0),
            new Step.Read(tuesday, seed),
            new Step.Delete(monday, false),
            new Step.ShareChanges(1, 0, 8, seed + 3, false),
            new Step.ShareSnapshot(0, 0),
            new Step.Reopen(),
            put(monday, Step.Road.SOURCE_FROM_ABOVE, 90_000, 5),
            new Step.CheckAll(seed));
    return new Program(seed, SETTINGS, steps);
  }

  private static Plan plan(int lengthBytes, int edits) {
    return new Plan(0, Plan.Kind.HALF, lengthBytes, edits, edits, edits / 2);
  }

  private static Step put(Address to, Step.Road road, int lengthBytes, int edits) {
    return new Step.Put(
        to,
        plan(lengthBytes, edits),
        road,
        Compression.LZ4,
        CommitMode.REPLACE,
        1,
        lengthBytes,
        false);
  }
}
