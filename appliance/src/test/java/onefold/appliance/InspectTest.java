package onefold.appliance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import onefold.appliance.RunningAppliance.Outcome;
import onefold.appliance.cli.Exit;
import onefold.appliance.json.Json;
import onefold.appliance.json.JsonObject;
import onefold.chunker.Fingerprint;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The looks inside a data directory. */
final class InspectTest {
  private static final int LENGTH = 3_000_000;

  @TempDir Path folder;
  private Path data = Path.of("");

  @BeforeEach
  void twoItemsThatShareNothing() throws IOException {
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      for (int i = 1; i <= 2; i++) {
        byte[] bytes = new byte[LENGTH];
        new SplittableRandom(i).nextBytes(bytes);
        Path file = Files.write(folder.resolve("item-" + i), bytes);
        onefold.ok("put", file.toString(), "default/item-" + i);
      }
      data = onefold.data();
    }
  }

  private Outcome inspect(String... arguments) {
    List<String> all = new ArrayList<>(List.of("inspect"));
    all.addAll(List.of(arguments));
    all.addAll(List.of("--data", data.toString()));
    return RunningAppliance.run(folder.resolve("nobody"), new byte[0], all.toArray(String[]::new));
  }

  private JsonObject json(int exitCode, String... arguments) {
    List<String> all = new ArrayList<>(List.of(arguments));
    all.add("--json");
    Outcome outcome = inspect(all.toArray(String[]::new));
    assertEquals(exitCode, outcome.exitCode(), outcome.toString());
    return Json.parseObject(outcome.out());
  }

  private void refused(String told, int exitCode, String... arguments) {
    Outcome outcome = inspect(arguments);
    assertEquals(exitCode, outcome.exitCode(), outcome.toString());
    assertTrue(outcome.err().contains(told), outcome.err());
    assertFalse(outcome.err().contains("internal error"), outcome.err());
  }

  @Test
  void containersAndItemsAddUp() {
    long plain = 0;
    long chunks = 0;
    for (JsonObject container : json(0, "containers").array("containers").objects()) {
      assertTrue(Files.exists(data.resolve(container.text("file"))), container.write());
      if (container.text("domain").equals("default") && container.text("kind").equals("data")) {
        plain += container.number("plainBytes");
        chunks += container.number("chunks");
      }
    }
    assertEquals(2L * LENGTH, plain);
    long ofItems = 0;
    for (int i = 1; i <= 2; i++) {
      JsonObject item = json(0, "item", "default/item-" + i);
      assertEquals(LENGTH, item.number("lengthBytes"));
      assertEquals(0, item.number("holes"));
      assertEquals(item.number("pieces"), item.number("chunks"));
      assertEquals(0, item.array("damages").objects().size());
      long there = 0;
      for (JsonObject container : item.array("containers").objects()) {
        there += container.text("kind").equals("data") ? container.number("chunks") : 0;
      }
      assertEquals(item.number("chunks"), there);
      ofItems += there;
    }
    assertEquals(chunks, ofItems);
    assertTrue(inspect("containers").out().startsWith("DOMAIN "));
    assertTrue(inspect("item", "default/item-1").out().startsWith("item     default/item-1, "));
  }

  @Test
  void anIndexIsHeldAgainstItsContainers() throws IOException {
    for (JsonObject index : json(0, "index").array("indexes").objects()) {
      assertFalse(index.bool("damaged", true), index.write());
      // The last commit's own container is read from its directory at the next start.
      assertTrue(index.number("covered") <= index.number("containers"), index.write());
      assertTrue(index.text("domain").equals("(catalog)") || index.number("found") > 0);
      assertTrue(index.number("found") <= index.number("chunks"), index.write());
    }
    assertTrue(inspect("index").out().startsWith("DOMAIN "));
    List<Path> runs;
    try (Stream<Path> files = Files.walk(data.resolve("domains"))) {
      runs = files.filter(f -> f.toString().contains("/index/") && Files.isRegularFile(f)).toList();
    }
    for (Path run : runs) {
      byte[] bytes = Files.readAllBytes(run);
      bytes[bytes.length / 2] ^= 1;
      Files.write(run, bytes);
    }
    boolean damaged = false;
    for (JsonObject index : json(Exit.FAILED, "index").array("indexes").objects()) {
      damaged |= index.bool("damaged", false);
    }
    assertTrue(damaged);
  }

  @Test
  void aChunkIsFoundWhereItLives() {
    String root = json(0, "item", "default/item-1").text("root");
    JsonObject place = json(0, "chunk", root).array("places").objects().getFirst();
    assertEquals("node", place.text("kind"));
    assertTrue(place.bool("whole", false), place.write());
    assertTrue(inspect("chunk", root).out().contains(" whole"));
    refused("no container holds chunk", Exit.FAILED, "chunk", "0".repeat(64));
    refused("'12ab' is no fingerprint", Exit.MISUSED, "chunk", "12ab");
  }

  @Test
  void aDamagedContainerNamesTheItemsThatItAffects() throws IOException {
    JsonObject holder = new JsonObject();
    for (JsonObject container : json(0, "containers").array("containers").objects()) {
      if (container.text("domain").equals("default") && container.text("kind").equals("data")) {
        JsonObject file = json(0, "file", container.text("file"));
        assertTrue(file.bool("sound", false), file.write());
        if (file.array("needed").texts().equals(List.of("default/item-1"))) {
          holder = container;
        }
      }
    }
    Path file = data.resolve(holder.text("file"));
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length / 2] ^= 1;
    Files.write(file, bytes);
    JsonObject damaged = json(Exit.FAILED, "file", file.toString());
    assertFalse(damaged.bool("sound", true), damaged.write());
    assertEquals(List.of("default/item-1"), damaged.array("affected").texts());
    assertTrue(damaged.number("lostChunks") > 0, damaged.write());
    assertEquals(Exit.DONE, inspect("item", "default/item-2").exitCode());
    // A container that is gone leaves chunks that are nowhere.
    Files.delete(file);
    JsonObject item = json(Exit.FAILED, "item", "default/item-1");
    String missing = item.array("damages").objects().getFirst().text("what");
    assertTrue(missing.endsWith("it is in no container"), missing);
    assertEquals(2 * Fingerprint.BYTES, missing.split("[ :]", -1)[1].length(), missing);
  }

  @Test
  void otherFilesAreToldForWhatTheyAre() {
    assertTrue(json(0, "file", "superblock.0").text("is").startsWith("a superblock"));
    assertTrue(json(0, "file", "lock").text("is").startsWith("the lock"));
    assertTrue(json(0, "file", "keys/tls.key").text("is").contains("key"));
  }

  @Test
  void badInputIsNamed() throws IOException {
    refused("'item-1' is no STORE/ITEM", Exit.MISUSED, "item", "item-1");
    refused("item default/none does not exist", Exit.FAILED, "item", "default/none");
    refused("store 'none' does not exist", Exit.FAILED, "item", "none/item-1");
    refused("none.container does not exist", Exit.MISUSED, "file", "none.container");
    refused("domains is a directory", Exit.MISUSED, "file", "domains");
    Path outside = Files.createFile(folder.resolve("outside"));
    refused("is not in the data directory", Exit.MISUSED, "file", outside.toString());
    data = Files.createDirectory(folder.resolve("empty"));
    refused("is no data directory", Exit.MISUSED, "containers");
    data = folder.resolve("nowhere");
    refused("is no directory", Exit.MISUSED, "file", "lock");
  }
}
