package onefold.appliance.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.function.Function;
import onefold.appliance.Version;
import onefold.appliance.json.JsonObject;
import onefold.catalyst.client.CatalystException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The program. */
@Command(
    name = "onefold",
    description = "An inline deduplicating backup target.",
    versionProvider = Onefold.Release.class,
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "VERB",
    footer = {
      "",
      "Exit codes: 0 done, 1 failed, 2 misused, 3 done with gaps (named).",
      "",
      "Example:",
      "  ./onefold serve                              in one terminal",
      "  ./onefold put disk.img default/disk-{date}   in another",
      "  ./onefold VERB --help                        tells more about a verb"
    })
public final class Onefold implements Runnable {
  @Spec
  @SuppressWarnings("NullAway.Init") // picocli sets it before it runs the command.
  private CommandSpec spec;

  private Onefold() {}

  /** Runs a verb and ends the process with its exit code. */
  public static void main(String[] arguments) {
    int code = run(arguments, Environment.ofProcess());
    System.out.flush();
    System.exit(code);
  }

  /** Runs a verb and returns its exit code. */
  public static int run(String[] arguments, Environment environment) {
    CommandLine program = new CommandLine(new Onefold());
    Map<String, Function<Environment, Object>> verbs = Verbs.table();
    Function<Environment, Object> asked = arguments.length == 0 ? null : verbs.get(arguments[0]);
    if (asked == null) {
      verbs.forEach((name, verb) -> add(program, name, verb.apply(environment)));
    } else {
      add(program, arguments[0], asked.apply(environment));
    }
    Terminal terminal = environment.terminal();
    program.setOut(new PrintWriter(terminal.out(), true, StandardCharsets.UTF_8));
    program.setErr(new PrintWriter(terminal.err(), true, StandardCharsets.UTF_8));
    program.setUsageHelpWidth(100);
    program.setCaseInsensitiveEnumValuesAllowed(true);
    program.setParameterExceptionHandler((error, given) -> misused(error, terminal));
    program.setExecutionExceptionHandler(
        (error, command, result) -> failed(error, command, terminal));
    return program.execute(arguments);
  }

  private static void add(CommandLine program, String name, Object verb) {
    CommandLine command = new CommandLine(verb);
    if (verb instanceof Group group) {
      for (Verb inner : group.verbs()) {
        command.addSubcommand(Group.nameOf(inner), inner);
      }
    }
    program.addSubcommand(name, command);
  }

  private static int misused(ParameterException error, Terminal terminal) {
    CommandLine command = error.getCommandLine();
    terminal.err().println("onefold: " + error.getMessage());
    CommandLine.UnmatchedArgumentException.printSuggestions(error, command.getErr());
    command.getErr().flush();
    terminal.err().println("Try: ./" + command.getCommandSpec().qualifiedName() + " --help");
    return Exit.MISUSED;
  }

  private static int failed(Exception error, CommandLine command, Terminal terminal) {
    int exitCode = Exit.FAILED;
    String code = "FAILED";
    String message = String.valueOf(error.getMessage());
    switch (error) {
      case Failure failure -> {
        exitCode = failure.exitCode();
        code = failure.code();
      }
      case RestException refused -> code = refused.code();
      case CatalystException refused -> code = refused.code().name();
      case IOException e -> message = Verb.explain(e);
      default -> {
        message = "internal error: " + error;
        error.printStackTrace(terminal.err());
      }
    }
    if (command.getCommand() instanceof Verb verb && verb.json()) {
      terminal
          .out()
          .println(
              new JsonObject()
                  .put("error", new JsonObject().put("code", code).put("message", message))
                  .write());
    }
    terminal.err().println("onefold: " + message);
    return exitCode;
  }

  /** Without a verb: says what there is. */
  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "no verb was given; ./onefold --help lists them");
  }

  /** Reads the release from the jar only when it is asked for. */
  static final class Release implements IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {"onefold " + Version.current()};
    }
  }
}
