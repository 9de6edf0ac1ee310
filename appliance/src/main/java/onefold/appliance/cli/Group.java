package onefold.appliance.cli;

import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** A noun whose verbs follow it: {@code store create}, {@code user ls}. */
@Command(synopsisSubcommandLabel = "VERB")
abstract class Group implements Runnable {
  private final List<Verb> verbs;

  @Spec
  @SuppressWarnings("NullAway.Init") // picocli sets it before it runs the command.
  private CommandSpec spec;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help.")
  private boolean help;

  Group(Verb... verbs) {
    this.verbs = List.of(verbs);
  }

  List<Verb> verbs() {
    return verbs;
  }

  static String nameOf(Verb verb) {
    Command command = verb.getClass().getAnnotation(Command.class);
    if (command == null) {
      throw new IllegalStateException(verb.getClass() + " has no name");
    }
    return command.name();
  }

  boolean helpAsked() {
    return help;
  }

  @Override
  public void run() {
    String names = verbs.stream().map(Group::nameOf).collect(Collectors.joining(", "));
    throw new ParameterException(spec.commandLine(), spec.name() + " what? There are " + names);
  }
}
