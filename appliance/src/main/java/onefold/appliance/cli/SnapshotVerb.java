package onefold.appliance.cli;

import java.io.IOException;
import java.util.Optional;
import onefold.appliance.Size;
import onefold.appliance.json.JsonObject;
import onefold.store.SnapshotRecord;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Snapshots of stores: create, ls, lock, rm. */
@Command(
    name = "snapshot",
    description = {
      "Snapshots: keep a store as it is now, list, lock and delete what was kept.",
      "A snapshot is read like a store: ls, get, restore, verify and cp take STORE@NAME. It costs"
          + " the space of what has gone from the store since."
    },
    footer = {
      "",
      "Example:",
      "  ./onefold snapshot create default@before-update",
      "  ./onefold restore default@before-update/srv /tmp/srv"
    })
final class SnapshotVerb extends Group {
  SnapshotVerb(Environment environment) {
    super(
        new Create(environment),
        new List(environment),
        new Lock(environment),
        new Remove(environment));
  }

  /** Returns the path of a store's snapshots. */
  private static String path(String store) {
    return "/stores/" + RestClient.encoded(store) + "/snapshots";
  }

  private abstract static class OfOne extends ApplianceVerb {
    @Parameters(paramLabel = "STORE@NAME", description = "The snapshot.")
    String snapshot = "";

    OfOne(Environment environment) {
      super(environment);
    }

    String store() throws Failure {
      if (snapshot.indexOf(SnapshotRecord.MARK) < 1 || snapshot.indexOf('/') >= 0) {
        throw Failure.misused("'" + snapshot + "' is no STORE@NAME, such as default@monday");
      }
      return SnapshotRecord.storeName(snapshot);
    }

    String name() {
      return snapshot.substring(snapshot.indexOf(SnapshotRecord.MARK) + 1);
    }

    String path() throws Failure {
      return SnapshotVerb.path(store()) + "/" + RestClient.encoded(name());
    }
  }

  @Command(
      name = "create",
      description = "Keep a store as it is now.",
      footer = {"", "Example:", "  ./onefold snapshot create default@before-update"})
  private static final class Create extends OfOne {
    Create(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      String all = SnapshotVerb.path(store());
      try (RestClient rest = rest()) {
        JsonObject made = rest.request("POST", all, new JsonObject().put("name", name()));
        say("snapshot " + snapshot + " is made, of " + made.number("items") + " items");
        result(made);
      }
      return Exit.DONE;
    }
  }

  @Command(
      name = "ls",
      description = "List the snapshots of a store.",
      footer = {"", "Example:", "  ./onefold snapshot ls default"})
  private static final class List extends ApplianceVerb {
    @Parameters(paramLabel = "STORE", arity = "0..1", description = "default when not said.")
    private String store = "default";

    List(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      try (RestClient rest = rest()) {
        JsonObject all = rest.get(SnapshotVerb.path(store));
        Table table = new Table("SNAPSHOT", ">ITEMS", ">LOGICAL", "MADE", "STATE");
        for (JsonObject found : all.array("snapshots").objects()) {
          long until = found.number("lockedUntil");
          boolean firm = found.text("lockKind").equals("compliance");
          table.row(
              found.text("readAs"),
              Long.toString(found.number("items")),
              Size.format(found.number("logicalBytes")),
              Times.show(found.number("createdAt")),
              until == 0
                  ? ""
                  : "locked until " + Times.show(until) + (firm ? " (compliance)" : ""));
        }
        table.lines().forEach(this::say);
        result(all);
      }
      return Exit.DONE;
    }
  }

  @Command(
      name = "lock",
      description = "Lock a snapshot: until then nobody can delete it. As 'lock' for items.",
      footer = {"", "Example:", "  ./onefold snapshot lock default@before-update --days 30"})
  private static final class Lock extends OfOne {
    @Option(names = "--days", paramLabel = "DAYS", description = "Days of store time from now.")
    private Optional<Integer> days = Optional.empty();

    @Option(names = "--until", paramLabel = "DATE", description = "A date, its end; or a time.")
    private Optional<String> until = Optional.empty();

    @Option(names = "--kind", paramLabel = "KIND", description = "governance or compliance.")
    private Optional<String> kind = Optional.empty();

    @Option(names = "--reason", paramLabel = "TEXT", description = "Why a lock is shortened.")
    private Optional<String> reason = Optional.empty();

    @Option(names = "--yes", description = "Do not ask before a compliance lock.")
    private boolean yes;

    Lock(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      JsonObject body = LockVerb.lock(days, until, kind, reason);
      LockVerb.confirm(terminal(), snapshot, kind, yes);
      try (RestClient rest = rest()) {
        JsonObject locked = rest.request("PATCH", path(), body);
        say(snapshot + " is locked until " + Times.show(locked.number("lockedUntil")));
        result(locked);
      }
      return Exit.DONE;
    }
  }

  @Command(
      name = "rm",
      description = "Delete a snapshot; the store and its items stay.",
      footer = {"", "Example:", "  ./onefold snapshot rm default@before-update --yes"})
  private static final class Remove extends OfOne {
    @Option(names = "--yes", description = "Do not ask.")
    private boolean yes;

    Remove(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      String one = path();
      if (!yes
          && !terminal()
              .confirm(
                  "Delete the snapshot " + snapshot + "?",
                  "say --yes to delete the snapshot " + snapshot)) {
        throw Failure.failed("nothing was deleted");
      }
      try (RestClient rest = rest()) {
        rest.request("DELETE", one, new JsonObject());
        say("snapshot " + snapshot + " is deleted");
        result(new JsonObject().put("deleted", snapshot));
      }
      return Exit.DONE;
    }
  }
}
