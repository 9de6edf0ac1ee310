package onefold.appliance.log;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.logging.FileHandler;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import onefold.appliance.configuration.Configuration;

/** Sets up the process's logging; closing it flushes and closes the files. */
public final class Logs implements AutoCloseable {
  /** Files in which the log turns; their sizes together are the bound of the configuration. */
  static final int FILES = 4;

  private final Logger root;
  private final Handler file;
  private final Handler standard;

  private Logs(Logger root, Handler file, Handler standard) {
    this.root = root;
    this.file = file;
    this.standard = standard;
  }

  /**
   * Starts logging.
   *
   * @param folder {@code DIR/log}, made if it is missing
   * @throws IOException if the folder cannot be written
   */
  public static Logs start(Configuration.Log settings, Path folder, PrintStream out)
      throws IOException {
    Files.createDirectories(folder);
    for (Handler usual : Logger.getLogger("").getHandlers()) {
      Logger.getLogger("").removeHandler(usual);
    }
    Logger root = Logger.getLogger("");
    Level level =
        switch (settings.level()) {
          case "error" -> Level.SEVERE;
          case "warn" -> Level.WARNING;
          case "debug" -> Level.FINE;
          default -> Level.INFO;
        };
    String pattern = folder.toAbsolutePath().toString().replace("%", "%%") + "/onefold.%g.log";
    FileHandler file = new FileHandler(pattern, settings.maxBytes() / FILES, FILES, true);
    file.setEncoding("UTF-8");
    file.setFormatter(new LogLine(true));
    file.setLevel(level);
    Handler standard = new Lines(out, new LogLine(settings.json()));
    standard.setLevel(level);
    root.setLevel(level);
    root.addHandler(file);
    root.addHandler(standard);
    HeldLogManager.hold();
    // What the libraries say below a warning is about themselves.
    for (String library :
        new String[] {
          "org.apache", "org.springframework", "io.netty", "io.micrometer", "sun", "jdk"
        }) {
      QUIET.add(Logger.getLogger(library));
    }
    for (Logger library : QUIET) {
      library.setLevel(settings.level().equals("error") ? Level.SEVERE : Level.WARNING);
    }
    return new Logs(root, file, standard);
  }

  // Loggers are kept here because the JDK holds them weakly and would forget their levels.
  private static final java.util.List<Logger> QUIET =
      new java.util.concurrent.CopyOnWriteArrayList<>();

  @Override
  public void close() {
    root.removeHandler(file);
    root.removeHandler(standard);
    standard.flush();
    file.close();
  }

  /** Prints each event and flushes. */
  private static final class Lines extends Handler {
    private final PrintStream out;

    Lines(PrintStream out, LogLine line) {
      this.out = out;
      setFormatter(line);
    }

    @Override
    public void publish(LogRecord event) {
      if (isLoggable(event)) {
        out.print(getFormatter().format(event));
        out.flush();
      }
    }

    @Override
    public void flush() {
      out.flush();
    }

    @Override
    public void close() {
      out.flush();
    }
  }
}
