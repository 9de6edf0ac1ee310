package onefold.appliance.cli;

import java.io.Console;
import java.io.InputStream;
import java.io.PrintStream;

/** Where a verb reads and writes: the process's streams, or a test's. */
@SuppressWarnings(
    "SystemConsoleNull") // From JDK 25 on it is null again where there is no terminal.
public final class Terminal {
  private final InputStream in;
  private final PrintStream out;
  private final PrintStream err;
  private final boolean interactive;

  /**
   * @param interactive whether somebody sits there who can be asked and sees a progress bar
   */
  public Terminal(InputStream in, PrintStream out, PrintStream err, boolean interactive) {
    this.in = in;
    this.out = out;
    this.err = err;
    this.interactive = interactive;
  }

  /** The process's own. */
  public static Terminal ofProcess() {
    Console console = System.console();
    return new Terminal(System.in, System.out, System.err, console != null && console.isTerminal());
  }

  InputStream in() {
    return in;
  }

  PrintStream out() {
    return out;
  }

  PrintStream err() {
    return err;
  }

  boolean isInteractive() {
    return interactive;
  }

  /**
   * Asks a question that is answered by yes or no.
   *
   * @param otherwise what to type where nobody can be asked, for the message
   * @throws Failure if nobody can be asked
   */
  boolean confirm(String question, String otherwise) throws Failure {
    Console console = System.console();
    if (!interactive || console == null) {
      throw Failure.misused(otherwise);
    }
    String answer = console.readLine("%s [y/N] ", question);
    return answer != null && (answer.equalsIgnoreCase("y") || answer.equalsIgnoreCase("yes"));
  }

  /**
   * Reads a password without showing it; where nobody sits, the first line of standard input.
   *
   * @throws Failure if there is none
   */
  String password(String prompt) throws Failure {
    Console console = System.console();
    if (interactive && console != null) {
      char[] typed = console.readPassword("%s ", prompt);
      if (typed == null) {
        throw Failure.failed("no password was typed");
      }
      return new String(typed);
    }
    StringBuilder line = new StringBuilder();
    try {
      int c = in.read();
      while (c >= 0 && c != '\n' && line.length() < 4096) {
        line.append((char) c);
        c = in.read();
      }
    } catch (java.io.IOException e) {
      throw Failure.failed("standard input cannot be read: " + e.getMessage(), e);
    }
    String password =
        new String(
            line.toString().getBytes(java.nio.charset.StandardCharsets.ISO_8859_1),
            java.nio.charset.StandardCharsets.UTF_8);
    if (password.endsWith("\r")) {
      password = password.substring(0, password.length() - 1);
    }
    if (password.isEmpty()) {
      throw Failure.misused(
          "a password is needed: type it on a terminal, or give it as a line on standard input");
    }
    return password;
  }
}
