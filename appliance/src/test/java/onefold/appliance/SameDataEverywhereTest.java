package onefold.appliance;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import onefold.appliance.RunningAppliance.Outcome;
import onefold.appliance.json.Json;
import onefold.appliance.json.JsonObject;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * One data directory, served and fed by machines that can do more or less: whatever the processor
 * and the JVM offer, the borders, the fingerprints and the bytes are the same.
 */
class SameDataEverywhereTest {
  /** As the launcher runs it. */
  private static final List<String> EVERYTHING = List.of("--add-modules=jdk.incubator.vector");

  /** No vectors, no instructions for AES, SHA and CRC, codecs written in Java. */
  private static final List<String> BARE =
      List.of(
          "-XX:UseAVX=0",
          "-XX:-UseSHA",
          "-XX:-UseSHA1Intrinsics",
          "-XX:-UseSHA256Intrinsics",
          "-XX:-UseSHA512Intrinsics",
          "-XX:-UseAES",
          "-XX:-UseAESIntrinsics",
          "-XX:-UseAESCTRIntrinsics",
          "-XX:-UseGHASHIntrinsics",
          "-XX:-UseCRC32Intrinsics",
          "-XX:-UseCRC32CIntrinsics",
          "-Donefold.codec=java");

  @TempDir private Path folder;

  /** Text, random bytes, zeros and a period: something for every rule. */
  private byte[] content(long seed) {
    byte[] bytes = new byte[1_000_000];
    SplittableRandom random = new SplittableRandom(seed);
    random.nextBytes(bytes);
    for (int i = 0; i < 500_000; i++) {
      bytes[i] =
          switch (i / 100_000) {
            case 0, 1 -> (byte) "etaoin shrdlu\n".charAt((bytes[i] & 0xff) % 14);
            case 2 -> 0;
            case 3 -> i % 100_000 < 48 ? bytes[i] : bytes[i - 48];
            default -> (byte) ('0' + (bytes[i] & 7));
          };
    }
    return bytes;
  }

  private String data() {
    return folder.resolve("data").toString();
  }

  /** Runs a verb in this JVM, which is as the launcher's, or in a bare one. */
  private Outcome run(boolean bare, byte[] input, String... arguments)
      throws IOException, InterruptedException {
    List<String> all = new ArrayList<>(List.of(arguments));
    all.addAll(List.of("--context", folder.resolve("data/context.json").toString()));
    String[] verb = all.toArray(String[]::new);
    Outcome outcome =
        bare
            ? ServerProcess.run(BARE, folder, input, verb)
            : RunningAppliance.run(folder, input, verb);
    assertEquals(0, outcome.exitCode(), () -> all + " ended with " + outcome);
    return outcome;
  }

  private JsonObject put(boolean bare, byte[] bytes, String item, String... options)
      throws IOException, InterruptedException {
    List<String> all = new ArrayList<>(List.of("put", "-", item, "--json"));
    all.addAll(List.of(options));
    return Json.parseObject(run(bare, bytes, all.toArray(String[]::new)).out());
  }

  private void restored(boolean bare, Map<String, byte[]> items)
      throws IOException, InterruptedException {
    for (Map.Entry<String, byte[]> item : items.entrySet()) {
      Path back = folder.resolve("back");
      run(bare, new byte[0], "get", item.getKey(), back.toString(), "--overwrite");
      assertArrayEquals(item.getValue(), Files.readAllBytes(back), item.getKey());
    }
    assertTrue(
        run(bare, new byte[0], "verify").out().contains(items.size() + " items read, 0 dam"));
  }

  @Test
  void aDirectoryServedWithAndWithoutTheProcessorsHelpGivesTheSameBordersAndBytes()
      throws IOException, InterruptedException {
    Map<String, byte[]> items = new LinkedHashMap<>();
    byte[] first = content(1);
    byte[] second = content(2);
    String firstRoot;
    String thirdRoot;
    byte[] third = content(3);
    try (ServerProcess server =
        ServerProcess.start(List.of(), EVERYTHING, folder, "--data", data())) {
      assertTrue(server.isServing(), server.output());
      run(false, new byte[0], "store", "create", "dense", "--compression", "zstd");
      firstRoot = put(false, first, "default/first", "--bandwidth", "low").text("root");
      put(false, second, "dense/second", "--bandwidth", "high");
      items.put("default/first", first);
      items.put("dense/second", second);
    }
    try (ServerProcess server = ServerProcess.start(List.of(), BARE, folder, "--data", data())) {
      assertTrue(server.isServing(), server.output());
      restored(true, items);
      // The same data again, cut by this server and by this client: nothing of it is new.
      for (String bandwidth : List.of("low", "high")) {
        String item = "default/again-" + bandwidth;
        JsonObject again = put(bandwidth.equals("low"), first, item, "--bandwidth", bandwidth);
        assertEquals(firstRoot, again.text("root"), bandwidth);
        assertEquals(0, again.number("newBytes"), bandwidth);
        items.put(item, first);
      }
      JsonObject low = put(true, third, "default/third", "--bandwidth", "low");
      thirdRoot = low.text("root");
      assertTrue(low.number("newBytes") > 300_000, low.write());
      byte[] fourth = content(4);
      put(false, fourth, "dense/fourth", "--bandwidth", "high");
      items.put("default/third", third);
      items.put("dense/fourth", fourth);
    }
    // What the bare machine wrote is found and read by the other one.
    try (ServerProcess server =
        ServerProcess.start(List.of(), EVERYTHING, folder, "--data", data())) {
      assertTrue(server.isServing(), server.output());
      restored(false, items);
      for (String bandwidth : List.of("low", "high")) {
        JsonObject again =
            put(false, third, "default/third-" + bandwidth, "--bandwidth", bandwidth);
        assertEquals(thirdRoot, again.text("root"), bandwidth);
        assertEquals(0, again.number("newBytes"), bandwidth);
      }
    }
    Outcome scrubbed = ServerProcess.run(BARE, folder, new byte[0], "scrub", "--data", data());
    assertEquals(0, scrubbed.exitCode(), scrubbed.toString());
  }

  @Test
  void theBareMachineIsBare() throws IOException, InterruptedException {
    List<String> jvm = new ArrayList<>(BARE);
    jvm.add("-XX:+PrintFlagsFinal");
    String flags = ServerProcess.run(jvm, folder, new byte[0], "--version").out();
    for (String flag : List.of("UseSHA", "UseAES", "UseCRC32CIntrinsics", "UseAESIntrinsics")) {
      assertTrue(flags.matches("(?s).* " + flag + " +:?= false .*"), flag);
    }
  }
}
