package onefold.appliance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import onefold.appliance.RunningAppliance.Outcome;
import onefold.appliance.cli.Exit;
import onefold.appliance.json.JsonObject;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class TreeVerbsTest {
  @TempDir Path folder;

  @Test
  void aTreeGoesInAndComesBackWholeOrInParts() throws IOException {
    Path tree = folder.resolve("tree");
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      onefold.ok(
          "sample", tree.toString(), "--kind", "files", "--size", "2MB", "--generations", "2");
      Path first = tree.resolve("generation-01");
      Path second = tree.resolve("generation-02");
      Files.createDirectories(second.resolve("sub"));
      Files.writeString(second.resolve("sub/skipped.tmp"), "not this one");
      Files.writeString(second.resolve("sub/kept"), "this one");

      JsonObject monday = onefold.json("backup", first.toString(), "default/monday");
      JsonObject again = onefold.json("backup", first.toString(), "default/again");
      JsonObject tuesday =
          onefold.json("backup", second.toString(), "default/tuesday", "--exclude", "*.tmp");
      assertEquals(0, monday.number("gapCount"));
      assertEquals(0, again.number("newBytes"), "the same tree is stored once");
      assertTrue(tuesday.number("newBytes") < monday.number("newBytes") / 2, tuesday::toString);

      String listed = onefold.ok("ls", "default/tuesday", "sub");
      assertTrue(listed.contains("kept"), listed);
      assertFalse(listed.contains("skipped"), listed);
      assertEquals(Exit.FAILED, onefold.run("ls", "default/tuesday", "nowhere").exitCode());
      assertEquals(
          Exit.FAILED, onefold.run("backup", first.toString(), "default/monday").exitCode());

      Path back = folder.resolve("back");
      onefold.ok("restore", "default/monday", back.toString());
      assertEquals(contents(first), contents(back));
      Path part = folder.resolve("part");
      onefold.ok("restore", "default/tuesday", part.toString(), "--only", "sub/kept");
      assertEquals(List.of("sub/kept=this one"), contents(part));
      assertEquals(
          Exit.FAILED,
          onefold.run("restore", "default/tuesday", part.toString(), "--only", "sub").exitCode());
      onefold.ok("restore", "default/tuesday", part.toString(), "--only", "sub", "--overwrite");
    }
    Path offline = folder.resolve("offline");
    Outcome restored =
        RunningAppliance.run(
            folder,
            new byte[0],
            "restore",
            "default/monday",
            offline.toString(),
            "--data",
            folder.resolve("data").toString());
    assertEquals(Exit.DONE, restored.exitCode(), restored.toString());
    assertEquals(contents(tree.resolve("generation-01")), contents(offline));
  }

  @Test
  void analyzeSaysWhatTheStoreThenHas() throws IOException {
    Path tree = folder.resolve("tree");
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      onefold.ok(
          "sample", tree.toString(), "--kind", "database", "--size", "16MB", "--generations", "2");
      JsonObject analysis =
          onefold.json(
              "analyze",
              tree.resolve("generation-01").toString(),
              tree.resolve("generation-02").toString());
      JsonObject figures =
          analysis.array("generations").objects().getLast().array("cumulative").objects().stream()
              .filter(size -> size.number("meanBytes") == 8192)
              .findFirst()
              .orElseThrow();
      long newBytes = 0;
      for (int generation = 1; generation <= 2; generation++) {
        newBytes +=
            onefold
                .json(
                    "backup",
                    tree.resolve("generation-0" + generation).toString(),
                    "default/" + generation)
                .number("newBytes");
      }
      double said = figures.number("uniqueBytes");
      assertEquals(1, said / newBytes, 0.05, () -> figures + " against the store");
    }
  }

  private static List<String> contents(Path top) throws IOException {
    try (Stream<Path> files = Files.walk(top)) {
      return files
          .filter(Files::isRegularFile)
          .map(file -> {
            try {
              return top.relativize(file) + "=" + Files.readString(file);
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          })
          .sorted()
          .toList();
    }
  }
}
