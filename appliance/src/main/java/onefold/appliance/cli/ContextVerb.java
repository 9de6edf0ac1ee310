package onefold.appliance.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import onefold.appliance.context.Context;
import onefold.appliance.context.Contexts;
import onefold.appliance.json.JsonObject;
import picocli.CommandLine.Command;

/** The context: which counts here, and forgetting the one in the home. */
@Command(
    name = "context",
    description = "The context: show which counts here, or forget the one in the home.",
    footer = {"", "Example:", "  ./onefold context show"})
final class ContextVerb extends Group {
  ContextVerb(Environment environment) {
    super(new Show(environment), new Remove(environment));
  }

  @Command(
      name = "show",
      description = "Show which context counts here; no secrets.",
      footer = {"", "Example:", "  ./onefold context show"})
  private static final class Show extends ApplianceVerb {
    Show(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      Contexts.Found found = context();
      Context context = found.context();
      say("file   " + found.file());
      say("host   " + context.host());
      say("ports  " + context.ports());
      say("user   " + (context.user().isEmpty() ? "(token)" : context.user()));
      say("pin    " + context.pin());
      JsonObject ports = new JsonObject();
      context.ports().forEach((name, port) -> ports.put(name, (long) port));
      result(
          new JsonObject()
              .put("file", found.file().toString())
              .put("host", context.host())
              .put("ports", ports)
              .put("user", context.user())
              .put("pin", context.pin()));
      return Exit.DONE;
    }
  }

  @Command(
      name = "rm",
      description = "Forget the context in the home.",
      footer = {"", "Example:", "  ./onefold context rm"})
  private static final class Remove extends Verb {
    Remove(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      Path file =
          environment()
              .contexts()
              .homeFile()
              .orElseThrow(() -> Failure.failed("this user has no home"));
      boolean deleted = Files.deleteIfExists(file);
      say(deleted ? file + " is deleted" : file + " does not exist");
      result(new JsonObject().put("file", file.toString()).put("deleted", deleted));
      return Exit.DONE;
    }
  }
}
