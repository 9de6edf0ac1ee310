package onefold.appliance;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import onefold.appliance.RunningAppliance.Outcome;
import onefold.appliance.cli.Exit;
import onefold.appliance.context.Context;
import onefold.appliance.json.JsonObject;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One whole walk through the doors: start, write, list, read, delete, stop, start again. */
class WalkTest {
  @TempDir private Path folder;

  private Path file(String name, int length, long seed) throws IOException {
    byte[] bytes = new byte[length];
    new SplittableRandom(seed).nextBytes(bytes);
    return Files.write(folder.resolve(name), bytes);
  }

  @Test
  void whatIsPutComesBackAlsoAfterARestart() throws IOException {
    Path big = file("big", 3_000_000, 1);
    Path empty = file("empty", 0, 2);
    Path one = file("one", 1, 3);
    Path back = folder.resolve("back");
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      assertTrue(onefold.appliance().firstPassword().isPresent());
      String line = onefold.ok("put", big.toString(), "default/big", "--tag", "kind=test");
      assertTrue(
          line.matches(
              "(?s)default/big: logical 3.00 MB, new 3.0[0-9] MB, on the wire 3.0[0-9] MB, ratio"
                  + " [01].\\d\\d, [\\d.]+ MB/s\n"),
          line);
      assertTrue(onefold.ok("put", empty.toString(), "default/empty").contains(", empty, "));
      onefold.ok("put", one.toString(), "default/sub/one");

      JsonObject again = onefold.json("put", big.toString(), "default/again", "--bandwidth", "low");
      assertTrue(again.number("newBytes") < 10_000, again.write());
      assertTrue(again.number("wireBytes") < 100_000, again.write());
      String known = onefold.ok("put", big.toString(), "default/known");
      assertTrue(known.contains(", all known already, "), known);
      onefold.ok("rm", "default/known", "--yes");
      JsonObject high = onefold.json("put", big.toString(), "default/high", "--bandwidth", "high");
      assertEquals(again.text("root"), high.text("root"));

      onefold.ok("get", "default/big", back.toString());
      assertArrayEquals(Files.readAllBytes(big), Files.readAllBytes(back));
      assertEquals(
          0, onefold.json("get", "default/empty", back.toString(), "--overwrite").number("bytes"));
      onefold.ok("get", "default/sub/one", back.toString(), "--overwrite");
      assertArrayEquals(Files.readAllBytes(one), Files.readAllBytes(back));

      String listed = onefold.ok("ls", "default");
      for (String name : new String[] {"again", "big", "empty", "high", "sub/one"}) {
        assertTrue(listed.contains("\n" + name + " "), listed);
      }
      assertEquals("test", onefold.json("ls", "default/big").object("tags").text("kind"));
      assertTrue(onefold.ok("verify").contains("5 items read, 0 damaged"));

      onefold.ok("cp", "default/big", "default/copy");
      onefold.ok("rm", "default/big", "--yes");
      assertFalse(onefold.ok("ls", "default").contains("\nbig "));
      onefold.ok("housekeeping");
      onefold.ok("get", "default/copy", back.toString(), "--overwrite");
      assertArrayEquals(Files.readAllBytes(big), Files.readAllBytes(back));
      assertTrue(onefold.ok("stats", "default/copy").contains("nothing else refers to"));

      onefold.ok("housekeeping", "--recompression", "off");
      assertTrue(onefold.ok("housekeeping", "--status").contains("recompression of default: off"));
      onefold.ok("housekeeping", "--recompress");
      onefold.ok("get", "default/copy", back.toString(), "--overwrite");
      assertArrayEquals(Files.readAllBytes(big), Files.readAllBytes(back));
    }
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      assertTrue(onefold.appliance().firstPassword().isEmpty());
      onefold.ok("get", "default/copy", back.toString(), "--overwrite");
      assertArrayEquals(Files.readAllBytes(big), Files.readAllBytes(back));
      JsonObject statistics = onefold.json("stats");
      assertEquals(5, statistics.array("stores").objects().getFirst().number("items"));
    }
    Outcome offline =
        RunningAppliance.run(
            folder, new byte[0], "verify", "--data", folder.resolve("data").toString());
    assertEquals(Exit.DONE, offline.exitCode(), offline.toString());
    assertTrue(offline.out().contains("5 items read, 0 damaged"), offline.toString());
    Outcome clean =
        RunningAppliance.run(
            folder, new byte[0], "scrub", "--data", folder.resolve("data").toString());
    assertEquals(Exit.DONE, clean.exitCode(), clean.toString());
  }

  @Test
  void oneCommandMayAskMoreThanTheServerAnswersOnOneConnection() throws IOException {
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      onefold.ok("put", file("one", 1, 1).toString(), "default/one");
      List<String> command = new ArrayList<>(List.of("rm", "--yes"));
      for (int i = 0; i < 60; i++) {
        onefold.ok("cp", "default/one", "default/copy-" + i);
        command.add("default/copy-" + i);
      }
      onefold.ok(command.toArray(String[]::new));
      assertFalse(onefold.ok("ls", "default").contains("copy-"));
    }
  }

  @Test
  void administrationGoesThroughRest() throws IOException {
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      assertTrue(onefold.json("status").bool("healthy", false));
      onefold.ok("store", "create", "mail", "--quota", "1MB", "--compression", "zstd");
      assertEquals("zstd", onefold.json("store", "show", "mail").text("compression"));
      onefold.ok("store", "set", "mail", "--quota", "none", "--lock", "0");
      assertEquals(0, onefold.json("store", "show", "mail").number("quotaBytes"));
      onefold.ok("domain", "create", "finance");
      onefold.ok("store", "create", "books", "--domain", "finance");
      onefold.ok("store", "rm", "books");
      assertEquals(2, onefold.json("store", "ls").array("stores").objects().size());

      Outcome made =
          onefold.runWithInput(
              "long enough\n".getBytes(StandardCharsets.UTF_8),
              "user",
              "create",
              "mailhost",
              "--store",
              "mail=append");
      assertEquals(Exit.DONE, made.exitCode(), made.toString());
      assertEquals(
          "append", onefold.json("user", "show", "mailhost").object("stores").text("mail"));

      Path item = file("item", 20_000, 4);
      onefold.ok("put", item.toString(), "mail/a");
      onefold.ok("hold", "mail/a");
      assertEquals(Exit.FAILED, onefold.run("rm", "mail/a", "--yes").exitCode());
      onefold.ok("hold", "mail/a", "--release");
      onefold.ok("lock", "mail/a", "--days", "2");
      assertEquals(
          Exit.FAILED, onefold.run("put", item.toString(), "mail/a", "--replace").exitCode());
      assertEquals(0, onefold.json("job", "ls").array("uploads").objects().size());
      assertTrue(onefold.ok("config", "export").contains("\"mailhost\""));
      assertTrue(onefold.ok("context", "show").contains("admin"));
    }
  }

  @Test
  void aUserSeesAndDoesOnlyWhatIsAllowed() throws IOException {
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      onefold.ok("store", "create", "mail");
      JsonObject made =
          onefold.json("user", "create", "mailhost", "--store", "mail=append", "--random-password");
      Context admin = Context.read(onefold.appliance().contextFile());
      Path file = folder.resolve("mailhost.json");
      new Context(admin.host(), admin.ports(), "mailhost", made.text("password"), "", admin.pin())
          .write(file);
      Path item = file("item", 20_000, 4);

      onefold.ok("put", item.toString(), "mail/a", "--context", file.toString());
      onefold.ok("put", item.toString(), "default/a");
      assertFalse(onefold.ok("ls", "--context", file.toString()).contains("\ndefault "));
      for (String[] refused :
          new String[][] {
            {"rm", "mail/a", "--yes"},
            {"put", item.toString(), "mail/a", "--replace"},
            {"put", item.toString(), "default/b"},
            {"get", "default/a", folder.resolve("x").toString()},
            {"ls", "default/a"},
            {"store", "create", "other"},
            {"user", "ls"},
            {"housekeeping"}
          }) {
        String[] asMailhost = java.util.Arrays.copyOf(refused, refused.length + 2);
        asMailhost[refused.length] = "--context";
        asMailhost[refused.length + 1] = file.toString();
        Outcome outcome = onefold.run(asMailhost);
        assertEquals(Exit.FAILED, outcome.exitCode(), outcome.toString());
      }
    }
  }

  @Test
  void aChangedPasswordIsKeptInTheContextThatChangedIt() throws IOException {
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      Outcome changed =
          onefold.runWithInput(
              "another password\n".getBytes(StandardCharsets.UTF_8),
              "user",
              "passwd",
              "--context",
              onefold.appliance().contextFile().toString());
      assertEquals(Exit.DONE, changed.exitCode(), changed.toString());
      onefold.ok("status");
    }
    Outcome reset =
        RunningAppliance.run(
            folder,
            new byte[0],
            "user",
            "reset-password",
            "--data",
            folder.resolve("data").toString());
    assertEquals(Exit.DONE, reset.exitCode(), reset.toString());
    Outcome renewed =
        RunningAppliance.run(
            folder,
            new byte[0],
            "certificate",
            "renew",
            "--data",
            folder.resolve("data").toString());
    assertEquals(Exit.DONE, renewed.exitCode(), renewed.toString());
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      assertTrue(
          renewed.out().contains(onefold.appliance().pin()),
          "the renewed certificate has another key");
      onefold.ok("status");
    }
  }

  @Test
  void theJudgesFindEverythingThatWasAcknowledged() throws IOException {
    Path marks = folder.resolve("marks");
    Path ids = folder.resolve("ids");
    String expected;
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      String lines =
          onefold.ok(
              "judge",
              "write",
              "--front-end",
              "catalyst",
              "--client",
              "0",
              "--round",
              "1",
              "--count",
              "40");
      Files.writeString(marks, lines);
      var ledger = new java.util.TreeMap<String, String>();
      for (String line : lines.lines().toList()) {
        String[] words = line.split(" ", -1);
        if (words[0].equals("ACK")) {
          ledger.put(words[2], words[1].equals("PUT") ? words[3] : "ABSENT");
        }
      }
      ledger.put("never-written", "ABSENT");
      Files.write(ids, ledger.keySet());
      StringBuilder wanted = new StringBuilder();
      ledger.forEach(
          (id, hash) -> wanted.append("GOT ").append(id).append(' ').append(hash).append('\n'));
      expected = wanted.toString();
      assertEquals(
          expected, onefold.ok("judge", "verify", "--front-end", "catalyst", ids.toString()));
    }
    Path list =
        Files.writeString(folder.resolve("list"), folder.resolve("data") + "\t" + marks + "\n");
    Outcome judged = RunningAppliance.run(folder, new byte[0], "judge", "list", list.toString());
    assertEquals(Exit.DONE, judged.exitCode());
    assertEquals(
        "STATE "
            + folder.resolve("data")
            + "\n"
            + expected.replace("GOT never-written ABSENT\n", ""),
        judged.out());
  }
}
