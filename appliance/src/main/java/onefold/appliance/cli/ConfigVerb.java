package onefold.appliance.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import onefold.appliance.Size;
import onefold.appliance.configuration.Configuration;
import onefold.appliance.configuration.ConfigurationFile;
import onefold.appliance.context.Contexts;
import onefold.appliance.json.JsonObject;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Configuration: check a file, export what has a name. */
@Command(
    name = "config",
    description =
        "Configuration: check the file that says how the process runs, export what has a name.",
    footer = {"", "Example:", "  ./onefold config check onefold-data/onefold.yaml"})
final class ConfigVerb extends Group {
  ConfigVerb(Environment environment) {
    super(new Check(environment), new Export(environment), new Memory(environment));
  }

  @Command(
      name = "memory",
      description = {
        "Show who has how much of the memory, or set what the running server may take. Caches"
            + " follow at once. It lasts until the next start, and cannot be more than its JVM was"
            + " started for."
      },
      footer = {"", "Example:", "  ./onefold config memory 1GiB"})
  private static final class Memory extends ApplianceVerb {
    @Parameters(
        paramLabel = "SIZE",
        arity = "0..1",
        description = "What the whole process may take.")
    private Optional<String> size = Optional.empty();

    Memory(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      try (RestClient rest = rest()) {
        JsonObject memory =
            size.isEmpty()
                ? rest.get("/statistics").object("memory")
                : rest.request(
                    "PATCH",
                    "/memory",
                    new JsonObject().put("bytes", Size.parse(size.orElseThrow())));
        StatsVerb.memory(memory).forEach(this::say);
        result(memory);
      }
      return Exit.DONE;
    }
  }

  @Command(
      name = "check",
      description = "Read a configuration file and say what is wrong with it.",
      footer = {"", "Example:", "  ./onefold config check onefold-data/onefold.yaml"})
  private static final class Check extends Verb {
    @Parameters(paramLabel = "FILE", description = "The file.")
    private Path file = Path.of("");

    Check(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException {
      ConfigurationFile.read(file, Configuration.defaults(Path.of(Contexts.DEFAULT_DATA)));
      say(file + " is good");
      result(new JsonObject().put("file", file.toString()).put("good", true));
      return Exit.DONE;
    }
  }

  @Command(
      name = "export",
      description =
          "Print domains, stores, shares and users (without secrets) as one JSON document.",
      footer = {"", "Example:", "  ./onefold config export > appliance.json"})
  private static final class Export extends ApplianceVerb {
    Export(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      try (RestClient rest = rest()) {
        JsonObject all =
            new JsonObject()
                .put("domains", rest.get("/domains").array("domains"))
                .put("stores", rest.get("/stores").array("stores"))
                .put("shares", rest.get("/shares").array("shares"))
                .put("users", rest.get("/users").array("users"));
        terminal().out().println(all.write());
      }
      return Exit.DONE;
    }
  }
}
