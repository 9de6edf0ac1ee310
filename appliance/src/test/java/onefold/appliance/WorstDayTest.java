package onefold.appliance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import onefold.appliance.RunningAppliance.Outcome;
import onefold.appliance.context.Context;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Runs {@code docs/worst-day.md}: every command on the page, in order, against a server process of
 * its own, and compares what it printed with what the page says it prints. Times, sizes, rates,
 * keys and ids may differ. What the page would have to say is left in {@code target/worst-day.md}.
 */
final class WorstDayTest {
  private static final Path PAGE = Path.of("../docs/worst-day.md");
  private static final Path AS_RUN = Path.of("target/worst-day.md");
  private static final String COMMAND = "    $ ";

  @TempDir Path folder;

  /** Lines of the page that were not reached yet, and those as they should be. */
  private final List<String> page = new ArrayList<>();

  private final List<String> asRun = new ArrayList<>();
  private int line;
  private Path data = Path.of("");
  private Path work = Path.of("");
  private Path client = Path.of("");
  private String password = "";
  private @Nullable ServerProcess server;

  @AfterEach
  void stop() throws IOException {
    ServerProcess running = server;
    server = null;
    if (running != null) {
      running.close();
    }
  }

  @Test
  void thePageSaysWhatHappens() throws IOException {
    page.addAll(Files.readAllLines(PAGE));
    data = Files.createDirectories(folder.resolve("srv")).resolve("onefold");
    client = Files.createDirectories(folder.resolve("home/ann"));
    work = Files.createDirectory(client.resolve("work"));
    serve();
    password = Context.read(data.resolve("context.json")).password();
    hidden("connect", address(), "--pin", "sha256:" + pin());
    byte[] database = backUpAWeekThatEndsBadly();

    section("Ransomware was in the last five backups");
    Path restored = client.resolve("restored");
    assertEquals(-1, Files.mismatch(restored.resolve("accounts.db"), original(database)));

    stop();
    flipABit(database);
    serve();
    deleteTree(work);
    Files.move(restored, work);
    section("A damaged container");

    stop();
    Path disk = Files.createDirectories(folder.resolve("mnt/disk")).resolve("onefold");
    Files.move(data, disk);
    data = disk;
    section("The machine is dead, its disk is alive");
    assertEquals(-1, Files.mismatch(folder.resolve("tmp/work/accounts.db"), original(database)));

    stop();
    Files.delete(data.resolve("superblock.0"));
    Files.delete(data.resolve("superblock.1"));
    section("The catalog is gone");

    section("The administrator's password is gone");

    stop();
    Files.delete(data.resolve("keys/tls.key"));
    Files.delete(data.resolve("keys/tls.crt"));
    section("Key and certificate are gone");

    copyText();
    assertEquals(page.size(), line, "the page has more sections than this test");
    Files.write(AS_RUN, asRun);
    assertEquals(
        comparable(page),
        comparable(asRun),
        "the page says otherwise; as it was run it is in appliance/" + AS_RUN);
  }

  // ---- what lies behind the page

  private byte[] backUpAWeekThatEndsBadly() throws IOException {
    byte[] database = new byte[1_500_000];
    SplittableRandom random = new SplittableRandom(5);
    random.nextBytes(database);
    Path file = Files.write(work.resolve("accounts.db"), database);
    Files.createDirectory(work.resolve("letters"));
    for (int night = 1; night <= 8; night++) {
      if (night < 4) {
        Files.writeString(work.resolve("letters/letter-" + night + ".txt"), "Dear Ann, " + night);
      } else if (night == 4) {
        try (Stream<Path> files = Files.walk(work)) {
          for (Path each : files.filter(Files::isRegularFile).toList()) {
            byte[] locked = new byte[(int) Files.size(each)];
            random.nextBytes(locked);
            Files.write(each.resolveSibling(each.getFileName() + ".locked"), locked);
            Files.delete(each);
          }
        }
      }
      hidden("backup", work.toString(), "default/work-" + night);
    }
    assertTrue(Files.notExists(file));
    return database;
  }

  private Path original(byte[] database) throws IOException {
    return Files.write(folder.resolve("original"), database);
  }

  /** Damages a stretch of the database in whatever container it lies. */
  private void flipABit(byte[] database) throws IOException {
    boolean found = false;
    try (Stream<Path> files = Files.walk(data.resolve("domains"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        byte[] bytes = Files.readAllBytes(file);
        for (int at = 0; at + 64 <= bytes.length; at++) {
          if (bytes[at] == database[700_000]
              && Arrays.equals(bytes, at, at + 64, database, 700_000, 700_064)) {
            bytes[at] ^= 1;
            Files.write(file, bytes);
            found = true;
          }
        }
      }
    }
    assertTrue(found, "the bytes of the database were in no container");
  }

  private static void deleteTree(Path tree) throws IOException {
    try (Stream<Path> files = Files.walk(tree)) {
      for (Path each : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(each);
      }
    }
  }

  private String serve(String... more) throws IOException {
    List<String> arguments = new ArrayList<>(List.of("--data", data.toString()));
    arguments.addAll(List.of(more));
    Path home = Files.createDirectories(folder.resolve("root"));
    ServerProcess started =
        ServerProcess.start(List.of(), List.of(), home, arguments.toArray(String[]::new));
    server = started;
    assertTrue(started.isServing(), started.output());
    Path context = client.resolve(".onefold/context.json");
    if (Files.exists(context)) {
      // A test's server has other ports at each start; one that is served has not.
      Context known = Context.read(context);
      new Context(known.host(), ports(), known.user(), known.password(), "", known.pin())
          .write(context);
    }
    List<String> greeting = started.output().lines().toList();
    int first = 0;
    while (!greeting.get(first).startsWith("Onefold ")) {
      first++;
    }
    int last = first;
    while (!greeting.get(last).contains("from another machine")) {
      last++;
    }
    return String.join("\n", greeting.subList(first, last + 1));
  }

  private SortedMap<String, Integer> ports() throws IOException {
    return Context.read(data.resolve("context.json")).ports();
  }

  private String address() throws IOException {
    return "127.0.0.1:" + ports().get("https");
  }

  private String pin() throws IOException {
    return Context.read(data.resolve("context.json")).pin();
  }

  private void hidden(String... arguments) {
    Outcome outcome = onefold(arguments);
    assertEquals(0, outcome.exitCode(), outcome.toString());
  }

  private Outcome onefold(String... arguments) {
    return RunningAppliance.run(
        client, (password + "\n").getBytes(StandardCharsets.UTF_8), arguments);
  }

  // ---- the page

  /** Runs the commands of the page's next section, which must be this one. */
  private void section(String heading) throws IOException {
    copyText();
    assertEquals("## " + heading, page.get(line));
    asRun.add(page.get(line++));
    copyText();
    while (line < page.size() && !page.get(line).startsWith("## ")) {
      String command = page.get(line);
      asRun.add(command);
      line++;
      while (line < page.size()
          && page.get(line).startsWith("    ")
          && !page.get(line).startsWith(COMMAND)) {
        line++;
      }
      for (String printed : run(command.substring(COMMAND.length())).split("\n", -1)) {
        asRun.add("    " + printed);
      }
      copyText();
    }
  }

  /** Takes lines over until a command or a section begins. */
  private void copyText() {
    while (line < page.size()
        && !page.get(line).startsWith(COMMAND)
        && !page.get(line).startsWith("## ")) {
      asRun.add(page.get(line++));
    }
  }

  private String run(String command) throws IOException {
    Map<String, String> names = new LinkedHashMap<>();
    names.put("/srv/onefold", folder.resolve("srv/onefold").toString());
    names.put("/mnt/disk/onefold", folder.resolve("mnt/disk/onefold").toString());
    names.put("/home/ann", client.toString());
    names.put(
        "/tmp/work", Files.createDirectories(folder.resolve("tmp")).resolve("work").toString());
    String typed = command;
    for (Map.Entry<String, String> name : names.entrySet()) {
      typed = typed.replace(name.getKey(), name.getValue());
    }
    if (typed.contains("connect ")) {
      typed = typed.replace("backup.example", address()).replace("sha256:…", "sha256:" + pin());
    }
    List<String> words = new ArrayList<>(List.of(typed.split(" ", -1)));
    assertEquals("./onefold", words.removeFirst(), command);
    String printed;
    if (words.getFirst().equals("serve")) {
      assertEquals(List.of("serve", "--data", data.toString()), words.subList(0, 3));
      printed = serve(words.subList(3, words.size()).toArray(String[]::new));
    } else {
      Outcome outcome = onefold(words.toArray(String[]::new));
      printed = (outcome.out() + outcome.err()).stripTrailing();
      if (outcome.exitCode() != 0) {
        printed += "\n(exit code " + outcome.exitCode() + ")";
      }
      if (words.contains("reset-password")) {
        password = printed.substring(printed.lastIndexOf(' ') + 1);
      }
    }
    for (Map.Entry<String, String> name : names.entrySet()) {
      printed = printed.replace(name.getValue(), name.getKey());
    }
    return printed.replace(address(), "backup.example").replace("127.0.0.1", "backup.example");
  }

  /** Without what differs from run to run. */
  private static String comparable(List<String> lines) {
    List<String> result = new ArrayList<>();
    for (String each : lines) {
      result.add(
          each.replaceAll("[0-9a-f]{64}", "KEY")
              .replaceAll("[0-9a-f]{32}", "ID")
              .replaceAll("[0-9a-f]{16}-1.container at \\d+", "CONTAINER at OFFSET")
              .replaceAll("\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d", "TIME")
              .replaceAll("\\d+(\\.\\d+)? MB/s", "RATE")
              .replaceAll("\\d+(\\.\\d+)? (B|kB|MB|GB|TB)\\b", "SIZE")
              .replaceAll("ratio \\d+\\.\\d+", "RATIO")
              .replaceAll("change \\d+, \\d+ of", "CHANGES")
              .replaceAll("port[ =]\\d+", "PORT")
              .replaceAll(":\\d{4,5}\\b", ":PORT")
              .replaceAll("process \\d+, up .*", "PROCESS")
              .replaceAll("nefold (development|\\d+\\.\\S+)\\b", "nefold VERSION")
              .replaceAll("[d-]([r-][w-][x-]){3} +\\d+:\\d+", "MODE OWNER")
              .replaceAll("the password \\S+", "the PASSWORD")
              .replaceAll("\\s+", " "));
    }
    return String.join("\n", result);
  }
}
