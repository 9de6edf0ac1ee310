package onefold.appliance.cli;

import java.util.List;
import java.util.Locale;
import onefold.appliance.Size;
import onefold.appliance.json.JsonObject;
import onefold.catalyst.client.CommittedItem;
import onefold.catalyst.client.UploadStatistics;

/**
 * What an upload ends with: one line.
 *
 * @param item where it went
 * @param committed what came of it
 * @param nanos how long it took
 */
record UploadReport(ItemReference item, CommittedItem committed, long nanos) {
  String line() {
    UploadStatistics statistics = committed.statistics();
    return String.format(
        Locale.ROOT,
        "%s: logical %s, new %s, on the wire %s, %s, %.1f MB/s",
        item,
        Size.format(committed.item().lengthBytes()),
        Size.format(committed.item().newBytes()),
        Size.format(statistics.wireBytes()),
        ratio(),
        megabytesPerSecond());
  }

  /** Returns the line, and another with the appliance's warning if it has one. */
  List<String> lines() {
    return committed.warning().isEmpty()
        ? List.of(line())
        : List.of(line(), "warning: " + committed.warning());
  }

  /** What is not new has no ratio; what that means is said instead. */
  private String ratio() {
    long logicalBytes = committed.item().lengthBytes();
    long newBytes = committed.item().newBytes();
    if (newBytes > 0) {
      return "ratio " + StatsVerb.ratio(logicalBytes, newBytes);
    }
    return logicalBytes > 0 ? "all known already" : "empty";
  }

  private double megabytesPerSecond() {
    return nanos <= 0 ? 0 : committed.item().lengthBytes() * 1000.0 / nanos;
  }

  JsonObject json() {
    UploadStatistics statistics = committed.statistics();
    return new JsonObject()
        .put("store", item.store())
        .put("item", item.item())
        .put("id", committed.item().id().toString())
        .put("root", committed.item().root().node().toString())
        .put("logicalBytes", committed.item().lengthBytes())
        .put("newBytes", committed.item().newBytes())
        .put("wireBytes", statistics.wireBytes())
        .put("sentBytes", statistics.sentBytes())
        .put("receivedBytes", statistics.receivedBytes())
        .put("reconnects", statistics.reconnectCount())
        .put("warning", committed.warning())
        .put("seconds", nanos / 1e9)
        .put("megabytesPerSecond", megabytesPerSecond());
  }
}
