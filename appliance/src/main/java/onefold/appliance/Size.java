package onefold.appliance;

import java.math.BigDecimal;
import java.util.List;
import java.util.Locale;

/**
 * Sizes as people type and read them: 10GB is decimal, 10GiB is binary, and bare 10G is refused
 * with both readings.
 */
public final class Size {
  private record Unit(String name, long bytes) {}

  private static final List<Unit> UNITS =
      List.of(
          new Unit("KiB", 1L << 10),
          new Unit("MiB", 1L << 20),
          new Unit("GiB", 1L << 30),
          new Unit("TiB", 1L << 40),
          new Unit("PiB", 1L << 50),
          new Unit("kB", 1_000L),
          new Unit("KB", 1_000L),
          new Unit("MB", 1_000_000L),
          new Unit("GB", 1_000_000_000L),
          new Unit("TB", 1_000_000_000_000L),
          new Unit("PB", 1_000_000_000_000_000L),
          new Unit("B", 1L));

  private Size() {}

  /**
   * Reads a size such as {@code 512MiB}, {@code 1.5TB} or {@code 100B}.
   *
   * @return bytes, at least 0
   * @throws IllegalArgumentException if it is no size; the message says what would be right
   */
  public static long parse(String text) {
    String trimmed = text.trim();
    for (Unit unit : UNITS) {
      if (trimmed.endsWith(unit.name())) {
        String number = trimmed.substring(0, trimmed.length() - unit.name().length()).trim();
        if (isNumber(number)) {
          return times(text, number, unit.bytes());
        }
      }
    }
    if (!trimmed.isEmpty()) {
      char last = trimmed.charAt(trimmed.length() - 1);
      String number = trimmed.substring(0, trimmed.length() - 1).trim();
      int letter = "kmgtp".indexOf(Character.toLowerCase(last));
      if (letter >= 0 && isNumber(number)) {
        String upper = String.valueOf(last).toUpperCase(Locale.ROOT);
        String decimal = number + (letter == 0 ? "k" : upper) + "B";
        String binary = number + upper + "iB";
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "size '%s' has two readings: write %s (%,d bytes) or %s (%,d bytes)",
                text,
                decimal,
                parse(decimal),
                binary,
                parse(binary)));
      }
      if (isNumber(trimmed)) {
        throw new IllegalArgumentException(
            "size '"
                + text
                + "' has no unit: write "
                + trimmed
                + "B, or use kB, MB, GB, TB, KiB, MiB, GiB, TiB");
      }
    }
    throw new IllegalArgumentException(
        "size '" + text + "' is not a number with a unit such as 10GB or 10GiB");
  }

  private static boolean isNumber(String text) {
    return text.length() <= 20 && text.matches("[0-9]+(\\.[0-9]+)?");
  }

  private static long times(String text, String number, long unitBytes) {
    BigDecimal bytes = new BigDecimal(number).multiply(BigDecimal.valueOf(unitBytes));
    if (bytes.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) > 0) {
      throw new IllegalArgumentException("size '" + text + "' is more than 2^63 bytes");
    }
    return bytes.longValue();
  }

  /** Writes bytes with three digits and a decimal unit: {@code 1.23 GB}. */
  public static String format(long bytes) {
    if (bytes < 1000) {
      return bytes + " B";
    }
    String[] names = {"kB", "MB", "GB", "TB", "PB", "EB"};
    double value = bytes;
    int unit = -1;
    while (value >= 999.5 && unit < names.length - 1) {
      value /= 1000;
      unit++;
    }
    String pattern = value < 9.995 ? "%.2f %s" : value < 99.95 ? "%.1f %s" : "%.0f %s";
    return String.format(Locale.ROOT, pattern, value, names[unit]);
  }
}
