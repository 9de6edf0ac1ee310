package onefold.appliance.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import onefold.appliance.Size;
import onefold.appliance.json.JsonArray;
import onefold.appliance.json.JsonObject;
import onefold.store.CorruptDataException;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Reads everything back and proves it: beside a running server, or in a data directory. */
@Command(
    name = "scrub",
    description = {
      "Read everything back and prove it: begins a pass beside the other work of the server.",
      "With --data, in a data directory without its server: each damage is a line 'DAMAGED file"
          + " offset what'; exit code 0 clean, 1 damage found, 2 could not run."
    },
    footer = {
      "",
      "Example:",
      "  ./onefold scrub --watch",
      "  ./onefold scrub --damages",
      "  ./onefold scrub --data ./onefold-data"
    })
final class ScrubVerb extends ApplianceVerb {

  /** Items of a damage that are named in a table's row. */
  private static final int NAMED = 3;

  /** What to do instead of beginning a pass; at most one. */
  private static final class Choice {
    @Option(
        names = "--data",
        paramLabel = "DIR",
        description = "Read a data directory, without its server.")
    private Optional<Path> data = Optional.empty();

    @Option(names = "--status", description = "Show where it stands.")
    private boolean status;

    @Option(names = "--pause", description = "Let it rest.")
    private boolean pause;

    @Option(names = "--resume", description = "Let it go on.")
    private boolean resume;

    @Option(
        names = "--damages",
        description = "List what is damaged, in the order of repair, with the items that need it.")
    private boolean damages;

    @Option(
        names = "--first",
        paramLabel = "CONTAINER",
        description = "Repair this damage first; with --domain unless it is in default.")
    private Optional<Long> first = Optional.empty();

    @Option(names = "--repair", description = "Try every repair again.")
    private boolean repair;
  }

  @ArgGroup private Choice choice = new Choice();

  @Option(
      names = "--watch",
      description = "Show where it stands every second, until the pass is finished.")
  private boolean watch;

  @Option(names = "--domain", paramLabel = "D", description = "Only this dedup domain.")
  private Optional<String> domain = Optional.empty();

  ScrubVerb(Environment environment) {
    super(environment);
  }

  @Override
  public Integer call() throws IOException, Failure {
    Choice chosen = choice;
    if (chosen.data.isPresent()) {
      if (watch || domain.isPresent()) {
        throw Failure.misused("--data reads a whole directory at once: without --watch, --domain");
      }
      return offline(chosen.data.orElseThrow());
    }
    try (RestClient rest = rest()) {
      if (chosen.damages) {
        return damages(rest.get("/damages"));
      }
      if (chosen.repair || chosen.first.isPresent()) {
        JsonObject body = inDomain();
        if (chosen.first.isPresent()) {
          body.put("container", chosen.first.orElseThrow());
          if (domain.isEmpty()) {
            body.put("domain", "default");
          }
        }
        return damages(rest.request("POST", "/damages", body));
      }
      JsonObject state;
      if (chosen.status) {
        state = rest.get("/scrub");
      } else if (chosen.pause || chosen.resume) {
        state = rest.request("PATCH", "/scrub", inDomain().put("paused", chosen.pause));
      } else {
        state = rest.request("POST", "/scrub", inDomain());
      }
      show(state);
      while (watch && isBusy(state) && !terminal().out().checkError() && pause()) {
        state = rest.get("/scrub");
        show(state);
      }
      result(state);
      return isWell(state) ? Exit.DONE : Exit.FAILED;
    }
  }

  private JsonObject inDomain() {
    JsonObject body = new JsonObject();
    domain.ifPresent(d -> body.put("domain", d));
    return body;
  }

  private static boolean isBusy(JsonObject state) {
    return state.array("domains").objects().stream()
        .anyMatch(d -> !d.text("phase").equals("idle") && !d.text("phase").equals("paused"));
  }

  private static boolean isWell(JsonObject state) {
    return state.array("domains").objects().stream()
        .allMatch(d -> d.text("problem").isEmpty() && d.number("damages") == 0);
  }

  private void show(JsonObject state) {
    Table table =
        new Table(
            "DOMAIN",
            "PHASE",
            ">READ",
            ">LEFT",
            "FINISHES",
            "LAST FINISHED",
            ">DAMAGED",
            ">REPAIRED",
            "PARITY",
            "PROBLEM");
    for (JsonObject found : state.array("domains").objects()) {
      long without = found.number("withoutParity");
      String parity =
          !found.bool("parity", false) ? "off" : without == 0 ? "on" : "on, not yet " + without;
      table.row(
          found.text("domain"),
          found.text("phase"),
          Size.format(found.number("readBytes")),
          Size.format(found.number("leftBytes")),
          Times.show(found.number("finishesAt")),
          Times.show(found.number("lastFinishedAt")),
          Long.toString(found.number("damages")),
          Long.toString(found.number("repaired")),
          parity,
          found.text("problem"));
    }
    table.lines().forEach(this::say);
  }

  private int damages(JsonObject listed) {
    List<JsonObject> damages = listed.array("damages").objects();
    if (damages.isEmpty()) {
      say("nothing is damaged, as far as has been read");
    } else {
      Table table =
          new Table("DOMAIN", ">CONTAINER", ">MISSING CHUNKS", "FOUND", ">ITEMS", "NEEDED BY");
      for (JsonObject damage : damages) {
        table.row(
            damage.text("domain"),
            Long.toString(damage.number("container")),
            damage.number("missingChunks") + (damage.bool("unknownChunks", false) ? "+" : ""),
            Times.show(damage.number("foundAt")),
            damage.bool("mapped", false) ? Long.toString(damage.number("itemCount")) : "?",
            names(damage));
      }
      table.lines().forEach(this::say);
    }
    result(listed);
    return damages.isEmpty() ? Exit.DONE : Exit.FAILED;
  }

  private static String names(JsonObject damage) {
    List<String> names = new ArrayList<>();
    for (JsonObject item : damage.array("items").objects()) {
      if (names.size() == NAMED) {
        names.add("…");
        break;
      }
      names.add(item.text("store") + "/" + item.text("name"));
    }
    return String.join(", ", names);
  }

  // ---- without a server

  private int offline(Path data) throws Failure {
    JsonArray damages = new JsonArray();
    try {
      Scrub.run(
          data,
          damage -> {
            damages.add(
                new JsonObject()
                    .put("file", damage.file())
                    .put("offset", damage.offsetBytes())
                    .put("what", String.valueOf(damage.getMessage())));
            say(line(damage));
            terminal().out().flush();
          });
    } catch (IOException e) {
      throw Failure.misused(explain(e));
    }
    result(new JsonObject().put("damaged", damages));
    return damages.values().isEmpty() ? Exit.DONE : Exit.FAILED;
  }

  private static String line(CorruptDataException damage) {
    String what = String.valueOf(damage.getMessage()).replace('\n', ' ');
    return "DAMAGED " + damage.file().replace(' ', '_') + " " + damage.offsetBytes() + " " + what;
  }
}
