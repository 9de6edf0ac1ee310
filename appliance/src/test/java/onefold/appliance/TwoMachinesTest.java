package onefold.appliance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import onefold.appliance.context.Context;
import onefold.testing.RealClients;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Opening up, between two network namespaces: the appliance in one; in the other the program is
 * fetched from it, connects, writes and reads. Runs the real launcher, which builds once; so only
 * with {@code ONEFOLD_GATE=full}, as root.
 */
class TwoMachinesTest {
  private static final String SERVER = "10.211.55.1";
  private static final String CLIENT = "10.211.55.2";
  private static final Path LAUNCHER = Path.of("..", "onefold").toAbsolutePath().normalize();

  @TempDir private Path folder;
  private final String suffix = Long.toString(ProcessHandle.current().pid() % 100_000);
  private final String serverSpace = "of-s" + suffix;
  private final String clientSpace = "of-c" + suffix;

  private record Outcome(int exitCode, String out) {}

  private Outcome run(String... command) throws IOException, InterruptedException {
    return run("", List.of(command));
  }

  private Outcome run(String input, List<String> command) throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).directory(folder.toFile());
    builder.environment().put("HOME", folder.resolve("home").toString());
    builder.environment().put("ONEFOLD_REHEARSAL", "off");
    builder.environment().remove("ONEFOLD_CONTEXT");
    Process process = builder.start();
    process.getOutputStream().write(input.getBytes(StandardCharsets.UTF_8));
    process.getOutputStream().close();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(process.waitFor(10, TimeUnit.MINUTES));
    return new Outcome(process.exitValue(), out);
  }

  private Outcome ok(String... command) throws IOException, InterruptedException {
    Outcome outcome = run(command);
    assertEquals(0, outcome.exitCode(), () -> String.join(" ", command) + ": " + outcome.out());
    return outcome;
  }

  private Outcome in(String space, String input, String... command)
      throws IOException, InterruptedException {
    List<String> all = new ArrayList<>(List.of("ip", "netns", "exec", space));
    all.addAll(List.of(command));
    return run(input, all);
  }

  @Test
  void theOtherMachineFetchesTheProgramConnectsAndWrites()
      throws IOException, InterruptedException {
    Assumptions.assumeTrue(RealClients.gateIsFull(), "runs with ONEFOLD_GATE=full");
    RealClients.require("ip", "iproute2");
    RealClients.require("curl", "curl");
    RealClients.require("tar", "tar");
    Files.createDirectory(folder.resolve("home"));
    ok(LAUNCHER.toString(), "--version");
    ok("ip", "netns", "add", serverSpace);
    try {
      ok("ip", "netns", "add", clientSpace);
      ok(
          "ip",
          "link",
          "add",
          "v" + suffix,
          "netns",
          serverSpace,
          "type",
          "veth",
          "peer",
          "name",
          "w" + suffix,
          "netns",
          clientSpace);
      up(serverSpace, "v" + suffix, SERVER);
      up(clientSpace, "w" + suffix, CLIENT);
      Process server =
          new ProcessBuilder(
                  "ip",
                  "netns",
                  "exec",
                  serverSpace,
                  LAUNCHER.toString(),
                  "serve",
                  "--data",
                  "data",
                  "--listen",
                  "all",
                  "--json")
              .directory(folder.toFile())
              .redirectErrorStream(true)
              .redirectOutput(folder.resolve("serve.log").toFile())
              .start();
      try {
        otherMachine(server);
      } finally {
        server.destroy();
        assertTrue(server.waitFor(1, TimeUnit.MINUTES));
      }
    } finally {
      run("ip", "netns", "del", serverSpace);
      run("ip", "netns", "del", clientSpace);
    }
  }

  private void up(String space, String link, String address)
      throws IOException, InterruptedException {
    ok("ip", "-n", space, "address", "add", address + "/24", "dev", link);
    ok("ip", "-n", space, "link", "set", link, "up");
    ok("ip", "-n", space, "link", "set", "lo", "up");
  }

  private void otherMachine(Process server) throws IOException, InterruptedException {
    String base = "https://" + SERVER + ":8443";
    Outcome health =
        in(
            clientSpace,
            "",
            "curl",
            "-sk",
            "--retry",
            "60",
            "--retry-delay",
            "1",
            "--retry-all-errors",
            base + "/health");
    assertTrue(health.out().contains("UP"), () -> health.out() + server.isAlive());
    Path other = Files.createDirectory(folder.resolve("other"));
    ok("chmod", "755", other.toString());
    Outcome fetched =
        in(clientSpace, "", "sh", "-c", "curl -sfk " + base + "/client | tar xz -C " + other);
    assertEquals(0, fetched.exitCode(), fetched.out());
    String program = other.resolve("onefold/onefold").toString();

    var told = Context.read(folder.resolve("data/context.json"));
    Outcome connected =
        in(
            clientSpace,
            told.password() + "\n",
            program,
            "connect",
            SERVER,
            "--pin",
            "sha256:" + told.pin());
    assertEquals(0, connected.exitCode(), connected.out());
    Path file = Files.writeString(folder.resolve("file"), "from the other machine");
    Outcome put = in(clientSpace, "", program, "put", file.toString(), "default/other");
    assertEquals(0, put.exitCode(), put.out());
    Outcome got = in(clientSpace, "", program, "get", "default/other", "-");
    assertTrue(got.out().contains("from the other machine"), got.out());
    Outcome wrong =
        in(
            clientSpace,
            "not it at all\n",
            program,
            "connect",
            SERVER,
            "--pin",
            "sha256:" + told.pin());
    assertEquals(1, wrong.exitCode(), wrong.out());
  }
}
