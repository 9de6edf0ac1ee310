package onefold.store.writeback;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import onefold.chunker.Fingerprint;
import onefold.chunker.ObjectRoot;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.writeback.WritebackFormat.LogRecord;
import onefold.store.writeback.WritebackFormat.Part;
import org.junit.jupiter.api.Test;

/**
 * The bytes of docs/formats/writeback-log.md, and the sample that every later release must read.
 */
class WritebackFormatTest {
  /** The record of the worked example. */
  static LogRecord example() {
    byte[] node = new byte[Fingerprint.BYTES];
    for (int i = 0; i < node.length; i++) {
      node[i] = (byte) i;
    }
    byte[] data = "hello".getBytes(StandardCharsets.US_ASCII);
    return new LogRecord(
        Id.ofHex("00112233445566778899aabbccddeeff"),
        Id.ofHex("0123456789abcdef0123456789abcdef"),
        "file".getBytes(StandardCharsets.US_ASCII),
        7,
        9,
        4096,
        20_000,
        new byte[] {1, 2},
        List.of(
            data(4, data),
            new Part.Zeros(8192, 100, false),
            new Part.Zeros(8300, 200, true),
            new Part.Splice(10_000, 5_000, new ObjectRoot(Fingerprint.of(node, 0), 1, 9_000), 16)));
  }

  private static Part data(long position, byte[] data) {
    return new Part.Data(position, data.length, WritebackFormat.crc(data, 0, data.length), data, 0);
  }

  private static byte[] sample() throws IOException {
    String file = "/samples/writeback-record-1.txt";
    try (InputStream in = WritebackFormatTest.class.getResourceAsStream(file)) {
      if (in == null) {
        throw new IOException(file + " is not there");
      }
      StringBuilder digits = new StringBuilder();
      for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList()) {
        if (!line.startsWith("#")) {
          digits.append(line.replace(" ", ""));
        }
      }
      return HexFormat.of().parseHex(digits);
    }
  }

  static void assertSame(LogRecord expected, LogRecord found) {
    assertEquals(expected.shareId(), found.shareId());
    assertEquals(expected.objectId(), found.objectId());
    assertArrayEquals(expected.key(), found.key());
    assertArrayEquals(expected.note(), found.note());
    assertEquals(expected.previous(), found.previous());
    assertEquals(expected.number(), found.number());
    assertEquals(expected.cut(), found.cut());
    assertEquals(expected.length(), found.length());
    assertEquals(expected.parts().size(), found.parts().size());
    for (int i = 0; i < expected.parts().size(); i++) {
      if (expected.parts().get(i) instanceof Part.Data e
          && found.parts().get(i) instanceof Part.Data f) {
        assertEquals(e.position(), f.position());
        assertEquals(e.crc(), f.crc());
        int end = (int) (f.offset() + f.length());
        assertArrayEquals(
            Arrays.copyOfRange(e.bytes(), e.offset(), (int) (e.offset() + e.length())),
            Arrays.copyOfRange(f.bytes(), f.offset(), end));
      } else {
        assertEquals(expected.parts().get(i), found.parts().get(i));
      }
    }
  }

  @Test
  void theSampleIsReadAndWrittenAsItIs() throws IOException {
    assertEquals(
        HexFormat.of().formatHex(sample()),
        HexFormat.of().formatHex(WritebackFormat.encode(example())));
    assertSame(example(), WritebackFormat.decode("sample", sample()));
  }

  @Test
  void whatIsEncodedIsDecoded() throws IOException {
    long seed = Long.getLong("onefold.seed", System.nanoTime());
    var random = new SplittableRandom(seed);
    for (int round = 0; round < 300; round++) {
      List<Part> parts = new ArrayList<>();
      long at = 0;
      for (int i = random.nextInt(6); i > 0; i--) {
        at += random.nextInt(1000);
        byte[] data = new byte[1 + random.nextInt(500)];
        random.nextBytes(data);
        parts.add(
            switch (random.nextInt(3)) {
              case 0 -> data(at, data);
              case 1 -> new Part.Zeros(at, data.length, random.nextBoolean());
              default ->
                  new Part.Splice(
                      at,
                      data.length,
                      new ObjectRoot(Fingerprint.of(new byte[32], 0), 0, data.length + 9L),
                      random.nextInt(10));
            });
        at += data.length;
      }
      byte[] key = new byte[1 + random.nextInt(1024)];
      byte[] note = new byte[random.nextInt(257)];
      random.nextBytes(key);
      random.nextBytes(note);
      long previous = random.nextLong(1L << 60);
      LogRecord record =
          new LogRecord(
              new Id(random.nextLong(), random.nextLong()),
              new Id(random.nextLong(), random.nextLong()),
              key,
              previous,
              previous + 1 + random.nextInt(9),
              random.nextBoolean() ? Long.MAX_VALUE : random.nextInt(9_000),
              at + random.nextInt(2) * 100L,
              note,
              parts);
      byte[] bytes = WritebackFormat.encode(record);
      assertEquals(WritebackFormat.sizeOf(record), bytes.length);
      assertSame(record, WritebackFormat.decode("onefold.seed=" + seed, bytes));
    }
  }

  @Test
  void whatIsCutOffOrNonsenseIsRefused() throws IOException {
    byte[] whole = sample();
    for (int length = 0; length < whole.length; length++) {
      byte[] shorter = Arrays.copyOf(whole, length);
      assertThrows(CorruptDataException.class, () -> WritebackFormat.decode("cut", shorter));
    }
    byte[] newer = whole.clone();
    newer[0] = 2;
    var refused =
        assertThrows(CorruptDataException.class, () -> WritebackFormat.decode("newer", newer));
    assertTrue(String.valueOf(refused.getMessage()).contains("version 2"), refused.getMessage());
  }
}
