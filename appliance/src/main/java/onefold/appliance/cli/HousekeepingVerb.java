package onefold.appliance.cli;

import java.io.IOException;
import java.util.Optional;
import onefold.appliance.Size;
import onefold.appliance.json.JsonObject;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Housekeeping: run it, watch it, pause it. */
@Command(
    name = "housekeeping",
    description =
        "Run one whole cycle of housekeeping: mark what is live, return the rest's space.",
    footer = {"", "Example:", "  ./onefold housekeeping", "  ./onefold housekeeping --watch"})
final class HousekeepingVerb extends ApplianceVerb {

  /** What to do instead of running it; at most one. */
  private static final class Choice {
    @Option(
        names = "--watch",
        description = "Show where it stands every second, until interrupted.")
    private boolean watch;

    @Option(names = "--status", description = "Show where it stands.")
    private boolean status;

    @Option(names = "--pause", description = "Let it rest, over a restart too, until --resume.")
    private boolean pause;

    @Option(names = "--resume", description = "Let it go on.")
    private boolean resume;

    @Option(
        names = "--recompress",
        description = "Run it, and recompress everything that has not been, cold or not.")
    private boolean recompress;

    @Option(
        names = "--recompression",
        paramLabel = "on|off",
        description = "Whether cold containers are recompressed when nothing else is done.")
    private Optional<String> recompression = Optional.empty();
  }

  @ArgGroup private Choice choice = new Choice();

  @Option(names = "--domain", paramLabel = "D", description = "Only this dedup domain.")
  private Optional<String> domain = Optional.empty();

  HousekeepingVerb(Environment environment) {
    super(environment);
  }

  @Override
  public Integer call() throws IOException, Failure {
    try (RestClient rest = rest()) {
      Choice chosen = choice;
      if (chosen.watch) {
        watch(rest);
        return Exit.DONE;
      }
      JsonObject state;
      if (chosen.status) {
        state = rest.get("/housekeeping");
      } else if (chosen.pause || chosen.resume) {
        state =
            rest.request("PATCH", "/housekeeping", new JsonObject().put("paused", chosen.pause));
      } else if (chosen.recompression.isPresent()) {
        state =
            rest.request(
                "PATCH",
                "/housekeeping",
                new JsonObject().put("recompression", isOn(chosen.recompression.orElseThrow())));
      } else {
        JsonObject body = new JsonObject().put("recompress", chosen.recompress);
        domain.ifPresent(d -> body.put("domain", d));
        state = rest.request("POST", "/housekeeping", body);
      }
      show(state);
      result(state);
      boolean stopped =
          state.array("domains").objects().stream().anyMatch(d -> !d.text("problem").isEmpty());
      return stopped ? Exit.FAILED : Exit.DONE;
    }
  }

  private void watch(RestClient rest) throws IOException {
    while (!terminal().out().checkError()) {
      JsonObject state = rest.get("/housekeeping");
      show(state);
      result(state);
      if (!pause()) {
        return;
      }
    }
  }

  private void show(JsonObject state) {
    Table table =
        new Table(
            "DOMAIN",
            "PHASE",
            ">DONE",
            ">CYCLE",
            "LAST FINISHED",
            ">LIVE CHUNKS",
            ">BACKLOG",
            ">RECLAIMED",
            "PROBLEM");
    for (JsonObject found : state.array("domains").objects()) {
      table.row(
          found.text("domain"),
          found.text("phase"),
          progress(found),
          Long.toString(found.number("cycle")),
          Times.show(found.number("lastFinishedAt")),
          Long.toString(found.number("liveChunks")),
          Size.format(found.number("backlogBytes")),
          Size.format(found.number("reclaimedBytes")),
          found.text("problem"));
    }
    table.lines().forEach(this::say);
    state.array("domains").objects().forEach(this::sayRecompression);
  }

  private static boolean isOn(String said) throws Failure {
    return switch (said) {
      case "on" -> true;
      case "off" -> false;
      default -> throw Failure.misused("--recompression '" + said + "', expected on or off");
    };
  }

  /** Says where recompression stands, if there is anything to say. */
  private void sayRecompression(JsonObject found) {
    JsonObject now = found.object("recompression");
    String text =
        (now.bool("on", true) ? "" : "off, ")
            + (now.bool("running", false) ? "running, " : "")
            + Size.format(now.number("waitingBytes"))
            + " wait, "
            + now.number("done")
            + " containers made smaller, from "
            + Size.format(now.number("beforeBytes"))
            + " to "
            + Size.format(now.number("afterBytes"));
    say("recompression of " + found.text("domain") + ": " + text);
    if (!now.text("problem").isEmpty()) {
      say("  " + now.text("problem"));
    }
  }

  private static String progress(JsonObject found) {
    if (found.number("startedAt") == 0) {
      return found.bool("wanted", false) ? "wanted" : "-";
    }
    return found.number("progressPermille") / 10 + " %";
  }
}
