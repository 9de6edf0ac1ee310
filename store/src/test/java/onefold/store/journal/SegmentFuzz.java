package onefold.store.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.zip.CRC32C;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.device.DeviceFile;
import onefold.store.journal.JournalFormat.SegmentHeader;
import onefold.store.journal.JournalFormat.SegmentKind;
import onefold.store.simulation.SimulatedDevice;
import onefold.testing.fuzz.FuzzTarget;

/** Segments of the journal, docs/formats/journal.md: header, records, what a walk makes of them. */
public final class SegmentFuzz implements FuzzTarget {
  private static final String PATH = "journal/0000000000000001.journal";
  private static final int SALT_AT = 64;

  @Override
  public String name() {
    return "journal-segment";
  }

  @Override
  public List<byte[]> samples() throws IOException {
    return List.of(segment(SegmentKind.CUTS), segment(SegmentKind.FOLLOWS));
  }

  private static byte[] segment(SegmentKind kind) throws IOException {
    SimulatedDevice device = new SimulatedDevice();
    device.createDirectories("journal");
    DeviceFile file = device.create(PATH);
    SegmentHeader header =
        new SegmentHeader(new Id(1, 2), 1, 1, 1, 0x0123456789abcdefL, 4096, kind);
    file.write(0, ByteBuffer.wrap(JournalFormat.encodeHeader(header)));
    try (SegmentWriter segment =
        new SegmentWriter(file, PATH, header, ByteBuffer.allocateDirect(1024))) {
      segment.put(7, "first".getBytes(StandardCharsets.US_ASCII), 1, 1, 1);
      segment.put(8, "second one".getBytes(StandardCharsets.US_ASCII), 2, 1, 1);
      segment.putControl(JournalFormat.TYPE_WITNESS, 3);
      segment.put(7, new byte[0], 3, 1, 3);
      segment.putControl(JournalFormat.TYPE_END, 4);
      segment.flush();
    }
    return device.peek(PATH);
  }

  @Override
  public byte[] repaired(byte[] input) {
    if (input.length < JournalFormat.HEADER_BYTES) {
      return input;
    }
    ByteBuffer b = ByteBuffer.wrap(input).order(ByteOrder.LITTLE_ENDIAN);
    int end = JournalFormat.HEADER_BYTES - 4;
    b.putInt(end, JournalFormat.crc(input, 0, end));
    for (int at = JournalFormat.HEADER_BYTES;
        at <= input.length - JournalFormat.RECORD_HEADER_BYTES;
        at += JournalFormat.ALIGNMENT_BYTES) {
      if (b.getInt(at) != JournalFormat.RECORD_MAGIC) {
        continue;
      }
      int payload = at + JournalFormat.RECORD_HEADER_BYTES;
      int length = b.getInt(at + 12);
      if (length >= 0 && length <= input.length - payload) {
        b.putInt(at + 8, JournalFormat.crc(input, payload, length));
      }
      CRC32C crc = new CRC32C();
      crc.update(input, SALT_AT, 8);
      crc.update(input, at + 8, JournalFormat.RECORD_HEADER_BYTES - 8);
      b.putInt(at + 4, (int) crc.getValue());
    }
    return input;
  }

  @Override
  public void decode(byte[] input) throws IOException {
    var device = new SimulatedDevice();
    device.createDirectories("journal");
    try (DeviceFile file = device.create(PATH)) {
      file.write(0, ByteBuffer.wrap(input));
    }
    SegmentReader segment = SegmentReader.read(device, PATH);
    for (long limit : new long[] {Long.MAX_VALUE, 2}) {
      SegmentReader.Walk walk = segment.walk(limit);
      int end = JournalFormat.HEADER_BYTES;
      for (int offset : walk.offsets()) {
        if (offset < end) {
          throw new AssertionError("record at " + offset + " inside the one before");
        }
        end = offset + JournalFormat.RECORD_HEADER_BYTES + segment.payload(offset).length;
      }
      if (end > Math.max(input.length, JournalFormat.HEADER_BYTES)) {
        throw new AssertionError("record behind the end");
      }
    }
  }

  @Override
  public boolean isRefusal(Throwable thrown) {
    return thrown instanceof CorruptDataException || thrown instanceof NewerFormatException;
  }
}
