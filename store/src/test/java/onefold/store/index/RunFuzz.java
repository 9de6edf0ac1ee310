package onefold.store.index;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.zip.CRC32C;
import onefold.store.CorruptDataException;
import onefold.store.device.DeviceFile;
import onefold.store.simulation.SimulatedDevice;
import onefold.testing.fuzz.FuzzTarget;

/** Sorted runs of the index, docs/formats/index.md: header, pages, table, filter, footer. */
public final class RunFuzz implements FuzzTarget {
  private static final long RUN_ID = 5;

  @Override
  public String name() {
    return "index-run";
  }

  @Override
  public List<byte[]> samples() throws IOException {
    return List.of(sample("index-run-1.bin"));
  }

  static byte[] sample(String name) throws IOException {
    try (InputStream in = RunFuzz.class.getResourceAsStream("/samples/" + name)) {
      if (in == null) {
        throw new IOException("there is no sample " + name);
      }
      return in.readAllBytes();
    }
  }

  @Override
  public byte[] repaired(byte[] input) {
    int page = RunFormat.PAGE_BYTES;
    int footer = input.length - RunFormat.FOOTER_BYTES;
    if (footer < page) {
      return input;
    }
    ByteBuffer b = ByteBuffer.wrap(input).order(ByteOrder.LITTLE_ENDIAN);
    b.putInt(page - 4, RunFormat.crc(input, 0, page - 4));
    int pages = Math.clamp(b.getInt(footer + 12), 0, (footer - page) / page);
    for (int i = 0; i < pages; i++) {
      int at = page * (i + 1);
      CRC32C crc = new CRC32C();
      crc.update(
          ByteBuffer.allocate(12)
              .order(ByteOrder.LITTLE_ENDIAN)
              .putLong(b.getLong(32))
              .putInt(i)
              .flip());
      crc.update(input, at + 4, page - 4);
      b.putInt(at, (int) crc.getValue());
    }
    int table = page * (pages + 1);
    long filter = table + 8L * Math.max(0, b.getInt(footer + 16));
    if (filter <= footer) {
      b.putInt(footer + 28, RunFormat.crc(input, table, (int) filter - table));
      b.putInt(footer + 40, RunFormat.crc(input, (int) filter, footer - (int) filter));
    }
    b.putLong(footer + 48, input.length);
    b.putInt(input.length - 4, RunFormat.crc(input, footer, RunFormat.FOOTER_BYTES - 4));
    return input;
  }

  @Override
  public void decode(byte[] input) throws IOException {
    var device = new SimulatedDevice();
    device.createDirectories("index");
    try (DeviceFile file = device.create("index/run-5")) {
      file.write(0, ByteBuffer.wrap(input));
    }
    int footer = input.length - RunFormat.FOOTER_BYTES;
    int entries =
        footer < 0 ? 1 : ByteBuffer.wrap(input).order(ByteOrder.LITTLE_ENDIAN).getInt(footer + 8);
    var run = new Run(device, "index", new Run.Identity(RUN_ID, entries, 10, input.length));
    try {
      Run.Loaded loaded = run.load();
      var cursor = new RunCursor(run, loaded);
      long count = 0;
      while (cursor.next()) {
        count++;
      }
      if (count != entries) {
        throw new AssertionError(count + " entries of " + entries);
      }
    } finally {
      run.dispose();
    }
  }

  /** A run that is too short for its parts is refused by the device. */
  @Override
  public boolean isRefusal(Throwable thrown) {
    return thrown instanceof CorruptDataException || thrown instanceof EOFException;
  }

  /** The simulated device keeps the file in pages; the cursor reads 64 of them at a time. */
  @Override
  public long allocationBound(int inputBytes) {
    return (512 << 10) + 64L * inputBytes;
  }
}
