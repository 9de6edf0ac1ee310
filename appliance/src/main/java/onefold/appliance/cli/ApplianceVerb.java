package onefold.appliance.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import onefold.appliance.context.Contexts;
import onefold.appliance.context.NoContextException;
import picocli.CommandLine.Option;

/** A verb that asks an appliance. */
abstract class ApplianceVerb extends Verb {
  private static final Duration WATCHED = Duration.ofSeconds(1);

  @Option(
      names = "--context",
      paramLabel = "FILE",
      description = "The context to use; else ONEFOLD_CONTEXT, ./onefold-data, ~/.onefold.")
  private Optional<Path> context = Optional.empty();

  ApplianceVerb(Environment environment) {
    super(environment);
  }

  /** What was named by {@code --context}. */
  Optional<Path> contextOption() {
    return context;
  }

  /** Finds the context that counts. */
  Contexts.Found context() throws IOException, Failure {
    try {
      return environment().contexts().find(context);
    } catch (NoContextException e) {
      throw Failure.failed(String.valueOf(e.getMessage()), e);
    }
  }

  /**
   * Waits a second before something that is watched is asked for again.
   *
   * @return whether to go on; not if the thread was interrupted
   */
  static boolean pause() {
    try {
      Thread.sleep(WATCHED);
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** Connects to the REST door. The caller closes it. */
  RestClient rest() throws IOException, Failure {
    return RestClient.open(context());
  }
}
