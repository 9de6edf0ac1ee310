package onefold.store.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import onefold.chunker.ChunkKind;
import onefold.store.CorruptDataException;
import onefold.store.Id;
import onefold.store.RefusedException;
import onefold.store.engine.CommitRecord.ContainerEnd;
import onefold.store.engine.CommitRecord.DomainPart;
import onefold.store.simulation.DeviceCall;
import onefold.store.simulation.Faults;
import onefold.store.simulation.SimulatedDevice;
import org.junit.jupiter.api.Test;

/** The engine's own formats, byte for byte as docs/formats says. */
class FormatsTest {
  private static final Superblock FIRST =
      new Superblock(
          1,
          Id.ofHex("00112233445566778899aabbccddeeff"),
          1,
          1,
          1_893_456_000_000L,
          new byte[0],
          0);

  private static final String FIRST_HEX =
      "4f4e45464f4c44530100000000000000"
          + "00000000000000000100000000000000"
          + "7766554433221100ffeeddccbbaa9988"
          + "01000000000000000100000000000000"
          + "00b4c5dab80100000000000000000000";

  private static final CommitRecord COMMIT =
      new CommitRecord(
          false,
          1000,
          List.of(
              new DomainPart(
                  new Id(2, 3),
                  6,
                  List.of(
                      new ContainerEnd(
                          5, ChunkKind.DATA, 132, "data".getBytes(StandardCharsets.US_ASCII))))),
          List.of(new byte[] {(byte) 0xaa, (byte) 0xbb, (byte) 0xcc}));

  private static final String COMMIT_HEX =
      "0100000000000000e803000000000000"
          + "0100000001000000"
          + "02000000000000000300000000000000"
          + "06000000000000000100000000000000"
          + "05000000000000000100000004000000"
          + "840000000000000064617461"
          + "03000000aabbcc";

  @Test
  void theSuperblockIsAsTheExampleSays() throws IOException {
    byte[] bytes = SuperblockFormat.encode(FIRST);
    assertEquals(4096, bytes.length);
    assertEquals(FIRST_HEX, HexFormat.of().formatHex(bytes, 0, 80));
    Superblock read = SuperblockFormat.decode("superblock.0", bytes);
    assertEquals(FIRST.applianceId(), read.applianceId());
    assertEquals(FIRST.storeTimeMillis(), read.storeTimeMillis());
  }

  @Test
  void anyDamageOfASuperblockIsFoundAndTheOtherOneCounts() throws IOException {
    byte[] bytes = SuperblockFormat.encode(FIRST);
    for (int at = 0; at < bytes.length; at += 7) {
      byte[] damaged = bytes.clone();
      damaged[at] ^= 0x10;
      assertThrows(
          CorruptDataException.class, () -> SuperblockFormat.decode("superblock.0", damaged));
    }
    assertThrows(
        CorruptDataException.class,
        () -> SuperblockFormat.decode("superblock.0", Arrays.copyOf(bytes, 4095)));

    SimulatedDevice device = new SimulatedDevice();
    Superblocks writer = new Superblocks(device);
    writer.write(FIRST);
    writer.write(new Superblock(2, FIRST.applianceId(), 1, 9, 5, new byte[] {1, 2}, 0));
    assertEquals(2, new Superblocks(device).read().sequence());
    device.flipBit(Superblocks.SECOND, 60, 3);
    Superblocks again = new Superblocks(device);
    assertEquals(2, again.read().sequence());
    again.write(new Superblock(3, FIRST.applianceId(), 1, 9, 5, new byte[] {1, 2}, 0));
    assertEquals(3, new Superblocks(device).read().sequence());
    device.flipBit(Superblocks.FIRST, 60, 3);
    assertEquals(3, new Superblocks(device).read().sequence());
    device.flipBit(Superblocks.SECOND, 60, 3);
    assertThrows(CorruptDataException.class, () -> new Superblocks(device).read());
  }

  @Test
  void theJournalIsNeededFromTheOlderSuperblockUntilBothFilesHaveTheNewer() throws IOException {
    SimulatedDevice device = new SimulatedDevice();
    Superblocks writer = new Superblocks(device);
    writer.write(new Superblock(1, FIRST.applianceId(), 1, 9, 5, new byte[0], 0));
    assertEquals(9, writer.journalNeededFrom());
    device.setFaults(call ->
        call.kind() == DeviceCall.Kind.WRITE && call.path().equals(Superblocks.FIRST)
            ? Faults.Outcome.FULL
            : Faults.Outcome.NONE);
    writer.write(new Superblock(2, FIRST.applianceId(), 1, 30, 5, new byte[0], 0));
    assertEquals(9, writer.journalNeededFrom());
    device.setFaults(Faults.none());
    Superblocks again = new Superblocks(device);
    assertEquals(2, again.read().sequence());
    again.write(new Superblock(3, FIRST.applianceId(), 1, 40, 5, new byte[0], 0));
    assertEquals(40, again.journalNeededFrom());
  }

  @Test
  void aSuperblockWithNumbersThatNobodyWritesIsDamage() throws IOException {
    for (int at : new int[] {24, 48, 56}) { // sequence, epoch, position in the journal
      byte[] bytes = SuperblockFormat.encode(FIRST);
      Arrays.fill(bytes, at, at + 8, (byte) 0);
      var crc = new java.util.zip.CRC32C();
      crc.update(bytes, 0, 4092);
      for (int i = 0; i < 4; i++) {
        bytes[4092 + i] = (byte) (crc.getValue() >>> (8 * i));
      }
      var e =
          assertThrows(
              CorruptDataException.class, () -> SuperblockFormat.decode("superblock.0", bytes));
      assertEquals("superblock.0", e.file());
      assertEquals(at, e.offsetBytes());
    }
  }

  @Test
  void theFlagOfSharesStandsAmongThoseThatMakeOlderReleasesRefuse() throws IOException {
    byte[] bytes =
        SuperblockFormat.encode(
            new Superblock(1, FIRST.applianceId(), 1, 1, 5, new byte[0], Superblock.SHARES));
    assertEquals(1, bytes[12]);
    assertEquals(Superblock.SHARES, SuperblockFormat.decode("superblock.0", bytes).flags());
    assertEquals(0, SuperblockFormat.encode(FIRST)[12]);
  }

  @Test
  void aNewerSuperblockIsRefused() throws IOException {
    byte[] bytes = SuperblockFormat.encode(FIRST);
    bytes[12] = 2;
    var crc = new java.util.zip.CRC32C();
    crc.update(bytes, 0, 4092);
    for (int i = 0; i < 4; i++) {
      bytes[4092 + i] = (byte) (crc.getValue() >>> (8 * i));
    }
    RefusedException refused =
        assertThrows(RefusedException.class, () -> SuperblockFormat.decode("superblock.0", bytes));
    assertTrue(String.valueOf(refused.getMessage()).contains("newer release"));
  }

  @Test
  void theCommitRecordIsAsTheExampleSays() throws IOException {
    byte[] bytes = CommitRecordFormat.encode(COMMIT);
    assertEquals(COMMIT_HEX, HexFormat.of().formatHex(bytes));
    CommitRecord read = CommitRecordFormat.decode("record", bytes);
    assertEquals(1000, read.storeTimeMillis());
    assertEquals(132, read.domains().getFirst().ends().getFirst().endBytes());
    assertArrayEquals(COMMIT.commands().getFirst(), read.commands().getFirst());
  }

  @Test
  void aCommitRecordThatIsCutOrOverwrittenIsAnErrorAndNeverALargeAllocation() {
    byte[] bytes = CommitRecordFormat.encode(COMMIT);
    for (int length = 0; length < bytes.length; length++) {
      byte[] cut = Arrays.copyOf(bytes, length);
      assertThrows(CorruptDataException.class, () -> CommitRecordFormat.decode("record", cut));
    }
    var random = new SplittableRandom(1);
    for (int round = 0; round < 2000; round++) {
      byte[] damaged = bytes.clone();
      for (int i = 0; i < 4; i++) {
        damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(256);
      }
      try {
        CommitRecordFormat.decode("record", damaged);
      } catch (CorruptDataException expected) {
        assertTrue(String.valueOf(expected.getMessage()).startsWith("record"));
      }
    }
  }
}
