package onefold.appliance.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.List;
import java.util.SplittableRandom;
import onefold.appliance.RunningAppliance;
import onefold.appliance.RunningAppliance.Outcome;
import onefold.appliance.json.JsonObject;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Locks, deleted items, snapshots and quotas as somebody types them. */
class RetentionVerbsTest {
  @TempDir private Path folder;

  private Path file(String name, long seed) throws IOException {
    byte[] bytes = new byte[30_000];
    new SplittableRandom(seed).nextBytes(bytes);
    return Files.write(folder.resolve(name), bytes);
  }

  private void assertHolds(RunningAppliance onefold, String item, Path file) throws IOException {
    Path out = folder.resolve("out" + System.nanoTime());
    onefold.ok("get", item, out.toString());
    assertArrayEquals(Files.readAllBytes(file), Files.readAllBytes(out), item);
  }

  private static void refused(RunningAppliance onefold, String part, String... arguments) {
    Outcome outcome = onefold.run(arguments);
    assertTrue(
        outcome.exitCode() != 0 && outcome.err().contains(part),
        List.of(arguments) + " ended with " + outcome);
  }

  @Test
  void aLockHoldsAgainstEveryVerbAndTheReasonOfAShorterOneIsKept() throws IOException {
    String file = file("a", 1).toString();
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      onefold.ok("put", file, "default/a");
      onefold.ok("lock", "default/a", "--until", "2099-12-31");
      assertTrue(onefold.ok("ls", "default/a").contains("locked until 2100-01-01"));
      refused(onefold, "locked", "rm", "default/a", "--yes");
      refused(onefold, "locked", "put", file, "default/a", "--replace");
      refused(onefold, "locked", "store", "rm", "default", "--with-items", "--yes");
      refused(onefold, "right to shorten", "lock", "default/a", "--days", "1");
      refused(
          onefold, "--shorten-locks", "lock", "default/a", "--days", "1", "--reason", "a mistake");
      refused(onefold, "--until 'soon'", "lock", "default/a", "--until", "soon");
      refused(onefold, "--yes", "lock", "default/a", "--days", "1", "--kind", "compliance");
      onefold.ok("user", "set", "admin", "--shorten-locks");
      onefold.ok("lock", "default/a", "--days", "1", "--reason", "a mistake");
      String kept = onefold.ok("lock", "--shortened");
      assertTrue(kept.contains("default/a") && kept.contains("a mistake"), kept);
      onefold.ok("lock", "default/a", "--days", "2", "--kind", "compliance", "--yes");
      refused(onefold, "nobody", "lock", "default/a", "--days", "1", "--reason", "please");
    }
  }

  @Test
  void theLastFiveBackupsComeBackWhateverWasDoneToThem() throws IOException {
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      onefold.ok("store", "set", "default", "--undelete", "14");
      for (int day = 1; day <= 5; day++) {
        onefold.ok("put", file("day" + day, day).toString(), "default/day-" + day);
      }
      long storeTime = onefold.json("status").number("storeTime");
      LocalDateTime then =
          LocalDateTime.ofInstant(Instant.ofEpochMilli(storeTime), ZoneId.systemDefault());
      Path scrambled = file("scrambled", 99);
      onefold.ok("rm", "default/day-1", "default/day-2", "--yes");
      for (int day = 3; day <= 5; day++) {
        onefold.ok("put", scrambled.toString(), "default/day-" + day, "--replace");
      }
      onefold.ok("put", scrambled.toString(), "default/day-5", "--replace");
      onefold.ok("housekeeping");
      refused(onefold, "for 14 days", "store", "rm", "default", "--with-items", "--yes");
      refused(onefold, "--shorten-locks", "store", "set", "default", "--undelete", "0");
      refused(onefold, "right to shorten", "purge", "default", "--all", "--yes");
      assertEquals(6, onefold.json("ls", "default", "--deleted").array("deleted").values().size());

      onefold.ok("undelete", "default", "--since", then.toString());
      for (int day = 1; day <= 5; day++) {
        assertHolds(onefold, "default/day-" + day, folder.resolve("day" + day));
      }
      JsonObject first =
          onefold
              .json("ls", "default", "--deleted", "--prefix", "day-3")
              .array("deleted")
              .objects()
              .getFirst();
      onefold.ok("undelete", "default/day-3@" + first.number("version"), "--as", "evidence");
      assertHolds(onefold, "default/evidence", scrambled);
      onefold.ok("user", "set", "admin", "--shorten-locks");
      onefold.ok("purge", "default", "--all", "--reason", "no room", "--yes");
      assertEquals(0, onefold.json("ls", "default", "--deleted").array("deleted").values().size());
      assertTrue(onefold.ok("lock", "--shortened").contains("no room"));
    }
  }

  @Test
  void aSnapshotIsReadLikeAStoreAndMakesAStore() throws IOException {
    Path a = file("a", 1);
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      onefold.ok("put", a.toString(), "default/a");
      onefold.ok("snapshot", "create", "default@noon");
      onefold.ok("put", file("b", 2).toString(), "default/a", "--replace");
      assertHolds(onefold, "default@noon/a", a);
      assertEquals(1, onefold.json("ls", "default@noon").array("items").values().size());
      onefold.ok("verify", "default@noon");
      refused(onefold, "snapshot", "put", a.toString(), "default@noon/b");
      refused(onefold, "snapshot", "rm", "default@noon/a", "--yes");
      onefold.ok("cp", "default@noon", "tests");
      onefold.ok("cp", "default@noon/a", "default/a-again");
      assertHolds(onefold, "tests/a", a);
      assertHolds(onefold, "default/a-again", a);
      onefold.ok("snapshot", "lock", "default@noon", "--days", "3");
      assertTrue(onefold.ok("snapshot", "ls").contains("locked until"));
      refused(onefold, "locked", "snapshot", "rm", "default@noon", "--yes");
      refused(onefold, "snapshots", "store", "rm", "default", "--with-items", "--yes");
      onefold.ok("snapshot", "create", "default@night");
      onefold.ok("snapshot", "rm", "default@night", "--yes");
      onefold.ok("store", "rm", "tests", "--with-items", "--yes");
    }
  }

  @Test
  void softQuotasAndWhatWasPromisedAreShown() throws IOException {
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      onefold.ok("store", "set", "default", "--quota", "2PB", "--soft-quota", "10kB");
      assertTrue(!onefold.ok("status").contains("warning"));
      String put = onefold.ok("put", file("a", 1).toString(), "default/a");
      assertTrue(put.contains("warning: store 'default' holds 30000 bytes"), put);
      String status = onefold.ok("status");
      assertTrue(status.contains("warning   store 'default'"), status);
      assertTrue(status.contains("over-committed"), status);
      assertTrue(
          onefold.json("stats").object("capacity").number("quotaBytes") == 2_000_000_000_000_000L);
    }
  }
}
