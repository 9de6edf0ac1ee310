package onefold.appliance.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import onefold.appliance.Size;
import onefold.appliance.json.JsonObject;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Disks of the data directory: add, ls, drain. */
@Command(
    name = "disk",
    description = "Disks: add more while backups run, and empty one to take it out.",
    footer = {"", "Example:", "  ./onefold disk add /mnt/second"})
final class DiskVerb extends Group {
  DiskVerb(Environment environment) {
    super(new Add(environment), new List(environment), new Drain(environment));
  }

  private static String name(JsonObject disk) {
    return disk.text("path").isEmpty() ? "the data directory" : disk.text("path");
  }

  private static String state(JsonObject disk) {
    if (disk.bool("waits", false)) {
      return "from the next start on";
    }
    if (disk.bool("takes", false)) {
      return "in use";
    }
    return disk.number("files") == 0 ? "empty" : "is being emptied";
  }

  private static java.util.List<String> table(java.util.List<JsonObject> disks) {
    Table table = new Table("DISK", "FOR", "STATE", ">FILES", ">USED", ">FREE", "ID");
    for (JsonObject disk : disks) {
      table.row(
          name(disk),
          disk.text("role"),
          state(disk),
          Long.toString(disk.number("files")),
          Size.format(disk.number("fileBytes")),
          Size.format(disk.number("freeBytes")),
          disk.text("id"));
    }
    return table.lines();
  }

  @Command(
      name = "add",
      description = {
        "Add a disk: an empty directory, usually where a disk is mounted. New containers go to the"
            + " disk with the most room; nothing is moved. A disk for the index or the journal gets"
            + " their files at the next start."
      },
      footer = {"", "Example:", "  ./onefold disk add /mnt/second"})
  private static final class Add extends ApplianceVerb {
    @Parameters(paramLabel = "DIR", description = "The directory, on the appliance's machine.")
    private String directory = "";

    @Option(
        names = "--for",
        paramLabel = "data|index|journal",
        description = "What it is to hold; data if not said.")
    private String role = "data";

    Add(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      try (RestClient rest = rest()) {
        String path = Path.of(directory).toAbsolutePath().normalize().toString();
        JsonObject made =
            rest.request("POST", "/disks", new JsonObject().put("path", path).put("role", role));
        say(
            made.bool("waits", false)
                ? "disk " + path + " is added; it gets the " + role + " at the next start"
                : "disk " + path + " is added and takes new data");
        result(made);
      }
      return Exit.DONE;
    }
  }

  @Command(
      name = "ls",
      description = "List the disks, what they hold, and what is being emptied.",
      footer = {"", "Example:", "  ./onefold disk ls"})
  private static final class List extends ApplianceVerb {
    List(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      try (RestClient rest = rest()) {
        JsonObject all = rest.get("/disks");
        table(all.array("disks").objects()).forEach(this::say);
        if (!all.text("problem").isEmpty()) {
          say("not moved: " + all.text("problem"));
        }
        result(all);
      }
      return Exit.DONE;
    }
  }

  @Command(
      name = "drain",
      description = {
        "Move everything from a disk to the others while backups and restores go on. When nothing"
            + " is left the disk is off the list and can be taken out. A stop or a crash of the"
            + " server does not end it."
      },
      footer = {"", "Example:", "  ./onefold disk drain /mnt/second --watch"})
  private static final class Drain extends ApplianceVerb {
    @Parameters(
        paramLabel = "DISK",
        description = "Its directory or id; main for the data in the data directory itself.")
    private String disk = "";

    @Option(names = "--stop", description = "Leave what is there, and let it take new data again.")
    private boolean stop;

    @Option(names = "--watch", description = "Show how far it is until nothing is left.")
    private boolean watch;

    Drain(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      try (RestClient rest = rest()) {
        JsonObject chosen =
            find(rest.get("/disks"))
                .orElseThrow(() ->
                    Failure.failed("there is no disk " + disk + "; ./onefold disk ls shows them"));
        JsonObject all =
            rest.request(
                "PATCH", "/disks/" + chosen.text("id"), new JsonObject().put("draining", !stop));
        if (stop) {
          say(name(chosen) + " takes new data again");
        } else if (!chosen.text("role").equals("data")) {
          say(name(chosen) + " gives its files back at the next start, and is off the list then");
        } else if (watch) {
          return watched(rest, chosen);
        } else {
          say(
              Size.format(chosen.number("fileBytes"))
                  + " are being moved from "
                  + name(chosen)
                  + "; ./onefold disk ls shows how far it is");
        }
        result(all);
      }
      return Exit.DONE;
    }

    private Optional<JsonObject> find(JsonObject all) {
      String path = Path.of(disk).toAbsolutePath().normalize().toString();
      return all.array("disks").objects().stream()
          .filter(each -> each.text("id").equals(disk) || each.text("path").equals(path))
          .findFirst();
    }

    private int watched(RestClient rest, JsonObject chosen) throws IOException {
      disk = chosen.text("id");
      while (true) {
        JsonObject all = rest.get("/disks");
        Optional<JsonObject> now = find(all);
        long left = now.isEmpty() ? 0 : now.get().number("files");
        if (left == 0) {
          say(name(chosen) + " is empty" + (now.isEmpty() ? " and can be taken out" : ""));
          result(all);
          return Exit.DONE;
        }
        say(
            "still "
                + left
                + " files, "
                + Size.format(now.get().number("fileBytes"))
                + (all.text("problem").isEmpty() ? "" : "; not moved: " + all.text("problem")));
        if (!pause()) {
          return Exit.FAILED;
        }
      }
    }
  }
}
