package onefold.appliance.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import onefold.appliance.RunningAppliance;
import onefold.appliance.RunningAppliance.Outcome;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Disks as somebody types them: added while it runs, emptied, taken out, forgotten to mount. */
class DiskVerbTest {
  @TempDir private Path folder;
  @TempDir private Path disks;

  private static long containers(Path directory) throws IOException {
    if (!Files.exists(directory.resolve("domains"))) {
      return 0;
    }
    try (Stream<Path> files = Files.walk(directory.resolve("domains"))) {
      return files.filter(each -> String.valueOf(each.getParent()).endsWith("data")).count();
    }
  }

  @Test
  void aDiskIsAddedEmptiedAndTakenOutWhileEverythingStaysReadable() throws IOException {
    byte[] bytes = new byte[3_000_000];
    new SplittableRandom(1).nextBytes(bytes);
    Path file = Files.write(folder.resolve("file"), bytes);
    Path data = folder.resolve("data");
    Path second = Files.createDirectory(disks.resolve("second"));
    Path third = Files.createDirectory(disks.resolve("third"));
    try (RunningAppliance onefold = RunningAppliance.start(data)) {
      onefold.ok("put", file.toString(), "default/a");
      assertTrue(onefold.ok("disk", "add", second.toString()).contains("takes new data"));
      onefold.ok("disk", "drain", "main", "--watch");
      assertEquals(0, containers(data));
      assertTrue(containers(second) > 0);
      onefold.ok("disk", "add", third.toString());
      assertTrue(
          onefold.ok("disk", "drain", second.toString(), "--watch").contains("can be taken out"));
      assertFalse(onefold.ok("disk", "ls").contains(second.toString()));
      try (Stream<Path> left = Files.list(second)) {
        assertEquals(0, left.count());
      }
      Path out = folder.resolve("out");
      onefold.ok("get", "default/a", out.toString());
      assertArrayEquals(bytes, Files.readAllBytes(out));

      Outcome last = onefold.run("disk", "drain", third.toString(), "--stop");
      assertEquals(0, last.exitCode(), last.err());
      Outcome refused = onefold.run("disk", "drain", third.toString());
      assertTrue(refused.err().contains("no other disk takes data"), refused.err());
      Outcome full = onefold.run("disk", "add", folder.toString());
      assertTrue(full.err().contains("not empty"), full.err());
      Outcome role = onefold.run("disk", "add", second.toString(), "--for", "tape");
      assertTrue(role.err().contains("expected data, index or journal"), role.err());
    }
    try (RunningAppliance onefold = RunningAppliance.start(data)) {
      Path out = folder.resolve("out2");
      onefold.ok("get", "default/a", out.toString());
      assertArrayEquals(bytes, Files.readAllBytes(out));
    }
  }
}
