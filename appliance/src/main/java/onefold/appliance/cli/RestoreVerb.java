package onefold.appliance.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import onefold.appliance.Size;
import onefold.appliance.json.JsonObject;
import onefold.appliance.tree.ExistingFiles;
import onefold.appliance.tree.PathBytes;
import onefold.appliance.tree.TreeRestorer;
import onefold.appliance.tree.TreeSource;
import onefold.appliance.tree.TreeSummary;
import onefold.catalyst.client.CatalystClient;
import onefold.catalyst.client.ItemReader;
import onefold.store.ObjectReader;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Restores trees. */
@Command(
    name = "restore",
    description = {
      "Restore what 'backup' wrote below a directory. Every byte is checked against its"
          + " fingerprint.",
      "Nothing is written outside the directory, whatever the backup holds.",
      "What is damaged or cannot be set is named, and the exit code is 3."
    },
    footer = {
      "",
      "Example:",
      "  ./onefold restore default/monday /tmp/monday",
      "  ./onefold restore default/monday / --only etc/fstab --overwrite"
    })
final class RestoreVerb extends ApplianceVerb {
  @Parameters(index = "0", paramLabel = "STORE/ITEM", description = "What to restore.")
  private String source = "";

  @Parameters(index = "1", paramLabel = "DIR", description = "Where to; made if it is not there.")
  private Path target = Path.of("");

  @Option(
      names = "--only",
      paramLabel = "PATH",
      description = "Restore this path of the backup and what is below it. May be repeated.")
  private List<String> only = new ArrayList<>();

  @ArgGroup private Existing existing = new Existing();

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Read from a data directory, without its server.")
  private Optional<Path> data = Optional.empty();

  /** What to do with files that stand already. */
  static final class Existing {
    @Option(names = "--overwrite", description = "Replace files that stand already.")
    private boolean overwrite;

    @Option(names = "--keep-existing", description = "Leave files that stand already.")
    private boolean keep;
  }

  RestoreVerb(Environment environment) {
    super(environment);
  }

  @Override
  public Integer call() throws IOException, Failure {
    ItemReference item = ItemReference.parse(source, environment().now());
    if (data.isPresent()) {
      try (OfflineStore offline = OfflineStore.read(data.orElseThrow(), terminal());
          ObjectReader reader = GetVerb.openOffline(offline, item)) {
        return restore(item, new OfflineTree(reader));
      }
    }
    try (CatalystClient client = Catalyst.open(context());
        ItemReader reader = GetVerb.open(client, item)) {
      return restore(item, new OnlineTree(reader));
    }
  }

  private int restore(ItemReference item, TreeSource tree) throws IOException {
    ExistingFiles rule =
        existing.overwrite
            ? ExistingFiles.OVERWRITE
            : existing.keep ? ExistingFiles.KEEP : ExistingFiles.REFUSE;
    List<byte[]> paths = only.stream().map(RestoreVerb::pathInTree).toList();
    long start = environment().nanoTime().getAsLong();
    TreeSummary summary;
    try (Progress progress =
            new Progress(
                terminal(),
                !json(),
                item.toString(),
                only.isEmpty() ? tree.lengthBytes() : -1,
                environment().nanoTime());
        TreeRestorer restorer =
            new TreeRestorer(tree, rule, (files, bytes) -> progress.at(bytes))) {
      summary = restorer.restore(target, paths);
    }
    double seconds = (environment().nanoTime().getAsLong() - start) / 1e9;
    double rate = seconds <= 0 ? 0 : summary.bytes() / seconds / 1e6;
    say(
        String.format(
            Locale.ROOT,
            "%s: %d files, %d directories, %s, every byte verified, %.1f MB/s",
            item,
            summary.fileCount(),
            summary.directoryCount(),
            Size.format(summary.bytes()),
            rate));
    BackupVerb.showGaps(terminal(), summary);
    result(
        BackupVerb.withTree(
            new JsonObject()
                .put("store", item.store())
                .put("item", item.item())
                .put("seconds", seconds)
                .put("megabytesPerSecond", rate),
            summary));
    return summary.gapCount() == 0 ? Exit.DONE : Exit.GAPS;
  }

  /** A path as it was typed, without slashes at its ends. */
  static byte[] pathInTree(String typed) {
    String path = typed;
    while (path.startsWith("/") || path.startsWith("./")) {
      path = path.substring(path.indexOf('/') + 1);
    }
    while (path.endsWith("/")) {
      path = path.substring(0, path.length() - 1);
    }
    return PathBytes.ofText(path);
  }
}
