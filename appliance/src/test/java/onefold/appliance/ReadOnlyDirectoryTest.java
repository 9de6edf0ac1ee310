package onefold.appliance;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import onefold.appliance.RunningAppliance.Outcome;
import onefold.appliance.cli.Exit;
import onefold.testing.RealClients;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The verbs that read a data directory leave it as it is, to the last byte and name. */
final class ReadOnlyDirectoryTest {
  @TempDir Path folder;
  private Path data;
  private Path torn;
  private final byte[] late = new byte[300_000];

  @BeforeEach
  void twoDirectories() throws IOException {
    Path tree = folder.resolve("tree");
    data = folder.resolve("data");
    torn = folder.resolve("torn");
    new SplittableRandom(7).nextBytes(late);
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      onefold.ok("sample", tree.toString(), "--kind", "files", "--size", "2MB");
      onefold.ok("backup", tree.toString(), "default/tree");
      onefold.ok("put", Files.write(folder.resolve("late"), late).toString(), "default/late");
      onefold.ok("put", folder.resolve("late").toString(), "default/gone");
      onefold.ok("rm", "default/gone", "--yes");
      onefold.ok("housekeeping");
      copyAsItLies(onefold.data(), torn);
    }
  }

  /**
   * Copies a directory as a machine leaves it that loses its power: at a moment at which nothing
   * changed in it, so housekeeping of what was deleted is waited for.
   */
  private static void copyAsItLies(Path from, Path to) throws IOException {
    for (int tried = 0; ; tried++) {
      try {
        Map<String, String> before = state(from);
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
        if (before.equals(state(from)) && state(to).keySet().equals(before.keySet())) {
          return;
        }
      } catch (NoSuchFileException e) {
        assertTrue(tried < 1000, "it never comes to rest: " + e.getMessage());
      }
      assertTrue(tried < 1000, "it never comes to rest");
      if (Files.exists(to)) {
        try (Stream<Path> files = Files.walk(to)) {
          for (Path each : files.sorted(Comparator.reverseOrder()).toList()) {
            Files.delete(each);
          }
        }
      }
    }
  }

  /** Every name with its time and what it holds. */
  private static Map<String, String> state(Path directory) throws IOException {
    Map<String, String> state = new TreeMap<>();
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path each : files.toList()) {
        String held = "directory";
        if (Files.isRegularFile(each, LinkOption.NOFOLLOW_LINKS)) {
          byte[] bytes = Files.readAllBytes(each);
          CRC32C crc = new CRC32C();
          crc.update(bytes);
          held = bytes.length + " " + HexFormat.of().toHexDigits((int) crc.getValue());
        }
        state.put(
            directory.relativize(each).toString(),
            held + " " + Files.getLastModifiedTime(each).toInstant());
      }
    }
    return state;
  }

  private Outcome verb(Path directory, String... arguments) {
    String[] all = Arrays.copyOf(arguments, arguments.length + 2);
    all[arguments.length] = "--data";
    all[arguments.length + 1] = directory.toString();
    return RunningAppliance.run(folder.resolve("nobody"), new byte[0], all);
  }

  private String ok(Path directory, String... arguments) {
    Outcome outcome = verb(directory, arguments);
    assertEquals(Exit.DONE, outcome.exitCode(), outcome.toString());
    return outcome.out();
  }

  @Test
  void readingChangesNothing() throws IOException {
    for (Path directory : List.of(data, torn)) {
      Map<String, String> before = state(directory);
      Path back = folder.resolve("back-" + directory.getFileName());
      String listed = ok(directory, "ls", "default");
      assertTrue(listed.contains("late") && listed.contains("tree"), listed);
      assertFalse(listed.contains("gone"), listed);
      assertTrue(ok(directory, "verify").contains("2 items read, 0 damaged"));
      ok(directory, "get", "default/late", back.toString());
      assertArrayEquals(late, Files.readAllBytes(back));
      assertTrue(
          ok(directory, "restore", "default/tree", back + "-tree").contains("every byte verified"));
      assertEquals(before, state(directory), directory.toString());
    }
  }

  @Test
  void aMountThatIsReallyReadOnlyIsEnough() throws Exception {
    RealClients.require("unshare", "util-linux");
    String script =
        "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\""
            + " && ! touch \"$0/written\" 2>/dev/null && exec \"$@\"";
    List<String> wrapper = List.of("unshare", "-rm", "sh", "-c", script, torn.toString());
    List<String> probed = new ArrayList<>(wrapper);
    probed.add("true");
    Process probe = new ProcessBuilder(probed).redirectErrorStream(true).start();
    String said = new String(probe.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    boolean mounts = probe.waitFor() == 0;
    assertTrue(mounts || !RealClients.gateIsFull(), said);
    Assumptions.assumeTrue(mounts, said);

    Path back = folder.resolve("back");
    for (String[] arguments :
        new String[][] {
          {"verify"}, {"get", "default/late", back.toString()}, {"inspect", "containers"}
        }) {
      String[] all = Arrays.copyOf(arguments, arguments.length + 2);
      all[arguments.length] = "--data";
      all[arguments.length + 1] = torn.toString();
      Outcome outcome = ServerProcess.run(wrapper, List.of(), folder, new byte[0], all);
      assertEquals(Exit.DONE, outcome.exitCode(), outcome.toString());
    }
    assertArrayEquals(late, Files.readAllBytes(back));
  }

  @Test
  void whatIsNoDataDirectoryIsNotMadeOne() throws IOException {
    Path empty = Files.createDirectory(folder.resolve("empty"));
    Outcome refused = verb(empty, "verify");
    assertEquals(Exit.MISUSED, refused.exitCode(), refused.toString());
    assertTrue(refused.err().contains(empty + " is no data directory"), refused.err());
    try (Stream<Path> left = Files.list(empty)) {
      assertEquals(0, left.count());
    }
    for (String[] writing :
        new String[][] {{"user", "reset-password", "admin"}, {"scrub"}, {"certificate", "renew"}}) {
      assertEquals(Exit.MISUSED, verb(empty, writing).exitCode(), writing[0]);
    }
  }

  @Test
  void theIndexMayBeMissing() throws IOException {
    try (Stream<Path> files = Files.walk(torn.resolve("domains"))) {
      for (Path each : files.filter(f -> f.toString().contains("/index/")).toList()) {
        if (Files.isRegularFile(each)) {
          Files.delete(each);
        }
      }
    }
    Map<String, String> before = state(torn);
    assertTrue(ok(torn, "verify").contains("2 items read, 0 damaged"));
    assertEquals(before, state(torn));
  }
}
