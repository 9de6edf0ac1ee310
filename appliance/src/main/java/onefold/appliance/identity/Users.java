package onefold.appliance.identity;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import onefold.appliance.json.Json;
import onefold.appliance.json.JsonException;
import onefold.appliance.json.JsonObject;
import onefold.catalyst.wire.ScramVerifier;
import onefold.store.ChunkStore;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.Names;
import onefold.store.RefusedException;
import onefold.store.RefusedException.Reason;

/** The users of an appliance: records of kind {@value #KIND}, sealed. */
public final class Users {
  static final String KIND = "user";

  private static final int MAX_PASSWORD_CHARS = 1024;

  private final ChunkStore store;
  private final ApplianceKey key;

  public Users(ChunkStore store, ApplianceKey key) {
    this.store = store;
    this.key = key;
  }

  /**
   * Finds a user by name.
   *
   * @throws CorruptDataException if the record cannot be opened
   */
  public Optional<User> find(String name) throws IOException {
    Optional<byte[]> record = store.findRecord(KIND, name);
    return record.isEmpty() ? Optional.empty() : Optional.of(decode(name, record.orElseThrow()));
  }

  /** Returns all users in order of name. */
  public List<User> list() throws IOException {
    List<User> users = new ArrayList<>();
    for (var record : store.records(KIND).entrySet()) {
      users.add(decode(record.getKey(), record.getValue()));
    }
    return users;
  }

  /**
   * Adds a user.
   *
   * @throws RefusedException {@code EXISTS}, {@code INVALID_NAME}
   */
  public void create(Id commandId, User user) throws IOException {
    Names.checkStoreName(user.name());
    if (find(user.name()).isPresent()) {
      throw new RefusedException(
          Reason.EXISTS,
          "user '" + user.name() + "' exists; change it: ./onefold user set " + user.name());
    }
    store.putRecord(commandId, KIND, user.name(), Optional.of(encode(user)));
  }

  /**
   * Replaces a user's record.
   *
   * @throws RefusedException {@code NOT_FOUND}; {@code INVALID_REQUEST} if no enabled administrator
   *     would be left
   */
  public void update(Id commandId, User user) throws IOException {
    require(user.name());
    checkAdministratorStays(user.name(), user.administrator() && user.enabled());
    store.putRecord(commandId, KIND, user.name(), Optional.of(encode(user)));
  }

  /**
   * Removes a user.
   *
   * @throws RefusedException {@code NOT_FOUND}; {@code INVALID_REQUEST} if no enabled administrator
   *     would be left
   */
  public void delete(Id commandId, String name) throws IOException {
    require(name);
    checkAdministratorStays(name, false);
    store.putRecord(commandId, KIND, name, Optional.empty());
  }

  /**
   * Finds a user who must exist.
   *
   * @throws RefusedException {@code NOT_FOUND}
   */
  public User require(String name) throws IOException {
    return find(name)
        .orElseThrow(() ->
            new RefusedException(
                Reason.NOT_FOUND,
                "user '" + name + "' does not exist; make one: ./onefold user create " + name));
  }

  /**
   * Checks a new password: 8 to 1024 characters.
   *
   * @throws RefusedException {@code INVALID_REQUEST}
   */
  public static String checkPassword(String password) throws RefusedException {
    if (password.length() < 8 || password.length() > MAX_PASSWORD_CHARS) {
      throw new RefusedException(
          Reason.INVALID_REQUEST,
          "a password has 8 to 1024 characters, this one has " + password.length());
    }
    return password;
  }

  private void checkAdministratorStays(String name, boolean stays) throws IOException {
    if (!stays
        && list().stream()
            .noneMatch(u -> u.administrator() && u.enabled() && !u.name().equals(name))) {
      throw new RefusedException(
          Reason.INVALID_REQUEST,
          "user '" + name + "' is the last administrator; make another one first");
    }
  }

  private byte[] encode(User user) {
    Base64.Encoder base64 = Base64.getEncoder();
    JsonObject stores = new JsonObject();
    user.stores().forEach((store, access) -> stores.put(store, access.label()));
    ScramVerifier verifier = user.verifier();
    String content =
        new JsonObject()
            .put("name", user.name())
            .put("tenant", user.tenant())
            .put("administrator", user.administrator())
            .put("enabled", user.enabled())
            .put("stores", stores)
            .put("shortensLocks", user.shortensLocks())
            .put(
                "scram",
                new JsonObject()
                    .put("salt", base64.encodeToString(verifier.salt()))
                    .put("rounds", verifier.iterations())
                    .put("storedKey", base64.encodeToString(verifier.storedKey()))
                    .put("serverKey", base64.encodeToString(verifier.serverKey())))
            .put("changedAt", user.changedAtMillis())
            .write();
    return key.seal(KIND, user.name(), content.getBytes(StandardCharsets.UTF_8));
  }

  private User decode(String name, byte[] record) throws CorruptDataException {
    String content = new String(key.open(KIND, name, record), StandardCharsets.UTF_8);
    try {
      Base64.Decoder base64 = Base64.getDecoder();
      JsonObject object = Json.parseObject(content);
      JsonObject stores = object.object("stores");
      SortedMap<String, Access> access = new TreeMap<>();
      for (String store : stores.fields().keySet()) {
        access.put(store, Access.ofLabel(stores.text(store)));
      }
      JsonObject scram = object.object("scram");
      return new User(
          object.text("name"),
          object.text("tenant"),
          object.bool("administrator", false),
          object.bool("enabled", false),
          access,
          object.bool("shortensLocks", false),
          new ScramVerifier(
              base64.decode(scram.text("salt")),
              Math.toIntExact(scram.number("rounds")),
              base64.decode(scram.text("storedKey")),
              base64.decode(scram.text("serverKey"))),
          object.number("changedAt"));
    } catch (JsonException e) {
      throw new CorruptDataException(
          "user " + name, -1, "a user's fields", String.valueOf(e.getMessage()));
    } catch (IllegalArgumentException e) {
      throw new CorruptDataException(
          "user " + name, -1, "a user's fields", String.valueOf(e.getMessage()));
    }
  }
}
