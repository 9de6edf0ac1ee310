package onefold.appliance.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import onefold.appliance.Size;
import onefold.appliance.json.JsonArray;
import onefold.appliance.json.JsonObject;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Deletes items. */
@Command(
    name = "rm",
    description = "Delete items. Their space returns with housekeeping.",
    footer = {"", "Example:", "  ./onefold rm default/monday --yes"})
final class RemoveVerb extends ApplianceVerb {
  @Parameters(paramLabel = "STORE/ITEM", arity = "1..*", description = "What to delete.")
  private List<String> items = new ArrayList<>();

  @Option(names = "--yes", description = "Do not ask.")
  private boolean yes;

  RemoveVerb(Environment environment) {
    super(environment);
  }

  @Override
  public Integer call() throws IOException, Failure {
    List<ItemReference> chosen = new ArrayList<>();
    for (String item : items) {
      chosen.add(ItemReference.parse(item, environment().now()));
    }
    JsonArray deleted = new JsonArray();
    try (RestClient rest = rest()) {
      for (ItemReference item : chosen) {
        JsonObject found = rest.get(RestClient.itemPath(item));
        String what =
            item
                + " ("
                + Size.format(found.number("lengthBytes"))
                + ", from "
                + Times.show(found.number("createdAt"))
                + ")";
        if (!yes && !terminal().confirm("Delete " + what + "?", "say --yes to delete " + what)) {
          say(item + " stays");
          continue;
        }
        rest.request("DELETE", RestClient.itemPath(item), new JsonObject());
        deleted.add(found);
        say(item + " is deleted");
        long days = rest.get("/stores/" + RestClient.encoded(item.store())).number("undeleteDays");
        if (days > 0) {
          say(
              "  it can be brought back for "
                  + days
                  + " days: ./onefold undelete "
                  + item
                  + "@"
                  + found.number("version"));
        }
      }
    }
    result(new JsonObject().put("deleted", deleted));
    return Exit.DONE;
  }
}
