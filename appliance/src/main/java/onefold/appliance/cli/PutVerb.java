package onefold.appliance.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import onefold.appliance.json.JsonObject;
import onefold.catalyst.client.CatalystClient;
import onefold.catalyst.client.CatalystException;
import onefold.catalyst.client.CommittedItem;
import onefold.catalyst.client.RereadableSource;
import onefold.catalyst.client.WriteOptions;
import onefold.catalyst.wire.ErrorCode;
import onefold.catalyst.wire.ItemInfo;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Writes a file, a device or standard input as an item. */
@Command(
    name = "put",
    description = {
      "Write a file, a device or standard input (-) as an item.",
      "{date} in the item's name becomes the local time."
    },
    footer = {
      "",
      "Example:",
      "  ./onefold put disk.img default/disk-{date}",
      "  pg_dump shop | ./onefold put - default/shop-{date} --tag kind=dump"
    })
final class PutVerb extends ApplianceVerb {
  @Parameters(index = "0", paramLabel = "FILE|-", description = "What to write.")
  private String file = "";

  @Parameters(index = "1", paramLabel = "STORE/ITEM", description = "Where to.")
  private String target = "";

  @Mixin private UploadOptions upload = new UploadOptions();

  PutVerb(Environment environment) {
    super(environment);
  }

  @Override
  public Integer call() throws IOException, Failure {
    ItemReference item = ItemReference.parse(target, environment().now());
    WriteOptions options = upload.toWriteOptions();
    if (file.equals("-")) {
      put(item, terminal().in(), options, -1);
    } else {
      Path path = Path.of(file);
      if (Files.isDirectory(path)) {
        throw Failure.misused(file + " is a directory; put writes one file, backup writes trees");
      }
      try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
        long lengthBytes = Files.isRegularFile(path) ? channel.size() : -1;
        WriteOptions known =
            lengthBytes < 0
                ? options
                : options.withExpectedBytes(lengthBytes).withSource(RereadableSource.of(channel));
        put(item, Channels.newInputStream(channel), known, lengthBytes);
      }
    }
    return Exit.DONE;
  }

  private void put(ItemReference item, InputStream source, WriteOptions options, long lengthBytes)
      throws IOException, Failure {
    long start = environment().nanoTime().getAsLong();
    try (CatalystClient client = Catalyst.open(context());
        Progress progress =
            new Progress(
                terminal(), !json(), item.toString(), lengthBytes, environment().nanoTime())) {
      CommittedItem committed =
          client.put(
              item.store(),
              item.item(),
              source,
              options.withProgress(statistics -> progress.at(statistics.logicalBytes())));
      progress.clear();
      UploadReport report =
          new UploadReport(item, committed, environment().nanoTime().getAsLong() - start);
      report.lines().forEach(this::say);
      JsonObject json = report.json();
      result(json);
    } catch (CatalystException e) {
      throw refused(item, e);
    }
  }

  /** Says what to do when an item is refused. */
  private Failure refused(ItemReference item, CatalystException error) throws IOException, Failure {
    if (error.code() == ErrorCode.EXISTS) {
      Optional<ItemInfo> found;
      try (CatalystClient client = Catalyst.open(context())) {
        found = client.findItem(item.store(), item.item());
      }
      return exists(item, found, error);
    }
    if (error.code() == ErrorCode.NOT_FOUND) {
      return Catalyst.noSuchStore(item.store(), error);
    }
    return Failure.failed(item + ": " + error.getMessage(), error);
  }

  /** Says that an item is there, since when, and what replaces it. */
  static Failure exists(ItemReference item, Optional<ItemInfo> found, Throwable cause) {
    String since = found.map(i -> ", from " + Times.show(i.createdAtMillis())).orElse("");
    return Failure.failed(
        item + " exists" + since + "; say --replace, or name another such as " + item + "-{date}",
        cause);
  }
}
