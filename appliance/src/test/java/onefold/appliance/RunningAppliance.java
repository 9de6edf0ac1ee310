package onefold.appliance;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import onefold.appliance.cli.Environment;
import onefold.appliance.cli.Onefold;
import onefold.appliance.cli.Terminal;
import onefold.appliance.configuration.Configuration;
import onefold.appliance.context.Contexts;
import onefold.store.device.DeviceForceException;

/**
 * An appliance on free ports in a folder of its own, and the command line beside it, in one
 * process.
 */
public final class RunningAppliance implements AutoCloseable {
  private final Path data;
  private final Path home;
  private final Appliance appliance;

  /** What a command printed and how it ended. */
  public record Outcome(int exitCode, String out, String err) {}

  private RunningAppliance(Path data, Path home, Appliance appliance) {
    this.data = data;
    this.home = home;
    this.appliance = appliance;
  }

  /** Starts one on {@code folder/data}. */
  public static RunningAppliance start(Path folder) throws IOException {
    Path data = folder.resolve("data");
    Path home = folder.resolve("home");
    PrintStream nowhere =
        new PrintStream(new ByteArrayOutputStream(), false, StandardCharsets.UTF_8);
    Appliance appliance =
        Appliance.start(
            configuration(data),
            new Appliance.Surroundings(
                nowhere, RunningAppliance::fail, Optional.empty(), contexts(home)));
    return new RunningAppliance(data, home, appliance);
  }

  private static void fail(DeviceForceException failed) {
    throw new AssertionError(failed);
  }

  /** Free ports, small containers. */
  public static Configuration configuration(Path data) {
    Configuration configuration = Configuration.defaults(data).withContainerBytes(256 << 10);
    for (FrontEnd frontEnd : FrontEnd.values()) {
      configuration = configuration.withDoor(frontEnd, configuration.door(frontEnd).withPort(0));
    }
    return configuration;
  }

  private static Contexts contexts(Path home) {
    return new Contexts(
        home.resolve("work"), Optional.of(home), Optional.empty(), Contexts::connects);
  }

  public Appliance appliance() {
    return appliance;
  }

  public Path data() {
    return data;
  }

  /** Runs a command that finds this appliance by the context in the home. */
  public Outcome run(String... arguments) {
    return run(home, new byte[0], arguments);
  }

  /** As {@link #run(String...)}, with standard input. */
  public Outcome runWithInput(byte[] input, String... arguments) {
    return run(home, input, arguments);
  }

  /** Runs a command with its own home and input. */
  public static Outcome run(Path home, byte[] input, String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    InputStream in = new ByteArrayInputStream(input);
    Terminal terminal =
        new Terminal(
            in,
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            false);
    Environment environment =
        new Environment(terminal, contexts(home), InstantSource.system(), System::nanoTime);
    int exitCode = Onefold.run(arguments, environment);
    return new Outcome(
        exitCode, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  /** Runs a command that must succeed and returns its output. */
  public String ok(String... arguments) {
    Outcome outcome = run(arguments);
    if (outcome.exitCode() != 0) {
      throw new AssertionError(List.of(arguments) + " ended with " + outcome);
    }
    return outcome.out();
  }

  /** Runs a command with {@code --json} that must succeed and returns the document. */
  public onefold.appliance.json.JsonObject json(String... arguments) {
    List<String> all = new ArrayList<>(List.of(arguments));
    all.add("--json");
    return onefold.appliance.json.Json.parseObject(ok(all.toArray(String[]::new)));
  }

  @Override
  public void close() throws IOException {
    appliance.close();
  }
}
