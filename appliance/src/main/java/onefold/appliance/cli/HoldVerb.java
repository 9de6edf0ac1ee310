package onefold.appliance.cli;

import java.io.IOException;
import onefold.appliance.json.JsonObject;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Holds an item until it is released. */
@Command(
    name = "hold",
    description = "Hold an item: nobody can delete or replace it until it is released.",
    footer = {
      "",
      "Example:",
      "  ./onefold hold default/monday",
      "  ./onefold hold default/monday --release"
    })
final class HoldVerb extends ApplianceVerb {
  @Parameters(paramLabel = "STORE/ITEM", description = "What to hold.")
  private String item = "";

  @Option(names = "--release", description = "End the hold.")
  private boolean release;

  HoldVerb(Environment environment) {
    super(environment);
  }

  @Override
  public Integer call() throws IOException, Failure {
    ItemReference reference = ItemReference.parse(item, environment().now());
    try (RestClient rest = rest()) {
      JsonObject held =
          rest.request(
              "PATCH", RestClient.itemPath(reference), new JsonObject().put("held", !release));
      say(reference + (release ? " is released" : " is held"));
      result(held);
    }
    return Exit.DONE;
  }
}
