package onefold.appliance.cli;

import java.io.IOException;
import onefold.appliance.json.JsonObject;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Makes an item from another, on the appliance. */
@Command(
    name = "cp",
    description = "Make an item from another in the same dedup domain; no data is read or sent.",
    footer = {"", "Example:", "  ./onefold cp default/monday default/monday-kept"})
final class CopyVerb extends ApplianceVerb {
  @Parameters(
      index = "0",
      paramLabel = "STORE[/ITEM]",
      description = "The source; a snapshot is written STORE@NAME.")
  private String source = "";

  @Parameters(
      index = "1",
      paramLabel = "STORE[/ITEM]",
      description = "The new item, or the new store.")
  private String target = "";

  @Option(names = "--replace", description = "Take the name's place if it is taken.")
  private boolean replace;

  CopyVerb(Environment environment) {
    super(environment);
  }

  @Override
  public Integer call() throws IOException, Failure {
    boolean stores = source.indexOf('/') < 0 && target.indexOf('/') < 0;
    if (stores) {
      if (replace) {
        throw Failure.misused("a whole store replaces no other; say a new name without --replace");
      }
      copyStore();
      return Exit.DONE;
    }
    ItemReference from = ItemReference.parse(source, environment().now());
    ItemReference to = ItemReference.parse(target, environment().now());
    try (RestClient rest = rest()) {
      JsonObject made =
          rest.request(
              "POST",
              RestClient.itemPath(to),
              new JsonObject()
                  .put("fromStore", from.store())
                  .put("fromItem", from.item())
                  .put("replace", replace));
      say(to + " is made from " + from);
      result(made);
    }
    return Exit.DONE;
  }

  private void copyStore() throws IOException, Failure {
    try (RestClient rest = rest()) {
      JsonObject made =
          rest.request(
              "POST",
              "/stores/" + RestClient.encoded(source) + "/copies",
              new JsonObject().put("name", target));
      say("store " + target + " is made, with the " + made.number("items") + " items of " + source);
      result(made);
    }
  }
}
