package onefold.appliance.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import onefold.appliance.json.JsonArray;
import onefold.appliance.json.JsonObject;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Brings deleted or replaced items back. */
@Command(
    name = "undelete",
    description = {
      "Bring back an item that was deleted or replaced, or a whole store as it was at a time.",
      "Nothing is copied. What is replaced by it can be brought back in turn."
    },
    footer = {
      "",
      "Example:",
      "  ./onefold ls default --deleted",
      "  ./onefold undelete default/monday@4711",
      "  ./onefold undelete default/monday@4711 --as monday-before",
      "  ./onefold undelete default --since 2026-11-23T02:00"
    })
final class UndeleteVerb extends ApplianceVerb {
  @Parameters(
      paramLabel = "STORE[/ITEM[@VERSION]]",
      description = "What to bring back; the newest version when none is said.")
  private String what = "";

  @Option(names = "--as", paramLabel = "ITEM", description = "Its name from now on.")
  private Optional<String> as = Optional.empty();

  @Option(names = "--replace", description = "In the place of the item that has its name now.")
  private boolean replace;

  @Option(
      names = "--since",
      paramLabel = "TIME",
      description =
          "Of a store: everything that was deleted or replaced since, as it was then; store time.")
  private Optional<String> since = Optional.empty();

  UndeleteVerb(Environment environment) {
    super(environment);
  }

  @Override
  public Integer call() throws IOException, Failure {
    boolean wholeStore = what.indexOf('/') < 0;
    if (wholeStore != since.isPresent() || (wholeStore && as.isPresent())) {
      throw Failure.misused("say STORE/ITEM[@VERSION], or STORE and --since");
    }
    JsonArray back = new JsonArray();
    try (RestClient rest = rest()) {
      if (wholeStore) {
        for (JsonObject deleted : sinceThen(rest)) {
          back.add(undelete(rest, what, deleted, deleted.text("name"), true));
        }
      } else {
        Deleted asked = Deleted.parse(what, environment().now());
        String store = asked.item().store();
        back.add(undelete(rest, store, asked.find(rest), as.orElse(asked.item().item()), replace));
      }
    }
    if (wholeStore) {
      say(back.values().size() + " items are back");
    }
    result(new JsonObject().put("items", back));
    return Exit.DONE;
  }

  /** Returns what was there at a time and has gone since: of each name at most one. */
  private List<JsonObject> sinceThen(RestClient rest) throws IOException, Failure {
    long then = LockVerb.endOf("--since", since.orElseThrow());
    List<JsonObject> wanted = new ArrayList<>();
    for (JsonObject deleted : Deleted.list(rest, what, "", Integer.MAX_VALUE)) {
      if (deleted.number("createdAt") <= then && deleted.number("deletedAt") > then) {
        wanted.add(deleted);
      }
    }
    return wanted;
  }

  private JsonObject undelete(
      RestClient rest, String store, JsonObject deleted, String name, boolean inPlace)
      throws IOException, Failure {
    JsonObject item =
        rest.request(
            "POST",
            Deleted.path(store, deleted),
            new JsonObject()
                .put("version", deleted.number("version"))
                .put("as", name)
                .put("replace", inPlace));
    say(
        store
            + "/"
            + name
            + " is back, as it was from "
            + Times.show(deleted.number("createdAt"))
            + " to "
            + Times.show(deleted.number("deletedAt")));
    return item;
  }
}
