package onefold.appliance.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import java.util.Optional;
import onefold.appliance.FrontEnd;
import onefold.appliance.Size;
import onefold.appliance.context.Context;
import onefold.appliance.json.JsonObject;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Mappings: create, ls, show, sync, set, pause, resume, rm. */
@Command(
    name = "mapping",
    description = "Mappings: keep a store on another appliance too, sending only what it lacks.",
    footer = {
      "",
      "Example:",
      "  ./onefold mapping create offsite --store default --peer-context peer.json --peer-store"
          + " default"
    })
final class MappingVerb extends Group {
  MappingVerb(Environment environment) {
    super(
        new Create(environment),
        new List(environment),
        new Show(environment),
        new Sync(environment),
        new Set(environment),
        new Rest(environment),
        new Resume(environment),
        new Remove(environment));
  }

  private static String path(String name) {
    return "/mappings/" + RestClient.encoded(name);
  }

  private static long bytesPerSecond(String text) throws Failure {
    try {
      return text.equals("0") ? 0 : Size.parse(text);
    } catch (IllegalArgumentException e) {
      throw Failure.misused(String.valueOf(e.getMessage()));
    }
  }

  /** Tells where a mapping stands. */
  private static void tell(Verb verb, JsonObject mapping) {
    JsonObject peer = mapping.object("peer");
    verb.say(
        mapping.text("name")
            + ": "
            + mapping.text("store")
            + " to "
            + peer.text("host")
            + " port "
            + peer.number("port")
            + ", "
            + mapping.text("peerStore"));
    String trigger = mapping.text("trigger");
    verb.say(
        "  state      "
            + mapping.text("state")
            + ", syncs "
            + (trigger.equals("every")
                ? "every " + mapping.number("everySeconds") + " s"
                : "on " + trigger)
            + (mapping.bool("deletions", false) ? ", deletes too" : "")
            + (mapping.number("bytesPerSecond") == 0
                ? ""
                : ", at most " + Size.format(mapping.number("bytesPerSecond")) + "/s"));
    if (!mapping.text("problem").isEmpty()) {
      verb.say("  problem    " + mapping.text("problem"));
    }
    verb.say(
        "  there      "
            + mapping.number("provenItems")
            + " of "
            + mapping.number("items")
            + " items"
            + (mapping.number("lagItems") == 0
                ? ""
                : "; not yet "
                    + Size.format(mapping.number("lagBytes"))
                    + ", the oldest for "
                    + Duration.ofMillis(mapping.number("lagMillis")).toSeconds()
                    + " s"));
    if (!mapping.text("item").isEmpty()) {
      verb.say(
          "  now        "
              + mapping.text("item")
              + ", "
              + Size.format(mapping.number("itemSettledBytes"))
              + " of "
              + Size.format(mapping.number("itemBytes")));
    }
    verb.say(
        "  so far     "
            + mapping.number("copiedItems")
            + " items of "
            + Size.format(mapping.number("logicalBytes"))
            + " by "
            + Size.format(mapping.number("wireBytes"))
            + " on the line"
            + saving(mapping.number("logicalBytes"), mapping.number("wireBytes")));
    for (JsonObject gap : mapping.array("gaps").objects()) {
      verb.say("  left out   " + gap.text("item") + ": " + gap.text("reason"));
    }
  }

  private static String saving(long logicalBytes, long wireBytes) {
    return logicalBytes == 0
        ? ""
        : String.format(Locale.ROOT, " (%.2f %%)", 100.0 * wireBytes / logicalBytes);
  }

  @Command(
      name = "create",
      description = {
        "Keep a store of this appliance in a store of a peer too. The peer is named by a context"
            + " file, as ./onefold connect writes it; its user must be allowed to write in the"
            + " store there. Items are copied with their tags, locks and holds; deletions only if"
            + " you say so."
      },
      footer = {
        "",
        "Example:",
        "  ./onefold mapping create offsite --store default --peer-context peer.json --peer-store"
            + " default"
      })
  private static final class Create extends ApplianceVerb {
    @Parameters(paramLabel = "NAME", description = "Name of the mapping.")
    private String name = "";

    @Option(
        names = "--store",
        required = true,
        paramLabel = "STORE",
        description = "The store of this appliance.")
    private String store = "";

    @Option(
        names = "--peer-context",
        required = true,
        paramLabel = "FILE",
        description = "How the peer is found, trusted and entered.")
    private Path peerContext = Path.of("");

    @Option(
        names = "--peer-store",
        required = true,
        paramLabel = "STORE",
        description = "The store of the peer.")
    private String peerStore = "";

    @Option(
        names = "--on",
        paramLabel = "commit|demand",
        description = "When it syncs by itself: as soon as something has changed, or never.")
    private String on = "commit";

    @Option(
        names = "--every",
        paramLabel = "TIME",
        description = "Sync so often instead, such as 15m, 6h, 1d.")
    private Optional<String> every = Optional.empty();

    @Option(
        names = "--deletions",
        description = "Delete a copy when its item is gone here; else it stays.")
    private boolean deletions;

    @Option(
        names = "--copies",
        description = "Pass on items that are copies themselves, for chains and the way back.")
    private boolean copies;

    @Option(
        names = "--bandwidth",
        paramLabel = "SIZE",
        description = "Most bytes a second, such as 2MB; no limit if not said.")
    private String bandwidth = "0";

    Create(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      Context peer = Context.read(peerContext);
      if (peer.user().isEmpty() || peer.password().isEmpty()) {
        throw Failure.failed(
            "context "
                + peerContext
                + " holds no user and password, which a mapping needs; make one: ./onefold connect"
                + " "
                + peer.host());
      }
      JsonObject body =
          new JsonObject()
              .put("name", name)
              .put("store", store)
              .put(
                  "peer",
                  new JsonObject()
                      .put("host", peer.host())
                      .put(
                          "port",
                          (long)
                              peer.port(FrontEnd.CATALYST.label(), FrontEnd.CATALYST.defaultPort()))
                      .put("user", peer.user())
                      .put("password", peer.password())
                      .put("pin", peer.pin()))
              .put("peerStore", peerStore)
              .put("trigger", every.isPresent() ? "every" : on)
              .put("deletions", deletions)
              .put("copies", copies)
              .put("bytesPerSecond", bytesPerSecond(bandwidth));
      if (every.isPresent()) {
        body.put("everySeconds", seconds(every.orElseThrow()));
      }
      try (RestClient rest = rest()) {
        JsonObject made = rest.request("POST", "/mappings", body);
        say("mapping " + name + " is made");
        if (!made.text("note").isEmpty()) {
          say(made.text("note"));
        }
        tell(this, made);
        result(made);
      }
      return Exit.DONE;
    }

    private static long seconds(String text) throws Failure {
      String upper = text.toUpperCase(Locale.ROOT);
      try {
        return Duration.parse(upper.endsWith("D") ? "P" + upper : "PT" + upper).toSeconds();
      } catch (DateTimeParseException e) {
        throw Failure.misused("'" + text + "' is no time such as 15m, 6h or 1d");
      }
    }
  }

  @Command(
      name = "ls",
      description = "List the mappings and how far they are.",
      footer = {"", "Example:", "  ./onefold mapping ls"})
  private static final class List extends ApplianceVerb {
    List(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      try (RestClient rest = rest()) {
        JsonObject all = rest.get("/mappings");
        Table table =
            new Table("MAPPING", "STORE", "PEER", "PEER STORE", "STATE", ">THERE", ">LAG", ">LINE");
        for (JsonObject mapping : all.array("mappings").objects()) {
          table.row(
              mapping.text("name"),
              mapping.text("store"),
              mapping.object("peer").text("host"),
              mapping.text("peerStore"),
              mapping.text("state"),
              mapping.number("provenItems") + "/" + mapping.number("items"),
              Size.format(mapping.number("lagBytes")),
              Size.format(mapping.number("wireBytes")));
        }
        table.lines().forEach(this::say);
        result(all);
      }
      return Exit.DONE;
    }
  }

  @Command(
      name = "show",
      description = "Show a mapping: how far it is, what it cost, what it leaves out and why.",
      footer = {"", "Example:", "  ./onefold mapping show offsite"})
  private static final class Show extends ApplianceVerb {
    @Parameters(paramLabel = "NAME", description = "Name of the mapping.")
    private String name = "";

    Show(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      try (RestClient rest = rest()) {
        JsonObject mapping = rest.get(path(name));
        tell(this, mapping);
        result(mapping);
      }
      return Exit.DONE;
    }
  }

  @Command(
      name = "sync",
      description = {
        "Make the peer have what this appliance has, now. With --wait it ends when that is done:"
            + " 0 if everything is there, 3 if items were left out, 1 if the peer could not be"
            + " reached or refused."
      },
      footer = {"", "Example:", "  ./onefold mapping sync offsite --wait"})
  private static final class Sync extends ApplianceVerb {
    private static final long MILLIS_BETWEEN = 100;

    @Parameters(paramLabel = "NAME", description = "Name of the mapping.")
    private String name = "";

    @Option(names = "--wait", description = "Wait until it is done.")
    private boolean wait;

    Sync(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      try (RestClient rest = rest()) {
        JsonObject mapping = rest.request("POST", path(name) + "/sync", new JsonObject());
        long wanted = mapping.number("wantedPass");
        while (wait && mapping.number("finishedPass") < wanted) {
          if (mapping.text("state").equals("paused")) {
            throw Failure.failed("mapping " + name + " was paused");
          }
          try {
            Thread.sleep(MILLIS_BETWEEN);
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Exit.FAILED;
          }
          mapping = rest.get(path(name));
        }
        tell(this, mapping);
        result(mapping);
        if (!wait) {
          return Exit.DONE;
        }
        if (!mapping.text("problem").isEmpty()) {
          return Exit.FAILED;
        }
        return mapping.number("gapCount") > 0 ? Exit.GAPS : Exit.DONE;
      }
    }
  }

  @Command(
      name = "set",
      description = "Change a mapping.",
      footer = {"", "Example:", "  ./onefold mapping set offsite --bandwidth 2MB"})
  private static final class Set extends ApplianceVerb {
    @Parameters(paramLabel = "NAME", description = "Name of the mapping.")
    private String name = "";

    @Option(
        names = "--bandwidth",
        required = true,
        paramLabel = "SIZE",
        description = "Most bytes a second, such as 2MB; 0 for no limit.")
    private String bandwidth = "0";

    Set(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      try (RestClient rest = rest()) {
        JsonObject mapping =
            rest.request(
                "PATCH",
                path(name),
                new JsonObject().put("bytesPerSecond", bytesPerSecond(bandwidth)));
        tell(this, mapping);
        result(mapping);
      }
      return Exit.DONE;
    }
  }

  /** Pauses or resumes. */
  private abstract static class Pausing extends ApplianceVerb {
    @Parameters(paramLabel = "NAME", description = "Name of the mapping.")
    private String name = "";

    private final boolean paused;

    Pausing(Environment environment, boolean paused) {
      super(environment);
      this.paused = paused;
    }

    @Override
    public Integer call() throws IOException, Failure {
      try (RestClient rest = rest()) {
        JsonObject mapping =
            rest.request("PATCH", path(name), new JsonObject().put("paused", paused));
        say("mapping " + name + (paused ? " rests" : " goes on"));
        result(mapping);
      }
      return Exit.DONE;
    }
  }

  @Command(
      name = "pause",
      description = "Let a mapping rest until it is resumed; an item under way goes on from there.",
      footer = {"", "Example:", "  ./onefold mapping pause offsite"})
  private static final class Rest extends Pausing {
    Rest(Environment environment) {
      super(environment, true);
    }
  }

  @Command(
      name = "resume",
      description = "Let a mapping go on.",
      footer = {"", "Example:", "  ./onefold mapping resume offsite"})
  private static final class Resume extends Pausing {
    Resume(Environment environment) {
      super(environment, false);
    }
  }

  @Command(
      name = "rm",
      description = "Forget a mapping. What it has copied stays on the peer.",
      footer = {"", "Example:", "  ./onefold mapping rm offsite"})
  private static final class Remove extends ApplianceVerb {
    @Parameters(paramLabel = "NAME", description = "Name of the mapping.")
    private String name = "";

    Remove(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      try (RestClient rest = rest()) {
        rest.request("DELETE", path(name), new JsonObject());
        say("mapping " + name + " is removed; its copies stay on the peer");
        result(new JsonObject().put("removed", name));
      }
      return Exit.DONE;
    }
  }
}
