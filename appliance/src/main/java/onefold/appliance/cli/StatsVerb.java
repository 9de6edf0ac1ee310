package onefold.appliance.cli;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import onefold.appliance.Size;
import onefold.appliance.json.JsonObject;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Figures of domains and stores. */
@Command(
    name = "stats",
    description = {
      "Show logical, unique, compressed and physical bytes.",
      "Logical is counted per store, the rest per dedup domain, in which stores share chunks."
    },
    footer = {"", "Example:", "  ./onefold stats", "  ./onefold stats default/monday"})
final class StatsVerb extends ApplianceVerb {
  @Parameters(
      paramLabel = "STORE[/ITEM]",
      arity = "0..1",
      description = "Only this store and its domain, or what an item alone keeps on the disk.")
  private Optional<String> store = Optional.empty();

  StatsVerb(Environment environment) {
    super(environment);
  }

  @Override
  public Integer call() throws IOException, Failure {
    try (RestClient rest = rest()) {
      if (store.isPresent() && store.orElseThrow().contains("/")) {
        return item(rest, ItemReference.parse(store.orElseThrow(), environment().now()));
      }
      JsonObject statistics = rest.get("/statistics");
      List<JsonObject> stores = statistics.array("stores").objects();
      List<JsonObject> domains = statistics.array("domains").objects();
      if (store.isPresent()) {
        String name = store.orElseThrow();
        stores = stores.stream().filter(s -> s.text("name").equals(name)).toList();
        if (stores.isEmpty()) {
          throw Failure.failed(
              "store '" + name + "' does not exist; make it: ./onefold store create " + name);
        }
        String domain = stores.getFirst().text("domain");
        domains = domains.stream().filter(d -> d.text("domain").equals(domain)).toList();
      }
      StoreVerb.table(stores).forEach(this::say);
      say("");
      Table table =
          new Table(
              "DOMAIN",
              ">LOGICAL",
              ">UNIQUE",
              ">COMPRESSED",
              ">PHYSICAL",
              ">RATIO",
              ">CHUNKS",
              ">CONTAINERS");
      for (JsonObject domain : domains) {
        table.row(
            domain.text("domain"),
            Size.format(domain.number("logicalBytes")),
            Size.format(domain.number("uniqueBytes")),
            Size.format(domain.number("compressedBytes")),
            Size.format(domain.number("physicalBytes")),
            ratio(domain.number("logicalBytes"), domain.number("physicalBytes")),
            Long.toString(domain.number("chunks")),
            Long.toString(domain.number("containers")));
      }
      table.lines().forEach(this::say);
      StatusVerb.capacity(statistics.object("capacity")).forEach(this::say);
      say("");
      memory(statistics.object("memory")).forEach(this::say);
      result(statistics);
    }
    return Exit.DONE;
  }

  private Integer item(RestClient rest, ItemReference reference) throws IOException, Failure {
    JsonObject item = rest.get(RestClient.itemPath(reference));
    say(reference + ", " + Size.format(item.number("lengthBytes")));
    if (item.has("space")) {
      JsonObject space = item.object("space");
      say(
          "nothing else refers to "
              + Size.format(space.number("uniqueBytes"))
              + " of it ("
              + (space.bool("exact", false) ? "counted" : "estimated from a sample")
              + ", as of "
              + Times.show(space.number("asOf"))
              + ")");
      say("on disk   " + Size.format(space.number("freedBytes")));
      say(
          "at once   "
              + Size.format(space.number("freedAtOnceBytes"))
              + (space.number("freedBy") == 0
                  ? ", but it is held"
                  : " if deleted, by " + Times.show(space.number("freedBy")))
              + "; the rest when more around it is dead");
    } else {
      say("what it alone keeps is known after the next cycle: ./onefold housekeeping");
    }
    result(item);
    return Exit.DONE;
  }

  /** Returns who has how much of the memory, as lines. */
  static List<String> memory(JsonObject memory) {
    Table table = new Table("MEMORY", ">TAKEN", ">AT MOST");
    for (JsonObject part : memory.array("parts").objects()) {
      long bound = part.number("boundBytes");
      table.row(
          part.text("part"),
          Size.format(part.number("bytes")),
          bound == 0 ? "what it needs" : Size.format(bound));
    }
    table.row("the whole process", "", Size.format(memory.number("bytes")));
    return table.lines();
  }

  /** Returns how often {@code part} lies in {@code whole}; a dash if there is no part. */
  static String ratio(long whole, long part) {
    return part <= 0 ? "-" : String.format(Locale.ROOT, "%.2f", (double) whole / part);
  }
}
