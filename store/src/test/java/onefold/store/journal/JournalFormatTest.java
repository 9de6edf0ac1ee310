package onefold.store.journal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import onefold.store.Id;
import onefold.store.device.DeviceFile;
import onefold.store.journal.JournalFormat.SegmentHeader;
import onefold.store.journal.JournalFormat.SegmentKind;
import onefold.store.scheduler.ThreadScheduler;
import onefold.store.simulation.SimulatedDevice;
import org.junit.jupiter.api.Test;

/** The bytes of docs/formats/journal.md, and the sample that every later release must read. */
final class JournalFormatTest {
  private static final Id OWNER = Id.ofHex("00112233445566778899aabbccddeeff");
  private static final String PATH = "journal/0000000000000001.journal";
  private static final int SEGMENT_BYTES = 4096;

  /** The segment of the worked example, its used part. */
  private static byte[] write() throws IOException {
    SimulatedDevice device = new SimulatedDevice();
    device.createDirectories("journal");
    DeviceFile file = device.create(PATH);
    SegmentHeader header =
        new SegmentHeader(OWNER, 1, 1, 1, 0x0123456789abcdefL, SEGMENT_BYTES, SegmentKind.CUTS);
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

  private static Map<String, byte[]> samples() throws IOException {
    Map<String, byte[]> parts = new TreeMap<>();
    for (String file : List.of("/samples/journal-1.txt", "/samples/journal-witness-1.txt")) {
      try (InputStream in = JournalFormatTest.class.getResourceAsStream(file)) {
        if (in == null) {
          throw new IOException(file + " is not there");
        }
        for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList()) {
          if (!line.startsWith("#")) {
            String[] words = line.split(" ", 2);
            parts.put(words[0], HexFormat.of().parseHex(words[1]));
          }
        }
      }
    }
    return parts;
  }

  private static byte[] part(String name) throws IOException {
    byte[] bytes = samples().get(name);
    if (bytes == null) {
      throw new IOException("the samples have no " + name);
    }
    return bytes;
  }

  @Test
  void aSegmentIsWrittenAsTheSampleHasIt() throws IOException {
    String written = HexFormat.of().formatHex(write());
    assertEquals(HexFormat.of().formatHex(part("segment")), written);
  }

  @Test
  void aWitnessFileIsWrittenAsTheSampleHasItAndNothingElseIsRead() throws IOException {
    byte[] sample = part("witness");
    byte[] written = JournalFormat.newWitness(OWNER);
    JournalFormat.putWitness(written, 4);
    assertEquals(HexFormat.of().formatHex(sample), HexFormat.of().formatHex(written));
    assertEquals(4, JournalFormat.decodeWitness(sample, OWNER));
    assertEquals(0, JournalFormat.decodeWitness(sample, new Id(1, 2)));
    for (int at = 0; at < sample.length; at++) {
      byte[] damaged = sample.clone();
      damaged[at] ^= 0x20;
      assertEquals(0, JournalFormat.decodeWitness(damaged, OWNER));
    }
  }

  @Test
  void theSampleIsReadAsItWasWritten() throws IOException {
    SimulatedDevice device = new SimulatedDevice();
    device.createDirectories("journal");
    try (DeviceFile file = device.create(PATH)) {
      file.write(0, ByteBuffer.wrap(part("segment")));
    }
    List<String> records = new ArrayList<>();
    try (var scheduler = new ThreadScheduler(1, (name, failure) -> failure.printStackTrace());
        Journal journal =
            Journal.open(
                device,
                scheduler,
                "journal",
                OWNER,
                1,
                1,
                new JournalSettings(SEGMENT_BYTES, 1000),
                GroupBarrier.NONE)) {
      assertTrue(journal.damage().isEmpty());
      journal.replay(
          1,
          (position, type, payload) ->
              records.add(
                  position.position()
                      + " "
                      + type
                      + " "
                      + new String(payload, StandardCharsets.US_ASCII)));
    }
    assertEquals(List.of("1 7 first", "2 8 second one", "3 7 "), records);
  }

  @Test
  void aHeaderComesBackAsItWas() throws IOException {
    for (SegmentKind kind : SegmentKind.values()) {
      SegmentHeader header = new SegmentHeader(OWNER, 5, 77, 1L << 40, -3, 8 << 20, kind);
      byte[] bytes = JournalFormat.encodeHeader(header);
      assertEquals(JournalFormat.HEADER_BYTES, bytes.length);
      assertEquals(header, JournalFormat.decodeHeader("x", bytes, bytes.length));
      assertArrayEquals(bytes, JournalFormat.encodeHeader(header));
    }
  }
}
