package onefold.appliance.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import onefold.appliance.Size;
import onefold.appliance.json.JsonArray;
import onefold.appliance.json.JsonObject;
import onefold.appliance.sample.SampleKind;
import onefold.appliance.sample.SampleMaker;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Makes data to measure with. */
@Command(
    name = "sample",
    description = {
      "Make generations of data to measure with, without any network.",
      "The same kind, size and seed give the same bytes on every machine."
    },
    footer = {
      "",
      "Example:",
      "  ./onefold sample /tmp/db --kind database --size 256MB --generations 3",
      "  ./onefold analyze /tmp/db/*"
    })
final class SampleVerb extends Verb {
  @Parameters(
      index = "0",
      paramLabel = "DIR",
      description = "Where generation-01, generation-02, … go.")
  private Path folder = Path.of("");

  @Option(
      names = "--kind",
      required = true,
      paramLabel = "KIND",
      description = "vm, files, database, mail or random.")
  private String kind = "";

  @Option(
      names = "--size",
      paramLabel = "SIZE",
      description = "About the first generation's; 256MB when not said.")
  private String size = "256MB";

  @Option(names = "--generations", paramLabel = "N", description = "How many; 3 when not said.")
  private int generations = 3;

  @Option(
      names = "--seed",
      paramLabel = "S",
      description = "Other seeds give other data; 1 when not said.")
  private long seed = 1;

  SampleVerb(Environment environment) {
    super(environment);
  }

  @Override
  public Integer call() throws IOException, Failure {
    SampleKind chosen =
        switch (kind.toLowerCase(Locale.ROOT)) {
          case "vm" -> SampleKind.VM;
          case "files" -> SampleKind.FILES;
          case "database" -> SampleKind.DATABASE;
          case "mail" -> SampleKind.MAIL;
          case "random" -> SampleKind.RANDOM;
          default ->
              throw Failure.misused(
                  "kind '"
                      + kind
                      + "' does not exist; there are vm, files, database, mail and random");
        };
    if (generations < 1 || generations > 99) {
      throw Failure.misused("--generations " + generations + ", must be 1 to 99");
    }
    SampleMaker maker;
    long sizeBytes;
    try {
      sizeBytes = Size.parse(size);
      maker = new SampleMaker(chosen, sizeBytes, seed);
    } catch (IllegalArgumentException e) {
      throw Failure.misused(String.valueOf(e.getMessage()));
    }
    JsonArray made = new JsonArray();
    for (int generation = 1; generation <= generations; generation++) {
      String name = String.format(Locale.ROOT, "generation-%02d", generation);
      if (Files.exists(folder.resolve(name))) {
        throw Failure.failed(folder.resolve(name) + " exists; made data replace nothing");
      }
      long[] written = new long[1];
      Path target;
      try (Progress progress =
          new Progress(terminal(), !json(), name, sizeBytes, environment().nanoTime())) {
        target =
            maker.make(
                folder,
                generation,
                bytes -> {
                  written[0] += bytes;
                  progress.at(written[0]);
                });
      }
      say(target + ": " + Size.format(written[0]));
      made.add(new JsonObject().put("path", target.toString()).put("bytes", written[0]));
    }
    result(new JsonObject().put("generations", made));
    return Exit.DONE;
  }
}
