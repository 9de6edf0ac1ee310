package onefold.appliance.cli;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.concurrent.Callable;
import onefold.appliance.json.Json;
import picocli.CommandLine.Option;

/** What all verbs have. */
abstract class Verb implements Callable<Integer> {
  private final Environment environment;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help.")
  private boolean help;

  @Option(names = "--json", description = "Print the result as one JSON document.")
  private boolean json;

  Verb(Environment environment) {
    this.environment = environment;
  }

  Environment environment() {
    return environment;
  }

  Terminal terminal() {
    return environment.terminal();
  }

  boolean json() {
    return json;
  }

  boolean helpAsked() {
    return help;
  }

  /** Prints a line for people; nothing with {@code --json}. */
  void say(String line) {
    if (!json) {
      terminal().out().println(line);
    }
  }

  /** Prints the result for programs if {@code --json} was given. */
  void result(Json value) {
    if (json) {
      terminal().out().println(value.write());
    }
  }

  /** Turns an error of the file system into a sentence. */
  static String explain(IOException error) {
    return switch (error) {
      case NoSuchFileException e -> e.getFile() + " does not exist";
      case AccessDeniedException e -> e.getFile() + ": permission denied";
      case FileAlreadyExistsException e -> e.getFile() + " exists";
      case NotDirectoryException e -> e.getFile() + " is no directory";
      default -> String.valueOf(error.getMessage());
    };
  }
}
