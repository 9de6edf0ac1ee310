package onefold.appliance.cli;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import onefold.appliance.json.JsonArray;
import onefold.appliance.json.JsonObject;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Gives deleted items up. */
@Command(
    name = "purge",
    description = {
      "Give up deleted items, so that housekeeping returns their space.",
      "They go by themselves when their time has come; before that it takes an administrator with"
          + " the right to shorten locks, and a reason, which is kept."
    },
    footer = {
      "",
      "Example:",
      "  ./onefold purge default/monday@4711 --reason 'the disk is full'",
      "  ./onefold purge default --all --reason 'the disk is full'"
    })
final class PurgeVerb extends ApplianceVerb {
  @Parameters(paramLabel = "STORE[/ITEM[@VERSION]]", description = "What to give up.")
  private String what = "";

  @Option(names = "--all", description = "All deleted items of a store.")
  private boolean all;

  @Option(names = "--reason", paramLabel = "TEXT", description = "Why before their time.")
  private Optional<String> reason = Optional.empty();

  @Option(names = "--yes", description = "Do not ask.")
  private boolean yes;

  PurgeVerb(Environment environment) {
    super(environment);
  }

  @Override
  public Integer call() throws IOException, Failure {
    if ((what.indexOf('/') < 0) != all) {
      throw Failure.misused("say STORE/ITEM[@VERSION], or STORE and --all");
    }
    JsonArray purged = new JsonArray();
    try (RestClient rest = rest()) {
      String store = all ? what : Deleted.parse(what, environment().now()).item().store();
      List<JsonObject> chosen =
          all
              ? Deleted.list(rest, what, "", Integer.MAX_VALUE)
              : List.of(Deleted.parse(what, environment().now()).find(rest));
      String question = chosen.size() + " deleted items of store " + store;
      if (!chosen.isEmpty()
          && !yes
          && !terminal().confirm("Give up " + question + "?", "say --yes to give up " + question)) {
        throw Failure.failed("nothing was given up");
      }
      for (JsonObject deleted : chosen) {
        JsonObject body = new JsonObject().put("version", deleted.number("version"));
        reason.ifPresent(why -> body.put("reason", why));
        rest.request("DELETE", Deleted.path(store, deleted), body);
        purged.add(deleted);
      }
    }
    say(purged.values().size() + " deleted items are given up");
    result(new JsonObject().put("purged", purged));
    return Exit.DONE;
  }
}
