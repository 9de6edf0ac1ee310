package onefold.appliance.context;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Where contexts are looked for: {@code --context}, then the variable {@value #VARIABLE}, then the
 * data directory below the current folder if its server runs, then the user's home.
 */
public final class Contexts {
  /** The variable that names a context file. */
  public static final String VARIABLE = "ONEFOLD_CONTEXT";

  /** The data directory when nothing else is said. */
  public static final String DEFAULT_DATA = "onefold-data";

  /** The context's name in a data directory and in {@code ~/.onefold}. */
  public static final String FILE_NAME = "context.json";

  private static final int PROBE_MILLIS = 1000;

  /** A context and the file it came from. */
  public record Found(Context context, Path file) {}

  /** Says whether something answers at a host and port. */
  @FunctionalInterface
  public interface Probe {
    boolean answers(String host, int port);
  }

  private final Path workingFolder;
  private final Optional<Path> homeFolder;
  private final Optional<String> variable;
  private final Probe probe;

  public Contexts(
      Path workingFolder, Optional<Path> homeFolder, Optional<String> variable, Probe probe) {
    this.workingFolder = workingFolder;
    this.homeFolder = homeFolder;
    this.variable = variable;
    this.probe = probe;
  }

  /** Looks in this process's folder, environment and home. */
  public static Contexts ofProcess() {
    return new Contexts(
        Path.of(""),
        Optional.ofNullable(System.getProperty("user.home")).map(Path::of),
        Optional.ofNullable(System.getenv(VARIABLE)).filter(v -> !v.isBlank()),
        Contexts::connects);
  }

  /** Returns the context file in the user's home, if there is a home. */
  public Optional<Path> homeFile() {
    return homeFolder.map(home -> home.resolve(".onefold").resolve(FILE_NAME));
  }

  /**
   * Finds the context to use.
   *
   * @param option what {@code --context} names, or empty
   * @throws NoContextException if there is none; the message says what to type
   * @throws IOException if the one that counts cannot be read
   */
  public Found find(Optional<Path> option) throws IOException {
    Optional<Path> named = option.or(() -> variable.map(Path::of));
    if (named.isPresent()) {
      Path file = named.orElseThrow();
      if (!Files.exists(file)) {
        String source = option.isPresent() ? "--context" : VARIABLE;
        throw new NoContextException("context " + file + " named by " + source + " does not exist");
      }
      return new Found(Context.read(file), file);
    }
    Path here = workingFolder.resolve(DEFAULT_DATA).resolve(FILE_NAME);
    boolean hereIsStale = false;
    if (Files.isReadable(here)) {
      Context context = Context.read(here);
      if (probe.answers(context.host(), context.port("catalyst", 0))) {
        return new Found(context, here);
      }
      hereIsStale = true;
    }
    Optional<Path> home = homeFile().filter(Files::isReadable);
    if (home.isPresent()) {
      Path file = home.orElseThrow();
      return new Found(Context.read(file), file);
    }
    throw new NoContextException(
        hereIsStale
            ? "the appliance of " + here + " does not run; start it: ./onefold serve"
            : "no appliance is known here; start one: ./onefold serve, or name one: ./onefold"
                + " connect HOST");
  }

  /**
   * Writes a context into the user's home if there is none yet or it names the same appliance (the
   * same pin).
   *
   * @return the file if it was written
   */
  public Optional<Path> rememberAtHome(Context context) throws IOException {
    Optional<Path> home = homeFile();
    if (home.isEmpty()) {
      return Optional.empty();
    }
    Path file = home.orElseThrow();
    if (Files.exists(file) && !isOf(file, context.pin())) {
      return Optional.empty();
    }
    Path folder = file.getParent();
    if (folder != null) {
      PrivateFile.createFolder(folder);
    }
    context.write(file);
    return Optional.of(file);
  }

  private static boolean isOf(Path file, String pin) {
    try {
      return Context.read(file).pin().equals(pin);
    } catch (IOException e) {
      return false; // Not ours to replace.
    }
  }

  /** Says whether something accepts connections there. */
  public static boolean connects(String host, int port) {
    if (port == 0) {
      return false;
    }
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(host, port), PROBE_MILLIS);
      return true;
    } catch (IOException e) {
      return false;
    }
  }
}
