package onefold.appliance.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import onefold.appliance.FrontEnd;
import onefold.appliance.context.Context;
import onefold.appliance.context.PrivateFile;
import onefold.appliance.identity.FirstAdministrator;
import onefold.appliance.json.Json;
import onefold.appliance.json.JsonException;
import onefold.appliance.json.JsonObject;
import onefold.catalyst.wire.PinningTrustManager;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Makes a context for an appliance on another machine. */
@Command(
    name = "connect",
    description = {
      "Make a context for an appliance: shows and checks its key, asks for the password, and writes"
          + " ~/.onefold/context.json",
      "(or the file that --context names)."
    },
    footer = {"", "Example:", "  ./onefold connect backup.example --user mailhost"})
final class ConnectVerb extends Verb {
  /** Before a key where people read and type it. */
  static final String PIN_PREFIX = "sha256:";

  @Parameters(
      paramLabel = "HOST[:PORT]",
      description = "The appliance; PORT is that of its https front-end, 8443 when not said.")
  private String host = "";

  @Option(names = "--user", paramLabel = "U", description = "Who logs in; admin when not said.")
  private String user = FirstAdministrator.NAME;

  @Option(
      names = "--pin",
      paramLabel = "KEY",
      description =
          "The appliance's key, as its serve printed it; else it is shown and asked about.")
  private Optional<String> pin = Optional.empty();

  @Option(
      names = "--context",
      paramLabel = "FILE",
      description = "Where to write; ~/.onefold/context.json when not said.")
  private Optional<Path> target = Optional.empty();

  ConnectVerb(Environment environment) {
    super(environment);
  }

  @Override
  public Integer call() throws IOException, Failure {
    int colon = host.lastIndexOf(':');
    boolean withPort = colon > 0 && host.indexOf(':') == colon;
    String name = withPort ? host.substring(0, colon) : host;
    int port = withPort ? portOf(host.substring(colon + 1)) : FrontEnd.HTTPS.defaultPort();
    Path file =
        target
            .or(() -> environment().contexts().homeFile())
            .orElseThrow(
                () -> Failure.misused("this user has no home; name a file: --context FILE"));
    Optional<String> wanted =
        pin.map(p -> p.startsWith(PIN_PREFIX) ? p.substring(PIN_PREFIX.length()) : p);
    if (wanted.isPresent() && !wanted.orElseThrow().matches("[0-9a-fA-F]{64}")) {
      throw Failure.misused("a key is sha256: and 64 hexadecimal digits, not " + pin.orElseThrow());
    }
    try (HttpsConnection connection =
        HttpsConnection.open(name, port, wanted.orElse(HttpsConnection.ANY_KEY))) {
      String found = PinningTrustManager.pinOf(connection.certificate());
      String shown = PIN_PREFIX + found;
      if (wanted.isEmpty()) {
        String question =
            "The key of " + name + " is " + shown + ". Is it the one that its serve printed?";
        String otherwise =
            "the key of "
                + name
                + " is "
                + shown
                + "; compare it with the one that its serve printed, then say --pin "
                + shown;
        if (!terminal().confirm(question, otherwise)) {
          throw Failure.failed("nothing was written");
        }
      }
      String password = terminal().password("Password of " + user + " at " + name + ":");
      String token = RestClient.login(connection, user, password);
      Context context =
          new Context(name, ports(connection, token, port), user, password, "", found);
      Path folder = file.toAbsolutePath().getParent();
      if (folder != null) {
        PrivateFile.createFolder(folder);
      }
      context.write(file);
      say("connected; the context is " + file + ". Try: ./onefold status");
      result(new JsonObject().put("file", file.toString()).put("host", name).put("pin", found));
    } catch (RestException e) {
      throw Failure.failed(name + ": " + e.getMessage(), e);
    } catch (IOException e) {
      throw Failure.failed(
          RestClient.explain(e, name, port)
              + "\nOn "
              + name
              + " it must be open to others: ./onefold serve --listen all",
          e);
    }
    return Exit.DONE;
  }

  private static int portOf(String text) throws Failure {
    try {
      int port = Integer.parseInt(text);
      if (port >= 1 && port <= 65_535) {
        return port;
      }
    } catch (NumberFormatException e) {
      // Refused below, with the value.
    }
    throw Failure.misused("port '" + text + "' is not between 1 and 65535");
  }

  private static SortedMap<String, Integer> ports(
      HttpsConnection connection, String token, int https) throws IOException {
    HttpsConnection.Reply reply =
        connection.request("GET", "/api/v1/status", Map.of("Authorization", "Bearer " + token), "");
    SortedMap<String, Integer> ports = new TreeMap<>();
    try {
      JsonObject frontEnds = Json.parseObject(reply.body()).object("frontEnds");
      for (String frontEnd : frontEnds.fields().keySet()) {
        ports.put(frontEnd, Math.toIntExact(frontEnds.object(frontEnd).number("port")));
      }
    } catch (JsonException e) {
      throw new IOException("the appliance's answer is no JSON (status " + reply.status() + ")", e);
    }
    ports.put(FrontEnd.HTTPS.label(), https);
    return ports;
  }
}
