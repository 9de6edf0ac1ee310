package onefold.store.index;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import onefold.chunker.ChunkKind;
import onefold.store.CorruptDataException;
import onefold.store.device.DeviceFile;
import onefold.store.simulation.SimulatedDevice;
import org.junit.jupiter.api.Test;

/** The files of docs/formats/index.md, byte by byte. */
class IndexFormatTest {
  private static final long LOW = 9;
  private static final long HIGH = 0x0000_0001_0000_0002L;
  private static final Run.Identity IDENTITY = new Run.Identity(5, 2, 10, 8_331);

  @Test
  void aRunIsWrittenAsTheSampleOfVersion1() throws IOException {
    var device = new SimulatedDevice();
    device.createDirectories("index");
    writeSample(device).dispose();
    assertArrayEquals(sample("index-run-1.bin"), device.peek("index/run-5"));
    assertEquals(IDENTITY.fileBytes(), device.sizeBytes("index/run-5"));
  }

  @Test
  void theSampleRunOfVersion1IsRead() throws IOException {
    Run run = run(deviceWith(sample("index-run-1.bin")));
    var cursor = new RunCursor(run, run.load());
    assertTrue(cursor.next());
    assertEquals(LOW, cursor.container());
    assertEquals(Locations.of(ChunkKind.DATA, 7, 8192), cursor.location());
    assertTrue(cursor.next());
    assertEquals(HIGH, cursor.container());
    assertEquals(Locations.of(ChunkKind.NODE, 1, 300), cursor.location());
    assertTrue(!cursor.next());
    run.dispose();
  }

  @Test
  void everyWrongByteOfARunIsFound() throws IOException {
    byte[] whole = sample("index-run-1.bin");
    for (int i = 0; i < whole.length; i++) {
      byte[] wrong = whole.clone();
      wrong[i] ^= 0x10;
      assertDamaged(deviceWith(wrong), "byte " + i);
    }
  }

  @Test
  void aRunOfAnotherLengthOrOfAnotherNumberIsFound() throws IOException {
    byte[] whole = sample("index-run-1.bin");
    for (int length : new int[] {0, 1, 4095, 4096, 8191, whole.length - 1, whole.length + 1}) {
      assertDamaged(deviceWith(java.util.Arrays.copyOf(whole, length)), "length " + length);
    }
    var device = deviceWith(whole);
    device.rename("index/run-5", "index/run-6");
    var run = new Run(device, "index", new Run.Identity(6, 2, 10, whole.length));
    assertThrows(CorruptDataException.class, run::load);
  }

  @Test
  void aRunOfANewerVersionOrWithAnUnknownFlagIsNotRead() throws IOException {
    for (int offset : new int[] {8, 12, 16, 20, 24}) {
      byte[] newer = sample("index-run-1.bin");
      newer[offset] = 2;
      ByteBuffer.wrap(newer)
          .order(java.nio.ByteOrder.LITTLE_ENDIAN)
          .putInt(4092, RunFormat.crc(newer, 0, 4092));
      Run run = run(deviceWith(newer));
      var refused = assertThrows(CorruptDataException.class, run::load);
      assertEquals(offset, refused.offsetBytes(), refused.getMessage());
    }
  }

  @Test
  void theManifestIsWrittenAndReadAsTheSampleOfVersion1() throws IOException {
    byte[] expected = sample("index-manifest-1.bin");
    var covered = new ContainerSet();
    covered.add(LOW);
    covered.add(HIGH);
    var run = run(new SimulatedDevice());
    List<Partition> partitions = List.of(Partition.ofAll().with(run));
    byte[] written = ManifestFormat.encode(6, partitions, covered, false);
    assertArrayEquals(expected, written);
    byte[] withDead = ManifestFormat.encode(6, partitions, covered, true);
    assertEquals(1, withDead[16]);
    assertTrue(ManifestFormat.decode("manifest", withDead).deadNodes());

    ManifestFormat.Manifest read = ManifestFormat.decode("manifest", expected);
    assertEquals(6, read.nextRunId());
    assertFalse(read.deadNodes());
    assertEquals(Set.of(LOW, HIGH), read.covered().numbers());
    assertEquals(
        List.of(new ManifestFormat.PartitionEntry(0, 0, false, List.of(IDENTITY))),
        read.partitions());
  }

  @Test
  void everyWrongByteAndEveryOtherLengthOfAManifestIsFound() throws IOException {
    byte[] whole = sample("index-manifest-1.bin");
    for (int i = 0; i < whole.length; i++) {
      byte[] wrong = whole.clone();
      wrong[i] ^= 0x10;
      assertThrows(
          CorruptDataException.class, () -> ManifestFormat.decode("manifest", wrong), "byte " + i);
      byte[] shorter = java.util.Arrays.copyOf(whole, i);
      assertThrows(CorruptDataException.class, () -> ManifestFormat.decode("manifest", shorter));
    }
  }

  @Test
  void aManifestWithARightChecksumAndNonsenseInsideIsRefused() throws IOException {
    // What it would need first: room for 2^31 runs, partitions with a gap, a range that runs back.
    assertRefused(72, 0x7fff_ffff);
    assertRefused(40, 2);
    assertRefused(40, 0);
    assertRefused(44, 0x7fff_ffff);
    assertRefused(56, 1);
    assertRefused(64, 1);
    assertRefused(64, -1);
    assertRefused(68, 2);
    assertRefused(104, 10);
    assertRefused(104, 0);
    assertRefused(108, 1);
  }

  private static void assertRefused(int offset, int value) throws IOException {
    byte[] bytes = sample("index-manifest-1.bin");
    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(java.nio.ByteOrder.LITTLE_ENDIAN);
    buffer.putInt(offset, value);
    buffer.putInt(bytes.length - 4, RunFormat.crc(bytes, 0, bytes.length - 4));
    assertThrows(
        CorruptDataException.class,
        () -> ManifestFormat.decode("manifest", bytes),
        () -> value + " at " + offset);
  }

  private static void assertDamaged(SimulatedDevice device, String what) {
    Run run = run(device);
    assertThrows(
        IOException.class,
        () -> {
          var cursor = new RunCursor(run, run.load());
          while (cursor.next()) {
            // Reads all pages.
          }
        },
        what);
    run.dispose();
  }

  private static Run run(SimulatedDevice device) {
    return new Run(device, "index", IDENTITY);
  }

  private static Run writeSample(SimulatedDevice device) throws IOException {
    var layout = new RunFormat.Layout(5, 0, 0, RunFormat.NARROW_CONTAINER_BYTES);
    try (var writer =
        new RunWriter(
            device, "index", layout, new long[] {LOW >>> 16, HIGH >>> 16}, 2, 10, bytes -> {})) {
      writer.add(fingerprint(0), 0, LOW, Locations.of(ChunkKind.DATA, 7, 8192));
      writer.add(fingerprint(0x80), 0, HIGH, Locations.of(ChunkKind.NODE, 1, 300));
      return writer.finish();
    }
  }

  private static byte[] fingerprint(int first) {
    byte[] bytes = new byte[32];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (first + i);
    }
    return bytes;
  }

  private static SimulatedDevice deviceWith(byte[] run) throws IOException {
    var device = new SimulatedDevice();
    device.createDirectories("index");
    try (DeviceFile file = device.create("index/run-5")) {
      file.write(0, ByteBuffer.wrap(run));
    }
    return device;
  }

  private static byte[] sample(String name) throws IOException {
    try (InputStream in =
        Objects.requireNonNull(IndexFormatTest.class.getResourceAsStream("/samples/" + name))) {
      return in.readAllBytes();
    }
  }
}
