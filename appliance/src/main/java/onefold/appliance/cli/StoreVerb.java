package onefold.appliance.cli;

import java.io.IOException;
import java.util.Optional;
import onefold.appliance.Size;
import onefold.appliance.json.JsonObject;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Stores: create, ls, show, set, rm. */
@Command(
    name = "store",
    description = "Stores: make, list, show, change and delete them.",
    footer = {
      "",
      "Example:",
      "  ./onefold store create mail --quota 2TB --compression zstd --lock 30"
    })
final class StoreVerb extends Group {
  StoreVerb(Environment environment) {
    super(
        new Create(environment),
        new List(environment),
        new Show(environment),
        new Set(environment),
        new Remove(environment));
  }

  /** Prints stores as a table. */
  static java.util.List<String> table(java.util.List<JsonObject> stores) {
    Table table =
        new Table(
            "STORE",
            "DOMAIN",
            ">ITEMS",
            ">LOGICAL",
            ">QUOTA",
            "COMPRESSION",
            ">LOCK",
            ">UNFINISHED",
            ">UNDELETE",
            ">DELETED");
    for (JsonObject store : stores) {
      long quotaBytes = store.number("quotaBytes");
      table.row(
          store.text("name"),
          store.text("domain"),
          Long.toString(store.number("items")),
          Size.format(store.number("logicalBytes")),
          (quotaBytes == 0 ? "-" : Size.format(quotaBytes))
              + (store.bool("overSoftQuota", false) ? " !" : ""),
          store.text("compression"),
          lock(store),
          Long.toString(store.number("unfinishedUploads")),
          store.number("undeleteDays") == 0 ? "-" : store.number("undeleteDays") + " d",
          store.number("deletedItems") == 0 ? "-" : Size.format(store.number("deletedBytes")));
    }
    return table.lines();
  }

  private static String lock(JsonObject store) {
    long days = store.number("lockDays");
    return days == 0
        ? "-"
        : days + " d" + (store.text("lockKind").equals("compliance") ? " firm" : "");
  }

  private abstract static class WithSettings extends ApplianceVerb {
    @Parameters(paramLabel = "NAME", description = "The store.")
    String name = "";

    @Option(
        names = "--quota",
        paramLabel = "SIZE",
        description = "Most logical bytes of all items together, or none.")
    private Optional<String> quota = Optional.empty();

    @Option(names = "--compression", paramLabel = "C", description = "lz4, zstd or none.")
    private Optional<String> compression = Optional.empty();

    @Option(
        names = "--lock",
        paramLabel = "DAYS",
        description = "Lock every new item for so many days.")
    private Optional<Integer> lockDays = Optional.empty();

    @Option(
        names = "--lock-kind",
        paramLabel = "KIND",
        description = "governance or compliance: how firm these locks are.")
    private Optional<String> lockKind = Optional.empty();

    @Option(
        names = "--undelete",
        paramLabel = "DAYS",
        description = "What is deleted or replaced can be brought back for so many days.")
    private Optional<Integer> undeleteDays = Optional.empty();

    @Option(
        names = "--soft-quota",
        paramLabel = "SIZE",
        description = "Warn when all items together have more logical bytes, or none.")
    private Optional<String> softQuota = Optional.empty();

    WithSettings(Environment environment) {
      super(environment);
    }

    JsonObject settings() {
      JsonObject body = new JsonObject();
      quota.ifPresent(q -> body.put("quotaBytes", q.equals("none") ? 0 : Size.parse(q)));
      compression.ifPresent(c -> body.put("compression", c));
      lockDays.ifPresent(d -> body.put("lockDays", (long) d));
      lockKind.ifPresent(k -> body.put("lockKind", k));
      undeleteDays.ifPresent(d -> body.put("undeleteDays", (long) d));
      softQuota.ifPresent(q -> body.put("softQuotaBytes", q.equals("none") ? 0 : Size.parse(q)));
      return body;
    }

    JsonObject checkedSettings() throws Failure {
      try {
        return settings();
      } catch (IllegalArgumentException e) {
        throw Failure.misused(String.valueOf(e.getMessage()));
      }
    }
  }

  @Command(
      name = "create",
      description = "Make a store.",
      footer = {"", "Example:", "  ./onefold store create mail --quota 2TB"})
  private static final class Create extends WithSettings {
    @Option(
        names = "--domain",
        paramLabel = "D",
        description = "Its dedup domain; default when not said.")
    private Optional<String> domain = Optional.empty();

    Create(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      JsonObject body = checkedSettings().put("name", name);
      domain.ifPresent(d -> body.put("domain", d));
      try (RestClient rest = rest()) {
        JsonObject made = rest.request("POST", "/stores", body);
        say("store " + name + " is made");
        result(made);
      }
      return Exit.DONE;
    }
  }

  @Command(
      name = "ls",
      description = "List the stores.",
      footer = {"", "Example:", "  ./onefold store ls"})
  private static final class List extends ListAll {
    List(Environment environment) {
      super(environment, "stores", StoreVerb::table);
    }
  }

  @Command(
      name = "show",
      description = "Show a store and its figures.",
      footer = {"", "Example:", "  ./onefold store show mail"})
  private static final class Show extends ShowOne {
    Show(Environment environment) {
      super(environment, "stores", StoreVerb::table);
    }
  }

  @Command(
      name = "set",
      description = "Change a store's settings; what is not named stays.",
      footer = {"", "Example:", "  ./onefold store set mail --quota none"})
  private static final class Set extends WithSettings {
    Set(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      JsonObject body = checkedSettings();
      if (body.fields().isEmpty()) {
        throw Failure.misused(
            "nothing to change was named: --quota, --compression, --lock, --lock-kind,"
                + " --undelete or --soft-quota");
      }
      try (RestClient rest = rest()) {
        JsonObject changed = rest.request("PATCH", "/stores/" + RestClient.encoded(name), body);
        table(java.util.List.of(changed)).forEach(this::say);
        result(changed);
      }
      return Exit.DONE;
    }
  }

  @Command(
      name = "rm",
      description = "Delete a store.",
      footer = {"", "Example:", "  ./onefold store rm mail"})
  private static final class Remove extends ApplianceVerb {
    @Parameters(paramLabel = "NAME", description = "The store.")
    private String name = "";

    @Option(names = "--with-items", description = "Also if it holds items, which are deleted.")
    private boolean withItems;

    @Option(names = "--yes", description = "Do not ask.")
    private boolean yes;

    Remove(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      try (RestClient rest = rest()) {
        String path = "/stores/" + RestClient.encoded(name);
        JsonObject store = rest.get(path);
        long items = store.number("items");
        if (items > 0 && !withItems) {
          throw Failure.failed(
              "store '"
                  + name
                  + "' holds "
                  + items
                  + " items; delete them with it: ./onefold store rm "
                  + name
                  + " --with-items");
        }
        if (items > 0 && !yes) {
          boolean agreed =
              terminal()
                  .confirm(
                      "Delete store " + name + " with " + items + " items?",
                      "store '" + name + "' holds " + items + " items; say --yes to delete it");
          if (!agreed) {
            throw Failure.failed("nothing was deleted");
          }
        }
        rest.request("DELETE", path + "?withItems=" + withItems, new JsonObject());
        say("store " + name + " is deleted");
        result(new JsonObject().put("deleted", name));
      }
      return Exit.DONE;
    }
  }
}
