package onefold.appliance.cli;

import java.io.IOException;
import java.util.Optional;
import onefold.appliance.json.JsonObject;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Dedup domains: create, ls, set. */
@Command(
    name = "domain",
    description =
        "Dedup domains: make and list them. Chunks are shared inside a domain and never across.",
    footer = {"", "Example:", "  ./onefold domain create finance"})
final class DomainVerb extends Group {
  private static final String PARITY =
      "Whether any one megabyte of each container may be lost, for 1.8 %% more space.";

  private static final String VERIFY =
      "Whether bytes are compared before a chunk is shared. All bytes cross the line then.";

  DomainVerb(Environment environment) {
    super(new Create(environment), new List(environment), new Set(environment));
  }

  private static java.util.List<String> table(java.util.List<JsonObject> domains) {
    Table table = new Table("DOMAIN", ">PARAMETER SET", "PARITY", "VERIFY", "ID");
    for (JsonObject domain : domains) {
      table.row(
          domain.text("name"),
          Long.toString(domain.number("parameterSet")),
          domain.bool("parity", false) ? "on" : "off",
          domain.bool("verifyOnMatch", false) ? "on" : "off",
          domain.text("id"));
    }
    return table.lines();
  }

  @Command(
      name = "create",
      description = "Make a dedup domain.",
      footer = {"", "Example:", "  ./onefold domain create finance"})
  private static final class Create extends ApplianceVerb {
    @Parameters(paramLabel = "NAME", description = "The domain.")
    private String name = "";

    @Option(names = "--parity", paramLabel = "on|off", description = PARITY)
    private Optional<String> parity = Optional.empty();

    @Option(names = "--verify-on-match", paramLabel = "on|off", description = VERIFY)
    private Optional<String> verify = Optional.empty();

    Create(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      try (RestClient rest = rest()) {
        JsonObject body = options(parity, verify).put("name", name);
        JsonObject made = rest.request("POST", "/domains", body);
        say(
            "domain "
                + name
                + " is made; put a store into it: ./onefold store create NAME --domain "
                + name);
        result(made);
      }
      return Exit.DONE;
    }
  }

  private static JsonObject options(Optional<String> parity, Optional<String> verify)
      throws Failure {
    JsonObject body = new JsonObject();
    if (parity.isPresent()) {
      body.put("parity", onOrOff("--parity", parity.orElseThrow()));
    }
    if (verify.isPresent()) {
      body.put("verifyOnMatch", onOrOff("--verify-on-match", verify.orElseThrow()));
    }
    return body;
  }

  private static boolean onOrOff(String option, String value) throws Failure {
    return switch (value) {
      case "on" -> true;
      case "off" -> false;
      default -> throw Failure.misused(option + " '" + value + "' is neither on nor off");
    };
  }

  @Command(
      name = "set",
      description = {
        "Change a dedup domain's options.",
        "Parity: what is stored already follows. Comparing: from the next upload on."
      },
      footer = {
        "",
        "Example:",
        "  ./onefold domain set default --parity on",
        "  ./onefold domain set default --verify-on-match on"
      })
  private static final class Set extends ApplianceVerb {
    @Parameters(paramLabel = "NAME", description = "The domain.")
    private String name = "";

    @Option(names = "--parity", paramLabel = "on|off", description = PARITY)
    private Optional<String> parity = Optional.empty();

    @Option(names = "--verify-on-match", paramLabel = "on|off", description = VERIFY)
    private Optional<String> verify = Optional.empty();

    Set(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      JsonObject body = options(parity, verify);
      if (body.fields().isEmpty()) {
        throw Failure.misused("nothing to set: name --parity or --verify-on-match");
      }
      try (RestClient rest = rest()) {
        JsonObject changed = rest.request("PATCH", "/domains/" + RestClient.encoded(name), body);
        table(java.util.List.of(changed)).forEach(this::say);
        result(changed);
      }
      return Exit.DONE;
    }
  }

  @Command(
      name = "ls",
      description = "List the dedup domains.",
      footer = {"", "Example:", "  ./onefold domain ls"})
  private static final class List extends ListAll {
    List(Environment environment) {
      super(environment, "domains", DomainVerb::table);
    }
  }
}
