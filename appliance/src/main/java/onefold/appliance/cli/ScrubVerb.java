package onefold.appliance.cli;

import java.io.IOException;
import java.nio.file.Path;
import onefold.appliance.json.JsonArray;
import onefold.appliance.json.JsonObject;
import onefold.store.CorruptDataException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Reads everything in a data directory and proves it, without a server. */
@Command(
    name = "scrub",
    description = {
      "Read everything in a data directory back and prove it, without its server.",
      "Each damage is a line 'DAMAGED file offset what'. Exit code 0 clean, 1 damage found, 2 could"
          + " not run."
    },
    footer = {"", "Example:", "  ./onefold scrub --data ./onefold-data"})
final class ScrubVerb extends Verb {
  @Option(
      names = "--data",
      paramLabel = "DIR",
      required = true,
      description = "The data directory.")
  private Path data = Path.of("");

  ScrubVerb(Environment environment) {
    super(environment);
  }

  @Override
  public Integer call() throws Failure {
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
