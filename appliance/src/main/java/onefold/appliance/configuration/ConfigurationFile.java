package onefold.appliance.configuration;

import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import onefold.appliance.FrontEnd;
import onefold.appliance.Nearest;
import onefold.appliance.Size;
import onefold.appliance.configuration.Configuration.Door;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;

/** Reads a configuration file. */
public final class ConfigurationFile {
  private static final int MAX_BYTES = 256 << 10;

  private static final List<String> TOP =
      List.of("data", "memory", "listen", "front-ends", "tls", "log", "store", "scrub", "nfs");
  private static final List<String> DOOR = List.of("enabled", "port", "listen");
  private static final List<String> TLS = List.of("certificate", "key");
  private static final List<String> LOG = List.of("level", "format", "size");
  private static final List<String> STORE = List.of("container");
  private static final List<String> SCRUB = List.of("enabled", "rate", "every");

  private static final List<String> NFS = List.of("lease", "port-mapper", "keytab");

  private final Path file;

  private ConfigurationFile(Path file) {
    this.file = file;
  }

  /**
   * Reads {@code file} over {@code defaults}.
   *
   * @throws ConfigurationException if it is no YAML, holds an unknown key or a value that cannot be
   * @throws IOException if it cannot be read
   */
  public static Configuration read(Path file, Configuration defaults) throws IOException {
    if (Files.size(file) > MAX_BYTES) {
      throw new ConfigurationException(file + " has more than " + MAX_BYTES + " bytes");
    }
    return new ConfigurationFile(file)
        .apply(Files.readString(file, StandardCharsets.UTF_8), defaults);
  }

  private Configuration apply(String text, Configuration defaults) throws ConfigurationException {
    Node root;
    try {
      LoaderOptions options = new LoaderOptions();
      options.setNestingDepthLimit(16);
      options.setMaxAliasesForCollections(0);
      root = new Yaml(options).compose(new StringReader(text));
    } catch (YAMLException e) {
      throw new ConfigurationException(file + " is not YAML: " + e.getMessage(), e);
    }
    if (root == null) {
      return defaults;
    }
    Configuration result = defaults;
    for (var entry : entries(root, "", TOP).entrySet()) {
      Node value = entry.getValue();
      try {
        result =
            switch (entry.getKey()) {
              case "data" -> result.withData(Path.of(scalar(value)));
              case "memory" -> result.withMemoryBytes(Size.parse(scalar(value)));
              case "listen" -> withAddresses(result, scalars(value));
              case "front-ends" -> frontEnds(value, result);
              case "tls" -> tls(value, result);
              case "log" -> log(value, result);
              case "store" -> store(value, result);
              case "scrub" -> scrub(value, result);
              case "nfs" -> nfs(value, result);
              default -> throw new IllegalStateException(entry.getKey());
            };
      } catch (IllegalArgumentException e) {
        throw at(value, String.valueOf(e.getMessage()));
      }
    }
    return result;
  }

  private static Configuration withAddresses(Configuration configuration, List<String> addresses) {
    Configuration result = configuration;
    for (FrontEnd frontEnd : FrontEnd.values()) {
      result = result.withDoor(frontEnd, result.door(frontEnd).withAddresses(addresses));
    }
    return result;
  }

  private Configuration frontEnds(Node node, Configuration before) throws ConfigurationException {
    Configuration result = before;
    List<String> labels = new ArrayList<>();
    for (FrontEnd frontEnd : FrontEnd.values()) {
      labels.add(frontEnd.label());
    }
    for (var entry : entries(node, "front-ends.", labels).entrySet()) {
      FrontEnd frontEnd = FrontEnd.ofLabel(entry.getKey());
      Door door = result.door(frontEnd);
      for (var field :
          entries(entry.getValue(), "front-ends." + entry.getKey() + ".", DOOR).entrySet()) {
        Node value = field.getValue();
        door =
            switch (field.getKey()) {
              case "enabled" -> door.withEnabled(bool(value));
              case "port" -> door.withPort(port(value));
              case "listen" -> door.withAddresses(scalars(value));
              default -> throw new IllegalStateException(field.getKey());
            };
      }
      result = result.withDoor(frontEnd, door);
    }
    return result;
  }

  private Configuration tls(Node node, Configuration before) throws ConfigurationException {
    Map<String, Node> fields = entries(node, "tls.", TLS);
    String certificate =
        fields.containsKey("certificate") ? scalar(field(fields, "certificate")) : "";
    String key = fields.containsKey("key") ? scalar(field(fields, "key")) : "";
    return before.withTls(certificate, key);
  }

  private Configuration log(Node node, Configuration before) throws ConfigurationException {
    Configuration.Log log = before.log();
    for (var field : entries(node, "log.", LOG).entrySet()) {
      String value = scalar(field.getValue());
      log =
          switch (field.getKey()) {
            case "level" -> new Configuration.Log(value, log.json(), log.maxBytes());
            case "format" -> {
              if (!value.equals("text") && !value.equals("json")) {
                throw at(
                    field.getValue(),
                    "log format '" + value + "' does not exist; there are text and json");
              }
              yield new Configuration.Log(log.level(), value.equals("json"), log.maxBytes());
            }
            case "size" -> new Configuration.Log(log.level(), log.json(), Size.parse(value));
            default -> throw new IllegalStateException(field.getKey());
          };
    }
    return before.withLog(log);
  }

  private Configuration store(Node node, Configuration before) throws ConfigurationException {
    Map<String, Node> fields = entries(node, "store.", STORE);
    return fields.containsKey("container")
        ? before.withContainerBytes(Size.parse(scalar(field(fields, "container"))))
        : before;
  }

  private Configuration scrub(Node node, Configuration before) throws ConfigurationException {
    Configuration.Scrub scrub = before.scrub();
    for (var field : entries(node, "scrub.", SCRUB).entrySet()) {
      Node value = field.getValue();
      scrub =
          switch (field.getKey()) {
            case "enabled" ->
                new Configuration.Scrub(bool(value), scrub.bytesPerSecond(), scrub.everyDays());
            case "rate" ->
                new Configuration.Scrub(
                    scrub.enabled(), Size.parse(scalar(value)), scrub.everyDays());
            case "every" ->
                new Configuration.Scrub(
                    scrub.enabled(), scrub.bytesPerSecond(), number(value, "days"));
            default -> throw new IllegalStateException(field.getKey());
          };
    }
    return before.withScrub(scrub);
  }

  private Configuration nfs(Node node, Configuration before) throws ConfigurationException {
    Configuration.Nfs nfs = before.nfs();
    for (var field : entries(node, "nfs.", NFS).entrySet()) {
      Node value = field.getValue();
      nfs =
          switch (field.getKey()) {
            case "lease" ->
                new Configuration.Nfs(number(value, "seconds"), nfs.portMapper(), nfs.keytab());
            case "port-mapper" ->
                new Configuration.Nfs(nfs.leaseSeconds(), bool(value), nfs.keytab());
            case "keytab" ->
                new Configuration.Nfs(nfs.leaseSeconds(), nfs.portMapper(), scalar(value));
            default -> throw new IllegalStateException(field.getKey());
          };
    }
    return before.withNfs(nfs);
  }

  private int number(Node node, String of) throws ConfigurationException {
    String value = scalar(node);
    try {
      return Integer.parseInt(value);
    } catch (NumberFormatException e) {
      throw at(node, "expected a number of " + of + ", found '" + value + "'");
    }
  }

  private static Node field(Map<String, Node> fields, String name) {
    Node node = fields.get(name);
    if (node == null) {
      throw new IllegalStateException(name);
    }
    return node;
  }

  private Map<String, Node> entries(Node node, String prefix, List<String> known)
      throws ConfigurationException {
    if (!(node instanceof MappingNode mapping)) {
      String what =
          prefix.isEmpty() ? "the file" : "'" + prefix.substring(0, prefix.length() - 1) + "'";
      throw at(node, what + " must hold keys and values; known are " + String.join(", ", known));
    }
    Map<String, Node> entries = new LinkedHashMap<>();
    for (NodeTuple tuple : mapping.getValue()) {
      String key = scalar(tuple.getKeyNode());
      if (!known.contains(key)) {
        throw at(
            tuple.getKeyNode(),
            "unknown key '"
                + prefix
                + key
                + "'"
                + Nearest.of(key, known).map(n -> "; did you mean '" + prefix + n + "'?").orElse("")
                + " Known here: "
                + String.join(", ", known));
      }
      if (entries.put(key, tuple.getValueNode()) != null) {
        throw at(tuple.getKeyNode(), "key '" + prefix + key + "' stands twice");
      }
    }
    return entries;
  }

  private String scalar(Node node) throws ConfigurationException {
    if (node instanceof ScalarNode scalar) {
      return scalar.getValue();
    }
    throw at(node, "expected one value");
  }

  private List<String> scalars(Node node) throws ConfigurationException {
    if (node instanceof SequenceNode sequence) {
      List<String> values = new ArrayList<>();
      for (Node element : sequence.getValue()) {
        values.add(scalar(element));
      }
      return values;
    }
    return List.of(scalar(node));
  }

  private boolean bool(Node node) throws ConfigurationException {
    String value = scalar(node);
    return switch (value) {
      case "true", "yes", "on" -> true;
      case "false", "no", "off" -> false;
      default -> throw at(node, "expected true or false, found '" + value + "'");
    };
  }

  private int port(Node node) throws ConfigurationException {
    String value = scalar(node);
    if (value.equals("auto")) {
      return 0;
    }
    try {
      return Integer.parseInt(value);
    } catch (NumberFormatException e) {
      throw at(node, "expected a port from 1 to 65535 or auto, found '" + value + "'");
    }
  }

  private ConfigurationException at(Node node, String message) {
    return new ConfigurationException(
        file + " line " + (node.getStartMark().getLine() + 1) + ": " + message);
  }
}
