package onefold.appliance;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import onefold.appliance.RunningAppliance.Outcome;
import onefold.appliance.cli.Exit;
import onefold.appliance.context.Context;
import onefold.appliance.json.Json;
import onefold.appliance.json.JsonObject;
import onefold.catalyst.client.CatalystClient;
import onefold.catalyst.client.ClientSettings;
import onefold.catalyst.client.ItemReader;
import onefold.catalyst.client.ServerTrust;
import onefold.testing.RealClients;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Disks, directories and files that are not as they should be, and items that come and go. */
class BadPlacesTest {
  private static final String NO_ID = "0".repeat(32);

  @TempDir private Path folder;

  private static byte[] random(int length, long seed) {
    byte[] bytes = new byte[length];
    new SplittableRandom(seed).nextBytes(bytes);
    return bytes;
  }

  private static void refused(int exitCode, Outcome outcome, String... saying) {
    assertEquals(exitCode, outcome.exitCode(), outcome.toString());
    for (String part : saying) {
      assertTrue(outcome.err().contains(part), "'" + part + "' is not in " + outcome);
    }
    assertFalse(outcome.err().contains("\tat "), outcome.toString());
  }

  private Outcome offline(String... arguments) {
    return RunningAppliance.run(folder.resolve("home"), new byte[0], arguments);
  }

  // ---- directories and file systems

  @Test
  void aDirectoryOfANewerFormatIsRefusedByEveryDoor() throws IOException {
    Path data = folder.resolve("data");
    RunningAppliance.start(folder).close();
    for (String name : List.of("superblock.0", "superblock.1")) {
      Path file = data.resolve(name);
      if (Files.exists(file)) {
        byte[] bytes = Files.readAllBytes(file);
        bytes[8] = 2; // The version; with its checksum right, so that it is no damage.
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, bytes.length - 4);
        ByteBuffer.wrap(bytes)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putInt(bytes.length - 4, (int) crc.getValue());
        Files.write(file, bytes);
      }
    }
    for (String[] verb :
        new String[][] {
          {"serve", "--ports", "auto"},
          {"ls"},
          {"verify"},
          {"get", "default/x", folder.resolve("x").toString()}
        }) {
      List<String> all = new ArrayList<>(List.of(verb));
      all.addAll(List.of("--data", data.toString()));
      refused(Exit.FAILED, offline(all.toArray(String[]::new)), "superblock", "newer release");
    }
    refused(Exit.MISUSED, offline("scrub", "--data", data.toString()), "newer release");
  }

  /** Makes system calls of a server fail, as they do on a file system that lacks them. */
  private ServerProcess failing(String calls, String error, Path data, String... more)
      throws IOException {
    RealClients.require("strace", "strace");
    List<String> strace = new ArrayList<>(List.of("strace", "-f", "-qq"));
    strace.addAll(List.of("-o", folder.resolve("strace").toString(), "-e", "trace=" + calls));
    strace.addAll(List.of("-e", "inject=" + calls + ":error=" + error));
    strace.addAll(List.of(more));
    return ServerProcess.start(strace, List.of(), folder, "--data", data.toString());
  }

  @Test
  void aFileSystemWithoutWorkingFsyncIsRefusedBeforeAnythingIsMade()
      throws IOException, InterruptedException {
    Path made = Files.createDirectory(folder.resolve("mounted-here"));
    for (Path data : List.of(folder.resolve("new"), made)) {
      try (ServerProcess server = failing("fsync,fdatasync", "EINVAL", data)) {
        assertFalse(server.isServing(), server.output());
        assertEquals(Exit.FAILED, server.exitCode(), server.output());
        for (String part :
            List.of(data.toString(), "file system cannot be used", "fsync", "another one")) {
          assertTrue(server.output().contains(part), server.output());
        }
        try (Stream<Path> left = Files.list(data)) {
          assertEquals(List.of(), left.toList());
        }
      }
    }
  }

  @Test
  void aDiskThatFailsItsFsyncLaterEndsTheProcessAndSaysWhy()
      throws IOException, InterruptedException {
    RunningAppliance.start(folder).close();
    try (ServerProcess server = failing("fsync,fdatasync", "EIO", folder.resolve("data"))) {
      assertEquals(Exit.FAILED, server.exitCode(), server.output());
      for (String part : List.of("force of ", folder.toString(), "Input/output error", "kernel")) {
        assertTrue(server.output().contains(part), server.output());
      }
    }
    // Nothing is lost by it.
    RunningAppliance.start(folder).close();
  }

  @Test
  void aFileSystemWithoutLocksIsRefused() throws IOException, InterruptedException {
    Path data = folder.toRealPath().resolve("data");
    String lock = data.resolve("lock").toString();
    try (ServerProcess server = failing("fcntl", "ENOLCK", data, "-P", lock)) {
      assertFalse(server.isServing(), server.output());
      assertEquals(Exit.FAILED, server.exitCode(), server.output());
      for (String part : List.of(data.toString(), "cannot be locked", "use another one")) {
        assertTrue(server.output().contains(part), server.output());
      }
    }
  }

  // ---- a full disk

  @Test
  void aDiskThatFillsUpRefusesUploadsAndGoesOnOtherwise() throws Exception {
    RealClients.require("unshare", "util-linux");
    Path mount = Files.createDirectory(folder.resolve("mount"));
    String script = "mount -t tmpfs -o size=340m none \"$0\" && exec \"$@\"";
    Process probe =
        new ProcessBuilder("unshare", "-rm", "sh", "-c", script, mount.toString(), "true")
            .redirectErrorStream(true)
            .start();
    String said = new String(probe.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    boolean mounts = probe.waitFor() == 0;
    assertTrue(mounts || !RealClients.gateIsFull(), said);
    Assumptions.assumeTrue(mounts, said);

    Path config = Files.writeString(folder.resolve("c.yaml"), "store:\n  container: 4MiB\n");
    Map<String, byte[]> stored = new LinkedHashMap<>();
    try (ServerProcess server =
        ServerProcess.start(
            List.of("unshare", "-rm", "sh", "-c", script, mount.toString()),
            List.of(),
            folder,
            "--config",
            config.toString(),
            "--data",
            mount.resolve("data").toString())) {
      assertTrue(server.isServing(), server.output());
      String context = folder.resolve(".onefold/context.json").toString();
      Outcome last = new Outcome(0, "", "");
      for (int i = 0; i < 12 && last.exitCode() == 0; i++) {
        byte[] bytes = random(16_000_000, i);
        last = put(context, bytes, "default/item-" + i, i % 2 == 0 ? "low" : "high");
        if (last.exitCode() == 0) {
          stored.put("default/item-" + i, bytes);
        }
      }
      String[] why = {"bytes left", "kept for deletes and housekeeping", "delete items"};
      refused(Exit.FAILED, last, why);
      assertFalse(stored.isEmpty());
      for (String bandwidth : List.of("low", "high")) {
        Outcome again = put(context, random(16_000_000, 99), "default/more", bandwidth);
        refused(Exit.FAILED, again, why);
      }
      // What was acknowledged is read, deleted, and its space comes back.
      Path back = folder.resolve("back");
      for (Map.Entry<String, byte[]> item : stored.entrySet()) {
        ok("get", item.getKey(), back.toString(), "--overwrite", "--context", context);
        assertArrayEquals(item.getValue(), Files.readAllBytes(back));
      }
      for (String item : stored.keySet()) {
        ok("rm", item, "--yes", "--context", context);
      }
      ok("housekeeping", "--context", context);
      Outcome room = put(context, random(16_000_000, 99), "default/more", "low");
      assertEquals(Exit.DONE, room.exitCode(), room.toString());
    }
  }

  private Outcome put(String context, byte[] bytes, String item, String bandwidth) {
    return RunningAppliance.run(
        folder, bytes, "put", "-", item, "--bandwidth", bandwidth, "--context", context);
  }

  private void ok(String... arguments) {
    Outcome outcome = RunningAppliance.run(folder, new byte[0], arguments);
    assertEquals(Exit.DONE, outcome.exitCode(), outcome.toString());
  }

  // ---- damaged containers

  private List<Path> containers() throws IOException {
    try (Stream<Path> files = Files.walk(folder.resolve("data"))) {
      return files
          .filter(Files::isRegularFile)
          .filter(f -> f.toString().endsWith(".container") && !f.toString().contains(NO_ID))
          .filter(f -> f.toString().contains("/data/0"))
          .sorted(Comparator.naturalOrder())
          .toList();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"bit", "end"})
  void aDamagedContainerNamesItsItemsAndTheRestIsServed(String damage) throws IOException {
    Map<String, byte[]> items = new LinkedHashMap<>();
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      for (int i = 0; i < 6; i++) {
        byte[] bytes = random(300_000, i);
        items.put("default/item-" + i, bytes);
        Outcome put = onefold.runWithInput(bytes, "put", "-", "default/item-" + i);
        assertEquals(0, put.exitCode(), put.toString());
      }
    }
    Path container = containers().getFirst();
    try (RandomAccessFile file = new RandomAccessFile(container.toFile(), "rw")) {
      if (damage.equals("bit")) {
        file.seek(20_000);
        int before = file.read();
        file.seek(20_000);
        file.write(before ^ 4);
      } else {
        file.setLength(file.length() / 3);
      }
    }
    int damaged = 0;
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      Outcome verified = onefold.run("verify");
      assertEquals(Exit.FAILED, verified.exitCode(), verified.toString());
      Path back = folder.resolve("back");
      for (Map.Entry<String, byte[]> item : items.entrySet()) {
        String name = item.getKey();
        Outcome got = onefold.run("get", name, back.toString(), "--overwrite");
        if (verified.out().contains("DAMAGED " + name + " ")) {
          damaged++;
          refused(Exit.FAILED, got, name, "is damaged", "./onefold verify", "back it up again");
          assertFalse(got.err().contains("does not exist"), got.err());
        } else {
          assertTrue(verified.out().contains("OK " + name + " "), verified.out());
          assertEquals(Exit.DONE, got.exitCode(), got.toString());
          assertArrayEquals(item.getValue(), Files.readAllBytes(back), name);
        }
      }
      assertTrue(damaged > 0 && damaged < items.size(), verified.out());
      JsonObject error =
          Json.parseObject(onefold.run("get", "default/item-0", back + "2", "--json").out())
              .object("error");
      assertEquals("CORRUPT_DATA", error.text("code"));
      assertTrue(onefold.json("ls", "default").array("items").objects().size() == items.size());
    }
    Outcome scrubbed = offline("scrub", "--data", folder.resolve("data").toString());
    assertEquals(Exit.FAILED, scrubbed.exitCode(), scrubbed.toString());
    assertTrue(scrubbed.out().startsWith("DAMAGED "), scrubbed.out());
    Outcome gotOffline =
        offline(
            "get", "default/item-0", folder + "/z", "--data", folder.resolve("data").toString());
    assertEquals(Exit.GAPS, gotOffline.exitCode(), gotOffline.toString());
    assertTrue(gotOffline.err().startsWith("hole of "), gotOffline.toString());
    assertEquals(300_000, Files.size(folder.resolve("z")));
    // Backed up again it is whole again, also under its old name. A reading finds the first damaged
    // block of an item, so it may take some rounds.
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      Outcome verified = onefold.run("verify");
      for (int round = 0; round < 10 && verified.exitCode() != Exit.DONE; round++) {
        for (Map.Entry<String, byte[]> entry : items.entrySet()) {
          String again = entry.getKey() + "-again";
          Outcome put = onefold.runWithInput(entry.getValue(), "put", "-", again, "--replace");
          assertEquals(0, put.exitCode(), put.toString());
        }
        verified = onefold.run("verify");
      }
      assertEquals(Exit.DONE, verified.exitCode(), verified.toString());
    }
  }

  @Test
  void aTreeInADamagedContainerIsRestoredButForTheFilesThatAreNamed() throws IOException {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Map<String, byte[]> files = new LinkedHashMap<>();
    for (int i = 0; i < 20; i++) {
      byte[] bytes = random(100_000, i);
      String name = "file-" + (char) ('a' + i);
      files.put(name, bytes);
      Files.write(tree.resolve(name), bytes);
    }
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      onefold.ok("backup", tree.toString(), "default/tree");
    }
    try (RandomAccessFile file = new RandomAccessFile(containers().getFirst().toFile(), "rw")) {
      file.seek(120_000);
      int before = file.read();
      file.seek(120_000);
      file.write(before ^ 1);
    }
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      Path target = folder.resolve("restored");
      Outcome restored = onefold.run("restore", "default/tree", target.toString());
      assertEquals(Exit.GAPS, restored.exitCode(), restored.toString());
      int named = 0;
      for (Map.Entry<String, byte[]> file : files.entrySet()) {
        if (restored.err().contains(file.getKey())) {
          named++;
          continue;
        }
        try (Stream<Path> found = Files.find(target, 9, (f, a) -> f.endsWith(file.getKey()))) {
          assertArrayEquals(
              file.getValue(), Files.readAllBytes(found.findFirst().orElseThrow()), file.getKey());
        }
      }
      assertTrue(named > 0 && named < files.size(), restored.toString());
    }
  }

  // ---- small and vanishing items

  @Test
  void emptyAndOneByteThingsGoThroughEveryVerb() throws IOException {
    Path tree = folder.resolve("tree");
    Files.createDirectories(tree.resolve("empty-directory"));
    Files.createFile(tree.resolve("empty-file"));
    Files.write(tree.resolve("one-byte"), new byte[] {7});
    Path nothing = Files.createDirectory(folder.resolve("nothing"));
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      for (int length = 0; length < 2; length++) {
        byte[] bytes = random(length, 1);
        for (String bandwidth : List.of("low", "high", "auto")) {
          String item = "default/" + length + bandwidth;
          Path file = Files.write(folder.resolve("file"), bytes);
          onefold.ok("put", file.toString(), item, "--bandwidth", bandwidth);
          Outcome piped =
              onefold.runWithInput(bytes, "put", "-", item + "-piped", "--bandwidth", bandwidth);
          assertEquals(0, piped.exitCode(), piped.toString());
          for (String name : List.of(item, item + "-piped")) {
            Path back = folder.resolve("back");
            assertEquals(
                length, onefold.json("get", name, back.toString(), "--overwrite").number("bytes"));
            assertArrayEquals(bytes, Files.readAllBytes(back));
            assertEquals(length, onefold.json("ls", name).number("lengthBytes"));
          }
          onefold.ok("cp", item, item + "-copy");
        }
      }
      onefold.ok("backup", nothing.toString(), "default/no-files");
      onefold.ok("restore", "default/no-files", folder.resolve("none").toString());
      assertTrue(Files.isDirectory(folder.resolve("none")));
      onefold.ok("backup", tree.toString(), "default/tree");
      Path restored = folder.resolve("restored");
      onefold.ok("restore", "default/tree", restored.toString());
      try (Stream<Path> all = Files.walk(restored)) {
        List<Path> files = all.filter(Files::isRegularFile).sorted().toList();
        assertEquals(2, files.size(), files.toString());
        assertEquals(0, Files.size(files.get(0)));
        assertArrayEquals(new byte[] {7}, Files.readAllBytes(files.get(1)));
      }
      assertEquals(Exit.DONE, onefold.run("verify").exitCode());
      onefold.ok("analyze", tree.toString());
      onefold.ok("rm", "default/0low", "--yes");
      onefold.ok("housekeeping");
      assertEquals(Exit.DONE, onefold.run("verify").exitCode());
    }
  }

  @Test
  void anItemDeletedWhileReadIsReadToItsEndAndIsGoneForOthers() throws IOException {
    byte[] bytes = random(12_000_000, 5);
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      assertEquals(0, onefold.runWithInput(bytes, "put", "-", "default/x").exitCode());
      Context context = Context.read(onefold.appliance().contextFile());
      try (CatalystClient client =
              CatalystClient.connect(
                  ClientSettings.of(
                      context.host(),
                      context.port("catalyst", 0),
                      context.user(),
                      context.password().toCharArray(),
                      new ServerTrust.Pinned(context.pin())));
          ItemReader reader = client.openReader("default", "x");
          var stream = reader.inputStream()) {
        byte[] start = stream.readNBytes(1_000_000);
        onefold.ok("rm", "default/x", "--yes");
        onefold.ok("housekeeping");
        // New data would take the place that was free.
        Outcome other = onefold.runWithInput(random(3_000_000, 6), "put", "-", "default/y");
        assertEquals(0, other.exitCode(), other.toString());
        onefold.ok("housekeeping");
        byte[] rest = stream.readAllBytes();
        byte[] all = java.util.Arrays.copyOf(start, start.length + rest.length);
        System.arraycopy(rest, 0, all, start.length, rest.length);
        assertArrayEquals(bytes, all);
      }
      refused(
          Exit.FAILED,
          onefold.run("get", "default/x", folder.resolve("back").toString()),
          "default/x does not exist",
          "./onefold ls default");
      onefold.ok("housekeeping");
      assertEquals(Exit.DONE, onefold.run("verify").exitCode());
    }
  }

  // ---- names that are no UTF-8

  @Test
  void aNameThatIsNoUtf8IsRefusedAtEveryDoor() throws IOException, InterruptedException {
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      Path file = Files.write(folder.resolve("file"), new byte[1]);
      Process process =
          new ProcessBuilder(
                  "sh",
                  "-c",
                  "LC_ALL=C.UTF-8 exec \"$0\" -cp \"$1\" onefold.appliance.cli.Onefold put \"$2\""
                      + " \"$(printf 'default/a\\377b')\" --context \"$3\"",
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  System.getProperty("java.class.path"),
                  file.toString(),
                  onefold.appliance().contextFile().toString())
              .redirectErrorStream(true)
              .start();
      String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertEquals(Exit.MISUSED, process.waitFor(), said);
      assertTrue(said.contains("is not valid UTF-8"), said);
      assertEquals(0, onefold.json("ls", "default").array("items").objects().size());
    }
  }
}
