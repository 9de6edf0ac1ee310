package onefold.appliance.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import onefold.appliance.FrontEnd;
import onefold.appliance.RunningAppliance;
import onefold.appliance.RunningAppliance.Outcome;
import onefold.appliance.json.JsonObject;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Shares as they are typed, against a real appliance. */
class ShareVerbsTest {
  @TempDir Path folder;

  @Test
  void theDefaultShareIsThereOnceForThisMachineOnly() throws IOException {
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      JsonObject share = onefold.json("share", "show", "backup");
      assertEquals("/backup", share.text("path"));
      assertEquals("localhost", share.text("nfs"));
      assertEquals("65534:65534", share.text("owner"));
      assertTrue(onefold.appliance().port(FrontEnd.NFS).isPresent());
      onefold.ok("share", "rm", "backup");
      assertTrue(onefold.json("share", "ls").array("shares").objects().isEmpty());
    }
    // Who deleted it does not get it back.
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      assertTrue(onefold.json("share", "ls").array("shares").objects().isEmpty());
    }
  }

  @Test
  void aShareIsMadeShownChangedAndDeleted() throws IOException {
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      int port = onefold.appliance().port(FrontEnd.NFS).orElseThrow();
      String made =
          onefold.ok(
              "share", "create", "vms", "--nfs", "10.1.0.0/16,10.9.0.7=ro", "--quota", "2TB");
      assertTrue(
          made.contains(
              "mount -t nfs4 -o vers=4.1,proto=tcp,port=" + port + ",hard 127.0.0.1:/vms /mnt"),
          made);
      assertTrue(
          made.contains(
              "mount -t nfs -o vers=3,proto=tcp,port="
                  + port
                  + ",mountproto=tcp,mountport="
                  + port
                  + ",nolock,hard 127.0.0.1:/vms /mnt"),
          made);
      JsonObject share = onefold.json("share", "show", "vms", "--client", "10.1.2.3");
      assertEquals(2_000_000_000_000L, share.number("quotaBytes"));
      assertEquals(0, share.number("usedBytes"));
      assertEquals(
          "10.1.2.3 may read and write, by the rule '10.1.0.0/16'; root becomes 65534:65534, as"
              + " the rule names more than one host",
          share.object("client").text("reason"));
      String refused = onefold.ok("share", "show", "vms", "--client", "192.0.2.1");
      assertTrue(
          refused.contains("'onefold share set vms --nfs 10.1.0.0/16,10.9.0.7=ro,192.0.2.1'"),
          refused);
      JsonObject changed =
          onefold.json(
              "share",
              "set",
              "vms",
              "--squash",
              "all",
              "--owner",
              "1000:100",
              "--read-only",
              "yes",
              "--quota",
              "none",
              "--sec",
              "krb5p,krb5i");
      assertEquals("all", changed.text("squash"));
      assertEquals("krb5i,krb5p", changed.text("security"));
      String shown = onefold.ok("share", "show", "vms", "--client", "10.1.2.3");
      assertTrue(shown.contains("calls must come with krb5i or krb5p"), shown);
      assertEquals("sys", onefold.json("share", "set", "vms", "--sec", "sys").text("security"));
      assertEquals("1000:100", changed.text("owner"));
      assertTrue(changed.bool("readOnly", false));
      assertFalse(changed.has("usedBytes"));
      assertEquals("10.1.0.0/16,10.9.0.7=ro", changed.text("nfs"));
      assertEquals("none", onefold.json("share", "set", "vms", "--nfs", "none").text("nfs"));
      onefold.ok("share", "rm", "vms");
      assertEquals(1, onefold.json("share", "ls").array("shares").objects().size());
    }
  }

  @Test
  void aSnapshotIsMadeListedCopiedAndDeleted() throws IOException {
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      String made = onefold.ok("share", "snapshot", "backup@monday");
      assertTrue(made.contains("/backup/.snapshots/monday"), made);
      onefold.ok("share", "snapshot", "backup@tuesday");
      assertTrue(onefold.ok("share", "snapshots", "backup").contains("backup@tuesday"));
      assertEquals(2, onefold.json("share", "show", "backup").number("snapshots"));
      JsonObject copy = onefold.json("share", "clone", "backup@monday", "copy");
      assertEquals("/copy", copy.text("path"));
      assertEquals("localhost", copy.text("nfs"));
      onefold.ok("share", "clone", "backup", "another");
      Outcome kept = onefold.run("share", "rm", "backup");
      assertTrue(kept.err().contains("./onefold share rm backup@monday"), kept.err());
      onefold.ok("share", "rm", "backup@monday", "--yes");
      assertEquals(
          "tuesday",
          onefold
              .json("share", "snapshots", "backup")
              .array("snapshots")
              .objects()
              .getFirst()
              .text("name"));
      assertEquals(
          "visible",
          onefold
              .json("share", "set", "backup", "--snapshot-directory", "visible")
              .text("snapshotDirectory"));
    }
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      assertEquals(1, onefold.json("share", "show", "backup").number("snapshots"));
      assertEquals(3, onefold.json("share", "ls").array("shares").objects().size());
    }
  }

  @Test
  void aShareThatKeepsItsFilesSaysForHowLongAndStaysSo() throws IOException {
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      JsonObject made = onefold.json("share", "create", "w", "--worm", "--retention-min", "3");
      assertTrue(made.bool("worm", false));
      assertEquals(86_400, made.number("quietSeconds"));
      assertEquals(30, made.number("retentionDays"));
      JsonObject changed =
          onefold.json(
              "share",
              "set",
              "w",
              "--commit-after",
              "90m",
              "--retention",
              "7",
              "--retention-max",
              "70");
      assertEquals(5400, changed.number("quietSeconds"));
      assertEquals(7, changed.number("retentionDays"));
      assertEquals(3, changed.number("retentionMinDays"));
      assertEquals(70, changed.number("retentionMaxDays"));
      String shown = onefold.ok("share", "show", "w");
      assertTrue(
          shown.contains(
              "files are kept once they are read-only or have not changed for 90 min: 7 days, or"
                  + " until their access time, 3 to 70 days"),
          shown);
      onefold.ok("share", "rm", "w");
    }
  }

  @Test
  void whatIsRefusedSaysWhy() throws IOException {
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      for (List<String> wrong :
          List.of(
              List.of("'10.0.0.0/40'", "share", "create", "a", "--nfs", "10.0.0.0/40"),
              List.of("squash 'some'", "share", "create", "a", "--squash", "some"),
              List.of("security 'krb'", "share", "create", "a", "--sec", "krb"),
              List.of("owner 'me'", "share", "create", "a", "--owner", "me"),
              List.of("--read-only 'maybe'", "share", "set", "backup", "--read-only", "maybe"),
              List.of("nothing to change was named", "share", "set", "backup"),
              List.of("domain 'other'", "share", "create", "a", "--domain", "other"),
              List.of("backup", "share", "create", "backup"),
              List.of("./onefold share create nothing", "share", "show", "nothing"),
              List.of("a/b", "share", "create", "a/b"),
              List.of("such as vms@monday", "share", "snapshot", "backup"),
              List.of("has no snapshot 'x'", "share", "clone", "backup@x", "a"),
              List.of("has no snapshot 'x'", "share", "rm", "backup@x", "--yes"),
              List.of(
                  "hidden, visible and off",
                  "share",
                  "set",
                  "backup",
                  "--snapshot-directory",
                  "seen"),
              List.of("(--worm)", "share", "set", "backup", "--retention", "5"),
              List.of("90m, 24h or 7d", "share", "create", "a", "--worm", "--commit-after", "1"),
              List.of(
                  "is not between",
                  "share",
                  "create",
                  "a",
                  "--worm",
                  "--retention",
                  "5",
                  "--retention-min",
                  "6"))) {
        Outcome outcome = onefold.run(wrong.subList(1, wrong.size()).toArray(String[]::new));
        assertTrue(outcome.exitCode() != 0, wrong::toString);
        assertTrue(outcome.err().contains(wrong.getFirst()), () -> wrong + ": " + outcome.err());
      }
      assertEquals(1, onefold.json("share", "ls").array("shares").objects().size());
    }
  }
}
