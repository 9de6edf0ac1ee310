package onefold.appliance.rest;

import java.io.IOException;
import java.time.Duration;
import java.util.Locale;
import java.util.random.RandomGenerator;
import onefold.appliance.json.JsonArray;
import onefold.appliance.json.JsonObject;
import onefold.appliance.mapping.MappingFiles;
import onefold.replication.Figures;
import onefold.replication.Gap;
import onefold.replication.Mapping;
import onefold.replication.MappingStatus;
import onefold.replication.Mappings;
import onefold.replication.Peer;
import onefold.replication.Trigger;
import onefold.store.Id;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;

/** Operations on mappings: what is replicated to which peer, and how far that is. */
final class MappingOperations {
  private final Mappings mappings;
  private final RandomGenerator random;

  MappingOperations(Mappings mappings, RandomGenerator random) {
    this.mappings = mappings;
    this.random = random;
  }

  ApiReply list(ApiRequest request) throws IOException {
    JsonArray all = new JsonArray();
    for (Mapping mapping : mappings.list()) {
      all.add(described(mapping.name()));
    }
    return ApiReply.ok(new JsonObject().put("mappings", all));
  }

  ApiReply show(ApiRequest request) throws IOException {
    return ApiReply.ok(described(request.pathValue("mapping")));
  }

  ApiReply create(ApiRequest request) throws IOException {
    JsonObject body = request.body();
    JsonObject peer = body.object("peer");
    Mapping mapping =
        new Mapping(
            Id.random(random),
            body.text("name"),
            body.text("store"),
            new Peer(
                peer.text("host"),
                Math.toIntExact(peer.number("port")),
                peer.text("user"),
                peer.text("password"),
                peer.text("pin")),
            body.text("peerStore"),
            trigger(body),
            body.bool("deletions", false),
            body.bool("copies", false),
            body.number("bytesPerSecond", 0),
            false);
    String note;
    try {
      note = mappings.create(mapping);
    } catch (RefusedException e) {
      throw e;
    } catch (IOException e) {
      return ApiReply.error(502, "PEER", "peer " + mapping.peer().host() + ": " + e.getMessage());
    }
    return ApiReply.created(described(mapping.name()).put("note", note));
  }

  private static Trigger trigger(JsonObject body) throws RefusedException {
    String word = body.optionalText("trigger").orElse("commit");
    return switch (word) {
      case "commit" -> new Trigger.OnCommit();
      case "demand" -> new Trigger.OnDemand();
      case "every" -> new Trigger.Every(Duration.ofSeconds(body.number("everySeconds", 3600)));
      default ->
          throw new RefusedException(
              Reason.INVALID_REQUEST, "trigger '" + word + "', expected commit, every or demand");
    };
  }

  ApiReply change(ApiRequest request) throws IOException {
    String name = request.pathValue("mapping");
    JsonObject body = request.body();
    if (body.has("bytesPerSecond")) {
      var _ = mappings.limit(name, body.number("bytesPerSecond"));
    }
    if (body.has("paused")) {
      var _ = mappings.pause(name, body.bool("paused", true));
    }
    return ApiReply.ok(described(name));
  }

  ApiReply sync(ApiRequest request) throws IOException {
    String name = request.pathValue("mapping");
    long pass = mappings.sync(name);
    return ApiReply.ok(described(name).put("wantedPass", pass));
  }

  ApiReply remove(ApiRequest request) throws IOException {
    mappings.remove(request.pathValue("mapping"));
    return ApiReply.done();
  }

  /** Adds what an operator must look at. */
  void addAlerts(JsonArray alerts) throws RefusedException {
    for (Mapping mapping : mappings.list()) {
      MappingStatus status = mappings.status(mapping.name());
      String message =
          !status.problem().isEmpty()
              ? "mapping '" + mapping.name() + "' does not come through: " + status.problem()
              : status.gapCount() > 0
                  ? "mapping '%s' leaves out %d item%s; ./onefold mapping show %s"
                      .formatted(
                          mapping.name(),
                          status.gapCount(),
                          status.gapCount() == 1 ? "" : "s",
                          mapping.name())
                  : "";
      if (!message.isEmpty()) {
        alerts.add(
            new JsonObject()
                .put("kind", "mapping")
                .put("mapping", mapping.name())
                .put("message", message));
      }
    }
  }

  private JsonObject described(String name) throws RefusedException {
    Mapping mapping = mappings.find(name);
    MappingStatus status = mappings.status(name);
    Figures did = status.figures();
    JsonArray gaps = new JsonArray();
    for (Gap gap : status.gaps()) {
      gaps.add(new JsonObject().put("item", gap.item()).put("reason", gap.reason()));
    }
    JsonObject described =
        new JsonObject()
            .put("id", mapping.id().toString())
            .put("name", mapping.name())
            .put("store", mapping.store())
            .put(
                "peer",
                new JsonObject()
                    .put("host", mapping.peer().host())
                    .put("port", (long) mapping.peer().port())
                    .put("user", mapping.peer().user())
                    .put("pin", mapping.peer().pin()))
            .put("peerStore", mapping.peerStore())
            .put("deletions", mapping.deletions())
            .put("copies", mapping.copies())
            .put("bytesPerSecond", mapping.bytesPerSecond())
            .put("state", status.state().name().toLowerCase(Locale.ROOT))
            .put("problem", status.problem())
            .put("items", status.items())
            .put("provenItems", status.provenItems())
            .put("lagItems", status.items() - status.provenItems())
            .put("lagBytes", status.lagBytes())
            .put("lagMillis", status.lagMillis())
            .put("pass", status.pass())
            .put("finishedPass", status.finishedPass())
            .put("lastPassAt", status.lastPassMillis())
            .put("item", status.item())
            .put("itemSettledBytes", status.itemSettledBytes())
            .put("itemBytes", status.itemBytes())
            .put("gapCount", status.gapCount())
            .put("gaps", gaps)
            .put("copiedItems", did.copiedItemCount())
            .put("logicalBytes", did.logicalBytes())
            .put("wireBytes", did.wireBytes())
            .put("sentDataBytes", did.sentDataBytes())
            .put("readBlocks", did.readBlockCount())
            .put("storedBlocks", did.storedBlockCount())
            .put("packedBlocks", did.packedBlockCount())
            .put("reconnects", did.reconnectCount())
            .put("passes", did.passCount());
    MappingFiles.putTrigger(described, mapping.trigger());
    return described;
  }
}
