package onefold.appliance.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import onefold.appliance.FrontEnd;
import onefold.appliance.context.Contexts;
import onefold.appliance.judge.JudgeVerifier;
import onefold.appliance.judge.JudgeWriter;
import onefold.appliance.judge.StateJudge;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Doors for independent judges. */
@Command(
    name = "judge",
    description = {
      "Doors for independent judges: test the promises on your own machine.",
      "Lines are printed as things happen; docs/testing.md says what they mean."
    },
    footer = {
      "",
      "Example:",
      "  ./onefold judge write --front-end catalyst --client 0 --round 0 --count 10"
    })
final class JudgeVerb extends Group {
  JudgeVerb(Environment environment) {
    super(new Write(environment), new Check(environment), new States(environment));
  }

  private abstract static class OfFrontEnd extends ApplianceVerb {
    @Option(names = "--front-end", paramLabel = "F", required = true, description = "catalyst.")
    private String frontEnd = "";

    @Option(names = "--port", paramLabel = "P", description = "Port; the context's when not said.")
    private Optional<Integer> port = Optional.empty();

    OfFrontEnd(Environment environment) {
      super(environment);
    }

    int portOf(Contexts.Found found) throws Failure {
      if (!frontEnd.equals(FrontEnd.CATALYST.label())) {
        throw Failure.misused("no judge speaks '" + frontEnd + "'; there is one for catalyst");
      }
      return port.orElseGet(
          () -> found.context().port(FrontEnd.CATALYST.label(), FrontEnd.CATALYST.defaultPort()));
    }
  }

  @Command(
      name = "write",
      description = {
        "Write, overwrite and delete items; TRY before, ACK after the durable reply.",
        "Ends when the connection breaks; nothing is tried twice."
      },
      footer = {
        "",
        "Example:",
        "  ./onefold judge write --front-end catalyst --client 0 --round 0 --count 10"
      })
  private static final class Write extends OfFrontEnd {
    @Option(
        names = "--client",
        paramLabel = "C",
        required = true,
        description = "Number of this writer; part of its ids.")
    private String client = "";

    @Option(
        names = "--round",
        paramLabel = "R",
        required = true,
        description = "Number of this run; part of its ids.")
    private String round = "";

    @Option(names = "--count", paramLabel = "N", description = "Steps; without end when not said.")
    private long count = Long.MAX_VALUE;

    @Option(
        names = "--ctl",
        paramLabel = "FILE",
        description = "Also write each line there, as 'mark LINE'.")
    private Optional<Path> control = Optional.empty();

    Write(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      Contexts.Found found = context();
      new JudgeWriter(found.context(), portOf(found), client, round, terminal().out(), control)
          .run(count);
      return Exit.DONE;
    }
  }

  @Command(
      name = "verify",
      description = "Read items back: GOT id sha256, GOT id ABSENT or GOT id ERROR text.",
      footer = {"", "Example:", "  ./onefold judge verify --front-end catalyst ids.txt"})
  private static final class Check extends OfFrontEnd {
    @Parameters(paramLabel = "IDSFILE", description = "One id a line.")
    private Path ids = Path.of("");

    Check(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      List<String> wanted =
          Files.readAllLines(ids, StandardCharsets.UTF_8).stream()
              .filter(i -> !i.isBlank())
              .toList();
      Contexts.Found found = context();
      new JudgeVerifier(found.context(), portOf(found), terminal().out()).run(wanted);
      return Exit.DONE;
    }
  }

  @Command(
      name = "list",
      description = {
        "Recover data directories as a start would and read back what their marks name.",
        "Each line of LISTFILE is 'DIR<TAB>MARKSFILE'; prints 'STATE DIR' and GOT lines."
      },
      footer = {"", "Example:", "  ./onefold judge list states.txt"})
  private static final class States extends Verb {
    @Parameters(paramLabel = "LISTFILE", description = "The states.")
    private Path list = Path.of("");

    States(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException {
      try (StateJudge judge = new StateJudge(terminal().out())) {
        for (String line : Files.readAllLines(list, StandardCharsets.UTF_8)) {
          int tab = line.indexOf('\t');
          if (tab > 0) {
            judge.judge(Path.of(line.substring(0, tab)), Path.of(line.substring(tab + 1)));
          }
        }
      }
      return Exit.DONE;
    }
  }
}
