package onefold.appliance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class SizeTest {
  @Test
  void decimalAndBinaryUnitsAreTold() {
    assertEquals(10_000_000_000L, Size.parse("10GB"));
    assertEquals(10L << 30, Size.parse("10GiB"));
    assertEquals(512L << 20, Size.parse(" 512 MiB "));
    assertEquals(1_500_000_000_000L, Size.parse("1.5TB"));
    assertEquals(7, Size.parse("7B"));
    assertEquals(0, Size.parse("0B"));
  }

  @Test
  void aBareLetterIsRefusedWithBothReadings() {
    var error = assertThrows(IllegalArgumentException.class, () -> Size.parse("10G"));
    assertTrue(
        String.valueOf(error.getMessage()).contains("10GB (10,000,000,000 bytes)"),
        String.valueOf(error.getMessage()));
    assertTrue(
        String.valueOf(error.getMessage()).contains("10GiB (10,737,418,240 bytes)"),
        String.valueOf(error.getMessage()));
    var small = assertThrows(IllegalArgumentException.class, () -> Size.parse("64k"));
    assertTrue(
        String.valueOf(small.getMessage()).contains("64kB"), String.valueOf(small.getMessage()));
    assertTrue(
        String.valueOf(small.getMessage()).contains("64KiB"), String.valueOf(small.getMessage()));
  }

  @Test
  void whatIsNoSizeIsRefusedWithTheValue() {
    for (String text :
        new String[] {"", "ten", "-1GB", "1e9B", "10", "GB", "99999999PB", "1.GB", "10GBs"}) {
      var error = assertThrows(IllegalArgumentException.class, () -> Size.parse(text), text);
      assertTrue(
          String.valueOf(error.getMessage()).contains("'" + text + "'"),
          String.valueOf(error.getMessage()));
    }
  }

  @Test
  void sizesAreShownWithThreeDigits() {
    assertEquals("0 B", Size.format(0));
    assertEquals("999 B", Size.format(999));
    assertEquals("1.00 kB", Size.format(1000));
    assertEquals("12.3 MB", Size.format(12_345_678));
    assertEquals("1.00 GB", Size.format(999_999_999));
    assertEquals("9.22 EB", Size.format(Long.MAX_VALUE));
  }

  @Test
  void theNearestWordIsFoundOnlyWhenItIsNear() {
    assertEquals(
        "memory", Nearest.of("memmory", java.util.List.of("data", "memory", "log")).orElseThrow());
    assertTrue(Nearest.of("zebra", java.util.List.of("data", "memory", "log")).isEmpty());
  }
}
