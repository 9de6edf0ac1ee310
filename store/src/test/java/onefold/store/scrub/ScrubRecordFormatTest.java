package onefold.store.scrub;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import onefold.chunker.ChunkKind;
import onefold.store.CorruptDataException;
import org.junit.jupiter.api.Test;

/** docs/formats/scrub-record.md. */
class ScrubRecordFormatTest {
  private static final ScrubRecord SCRUB =
      new ScrubRecord(
          true, true, 7, 1_893_456_000_000L, 12, 99, 1L << 40, 11, 1, 2, 3_000_000_000L, 5);
  private static final DamageRecord DAMAGE =
      new DamageRecord(
          42,
          ChunkKind.NODE,
          true,
          1_893_456_000_001L,
          0,
          -1,
          "domains/x/node/000000000000002a-1.container",
          "expected a block, found µ");

  private static Map<String, byte[]> samples() throws IOException {
    Map<String, byte[]> samples = new HashMap<>();
    try (InputStream in =
        ScrubRecordFormatTest.class.getResourceAsStream("/samples/scrub-record-1.txt")) {
      if (in == null) {
        throw new IOException("no sample");
      }
      for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList()) {
        if (!line.startsWith("#")) {
          String[] words = line.split(" ", 2);
          samples.put(words[0], HexFormat.of().parseHex(words[1]));
        }
      }
    }
    return samples;
  }

  @Test
  void theSamplesOfTheFirstReleaseAreReadAndWrittenAsTheyAre() throws IOException {
    Map<String, byte[]> samples = samples();
    assertArrayEquals(samples.get("scrub"), ScrubRecordFormat.encode(SCRUB));
    assertEquals(SCRUB, ScrubRecordFormat.decodeScrub(ScrubRecordFormat.encode(SCRUB)));
    assertArrayEquals(samples.get("scrub-damage"), ScrubRecordFormat.encode(DAMAGE));
    assertEquals(DAMAGE, ScrubRecordFormat.decodeDamage(ScrubRecordFormat.encode(DAMAGE)));
    DomainOptions options = new DomainOptions(true, false);
    assertArrayEquals(samples.get("domain-options"), options.encode());
    for (DomainOptions each :
        List.of(options, DomainOptions.NONE, new DomainOptions(false, true))) {
      assertEquals(each, DomainOptions.decode(each.encode()));
    }
  }

  @Test
  void whatIsMalformedIsRefused() throws IOException {
    byte[] scrub = ScrubRecordFormat.encode(SCRUB);
    byte[] damage = ScrubRecordFormat.encode(DAMAGE);
    for (int length = 1; length < damage.length; length++) {
      byte[] cut = Arrays.copyOf(damage, length);
      assertThrows(CorruptDataException.class, () -> ScrubRecordFormat.decodeDamage(cut));
    }
    byte[] longer = Arrays.copyOf(damage, damage.length + 1);
    assertThrows(CorruptDataException.class, () -> ScrubRecordFormat.decodeDamage(longer));
    assertThrows(
        CorruptDataException.class,
        () -> ScrubRecordFormat.decodeScrub(Arrays.copyOf(scrub, scrub.length - 1)));
    byte[] newer = scrub.clone();
    newer[0] = 2;
    IOException refused =
        assertThrows(IOException.class, () -> ScrubRecordFormat.decodeScrub(newer));
    assertTrue(String.valueOf(refused.getMessage()).contains("version 2"));
    byte[] flag = scrub.clone();
    flag[1] |= 64;
    assertThrows(IOException.class, () -> ScrubRecordFormat.decodeScrub(flag));
    byte[] negative = scrub.clone();
    negative[11] = (byte) 0x80;
    assertThrows(CorruptDataException.class, () -> ScrubRecordFormat.decodeScrub(negative));
    byte[] kind = damage.clone();
    kind[2] = 9;
    assertThrows(CorruptDataException.class, () -> ScrubRecordFormat.decodeDamage(kind));
  }

  @Test
  void longTextsAreCutBetweenCharacters() throws IOException {
    DamageRecord wordy =
        new DamageRecord(1, ChunkKind.DATA, false, 0, 0, 5, "f", "aµ".repeat(1_000));
    DamageRecord back = ScrubRecordFormat.decodeDamage(ScrubRecordFormat.encode(wordy));
    assertTrue(wordy.what().startsWith(back.what()));
    assertTrue(back.what().length() > 680);
  }
}
