package onefold.appliance;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.SplittableRandom;
import java.util.TreeMap;
import onefold.appliance.cli.Exit;
import onefold.appliance.json.JsonObject;
import onefold.appliance.mapping.MappingFiles;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an operator of two appliances types. */
class MappingWalkTest {
  private static final int LENGTH = 6_000_000;

  @TempDir private Path folder;

  private final SplittableRandom random = new SplittableRandom(Long.getLong("onefold.seed", 7));

  private Path made(String name, byte[] bytes) throws IOException {
    Path file = folder.resolve(name);
    Files.write(file, bytes);
    return file;
  }

  @Test
  void aStoreIsKeptOnAnotherApplianceAndReadThere() throws IOException {
    byte[] monday = new byte[LENGTH];
    random.nextBytes(monday);
    byte[] tuesday = monday.clone();
    for (int i = 1_000_000; i < 1_000_000 + LENGTH / 100; i++) {
      tuesday[i] = (byte) random.nextInt();
    }
    try (RunningAppliance here = RunningAppliance.start(folder.resolve("here"));
        RunningAppliance there = RunningAppliance.start(folder.resolve("there"))) {
      String peer = there.appliance().contextFile().toString();
      here.ok("put", made("monday", monday).toString(), "default/monday", "--tag", "a=b");

      String told =
          here.ok(
              "mapping",
              "create",
              "offsite",
              "--store",
              "default",
              "--peer-context",
              peer,
              "--peer-store",
              "default");
      assertTrue(told.contains("offsite"), told);
      Path file = here.data().resolve(MappingFiles.FOLDER).resolve("offsite.json");
      assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
      JsonObject first = here.json("mapping", "sync", "offsite", "--wait");
      assertEquals(1, first.number("provenItems"));
      assertEquals("", first.text("problem"));

      here.ok("put", made("tuesday", tuesday).toString(), "default/tuesday");
      here.ok("mapping", "sync", "offsite", "--wait");
      JsonObject second = here.json("mapping", "show", "offsite");
      assertEquals(2, second.number("provenItems"));
      assertEquals(0, second.number("lagItems"));
      long cost = second.number("wireBytes") - first.number("wireBytes");
      assertTrue(cost <= 0.04 * LENGTH, () -> cost + " bytes"); // Chunks of 64 KiB at both ends.

      Path back = folder.resolve("back");
      there.ok("get", "default/tuesday", back.toString());
      assertArrayEquals(tuesday, Files.readAllBytes(back));
      assertEquals("b", there.json("ls", "default/monday").object("tags").text("a"));

      here.ok("mapping", "pause", "offsite");
      RunningAppliance.Outcome refused = here.run("mapping", "sync", "offsite");
      assertEquals(Exit.FAILED, refused.exitCode(), refused::toString);
      assertTrue(refused.err().contains("mapping resume offsite"), refused::err);
      here.ok("mapping", "resume", "offsite");
      assertTrue(here.ok("mapping", "ls").contains("offsite"));
      assertFalse(here.ok("mapping", "show", "offsite", "--json").contains("password"));
      here.ok("mapping", "rm", "offsite");
      assertFalse(Files.exists(file));
    }
  }

  @Test
  void whatTheSourceSaysIsThereIsThere() throws IOException {
    try (RunningAppliance here = RunningAppliance.start(folder.resolve("here"));
        RunningAppliance there = RunningAppliance.start(folder.resolve("there"))) {
      RunningAppliance.Outcome none = here.run(write("20"));
      assertEquals(Exit.FAILED, none.exitCode());
      assertTrue(none.err().contains("there is no mapping of store 'default'"), none::err);
      here.ok(
          "mapping",
          "create",
          "judged",
          "--store",
          "default",
          "--peer-context",
          there.appliance().contextFile().toString(),
          "--peer-store",
          "default",
          "--deletions");

      var ledger = new TreeMap<String, String>();
      for (String line : here.ok(write("20")).lines().toList()) {
        String[] words = line.split(" ", -1);
        if (words[0].equals("ACK")) {
          ledger.put(words[2], words[1].equals("PUT") ? words[3] : "ABSENT");
        }
      }

      StringBuilder wanted = new StringBuilder();
      ledger.forEach(
          (id, hash) -> wanted.append("GOT ").append(id).append(' ').append(hash).append('\n'));
      Path ids = Files.write(folder.resolve("ids"), ledger.keySet());
      assertEquals(
          wanted.toString(),
          there.ok(
              "judge",
              "verify",
              "--front-end",
              "replication",
              "--source-context",
              here.appliance().contextFile().toString(),
              ids.toString()));
      String some =
          ledger.entrySet().stream()
              .filter(entry -> !entry.getValue().equals("ABSENT"))
              .findFirst()
              .orElseThrow()
              .getKey();
      assertTrue(here.ok("ls", "default/" + some).contains("also by  mapping judged"));
    }
  }

  private static String[] write(String count) {
    return new String[] {
      "judge",
      "write",
      "--front-end",
      "replication",
      "--client",
      "0",
      "--round",
      "0",
      "--count",
      count
    };
  }

  @Test
  void whatCannotBeCopiedIsNamedAndTheRestIsThere() throws IOException {
    try (RunningAppliance here = RunningAppliance.start(folder.resolve("here"));
        RunningAppliance there = RunningAppliance.start(folder.resolve("there"))) {
      here.ok("put", made("x", new byte[] {1, 2, 3}).toString(), "default/x");
      here.ok("put", made("y", new byte[] {4}).toString(), "default/y");
      there.ok("put", made("z", new byte[] {5, 6}).toString(), "default/x");
      here.ok(
          "mapping",
          "create",
          "m",
          "--store",
          "default",
          "--peer-context",
          there.appliance().contextFile().toString(),
          "--peer-store",
          "default",
          "--on",
          "demand");
      RunningAppliance.Outcome outcome = here.run("mapping", "sync", "m", "--wait");
      assertEquals(Exit.GAPS, outcome.exitCode(), outcome::toString);
      assertTrue(outcome.out().contains("left out   x: "), outcome::out);
      assertTrue(there.ok("ls", "default").contains("y"));
      RunningAppliance.Outcome status = here.run("status");
      assertEquals(Exit.FAILED, status.exitCode());
      assertTrue(status.out().contains("mapping 'm' leaves out 1 item"), status::out);

      RunningAppliance.Outcome none =
          here.run(
              "mapping",
              "create",
              "n",
              "--store",
              "default",
              "--peer-context",
              there.appliance().contextFile().toString(),
              "--peer-store",
              "nowhere");
      assertEquals(Exit.FAILED, none.exitCode());
      assertTrue(none.err().contains("store create nowhere"), none::err);
    }
  }
}
