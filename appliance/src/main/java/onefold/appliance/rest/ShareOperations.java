package onefold.appliance.rest;

import java.io.IOException;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;
import onefold.appliance.json.JsonArray;
import onefold.appliance.json.JsonObject;
import onefold.nas.ExportDecision;
import onefold.nas.ExportRule;
import onefold.nas.Exports;
import onefold.nas.Security;
import onefold.nas.ServedShares;
import onefold.nas.Share;
import onefold.nas.ShareSettings;
import onefold.nas.ShareSnapshot;
import onefold.nas.SnapshotDirectory;
import onefold.nas.Squash;
import onefold.nas.Worm;
import onefold.store.ChunkStore;
import onefold.store.DomainRecord;
import onefold.store.Id;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;
import onefold.store.SnapshotRecord;

/** Operations on shares. */
final class ShareOperations {
  private static final String DEFAULT_DOMAIN = "default";
  private static final long DAY_SECONDS = 86_400;

  private final ChunkStore store;
  private final ServedShares shares;

  ShareOperations(ChunkStore store, ServedShares shares) {
    this.store = store;
    this.shares = shares;
  }

  ApiReply list(ApiRequest request) throws IOException {
    JsonArray found = new JsonArray();
    for (Share share : shares.list()) {
      found.add(describe(share));
    }
    return ApiReply.ok(new JsonObject().put("shares", found));
  }

  ApiReply create(ApiRequest request) throws IOException {
    JsonObject body = request.body();
    String domainName = body.optionalText("domain").orElse(DEFAULT_DOMAIN);
    Id domainId = null;
    for (DomainRecord domain : store.domains()) {
      if (domain.name().equals(domainName)) {
        domainId = domain.id();
      }
    }
    if (domainId == null) {
      throw new RefusedException(
          Reason.NOT_FOUND,
          "domain '"
              + domainName
              + "' does not exist; make it: ./onefold domain create "
              + domainName);
    }
    ShareSettings settings = settings(body, ShareSettings.LOOPBACK);
    return ApiReply.created(
        describe(shares.create(request.commandId(), body.text("name"), domainId, settings)));
  }

  ApiReply show(ApiRequest request) throws IOException {
    Share share = require(request);
    JsonObject described = describe(share);
    Optional<String> client = request.queryValue("client");
    if (client.isPresent()) {
      String address = client.orElseThrow();
      described.put(
          "client",
          decision(
              address,
              Exports.decide(share.name(), share.settings(), InetAddress.ofLiteral(address))));
    }
    return ApiReply.ok(described);
  }

  ApiReply set(ApiRequest request) throws IOException {
    Share share = require(request);
    return ApiReply.ok(
        describe(
            shares.set(
                request.commandId(), share.name(), settings(request.body(), share.settings()))));
  }

  ApiReply delete(ApiRequest request) throws IOException {
    Share share = require(request);
    shares.delete(request.commandId(), share.name(), request.queryFlag("withFiles"));
    return ApiReply.done();
  }

  ApiReply snapshots(ApiRequest request) throws IOException {
    JsonArray found = new JsonArray();
    for (ShareSnapshot snapshot : shares.snapshots(require(request).name())) {
      found.add(describe(snapshot));
    }
    return ApiReply.ok(new JsonObject().put("snapshots", found));
  }

  ApiReply snapshot(ApiRequest request) throws IOException {
    Share share = require(request);
    return ApiReply.created(
        describe(shares.snapshot(request.commandId(), share.name(), request.body().text("name"))));
  }

  ApiReply deleteSnapshot(ApiRequest request) throws IOException {
    Share share = require(request);
    shares.deleteSnapshot(request.commandId(), share.name(), request.pathValue("snapshot"));
    return ApiReply.done();
  }

  ApiReply copy(ApiRequest request) throws IOException {
    Share share = require(request);
    return ApiReply.created(
        describe(
            shares.copy(
                request.commandId(),
                share.name(),
                request.body().optionalText("snapshot"),
                request.body().text("name"))));
  }

  private static JsonObject describe(ShareSnapshot snapshot) {
    return new JsonObject()
        .put("id", snapshot.id().toString())
        .put("name", snapshot.name())
        .put("share", snapshot.shareName())
        .put("readAs", snapshot.shareName() + SnapshotRecord.MARK + snapshot.name())
        .put("path", "/" + snapshot.shareName() + "/.snapshots/" + snapshot.name())
        .put("createdAt", snapshot.createdAtMillis());
  }

  private Share require(ApiRequest request) throws RefusedException {
    String name = request.pathValue("share");
    return shares
        .find(name)
        .orElseThrow(() ->
            new RefusedException(
                Reason.NOT_FOUND,
                "share '" + name + "' does not exist; make it: ./onefold share create " + name));
  }

  private static ShareSettings settings(JsonObject body, ShareSettings before) {
    ShareSettings settings = before;
    Optional<String> nfs = body.optionalText("nfs");
    if (nfs.isPresent()) {
      String rules = nfs.orElseThrow();
      settings =
          rules.equals("none")
              ? settings.withNfs(false, List.of())
              : settings.withNfs(true, ExportRule.parse(rules));
    }
    Optional<String> squash = body.optionalText("squash");
    if (squash.isPresent()) {
      settings = settings.withSquash(Squash.ofLabel(squash.orElseThrow()));
    }
    Optional<String> security = body.optionalText("security");
    if (security.isPresent()) {
      settings = settings.withSecurity(Security.parse(security.orElseThrow()));
    }
    Optional<String> owner = body.optionalText("owner");
    if (owner.isPresent()) {
      settings = withOwner(settings, owner.orElseThrow());
    }
    Optional<String> directory = body.optionalText("snapshotDirectory");
    if (directory.isPresent()) {
      settings = settings.withSnapshotDirectory(SnapshotDirectory.ofLabel(directory.orElseThrow()));
    }
    return settings
        .withWorm(worm(body, settings.worm()))
        .withReadOnly(body.bool("readOnly", settings.readOnly()))
        .withQuotaBytes(body.number("quotaBytes", settings.quotaBytes()));
  }

  private static Worm worm(JsonObject body, Worm before) {
    Worm worm = before;
    if (body.has("worm")) {
      boolean on = body.bool("worm", false);
      worm = on == before.on() ? before : on ? Worm.USUAL : Worm.NONE;
    }
    boolean says =
        Stream.of("quietSeconds", "retentionDays", "retentionMinDays", "retentionMaxDays")
            .anyMatch(body::has);
    if (!says) {
      return worm;
    }
    if (!worm.on()) {
      throw new IllegalArgumentException(
          "a quiet time or a retention is for shares that were made to keep their files (--worm)");
    }
    long least = seconds(body, "retentionMinDays", worm.leastSeconds());
    long most = seconds(body, "retentionMaxDays", worm.mostSeconds());
    long usual = seconds(body, "retentionDays", Math.clamp(worm.defaultSeconds(), least, most));
    return worm.withQuietSeconds(body.number("quietSeconds", worm.quietSeconds()))
        .withRetention(usual, least, most);
  }

  private static long seconds(JsonObject body, String days, long otherwise) {
    return body.has(days) ? Math.multiplyExact(body.number(days), DAY_SECONDS) : otherwise;
  }

  private static ShareSettings withOwner(ShareSettings settings, String owner) {
    int colon = owner.indexOf(':');
    try {
      return settings.withOwner(
          Long.parseLong(owner.substring(0, Math.max(0, colon))),
          Long.parseLong(owner.substring(colon + 1)));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "owner '" + owner + "' is not two numbers with a colon, such as 1000:1000", e);
    }
  }

  private JsonObject describe(Share share) throws IOException {
    ShareSettings settings = share.settings();
    JsonArray clients = new JsonArray();
    for (ExportRule rule : settings.nfs() ? settings.rules() : List.<ExportRule>of()) {
      clients.add(decision(rule.toString(), Exports.decide(settings, rule)));
    }
    JsonObject described =
        new JsonObject()
            .put("id", share.id().toString())
            .put("name", share.name())
            .put("path", share.path())
            .put("nfs", settings.nfs() ? Exports.rulesArgument(settings.rules()) : "none")
            .put("squash", settings.squash().label())
            .put("security", Security.text(settings.security()))
            .put("readOnly", settings.readOnly())
            .put("quotaBytes", settings.quotaBytes())
            .put("owner", settings.ownerUid() + ":" + settings.ownerGid())
            .put("snapshotDirectory", settings.snapshotDirectory().label())
            .put("snapshots", shares.snapshots(share.name()).size())
            .put("worm", settings.worm().on())
            .put("clients", clients);
    Worm worm = settings.worm();
    if (worm.on()) {
      described
          .put("quietSeconds", worm.quietSeconds())
          .put("retentionDays", worm.defaultSeconds() / DAY_SECONDS)
          .put("retentionMinDays", worm.leastSeconds() / DAY_SECONDS)
          .put("retentionMaxDays", worm.mostSeconds() / DAY_SECONDS);
    }
    OptionalLong used = shares.usedBytes(share);
    if (used.isPresent()) {
      described.put("usedBytes", used.getAsLong());
    }
    return described;
  }

  private static JsonObject decision(String client, ExportDecision decision) {
    return new JsonObject()
        .put("hosts", client)
        .put("allowed", decision.allowed())
        .put("readOnly", decision.readOnly())
        .put("squash", decision.squash().label())
        .put("reason", decision.reason());
  }
}
