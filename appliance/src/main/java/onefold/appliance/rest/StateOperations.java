package onefold.appliance.rest;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import onefold.appliance.Size;
import onefold.appliance.json.JsonArray;
import onefold.appliance.json.JsonObject;
import onefold.store.ChunkStore;
import onefold.store.DiskRecord;
import onefold.store.DiskRole;
import onefold.store.Disks;
import onefold.store.DomainRecord;
import onefold.store.Id;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;
import onefold.store.Scrubbing;
import onefold.store.StoreRecord;

/** Operations on the appliance as a whole: status, figures, housekeeping, domains. */
final class StateOperations {
  private final ChunkStore store;
  private final Status status;
  private final MappingOperations mappings;

  StateOperations(ChunkStore store, Status status, MappingOperations mappings) {
    this.store = store;
    this.status = status;
    this.mappings = mappings;
  }

  ApiReply status(ApiRequest request) throws IOException {
    Optional<String> problem = status.problem().or(store::problem);
    JsonArray alerts = alerts();
    JsonObject described =
        status
            .describe()
            .put("healthy", problem.isEmpty())
            .put("problem", problem.orElse(""))
            .put("alerts", alerts)
            .put("storeTime", store.storeTimeMillis())
            .put("freeBytes", store.freeBytes());
    long logicalBytes = 0;
    long physicalBytes = 0;
    for (DomainRecord domain : store.domains()) {
      var statistics = store.domainStatistics(domain.id());
      logicalBytes += statistics.logicalBytes();
      physicalBytes += statistics.physicalBytes();
    }
    List<String> warnings = new ArrayList<>();
    for (StoreRecord found : store.stores()) {
      var statistics = store.statistics(found.id());
      if (request.user().access(found.name()).isPresent()
          && ApiJson.isOverSoftQuota(found, statistics)) {
        warnings.add(
            "store '"
                + found.name()
                + "' holds "
                + Size.format(statistics.logicalBytes())
                + ", more than its soft quota of "
                + Size.format(found.policy().softQuotaBytes()));
      }
    }
    return ApiReply.ok(
        described
            .put("logicalBytes", logicalBytes)
            .put("physicalBytes", physicalBytes)
            .put("stores", store.stores().size())
            .put("capacity", ApiJson.capacity(store.capacity()))
            .put("warnings", JsonArray.ofTexts(warnings)));
  }

  /** What an operator must look at although everything is served. */
  private JsonArray alerts() throws IOException {
    JsonArray alerts = new JsonArray();
    for (DomainRecord domain : store.domains()) {
      String stopped = store.housekeepingStatus(domain.id()).problem();
      if (!stopped.isEmpty()) {
        alerts.add(
            new JsonObject()
                .put("kind", "housekeeping")
                .put("domain", domain.name())
                .put("message", "housekeeping has stopped: " + stopped));
      }
    }
    mappings.addAlerts(alerts);
    return alerts;
  }

  ApiReply statistics(ApiRequest request) throws IOException {
    JsonArray domains = new JsonArray();
    for (DomainRecord domain : store.domains()) {
      domains.add(ApiJson.statistics(domain, store.domainStatistics(domain.id())));
    }
    JsonArray stores = new JsonArray();
    for (StoreRecord found : store.stores()) {
      if (request.user().access(found.name()).isPresent()) {
        stores.add(ApiJson.store(found, domainName(store, found), store.statistics(found.id())));
      }
    }
    return ApiReply.ok(
        new JsonObject()
            .put("domains", domains)
            .put("stores", stores)
            .put("capacity", ApiJson.capacity(store.capacity()))
            .put("memory", ApiJson.memory(status.memory())));
  }

  ApiReply setMemory(ApiRequest request) throws IOException {
    status.memory().set(request.body().number("bytes"));
    return ApiReply.ok(ApiJson.memory(status.memory()));
  }

  ApiReply housekeeping(ApiRequest request) throws IOException {
    return ApiReply.ok(housekeepingOf(store.domains()));
  }

  ApiReply runHousekeeping(ApiRequest request) throws IOException {
    Optional<String> name = request.body().optionalText("domain");
    List<DomainRecord> chosen = new ArrayList<>();
    for (DomainRecord domain : store.domains()) {
      if (name.isEmpty() || domain.name().equals(name.orElseThrow())) {
        chosen.add(domain);
      }
    }
    if (chosen.isEmpty()) {
      throw new RefusedException(
          Reason.NOT_FOUND, "domain '" + name.orElse("") + "' does not exist");
    }
    boolean recompress = request.body().bool("recompress", false);
    for (DomainRecord domain : chosen) {
      store.runHousekeeping(domain.id());
      if (recompress) {
        store.runRecompression(domain.id());
      }
    }
    return ApiReply.ok(housekeepingOf(chosen));
  }

  ApiReply pauseHousekeeping(ApiRequest request) throws IOException {
    JsonObject body = request.body();
    if (!body.has("paused") && !body.has("recompression")) {
      throw new RefusedException(
          Reason.INVALID_REQUEST, "nothing to set: neither 'paused' nor 'recompression'");
    }
    if (body.has("paused")) {
      store.pauseHousekeeping(body.bool("paused", false));
    }
    if (body.has("recompression")) {
      store.setRecompression(body.bool("recompression", true));
    }
    return ApiReply.ok(housekeepingOf(store.domains()));
  }

  ApiReply domains(ApiRequest request) throws IOException {
    JsonArray domains = new JsonArray();
    for (DomainRecord domain : store.domains()) {
      domains.add(described(domain));
    }
    return ApiReply.ok(new JsonObject().put("domains", domains));
  }

  ApiReply createDomain(ApiRequest request) throws IOException {
    int parameterSet = Math.toIntExact(request.body().number("parameterSet", 1));
    DomainRecord made =
        store.createDomain(request.commandId(), request.body().text("name"), parameterSet);
    if (request.body().bool("parity", false)) {
      keepParity(made, true);
    }
    if (request.body().bool("verifyOnMatch", false)) {
      store.verifyMatches(made.id(), true);
    }
    return ApiReply.created(described(made));
  }

  ApiReply setDomain(ApiRequest request) throws IOException {
    DomainRecord domain = domain(request.pathValue("domain"));
    if (request.body().has("parity")) {
      keepParity(domain, request.body().bool("parity", false));
    }
    if (request.body().has("verifyOnMatch")) {
      store.verifyMatches(domain.id(), request.body().bool("verifyOnMatch", false));
    }
    return ApiReply.ok(described(domain));
  }

  /** The catalog's own containers have a parity as long as those of any domain have one. */
  private void keepParity(DomainRecord of, boolean parity) throws IOException {
    store.scrubbing(of.id()).keepParity(parity);
    boolean any = false;
    for (DomainRecord domain : store.domains()) {
      any |= store.scrubbing(domain.id()).keepsParity();
    }
    Scrubbing catalog = store.scrubbing(ChunkStore.CATALOG);
    if (catalog.keepsParity() != any) {
      catalog.keepParity(any);
    }
  }

  private JsonObject described(DomainRecord domain) throws IOException {
    return ApiJson.domain(
        domain, store.scrubbing(domain.id()).keepsParity(), store.verifiesMatches(domain.id()));
  }

  private DomainRecord domain(String name) throws IOException {
    for (DomainRecord domain : store.domains()) {
      if (domain.name().equals(name)) {
        return domain;
      }
    }
    throw new RefusedException(Reason.NOT_FOUND, "domain '" + name + "' does not exist");
  }

  ApiReply disks(ApiRequest request) throws IOException {
    JsonArray disks = new JsonArray();
    for (DiskRecord disk : store.disks().list()) {
      disks.add(ApiJson.disk(disk));
    }
    return ApiReply.ok(
        new JsonObject().put("disks", disks).put("problem", store.disks().problem()));
  }

  ApiReply addDisk(ApiRequest request) throws IOException {
    String role = request.body().optionalText("role").orElse("data");
    DiskRole chosen =
        switch (role) {
          case "data" -> DiskRole.DATA;
          case "index" -> DiskRole.INDEX;
          case "journal" -> DiskRole.JOURNAL;
          default ->
              throw new RefusedException(
                  Reason.INVALID_REQUEST, "role '" + role + "', expected data, index or journal");
        };
    return ApiReply.created(ApiJson.disk(store.disks().add(request.body().text("path"), chosen)));
  }

  ApiReply drainDisk(ApiRequest request) throws IOException {
    String id = request.pathValue("disk");
    store.disks().drain(diskId(id), request.body().bool("draining", true));
    return disks(request);
  }

  private static Id diskId(String id) throws RefusedException {
    if (id.equals("main")) {
      return Disks.MAIN;
    }
    if (!id.matches("[0-9a-f]{32}")) {
      throw new RefusedException(
          Reason.NOT_FOUND, "there is no disk '" + id + "'; 'disk ls' shows them");
    }
    return Id.ofHex(id);
  }

  private JsonObject housekeepingOf(List<DomainRecord> domains) throws IOException {
    JsonArray states = new JsonArray();
    for (DomainRecord domain : domains) {
      states.add(
          ApiJson.housekeeping(domain, store.housekeepingStatus(domain.id()))
              .put("recompression", ApiJson.recompression(store.recompressionStatus(domain.id()))));
    }
    return new JsonObject().put("domains", states);
  }

  /** Returns the name of a store's domain. */
  static String domainName(ChunkStore store, StoreRecord found) throws IOException {
    for (DomainRecord domain : store.domains()) {
      if (domain.id().equals(found.domainId())) {
        return domain.name();
      }
    }
    throw new IllegalStateException(
        "store " + found.name() + " is in a domain that does not exist");
  }
}
