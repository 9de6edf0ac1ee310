package onefold.appliance.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import onefold.appliance.configuration.Configuration;
import onefold.appliance.json.Json;
import onefold.appliance.json.JsonObject;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LogsTest {
  @TempDir private Path folder;

  @Test
  void anEventIsOneLineWhateverAClientPutIntoIt() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (Logs _ =
        Logs.start(
            new Configuration.Log("info", false, 1 << 20),
            folder,
            new PrintStream(out, true, StandardCharsets.UTF_8))) {
      System.Logger log = System.getLogger("onefold.appliance.log.LogsTest");
      log.log(System.Logger.Level.WARNING, "name 'a\nERROR forged'");
      log.log(System.Logger.Level.DEBUG, "not shown");
      log.log(System.Logger.Level.ERROR, "broken", new IOException("why"));
    }
    String text = out.toString(StandardCharsets.UTF_8);
    assertTrue(text.contains(" WARN  LogsTest: name 'a\\nERROR forged'\n"), text);
    assertTrue(text.contains("java.io.IOException: why"), text);
    assertTrue(!text.contains("not shown"), text);

    String[] lines = Files.readString(folder.resolve("onefold.0.log")).split("\n", -1);
    assertEquals(3, lines.length); // The last one is empty.
    JsonObject first = Json.parseObject(lines[0]);
    assertEquals("warn", first.text("level"));
    assertEquals("name 'a\nERROR forged'", first.text("message"));
    assertTrue(Json.parseObject(lines[1]).text("error").contains("java.io.IOException: why"));
  }

  @Test
  void theFilesAreBoundedTogether() throws IOException {
    PrintStream nowhere =
        new PrintStream(new ByteArrayOutputStream(), false, StandardCharsets.UTF_8);
    long maxBytes = 1 << 20;
    try (Logs _ = Logs.start(new Configuration.Log("info", true, maxBytes), folder, nowhere)) {
      System.Logger log = System.getLogger("onefold.appliance.log.LogsTest");
      String line = "x".repeat(2000);
      for (int i = 0; i < 1500; i++) {
        log.log(System.Logger.Level.INFO, line);
      }
    }
    long total = 0;
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        total += Files.size(file);
      }
    }
    assertTrue(total > maxBytes / 2 && total <= maxBytes + 10_000, "bytes of all files: " + total);
  }
}
