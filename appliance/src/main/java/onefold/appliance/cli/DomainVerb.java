package onefold.appliance.cli;

import java.io.IOException;
import onefold.appliance.json.JsonObject;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Dedup domains: create, ls. */
@Command(
    name = "domain",
    description =
        "Dedup domains: make and list them. Chunks are shared inside a domain and never across.",
    footer = {"", "Example:", "  ./onefold domain create finance"})
final class DomainVerb extends Group {
  DomainVerb(Environment environment) {
    super(new Create(environment), new List(environment));
  }

  private static java.util.List<String> table(java.util.List<JsonObject> domains) {
    Table table = new Table("DOMAIN", ">PARAMETER SET", "ID");
    for (JsonObject domain : domains) {
      table.row(
          domain.text("name"), Long.toString(domain.number("parameterSet")), domain.text("id"));
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

    Create(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      try (RestClient rest = rest()) {
        JsonObject made = rest.request("POST", "/domains", new JsonObject().put("name", name));
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
