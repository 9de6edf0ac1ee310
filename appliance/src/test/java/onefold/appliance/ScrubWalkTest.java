package onefold.appliance;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import onefold.appliance.RunningAppliance.Outcome;
import onefold.appliance.cli.Exit;
import onefold.appliance.json.JsonObject;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Scrub, damage, parity and repair by the commands that a user types. */
class ScrubWalkTest {
  @TempDir Path folder;

  private Path file(String name, int bytes, long seed) throws IOException {
    byte[] content = new byte[bytes];
    new Random(seed).nextBytes(content);
    return Files.write(folder.resolve(name), content);
  }

  /** The sealed containers of data. */
  private List<Path> containers() throws IOException {
    try (Stream<Path> files = Files.walk(folder.resolve("data").resolve("domains"))) {
      return files
          .filter(file -> file.toString().matches(".*/data/[0-9a-f]{16}-1[.]container"))
          .sorted()
          .toList();
    }
  }

  private static void damage(Path file, long at, int length) throws IOException {
    try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
      open.seek(at);
      open.write(new byte[length]);
    }
  }

  private static JsonObject ofDefault(JsonObject state) {
    return state.array("domains").objects().getFirst();
  }

  @Test
  void damageIsListedWithItsItemsHealedByBackingUpAgainAndByParity() throws IOException {
    Path item = file("item", 3_000_000, 1);
    Path back = folder.resolve("back");
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      onefold.ok("put", item.toString(), "default/item");
    }
    Path container = containers().getFirst();
    byte[] sealed = Files.readAllBytes(container);
    damage(container, 50_000, 60_000);
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      Outcome watched = onefold.run("scrub", "--watch");
      assertEquals(Exit.FAILED, watched.exitCode(), watched.toString());
      Outcome listed = onefold.run("scrub", "--repair");
      while (!listed.out().contains("default/item")) {
        listed = onefold.run("scrub", "--damages"); // It is being mapped.
        assertEquals(Exit.FAILED, listed.exitCode(), listed.toString());
      }
      assertTrue(onefold.ok("ls", "default").contains("damaged"));
      assertTrue(onefold.ok("ls", "default/item").contains("DAMAGED"));
      Outcome unknown = onefold.run("scrub", "--first", "4711");
      assertTrue(unknown.err().contains("4711"), unknown.toString());

      onefold.ok("put", item.toString(), "default/again");
      onefold.ok("get", "default/item", back.toString());
      assertArrayEquals(Files.readAllBytes(item), Files.readAllBytes(back));
    }

    // The damaged file is put right, and gets a parity.
    Files.write(container, sealed);
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      assertTrue(onefold.ok("domain", "set", "default", "--parity", "on").contains(" on "));
      assertTrue(onefold.ok("domain", "ls").contains(" on "));
      onefold.ok("scrub", "--watch");
      assertEquals(0, onefold.json("scrub", "--damages").array("damages").objects().size());
      assertEquals(0, ofDefault(onefold.json("scrub", "--status")).number("withoutParity"));
      assertTrue(onefold.ok("ls", "default/again").contains("proven   readable 20"));

      damage(container, 30_000, 100_000);
      onefold.ok("scrub", "--watch");
      assertTrue(ofDefault(onefold.json("scrub", "--status")).number("repaired") > 0);
      assertArrayEquals(sealed, Files.readAllBytes(container));
      onefold.ok("get", "default/item", back.toString(), "--overwrite");
      assertArrayEquals(Files.readAllBytes(item), Files.readAllBytes(back));

      onefold.ok("scrub", "--pause");
      assertEquals("paused", ofDefault(onefold.json("scrub", "--status")).text("phase"));
      onefold.ok("scrub", "--resume");
      Outcome wrong = onefold.run("domain", "set", "default", "--parity", "maybe");
      assertEquals(Exit.MISUSED, wrong.exitCode(), wrong.toString());
    }
  }
}
