package onefold.appliance.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import onefold.appliance.Size;
import onefold.appliance.json.JsonArray;
import onefold.appliance.json.JsonObject;
import onefold.catalyst.client.CatalystClient;
import onefold.catalyst.client.CatalystException;
import onefold.catalyst.client.ItemReader;
import onefold.catalyst.wire.ErrorCode;
import onefold.store.CorruptDataException;
import onefold.store.ItemRecord;
import onefold.store.ObjectReader;
import onefold.store.RefusedException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Reads an item back. */
@Command(
    name = "get",
    description =
        "Read an item into a file, a device or standard output (-). Every byte is checked against"
            + " its fingerprint. With --data a damaged item comes out as far as it goes: what"
            + " cannot be read is a hole of zeros, each is named, and the exit code is 3.",
    footer = {
      "",
      "Example:",
      "  ./onefold get default/disk-monday disk.img",
      "  ./onefold get default/shop - | psql shop"
    })
final class GetVerb extends ApplianceVerb {
  private static final int COPY_BYTES = 1 << 20;

  /** Holes that are named; the rest is only counted. */
  private static final int MAX_HOLES = 10_000;

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

    long copyTo(Target target) throws IOException;

    /** What could not be read, the first {@link #MAX_HOLES}; complete when copying has ended. */
    List<Hole> holes();

    /** How many there are. */
    long holeCount();
  }

  /** Where they go. */
  private abstract static class Target extends OutputStream {
    /** Leaves bytes out, which read as zeros. */
    abstract void hole(long lengthBytes) throws IOException;
  }

  /** What could not be read. */
  private record Hole(long offsetBytes, long lengthBytes, String why) {}

  @Override
  public Integer call() throws IOException, Failure {
    ItemReference item = ItemReference.parse(source, environment().now());
    if (data.isPresent()) {
      try (OfflineStore offline = OfflineStore.read(data.orElseThrow(), terminal());
          ObjectReader reader = openOffline(offline, item)) {
        OfflineReading reading = new OfflineReading(reader);
        deliver(item, reading);
        return reading.holeCount == 0 ? Exit.DONE : Exit.GAPS;
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
    try {
      return offline.store().openReader(store.domainId(), record.root());
    } catch (CorruptDataException | RefusedException e) {
      throw Failure.damaged(item, e); // It has a name, so it is not absent.
    }
  }

  private void deliver(ItemReference item, Reading reading) throws IOException, Failure {
    long start = environment().nanoTime().getAsLong();
    if (file.equals("-")) {
      reading.copyTo(new Sequential(terminal().out()));
      terminal().out().flush();
      tell(reading);
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
          copied =
              reading.copyTo(
                  new Counted(new Sequential(Channels.newOutputStream(device)), progress));
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
            "%s: %s, %.1f MB/s, %s",
            item,
            Size.format(copied),
            rate,
            reading.holeCount() == 0
                ? "every byte verified"
                : "every byte verified but for "
                    + (reading.holeCount() == 1 ? "1 hole" : reading.holeCount() + " holes")));
    tell(reading);
    JsonArray holes = new JsonArray();
    for (Hole hole : reading.holes()) {
      holes.add(
          new JsonObject()
              .put("offset", hole.offsetBytes())
              .put("length", hole.lengthBytes())
              .put("why", hole.why()));
    }
    result(
        new JsonObject()
            .put("store", item.store())
            .put("item", item.item())
            .put("bytes", copied)
            .put("seconds", nanos / 1e9)
            .put("megabytesPerSecond", rate)
            .put("holes", holes));
  }

  private void tell(Reading reading) {
    for (Hole hole : reading.holes()) {
      terminal()
          .err()
          .println(
              "hole of "
                  + hole.lengthBytes()
                  + " bytes from byte "
                  + hole.offsetBytes()
                  + ": "
                  + hole.why());
    }
    if (reading.holeCount() > reading.holes().size()) {
      terminal()
          .err()
          .println("… and " + (reading.holeCount() - reading.holes().size()) + " more holes");
    }
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
        copied = reading.copyTo(new Counted(new Sparse(channel), progress));
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
  private static final class Counted extends Target {
    private final Target target;
    private final Progress progress;
    private long written;

    Counted(Target target, Progress progress) {
      this.target = target;
      this.progress = progress;
    }

    @Override
    public void write(int value) throws IOException {
      write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] source, int offset, int length) throws IOException {
      target.write(source, offset, length);
      written += length;
      progress.at(written);
    }

    @Override
    void hole(long lengthBytes) throws IOException {
      target.hole(lengthBytes);
      written += lengthBytes;
      progress.at(written);
    }
  }

  /** What has no positions, or holds something already: holes are written as zeros. */
  private static final class Sequential extends Target {
    private final OutputStream target;

    Sequential(OutputStream target) {
      this.target = target;
    }

    @Override
    public void write(int value) throws IOException {
      target.write(value);
    }

    @Override
    public void write(byte[] source, int offset, int length) throws IOException {
      target.write(source, offset, length);
    }

    @Override
    void hole(long lengthBytes) throws IOException {
      byte[] zeros = new byte[(int) Math.min(lengthBytes, COPY_BYTES)];
      for (long done = 0; done < lengthBytes; ) {
        int n = (int) Math.min(zeros.length, lengthBytes - done);
        target.write(zeros, 0, n);
        done += n;
      }
    }
  }

  /** A new file: holes are left out. */
  private static final class Sparse extends Target {
    private final FileChannel file;

    Sparse(FileChannel file) {
      this.file = file;
    }

    @Override
    public void write(int value) throws IOException {
      write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] source, int offset, int length) throws IOException {
      ByteBuffer bytes = ByteBuffer.wrap(source, offset, length);
      while (bytes.hasRemaining()) {
        file.write(bytes);
      }
    }

    @Override
    void hole(long lengthBytes) throws IOException {
      file.position(file.position() + lengthBytes - 1);
      write(0); // The file reaches to here, whatever follows.
    }
  }

  private record OnlineReading(ItemReader reader) implements Reading {
    @Override
    public long lengthBytes() {
      return reader.lengthBytes();
    }

    @Override
    public long copyTo(Target target) throws IOException {
      return reader.transferTo(target);
    }

    @Override
    public List<Hole> holes() {
      return List.of();
    }

    @Override
    public long holeCount() {
      return 0;
    }
  }

  /** Reads on behind what cannot be read. */
  private static final class OfflineReading implements Reading {
    private final ObjectReader reader;
    private final List<Hole> holes = new ArrayList<>();
    private long holeCount;
    private long lastHoleEnd = -1;

    OfflineReading(ObjectReader reader) {
      this.reader = reader;
    }

    @Override
    public long lengthBytes() {
      return reader.lengthBytes();
    }

    @Override
    public List<Hole> holes() {
      return holes;
    }

    @Override
    public long holeCount() {
      return holeCount;
    }

    @Override
    public long copyTo(Target target) throws IOException {
      byte[] buffer = new byte[COPY_BYTES];
      long position = 0;
      while (position < reader.lengthBytes()) {
        int n;
        try {
          n = reader.read(position, buffer, 0, buffer.length);
        } catch (CorruptDataException e) {
          long end = reader.endOfPart(position);
          add(position, end - position, String.valueOf(e.getMessage()));
          target.hole(end - position);
          position = end;
          continue;
        }
        target.write(buffer, 0, n);
        position += n;
      }
      return position;
    }

    /** One that follows another is the same one. */
    private void add(long offsetBytes, long lengthBytes, String why) {
      boolean follows = offsetBytes == lastHoleEnd;
      lastHoleEnd = offsetBytes + lengthBytes;
      if (!follows) {
        holeCount++;
      }
      if (follows && holeCount == holes.size()) {
        Hole last = holes.removeLast();
        holes.add(new Hole(last.offsetBytes(), last.lengthBytes() + lengthBytes, last.why()));
      } else if (!follows && holes.size() < MAX_HOLES) {
        holes.add(new Hole(offsetBytes, lengthBytes, why));
      }
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
