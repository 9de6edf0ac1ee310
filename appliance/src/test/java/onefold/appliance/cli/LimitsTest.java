package onefold.appliance.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import onefold.appliance.RunningAppliance;
import onefold.appliance.RunningAppliance.Outcome;
import onefold.appliance.context.Contexts;
import onefold.appliance.tree.TreeWriter;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The greatest that is taken, and one more, which is refused with its value. */
class LimitsTest {
  @TempDir private static Path folder;

  @SuppressWarnings("NullAway.Init")
  private static RunningAppliance onefold;

  @BeforeAll
  static void start() throws IOException {
    onefold = RunningAppliance.start(folder);
  }

  @AfterAll
  static void stop() throws IOException {
    onefold.close();
  }

  private static void refused(Outcome outcome, String... saying) {
    assertTrue(
        outcome.exitCode() == Exit.FAILED || outcome.exitCode() == Exit.MISUSED,
        outcome.toString());
    for (String part : saying) {
      assertTrue(outcome.err().contains(part), outcome.toString());
    }
  }

  @Test
  void namesOfStoresAndItems() {
    onefold.ok("store", "create", "s".repeat(128));
    refused(onefold.run("store", "create", "s".repeat(129)), "129 characters, at most 128");
    onefold.ok("domain", "create", "d".repeat(128));
    refused(onefold.run("domain", "create", "d".repeat(129)), "129 characters, at most 128");
    byte[] bytes = {1};
    String longest = "é".repeat(512);
    assertEquals(0, onefold.runWithInput(bytes, "put", "-", "default/" + longest).exitCode());
    onefold.ok("ls", "default/" + longest);
    refused(
        onefold.runWithInput(bytes, "put", "-", "default/" + longest + "x"),
        "is longer than 1024 bytes");
  }

  @Test
  void passwords() {
    byte[] longest = "p".repeat(1024).getBytes(StandardCharsets.UTF_8);
    byte[] longer = "p".repeat(1025).getBytes(StandardCharsets.UTF_8);
    assertEquals(0, onefold.runWithInput(longest, "user", "create", "long").exitCode());
    refused(onefold.runWithInput(longer, "user", "create", "longer"), "this one has 1025");
  }

  private static Outcome putTagged(String item, int count, String key, String value) {
    List<String> all = new ArrayList<>(List.of("put", "-", item));
    for (int i = 0; i < count; i++) {
      all.addAll(List.of("--tag", key + i + "=" + value));
    }
    return onefold.runWithInput(new byte[1], all.toArray(String[]::new));
  }

  @Test
  void tags() {
    assertEquals(0, putTagged("default/tags-64", 64, "k", "v").exitCode());
    refused(putTagged("default/tags-65", 65, "k", "v"), "64");
    assertEquals(
        0, putTagged("default/tags-long", 1, "k".repeat(127), "v".repeat(1024)).exitCode());
    refused(putTagged("default/tags-longer", 1, "k".repeat(128), "v"), "128");
    refused(putTagged("default/tags-longer", 1, "k", "v".repeat(1025)), "1024");
    refused(putTagged("default/tags-much", 5, "k", "v".repeat(1000)), "4096");
  }

  @Test
  void pagesOfAListing() throws IOException, Failure {
    for (String query : List.of("limit=0", "limit=10001", "limit=many")) {
      try (RestClient rest =
          RestClient.open(
              new Contexts(folder, Optional.empty(), Optional.empty(), Contexts::connects)
                  .find(Optional.of(onefold.appliance().contextFile())))) {
        RestException refused =
            assertThrows(RestException.class, () -> rest.get("/stores/default/items?" + query));
        assertTrue(String.valueOf(refused.getMessage()).contains("from 1 to 10000"), query);
      }
    }
  }

  @Test
  void depthOfATree() throws IOException {
    Path deepest = Files.createDirectory(folder.resolve("deep"));
    for (int i = 0; i < TreeWriter.MAX_DEPTH + 2; i++) {
      deepest = Files.createDirectory(deepest.resolve("d"));
    }
    Files.writeString(folder.resolve("deep/file"), "beside it");
    Outcome backup = onefold.run("backup", folder.resolve("deep").toString(), "default/deep");
    assertEquals(Exit.GAPS, backup.exitCode(), backup.toString());
    assertTrue(backup.err().contains("d/d/d/"), backup.err());
    Path restored = folder.resolve("restored");
    onefold.ok("restore", "default/deep", restored.toString());
  }
}
