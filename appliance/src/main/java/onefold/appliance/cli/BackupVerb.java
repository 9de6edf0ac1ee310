package onefold.appliance.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import onefold.appliance.json.JsonArray;
import onefold.appliance.json.JsonObject;
import onefold.appliance.tree.Exclusions;
import onefold.appliance.tree.Gap;
import onefold.appliance.tree.TreeSink;
import onefold.appliance.tree.TreeSummary;
import onefold.appliance.tree.TreeWriter;
import onefold.catalyst.client.CatalystClient;
import onefold.catalyst.client.CatalystException;
import onefold.catalyst.client.CommittedItem;
import onefold.catalyst.client.ItemWriter;
import onefold.catalyst.client.WriteOptions;
import onefold.catalyst.wire.ErrorCode;
import onefold.catalyst.wire.ItemInfo;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Writes directory trees as an item. */
@Command(
    name = "backup",
    description = {
      "Back up directories with owners, modes, times, links, holes, attributes and ACLs.",
      "One directory becomes the item's root; several keep their last name.",
      "Files that cannot be read or change meanwhile are named, and the exit code is 3."
    },
    footer = {
      "",
      "Example:",
      "  ./onefold backup ~/src default/monday",
      "  ./onefold backup /etc /home default/{date} --exclude '*.tmp' --one-file-system"
    })
final class BackupVerb extends ApplianceVerb {
  /** Gaps that are printed one by one; the rest is counted. */
  static final int SHOWN_GAPS = 50;

  @Parameters(
      arity = "2..*",
      paramLabel = "DIR… STORE/ITEM",
      description = "Directories or files, and where to.")
  private List<String> arguments = new ArrayList<>();

  @Option(
      names = "--exclude",
      paramLabel = "GLOB",
      description =
          "Leave out what matches; a glob without a slash is held against last names. May be"
              + " repeated.")
  private List<String> excluded = new ArrayList<>();

  @Option(names = "--one-file-system", description = "Do not enter other file systems.")
  private boolean oneFileSystem;

  @Mixin private UploadOptions upload = new UploadOptions();

  BackupVerb(Environment environment) {
    super(environment);
  }

  @Override
  public Integer call() throws IOException, Failure {
    List<Path> sources = new ArrayList<>();
    for (String source : arguments.subList(0, arguments.size() - 1)) {
      Path path = Path.of(source);
      if (!Files.exists(path)) {
        throw Failure.failed(source + " does not exist; nothing was backed up");
      }
      sources.add(path);
    }
    ItemReference item = ItemReference.parse(arguments.getLast(), environment().now());
    Exclusions exclusions;
    try {
      exclusions = new Exclusions(excluded);
    } catch (IllegalArgumentException e) {
      throw Failure.misused(String.valueOf(e.getMessage()));
    }
    WriteOptions options = upload.toWriteOptions();
    try (CatalystClient client = Catalyst.open(context())) {
      Optional<ItemInfo> standing =
          options.replace() ? Optional.empty() : client.findItem(item.store(), item.item());
      if (standing.isPresent()) {
        throw PutVerb.exists(item, standing, new IOException(item + " exists"));
      }
      return backup(client, item, sources, exclusions, options);
    } catch (CatalystException e) {
      if (e.code() == ErrorCode.NOT_FOUND) {
        throw Catalyst.noSuchStore(item.store(), e);
      }
      throw Failure.failed(item + ": " + e.getMessage(), e);
    }
  }

  private int backup(
      CatalystClient client,
      ItemReference item,
      List<Path> sources,
      Exclusions exclusions,
      WriteOptions options)
      throws IOException {
    long start = environment().nanoTime().getAsLong();
    TreeSummary summary;
    CommittedItem committed;
    try (Progress progress =
            new Progress(terminal(), !json(), item.toString(), -1, environment().nanoTime());
        ItemWriter writer =
            client.openWriter(
                item.store(),
                item.item(),
                options.withProgress(statistics -> progress.at(statistics.logicalBytes())))) {
      try (TreeWriter tree =
          new TreeWriter(sinkOf(writer), exclusions, oneFileSystem, (files, bytes) -> {})) {
        summary = tree.write(sources);
      } catch (IOException e) {
        writer.abort();
        throw e;
      }
      committed = writer.commit();
    }
    UploadReport report =
        new UploadReport(item, committed, environment().nanoTime().getAsLong() - start);
    report.lines().forEach(this::say);
    showGaps(terminal(), summary);
    result(withTree(report.json(), summary));
    return summary.gapCount() == 0 ? Exit.DONE : Exit.GAPS;
  }

  private static TreeSink sinkOf(ItemWriter writer) {
    return new TreeSink() {
      @Override
      public void write(byte[] source, int offset, int lengthBytes) throws IOException {
        writer.write(source, offset, lengthBytes);
      }

      @Override
      public void cut() throws IOException {
        writer.cut();
      }
    };
  }

  /** Names the gaps on standard error, where they are seen with {@code --json} as well. */
  static void showGaps(Terminal terminal, TreeSummary summary) {
    long shown = 0;
    for (Gap gap : summary.gaps()) {
      if (shown++ == SHOWN_GAPS) {
        break;
      }
      terminal.err().println("gap: " + gap.path() + ": " + gap.reason());
    }
    if (summary.gapCount() > shown) {
      terminal
          .err()
          .println(
              "… and "
                  + (summary.gapCount() - shown)
                  + " more gaps; --json lists the first "
                  + TreeSummary.MAX_GAPS);
    }
  }

  /** Adds what a tree consisted of. */
  static JsonObject withTree(JsonObject json, TreeSummary summary) {
    JsonArray gaps = new JsonArray();
    for (Gap gap : summary.gaps()) {
      gaps.add(new JsonObject().put("path", gap.path()).put("reason", gap.reason()));
    }
    return json.put("files", summary.fileCount())
        .put("directories", summary.directoryCount())
        .put("fileBytes", summary.bytes())
        .put("gapCount", summary.gapCount())
        .put("gaps", gaps);
  }
}
