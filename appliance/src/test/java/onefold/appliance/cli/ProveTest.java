package onefold.appliance.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import onefold.appliance.RunningAppliance;
import onefold.appliance.RunningAppliance.Outcome;
import onefold.appliance.json.Json;
import onefold.appliance.json.JsonArray;
import onefold.appliance.json.JsonObject;
import onefold.appliance.judge.ItemProof;
import onefold.store.simulation.Simulation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Proofs about items: what holds is accepted, a changed byte anywhere is refused. */
class ProveTest {
  @TempDir private Path folder;

  private static byte[] content() {
    byte[] bytes = new byte[3_000_000];
    new SplittableRandom(17).nextBytes(bytes);
    return bytes;
  }

  private static void refused(Outcome outcome, String... saying) {
    assertEquals(Exit.FAILED, outcome.exitCode(), outcome.toString());
    for (String part : saying) {
      assertTrue(outcome.err().contains(part), outcome.toString());
    }
  }

  @Test
  void anItemIsProvedAndTheProofHoldsWithoutTheAppliance() throws IOException {
    String file = folder.resolve("x.proof").toString();
    String key;
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      assertEquals(0, onefold.runWithInput(content(), "put", "-", "default/x").exitCode());
      JsonObject item = onefold.json("ls", "default/x");
      JsonObject plain = onefold.json("judge", "prove", "default/x");
      assertEquals(0, plain.number("readBackAt"));
      assertEquals(0, plain.number("shownBytes"));
      assertEquals(item.text("root"), plain.text("root"));
      assertEquals(item.text("id"), plain.text("id"));
      assertEquals(item.number("version"), plain.number("version"));
      assertEquals(3_000_000, plain.number("lengthBytes"));
      assertTrue(plain.number("chunks") > 100, plain.write());

      JsonObject full =
          onefold.json(
              "judge", "prove", "default/x", "--challenge", "4711", "--read-back", "--out", file);
      assertTrue(full.number("readBackAt") > 0, full.write());
      assertTrue(full.number("shownBytes") > 4 * 2048, full.write());
      assertEquals("4711", full.text("challenge"));
      // What was read back once is remembered for this version only.
      assertEquals(
          full.number("readBackAt"),
          onefold.json("judge", "prove", "default/x").number("readBackAt"));
      assertEquals(0, onefold.runWithInput(new byte[9], "put", "-", "default/x2").exitCode());
      onefold.ok("cp", "default/x2", "default/x", "--replace");
      assertEquals(0, onefold.json("judge", "prove", "default/x").number("readBackAt"));

      assertEquals(0, onefold.runWithInput(new byte[0], "put", "-", "default/empty").exitCode());
      JsonObject empty =
          onefold.json("judge", "prove", "default/empty", "--challenge", "a", "--read-back");
      assertEquals(0, empty.number("lengthBytes"));
      refused(onefold.run("judge", "prove", "default/none"), "'none' does not exist");
      refused(
          onefold.run("judge", "prove", "default/x", "--challenge", "é".repeat(33)),
          "at most 64 bytes");
      assertEquals(Exit.MISUSED, onefold.run("judge", "prove").exitCode());
      key = full.text("key");
    }
    Path home = folder.resolve("nobody");
    Outcome checked =
        RunningAppliance.run(
            home, new byte[0], "judge", "prove", "--check", file, "--challenge", "4711");
    assertEquals(Exit.DONE, checked.exitCode(), checked.toString());
    assertTrue(checked.out().startsWith("PROVED default/x version "), checked.out());
    refused(
        RunningAppliance.run(
            home, new byte[0], "judge", "prove", "--check", file, "--challenge", "4712"),
        "answers the challenge '4711'");
    refused(
        RunningAppliance.run(home, new byte[0], "judge", "prove", "--check", file, "--key", "00"),
        "signed with key " + key);
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      assertEquals(key, onefold.json("judge", "prove", "default/x").text("key"));
      assertFalse(onefold.ok("config", "export").contains(key));
    }
  }

  @Test
  void aChangedByteAnywhereIsRefused() throws IOException {
    Path file = folder.resolve("x.proof");
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      assertEquals(0, onefold.runWithInput(content(), "put", "-", "default/x").exitCode());
      onefold.ok("judge", "prove", "default/x", "--challenge", "s", "--out", file.toString());
    }
    JsonObject sound = Json.parseObject(Files.readString(file));
    SplittableRandom random = new SplittableRandom(Simulation.seed());
    for (int i = 0; i < 200; i++) {
      JsonObject changed = Json.parseObject(Files.readString(file));
      String what = random.nextInt(4) == 0 ? "signature" : "statement";
      changed.put(what, flipped(sound.text(what), random));
      assertThrows(ItemProof.RefusedProofException.class, () -> ItemProof.check(changed));
    }
    List<JsonObject> leaves = sound.array("leaves").objects();
    assertEquals(4, leaves.size());
    for (int leaf = 0; leaf < leaves.size(); leaf++) {
      List<String> path = leaves.get(leaf).array("path").texts();
      for (int part = 0; part < path.size(); part++) {
        for (int i = 0; i < 20; i++) {
          List<String> bent = new ArrayList<>(path);
          bent.set(part, flipped(path.get(part), random));
          JsonObject changed = withPath(sound, leaf, bent);
          var refusal =
              assertThrows(ItemProof.RefusedProofException.class, () -> ItemProof.check(changed));
          assertTrue(String.valueOf(refusal.getMessage()).contains("fingerprint"), refusal + "");
        }
      }
      // A path cut short, one with more behind it, and another leaf's.
      List<String> longer = new ArrayList<>(path);
      longer.add(path.getLast());
      List<String> other = leaves.get((leaf + 1) % leaves.size()).array("path").texts();
      assertNotEquals(path, other);
      for (List<String> wrong : List.of(path.subList(0, path.size() - 1), longer, other)) {
        JsonObject changed = withPath(sound, leaf, wrong);
        assertThrows(ItemProof.RefusedProofException.class, () -> ItemProof.check(changed));
      }
    }
    JsonObject none = Json.parseObject(sound.write()).put("leaves", new JsonArray());
    assertThrows(ItemProof.RefusedProofException.class, () -> ItemProof.check(none));
    Files.writeString(file, sound.write().substring(1));
    refused(
        RunningAppliance.run(folder, new byte[0], "judge", "prove", "--check", file.toString()),
        "is no proof");
  }

  private static JsonObject withPath(JsonObject proof, int leaf, List<String> path) {
    JsonArray leaves = new JsonArray();
    List<JsonObject> before = proof.array("leaves").objects();
    for (int i = 0; i < before.size(); i++) {
      JsonObject same = before.get(i);
      leaves.add(
          i == leaf
              ? new JsonObject()
                  .put("position", same.number("position"))
                  .put("path", JsonArray.ofTexts(path))
              : same);
    }
    return Json.parseObject(proof.write()).put("leaves", leaves);
  }

  private static String flipped(String base64, SplittableRandom random) {
    byte[] bytes = Base64.getDecoder().decode(base64);
    bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
    return Base64.getEncoder().encodeToString(bytes);
  }

  /** What the appliance does not have any more it cannot prove. */
  @Test
  void aDamagedItemCannotBeProved() throws IOException {
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      assertEquals(0, onefold.runWithInput(content(), "put", "-", "default/x").exitCode());
    }
    List<Path> containers;
    try (Stream<Path> files = Files.walk(folder.resolve("data"))) {
      containers =
          files
              .filter(f -> f.toString().endsWith(".container"))
              .filter(f -> f.toString().contains("/data/0"))
              .filter(f -> !f.toString().contains("0".repeat(32)))
              .toList();
    }
    for (Path container : containers) {
      try (RandomAccessFile file = new RandomAccessFile(container.toFile(), "rw")) {
        byte[] zeros = new byte[(int) file.length() - 20_000];
        Arrays.fill(zeros, (byte) 0x55);
        file.seek(4096);
        file.write(zeros);
      }
    }
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      // Its nodes are there, so that it can still be said what it was.
      assertEquals(3_000_000, onefold.json("judge", "prove", "default/x").number("lengthBytes"));
      refused(onefold.run("judge", "prove", "default/x", "--challenge", "1"), "damaged");
      refused(onefold.run("judge", "prove", "default/x", "--read-back"), "damaged");
      assertEquals(0, onefold.json("judge", "prove", "default/x").number("readBackAt"));
    }
  }

  @Test
  void theSampleOfThisFormatIsAccepted() throws Exception {
    try (InputStream sample =
        ProveTest.class.getResourceAsStream("/onefold/samples/0.1.0/item-proof.json")) {
      String text =
          new String(Objects.requireNonNull(sample).readAllBytes(), StandardCharsets.UTF_8);
      ItemProof proof = ItemProof.check(Json.parseObject(text));
      assertEquals("default/sample", proof.item());
      assertEquals("4711", proof.challenge());
    }
  }
}
