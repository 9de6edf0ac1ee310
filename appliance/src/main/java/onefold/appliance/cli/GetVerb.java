package onefold.appliance.cli;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.Optional;
import onefold.appliance.Size;
import onefold.appliance.json.JsonObject;
import onefold.catalyst.client.CatalystClient;
import onefold.catalyst.client.CatalystException;
import onefold.catalyst.client.ItemReader;
import onefold.catalyst.wire.ErrorCode;
import onefold.store.CorruptDataException;
import onefold.store.ItemRecord;
import onefold.store.ObjectReader;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Reads an item back. */
@Command(
    name = "get",
    description =
        "Read an item into a file, a device or standard output (-). Every byte is checked against"
            + " its fingerprint.",
    footer = {
      "",
      "Example:",
      "  ./onefold get default/disk-monday disk.img",
      "  ./onefold get default/shop - | psql shop"
    })
final class GetVerb extends ApplianceVerb {
  private static final int COPY_BYTES = 1 << 20;

  @Parameters(index = "0", paramLabel = "STORE/ITEM", description = "What to read.")
  private String source = "";

  @Parameters(index = "1", paramLabel = "FILE|-", description = "Where to.")
  private String file = "";

  @Option(names = "--overwrite", description = "Replace FILE if it exists.")
  private boolean overwrite;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Read from a data directory, without its server.")
  private Optional<Path> data = Optional.empty();

  GetVerb(Environment environment) {
    super(environment);
  }

  /** What brings an item's bytes. */
  private interface Reading {
    long lengthBytes();

    long copyTo(OutputStream target) throws IOException;
  }

  @Override
  public Integer call() throws IOException, Failure {
    ItemReference item = ItemReference.parse(source, environment().now());
    if (data.isPresent()) {
      try (OfflineStore offline = OfflineStore.read(data.orElseThrow());
          ObjectReader reader = openOffline(offline, item)) {
        deliver(item, new OfflineReading(reader));
      } catch (CorruptDataException e) {
        throw Failure.damaged(item, e);
      }
    } else {
      try (CatalystClient client = Catalyst.open(context());
          ItemReader reader = open(client, item)) {
        deliver(item, new OnlineReading(reader));
      } catch (CatalystException e) {
        if (e.code() == ErrorCode.CORRUPT_DATA) {
          throw Failure.damaged(item, e);
        }
        throw e;
      }
    }
    return Exit.DONE;
  }

  /** Opens an item of a running appliance. */
  static ItemReader open(CatalystClient client, ItemReference item) throws IOException, Failure {
    try {
      return client.openReader(item.store(), item.item());
    } catch (CatalystException e) {
      if (e.code() == ErrorCode.NOT_FOUND) {
        boolean storeExists = client.stores().stream().anyMatch(s -> s.name().equals(item.store()));
        throw storeExists
            ? Failure.failed(
                "item "
                    + item
                    + " does not exist; ./onefold ls "
                    + item.store()
                    + " lists what does",
                e)
            : Catalyst.noSuchStore(item.store(), e);
      }
      throw e;
    }
  }

  static ObjectReader openOffline(OfflineStore offline, ItemReference item)
      throws IOException, Failure {
    var store =
        offline
            .store()
            .findStore(item.store())
            .orElseThrow(() -> Failure.failed("store '" + item.store() + "' does not exist"));
    ItemRecord record =
        offline
            .store()
            .findItem(store.id(), item.item())
            .orElseThrow(() -> Failure.failed("item " + item + " does not exist"));
    return offline.store().openReader(store.domainId(), record.root());
  }

  private void deliver(ItemReference item, Reading reading) throws IOException, Failure {
    long start = environment().nanoTime().getAsLong();
    if (file.equals("-")) {
      reading.copyTo(terminal().out());
      terminal().out().flush();
      return;
    }
    Path target = Path.of(file);
    boolean inPlace = Files.exists(target) && !Files.isRegularFile(target);
    if (Files.isDirectory(target)) {
      throw Failure.misused(file + " is a directory; name a file in it");
    }
    if (Files.exists(target) && !inPlace && !overwrite) {
      throw Failure.failed(file + " exists; say --overwrite to replace it");
    }
    long copied;
    try (Progress progress =
        new Progress(
            terminal(),
            !json(),
            item.toString(),
            reading.lengthBytes(),
            environment().nanoTime())) {
      if (inPlace) {
        try (FileChannel device = FileChannel.open(target, StandardOpenOption.WRITE)) {
          copied = reading.copyTo(new Counted(Channels.newOutputStream(device), progress));
        }
      } else {
        copied = replaceFile(target, reading, progress);
      }
    }
    long nanos = Math.max(1, environment().nanoTime().getAsLong() - start);
    double rate = copied * 1000.0 / nanos;
    say(
        String.format(
            Locale.ROOT,
            "%s: %s, %.1f MB/s, every byte verified",
            item,
            Size.format(copied),
            rate));
    result(
        new JsonObject()
            .put("store", item.store())
            .put("item", item.item())
            .put("bytes", copied)
            .put("seconds", nanos / 1e9)
            .put("megabytesPerSecond", rate));
  }

  /** Writes beside the target and moves, so that half a file never has its name. */
  private static long replaceFile(Path target, Reading reading, Progress progress)
      throws IOException {
    Path part = target.resolveSibling(target.getFileName() + ".onefold-part");
    boolean done = false;
    try {
      long copied;
      try (FileChannel channel =
          FileChannel.open(
              part,
              StandardOpenOption.CREATE,
              StandardOpenOption.WRITE,
              StandardOpenOption.TRUNCATE_EXISTING)) {
        copied = reading.copyTo(new Counted(Channels.newOutputStream(channel), progress));
      }
      Files.move(part, target, StandardCopyOption.REPLACE_EXISTING);
      done = true;
      return copied;
    } finally {
      if (!done) {
        Files.deleteIfExists(part);
      }
    }
  }

  /** Counts for the progress bar. */
  private static final class Counted extends FilterOutputStream {
    private final Progress progress;
    private long written;

    Counted(OutputStream target, Progress progress) {
      super(target);
      this.progress = progress;
    }

    @Override
    public void write(byte[] source, int offset, int length) throws IOException {
      out.write(source, offset, length);
      written += length;
      progress.at(written);
    }
  }

  private record OnlineReading(ItemReader reader) implements Reading {
    @Override
    public long lengthBytes() {
      return reader.lengthBytes();
    }

    @Override
    public long copyTo(OutputStream target) throws IOException {
      return reader.transferTo(target);
    }
  }

  private record OfflineReading(ObjectReader reader) implements Reading {
    @Override
    public long lengthBytes() {
      return reader.lengthBytes();
    }

    @Override
    public long copyTo(OutputStream target) throws IOException {
      return copy(reader, target);
    }
  }

  /** Copies a whole object. */
  static long copy(ObjectReader reader, OutputStream target) throws IOException {
    byte[] buffer = new byte[COPY_BYTES];
    long position = 0;
    int n = reader.read(0, buffer, 0, buffer.length);
    while (n > 0) {
      target.write(buffer, 0, n);
      position += n;
      n = reader.read(position, buffer, 0, buffer.length);
    }
    return position;
  }
}
