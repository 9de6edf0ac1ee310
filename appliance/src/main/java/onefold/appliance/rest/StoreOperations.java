package onefold.appliance.rest;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import onefold.appliance.identity.Access;
import onefold.appliance.identity.User;
import onefold.appliance.json.JsonArray;
import onefold.appliance.json.JsonObject;
import onefold.replication.Mapping;
import onefold.replication.Mappings;
import onefold.store.ChunkStore;
import onefold.store.CommitMode;
import onefold.store.Compression;
import onefold.store.DeletedItem;
import onefold.store.DeletedPage;
import onefold.store.DomainRecord;
import onefold.store.Id;
import onefold.store.ItemListing;
import onefold.store.ItemQuery;
import onefold.store.ItemRecord;
import onefold.store.LockKind;
import onefold.store.LockOverride;
import onefold.store.LostNames;
import onefold.store.Names;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;
import onefold.store.ShortenedLock;
import onefold.store.SnapshotRecord;
import onefold.store.StorePolicy;
import onefold.store.StoreRecord;
import onefold.store.UnfinishedUpload;

/** Operations on stores, their items and unfinished uploads. */
final class StoreOperations {
  private static final String DEFAULT_DOMAIN = "default";
  private static final long DAY_MILLIS = 86_400_000L;
  private static final int MOST_LOCK_DAYS = 36_500;

  private final ChunkStore store;
  private final Mappings mappings;
  private final ProofOperations proofs;

  StoreOperations(ChunkStore store, Mappings mappings, ProofOperations proofs) {
    this.store = store;
    this.mappings = mappings;
    this.proofs = proofs;
  }

  ApiReply list(ApiRequest request) throws IOException {
    JsonArray stores = new JsonArray();
    for (StoreRecord found : store.stores()) {
      if (request.user().access(found.name()).isPresent()) {
        stores.add(describe(found));
      }
    }
    return ApiReply.ok(new JsonObject().put("stores", stores));
  }

  ApiReply create(ApiRequest request) throws IOException {
    JsonObject body = request.body();
    String name = Names.checkStoreName(body.text("name"));
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
    StoreRecord settings =
        new StoreRecord(
            request.commandId(),
            name,
            domainId,
            body.number("quotaBytes", 0),
            compression(body, Compression.LZ4),
            lockDays(body, 0),
            0,
            policy(body, StorePolicy.DEFAULT));
    return ApiReply.created(describe(store.createStore(request.commandId(), settings)));
  }

  ApiReply show(ApiRequest request) throws IOException {
    return ApiReply.ok(describe(visible(request.user(), request.pathValue("store"), Access.READ)));
  }

  ApiReply set(ApiRequest request) throws IOException {
    StoreRecord before = visible(request.user(), request.pathValue("store"), Access.WRITE);
    JsonObject body = request.body();
    StoreRecord settings =
        new StoreRecord(
            before.id(),
            before.name(),
            before.domainId(),
            body.number("quotaBytes", before.quotaBytes()),
            compression(body, before.compression()),
            lockDays(body, before.lockDays()),
            before.createdAtMillis(),
            policy(body, before.policy()));
    boolean weaker =
        settings.lockDays() < before.lockDays()
            || settings.policy().undeleteDays() < before.policy().undeleteDays()
            || (before.lockDays() > 0
                && settings.policy().lockKind().compareTo(before.policy().lockKind()) < 0);
    if (weaker && !request.user().mayShortenLocks()) {
      throw mayNot(request.user(), "weaken what store '" + before.name() + "' promises");
    }
    return ApiReply.ok(describe(store.updateStore(request.commandId(), settings)));
  }

  ApiReply delete(ApiRequest request) throws IOException {
    StoreRecord found = visible(request.user(), request.pathValue("store"), Access.WRITE);
    store.deleteStore(request.commandId(), found.id(), request.queryFlag("withItems"));
    return ApiReply.done();
  }

  ApiReply uploads(ApiRequest request) throws IOException {
    StoreRecord found = visible(request.user(), request.pathValue("store"), Access.READ);
    JsonArray uploads = new JsonArray();
    for (UnfinishedUpload upload : store.unfinishedUploads(found.id())) {
      uploads.add(ApiJson.upload(found.name(), upload));
    }
    return ApiReply.ok(new JsonObject().put("uploads", uploads));
  }

  ApiReply abortUpload(ApiRequest request) throws IOException {
    StoreRecord found = visible(request.user(), request.pathValue("store"), Access.APPEND);
    Id upload = Id.ofHex(request.pathValue("upload"));
    boolean ofThisStore =
        store.unfinishedUploads(found.id()).stream()
            .anyMatch(u -> u.checkpoint().uploadId().equals(upload));
    if (!ofThisStore) {
      throw new RefusedException(
          Reason.NOT_FOUND,
          "upload " + upload + " is not among the unfinished ones of store '" + found.name() + "'");
    }
    store.abortUpload(request.commandId(), upload);
    return ApiReply.done();
  }

  ApiReply items(ApiRequest request) throws IOException {
    StoreRecord found = visible(request.user(), request.pathValue("store"), Access.READ);
    ItemQuery query =
        new ItemQuery(order(request), request.queryValue("prefix").orElse(""), tags(request));
    ItemListing page =
        store.listItems(
            found.id(),
            query,
            place(query.order(), request.queryValue("after").orElse("")),
            request.queryNumber("limit", 1000, 1, 10_000));
    JsonArray items = new JsonArray();
    for (ItemRecord item : page.items()) {
      items.add(described(found, item));
    }
    JsonObject reply = new JsonObject().put("items", items).put("more", page.next() != null);
    if (page.next() != null) {
      reply.put("next", written(query.order(), page.next()));
    }
    if (!page.lost().isEmpty()) {
      reply.put("lost", lost(page.lost()));
    }
    return ApiReply.ok(reply);
  }

  /** What of a listing could not be read. */
  private static JsonArray lost(List<LostNames> names) {
    JsonArray lost = new JsonArray();
    for (LostNames each : names) {
      JsonObject one = new JsonObject().put("from", each.from());
      if (each.until() != null) {
        one.put("until", each.until());
      }
      lost.add(one.put("damage", each.damage()));
    }
    return lost;
  }

  private static ItemQuery.Order order(ApiRequest request) throws RefusedException {
    String sort = request.queryValue("sort").orElse("name");
    return switch (sort) {
      case "name" -> ItemQuery.Order.NAME;
      case "age" -> ItemQuery.Order.AGE;
      case "size" -> ItemQuery.Order.SIZE;
      default ->
          throw new RefusedException(
              Reason.INVALID_REQUEST,
              "sort '" + sort + "' does not exist; there are name, age and size");
    };
  }

  private static SortedMap<String, String> tags(ApiRequest request) throws RefusedException {
    SortedMap<String, String> tags = new TreeMap<>();
    for (String tag : request.queryValues("tag")) {
      int equals = tag.indexOf('=');
      if (equals < 1) {
        throw new RefusedException(
            Reason.INVALID_REQUEST, "tag '" + tag + "' is not of the form KEY=VALUE");
      }
      String other = tags.put(tag.substring(0, equals), tag.substring(equals + 1));
      if (other != null || tags.size() > ItemQuery.MAX_TAGS) {
        throw new RefusedException(
            Reason.INVALID_REQUEST,
            "tag '"
                + tag
                + "': a key can be asked for once, and "
                + ItemQuery.MAX_TAGS
                + " keys together");
      }
    }
    return tags;
  }

  /** A place as callers see it: the name, with the number before it where that gives the order. */
  private static String written(ItemQuery.Order order, ItemQuery.Place place) {
    return order == ItemQuery.Order.NAME ? place.name() : place.value() + "/" + place.name();
  }

  private static ItemQuery.Place place(ItemQuery.Order order, String written)
      throws RefusedException {
    if (written.isEmpty()) {
      return ItemQuery.Place.START;
    }
    if (order == ItemQuery.Order.NAME) {
      return new ItemQuery.Place(0, written);
    }
    int slash = written.indexOf('/');
    try {
      return new ItemQuery.Place(
          Long.parseLong(written.substring(0, Math.max(slash, 0))), written.substring(slash + 1));
    } catch (NumberFormatException e) {
      throw new RefusedException(
          Reason.INVALID_REQUEST,
          "after '" + written + "' is not what 'next' of a page in this order said");
    }
  }

  ApiReply item(ApiRequest request) throws IOException {
    StoreRecord found = visible(request.user(), request.pathValue("store"), Access.READ);
    ItemRecord item = require(found, request.pathValue("item"));
    JsonObject shown = described(found, item);
    store.itemSpace(found.id(), item.name()).ifPresent(s -> shown.put("space", ApiJson.space(s)));
    List<String> places =
        mappings.provenOn(found.name(), item).stream().map(Mapping::name).toList();
    return ApiReply.ok(shown.put("provenOn", JsonArray.ofTexts(places)));
  }

  /** An item, with when it was last proven readable. */
  private JsonObject described(StoreRecord in, ItemRecord item) throws IOException {
    return ApiJson.item(in.name(), item)
        .put("lastProven", ApiJson.lastProven(store.scrubbing(in.domainId()).lastProven(item)));
  }

  ApiReply setItem(ApiRequest request) throws IOException {
    StoreRecord found = visible(request.user(), request.pathValue("store"), Access.WRITE);
    ItemRecord before = require(found, request.pathValue("item"));
    JsonObject body = request.body();
    SortedMap<String, String> tags = before.tags();
    if (body.has("tags")) {
      tags = new TreeMap<>();
      JsonObject given = body.object("tags");
      for (String key : given.fields().keySet()) {
        tags.put(key, given.text(key));
      }
    }
    long lockedUntilMillis = lockedUntilMillis(body);
    boolean onlyDays = lockedUntilMillis != 0 && !body.has("tags") && !body.has("held");
    if (body.has("lockedUntil") || body.has("lockKind") || body.has("reason") || onlyDays) {
      return lockItem(request, found, before, lockedUntilMillis);
    }
    if (before.held() && !body.bool("held", true) && !request.user().administrator()) {
      throw new RefusedException(
          Reason.NOT_PERMITTED,
          "user '"
              + request.user().name()
              + "' may hold items and release none; an administrator may");
    }
    ItemRecord after =
        store.updateItem(
            request.commandId(),
            found.id(),
            before.name(),
            tags,
            body.bool("held", before.held()),
            lockedUntilMillis);
    return ApiReply.ok(ApiJson.item(found.name(), after));
  }

  private ApiReply lockItem(
      ApiRequest request, StoreRecord in, ItemRecord before, long lockedUntilMillis)
      throws IOException {
    JsonObject body = request.body();
    if (body.has("tags") || body.has("held")) {
      throw new RefusedException(
          Reason.INVALID_REQUEST,
          "lockedUntil, lockKind and reason are asked for without tags and held");
    }
    Optional<LockOverride> override = override(request, "shorten locks");
    long until =
        lockedUntilMillis == 0
            ? mustBeLocked(before.name(), before.lockedUntilMillis())
            : lockedUntilMillis;
    boolean locked = before.lockedUntilMillis() > store.storeTimeMillis();
    LockKind otherwise = locked ? before.lockKind() : in.policy().lockKind();
    ItemRecord after =
        store.lockItem(
            request.commandId(),
            in.id(),
            before.name(),
            until,
            lockKind(body, otherwise),
            override);
    return ApiReply.ok(ApiJson.item(in.name(), after));
  }

  private static Optional<LockOverride> override(ApiRequest request, String what)
      throws RefusedException {
    if (!request.body().has("reason")) {
      return Optional.empty();
    }
    if (!request.user().mayShortenLocks()) {
      throw mayNot(request.user(), what);
    }
    return Optional.of(new LockOverride(request.user().name(), request.body().text("reason")));
  }

  ApiReply copyStore(ApiRequest request) throws IOException {
    StoreRecord found = visible(request.user(), request.pathValue("store"), Access.READ);
    String name = Names.checkStoreName(request.body().text("name"));
    return ApiReply.created(describe(store.copyStore(request.commandId(), found.id(), name)));
  }

  ApiReply snapshots(ApiRequest request) throws IOException {
    StoreRecord found = visible(request.user(), request.pathValue("store"), Access.READ);
    JsonArray snapshots = new JsonArray();
    for (SnapshotRecord snapshot : store.snapshots(found.id())) {
      snapshots.add(ApiJson.snapshot(snapshot));
    }
    return ApiReply.ok(new JsonObject().put("snapshots", snapshots));
  }

  ApiReply createSnapshot(ApiRequest request) throws IOException {
    StoreRecord found = visible(request.user(), request.pathValue("store"), Access.APPEND);
    String name = Names.checkStoreName(request.body().text("name"));
    return ApiReply.created(
        ApiJson.snapshot(store.createSnapshot(request.commandId(), found.id(), name)));
  }

  ApiReply lockSnapshot(ApiRequest request) throws IOException {
    SnapshotRecord found = snapshot(request);
    long until = lockedUntilMillis(request.body());
    boolean locked = found.lockedUntilMillis() > store.storeTimeMillis();
    SnapshotRecord after =
        store.lockSnapshot(
            request.commandId(),
            found.store().id(),
            until == 0 ? mustBeLocked(found.store().name(), found.lockedUntilMillis()) : until,
            lockKind(request.body(), locked ? found.lockKind() : found.store().policy().lockKind()),
            override(request, "shorten locks"));
    return ApiReply.ok(ApiJson.snapshot(after));
  }

  ApiReply deleteSnapshot(ApiRequest request) throws IOException {
    store.deleteSnapshot(request.commandId(), snapshot(request).store().id());
    return ApiReply.done();
  }

  /** Finds a snapshot to be changed. */
  private SnapshotRecord snapshot(ApiRequest request) throws IOException {
    StoreRecord of = visible(request.user(), request.pathValue("store"), Access.WRITE);
    String name = request.pathValue("snapshot");
    for (SnapshotRecord snapshot : store.snapshots(of.id())) {
      if (snapshot.name().equals(name)) {
        return snapshot;
      }
    }
    throw new RefusedException(
        Reason.NOT_FOUND, "store '" + of.name() + "' has no snapshot '" + name + "'");
  }

  /** Returns until when a body asks to lock, or 0 if it does not say. */
  private long lockedUntilMillis(JsonObject body) throws IOException {
    if (body.has("lockedUntil")) {
      return positiveTime(body);
    }
    long days = lockDays(body, 0);
    return days == 0 ? 0 : store.storeTimeMillis() + days * DAY_MILLIS;
  }

  private static long mustBeLocked(String name, long lockedUntilMillis) throws RefusedException {
    if (lockedUntilMillis == 0) {
      throw new RefusedException(
          Reason.INVALID_REQUEST,
          "'" + name + "' is not locked; say until when, by lockedUntil or lockDays");
    }
    return lockedUntilMillis;
  }

  ApiReply deleted(ApiRequest request) throws IOException {
    StoreRecord found = visible(request.user(), request.pathValue("store"), Access.READ);
    String after = request.queryValue("after").orElse("");
    int slash = after.indexOf('/');
    if (slash < 0 && !after.isEmpty()) {
      throw new RefusedException(
          Reason.INVALID_REQUEST, "after '" + after + "' is not what 'next' of a page said");
    }
    DeletedPage page;
    try {
      page =
          store.listDeleted(
              found.id(),
              request.queryValue("prefix").orElse(""),
              after.substring(slash + 1),
              after.isEmpty() ? 0 : Long.parseLong(after.substring(0, slash)),
              request.queryNumber("limit", 1000, 1, 10_000));
    } catch (NumberFormatException e) {
      throw new RefusedException(
          Reason.INVALID_REQUEST, "after '" + after + "' is not what 'next' of a page said");
    }
    JsonArray items = new JsonArray();
    for (DeletedItem deleted : page.items()) {
      items.add(ApiJson.deleted(found.name(), deleted));
    }
    JsonObject reply = new JsonObject().put("deleted", items).put("more", page.more());
    if (page.more()) {
      ItemRecord last = page.items().getLast().item();
      reply.put("next", last.version() + "/" + last.name());
    }
    return ApiReply.ok(reply);
  }

  ApiReply undelete(ApiRequest request) throws IOException {
    StoreRecord found = visible(request.user(), request.pathValue("store"), Access.WRITE);
    String name = request.pathValue("item");
    ItemRecord item =
        store.undeleteItem(
            request.commandId(),
            found.id(),
            name,
            request.body().number("version"),
            Names.checkItemName(request.body().optionalText("as").orElse(name)),
            request.body().bool("replace", false) ? CommitMode.REPLACE : CommitMode.IF_ABSENT);
    return ApiReply.created(ApiJson.item(found.name(), item));
  }

  ApiReply purge(ApiRequest request) throws IOException {
    StoreRecord found = visible(request.user(), request.pathValue("store"), Access.WRITE);
    store.purgeDeleted(
        request.commandId(),
        found.id(),
        request.pathValue("item"),
        request.body().number("version"),
        override(request, "give up deleted items before their time"));
    return ApiReply.done();
  }

  ApiReply shortenedLocks(ApiRequest request) throws IOException {
    JsonArray locks = new JsonArray();
    for (ShortenedLock lock : store.shortenedLocks()) {
      locks.add(ApiJson.shortenedLock(lock));
    }
    return ApiReply.ok(new JsonObject().put("locks", locks));
  }

  private static RefusedException mayNot(User user, String what) {
    return new RefusedException(
        Reason.NOT_PERMITTED,
        "user '"
            + user.name()
            + "' may not "
            + what
            + "; that takes an administrator with the right to: ./onefold user set "
            + user.name()
            + " --shorten-locks");
  }

  ApiReply deleteItem(ApiRequest request) throws IOException {
    StoreRecord found = visible(request.user(), request.pathValue("store"), Access.WRITE);
    store.deleteItem(request.commandId(), found.id(), request.pathValue("item"));
    return ApiReply.done();
  }

  ApiReply cloneItem(ApiRequest request) throws IOException {
    boolean replace = request.body().bool("replace", false);
    StoreRecord target =
        visible(request.user(), request.pathValue("store"), replace ? Access.WRITE : Access.APPEND);
    StoreRecord source = visible(request.user(), request.body().text("fromStore"), Access.READ);
    ItemRecord item =
        store.cloneItem(
            request.commandId(),
            source.id(),
            request.body().text("fromItem"),
            target.id(),
            Names.checkItemName(request.pathValue("item")),
            replace ? CommitMode.REPLACE : CommitMode.IF_ABSENT);
    return ApiReply.created(ApiJson.item(target.name(), item));
  }

  ApiReply proveItem(ApiRequest request) throws IOException {
    StoreRecord found = visible(request.user(), request.pathValue("store"), Access.READ);
    return proofs.prove(request, found, require(found, request.pathValue("item")));
  }

  private JsonObject describe(StoreRecord found) throws IOException {
    return ApiJson.store(
        found, StateOperations.domainName(store, found), store.statistics(found.id()));
  }

  /** Finds a store; one that the user may not see does not exist for him. */
  private StoreRecord visible(User user, String name, Access wanted) throws IOException {
    StoreRecord found =
        store
            .findStore(name)
            .filter(s -> user.access(name).isPresent())
            .orElseThrow(() ->
                new RefusedException(
                    Reason.NOT_FOUND,
                    "store '"
                        + name
                        + "' does not exist; make it: ./onefold store create "
                        + name));
    if (!user.may(wanted, name)) {
      throw new RefusedException(
          Reason.NOT_PERMITTED,
          "user '" + user.name() + "' may not " + wanted.label() + " in store '" + name + "'");
    }
    return found;
  }

  private ItemRecord require(StoreRecord in, String name) throws IOException {
    return store
        .findItem(in.id(), name)
        .orElseThrow(() ->
            new RefusedException(
                Reason.NOT_FOUND,
                "item '" + name + "' does not exist in store '" + in.name() + "'"));
  }

  private static Compression compression(JsonObject body, Compression otherwise)
      throws RefusedException {
    if (!body.has("compression")) {
      return otherwise;
    }
    String name = body.text("compression");
    for (Compression compression : Compression.values()) {
      if (compression.name().toLowerCase(Locale.ROOT).equals(name)) {
        return compression;
      }
    }
    throw new RefusedException(
        Reason.INVALID_REQUEST,
        "compression '" + name + "' does not exist; there are lz4, zstd and none");
  }

  private static StorePolicy policy(JsonObject body, StorePolicy otherwise)
      throws RefusedException {
    return otherwise
        .withLockKind(lockKind(body, otherwise.lockKind()))
        .withUndeleteDays(days(body, "undeleteDays", otherwise.undeleteDays()))
        .withSoftQuotaBytes(body.number("softQuotaBytes", otherwise.softQuotaBytes()));
  }

  private static LockKind lockKind(JsonObject body, LockKind otherwise) throws RefusedException {
    if (!body.has("lockKind")) {
      return otherwise;
    }
    String name = body.text("lockKind");
    for (LockKind kind : LockKind.values()) {
      if (ApiJson.lockKind(kind).equals(name)) {
        return kind;
      }
    }
    throw new RefusedException(
        Reason.INVALID_REQUEST,
        "lock kind '" + name + "' does not exist; there are governance and compliance");
  }

  /** Reads a time to lock until; a lock may be of any length, and end at once when shortened. */
  private static long positiveTime(JsonObject body) throws RefusedException {
    long millis = body.number("lockedUntil");
    if (millis < 1) {
      throw new RefusedException(
          Reason.INVALID_REQUEST, "lockedUntil " + millis + " is no time after 1970");
    }
    return millis;
  }

  private static int lockDays(JsonObject body, int otherwise) throws RefusedException {
    return days(body, "lockDays", otherwise);
  }

  private static int days(JsonObject body, String field, int otherwise) throws RefusedException {
    long days = body.number(field, otherwise);
    if (days < 0 || days > MOST_LOCK_DAYS) {
      throw new RefusedException(
          Reason.INVALID_REQUEST, field + " " + days + " is not between 0 and " + MOST_LOCK_DAYS);
    }
    return (int) days;
  }
}
