package onefold.appliance.context;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.SortedMap;
import java.util.TreeMap;
import onefold.appliance.json.Json;
import onefold.appliance.json.JsonException;
import onefold.appliance.json.JsonObject;

/**
 * How to find, trust and enter one appliance.
 *
 * @param host name or address
 * @param ports by front-end: catalyst, https, …
 * @param user who logs in; empty if a token says so
 * @param password of the user; empty if there is none
 * @param token in place of user and password; empty if there is none
 * @param pin of the appliance's public key
 */
public record Context(
    String host,
    SortedMap<String, Integer> ports,
    String user,
    String password,
    String token,
    String pin) {
  private static final int MAX_FILE_BYTES = 64 << 10;

  public Context {
    if (host.isBlank()) {
      throw new IllegalArgumentException("a context needs a host");
    }
    ports = java.util.Collections.unmodifiableSortedMap(new TreeMap<>(ports));
    for (var port : ports.entrySet()) {
      if (port.getValue() < 1 || port.getValue() > 65_535) {
        throw new IllegalArgumentException("port " + port.getValue() + " of " + port.getKey());
      }
    }
  }

  /** Returns the port of a front-end, or {@code otherwise} if the context names none. */
  public int port(String frontEnd, int otherwise) {
    return ports.getOrDefault(frontEnd, otherwise);
  }

  public Context withPort(String frontEnd, int port) {
    var changed = new TreeMap<>(ports);
    changed.put(frontEnd, port);
    return new Context(host, changed, user, password, token, pin);
  }

  public Context withPassword(String newPassword) {
    return new Context(host, ports, user, newPassword, "", pin);
  }

  /**
   * Reads a context file.
   *
   * @throws IOException if it cannot be read or is no context; the message names the file
   */
  public static Context read(Path file) throws IOException {
    String text = new String(PrivateFile.read(file, MAX_FILE_BYTES), StandardCharsets.UTF_8);
    try {
      JsonObject object = Json.parseObject(text);
      SortedMap<String, Integer> ports = new TreeMap<>();
      JsonObject named = object.object("ports");
      for (String frontEnd : named.fields().keySet()) {
        ports.put(frontEnd, Math.toIntExact(named.number(frontEnd)));
      }
      return new Context(
          object.text("host"),
          ports,
          object.optionalText("user").orElse(""),
          object.optionalText("password").orElse(""),
          object.optionalText("token").orElse(""),
          object.text("pin"));
    } catch (JsonException e) {
      throw new IOException(file + " is not a context: " + e.getMessage(), e);
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw new IOException(file + " is not a context: " + e.getMessage(), e);
    }
  }

  /** Writes the context, mode 0600, in one step. */
  public void write(Path file) throws IOException {
    JsonObject named = new JsonObject();
    ports.forEach((frontEnd, port) -> named.put(frontEnd, (long) port));
    JsonObject object = new JsonObject().put("host", host).put("ports", named);
    if (!user.isEmpty()) {
      object.put("user", user);
    }
    if (!password.isEmpty()) {
      object.put("password", password);
    }
    if (!token.isEmpty()) {
      object.put("token", token);
    }
    object.put("pin", pin);
    PrivateFile.write(file, object.write() + "\n");
  }

  /** Says what it is without its secrets. */
  @Override
  public String toString() {
    return "context of " + (user.isEmpty() ? "a token" : user) + " at " + host + " " + ports;
  }
}
