package onefold.appliance.cli;

import java.io.IOException;
import java.nio.file.Path;
import onefold.appliance.json.JsonArray;
import onefold.appliance.json.JsonObject;
import onefold.store.CorruptDataException;
import onefold.store.engine.Rebuild;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Makes a data directory anew that no start can open. */
@Command(
    name = "rebuild",
    description = {
      "Make superblock, catalog, journal and indexes of a data directory anew, from what is left of"
          + " them and from the containers, which stay where they are. Its server must not run.",
      "What was deleted stays deleted. The old state is kept beside it in before-rebuild until you"
          + " delete it. What is known to be missing is named, and the exit code is 3."
    },
    footer = {"", "Example:", "  ./onefold rebuild --data ./onefold-data"})
final class RebuildVerb extends Verb {
  private static final int BAR = 24;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      required = true,
      description = "The data directory.")
  private Path data = Path.of("");

  @Option(
      names = "--without-names",
      description = {
        "If no catalog can be read, go on without: every recipe becomes an item root-FINGERPRINT in"
            + " a store 'recovered', also those of items that were deleted and not yet freed."
      })
  private boolean withoutNames;

  RebuildVerb(Environment environment) {
    super(environment);
  }

  @Override
  public Integer call() throws IOException, Failure {
    Rebuild.Report report;
    try {
      report = OfflineStore.rebuild(data, withoutNames, new Bar());
    } catch (CorruptDataException e) {
      throw Failure.failed(
          "no catalog can be read: "
              + e.getMessage()
              + ". Nothing was changed. A copy of the directory, even an old one, is the better"
              + " start; --without-names goes on with the recipes alone",
          e);
    } finally {
      clear();
    }
    say(
        data
            + ": "
            + report.itemCount()
            + " items"
            + (report.named() ? "" : " without names")
            + ", the catalog is at its change "
            + report.version()
            + ", "
            + report.applied()
            + " of them from the journal");
    JsonArray losses = new JsonArray();
    for (String loss : report.losses()) {
      terminal().err().println("lost: " + loss);
      losses.add(new JsonObject().put("what", loss));
    }
    say("the old state is in " + data.resolve(report.aside()) + "; delete it when all is there");
    result(
        new JsonObject()
            .put("items", report.itemCount())
            .put("named", report.named())
            .put("version", report.version())
            .put("fromJournal", report.applied())
            .put("losses", losses)
            .put("aside", report.aside()));
    return report.losses().isEmpty() ? Exit.DONE : Exit.GAPS;
  }

  /** One line on a terminal, drawn over itself. */
  private final class Bar implements Rebuild.Progress {
    @Override
    public void at(String step, long done, long total) {
      if (terminal().isInteractive() && !json()) {
        int full = total <= 0 ? 0 : (int) (BAR * Math.min(done, total) / total);
        String bar = "[" + "#".repeat(full) + ".".repeat(BAR - full) + "] ";
        String line = step + " " + bar + done + " of " + total;
        terminal().err().print("\r" + line + " ".repeat(Math.max(0, 78 - line.length())));
        terminal().err().flush();
      }
    }
  }

  private void clear() {
    if (terminal().isInteractive() && !json()) {
      terminal().err().print("\r" + " ".repeat(78) + "\r");
      terminal().err().flush();
    }
  }
}
