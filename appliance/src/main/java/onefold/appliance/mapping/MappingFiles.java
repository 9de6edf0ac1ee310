package onefold.appliance.mapping;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import onefold.appliance.context.PrivateFile;
import onefold.appliance.json.Json;
import onefold.appliance.json.JsonObject;
import onefold.replication.Figures;
import onefold.replication.Mapping;
import onefold.replication.MappingShelf;
import onefold.replication.Peer;
import onefold.replication.Trigger;
import onefold.store.Id;

/**
 * Mappings as files {@code DIR/mappings/NAME.json} of mode 0600: they hold the password of a user
 * of the peer, which has no place in the catalog. docs/formats/mapping-file.md says what stands in
 * them.
 */
public final class MappingFiles implements MappingShelf {
  /** The folder in the data directory. */
  public static final String FOLDER = "mappings";

  private static final String ENDING = ".json";
  private static final int MAX_FILE_BYTES = 64 << 10;
  private static final long VERSION = 1;

  private final Path folder;

  /** Keeps them in this folder, which is made with the first one. */
  public MappingFiles(Path folder) {
    this.folder = folder;
  }

  @Override
  public List<Kept> load() throws IOException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    List<Path> files;
    try (Stream<Path> entries = Files.list(folder)) {
      files =
          entries
              .filter(file -> !file.getFileName().toString().startsWith("."))
              .filter(file -> file.getFileName().toString().endsWith(ENDING))
              .sorted()
              .toList();
    }
    var all = new ArrayList<Kept>();
    for (Path file : files) {
      all.add(read(file));
    }
    return all;
  }

  private static Kept read(Path file) throws IOException {
    String text = new String(PrivateFile.read(file, MAX_FILE_BYTES), StandardCharsets.UTF_8);
    try {
      JsonObject object = Json.parseObject(text);
      long version = object.number("version");
      if (version != VERSION) {
        throw new IOException(
            file + " is of version " + version + ", this release knows version " + VERSION);
      }
      JsonObject peer = object.object("peer");
      JsonObject did = object.object("figures");
      return new Kept(
          new Mapping(
              Id.ofHex(object.text("id")),
              object.text("name"),
              object.text("store"),
              new Peer(
                  peer.text("host"),
                  Math.toIntExact(peer.number("port")),
                  peer.text("user"),
                  peer.text("password"),
                  peer.text("pin")),
              object.text("peerStore"),
              trigger(object),
              object.bool("deletions", false),
              object.bool("copies", false),
              object.number("bytesPerSecond", 0),
              object.bool("paused", false)),
          new Figures(
              did.number("copiedItems"),
              did.number("logicalBytes"),
              did.number("wireBytes"),
              did.number("sentDataBytes"),
              did.number("readBlocks"),
              did.number("storedBlocks"),
              did.number("packedBlocks"),
              did.number("reconnects"),
              did.number("passes")));
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw new IOException(
          file + " is no mapping: " + e.getMessage() + "; move it away to start without it", e);
    }
  }

  private static Trigger trigger(JsonObject object) {
    String word = object.text("trigger");
    return switch (word) {
      case "commit" -> new Trigger.OnCommit();
      case "demand" -> new Trigger.OnDemand();
      case "every" -> new Trigger.Every(Duration.ofSeconds(object.number("everySeconds")));
      default -> throw new IllegalArgumentException("trigger '" + word + "'");
    };
  }

  @Override
  public void save(Kept kept) throws IOException {
    Mapping mapping = kept.mapping();
    Figures did = kept.figures();
    JsonObject object =
        new JsonObject()
            .put("version", VERSION)
            .put("id", mapping.id().toString())
            .put("name", mapping.name())
            .put("store", mapping.store())
            .put(
                "peer",
                new JsonObject()
                    .put("host", mapping.peer().host())
                    .put("port", (long) mapping.peer().port())
                    .put("user", mapping.peer().user())
                    .put("password", mapping.peer().password())
                    .put("pin", mapping.peer().pin()))
            .put("peerStore", mapping.peerStore())
            .put("deletions", mapping.deletions())
            .put("copies", mapping.copies())
            .put("bytesPerSecond", mapping.bytesPerSecond())
            .put("paused", mapping.paused())
            .put(
                "figures",
                new JsonObject()
                    .put("copiedItems", did.copiedItemCount())
                    .put("logicalBytes", did.logicalBytes())
                    .put("wireBytes", did.wireBytes())
                    .put("sentDataBytes", did.sentDataBytes())
                    .put("readBlocks", did.readBlockCount())
                    .put("storedBlocks", did.storedBlockCount())
                    .put("packedBlocks", did.packedBlockCount())
                    .put("reconnects", did.reconnectCount())
                    .put("passes", did.passCount()));
    putTrigger(object, mapping.trigger());
    PrivateFile.createFolder(folder);
    PrivateFile.write(file(mapping.name()), object.write() + "\n");
  }

  /** Writes a trigger as it is said in files and in the REST interface. */
  public static void putTrigger(JsonObject object, Trigger trigger) {
    switch (trigger) {
      case Trigger.OnCommit() -> object.put("trigger", "commit");
      case Trigger.OnDemand() -> object.put("trigger", "demand");
      case Trigger.Every(Duration pause) ->
          object.put("trigger", "every").put("everySeconds", pause.toSeconds());
    }
  }

  @Override
  public void remove(String name) throws IOException {
    PrivateFile.delete(file(name));
  }

  private Path file(String name) {
    return folder.resolve(name + ENDING);
  }
}
