package onefold.appliance.rest;

import java.io.IOException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import onefold.appliance.json.JsonArray;
import onefold.appliance.json.JsonObject;
import onefold.store.ChunkStore;
import onefold.store.Damage;
import onefold.store.DomainRecord;
import onefold.store.Id;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;
import onefold.store.Scrubbing;
import onefold.store.StoreRecord;

/** Operations on the scrub and on what it found damaged, by domain; the catalog is one of them. */
final class ScrubOperations {
  /** What the catalog's own pages are called beside the domains: no domain can have the name. */
  static final String CATALOG = "(catalog)";

  private final ChunkStore store;

  ScrubOperations(ChunkStore store) {
    this.store = store;
  }

  ApiReply status(ApiRequest request) throws IOException {
    return ApiReply.ok(states());
  }

  ApiReply begin(ApiRequest request) throws IOException {
    Map<String, Scrubbing> chosen = chosen(request.body().optionalText("domain"));
    for (Scrubbing each : chosen.values()) {
      each.begin();
    }
    return ApiReply.ok(states());
  }

  ApiReply pause(ApiRequest request) throws IOException {
    boolean paused = request.body().bool("paused", true);
    for (Scrubbing each : chosen(request.body().optionalText("domain")).values()) {
      each.pause(paused);
    }
    return ApiReply.ok(states());
  }

  ApiReply damages(ApiRequest request) throws IOException {
    return ApiReply.ok(listed());
  }

  ApiReply repair(ApiRequest request) throws IOException {
    Map<String, Scrubbing> chosen = chosen(request.body().optionalText("domain"));
    if (request.body().has("container")) {
      if (chosen.size() != 1) {
        throw new RefusedException(
            Reason.INVALID_REQUEST, "container needs a domain, which it is in");
      }
      chosen.values().iterator().next().repairFirst(request.body().number("container", 0));
    }
    for (Scrubbing each : chosen.values()) {
      each.repair();
    }
    return ApiReply.ok(listed());
  }

  private JsonObject states() throws IOException {
    JsonArray states = new JsonArray();
    for (Map.Entry<String, Scrubbing> each : chosen(Optional.empty()).entrySet()) {
      states.add(ApiJson.scrub(each.getKey(), each.getValue().status()));
    }
    return new JsonObject().put("domains", states);
  }

  private JsonObject listed() throws IOException {
    Map<Id, String> stores = new HashMap<>();
    for (StoreRecord each : store.stores()) {
      stores.put(each.id(), each.name());
    }
    JsonArray damages = new JsonArray();
    for (Map.Entry<String, Scrubbing> each : chosen(Optional.empty()).entrySet()) {
      for (Damage damage : each.getValue().damages()) {
        damages.add(ApiJson.damage(each.getKey(), damage, stores));
      }
    }
    return new JsonObject().put("damages", damages);
  }

  /** The scrub of one domain, or of all. */
  private Map<String, Scrubbing> chosen(Optional<String> name) throws IOException {
    Map<String, Scrubbing> chosen = new LinkedHashMap<>();
    for (DomainRecord domain : store.domains()) {
      if (name.isEmpty() || domain.name().equals(name.orElseThrow())) {
        chosen.put(domain.name(), store.scrubbing(domain.id()));
      }
    }
    if (name.isEmpty() || name.orElseThrow().equals(CATALOG)) {
      chosen.put(CATALOG, store.scrubbing(ChunkStore.CATALOG));
    }
    if (chosen.isEmpty()) {
      throw new RefusedException(
          Reason.NOT_FOUND, "domain '" + name.orElse("") + "' does not exist");
    }
    return chosen;
  }
}
