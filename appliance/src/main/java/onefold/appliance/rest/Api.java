package onefold.appliance.rest;

import static onefold.appliance.rest.Operation.Caller.ADMINISTRATOR;
import static onefold.appliance.rest.Operation.Caller.ANYBODY;
import static onefold.appliance.rest.Operation.Caller.USER;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import onefold.appliance.identity.ProofKey;
import onefold.appliance.identity.User;
import onefold.appliance.identity.Users;
import onefold.appliance.json.Json;
import onefold.appliance.json.JsonException;
import onefold.appliance.json.JsonObject;
import onefold.appliance.rest.Operation.Field;
import onefold.catalyst.wire.WireException;
import onefold.nas.ServedShares;
import onefold.replication.Mappings;
import onefold.store.ChunkStore;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.RefusedException;
import onefold.store.StoreFullException;

/**
 * The REST interface below {@value #PREFIX}: finds the operation, checks who asks, and turns what
 * the store throws into replies. Safe for many threads.
 */
public final class Api {
  /** Where it begins. */
  public static final String PREFIX = "/api/v1";

  /** Longest body of a request. */
  public static final int MAX_BODY_BYTES = 1 << 20;

  private static final Logger LOG = System.getLogger(Api.class.getName());

  private final List<Operation> operations;
  private final Users users;
  private final Tokens tokens;
  private final Logins logins;
  private final RandomGenerator random;
  private final byte[] document;

  /**
   * @param served the shares
   * @param proofKey signs what is said about items
   * @param mappings what is replicated to peers; not closed
   * @param unknownSecret of this appliance, for the salt that an unknown user is shown
   * @param certificate of the HTTPS door
   */
  public Api(
      ChunkStore store,
      ServedShares served,
      Users users,
      ProofKey proofKey,
      Mappings mappings,
      Status status,
      RandomGenerator random,
      LongSupplier nanoTime,
      byte[] unknownSecret,
      X509Certificate certificate,
      String version)
      throws GeneralSecurityException {
    this.users = users;
    this.random = random;
    this.tokens = new Tokens(random, nanoTime);
    this.logins = new Logins(users, tokens, random, nanoTime, unknownSecret, certificate);
    StoreOperations stores =
        new StoreOperations(store, mappings, new ProofOperations(store, proofKey, random));
    ShareOperations shares = new ShareOperations(store, served);
    UserOperations people = new UserOperations(store, users, tokens, random);
    LoginOperations login = new LoginOperations(logins);
    MappingOperations mapping = new MappingOperations(mappings, random);
    StateOperations state = new StateOperations(store, status, mapping);
    ScrubOperations scrub = new ScrubOperations(store);
    Field verifyOnMatch =
        Field.of("verifyOnMatch", "boolean", "whether bytes are compared before a chunk is shared");
    Field bandwidth =
        Field.of("bytesPerSecond", "integer", "most bytes a second to the peer, 0 for no limit");
    Field replace = Field.of("replace", "boolean", "take the name's place if it is taken");
    Field lockDays = Field.of("lockDays", "integer", "days of store time to lock from now");
    Field storeLockDays = Field.of("lockDays", "integer", "days that every new item is locked");
    Field lockKind = Field.of("lockKind", "string", "governance or compliance");
    Field softQuota =
        Field.of("softQuotaBytes", "integer", "logical bytes from which on it warns, 0 for never");
    Field undeleteDays =
        Field.of("undeleteDays", "integer", "days that what is deleted can be brought back");
    Field deletedVersion = Field.required("version", "integer", "of the deleted item");
    Field shortensLocks =
        Field.of("shortensLocks", "boolean", "whether the administrator may shorten locks");
    Field quota = Field.of("quotaBytes", "integer", "most logical bytes, 0 for no limit");
    Field compression = Field.of("compression", "string", "lz4, zstd or none");
    Field tags = Field.of("tags", "object", "strings by key; replaces all");
    Field access =
        Field.of("stores", "object", "read, append or write by name of store, * for every store");
    Field nfs =
        Field.of(
            "nfs",
            "string",
            "who may mount it: addresses, networks, names, localhost or *, with commas; =ro behind"
                + " one for reading only; or none");
    Field squash = Field.of("squash", "string", "whom the owner stands for: auto, none, root, all");
    Field security =
        Field.of(
            "security",
            "string",
            "how clients of NFS must come: sys, krb5, krb5i or krb5p, with commas");
    Field shareQuota =
        Field.of("quotaBytes", "integer", "most bytes of all files together, 0 for no limit");
    Field readOnly = Field.of("readOnly", "boolean", "whether nobody may change anything");
    Field owner = Field.of("owner", "string", "whom squashed users become, UID:GID");
    Field snapshotDirectory =
        Field.of("snapshotDirectory", "string", "how clients see .snapshots: hidden, visible, off");
    Field quiet =
        Field.of(
            "quietSeconds", "integer", "after so long without a change a file is kept, 0: never");
    Field retention = Field.of("retentionDays", "integer", "how long files are kept");
    Field leastRetention = Field.of("retentionMinDays", "integer", "at least");
    Field mostRetention = Field.of("retentionMaxDays", "integer", "at most");
    this.operations =
        List.of(
            new Operation(
                "POST",
                "/login",
                ANYBODY,
                "beginLogin",
                "Begins a login.",
                List.of(),
                List.of(
                    Field.required("message", "string", "client-first-message of SCRAM, base64")),
                login::begin),
            new Operation(
                "POST",
                "/login/proof",
                ANYBODY,
                "finishLogin",
                "Ends a login and gives a token for 15 minutes.",
                List.of(),
                List.of(
                    Field.required("conversation", "string", "as the first step answered"),
                    Field.required("message", "string", "client-final-message of SCRAM, base64")),
                login::finish),
            new Operation(
                "GET",
                "/openapi.json",
                ANYBODY,
                "describe",
                "Returns this document.",
                List.of(),
                List.of(),
                r -> description()),
            new Operation(
                "GET",
                "/status",
                USER,
                "status",
                "Says what runs, where, how well and how full.",
                List.of(),
                List.of(),
                state::status),
            new Operation(
                "GET",
                "/statistics",
                USER,
                "statistics",
                "Returns the figures of every domain and store.",
                List.of(),
                List.of(),
                state::statistics),
            new Operation(
                "PATCH",
                "/memory",
                ADMINISTRATOR,
                "setMemory",
                "Sets what the process may take, until the next start.",
                List.of(),
                List.of(Field.required("bytes", "integer", "at most what its JVM was started for")),
                state::setMemory),
            new Operation(
                "GET",
                "/housekeeping",
                USER,
                "housekeeping",
                "Says where housekeeping stands.",
                List.of(),
                List.of(),
                state::housekeeping),
            new Operation(
                "POST",
                "/housekeeping",
                ADMINISTRATOR,
                "runHousekeeping",
                "Runs one whole cycle and answers when its space is returned.",
                List.of(),
                List.of(
                    Field.of("domain", "string", "only this one"),
                    Field.of(
                        "recompress",
                        "boolean",
                        "recompress everything sealed as well, cold or not")),
                state::runHousekeeping),
            new Operation(
                "PATCH",
                "/housekeeping",
                ADMINISTRATOR,
                "pauseHousekeeping",
                "Pauses housekeeping or lets it go on; turns recompression on or off. Durable.",
                List.of(),
                List.of(
                    Field.of("paused", "boolean", "whether it rests"),
                    Field.of(
                        "recompression",
                        "boolean",
                        "whether cold containers are recompressed when nothing else is done")),
                state::pauseHousekeeping),
            new Operation(
                "GET",
                "/disks",
                USER,
                "listDisks",
                "Lists the disks of the data directory and what lies on them.",
                List.of(),
                List.of(),
                state::disks),
            new Operation(
                "POST",
                "/disks",
                ADMINISTRATOR,
                "addDisk",
                "Adds a disk: an empty directory of the appliance's machine.",
                List.of(),
                List.of(
                    Field.required("path", "string", "absolute"),
                    Field.of("role", "string", "data, index or journal; data when not said")),
                state::addDisk),
            new Operation(
                "PATCH",
                "/disks/{disk}",
                ADMINISTRATOR,
                "drainDisk",
                "Moves everything away from a disk while work goes on, or stops that.",
                List.of(),
                List.of(Field.required("draining", "boolean", "whether it is to be emptied")),
                state::drainDisk),
            new Operation(
                "GET",
                "/scrub",
                USER,
                "scrub",
                "Says where the scrub of each domain and of the catalog stands, and when it will be"
                    + " finished.",
                List.of(),
                List.of(),
                scrub::status),
            new Operation(
                "POST",
                "/scrub",
                ADMINISTRATOR,
                "beginScrub",
                "Begins to read everything back, unless that is under way; answers at once.",
                List.of(),
                List.of(Field.of("domain", "string", "only this one")),
                scrub::begin),
            new Operation(
                "PATCH",
                "/scrub",
                ADMINISTRATOR,
                "pauseScrub",
                "Pauses the scrub or lets it go on.",
                List.of(),
                List.of(
                    Field.required("paused", "boolean", "whether it rests"),
                    Field.of("domain", "string", "only this one")),
                scrub::pause),
            new Operation(
                "GET",
                "/damages",
                ADMINISTRATOR,
                "listDamages",
                "Lists what is damaged and not repaired, in the order of repair, with the items"
                    + " that need it.",
                List.of(),
                List.of(),
                scrub::damages),
            new Operation(
                "POST",
                "/damages",
                ADMINISTRATOR,
                "repairDamages",
                "Puts a damage first, and tries every repair again.",
                List.of(),
                List.of(
                    Field.of("domain", "string", "only this one"),
                    Field.of("container", "integer", "number of the container to put first")),
                scrub::repair),
            new Operation(
                "GET",
                "/domains",
                USER,
                "listDomains",
                "Lists the dedup domains.",
                List.of(),
                List.of(),
                state::domains),
            new Operation(
                "POST",
                "/domains",
                ADMINISTRATOR,
                "createDomain",
                "Makes a dedup domain.",
                List.of(),
                List.of(
                    Field.required("name", "string", "unique on the appliance"),
                    Field.of(
                        "parameterSet", "integer", "number of the parameter set, 1 when not said"),
                    Field.of("parity", "boolean", "whether each container has a parity"),
                    verifyOnMatch),
                state::createDomain),
            new Operation(
                "PATCH",
                "/domains/{domain}",
                ADMINISTRATOR,
                "setDomain",
                "Changes a domain's options.",
                List.of(),
                List.of(
                    Field.of("parity", "boolean", "whether each container has a parity"),
                    verifyOnMatch),
                state::setDomain),
            new Operation(
                "GET",
                "/mappings",
                ADMINISTRATOR,
                "listMappings",
                "Lists what is replicated to which peer, and how far that is.",
                List.of(),
                List.of(),
                mapping::list),
            new Operation(
                "POST",
                "/mappings",
                ADMINISTRATOR,
                "createMapping",
                "Keeps a store in a store of a peer too; the peer is entered to see whether that"
                    + " can be done.",
                List.of(),
                List.of(
                    Field.required("name", "string", "unique on the appliance"),
                    Field.required("store", "string", "here"),
                    Field.required(
                        "peer", "object", "host, port of its Catalyst door, user, password, pin"),
                    Field.required("peerStore", "string", "there"),
                    Field.of("trigger", "string", "commit, every or demand; commit when not said"),
                    Field.of("everySeconds", "integer", "with trigger every"),
                    Field.of("deletions", "boolean", "delete copies of what is gone here"),
                    Field.of("copies", "boolean", "pass on items that are copies themselves"),
                    bandwidth),
                mapping::create),
            new Operation(
                "GET",
                "/mappings/{mapping}",
                ADMINISTRATOR,
                "showMapping",
                "Says where a mapping stands, what it cost, and what it leaves out.",
                List.of(),
                List.of(),
                mapping::show),
            new Operation(
                "PATCH",
                "/mappings/{mapping}",
                ADMINISTRATOR,
                "setMapping",
                "Pauses a mapping or lets it go on; sets its bandwidth. Durable.",
                List.of(),
                List.of(Field.of("paused", "boolean", "whether it rests"), bandwidth),
                mapping::change),
            new Operation(
                "POST",
                "/mappings/{mapping}/sync",
                ADMINISTRATOR,
                "syncMapping",
                "Asks for a pass and answers at once with its number as 'wantedPass'; it has ended"
                    + " when 'finishedPass' has reached it.",
                List.of(),
                List.of(),
                mapping::sync),
            new Operation(
                "DELETE",
                "/mappings/{mapping}",
                ADMINISTRATOR,
                "deleteMapping",
                "Forgets a mapping; its copies stay on the peer.",
                List.of(),
                List.of(),
                mapping::remove),
            new Operation(
                "GET",
                "/stores",
                USER,
                "listStores",
                "Lists the stores that the user may see.",
                List.of(),
                List.of(),
                stores::list),
            new Operation(
                "POST",
                "/stores",
                ADMINISTRATOR,
                "createStore",
                "Makes a store.",
                List.of(),
                List.of(
                    Field.required("name", "string", "unique on the appliance"),
                    Field.of("domain", "string", "name of its dedup domain, default when not said"),
                    quota,
                    compression,
                    storeLockDays,
                    lockKind,
                    undeleteDays,
                    softQuota),
                stores::create),
            new Operation(
                "GET",
                "/stores/{store}",
                USER,
                "showStore",
                "Returns a store and its figures.",
                List.of(),
                List.of(),
                stores::show),
            new Operation(
                "PATCH",
                "/stores/{store}",
                ADMINISTRATOR,
                "setStore",
                "Changes a store's settings.",
                List.of(),
                List.of(quota, compression, storeLockDays, lockKind, undeleteDays, softQuota),
                stores::set),
            new Operation(
                "DELETE",
                "/stores/{store}",
                ADMINISTRATOR,
                "deleteStore",
                "Deletes a store.",
                List.of(Field.of("withItems", "boolean", "also if it holds items")),
                List.of(),
                stores::delete),
            new Operation(
                "GET",
                "/shares",
                ADMINISTRATOR,
                "listShares",
                "Lists the shares.",
                List.of(),
                List.of(),
                shares::list),
            new Operation(
                "POST",
                "/shares",
                ADMINISTRATOR,
                "createShare",
                "Makes a share.",
                List.of(),
                List.of(
                    Field.required("name", "string", "unique on the appliance"),
                    Field.of("domain", "string", "name of its dedup domain, default when not said"),
                    nfs,
                    squash,
                    security,
                    shareQuota,
                    readOnly,
                    owner,
                    snapshotDirectory,
                    Field.of("worm", "boolean", "whether it keeps its files; stays so"),
                    quiet,
                    retention,
                    leastRetention,
                    mostRetention),
                shares::create),
            new Operation(
                "GET",
                "/shares/{share}",
                ADMINISTRATOR,
                "showShare",
                "Returns a share, and what its rules allow and why.",
                List.of(Field.of("client", "string", "an address: says what it may do, and why")),
                List.of(),
                shares::show),
            new Operation(
                "PATCH",
                "/shares/{share}",
                ADMINISTRATOR,
                "setShare",
                "Changes a share's settings.",
                List.of(),
                List.of(
                    nfs,
                    squash,
                    security,
                    shareQuota,
                    readOnly,
                    owner,
                    snapshotDirectory,
                    quiet,
                    retention,
                    leastRetention,
                    mostRetention),
                shares::set),
            new Operation(
                "DELETE",
                "/shares/{share}",
                ADMINISTRATOR,
                "deleteShare",
                "Deletes a share.",
                List.of(Field.of("withFiles", "boolean", "also if it holds files")),
                List.of(),
                shares::delete),
            new Operation(
                "GET",
                "/shares/{share}/snapshots",
                ADMINISTRATOR,
                "listShareSnapshots",
                "Lists the snapshots of a share, the oldest first.",
                List.of(),
                List.of(),
                shares::snapshots),
            new Operation(
                "POST",
                "/shares/{share}/snapshots",
                ADMINISTRATOR,
                "makeShareSnapshot",
                "Keeps a share as it is now.",
                List.of(),
                List.of(Field.required("name", "string", "unique among the share's snapshots")),
                shares::snapshot),
            new Operation(
                "DELETE",
                "/shares/{share}/snapshots/{snapshot}",
                ADMINISTRATOR,
                "deleteShareSnapshot",
                "Deletes a snapshot; the share and its files stay.",
                List.of(),
                List.of(),
                shares::deleteSnapshot),
            new Operation(
                "POST",
                "/shares/{share}/copies",
                ADMINISTRATOR,
                "copyShare",
                "Makes another share of a share as it is now, or of a snapshot of it.",
                List.of(),
                List.of(
                    Field.required("name", "string", "of the new share"),
                    Field.of("snapshot", "string", "the snapshot to copy")),
                shares::copy),
            new Operation(
                "GET",
                "/stores/{store}/uploads",
                USER,
                "listUploads",
                "Lists the unfinished uploads of a store.",
                List.of(),
                List.of(),
                stores::uploads),
            new Operation(
                "DELETE",
                "/stores/{store}/uploads/{upload}",
                USER,
                "abortUpload",
                "Ends an unfinished upload.",
                List.of(),
                List.of(),
                stores::abortUpload),
            new Operation(
                "GET",
                "/stores/{store}/items",
                USER,
                "listItems",
                "Lists items in order of name, age (youngest first) or size (largest first). While"
                    + " the answer has 'next', more may follow. What of the names cannot be read"
                    + " stands in 'lost', and the listing goes on behind it.",
                List.of(
                    Field.of("prefix", "string", "only names that begin so"),
                    Field.of("tag", "string", "KEY=VALUE, only items that have it; repeatable"),
                    Field.of("sort", "string", "name, age or size; name when not said"),
                    Field.of(
                        "after",
                        "string",
                        "where to go on: 'next' of the page before; in order of name any name"),
                    Field.of("limit", "integer", "1 to 10000, 1000 when not said")),
                List.of(),
                stores::items),
            new Operation(
                "GET",
                "/stores/{store}/items/{item...}",
                USER,
                "showItem",
                "Returns an item; its space as of the last mark of housekeeping, once there was"
                    + " one.",
                List.of(),
                List.of(),
                stores::item),
            new Operation(
                "PATCH",
                "/stores/{store}/items/{item...}",
                USER,
                "setItem",
                "Sets tags and hold, or the lock of an item.",
                List.of(),
                List.of(
                    tags,
                    Field.of("held", "boolean", "not deletable until released"),
                    lockDays,
                    Field.of("lockedUntil", "integer", "store time to lock until"),
                    lockKind,
                    Field.of("reason", "string", "why a lock is shortened, kept for ever")),
                stores::setItem),
            new Operation(
                "POST",
                "/stores/{store}/copies",
                ADMINISTRATOR,
                "copyStore",
                "Makes another store with the same items; nothing is copied. The source may be a"
                    + " snapshot.",
                List.of(),
                List.of(Field.required("name", "string", "of the new store")),
                stores::copyStore),
            new Operation(
                "GET",
                "/stores/{store}/snapshots",
                USER,
                "listSnapshots",
                "Lists the snapshots of a store.",
                List.of(),
                List.of(),
                stores::snapshots),
            new Operation(
                "POST",
                "/stores/{store}/snapshots",
                USER,
                "createSnapshot",
                "Keeps a store as it is now; it is read as STORE@NAME.",
                List.of(),
                List.of(Field.required("name", "string", "unique among the store's snapshots")),
                stores::createSnapshot),
            new Operation(
                "PATCH",
                "/stores/{store}/snapshots/{snapshot}",
                USER,
                "lockSnapshot",
                "Locks a snapshot.",
                List.of(),
                List.of(
                    lockDays,
                    Field.of("lockedUntil", "integer", "store time to lock until"),
                    lockKind,
                    Field.of("reason", "string", "why a lock is shortened, kept for ever")),
                stores::lockSnapshot),
            new Operation(
                "DELETE",
                "/stores/{store}/snapshots/{snapshot}",
                USER,
                "deleteSnapshot",
                "Deletes a snapshot.",
                List.of(),
                List.of(),
                stores::deleteSnapshot),
            new Operation(
                "GET",
                "/stores/{store}/deleted",
                USER,
                "listDeleted",
                "Lists items that were deleted or replaced and can be brought back, by name, the"
                    + " newest version first. While the answer has 'next', more follow.",
                List.of(
                    Field.of("prefix", "string", "only names that begin so"),
                    Field.of("after", "string", "where to go on: 'next' of the page before"),
                    Field.of("limit", "integer", "1 to 10000, 1000 when not said")),
                List.of(),
                stores::deleted),
            new Operation(
                "POST",
                "/stores/{store}/deleted/{item...}",
                USER,
                "undeleteItem",
                "Brings a deleted item back; one that it replaces can then be brought back.",
                List.of(),
                List.of(deletedVersion, Field.of("as", "string", "its name from now on"), replace),
                stores::undelete),
            new Operation(
                "DELETE",
                "/stores/{store}/deleted/{item...}",
                ADMINISTRATOR,
                "purgeDeleted",
                "Gives a deleted item up; before its time with the right to shorten locks only.",
                List.of(),
                List.of(deletedVersion, Field.of("reason", "string", "why before its time, kept")),
                stores::purge),
            new Operation(
                "GET",
                "/locks/shortened",
                ADMINISTRATOR,
                "listShortenedLocks",
                "Lists locks that were shortened and deleted items that were given up before their"
                    + " time, by whom and why.",
                List.of(),
                List.of(),
                stores::shortenedLocks),
            new Operation(
                "DELETE",
                "/stores/{store}/items/{item...}",
                USER,
                "deleteItem",
                "Deletes an item.",
                List.of(),
                List.of(),
                stores::deleteItem),
            new Operation(
                "POST",
                "/stores/{store}/items/{item...}",
                USER,
                "cloneItem",
                "Makes an item from another; no data is read.",
                List.of(),
                List.of(
                    Field.required("fromStore", "string", "store of the source"),
                    Field.required("fromItem", "string", "name of the source"),
                    replace),
                stores::cloneItem),
            new Operation(
                "POST",
                "/stores/{store}/proofs/{item...}",
                USER,
                "proveItem",
                "Returns a signed statement about an item, and for a challenge the bytes at the"
                    + " places it chooses.",
                List.of(),
                List.of(
                    Field.of("challenge", "string", "a seed of the caller's, 1 to 64 bytes"),
                    Field.of("readBack", "boolean", "read every byte of the item back first")),
                stores::proveItem),
            new Operation(
                "GET",
                "/users",
                ADMINISTRATOR,
                "listUsers",
                "Lists the users.",
                List.of(),
                List.of(),
                people::list),
            new Operation(
                "POST",
                "/users",
                ADMINISTRATOR,
                "createUser",
                "Adds a user.",
                List.of(),
                List.of(
                    Field.required("name", "string", "unique on the appliance"),
                    Field.required("password", "string", "8 to 1024 characters"),
                    Field.of("administrator", "boolean", "whether the user manages the appliance"),
                    access,
                    shortensLocks),
                people::create),
            new Operation(
                "GET",
                "/users/{user}",
                ADMINISTRATOR,
                "showUser",
                "Returns a user.",
                List.of(),
                List.of(),
                people::show),
            new Operation(
                "PATCH",
                "/users/{user}",
                ADMINISTRATOR,
                "setUser",
                "Changes a user's rights.",
                List.of(),
                List.of(
                    Field.of("administrator", "boolean", "whether the user manages the appliance"),
                    Field.of("enabled", "boolean", "whether the user may enter"),
                    access,
                    shortensLocks),
                people::set),
            new Operation(
                "PUT",
                "/users/{user}/password",
                USER,
                "setPassword",
                "Changes a password: one's own, or anybody's as administrator.",
                List.of(),
                List.of(Field.required("password", "string", "8 to 1024 characters")),
                people::setPassword),
            new Operation(
                "DELETE",
                "/users/{user}",
                ADMINISTRATOR,
                "deleteUser",
                "Removes a user.",
                List.of(),
                List.of(),
                people::delete));
    this.document = OpenApi.document(operations, version).write().getBytes(StandardCharsets.UTF_8);
  }

  /** The OpenAPI document, UTF-8. */
  byte[] document() {
    return document.clone();
  }

  private ApiReply description() {
    return ApiReply.ok(Json.parse(new String(document, StandardCharsets.UTF_8)));
  }

  /**
   * Answers a request.
   *
   * @param rawPath path below {@value #PREFIX}, still percent-encoded
   * @param query parameters
   * @param authorization value of that header, or empty
   * @param idempotencyKey value of that header, or empty
   * @param body at most {@value #MAX_BODY_BYTES} bytes
   */
  ApiReply handle(
      String method,
      String rawPath,
      Map<String, List<String>> query,
      String authorization,
      String idempotencyKey,
      byte[] body) {
    try {
      boolean pathExists = false;
      for (Operation operation : operations) {
        Optional<Map<String, String>> path = match(operation.template(), rawPath);
        if (path.isPresent()) {
          if (operation.method().equals(method)) {
            return run(operation, path.orElseThrow(), query, authorization, idempotencyKey, body);
          }
          pathExists = true;
        }
      }
      return pathExists
          ? ApiReply.error(405, "METHOD_NOT_ALLOWED", method + " is not possible here")
          : ApiReply.error(
              404, "NOT_FOUND", "no such resource; " + PREFIX + "/openapi.json lists them");
    } catch (RefusedException e) {
      return ApiReply.error(status(e.reason()), e.reason().name(), String.valueOf(e.getMessage()));
    } catch (StoreFullException e) {
      return ApiReply.error(507, "FULL", String.valueOf(e.getMessage()));
    } catch (CorruptDataException e) {
      LOG.log(Level.ERROR, "stored bytes are wrong", e);
      return ApiReply.error(500, "CORRUPT_DATA", String.valueOf(e.getMessage()));
    } catch (WireException e) {
      return ApiReply.error(400, "INVALID_REQUEST", String.valueOf(e.getMessage()));
    } catch (JsonException e) {
      return ApiReply.error(400, "INVALID_REQUEST", String.valueOf(e.getMessage()));
    } catch (IllegalArgumentException e) {
      return ApiReply.error(400, "INVALID_REQUEST", String.valueOf(e.getMessage()));
    } catch (IOException | RuntimeException e) {
      // The outermost loop of a request: log once, answer without details.
      LOG.log(Level.ERROR, method + " " + rawPath + " failed", e);
      return ApiReply.error(500, "INTERNAL", "the appliance failed; its log has more");
    }
  }

  private ApiReply run(
      Operation operation,
      Map<String, String> path,
      Map<String, List<String>> query,
      String authorization,
      String idempotencyKey,
      byte[] body)
      throws IOException {
    User user;
    if (operation.caller() == ANYBODY) {
      user = LoginOperations.NOBODY;
    } else {
      Optional<User> found = caller(authorization);
      if (found.isEmpty()) {
        return ApiReply.error(
            401, "NOT_LOGGED_IN", "log in: POST " + PREFIX + "/login; a token lasts 15 minutes");
      }
      user = found.orElseThrow();
      if (operation.caller() == ADMINISTRATOR && !user.administrator()) {
        return ApiReply.error(
            403, "NOT_PERMITTED", "user '" + user.name() + "' is no administrator");
      }
    }
    JsonObject object =
        body.length == 0 ? new JsonObject() : Json.parseObject(SentText.of(body, "the body"));
    checkFields(operation, object);
    Id commandId = idempotencyKey.isEmpty() ? Id.random(random) : Id.ofHex(idempotencyKey);
    return operation.handler().handle(new ApiRequest(path, query, object, user, commandId));
  }

  private static void checkFields(Operation operation, JsonObject body) {
    List<String> known = operation.body().stream().map(Field::name).toList();
    for (String name : body.fields().keySet()) {
      if (!known.contains(name)) {
        throw new JsonException(
            "unknown field '" + name + "'; known are " + String.join(", ", known));
      }
    }
  }

  /** Returns who asks: whose token it is, if that user still exists and may enter. */
  private Optional<User> caller(String authorization) throws IOException {
    if (!authorization.startsWith("Bearer ")) {
      return Optional.empty();
    }
    Optional<String> name = tokens.userOf(authorization.substring("Bearer ".length()).trim());
    return name.isEmpty() ? Optional.empty() : users.find(name.orElseThrow()).filter(User::enabled);
  }

  /**
   * Matches a path; decodes its parts after it was split, so that an encoded slash belongs to a
   * name.
   */
  static Optional<Map<String, String>> match(String template, String rawPath) {
    String[] wanted = template.split("/", -1);
    String[] found = rawPath.split("/", -1);
    Map<String, String> values = new LinkedHashMap<>();
    for (int i = 0; i < wanted.length; i++) {
      if (i >= found.length) {
        return Optional.empty();
      }
      if (wanted[i].endsWith("...}")) {
        String rest = String.join("/", Arrays.copyOfRange(found, i, found.length));
        values.put(wanted[i].substring(1, wanted[i].length() - 4), decode(rest));
        return rest.isEmpty() ? Optional.empty() : Optional.of(values);
      }
      if (wanted[i].startsWith("{")) {
        if (found[i].isEmpty()) {
          return Optional.empty();
        }
        values.put(wanted[i].substring(1, wanted[i].length() - 1), decode(found[i]));
      } else if (!wanted[i].equals(found[i])) {
        return Optional.empty();
      }
    }
    return wanted.length == found.length ? Optional.of(values) : Optional.empty();
  }

  private static String decode(String encoded) {
    return SentText.ofPercentEncoded(encoded);
  }

  private static int status(RefusedException.Reason reason) {
    return switch (reason) {
      case NOT_FOUND -> 404;
      case EXISTS, NOT_EMPTY, CONFLICT -> 409;
      case INVALID_NAME, INVALID_REQUEST, BYTES_NEEDED -> 400;
      case LOCKED -> 423;
      case QUOTA_EXCEEDED -> 507;
      case TOO_MANY_UNFINISHED -> 429;
      case NOT_PERMITTED -> 403;
      case READ_ONLY, SHUTTING_DOWN -> 503;
    };
  }
}
