package onefold.appliance.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import onefold.appliance.Size;
import onefold.appliance.json.JsonArray;
import onefold.appliance.json.JsonObject;
import onefold.chunker.ChunkKind;
import onefold.chunker.Fingerprint;
import onefold.store.CorruptDataException;
import onefold.store.ItemRecord;
import onefold.store.StoreRecord;
import onefold.store.container.ContainerInfo;
import onefold.store.inspect.ChunkCopy;
import onefold.store.inspect.ContainerReport;
import onefold.store.inspect.ContainerReport.ItemName;
import onefold.store.inspect.IndexReport;
import onefold.store.inspect.InspectedDomain;
import onefold.store.inspect.Inspection;
import onefold.store.inspect.ItemTree;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Looks inside a data directory. */
@Command(
    name = "inspect",
    description =
        "Look inside a data directory, without its server and without writing to it: its"
            + " containers, its index, the tree of an item, where a chunk lives, what a file is and"
            + " who needs it.",
    footer = {
      "",
      "Example:",
      "  ./onefold inspect containers --data ./onefold-data",
      "  ./onefold inspect item default/monday --data ./onefold-data"
    })
final class InspectVerb extends Group {
  InspectVerb(Environment environment) {
    super(
        new OfContainers(environment),
        new OfIndex(environment),
        new OfItem(environment),
        new OfChunk(environment),
        new OfFile(environment));
  }

  private abstract static class OfDirectory extends Verb {
    @Option(
        names = "--data",
        paramLabel = "DIR",
        required = true,
        description = "The data directory; its server must not run.")
    Path data = Path.of("");

    OfDirectory(Environment environment) {
      super(environment);
    }

    @Override
    public final Integer call() throws IOException, Failure {
      try (OfflineStore offline = OfflineStore.read(data, terminal());
          Inspection inspection =
              Inspection.open(offline.store(), offline.device(), offline.scheduler())) {
        return look(offline, inspection);
      }
    }

    abstract int look(OfflineStore offline, Inspection inspection) throws IOException, Failure;

    /** Whether a container is finished in the directory itself; the look finishes all. */
    boolean isSealed(InspectedDomain domain, ContainerInfo container) {
      return Files.exists(data.resolve(domain.path(container, true)));
    }
  }

  private static String kind(ChunkKind kind) {
    return kind.name().toLowerCase(Locale.ROOT);
  }

  private static String oneLine(Throwable error) {
    return String.valueOf(error.getMessage()).replace('\n', ' ');
  }

  @Command(
      name = "containers",
      description = "List the containers of every domain.",
      footer = {"", "Example:", "  ./onefold inspect containers --data ./onefold-data"})
  private static final class OfContainers extends OfDirectory {
    OfContainers(Environment environment) {
      super(environment);
    }

    @Override
    int look(OfflineStore offline, Inspection inspection) throws IOException {
      Table table =
          new Table(
              "DOMAIN",
              ">CONTAINER",
              "KIND",
              ">GENERATION",
              ">CHUNKS",
              ">PLAIN",
              ">STORED",
              ">FILE",
              "SEALED");
      JsonArray all = new JsonArray();
      for (InspectedDomain domain : inspection.domains()) {
        for (ContainerInfo info : inspection.containers(domain)) {
          boolean sealed = isSealed(domain, info);
          String file = domain.path(info, sealed);
          Path path = data.resolve(file);
          long fileBytes = Files.exists(path) ? Files.size(path) : 0;
          table.row(
              domain.name(),
              Long.toString(info.number()),
              kind(info.kind()),
              Long.toString(info.generation()),
              Integer.toString(info.chunkCount()),
              Size.format(info.rawBytes()),
              Size.format(info.storedBytes()),
              Size.format(fileBytes),
              sealed ? "yes" : "no");
          all.add(
              new JsonObject()
                  .put("domain", domain.name())
                  .put("domainId", domain.id().toString())
                  .put("number", info.number())
                  .put("kind", kind(info.kind()))
                  .put("generation", info.generation())
                  .put("chunks", (long) info.chunkCount())
                  .put("plainBytes", info.rawBytes())
                  .put("storedBytes", info.storedBytes())
                  .put("fileBytes", fileBytes)
                  .put("sealed", sealed)
                  .put("file", file));
        }
      }
      table.lines().forEach(this::say);
      result(new JsonObject().put("containers", all));
      return Exit.DONE;
    }
  }

  @Command(
      name = "index",
      description = {
        "Hold each domain's index, as it lies, against the containers that it is derived from.",
        "Nothing is lost with an index: rebuild, or the next start, makes it again. Exit code 1 if"
            + " one is damaged or misses chunks of sealed containers."
      },
      footer = {"", "Example:", "  ./onefold inspect index --data ./onefold-data"})
  private static final class OfIndex extends OfDirectory {
    OfIndex(Environment environment) {
      super(environment);
    }

    @Override
    int look(OfflineStore offline, Inspection inspection) throws IOException {
      Table table =
          new Table(
              "DOMAIN",
              ">ENTRIES",
              ">RUNS",
              ">DISK",
              ">CONTAINERS",
              ">COVERED",
              ">CHUNKS",
              ">FOUND",
              "STATE");
      JsonArray all = new JsonArray();
      boolean sound = true;
      for (InspectedDomain domain : inspection.domains()) {
        IndexReport report;
        try (OverlayDevice untouched = OverlayDevice.over(data)) {
          report = inspection.index(domain, untouched);
        }
        // What is not covered is read from the containers' directories at the next start.
        boolean whole = !report.damaged() && (report.missing() == 0 || !report.isComplete());
        sound &= whole;
        table.row(
            domain.name(),
            Long.toString(report.figures().entries()),
            Integer.toString(report.figures().runs()),
            Size.format(report.figures().diskBytes()),
            Integer.toString(report.containers()),
            Integer.toString(report.covered()),
            Long.toString(report.chunks()),
            Long.toString(report.found()),
            report.damaged()
                ? "DAMAGED"
                : !whole ? "MISSES CHUNKS" : report.isComplete() ? "complete" : "behind");
        all.add(
            new JsonObject()
                .put("domain", domain.name())
                .put("entries", report.figures().entries())
                .put("runs", (long) report.figures().runs())
                .put("diskBytes", report.figures().diskBytes())
                .put("containers", (long) report.containers())
                .put("covered", (long) report.covered())
                .put("chunks", report.chunks())
                .put("found", report.found())
                .put("damaged", report.damaged()));
      }
      table.lines().forEach(this::say);
      result(new JsonObject().put("indexes", all));
      return sound ? Exit.DONE : Exit.FAILED;
    }
  }

  @Command(
      name = "item",
      description = {
        "Show the tree of an item: levels, nodes, chunks, holes, and the containers it lies in.",
        "What is missing is named, and the exit code is 1. Chunks are not read: verify does that."
      },
      footer = {"", "Example:", "  ./onefold inspect item default/monday --data ./onefold-data"})
  private static final class OfItem extends OfDirectory {
    @Parameters(paramLabel = "STORE/ITEM", description = "The item.")
    private String what = "";

    OfItem(Environment environment) {
      super(environment);
    }

    @Override
    int look(OfflineStore offline, Inspection inspection) throws IOException, Failure {
      ItemReference item = ItemReference.parse(what, environment().now());
      StoreRecord store =
          offline
              .store()
              .findStore(item.store())
              .orElseThrow(() ->
                  Failure.failed(
                      "store '"
                          + item.store()
                          + "' does not exist; ./onefold ls --data "
                          + data
                          + " lists what does"));
      ItemRecord record =
          offline
              .store()
              .findItem(store.id(), item.item())
              .orElseThrow(() ->
                  Failure.failed(
                      "item "
                          + item
                          + " does not exist; ./onefold ls "
                          + item.store()
                          + " --data "
                          + data
                          + " lists what does"));
      InspectedDomain domain =
          inspection
              .domain(store.domainId())
              .orElseThrow(() -> Failure.failed("the catalog names no domain " + store.domainId()));
      ItemTree tree = inspection.tree(domain, record.root());
      show(item, domain, tree);
      containers(inspection, item, domain, tree);
      return tree.damages().isEmpty() ? Exit.DONE : Exit.FAILED;
    }

    private void show(ItemReference item, InspectedDomain domain, ItemTree tree) {
      say("item     " + item + ", in domain " + domain.name());
      say(
          "length   "
              + Size.format(tree.root().lengthBytes())
              + " ("
              + tree.root().lengthBytes()
              + " bytes)");
      say("root     " + tree.root().node() + ", level " + tree.root().level());
      for (int level : tree.nodesOfLevel().reversed().keySet()) {
        say("level " + level + "  " + tree.nodesOfLevel().get(level) + " nodes");
      }
      say(
          "pieces   "
              + tree.pieces()
              + " of "
              + tree.chunkCount()
              + " chunks, "
              + tree.slices()
              + " of them slices");
      say("holes    " + tree.holes() + ", " + Size.format(tree.holeBytes()));
    }

    private static JsonObject document(ItemReference item, InspectedDomain domain, ItemTree tree) {
      JsonArray levels = new JsonArray();
      tree.nodesOfLevel()
          .reversed()
          .forEach((level, nodes) ->
              levels.add(new JsonObject().put("level", (long) level).put("nodes", nodes)));
      return new JsonObject()
          .put("item", item.toString())
          .put("domain", domain.name())
          .put("lengthBytes", tree.root().lengthBytes())
          .put("root", tree.root().node().toString())
          .put("level", (long) tree.root().level())
          .put("levels", levels)
          .put("nodes", (long) tree.nodeCount())
          .put("pieces", tree.pieces())
          .put("slices", tree.slices())
          .put("chunks", (long) tree.chunkCount())
          .put("holes", tree.holes())
          .put("holeBytes", tree.holeBytes());
    }

    private void containers(
        Inspection inspection, ItemReference item, InspectedDomain domain, ItemTree tree)
        throws IOException {
      Table table = new Table(">CONTAINER", "KIND", ">CHUNKS", ">PLAIN", ">OF");
      JsonArray containers = new JsonArray();
      for (ContainerInfo info : inspection.containers(domain)) {
        ItemTree.Share share = tree.shares().get(info.number());
        if (share == null) {
          continue;
        }
        table.row(
            Long.toString(info.number()),
            kind(info.kind()),
            Integer.toString(share.chunks()),
            Size.format(share.plainBytes()),
            Integer.toString(info.chunkCount()));
        containers.add(
            new JsonObject()
                .put("number", info.number())
                .put("kind", kind(info.kind()))
                .put("chunks", (long) share.chunks())
                .put("plainBytes", share.plainBytes())
                .put("ofChunks", (long) info.chunkCount()));
      }
      table.lines().forEach(this::say);
      JsonArray damages = new JsonArray();
      for (String damage : tree.damages()) {
        say("DAMAGED " + damage);
        damages.add(new JsonObject().put("what", damage));
      }
      result(document(item, domain, tree).put("containers", containers).put("damages", damages));
    }
  }

  @Command(
      name = "chunk",
      description = "Say where a chunk lives, and whether it is whole there.",
      footer = {"", "Example:", "  ./onefold inspect chunk 2a335b97… --data ./onefold-data"})
  private static final class OfChunk extends OfDirectory {
    @Parameters(
        paramLabel = "FINGERPRINT",
        description = "64 hexadecimal digits, as verify and inspect name chunks.")
    private String what = "";

    OfChunk(Environment environment) {
      super(environment);
    }

    @Override
    int look(OfflineStore offline, Inspection inspection) throws IOException, Failure {
      if (!what.matches("[0-9a-fA-F]{64}")) {
        throw Failure.misused(
            "'"
                + what
                + "' is no fingerprint: it has 64 hexadecimal digits, as verify and inspect item"
                + " name chunks");
      }
      Fingerprint wanted = Fingerprint.ofHex(what.toLowerCase(Locale.ROOT));
      Table table =
          new Table(
              "DOMAIN", ">CONTAINER", "KIND", ">SLOT", ">BLOCK", ">OFFSET", ">LENGTH", "STATE");
      JsonArray places = new JsonArray();
      boolean whole = false;
      for (ChunkCopy copy : inspection.copies(wanted)) {
        whole |= copy.damage().isEmpty();
        table.row(
            copy.domain().name(),
            Long.toString(copy.place().containerNumber()),
            kind(copy.kind()),
            Integer.toString(copy.place().slot()),
            Integer.toString(copy.block().block()),
            Long.toString(copy.block().offsetBytes()),
            Integer.toString(copy.lengthBytes()),
            copy.damage().map(why -> "DAMAGED " + why).orElse("whole"));
        JsonObject place =
            new JsonObject()
                .put("domain", copy.domain().name())
                .put("container", copy.place().containerNumber())
                .put("kind", kind(copy.kind()))
                .put("slot", (long) copy.place().slot())
                .put("block", (long) copy.block().block())
                .put("blockOffsetBytes", copy.block().offsetBytes())
                .put("lengthBytes", (long) copy.lengthBytes())
                .put("whole", copy.damage().isEmpty());
        copy.damage().ifPresent(why -> place.put("damage", why));
        places.add(place);
      }
      if (places.values().isEmpty()) {
        throw Failure.failed(
            "no container holds chunk "
                + wanted
                + "; ./onefold inspect item STORE/ITEM names the chunks that an item misses");
      }
      table.lines().forEach(this::say);
      result(new JsonObject().put("chunk", wanted.toString()).put("places", places));
      return whole ? Exit.DONE : Exit.FAILED;
    }
  }

  @Command(
      name = "file",
      description = {
        "Say what a file of the data directory is, whether it is sound, and which items need it.",
        "A container is read to its last byte. Exit code 1 if it is damaged."
      },
      footer = {
        "",
        "Example:",
        "  ./onefold inspect file domains/ID/data/0000000000000001-1.container --data"
            + " ./onefold-data"
      })
  private static final class OfFile extends OfDirectory {
    private static final Pattern CONTAINER =
        Pattern.compile(
            "domains/([0-9a-f]{32})/(data|node)/([0-9a-f]{16})-([1-9a-f][0-9a-f]{0,14})\\.(container|open)");

    @Parameters(
        paramLabel = "PATH",
        description = "The file, from the data directory or as it is reached from here.")
    private String what = "";

    OfFile(Environment environment) {
      super(environment);
    }

    @Override
    int look(OfflineStore offline, Inspection inspection) throws IOException, Failure {
      String path = relative();
      Matcher container = CONTAINER.matcher(path);
      JsonObject document = new JsonObject().put("file", path);
      if (!container.matches()) {
        String is = describe(path);
        say(path);
        say("is       " + is);
        result(document.put("is", is));
        return Exit.DONE;
      }
      for (InspectedDomain domain : inspection.domains()) {
        if (domain.id().toString().equals(container.group(1))) {
          long number = Long.parseUnsignedLong(container.group(3), 16);
          long generation = Long.parseLong(container.group(4), 16);
          return container(
              inspection, domain, inspection.container(domain, number, generation), path, document);
        }
      }
      throw Failure.failed(
          path
              + ": the catalog knows no domain "
              + container.group(1)
              + "; nothing needs the file");
    }

    /** The path from the data directory. */
    private String relative() throws IOException, Failure {
      if (!Files.isDirectory(data)) {
        throw Failure.misused(
            data + " is no directory; --data names the data directory of an appliance");
      }
      Path root = data.toRealPath();
      for (Path tried : List.of(data.resolve(what), Path.of(what))) {
        if (Files.exists(tried)) {
          Path real = tried.toRealPath();
          if (!real.startsWith(root)) {
            throw Failure.misused(what + " is not in the data directory " + data);
          }
          if (Files.isDirectory(real)) {
            throw Failure.misused(what + " is a directory; name a file in it");
          }
          return root.relativize(real).toString();
        }
      }
      throw Failure.misused(
          what
              + " does not exist, neither in "
              + data
              + " nor from here; ./onefold inspect containers --json names the containers' files");
    }

    private int container(
        Inspection inspection,
        InspectedDomain domain,
        Optional<ContainerInfo> found,
        String path,
        JsonObject document)
        throws IOException {
      say(path);
      if (found.isEmpty()) {
        String is = "a container that was never committed or is replaced; nothing needs it";
        say("is       " + is);
        result(document.put("is", is));
        return Exit.DONE;
      }
      ContainerInfo info = found.orElseThrow();
      ContainerReport report = inspection.report(domain, info);
      String is =
          "container "
              + info.number()
              + " of domain "
              + domain.name()
              + ", kind "
              + kind(info.kind())
              + ", generation "
              + info.generation()
              + (isSealed(domain, info) ? ", sealed" : ", not sealed");
      say("is       " + is);
      say(
          "holds    "
              + info.chunkCount()
              + " chunks, "
              + Size.format(info.rawBytes())
              + " plain; "
              + report.onlyHere()
              + " are in no other container");
      say("sound    " + (report.isSound() ? "yes, every byte was read" : "NO"));
      JsonArray damages = new JsonArray();
      for (CorruptDataException damage : report.damages()) {
        say("DAMAGED " + oneLine(damage));
        damages.add(
            new JsonObject().put("offset", damage.offsetBytes()).put("what", oneLine(damage)));
      }
      document
          .put("is", is)
          .put("number", info.number())
          .put("domain", domain.name())
          .put("kind", kind(info.kind()))
          .put("chunks", (long) info.chunkCount())
          .put("onlyHere", (long) report.onlyHere())
          .put("sound", report.isSound())
          .put("damages", damages);
      if (domain.isCatalog()) {
        say("needed   by the catalog: it holds pages of it");
      } else {
        names("needed", "needed   by ", report.needing(), document);
        if (!report.isSound()) {
          say(report.lost() + " chunks are lost with it");
          document.put("lostChunks", (long) report.lost());
          names("affected", "affected ", report.affected(), document);
        }
      }
      result(document);
      return report.isSound() ? Exit.DONE : Exit.FAILED;
    }

    private void names(String key, String heading, List<ItemName> items, JsonObject document) {
      say(heading + items.size() + " items");
      items.forEach(item -> say("  " + item));
      document.put(key, JsonArray.ofTexts(items.stream().map(ItemName::toString).toList()));
    }

    private static String describe(String path) {
      String top = path.indexOf('/') < 0 ? path : path.substring(0, path.indexOf('/'));
      return switch (top) {
        case "lock" -> "the lock of the process that has the directory open; nothing is in it";
        case "superblock.0", "superblock.1" ->
            "a superblock: where recovery begins; the other one is enough if this one is damaged";
        case "journal" ->
            "a part of the journal: what was acknowledged since the last checkpoint; opening the"
                + " directory reads it and says if it is damaged";
        case "domains" ->
            path.matches("domains/[0-9a-f]{32}/index/.*")
                ? "a part of an index: where chunks lie; made again from the containers if it is"
                    + " damaged or deleted"
                : "no file that the store knows; it is left alone";
        case "onefold.yaml" -> "the configuration";
        case "context.json" -> "how this machine's commands reach the server, with a password";
        case "ports.json" -> "the ports that the last server opened";
        case "mappings" -> "what is replicated to which peer, with the password of a user there";
        case "keys" -> "the appliance's own key or certificate; clients trust it";
        case "log" -> "the server's log";
        default -> "no file that Onefold knows; it is left alone";
      };
    }
  }
}
