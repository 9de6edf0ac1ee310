package onefold.appliance;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Stream;
import onefold.appliance.RunningAppliance.Outcome;
import onefold.appliance.cli.Exit;
import onefold.appliance.json.Json;
import onefold.appliance.json.JsonObject;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A data directory that no start can open is made anew, and what was deleted stays deleted. */
final class RebuildTest {
  @TempDir Path folder;

  /** Closed in good order. */
  private Path closed;

  /** As a power cut left it: the last changes are in the journal only. */
  private Path torn;

  private final Map<String, byte[]> items = new TreeMap<>();

  @BeforeEach
  void twoDirectories() throws IOException {
    closed = folder.resolve("data");
    torn = folder.resolve("torn");
    SplittableRandom random = new SplittableRandom(5);
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      for (int i = 0; i < 4; i++) {
        byte[] bytes = new byte[400_000 + i];
        random.nextBytes(bytes);
        items.put("item-" + i, bytes);
        Path file = Files.write(folder.resolve("item-" + i), bytes);
        onefold.ok("put", file.toString(), "default/item-" + i);
      }
      onefold.ok("rm", "default/item-3", "--yes");
      items.remove("item-3");
      onefold.ok("hold", "default/item-1");
      copyAtRest(onefold.data(), torn);
    }
  }

  private static void copyAtRest(Path from, Path to) throws IOException {
    for (int tried = 0; ; tried++) {
      assertTrue(tried < 1000, "it never comes to rest");
      try {
        List<String> before = names(from);
        copy(from, to);
        if (before.equals(names(from)) && before.equals(names(to))) {
          return;
        }
      } catch (NoSuchFileException e) {
        // Housekeeping goes on.
      }
      if (Files.exists(to)) {
        delete(to);
      }
    }
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path each : files.toList()) {
        Path copy = to.resolve(from.relativize(each));
        if (Files.isDirectory(each)) {
          Files.createDirectories(copy);
        } else {
          Files.copy(each, copy, StandardCopyOption.REPLACE_EXISTING);
        }
      }
    }
  }

  private static List<String> names(Path directory) throws IOException {
    List<String> names = new ArrayList<>();
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path each : files.sorted().toList()) {
        String size = Files.isRegularFile(each) ? " " + Files.size(each) : "";
        names.add(directory.relativize(each) + size);
      }
    }
    return names;
  }

  private static void delete(Path path) throws IOException {
    try (Stream<Path> files = Files.walk(path)) {
      for (Path each : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(each);
      }
    }
  }

  private Outcome verb(String... arguments) {
    return RunningAppliance.run(folder.resolve("nobody"), new byte[0], arguments);
  }

  private JsonObject rebuild(Path data, int exitCode, String... more) {
    List<String> words = new ArrayList<>(List.of("rebuild", "--data", data.toString(), "--json"));
    words.addAll(List.of(more));
    Outcome outcome = verb(words.toArray(String[]::new));
    assertEquals(exitCode, outcome.exitCode(), outcome.toString());
    return Json.parseObject(outcome.out());
  }

  /** The items, and no others, with every byte; the hold too. */
  private void check(Path data) throws IOException {
    Outcome listed = verb("ls", "default", "--data", data.toString(), "--json");
    assertEquals(Exit.DONE, listed.exitCode(), listed.toString());
    List<String> names =
        Json.parseObject(listed.out()).array("items").objects().stream()
            .map(item -> item.text("name"))
            .toList();
    assertEquals(List.copyOf(items.keySet()), names);
    for (Map.Entry<String, byte[]> item : items.entrySet()) {
      Path back = folder.resolve("back");
      String name = "default/" + item.getKey();
      Outcome got = verb("get", name, back.toString(), "--overwrite", "--data", data.toString());
      assertEquals(Exit.DONE, got.exitCode(), got.toString());
      assertArrayEquals(item.getValue(), Files.readAllBytes(back));
    }
    Outcome held = verb("ls", "default", "--data", data.toString());
    assertTrue(held.out().lines().anyMatch(l -> l.startsWith("item-1") && l.contains("held")));
  }

  private static void deleteBelow(Path data, String part) throws IOException {
    List<Path> doomed;
    try (Stream<Path> files = Files.walk(data)) {
      doomed =
          files
              .filter(f -> Files.isRegularFile(f) && ("/" + data.relativize(f)).contains(part))
              .toList();
    }
    assertFalse(doomed.isEmpty(), part);
    for (Path each : doomed) {
      Files.delete(each);
    }
  }

  @Test
  void withoutSuperblocksAndIndexesEverythingComesBackAndDeletedStaysDeleted() throws IOException {
    for (Path data : List.of(closed, torn)) {
      deleteBelow(data, "/superblock.");
      deleteBelow(data, "/index/");
      // The verbs that read do so before as well.
      check(data);
      JsonObject report = rebuild(data, Exit.GAPS);
      assertEquals(3, report.number("items"), report.write());
      assertTrue(report.bool("named", false));
      check(data);
      assertTrue(Files.exists(data.resolve("before-rebuild/journal")));
      // A second one finds nothing missing, and keeps its own old state.
      JsonObject again = rebuild(data, Exit.DONE);
      assertEquals("before-rebuild-2", again.text("aside"));
      check(data);
    }
  }

  @Test
  void whatTheLostJournalAloneHeldIsLostAndTheRestIsThere() throws IOException {
    deleteBelow(closed, "/journal/");
    Outcome start = verb("verify", "--data", closed.toString());
    assertEquals(Exit.DONE, start.exitCode(), start.toString());
    JsonObject report = rebuild(closed, Exit.GAPS);
    assertTrue(report.array("losses").objects().getFirst().text("what").contains("journal"));
    check(closed);
    // The next one is served and taken backups by.
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      onefold.ok("put", folder.resolve("item-0").toString(), "default/more");
      assertTrue(onefold.ok("verify").contains("4 items read, 0 damaged"));
    }
  }

  @Test
  void withoutAnyCatalogTheRecipesAreListedAndRebuiltWhenThatIsAskedFor() throws IOException {
    deleteBelow(closed, "/" + "0".repeat(32) + "/");
    deleteBelow(closed, "/journal/");
    List<String> before = names(closed);
    Outcome listed = verb("ls", "recovered", "--data", closed.toString());
    assertEquals(Exit.DONE, listed.exitCode(), listed.toString());
    assertTrue(listed.err().contains("names, tags, locks, holds and users are lost"));
    assertTrue(listed.out().lines().filter(l -> l.startsWith("root-")).count() >= 3);
    assertEquals(before, names(closed));

    Outcome refused = verb("rebuild", "--data", closed.toString());
    assertEquals(Exit.FAILED, refused.exitCode(), refused.toString());
    assertTrue(refused.err().contains("--without-names"), refused.err());
    assertEquals(before, names(closed));

    rebuild(closed, Exit.GAPS, "--without-names");
    Outcome verified = verb("verify", "recovered", "--data", closed.toString());
    // What was deleted is there as far as it has not been freed.
    long whole = verified.out().lines().filter(l -> l.startsWith("OK recovered/root-")).count();
    assertTrue(whole >= items.size(), verified.toString());
    for (byte[] expected : items.values()) {
      assertTrue(isAmongRecovered(expected), "an item of " + expected.length + " bytes");
    }
  }

  private boolean isAmongRecovered(byte[] expected) throws IOException {
    Outcome listed = verb("ls", "recovered", "--data", closed.toString(), "--json");
    for (JsonObject item : Json.parseObject(listed.out()).array("items").objects()) {
      if (item.number("lengthBytes") == expected.length) {
        Path back = folder.resolve("back");
        String name = "recovered/" + item.text("name");
        verb("get", name, back.toString(), "--overwrite", "--data", closed.toString());
        if (java.util.Arrays.equals(expected, Files.readAllBytes(back))) {
          return true;
        }
      }
    }
    return false;
  }

  @Test
  void oneThatWasInterruptedIsPutBackAndDoneAgain() throws IOException {
    deleteBelow(torn, "/superblock.");
    List<Path> moved = List.of(torn.resolve("journal"), torn.resolve("domains/" + "0".repeat(32)));
    // As the rebuild leaves it when it ends after it moved the old state away.
    Path aside = Files.createDirectory(torn.resolve("before-rebuild"));
    Files.createFile(aside.resolve("unfinished"));
    for (Path each : moved) {
      Path to = aside.resolve(torn.relativize(each));
      Files.createDirectories(to.getParent());
      Files.move(each, to);
      Files.createDirectories(each);
    }
    Files.createFile(aside.resolve("moved"));
    Files.writeString(torn.resolve("journal/0000000000000001.journal"), "of the new one");
    Files.writeString(torn.resolve("superblock.1"), "torn");
    Outcome start = verb("user", "reset-password", "admin", "--data", torn.toString());
    assertEquals(Exit.FAILED, start.exitCode(), start.toString());
    rebuild(torn, Exit.GAPS);
    check(torn);
  }
}
