package onefold.appliance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.TreeMap;
import onefold.appliance.RunningAppliance.Outcome;
import onefold.appliance.cli.Exit;
import onefold.appliance.configuration.Configuration;
import onefold.appliance.context.Context;
import onefold.appliance.context.Contexts;
import onefold.appliance.json.Json;
import onefold.catalyst.server.SelfSigned;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each mistake has its message, which says what would be right. */
class BadInputTest {
  @TempDir private static Path folder;

  @SuppressWarnings("NullAway.Init")
  private static RunningAppliance onefold;

  @SuppressWarnings("NullAway.Init")
  private static Path file;

  @BeforeAll
  static void start() throws IOException {
    onefold = RunningAppliance.start(folder);
    file = Files.writeString(folder.resolve("file"), "content");
  }

  @AfterAll
  static void stop() throws IOException {
    onefold.close();
  }

  private static void refused(int exitCode, Outcome outcome, String... saying) {
    assertEquals(exitCode, outcome.exitCode(), outcome.toString());
    for (String part : saying) {
      assertTrue(outcome.err().contains(part), outcome.toString());
    }
    assertFalse(outcome.err().contains("Exception"), outcome.toString());
    assertFalse(outcome.err().contains("\tat "), outcome.toString());
  }

  private static Context context() throws IOException {
    return Context.read(onefold.appliance().contextFile());
  }

  @Test
  void aWrongPasswordIsToldWithTheContextAndWhatMendsIt() throws IOException {
    Path wrong = folder.resolve("wrong-password.json");
    context().withPassword("not the password").write(wrong);
    for (String[] verb : new String[][] {{"status"}, {"put", file.toString(), "default/x"}}) {
      String[] all = java.util.Arrays.copyOf(verb, verb.length + 2);
      all[verb.length] = "--context";
      all[verb.length + 1] = wrong.toString();
      refused(
          Exit.FAILED,
          onefold.run(all),
          "password is wrong",
          wrong.toString(),
          "./onefold connect");
    }
  }

  @Test
  void anUnknownUserIsNotToldFromAWrongPassword() throws IOException {
    Path wrong = folder.resolve("wrong-user.json");
    Context good = context();
    new Context(good.host(), good.ports(), "nobody", "whatever it is", "", good.pin()).write(wrong);
    refused(
        Exit.FAILED,
        onefold.run("status", "--context", wrong.toString()),
        "user or password is wrong");
  }

  @Test
  void aChangedCertificateIsRefusedBeforeAnythingIsSent() throws IOException {
    Path wrong = folder.resolve("wrong-pin.json");
    Context good = context();
    String otherPin = SelfSigned.create(java.util.List.of("x"), java.time.Instant.now()).pin();
    new Context(good.host(), good.ports(), good.user(), good.password(), "", otherPin).write(wrong);
    for (String[] verb : new String[][] {{"status"}, {"put", file.toString(), "default/x"}}) {
      String[] all = java.util.Arrays.copyOf(verb, verb.length + 2);
      all[verb.length] = "--context";
      all[verb.length + 1] = wrong.toString();
      refused(Exit.FAILED, onefold.run(all), "another key", otherPin, good.pin(), wrong.toString());
    }
    refused(
        Exit.FAILED,
        onefold.run("connect", "127.0.0.1:" + good.port("https", 0), "--pin", otherPin),
        "another key");
  }

  @Test
  void aStaleContextIsNamed() throws IOException {
    Path stale = folder.resolve("stale.json");
    Context good = context();
    TreeMap<String, Integer> ports = new TreeMap<>();
    ports.put("catalyst", freePort());
    ports.put("https", freePort());
    new Context(good.host(), ports, good.user(), good.password(), "", good.pin()).write(stale);
    for (String[] verb : new String[][] {{"status"}, {"put", file.toString(), "default/x"}}) {
      String[] all = java.util.Arrays.copyOf(verb, verb.length + 2);
      all[verb.length] = "--context";
      all[verb.length + 1] = stale.toString();
      refused(
          Exit.FAILED, onefold.run(all), "nothing answers", stale.toString(), "./onefold serve");
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  @Test
  void anUnknownStoreNamesTheCommandThatMakesIt() {
    refused(
        Exit.FAILED,
        onefold.run("put", file.toString(), "nowhere/x"),
        "store 'nowhere' does not exist",
        "./onefold store create nowhere");
    refused(Exit.FAILED, onefold.run("ls", "nowhere"), "./onefold store create nowhere");
    refused(
        Exit.FAILED,
        onefold.run("get", "nowhere/x", folder.resolve("y").toString()),
        "./onefold store create nowhere");
    refused(
        Exit.FAILED,
        onefold.run("get", "default/missing", folder.resolve("y").toString()),
        "default/missing does not exist");
    refused(Exit.FAILED, onefold.run("rm", "default/missing", "--yes"), "'missing' does not exist");
  }

  @Test
  void badItemNamesAreRefusedWithTheName() {
    for (String name :
        new String[] {
          "default/../x",
          "default/a//b",
          "default/a/./b",
          "default/a\0b",
          "default/a\nb",
          "default/" + "n".repeat(4096),
          "default/\ufffd",
          "default/\ud800"
        }) {
      Outcome outcome = onefold.run("put", file.toString(), name);
      refused(Exit.MISUSED, outcome, "name '");
    }
    refused(Exit.MISUSED, onefold.run("put", file.toString(), "default"), "STORE/ITEM");
    refused(Exit.MISUSED, onefold.run("put", file.toString(), "/x"), "STORE/ITEM");
    refused(Exit.MISUSED, onefold.run("put", file.toString(), "default/"), "STORE/ITEM");
    refused(Exit.MISUSED, onefold.run("put", file.toString(), "de fault/x"), "name 'de fault'");
  }

  @Test
  void anItemIsNotOverwrittenSilently() {
    onefold.ok("put", file.toString(), "default/once");
    refused(
        Exit.FAILED,
        onefold.run("put", file.toString(), "default/once"),
        "default/once exists, from 20",
        "--replace",
        "{date}");
    onefold.ok("put", file.toString(), "default/once", "--replace");
    refused(Exit.MISUSED, onefold.run("rm", "default/once"), "--yes");
    Path target = folder.resolve("there");
    onefold.ok("get", "default/once", target.toString());
    refused(
        Exit.FAILED,
        onefold.run("get", "default/once", target.toString()),
        "exists",
        "--overwrite");
  }

  @Test
  void optionsThatCannotBeAreMisuse() {
    refused(
        Exit.MISUSED,
        onefold.run("put", file.toString(), "default/x", "--bandwidth", "wide"),
        "wide",
        "auto, low and high");
    refused(
        Exit.MISUSED,
        onefold.run("put", file.toString(), "default/x", "--compression", "rar"),
        "rar",
        "lz4, zstd and none");
    refused(Exit.MISUSED, onefold.run("put", folder.toString(), "default/x"), "is a directory");
    refused(
        Exit.FAILED,
        onefold.run("put", folder.resolve("none").toString(), "default/x"),
        "does not exist");
    refused(
        Exit.MISUSED,
        onefold.run("store", "create", "q", "--quota", "10G"),
        "two readings",
        "10GB",
        "10GiB");
    refused(Exit.MISUSED, onefold.run("stauts"), "status");
    refused(Exit.MISUSED, onefold.run("store"), "create, ls, show, set, rm");
    refused(Exit.MISUSED, onefold.run("status", "--wrong"), "--wrong", "--help");
    refused(Exit.MISUSED, onefold.run("serve", "--memory", "10G"), "two readings");
    refused(Exit.MISUSED, onefold.run("serve", "--memory", "1MiB"), "256MiB");
    refused(Exit.MISUSED, onefold.run("serve", "--without", "telnet"), "'telnet' does not exist");
    refused(Exit.MISUSED, onefold.run("serve", "--port", "catalyst=99999"), "99999");
    refused(Exit.MISUSED, onefold.run("serve", "--ports", "some"), "auto");
    refused(
        Exit.FAILED,
        onefold.runWithInput("short\n".getBytes(StandardCharsets.UTF_8), "user", "create", "u"),
        "8 to 1024");
    refused(Exit.MISUSED, onefold.run("user", "create", "u"), "a password is needed");
    refused(
        Exit.MISUSED,
        onefold.run("user", "create", "u", "--store", "a=all", "--random-password"),
        "read, append, write");
    refused(Exit.FAILED, onefold.run("user", "rm", "admin"), "last administrator");
    refused(Exit.FAILED, onefold.run("job", "rm", "00"), "./onefold job ls");
    refused(
        Exit.MISUSED,
        onefold.run("judge", "write", "--front-end", "telnet", "--client", "0", "--round", "0"),
        "telnet");
  }

  @Test
  void jsonTellsErrorsToo() {
    Outcome outcome = onefold.run("ls", "nowhere", "--json");
    assertEquals(Exit.FAILED, outcome.exitCode());
    var error = Json.parseObject(outcome.out()).object("error");
    assertEquals("NOT_FOUND", error.text("code"));
    assertTrue(error.text("message").contains("nowhere"));
  }

  private static Outcome serve(String... arguments) {
    String[] all = new String[arguments.length + 3];
    all[0] = "serve";
    System.arraycopy(arguments, 0, all, 1, arguments.length);
    all[arguments.length + 1] = "--ports";
    all[arguments.length + 2] = "auto";
    return RunningAppliance.run(folder.resolve("nobody"), new byte[0], all);
  }

  @Test
  void aDirectoryInUseNamesTheProcess() {
    refused(
        Exit.FAILED,
        serve("--data", onefold.data().toString()),
        "in use",
        Long.toString(ProcessHandle.current().pid()));
    refused(Exit.MISUSED, onefold.run("scrub", "--data", onefold.data().toString()), "in use");
    refused(
        Exit.MISUSED,
        onefold.run("ls", "--data", onefold.data().toString()),
        "in use",
        "leave out --data");
  }

  @Test
  void whatIsNoDataDirectoryIsRefused() throws IOException {
    Path other = Files.createDirectory(folder.resolve("other"));
    Files.writeString(other.resolve("precious.txt"), "mine");
    refused(Exit.FAILED, serve("--data", other.toString()), "precious.txt", "no data directory");
    refused(Exit.FAILED, serve("--data", file.toString()), "is a file");
    assertEquals("mine", Files.readString(other.resolve("precious.txt")));
    refused(
        Exit.MISUSED,
        onefold.run("scrub", "--data", folder.resolve("none").toString()),
        "is no directory");
  }

  @Test
  void aConfigurationKeyThatDoesNotExistIsRefused() throws IOException {
    Path config = Files.writeString(folder.resolve("wrong.yaml"), "memmory: 1GiB\n");
    Path data = folder.resolve("never-made");
    refused(
        Exit.FAILED,
        serve("--data", data.toString(), "--config", config.toString()),
        "line 1",
        "did you mean 'memory'?");
    assertFalse(Files.exists(data));
    refused(
        Exit.FAILED, onefold.run("config", "check", config.toString()), "did you mean 'memory'?");
    refused(
        Exit.FAILED, serve("--config", folder.resolve("none.yaml").toString()), "does not exist");
  }

  @Test
  void aPortInUseNamesTheFrontEndAndWhatToSay() throws IOException {
    for (FrontEnd frontEnd : FrontEnd.values()) {
      try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
        Path data = folder.resolve("port-" + frontEnd.label());
        Configuration configuration = RunningAppliance.configuration(data);
        Configuration clash =
            configuration.withDoor(
                frontEnd, configuration.door(frontEnd).withPort(taken.getLocalPort()));
        var nowhere =
            new PrintStream(new java.io.ByteArrayOutputStream(), false, StandardCharsets.UTF_8);
        var surroundings =
            new Appliance.Surroundings(
                nowhere,
                failed -> {},
                Optional.empty(),
                new Contexts(folder, Optional.empty(), Optional.empty(), Contexts::connects));
        var error = assertThrows(IOException.class, () -> Appliance.start(clash, surroundings));
        assertTrue(
            String.valueOf(error.getMessage()).contains("--port " + frontEnd.label() + "=N"),
            String.valueOf(error.getMessage()));
        // Nothing stays open: the same directory starts on free ports.
        Appliance.start(configuration, surroundings).close();
      }
    }
  }
}
