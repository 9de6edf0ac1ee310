package onefold.appliance.rest;

import java.io.IOException;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import onefold.appliance.identity.Access;
import onefold.appliance.identity.User;
import onefold.appliance.identity.Users;
import onefold.appliance.json.JsonArray;
import onefold.appliance.json.JsonObject;
import onefold.catalyst.wire.ScramVerifier;
import onefold.store.ChunkStore;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;

/** Operations on users. No reply holds anything secret. */
final class UserOperations {
  private final ChunkStore store;
  private final Users users;
  private final Tokens tokens;
  private final RandomGenerator random;

  UserOperations(ChunkStore store, Users users, Tokens tokens, RandomGenerator random) {
    this.store = store;
    this.users = users;
    this.tokens = tokens;
    this.random = random;
  }

  ApiReply list(ApiRequest request) throws IOException {
    JsonArray found = new JsonArray();
    for (User user : users.list()) {
      found.add(ApiJson.user(user));
    }
    return ApiReply.ok(new JsonObject().put("users", found));
  }

  ApiReply create(ApiRequest request) throws IOException {
    JsonObject body = request.body();
    User user =
        new User(
            body.text("name"),
            User.DEFAULT_TENANT,
            body.bool("administrator", false),
            true,
            access(body, new TreeMap<>()),
            body.bool("shortensLocks", false),
            verifier(body),
            store.storeTimeMillis());
    users.create(request.commandId(), user);
    return ApiReply.created(ApiJson.user(user));
  }

  ApiReply show(ApiRequest request) throws IOException {
    return ApiReply.ok(ApiJson.user(users.require(request.pathValue("user"))));
  }

  ApiReply set(ApiRequest request) throws IOException {
    User before = users.require(request.pathValue("user"));
    JsonObject body = request.body();
    User after =
        before
            .withShortensLocks(body.bool("shortensLocks", before.shortensLocks()))
            .with(
                body.bool("administrator", before.administrator()),
                body.bool("enabled", before.enabled()),
                access(body, before.stores()),
                store.storeTimeMillis());
    users.update(request.commandId(), after);
    tokens.end(after.name());
    return ApiReply.ok(ApiJson.user(after));
  }

  ApiReply setPassword(ApiRequest request) throws IOException {
    String name = request.pathValue("user");
    if (!request.user().administrator() && !request.user().name().equals(name)) {
      throw new RefusedException(
          Reason.NOT_PERMITTED,
          "user '" + request.user().name() + "' may change no other user's password");
    }
    User before = users.require(name);
    users.update(
        request.commandId(),
        before.withVerifier(verifier(request.body()), store.storeTimeMillis()));
    tokens.end(name);
    return ApiReply.done();
  }

  ApiReply delete(ApiRequest request) throws IOException {
    String name = request.pathValue("user");
    users.delete(request.commandId(), name);
    tokens.end(name);
    return ApiReply.done();
  }

  private ScramVerifier verifier(JsonObject body) throws RefusedException {
    return ScramVerifier.of(Users.checkPassword(body.text("password")).toCharArray(), random);
  }

  private static SortedMap<String, Access> access(
      JsonObject body, SortedMap<String, Access> otherwise) {
    if (!body.has("stores")) {
      return otherwise;
    }
    JsonObject given = body.object("stores");
    SortedMap<String, Access> access = new TreeMap<>();
    for (String name : given.fields().keySet()) {
      access.put(name, Access.ofLabel(given.text(name)));
    }
    return access;
  }
}
