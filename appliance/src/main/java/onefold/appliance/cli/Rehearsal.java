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
 * Runs verbs one after another against the server that {@code ONEFOLD_CONTEXT} names, so that the
 * JDK can put what they load, and how often which method ran, into its cache. The launcher starts
 * it; nobody else has a use for it.
 */
public final class Rehearsal {
  private Rehearsal() {}

  /**
   * Takes {@code bytes} or {@code words} and the folder it may write to. {@code bytes} backs up and
   * restores the generations in the folder's {@code sample}, {@code words} are the verbs that move
   * nothing.
   */
  public static void main(String[] arguments) throws IOException {
    Path folder = Path.of(arguments[1]);
    PrintStream nowhere =
        new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
    Terminal terminal =
        new Terminal(new ByteArrayInputStream(new byte[0]), nowhere, nowhere, false);
    Environment environment =
        new Environment(terminal, Contexts.ofProcess(), InstantSource.system(), System::nanoTime);
    for (String[] verb : arguments[0].equals("bytes") ? bytes(folder) : words(folder)) {
      Onefold.run(verb, environment);
    }
  }

  private static String[][] bytes(Path folder) {
    String first = folder.resolve("sample/generation-01").toString();
    String next = folder.resolve("sample/generation-02").toString();
    return new String[][] {
      {"backup", first, "default/tree"},
      {"backup", next, "default/tree", "--replace"},
      {"restore", "default/tree", folder.resolve("restored").toString()},
      {"put", first + "/disk.img", "default/rehearsal", "--bandwidth", "high"},
      {"get", "default/rehearsal", folder.resolve("got").toString()},
      {"verify"},
    };
  }

  private static String[][] words(Path folder) throws IOException {
    Path ids = Files.writeString(folder.resolve("ids"), "c0-r0-0\nnone\n");
    return new String[][] {
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
      {"rm", "default/rehearsal", "--yes"},
      {"cp", "default/none", "default/none2"},
    };
  }
}
