package onefold.appliance;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import onefold.appliance.RunningAppliance.Outcome;
import onefold.appliance.cli.Exit;
import onefold.appliance.json.Json;
import onefold.appliance.json.JsonObject;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged items come out of a data directory as far as they go. */
final class OfflineDamageTest {
  private static final Pattern HOLE =
      Pattern.compile("hole of (\\d+) bytes from byte (\\d+): .*expected .*");

  @TempDir Path folder;
  private Path data = Path.of("");
  private final byte[] content = new byte[3_000_000];

  @BeforeEach
  void anItemAndATreeOfWhichABlockIsDamaged() throws IOException {
    new SplittableRandom(11).nextBytes(content);
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Files.write(tree.resolve("content"), content);
    Files.writeString(tree.resolve("small"), "small");
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      data = onefold.data();
      onefold.ok("put", tree.resolve("content").toString(), "default/item");
      onefold.ok("backup", tree.toString(), "default/tree");
    }
    List<Path> containers;
    try (Stream<Path> files = Files.walk(data.resolve("domains"))) {
      containers =
          files
              .filter(f -> f.toString().contains("/data/") && Files.isRegularFile(f))
              .sorted(Comparator.comparingLong(OfflineDamageTest::sizeOf).reversed())
              .toList();
    }
    for (Path container : containers.subList(0, 2)) {
      byte[] bytes = Files.readAllBytes(container);
      bytes[bytes.length / 2] ^= 1;
      Files.write(container, bytes);
    }
  }

  private static long sizeOf(Path file) {
    try {
      return Files.size(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Outcome verb(String... arguments) {
    String[] all = Arrays.copyOf(arguments, arguments.length + 2);
    all[arguments.length] = "--data";
    all[arguments.length + 1] = data.toString();
    return RunningAppliance.run(folder.resolve("nobody"), new byte[0], all);
  }

  /** Checks that bytes are the content but for the holes, which are zeros, and returns these. */
  private int compare(byte[] found, List<long[]> holes) {
    byte[] expected = content.clone();
    for (long[] hole : holes) {
      Arrays.fill(expected, (int) hole[0], (int) (hole[0] + hole[1]), (byte) 0);
    }
    assertArrayEquals(expected, found);
    assertTrue(holes.size() >= 1, "no hole");
    long lost = holes.stream().mapToLong(hole -> hole[1]).sum();
    assertTrue(lost > 0 && lost < 1_000_000, lost + " bytes are lost with two blocks");
    return holes.size();
  }

  private static List<long[]> holes(String told) {
    return told.lines()
        .map(HOLE::matcher)
        .filter(Matcher::find)
        .map(hole -> new long[] {Long.parseLong(hole.group(2)), Long.parseLong(hole.group(1))})
        .toList();
  }

  @Test
  void anItemComesOutWithHolesThatAreNamed() throws IOException {
    Path back = folder.resolve("back");
    Outcome outcome = verb("get", "default/item", back.toString());
    assertEquals(Exit.GAPS, outcome.exitCode(), outcome.toString());
    int count = compare(Files.readAllBytes(back), holes(outcome.err()));
    assertTrue(outcome.out().contains("verified but for " + count + " holes"), outcome.out());

    Outcome piped = verb("get", "default/item", "-");
    assertEquals(Exit.GAPS, piped.exitCode());
    assertEquals(count, holes(piped.err()).size());

    Outcome json = verb("get", "default/item", back + "-2", "--json");
    assertEquals(Exit.GAPS, json.exitCode());
    List<JsonObject> named = Json.parseObject(json.out()).array("holes").objects();
    compare(
        Files.readAllBytes(Path.of(back + "-2")),
        named.stream()
            .map(hole -> new long[] {hole.number("offset"), hole.number("length")})
            .toList());
  }

  @Test
  void aTreeComesOutWithHolesInItsFiles() throws IOException {
    Path back = folder.resolve("back");
    Outcome outcome = verb("restore", "default/tree", back.toString());
    assertEquals(Exit.GAPS, outcome.exitCode(), outcome.toString());
    assertTrue(outcome.err().contains("gap: content: hole of "), outcome.err());
    compare(Files.readAllBytes(back.resolve("content")), holes(outcome.err()));
    assertEquals("small", Files.readString(back.resolve("small")));
    assertEquals(
        Files.getLastModifiedTime(folder.resolve("tree/content")),
        Files.getLastModifiedTime(back.resolve("content")));
  }

  @Test
  void anItemOfWhichNothingIsLeftIsDamagedAndNotAbsent() throws IOException {
    try (Stream<Path> files = Files.walk(data.resolve("domains"))) {
      for (Path each : files.filter(f -> f.toString().contains("/node/")).toList()) {
        if (Files.isRegularFile(each) && !each.toString().contains("/" + "0".repeat(32) + "/")) {
          Files.delete(each);
        }
      }
    }
    Outcome outcome = verb("get", "default/item", folder.resolve("back").toString());
    assertEquals(Exit.FAILED, outcome.exitCode(), outcome.toString());
    assertTrue(outcome.err().contains("item default/item is damaged"), outcome.err());
    assertTrue(Files.notExists(folder.resolve("back")));
  }
}
