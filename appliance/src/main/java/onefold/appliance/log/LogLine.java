package onefold.appliance.log;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.text.MessageFormat;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.logging.Formatter;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import onefold.appliance.json.JsonObject;

/** One event as one line. */
final class LogLine extends Formatter {
  private final boolean json;

  LogLine(boolean json) {
    this.json = json;
  }

  @Override
  public String format(LogRecord event) {
    String time = event.getInstant().truncatedTo(ChronoUnit.MILLIS).toString();
    String level = level(event.getLevel());
    String logger = String.valueOf(event.getLoggerName());
    String message = message(event);
    Throwable thrown = event.getThrown();
    if (json) {
      JsonObject line =
          new JsonObject()
              .put("time", time)
              .put("level", level)
              .put("logger", logger)
              .put("thread", event.getLongThreadID())
              .put("message", message);
      if (thrown != null) {
        line.put("error", trace(thrown));
      }
      return line.write() + "\n";
    }
    String shortLogger = logger.substring(logger.lastIndexOf('.') + 1);
    String line =
        String.format(
            Locale.ROOT,
            "%s %-5s %s: %s%n",
            time,
            level.toUpperCase(Locale.ROOT),
            shortLogger,
            // One event stays one line, whatever a client has put into a name.
            message.replace("\n", "\\n").replace("\r", "\\r"));
    return thrown == null ? line : line + trace(thrown);
  }

  private static String level(Level level) {
    int value = level.intValue();
    return value >= Level.SEVERE.intValue()
        ? "error"
        : value >= Level.WARNING.intValue()
            ? "warn"
            : value >= Level.INFO.intValue() ? "info" : "debug";
  }

  private static String message(LogRecord event) {
    String message = String.valueOf(event.getMessage());
    Object[] parameters = event.getParameters();
    if (parameters == null || parameters.length == 0) {
      return message;
    }
    try {
      return MessageFormat.format(message, parameters);
    } catch (IllegalArgumentException e) {
      return message; // A pattern that is none is logged as it is.
    }
  }

  private static String trace(Throwable thrown) {
    StringWriter text = new StringWriter();
    thrown.printStackTrace(new PrintWriter(text));
    return text.toString();
  }
}
