package onefold.nas;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

class CaseFoldingTest {
  @Test
  void theTableIsTheOneOfTheFirstReleaseForEver() {
    var crc = new CRC32C();
    for (int unit = 0; unit < 1 << 16; unit++) {
      char fold = CaseFolding.fold((char) unit);
      crc.update(fold);
      crc.update(fold >>> 8);
      assertEquals(fold, CaseFolding.fold(fold));
    }
    assertEquals("159d3d9a", Long.toHexString(crc.getValue()));
  }

  @Test
  void namesThatDifferInCaseOnlyHaveOneFold() {
    assertEquals("report.pdf", fold("REPORT.PDF"));
    assertEquals("äöüß", fold("ÄÖÜß"));
    assertEquals(fold("σίσυφος"), fold("ΣΊΣΥΦΟΣ"));
    assertEquals("привет", fold("ПРИВЕТ"));
    assertEquals("ⱥ", fold("Ⱥ"));
    assertEquals("😀x", fold("😀X"));
  }

  @Test
  void lettersThatBecomeOthersStayAsNtfsHasThem() {
    for (String same : new String[] {"ı", "ſ", "µ", "ß", "ა", "中", "ﬁ", "İ"}) {
      assertEquals(same, fold(same));
    }
    assertEquals("i", fold("I"));
  }

  @Test
  void whatIsNotUtf8IsFoldedInItsAsciiLetters() {
    assertArrayEquals(
        new byte[] {'a', (byte) 0xff, 'b', (byte) 0xc4},
        CaseFolding.fold(new byte[] {'A', (byte) 0xff, 'B', (byte) 0xc4}));
    byte[] small = {'a', (byte) 0xff};
    assertSame(small, CaseFolding.fold(small));
  }

  @Test
  void aNameInSmallLettersIsItsOwnFoldAndCostsNothing() {
    byte[] name = "report-2026.tar.zst".getBytes(UTF_8);
    assertSame(name, CaseFolding.fold(name));
  }

  private static String fold(String name) {
    return new String(CaseFolding.fold(name.getBytes(UTF_8)), UTF_8);
  }
}
