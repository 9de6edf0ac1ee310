package onefold.appliance.cli;

import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** Times as they are shown: local, to the second. */
final class Times {
  private static final DateTimeFormatter SHOWN =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss", Locale.ROOT);

  private Times() {}

  /** Returns the time of so many milliseconds since 1970; a dash for 0. */
  static String show(long millis) {
    return millis == 0
        ? "-"
        : SHOWN.format(Instant.ofEpochMilli(millis).atZone(ZoneId.systemDefault()));
  }
}
