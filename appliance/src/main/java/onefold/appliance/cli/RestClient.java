package onefold.appliance.cli;

import java.io.IOException;
import java.net.ConnectException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import onefold.appliance.FrontEnd;
import onefold.appliance.context.Context;
import onefold.appliance.context.Contexts;
import onefold.appliance.identity.CertificateBinding;
import onefold.appliance.json.Json;
import onefold.appliance.json.JsonException;
import onefold.appliance.json.JsonObject;
import onefold.catalyst.wire.PinningTrustManager;
import onefold.catalyst.wire.ScramClient;
import onefold.store.Id;

/** The REST door as the verbs use it: logs in once, then asks over the same connection. */
final class RestClient implements AutoCloseable {
  private static final String PREFIX = "/api/v1";

  // A server opens this door a moment after that for backup clients.
  private static final Duration PATIENCE = Duration.ofSeconds(15);

  private final HttpsConnection connection;
  private final String token;

  private RestClient(HttpsConnection connection, String token) {
    this.connection = connection;
    this.token = token;
  }

  /**
   * Connects and logs in.
   *
   * @throws Failure if that is not possible; the message names the context's file and what mends it
   */
  static RestClient open(Contexts.Found found) throws Failure {
    Context context = found.context();
    int port = context.port(FrontEnd.HTTPS.label(), FrontEnd.HTTPS.defaultPort());
    try {
      HttpsConnection connection = connect(context, port);
      boolean opened = false;
      try {
        String token =
            context.token().isEmpty()
                ? login(connection, context.user(), context.password())
                : context.token();
        opened = true;
        return new RestClient(connection, token);
      } finally {
        if (!opened) {
          connection.close();
        }
      }
    } catch (RestException e) {
      throw stale(found, String.valueOf(e.getMessage()), e);
    } catch (IOException e) {
      throw stale(found, explain(e, context.host(), port), e);
    }
  }

  private static HttpsConnection connect(Context context, int port) throws IOException {
    long endNanos = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      try {
        return HttpsConnection.open(context.host(), port, context.pin());
      } catch (ConnectException e) {
        boolean starting =
            Contexts.connects(context.host(), context.port(FrontEnd.CATALYST.label(), 0))
                && System.nanoTime() < endNanos;
        if (!starting) {
          throw e;
        }
        pause();
      }
    }
  }

  private static void pause() throws IOException {
    try {
      Thread.sleep(Duration.ofMillis(100));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  /** Says what is wrong with a connection in words that help. */
  static String explain(IOException error, String host, int port) {
    for (Throwable cause = error; cause != null; cause = cause.getCause()) {
      if (cause instanceof PinningTrustManager.PinMismatch) {
        return host
            + " has another key than the one this context trusts ("
            + cause.getMessage()
            + "); it was set up anew, or it is not the same machine";
      }
    }
    if (error instanceof ConnectException) {
      return "nothing answers at " + host + " port " + port;
    }
    return host + " port " + port + ": " + error.getMessage();
  }

  /** Names the context that did not work and the command that mends it. */
  static Failure stale(Contexts.Found found, String why, Throwable cause) {
    String host = found.context().host();
    boolean local = host.startsWith("127.") || host.equals("localhost");
    return Failure.failed(
        why
            + "\nThe context is "
            + found.file()
            + ". If the appliance should run here: ./onefold serve. To make the context anew:"
            + " ./onefold connect "
            + host
            + (local ? "" : " (its key and password are asked for)"),
        cause);
  }

  /** Logs in and returns a token. */
  static String login(HttpsConnection connection, String user, String password) throws IOException {
    try {
      ScramClient scram =
          new ScramClient(
              user,
              password.toCharArray(),
              CertificateBinding.of(connection.certificate()),
              new SecureRandom());
      Base64.Encoder encoder = Base64.getEncoder();
      JsonObject challenge =
          send(
              connection,
              "POST",
              "/login",
              Map.of(),
              new JsonObject().put("message", encoder.encodeToString(scram.first())));
      byte[] proof = scram.answer(Base64.getDecoder().decode(challenge.text("message")));
      JsonObject outcome =
          send(
              connection,
              "POST",
              "/login/proof",
              Map.of(),
              new JsonObject()
                  .put("conversation", challenge.text("conversation"))
                  .put("message", encoder.encodeToString(proof)));
      scram.verify(Base64.getDecoder().decode(outcome.text("message")));
      return outcome.text("token");
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      throw new IOException("the login failed: " + e.getMessage(), e);
    }
  }

  JsonObject get(String path) throws IOException {
    return request("GET", path, new JsonObject());
  }

  /**
   * Sends a request below {@code /api/v1}. One that changes something carries an id, so that it is
   * done once.
   *
   * @throws RestException if it is refused
   */
  JsonObject request(String method, String path, JsonObject body) throws IOException {
    Map<String, String> headers = new LinkedHashMap<>();
    headers.put("Authorization", "Bearer " + token);
    if (!method.equals("GET")) {
      headers.put("Idempotency-Key", Id.random(new SecureRandom()).toString());
    }
    return send(connection, method, path, headers, body);
  }

  private static JsonObject send(
      HttpsConnection connection,
      String method,
      String path,
      Map<String, String> headers,
      JsonObject body)
      throws IOException {
    String content = method.equals("GET") || body.fields().isEmpty() ? "" : body.write();
    HttpsConnection.Reply reply = connection.request(method, PREFIX + path, headers, content);
    try {
      JsonObject object =
          reply.body().isEmpty() ? new JsonObject() : Json.parseObject(reply.body());
      if (reply.status() / 100 != 2) {
        JsonObject error = object.object("error");
        throw new RestException(
            error.optionalText("code").orElse("HTTP_" + reply.status()),
            error
                .optionalText("message")
                .orElse("the appliance answered with status " + reply.status()));
      }
      return object;
    } catch (JsonException e) {
      throw new IOException("the appliance's answer is no JSON (status " + reply.status() + ")", e);
    }
  }

  /** Percent-encodes one part of a path, or a value of a query. */
  static String encoded(String part) {
    return URLEncoder.encode(part, StandardCharsets.UTF_8).replace("+", "%20");
  }

  /** Returns the path of an item. */
  static String itemPath(ItemReference item) {
    return itemPath(item, "items");
  }

  /** Returns the path of what is kept about an item under another heading. */
  static String itemPath(ItemReference item, String heading) {
    return "/stores/" + encoded(item.store()) + "/" + heading + "/" + encoded(item.item());
  }

  @Override
  public void close() throws IOException {
    connection.close();
  }
}
