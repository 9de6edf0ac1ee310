package onefold.appliance.cli;

import java.io.IOException;
import onefold.appliance.json.JsonObject;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Locks an item for days. */
@Command(
    name = "lock",
    description =
        "Lock an item: until then nobody can delete or replace it. A lock is never shortened.",
    footer = {"", "Example:", "  ./onefold lock default/monday --days 30"})
final class LockVerb extends ApplianceVerb {
  @Parameters(paramLabel = "STORE/ITEM", description = "What to lock.")
  private String item = "";

  @Option(
      names = "--days",
      paramLabel = "DAYS",
      required = true,
      description = "Days of store time from now.")
  private int days;

  LockVerb(Environment environment) {
    super(environment);
  }

  @Override
  public Integer call() throws IOException, Failure {
    ItemReference reference = ItemReference.parse(item, environment().now());
    try (RestClient rest = rest()) {
      JsonObject locked =
          rest.request(
              "PATCH",
              RestClient.itemPath(reference),
              new JsonObject().put("lockDays", (long) days));
      say(reference + " is locked until " + Times.show(locked.number("lockedUntil")));
      result(locked);
    }
    return Exit.DONE;
  }
}
