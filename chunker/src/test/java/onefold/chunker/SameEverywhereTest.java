package onefold.chunker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Borders, fingerprints and plain bytes are the same whatever the processor and the JVM can do. */
class SameEverywhereTest {
  /** SHA-256 of the lines that this release's first build printed; must never change. */
  private static final String EXPECTED =
      "99af7af5dd251064ec6b796b5fd7312f90c53fc0bfd6c1f0a5c509f9108ef7d6";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "--add-modules=jdk.incubator.vector",
        "--add-modules=jdk.incubator.vector -Donefold.cutter=vector -XX:MaxVectorSize=16",
        "--add-modules=jdk.incubator.vector -Donefold.cutter=vector -XX:UseAVX=2",
        "--add-modules=jdk.incubator.vector -Donefold.cutter=vector -XX:UseAVX=0",
        "-XX:UseAVX=0 -XX:-UseSHA -XX:-UseAES -XX:-UseCRC32CIntrinsics -Donefold.codec=java",
      })
  void resultsAreEqual(String options) throws Exception {
    String output = run(options.isEmpty() ? List.of() : Arrays.asList(options.split(" ")));
    assertEquals(6, output.lines().count(), output);
    byte[] bytes = output.getBytes(StandardCharsets.US_ASCII);
    assertEquals(
        EXPECTED,
        new Fingerprinter(ParameterSet.SET_1).fingerprint(bytes, 0, bytes.length).toString(),
        output);
  }

  @Test
  void vectorsAreUsedWhereTheyAreAskedFor() {
    assertTrue(ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent());
    assertTrue(VectorCutter.vectorBits() >= 128);
  }

  private static String run(List<String> options) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx200m", "-XX:+IgnoreUnrecognizedVMOptions", "-Xshare:auto"));
    command.add("-XX:+UnlockDiagnosticVMOptions");
    command.add("--enable-native-access=ALL-UNNAMED");
    command.addAll(options);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Probe.class.getName()));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    assertEquals(0, process.waitFor(), () -> String.join(" ", command));
    return output;
  }
}
