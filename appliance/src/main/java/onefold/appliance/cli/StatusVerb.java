package onefold.appliance.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import onefold.appliance.Size;
import onefold.appliance.json.JsonObject;
import picocli.CommandLine.Command;

/** What runs, where, how well and how full. */
@Command(
    name = "status",
    description = "Show what runs, where, healthy or why not, how full.",
    footer = {"", "Example:", "  ./onefold status"})
final class StatusVerb extends ApplianceVerb {
  StatusVerb(Environment environment) {
    super(environment);
  }

  @Override
  public Integer call() throws IOException, Failure {
    try (RestClient rest = rest()) {
      JsonObject status = rest.get("/status");
      boolean healthy = status.bool("healthy", false);
      say(
          "onefold "
              + status.text("version")
              + ", process "
              + status.number("process")
              + ", up "
              + uptime(status.number("uptimeSeconds")));
      say("data      " + status.text("data"));
      JsonObject frontEnds = status.object("frontEnds");
      for (String name : frontEnds.fields().keySet()) {
        JsonObject frontEnd = frontEnds.object(name);
        say(
            String.format(
                "%-9s port %d, %s",
                name,
                frontEnd.number("port"),
                frontEnd.bool("open", false)
                    ? "open: " + String.join(", ", frontEnd.array("addresses").texts())
                    : "this machine only"));
      }
      say(
          "holds     "
              + Size.format(status.number("logicalBytes"))
              + " in "
              + Size.format(status.number("physicalBytes"))
              + " on disk, "
              + Size.format(status.number("freeBytes"))
              + " free");
      List<JsonObject> alerts = status.array("alerts").objects();
      for (JsonObject alert : alerts) {
        say(
            "ALERT     "
                + (alert.has("domain") ? "domain " + alert.text("domain") + ": " : "")
                + alert.text("message"));
      }
      capacity(status.object("capacity")).forEach(this::say);
      for (String warning : status.array("warnings").texts()) {
        say("warning   " + warning);
      }
      say(healthy ? "healthy" : "NOT HEALTHY: " + status.text("problem"));
      result(status);
      return healthy && alerts.isEmpty() ? Exit.DONE : Exit.FAILED;
    }
  }

  /** Describes what was promised and when it is used up, where there is something to say. */
  static List<String> capacity(JsonObject capacity) {
    List<String> lines = new ArrayList<>();
    long quotas = capacity.number("quotaBytes");
    if (quotas > 0) {
      long without = capacity.number("storesWithoutQuota");
      lines.add(
          "quotas    "
              + Size.format(quotas)
              + " on "
              + Size.format(capacity.number("usableBytes"))
              + ", over-committed "
              + StatsVerb.ratio(quotas, capacity.number("usableBytes"))
              + " times"
              + (without == 0 ? "" : "; " + without + " stores have none"));
    }
    if (capacity.has("daysUntilFull")) {
      lines.add(
          "full in   about "
              + capacity.number("daysUntilFull")
              + " days, at "
              + Size.format(capacity.number("growthBytesPerDay"))
              + " a day");
    }
    return lines;
  }

  private static String uptime(long seconds) {
    return seconds < 120
        ? seconds + " s"
        : seconds < 7200
            ? seconds / 60 + " min"
            : seconds < 172_800 ? seconds / 3600 + " h" : seconds / 86_400 + " d";
  }
}
