package onefold.appliance.cli;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import onefold.appliance.context.Contexts;

/**
 * Runs the plain verbs one after another against the server that {@code ONEFOLD_CONTEXT} names, so
 * that the JDK can put what they load into its cache. The launcher starts it; nobody else has a use
 * for it.
 */
public final class Rehearsal {
  private Rehearsal() {}

  /** Takes the folder it may write to. */
  public static void main(String[] arguments) throws IOException {
    Path folder = Path.of(arguments[0]);
    PrintStream nowhere =
        new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
    Terminal terminal =
        new Terminal(new ByteArrayInputStream(new byte[0]), nowhere, nowhere, false);
    Environment environment =
        new Environment(terminal, Contexts.ofProcess(), InstantSource.system(), System::nanoTime);
    Path ids = Files.writeString(folder.resolve("ids"), "c0-r0-0\nnone\n");
    String[][] verbs = {
      {"--help"},
      {"status"},
      {"ls"},
      {"ls", "default"},
      {"stats", "--json"},
      {"store", "ls"},
      {"user", "ls"},
      {"housekeeping", "--status"},
      {"job", "ls"},
      {"context", "show"},
      {
        "judge", "write", "--front-end", "catalyst", "--client", "0", "--round", "0", "--count", "8"
      },
      {"judge", "verify", "--front-end", "catalyst", ids.toString()},
      {"get", "default/rehearsal", folder.resolve("got").toString()},
      {"verify"},
      {"rm", "default/rehearsal", "--yes"},
      {"cp", "default/none", "default/none2"},
    };
    for (String[] verb : verbs) {
      Onefold.run(verb, environment);
    }
  }
}
