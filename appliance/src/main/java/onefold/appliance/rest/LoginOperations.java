package onefold.appliance.rest;

import java.io.IOException;
import java.time.Duration;
import java.util.Base64;
import java.util.Collections;
import java.util.Optional;
import java.util.TreeMap;
import onefold.appliance.identity.User;
import onefold.appliance.json.JsonObject;
import onefold.catalyst.wire.ScramVerifier;

/** The two steps of a login. */
final class LoginOperations {
  /** Who asks before anybody has logged in. */
  static final User NOBODY =
      new User(
          "",
          "",
          false,
          false,
          Collections.unmodifiableSortedMap(new TreeMap<>()),
          ScramVerifier.forUnknown("", new byte[32]),
          0);

  private final Logins logins;

  LoginOperations(Logins logins) {
    this.logins = logins;
  }

  ApiReply begin(ApiRequest request) throws IOException {
    Logins.Challenge challenge = logins.begin(bytes(request.body().text("message")));
    return ApiReply.ok(
        new JsonObject()
            .put("conversation", challenge.conversation())
            .put("message", Base64.getEncoder().encodeToString(challenge.message())));
  }

  ApiReply finish(ApiRequest request) throws IOException {
    String conversation = request.body().text("conversation");
    byte[] message = bytes(request.body().text("message"));
    try {
      Thread.sleep(Duration.ofNanos(logins.delayNanos(conversation)));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("the appliance stops", e);
    }
    Optional<Logins.Outcome> outcome = logins.finish(conversation, message);
    if (outcome.isEmpty()) {
      return ApiReply.error(401, "AUTHENTICATION_FAILED", "user or password is wrong");
    }
    Logins.Outcome found = outcome.orElseThrow();
    return ApiReply.ok(
        new JsonObject()
            .put("message", Base64.getEncoder().encodeToString(found.message()))
            .put("token", found.token())
            .put("user", found.user())
            .put("seconds", Tokens.LIFETIME.toSeconds()));
  }

  private static byte[] bytes(String base64) {
    try {
      return Base64.getDecoder().decode(base64);
    } catch (IllegalArgumentException e) {
      throw new onefold.appliance.json.JsonException("field 'message' is no base64", e);
    }
  }
}
